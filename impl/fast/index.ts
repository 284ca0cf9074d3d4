/** The optimised implementation. README.md says how it works. */
import type { Capability } from "../../spec/cheri/index.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import type { Implementation } from "../implementation.js";
import type { StartMemory } from "../start.js";
import { check } from "./check.js";
import { look, place } from "./image.js";
import { countersOf, observed, threadView, viewOf } from "./observe.js";
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
  /**
   * Other memory and registers for the start: nothing has run since the last reset. Throws a `RangeError` for areas whose
   * bounds no capability has.
   */
  readonly place: (memory: StartMemory) => void;
  /**
   * A page as a process sees it, in the format's own bits: its granules into `cells`, and a byte for each tag into `tags`.
   * Answers its protection as bits (1 read, 2 write, 4 execute), or -1 where nothing is mapped.
   */
  readonly look: (process: number, page: number, cells: Int32Array, tags: Uint8Array) => number;
  /** General registers of a thread and, behind the last, `pcc`; none where it has ended. */
  readonly registers: (thread: number) => readonly Capability[];
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
    place: (memory) => {
      place(machine, memory);
    },
    look: (process, page, cells, tags) => look(machine, process, page, cells, tags),
    registers: (thread) => threadView(machine, thread),
    observed: () => observed(machine),
    view: () => viewOf(machine),
    counters: () => countersOf(machine),
    check: () => check(machine),
  };
};
