/** From a finding to the smallest program that shows it; every candidate is judged anew, in full. */
import { shrink } from "../shrink/shrink.js";
import type { CompleteProgram, Finding } from "./finding.js";

/** Judges a program by everything after every step. */
export type JudgeInFull = (program: CompleteProgram) => Finding | undefined;

export type Minimised =
  | { readonly kind: "minimal"; readonly finding: Finding }
  /** It did not show twice again: what was found depends on more than the program. */
  | { readonly kind: "flaky" };

/** What was only looked at in the end may be found earlier, and at another step, when everything is looked at. */
const isLike = (one: Finding, other: Finding | undefined): boolean =>
  one.kind === other?.kind && one.rule === other.rule;

/** Cut behind the step that fails, and without what that was expected to observe. */
const bare = ({ program }: Finding): CompleteProgram => ({
  ...program,
  steps: program.steps.map(({ actor, operation }) => ({ actor, operation })),
});

/** Most candidates that are judged: a count, because a clock would find something else on every machine. */
const mostCandidates = 5000;

/** The smallest program with a finding of the same rule, operation and place. */
export const minimise = (found: Finding, judge: JudgeInFull): Minimised => {
  const [first, second] = [judge(bare(found)), judge(bare(found))];
  if (first === undefined || !isLike(found, first) || second?.key !== first.key) return { kind: "flaky" };
  let smallest = first;
  let candidates = 0;
  shrink(bare(first), (candidate) => {
    candidates += 1;
    const finding = candidates > mostCandidates ? undefined : judge(candidate);
    if (finding?.key !== first.key) return false;
    smallest = finding;
    return true;
  });
  return { kind: "minimal", finding: smallest };
};
