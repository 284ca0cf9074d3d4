/** Batches of a campaign's programs, judged one after the other: what a worker is given, and what it answers. */
import { createCoverage, type CoverageResult } from "../coverage.js";
import {
  judgeFile,
  judgeProgram,
  minimised,
  type CampaignSettings,
  type FileProgram,
  type Found,
  type Judged,
} from "./campaign.js";
import type { Checker } from "./judge.js";

/** A program of the seed, by its number, or one that was read from a file. */
export type Item = number | FileProgram;

export interface Batch {
  readonly settings: CampaignSettings;
  readonly items: readonly Item[];
}

export interface Answer {
  readonly judged: readonly Judged[];
  /** What they reached; of the specification alone. */
  readonly coverage: CoverageResult | undefined;
}

export const judgeBatch = ({ settings, items }: Batch, checker?: Checker): Answer => {
  const coverage = settings.impl === "spec-lazy" ? createCoverage() : undefined;
  const options = { ...(checker && { checker }), ...(coverage && { coverage }) };
  const judged = items.map((item) =>
    typeof item === "number" ? judgeProgram(settings, item, options) : judgeFile(settings, item, options),
  );
  return { judged, coverage: coverage?.result() };
};

/** A finding that is to be made smaller. */
export interface Minimisation {
  readonly settings: CampaignSettings;
  readonly found: Found;
}

export const minimise = ({ settings, found }: Minimisation, checker?: Checker): Found =>
  minimised(settings, found, checker);
