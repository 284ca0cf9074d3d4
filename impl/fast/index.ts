/** The optimised implementation. README.md says how it works. */
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import type { Implementation } from "../implementation.js";
import { check } from "./check.js";
import { countersOf, observed, viewOf } from "./observe.js";
import { start } from "./processes.js";
import { encode, take } from "./step.js";

export { fastBaselines, fastStrategies } from "./create.js";

/** A program that was decoded for a machine, to be taken from there again and again. */
export interface Loaded {
  /** Takes the steps from `first` on, up to `end`; what they observe is not told, but for the last one. */
  readonly run: (first: number, end: number) => void;
}

export interface Fast extends Implementation {
  /** Decodes steps for the machine as it was reset last. */
  readonly load: (steps: readonly Step[]) => Loaded;
}

/** @throws {RangeError} for a strategy that it has not, and for regions that are too large. */
export const createFast = (config: Config): Fast => {
  let machine = start(config);
  return {
    name: "fast",
    reset: (next) => {
      machine = start(next);
    },
    step: (step) => {
      take(machine, encode(machine, [step]), 0);
    },
    load: (steps) => {
      const [own, program] = [machine, encode(machine, steps)];
      return {
        run: (first, end) => {
          for (let index = first; index < end; index += 1) take(own, program, index);
        },
      };
    },
    observed: () => observed(machine),
    view: () => viewOf(machine),
    counters: () => countersOf(machine),
    check: () => check(machine),
  };
};
