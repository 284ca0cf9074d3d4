/** What a search goes through: an alphabet on a small machine. */
import type { FormatName } from "../../spec/cheri/index.js";
import { completeConfig, type Config, type StrategyName } from "../../spec/sfork/config.js";
import type { Machine } from "../../spec/sfork/machine.js";
import type { Operation, Step } from "../../spec/sfork/operation.js";
import { InputError } from "../errors.js";
import { programVersion } from "../program/program.js";
import type { CompleteProgram } from "../check/finding.js";
import { operationsOf } from "./alphabet.js";
import { alphabetOf } from "./alphabets/index.js";

/** Names alone, so that threads can be told. */
export interface SpaceName {
  readonly alphabet: string;
  readonly format: FormatName;
  readonly strategy: StrategyName;
  /** Live processes and zombies, at most. */
  readonly processes: number;
}

export interface Space {
  readonly name: SpaceName;
  readonly config: Config;
  readonly operations: readonly Operation[];
}

/** A step by its number: the thread, and the operation's place in the alphabet. */
export const stepOf = ({ operations }: Pick<Space, "operations">, number: number): Step => {
  const operation = operations[number % operations.length];
  if (operation === undefined) throw new RangeError("an alphabet without operations");
  return { actor: Math.floor(number / operations.length), operation };
};

/** The numbers of the steps that can be taken in a state: of each thread that lives, or of the first where none does. */
export const stepsFrom = ({ threads }: Machine, { operations }: Pick<Space, "operations">): readonly number[] => {
  const live = threads.flatMap(({ live: lives }, ordinal) => (lives ? [ordinal] : []));
  return (live.length === 0 ? [0] : live).flatMap((thread) =>
    operations.map((_, nth) => thread * operations.length + nth),
  );
};

export const programOf = (space: Space, path: readonly number[]): CompleteProgram => ({
  version: programVersion,
  config: space.config,
  steps: path.map((number) => stepOf(space, number)),
});

/** Data of two pages, stack and code. */
const smallest = { page: 256, pages: 4, shared: 1, pipe: 4, channel: 2 } as const;

/** Throws an `InputError` for a configuration that is not legal. */
export const spaceOf = (name: SpaceName): Space => {
  const { format, strategy, processes } = name;
  const alphabet = alphabetOf(name.alphabet);
  const pages = alphabet.config?.pages ?? smallest.pages;
  const frames = processes * pages;
  const config = completeConfig({
    ...{ ...smallest, format, strategy, processes, slots: processes, frames },
    ...alphabet.config,
  });
  if ("illegal" in config) throw new InputError(`alphabet ${name.alphabet}`, undefined, config.illegal);
  return { name, config, operations: operationsOf(alphabet, config) };
};
