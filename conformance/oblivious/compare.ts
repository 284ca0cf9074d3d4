/** REF-3: the level with an address space for each process beside the one that has one for all. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../spec/sfork/config.js";
import { isComparable } from "../../spec/invariants/check.js";
import { strategies } from "../../spec/sfork/laws.js";
import { initial, type Machine } from "../../spec/sfork/machine.js";
import type { Step } from "../../spec/sfork/operation.js";
import { step, type Taken } from "../../spec/sfork/step.js";
import { canonical, type CanonicalObservation } from "../canon.js";
import type { CompleteProgram } from "../check/finding.js";
import { Tracker, type Verdict } from "./tracker.js";

/** A step that shows something else on one side than on the other. */
export interface Difference {
  readonly rule: "REF-3";
  /** Index of the step, and who took it. */
  readonly step: number;
  readonly actor: string;
  readonly verdict: Verdict;
  readonly expected: CanonicalObservation;
  readonly actual: CanonicalObservation;
}

export interface Comparison {
  /** Steps that were taken. */
  readonly steps: number;
  /** Observations that were compared, and those of them without their numbers. */
  readonly compared: number;
  readonly masked: number;
  /** The step from which on nothing is promised any more. */
  readonly endedAt?: number;
  readonly difference?: Difference;
}

export interface CompareOptions {
  /** What takes the steps of either side, and what follows the second one's: a test may break them. */
  readonly step?: typeof step;
  readonly trackerOf?: (machine: Machine, other: Config) => Pick<Tracker, "follow">;
}

/** What is left of an observation whose numbers are address-derived: its kind, how many bytes, no tag. */
export const withoutNumbers = (observation: CanonicalObservation): CanonicalObservation => {
  if ("int" in observation) return { ...observation, int: "?" };
  if ("bytes" in observation) return { ...observation, bytes: "?".repeat(observation.bytes.length) };
  if (!("cap" in observation) || observation.cap.tag) return observation;
  const { cap } = observation;
  return {
    ...observation,
    cap: { ...cap, address: "?", base: "?", top: "?", permissions: [], otype: "?", flags: "?" },
  };
};

const seen = ({ observation, machine, process, signals }: Taken, verdict: Verdict): CanonicalObservation => {
  const whole = canonical(observation, machine, process, signals);
  return verdict === "masked" ? withoutNumbers(whole) : whole;
};

const trackerBeside = (machine: Machine, other: Config): Tracker => new Tracker(machine, other);

/** The same steps on two machines, of which the second has one address space, up to the first difference. */
export const compareSides = (
  [left, right]: readonly [Config, Config],
  steps: readonly Step[],
  { step: take = step, trackerOf = trackerBeside }: CompareOptions = {},
): Comparison => {
  let [expected, actual] = [initial(left), initial(right)];
  const tracker = trackerOf(actual, left);
  const isLate = strategies[left.strategy].atFork !== "copy";
  let masked = 0;
  for (const [index, next] of steps.entries()) {
    const [one, two] = [take(expected, next), take(actual, next)];
    const verdict = tracker.follow(actual, next.operation, two);
    // A machine that copies late may have frames where one that copies at the fork has none left.
    const lacksFrames = isLate && !isComparable(actual, next.operation.op, one.observation, two.observation);
    if (verdict === "outside" || lacksFrames) return { steps: index + 1, compared: index, masked, endedAt: index };
    if (verdict === "masked") masked += 1;
    const sides = { expected: seen(one, verdict), actual: seen(two, verdict) };
    if (!isDeepStrictEqual(sides.expected, sides.actual)) {
      const actor = two.thread === undefined ? "nobody" : `P${two.process ?? 0} thread ${two.thread}`;
      const difference: Difference = { rule: "REF-3", step: index, actor, verdict, ...sides };
      return { steps: index + 1, compared: index + 1, masked, difference };
    }
    [expected, actual] = [one.machine, two.machine];
  }
  return { steps: steps.length, compared: steps.length, masked };
};

/**
 * A program on level L0, every process in its own address space, and on L1, all of them in one, moved at the fork. In the
 * place of L0 stands the program's own strategy, if it is one of many address spaces.
 * @rule REF-3 levels
 */
export const compareLevels = ({ config, steps }: CompleteProgram, options: CompareOptions = {}): Comparison =>
  compareSides(
    [
      strategies[config.strategy].separate ? config : { ...config, strategy: "posix" },
      { ...config, strategy: "eager" },
    ],
    steps,
    options,
  );
