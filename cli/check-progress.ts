/** What `sfork check` says on standard error while it runs: how fast, how far, and how long still. */
import { plural } from "../conformance/plural.js";
import type { Limits, Progress as Reached, Shard } from "../conformance/check/run.js";
import { createProgress, duration } from "./progress.js";

/** What it is at. */
type Phase =
  | { readonly kind: "regressions"; readonly done: number; readonly of: number }
  | { readonly kind: "campaign"; readonly reached: Reached }
  | { readonly kind: "smaller"; readonly findings: number };

/** `spent`: milliseconds since the start, and `passed`: of those, since the first program. */
const leftOf = (limits: Limits, { part, of }: Shard, done: number, passed: number, spent: number): string => {
  const runs = limits.runs === Infinity ? Infinity : Math.ceil((limits.runs - part + 1) / of);
  const byTime = (limits.time - spent) / 1000;
  const byRuns = ((runs - done) * passed) / Math.max(1, done) / 1000;
  const programs = runs === Infinity ? "" : `${plural(runs - done, "program")} or `;
  return `${programs}${duration(Math.min(byTime, byRuns))} left`;
};

/** The corner cases that were reached; of what does not count them, the steps. */
const coverageOf = ({ coverage, steps }: Reached): string => {
  if (coverage === undefined) return plural(steps, "step");
  const cases = Object.values(coverage.cornerCases);
  return `${cases.filter((count) => count > 0).length} of ${cases.length} corner cases`;
};

const campaignLine = (reached: Reached, limits: Limits, shard: Shard, since: number, spent: number): string => {
  const { programs, generated, findings, milliseconds } = reached;
  if (programs === 0) return "starting";
  return [
    plural(programs, "program"),
    `${((programs * 1000) / milliseconds).toFixed(1)}/s`,
    coverageOf(reached),
    plural(findings, "finding"),
    leftOf(limits, shard, generated, milliseconds + since, spent),
  ].join(", ");
};

export interface CheckProgress {
  readonly at: (phase: Phase) => void;
  /** Remove the live line, so that other output starts on a clean one. */
  readonly clear: () => void;
  /** Say no more. */
  readonly end: () => void;
}

/** How often it is looked whether there is something to say. */
const tick = 100;

export const createCheckProgress = (limits: Limits, shard: Shard): CheckProgress => {
  const progress = createProgress();
  let phase: Phase | undefined;
  const started = performance.now();
  let since = started;
  const line = (): string => {
    const now = performance.now();
    switch (phase?.kind) {
      case undefined:
        return "starting";
      case "regressions":
        return `${phase.done} of ${plural(phase.of, "earlier finding")} run again`;
      case "campaign":
        return campaignLine(phase.reached, limits, shard, now - since, now - started);
      case "smaller":
        return `making ${plural(phase.findings, "finding")} smaller`;
    }
  };
  // A batch, or a finding that becomes smaller, may take longer than somebody waits for a sign of life.
  const timer = setInterval(() => {
    progress.update(line());
  }, tick).unref();
  return {
    at: (next) => {
      phase = next;
      since = performance.now();
    },
    clear: progress.clear,
    end: () => {
      clearInterval(timer);
      progress.clear();
    },
  };
};
