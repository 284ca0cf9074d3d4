/** From a state to all that follow it in one step, each of them judged. */
import type { Implementation, Observed } from "../../impl/implementation.js";
import { checkedStep, start, violations, type Checked } from "../../spec/invariants/check.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { judgeBeside } from "../check/beside.js";
import type { Create } from "../check/campaign.js";
import type { Finding } from "../check/finding.js";
import { look, sameObserved } from "../check/lockstep.js";
import { viewing } from "../implementations/spec.js";
import { keySize, stateKey } from "./canonical.js";
import { programOf, stepOf, stepsFrom, type Space } from "./space.js";

/** What was found in the step of that place among those of a state. */
export interface FoundAt {
  readonly nth: number;
  readonly finding: Finding;
}

/** A state's steps in order, and the keys of the states that they lead to, one behind the other. */
export interface Expansion {
  readonly steps: readonly number[];
  /** Of a step in which something was found, zeros: nothing is looked for behind it. */
  readonly keys: Uint8Array;
  readonly found: readonly FoundAt[];
}

/** The machine, with the checker's grants, at the end of a path. */
export const stateAt = (space: Space, path: readonly number[]): Checked =>
  path.reduce(
    (state, number) => checkedStep(state, stepOf(space, number)).checked,
    start(space.config, undefined, false),
  );

interface ExpandOptions {
  /** Called before each step, with its place. */
  readonly begun?: (nth: number) => void;
  /** Steps, by their places, that nothing can be asked of: a thread was lost in them. */
  readonly lost?: readonly number[];
}

/** What a step should come to. */
interface Expected {
  readonly observed: Observed;
  readonly seen: Parameters<typeof look>[0];
}

/** A step of the specification, with the invariants: undefined where one does not hold. */
const specified = (before: Checked, step: Step): (Expected & { readonly after: Checked }) | undefined => {
  const { checked, observation, signals, thread, delivery, transition } = checkedStep(before, step);
  if (delivery !== undefined && violations(delivery, "incremental").length > 0) return undefined;
  if (transition !== undefined && violations(transition, "incremental").length > 0) return undefined;
  const observed = { observation, signals, thread, process: transition?.process };
  return { observed, seen: viewing(checked.machine), after: checked };
};

/** Brings an implementation from its start to the end of a path, lets it take a step, and says whether all is as expected. */
const createFollower = (config: Config, create: Create) => {
  let actual: Implementation | undefined;
  return (path: readonly Step[], step: Step, { observed, seen }: Expected): boolean => {
    const one = actual ?? create(config);
    // What has thrown is not used again.
    actual = undefined;
    one.reset(config);
    for (const before of path) one.step(before);
    one.step(step);
    const follows = sameObserved(observed, one.observed()) && look(seen, one) === undefined;
    actual = one;
    return follows;
  };
};

export type Expand = (path: readonly number[], options?: ExpandOptions) => Expansion;

/**
 * Takes every step from a state on the specification and on an implementation that is brought there from its start, and compares
 * what they observe, what is to be seen, what it cost, and the invariants of both. What does not agree is judged again, as a
 * program of a file is.
 */
export const createExpand = (space: Space, create: Create): Expand => {
  const follows = createFollower(space.config, create);

  /** The state behind a step, if all is as it should be. */
  const agreed = (path: readonly Step[], before: Checked, step: Step): Checked | undefined => {
    try {
      const expected = specified(before, step);
      return expected !== undefined && follows(path, step, expected) ? expected.after : undefined;
    } catch {
      // Judged again it throws again, and that is told as what it is.
      return undefined;
    }
  };

  /** What is wrong; or, where the implementation chose what it is free to choose, the state behind the step. */
  const judged = (path: readonly number[]): Finding | Checked =>
    judgeBeside(programOf(space, path), create, { full: true }).finding ?? stateAt(space, path);

  return (path, { begun, lost = [] } = {}) => {
    const before = stateAt(space, path);
    const taken = path.map((number) => stepOf(space, number));
    const steps = stepsFrom(before.machine, space);
    const keys = new Uint8Array(keySize * steps.length);
    const found: FoundAt[] = [];
    const own = stateKey(before);
    for (const [nth, number] of steps.entries()) {
      if (lost.includes(nth)) continue;
      begun?.(nth);
      const after = agreed(taken, before, stepOf(space, number)) ?? judged([...path, number]);
      if ("key" in after) {
        found.push({ nth, finding: after });
        continue;
      }
      const unchanged = after.machine === before.machine && after.grants === before.grants;
      keys.set(unchanged ? own : stateKey(after), keySize * nth);
    }
    return { steps, keys, found };
  };
};
