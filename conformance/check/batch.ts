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
  /** What some of them reached: `countedEvery`. */
  readonly coverage: CoverageResult | undefined;
}

/** Beside an implementation coverage is counted in one program of so many: counting takes half as long as a step. */
const countedEvery = (impl: CampaignSettings["impl"]): number => (impl === "spec-lazy" ? 1 : 8);

export const judgeBatch = ({ settings, items }: Batch, checker?: Checker): Answer => {
  const coverage = createCoverage();
  const every = countedEvery(settings.impl);
  const judged = items.map((item, nth) => {
    const options = { ...(checker && { checker }), ...(nth % every === 0 && { coverage }) };
    return typeof item === "number" ? judgeProgram(settings, item, options) : judgeFile(settings, item, options);
  });
  return { judged, coverage: coverage.result() };
};

/** A finding that is to be made smaller. */
export interface Minimisation {
  readonly settings: CampaignSettings;
  readonly found: Found;
}

export const minimise = ({ settings, found }: Minimisation, checker?: Checker): Found =>
  minimised(settings, found, checker);
