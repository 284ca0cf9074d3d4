/** One program on a machine that is built by a false rule: the first step that breaks what the claim promises. */
import { isDeepStrictEqual } from "node:util";
import { checkedStep, invariants, start, type Checked } from "../../spec/invariants/check.js";
import type { Violation } from "../../spec/invariants/places.js";
import { scopeOf, type Transition } from "../../spec/invariants/transition.js";
import type { Config } from "../../spec/sfork/config.js";
import { lawsOf } from "../../spec/sfork/laws.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { rules, step, type Taken } from "../../spec/sfork/step.js";
import type { Claim } from "../../spec/sfork/variants/claim.js";
import { canonical, type CanonicalObservation } from "../canon.js";
import type { CompleteProgram } from "../check/finding.js";
import { compareLevels, type Difference } from "../oblivious/compare.js";
import { Tracker } from "../oblivious/tracker.js";
import { compared } from "../program/diff.js";

/** What a step breaks: something that does not hold after it, or an observation that is another than it should be. */
export interface Breach {
  /** Index of the step. */
  readonly step: number;
  readonly rule: string;
  readonly violation?: Violation;
  readonly expected?: CanonicalObservation;
  readonly actual?: CanonicalObservation;
}

/** Rules as the claim would have them. */
export interface System {
  readonly start: (config: Config) => Checked;
  readonly step: typeof step;
}

export const systemOf = ({ laws, rules: by = rules }: Pick<Claim, "laws" | "rules">): System => ({
  start: (config) => start(config, { ...lawsOf(config.strategy), ...laws }),
  step: (machine, next) => step(machine, next, by),
});

const violationOf = (name: string, transition: Transition | undefined): Violation | undefined => {
  if (transition === undefined) return undefined;
  return invariants[name]?.(scopeOf(transition, "incremental")).find(({ rule }) => rule.split(" ")[0] === name);
};

/** CLAIM-9: numbers of addresses are numbers like others (beside REF-3, `oblivious/tracker.ts`). */
const trustful = (machine: Machine, other: Config): Pick<Tracker, "follow"> => {
  const tracker = new Tracker(machine, other);
  return {
    follow: (...seen) => {
      const verdict = tracker.follow(...seen);
      return verdict === "masked" ? "oblivious" : verdict;
    },
  };
};

const differs = (a: Pick<Taken, "observation" | "signals">, b: Pick<Taken, "observation" | "signals">): boolean =>
  !isDeepStrictEqual(compared(a.observation, a.signals), compared(b.observation, b.signals));

const breachOfLevels = ({ rule, step: index, expected, actual }: Difference): Breach => ({
  step: index,
  rule,
  expected,
  actual,
});

/** The first step of a program that breaks the rule that a claim breaks before all; on the true machine there is none. */
export const breachOf = (
  claim: Pick<Claim, "breaks" | "laws" | "rules" | "at">,
  { version, config, steps }: CompleteProgram,
  isTrusting = true,
): Breach | undefined => {
  const [rule = ""] = claim.breaks;
  const isMeant = (index: number): boolean => claim.at?.some((op) => op === steps[index]?.operation.op) ?? true;
  if (rule === "REF-3") {
    const options = isTrusting ? { trackerOf: trustful } : {};
    const { difference } = compareLevels({ version, config, steps }, options);
    return difference && isMeant(difference.step) ? breachOfLevels(difference) : undefined;
  }
  const system = systemOf(claim);
  let checked = system.start(config);
  for (const [index, next] of steps.entries()) {
    const taken = checkedStep(checked, next, system.step);
    const { delivery, transition, eager, checked: after } = taken;
    const violation = violationOf(rule, delivery) ?? violationOf(rule, transition);
    if (violation !== undefined && isMeant(index)) return { step: index, rule, violation };
    if (rule === "REF-2" && isMeant(index) && eager !== undefined && differs(taken, eager)) {
      const expected = canonical(eager.observation, eager.machine, eager.process, eager.signals);
      const actual = canonical(taken.observation, after.machine, transition?.process, taken.signals);
      return { step: index, rule, expected, actual };
    }
    checked = after;
  }
  return undefined;
};
