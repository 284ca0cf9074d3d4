/** The programs of requirements, and how they are run. */
import { isLeft } from "fp-ts/lib/Either.js";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { canonical, printObservation } from "../../conformance/canon.js";
import { meetsExpectation } from "../../conformance/program/expectation-codec.js";
import { parseProgram } from "../../conformance/program/file.js";
import type { ProgramSource } from "../../conformance/program/program.js";
import { completeConfig, type Config } from "../../spec/sfork/config.js";
import { initial, type Machine } from "../../spec/sfork/machine.js";
import type { Step } from "../../spec/sfork/operation.js";
import type { Taken } from "../../spec/sfork/step.js";

/** A program, and its file as it is written. */
export interface Written extends ProgramSource {
  readonly id: string;
  readonly text: string;
}

const read = (file: string): Written => {
  const text = readFileSync(path.join(import.meta.dirname, file), "utf8");
  const parsed = parseProgram(text, file);
  if (isLeft(parsed)) throw new Error(parsed.left.describe());
  return { ...parsed.right, id: path.basename(file, ".sfork"), text };
};

/** All of them, by id. */
export const programs: ReadonlyMap<string, Written> = new Map(
  readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".sfork"))
    .map((file) => [path.basename(file, ".sfork"), read(file)]),
);

export const programOf = (id: string): Written => {
  const program = programs.get(id);
  if (program === undefined) throw new Error(`there is no program for ${id}`);
  return program;
};

export const configOf = ({ program }: Written, given: Partial<Config> = {}): Config => {
  const config = completeConfig({ ...program.config, ...given });
  if ("illegal" in config) throw new Error(config.illegal);
  return config;
};

/** What takes a step: the specification, or a machine that is wrong. */
export type Stepper = (machine: Machine, next: Step) => Taken;

/** Where a step does not observe what the program expects: line, expectation and observation. */
export const failures = ({ program, lineOf }: Written, config: Config, take: Stepper): readonly string[] => {
  const found: string[] = [];
  let machine = initial(config);
  for (const [index, next] of program.steps.entries()) {
    const taken = take(machine, next);
    const seen = canonical(taken.observation, taken.machine, taken.process, taken.signals);
    if (next.expect !== undefined && !meetsExpectation(next.expect, seen)) {
      found.push(`line ${lineOf(index)}: ${printObservation(next.expect)}, but was ${printObservation(seen)}`);
    }
    machine = taken.machine;
  }
  return found;
};
