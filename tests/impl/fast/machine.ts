/** Machines of the optimised implementation with their insides, for tests of how they work. */
import { start } from "../../../impl/fast/processes.js";
import type { Machine } from "../../../impl/fast/machine.js";
import { observed } from "../../../impl/fast/observe.js";
import { encode, take } from "../../../impl/fast/step.js";
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import type { Observation } from "../../../spec/sfork/observation.js";
import { lines, read } from "../../conformance/program/files.js";

export const configOf = (given: Partial<Config>): Config => {
  const config = completeConfig(given);
  if ("illegal" in config) throw new Error(config.illegal);
  return config;
};

export const machineOf = (given: Partial<Config> = {}): Machine => start(configOf(given));

/** Takes the steps of some lines of a program; what each observed. */
export const run = (machine: Machine, ...text: readonly string[]): readonly Observation[] => {
  const { steps } = read(lines(...text));
  const program = encode(machine, steps);
  return steps.map((_, index) => {
    take(machine, program, index);
    return observed(machine).observation;
  });
};
