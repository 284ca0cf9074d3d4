/**
 * Smaller programs that still show the same: fewer steps, then a plainer configuration, then plainer operands, over and over
 * until nothing more can go.
 */
import { isDeepStrictEqual } from "node:util";
import { completeConfig } from "../../spec/sfork/config.js";
import type { CompleteProgram } from "../check/finding.js";
import { plainerConfig, type Complete } from "./configuration.js";
import { nearerOffsets } from "./offsets.js";
import { plainerSteps } from "./operands.js";
import type { Shows } from "./shows.js";
import { fewerSteps, fewerThreads, fewerTogether } from "./steps.js";

export interface ShrinkOptions {
  /** What configurations there are (legal ones, by default). */
  readonly complete?: Complete;
  /** Most candidates that are judged (any number): a count, because a clock would find something else on every machine. */
  readonly budget?: number;
  /** Asked before each candidate whether what there is is small enough (never, by default). */
  readonly enough?: () => boolean;
}

export interface Shrunk {
  readonly program: CompleteProgram;
  /** Candidates that were judged. */
  readonly judged: number;
  /** No step can be left out, because each was tried; not so where the budget ended first, or it was enough. */
  readonly minimal: boolean;
}

const legal: Complete = (sizes) => {
  const config = completeConfig(sizes);
  return "illegal" in config ? undefined : config;
};

/** The smallest program that is found from `program` on, which shows it. Domain: `program` shows it. */
export const shrink = (
  program: CompleteProgram,
  shows: Shows,
  { complete = legal, budget = Infinity, enough = () => false }: ShrinkOptions = {},
): Shrunk => {
  let judged = 0;
  let minimal = true;
  const within: Shows = (candidate) => {
    minimal &&= judged < budget && !enough();
    if (!minimal) return false;
    judged += 1;
    return shows(candidate);
  };
  let smallest = program;
  for (;;) {
    const fewer = fewerThreads(fewerSteps(smallest, within), within);
    const plainer = plainerSteps(nearerOffsets(plainerConfig(fewer, within, complete), within), within);
    // The last round changes nothing: it has tried to leave out each step, and then each two.
    const changes = !isDeepStrictEqual(plainer, smallest);
    const next = changes ? plainer : fewerTogether(smallest, within);
    if (next.steps.length === smallest.steps.length && !changes) return { program: smallest, judged, minimal };
    smallest = next;
  }
};
