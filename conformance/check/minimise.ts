/** From a finding to the smallest program that shows it; every candidate is judged anew, in full. */
import { shrink } from "../shrink/shrink.js";
import type { CompleteProgram, Finding } from "./finding.js";

/** Judges a program by everything after every step. */
export type JudgeInFull = (program: CompleteProgram) => Finding | undefined;

export type Minimised =
  | {
      readonly kind: "small";
      readonly finding: Finding;
      /** Candidates that were judged. */
      readonly judged: number;
      /** No step can be left out; false where too many candidates were to be judged to know that. */
      readonly minimal: boolean;
    }
  /** It did not show twice again: what was found depends on more than the program. */
  | { readonly kind: "flaky" };

/** Cut behind the step that fails, and without what that was expected to observe. */
export const bare = ({ program }: Finding): CompleteProgram => ({
  ...program,
  steps: program.steps.map(({ actor, operation }) => ({ actor, operation })),
});

/** Most candidates that are judged: several times what the longest programs take. */
const mostCandidates = 5000;

/**
 * The smallest program with a finding of the same rule, operation and place. A caller whose finding is not what shows first
 * where everything is looked at after every step, gets that.
 */
export const minimise = (found: Finding, judge: JudgeInFull, budget = mostCandidates): Minimised => {
  const [first, second] = [judge(bare(found)), judge(bare(found))];
  if (first === undefined || second?.key !== first.key) return { kind: "flaky" };
  let smallest = first;
  const shows = (candidate: CompleteProgram): boolean => {
    const finding = judge(candidate);
    if (finding?.key !== first.key) return false;
    smallest = finding;
    return true;
  };
  const { judged, minimal } = shrink(bare(first), shows, { budget });
  return { kind: "small", finding: smallest, judged, minimal };
};
