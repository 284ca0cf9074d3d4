/** Threads that ended, or had to be ended, without an answer; and the finding that this is. */
import type { Subject } from "./campaign.js";
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";

export interface Lost {
  /** `hang`: it went on, but began no step for too long. `worker`: it ended. */
  readonly kind: "hang" | "worker";
  /** Which program of the task it was at, from 0, and the last step of that which it had begun; -1 before the first. */
  readonly nth: number;
  readonly step: number;
  /** The last that was heard of it. */
  readonly message: string;
}

export const isLost = (answer: object): answer is Lost => "nth" in answer && "message" in answer;

/**
 * The program up to the step that a thread was lost in. The key does not tell one kind from another: what eats memory does both, and
 * how fast is a matter of the machine.
 */
export const lostFinding = (impl: Subject, whole: CompleteProgram, { kind, step, message }: Lost): Finding => {
  const rule = impl === "spec-lazy" ? "EXEC-1" : "REF-4";
  const { version, config, steps } = whole;
  const program = { version, config, steps: steps.slice(0, step + 1) };
  const where = program.steps.length === 0 ? "the start" : "the step";
  const what = kind === "hang" ? "does not end" : `ends its thread: ${message}`;
  const key = keyOf(rule, program, "no answer");
  const said = { expected: "an answer", actual: message };
  return { kind, rule, where, what, ...said, step: Math.max(0, step), key, also: [], program };
};
