/** Findings: what went wrong in which step of which program. */
import type { Config } from "../../spec/sfork/config.js";
import type { Program } from "../program/program.js";

/** A program as it is judged: with nothing left out of its configuration. */
export interface CompleteProgram extends Program {
  readonly config: Config;
}

/**
 * `observation`: a step observes something else than beside it with eager copies, or in the specification. `view`,
 * `counters`: something else is to be seen, or counted, than in the specification. `invariant`: one does not hold.
 * `crash`: an exception was thrown, which no program causes (EXEC-1). `hang`: a step, or the start,
 * does not end. `worker`: the thread that judged it ended. `protocol`: another process gives answers that make no sense.
 * `flaky`: what was found did not show again.
 */
export type FindingKind =
  ("observation" | "view" | "counters" | "invariant") | ("crash" | "hang" | "worker" | "protocol") | "flaky";

export interface Finding {
  readonly kind: FindingKind;
  /** The rule that is broken: `REF-1`, `INV-6`, … */
  readonly rule: string;
  /** A register, a granule, a thread; for a crash, what was being done. */
  readonly where: string;
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  /** Index of the step, from 0; 0 also where the machine could not even start. */
  readonly step: number;
  /** What two findings of one cause have in common: rule, operation and place, without numbers. */
  readonly key: string;
  /** Other rules that the same step breaks. */
  readonly also: readonly string[];
  /** Cut behind the step: every prefix of a program is a program. */
  readonly program: CompleteProgram;
}

/** A place or a message without the numbers in it. */
const shape = (text: string): string => text.replaceAll(/0x[\da-f]+|\d+/gi, "#");

/** The key of a finding; `place` says where, or how, as far as that tells one cause from another. */
export const keyOf = (rule: string, { steps }: Program, place: string): string =>
  `${rule} ${steps.at(-1)?.operation.op ?? "start"} ${shape(place)}`;
