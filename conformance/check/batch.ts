/** Batches of a campaign's programs, judged one after the other: what a worker is given, and what it answers. */
import { createCoverage, type CoverageResult } from "../coverage.js";
import { judgeProgram, type CampaignSettings, type Judged } from "./campaign.js";
import type { Checker } from "./judge.js";

/** Programs `from` to `to`, the last not included. */
export interface Batch {
  readonly settings: CampaignSettings;
  readonly from: number;
  readonly to: number;
}

export interface Answer {
  readonly judged: readonly Judged[];
  /** What they reached; of the specification alone. */
  readonly coverage: CoverageResult | undefined;
}

export const judgeBatch = ({ settings, from, to }: Batch, checker?: Checker): Answer => {
  const coverage = settings.impl === "spec-lazy" ? createCoverage() : undefined;
  const options = { ...(checker && { checker }), ...(coverage && { coverage }) };
  const judged = Array.from({ length: to - from }, (_, nth) => judgeProgram(settings, from + nth, options));
  return { judged, coverage: coverage?.result() };
};
