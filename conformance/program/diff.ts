/** Two runs of a program side by side, up to the first step that observes something different. */
import { isDeepStrictEqual } from "node:util";
import type { Capability } from "../../spec/cheri/index.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { strategies } from "../../spec/sfork/laws.js";
import { plain, printObservation } from "../canon.js";
import { implementations, type ImplementationName } from "../implementations/index.js";
import { compareSides } from "../oblivious/compare.js";
import type { ProgramStep } from "./program.js";
import { trace, type TracedStep } from "./trace.js";

/** How a comparison ended; `left` and `right` are the same step on both sides. */
export type Difference =
  /** `masked`: observations whose numbers come from addresses, and were not compared (REF-3). */
  | { readonly verdict: "same"; readonly steps: number; readonly masked: number }
  | { readonly verdict: "different"; readonly left: TracedStep; readonly right: TracedStep }
  /** What follows is not promised to be alike (REF-2, overcommit, what one side does not have). */
  | { readonly verdict: "ended"; readonly left: TracedStep; readonly right: TracedStep };

const endsComparison = ({ observation }: TracedStep): boolean =>
  observation.kind === "outside-profile" || observation.kind === "out-of-frames";

const isSeparate = ({ strategy }: Config): boolean => strategies[strategy].separate;

/** One side of a comparison: the specification with a strategy, or an implementation. */
export interface Side {
  readonly impl: "spec" | ImplementationName;
  readonly config: Config;
}

const traceOf = ({ impl, config }: Side, steps: readonly ProgramStep[]) =>
  trace(config, steps, impl === "spec" ? undefined : implementations[impl](config));

/** What of a step is compared: where an error is reported, the others that apply may depend on frames in use. */
export const compared = (observation: Observation, signals: readonly number[]): unknown =>
  observation.kind === "error" ? [observation.error, signals] : [observation, signals];

/** Levels with and without an address space for each process, up to where one depends on its addresses (REF-3). */
const diffLevels = (left: Config, right: Config, steps: readonly ProgramStep[]): Difference => {
  const { endedAt, difference, masked } = compareSides(isSeparate(left) ? [left, right] : [right, left], steps);
  const at = difference?.step ?? endedAt;
  const [one, two] = [left, right].map((config) => [...trace(config, steps.slice(0, (at ?? -1) + 1))].at(-1));
  if (one === undefined || two === undefined) return { verdict: "same", steps: steps.length, masked };
  return { verdict: difference === undefined ? "ended" : "different", left: one, right: two };
};

/**
 * Where regions lie at the same places on both sides raw numbers are compared. A level in which every process has an
 * address space of its own agrees with the others in canonical form, but for numbers that come from addresses (REF-3).
 */
export const diff = (left: Side, right: Side, steps: readonly ProgramStep[]): Difference => {
  if (isSeparate(left.config) !== isSeparate(right.config)) return diffLevels(left.config, right.config, steps);
  const other = traceOf(right, steps);
  for (const one of traceOf(left, steps)) {
    const next = other.next();
    if (next.done === true) break;
    const two = next.value;
    if (endsComparison(one) || endsComparison(two)) return { verdict: "ended", left: one, right: two };
    if (!isDeepStrictEqual(compared(one.observation, one.signals), compared(two.observation, two.signals)))
      return { verdict: "different", left: one, right: two };
  }
  return { verdict: "same", steps: steps.length, masked: 0 };
};

const word = ({ metadata }: Capability): string => ` metadata=0x${metadata.toString(16)}`;

/** What one side observed, and the machine after it. */
export type Observed = Pick<TracedStep, "observation" | "canonical" | "machine">;

/** Two observations that differ, in canonical form; in raw numbers where that prints them alike. */
export const describeBoth = (left: Observed, right: Observed): readonly [left: string, right: string] => {
  const canonical = [left, right].map((side) => printObservation(side.canonical));
  const [one = "", two = ""] = canonical;
  if (one !== two) return [one, two];
  const raw = ({ observation, machine }: Observed): string =>
    printObservation(plain(observation, machine.format)) +
    (observation.kind === "capability" ? word(observation.capability) : "");
  return [raw(left), raw(right)];
};
