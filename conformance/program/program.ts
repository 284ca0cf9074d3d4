/** Programs: a configuration, of which everything may be left out, and steps. */
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import type { Expectation } from "../canon.js";

/** A step, and what its author expects it to observe. */
export interface ProgramStep extends Step {
  readonly expect?: Expectation;
}

export interface Program {
  readonly version: 1;
  readonly config: Partial<Config>;
  readonly steps: readonly ProgramStep[];
}

export const programVersion = 1;

/** A program, and where its parts stand in the file that it came from. */
export interface ProgramSource {
  readonly program: Program;
  /** The line of a step, or of the configuration; from 1. */
  readonly lineOf: (part: number | "config") => number;
}
