/**
 * Smaller programs that still show the same: fewer steps, then a plainer configuration, then plainer operands, over and over
 * until nothing more can go. Every list of steps is a program, so that any part may be left out.
 */
import { isDeepStrictEqual } from "node:util";
import { completeConfig, type Config } from "../../spec/sfork/config.js";
import type { Operation, Step } from "../../spec/sfork/operation.js";
import type { CompleteProgram } from "../check/finding.js";

/** Does a program still show it? */
export type Shows = (program: CompleteProgram) => boolean;

/** A configuration with places for its regions; undefined where it is not legal. */
export type Complete = (sizes: Partial<Config>) => Config | undefined;

const legal: Complete = (sizes) => {
  const config = completeConfig(sizes);
  return "illegal" in config ? undefined : config;
};

const without = (steps: readonly Step[], first: number, count: number): readonly Step[] => [
  ...steps.slice(0, first),
  ...steps.slice(first + count),
];

/** Leave out runs of steps: halves of the program first, single ones last. What comes last goes first. */
const fewerSteps = (program: CompleteProgram, shows: Shows): CompleteProgram => {
  let smallest = program;
  for (let size = Math.ceil(program.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let first = smallest.steps.length - size; first >= 0; first -= 1) {
      const smaller = { ...smallest, steps: without(smallest.steps, first, size) };
      if (shows(smaller)) smallest = smaller;
    }
  }
  return smallest;
};

/** The program without a thread: its steps go, and threads that were made later are called by one less. */
const withoutThread = (steps: readonly Step[], thread: number): readonly Step[] =>
  steps
    .filter(({ actor }) => actor !== thread)
    .map((step) => (step.actor > thread ? { ...step, actor: step.actor - 1 } : step));

/** The program with one thread in the place of another's: what that did, this does. */
const instead = (steps: readonly Step[], thread: number, by: number): readonly Step[] =>
  steps.map((step) => {
    const actor = step.actor === thread ? by : step.actor;
    return { ...step, actor: actor > thread ? actor - 1 : actor };
  });

/** Leave out a step that makes a thread, and the thread with it; or let who makes it do what it did. */
const fewerThreads = (program: CompleteProgram, shows: Shows): CompleteProgram => {
  const { steps } = program;
  const makers = steps.flatMap(({ operation: { op } }, index) => (op === "fork" || op === "thread" ? [index] : []));
  const last = Math.max(0, ...steps.map(({ actor }) => actor), makers.length);
  const threads = Array.from({ length: last }, (_, nth) => last - nth);
  const smaller = makers
    .flatMap((index) => {
      const left = without(steps, index, 1);
      const maker = steps[index]?.actor ?? 0;
      return threads.flatMap((thread) => [withoutThread(left, thread), instead(left, thread, maker)]);
    })
    .map((fewer) => ({ ...program, steps: fewer }))
    .find((candidate) => shows(candidate));
  return smaller === undefined ? program : fewerThreads(smaller, shows);
};

/** Plainer values for parts of a configuration; places and guard are the least legal ones where they are left out. */
const plain: Partial<Config> = {
  strategy: "eager",
  format: "cheri128-v9",
  page: 256,
  commit: "reserve",
  reuse: "revoke",
  shared: 1,
  pipe: 64,
  channel: 4,
};

/** What a configuration holds beside the places of its regions. */
const sizesOf = ({ format, strategy, page, pages, slots, processes, frames, commit, reuse, ...rest }: Config) => {
  const { shared, pipe, channel } = rest;
  return { format, strategy, page, pages, slots, processes, frames, commit, reuse, shared, pipe, channel };
};

/** As many slots as processes, and frames enough for all of them. */
const roomy = (config: Config, processes = config.processes): Partial<Config> => ({
  ...sizesOf(config),
  ...{ processes, slots: processes, frames: Math.max(config.frames, processes * config.pages) },
});

/** Plainer configurations, each by one change; undefined where there is nothing to change. */
const changes: readonly ((config: Config) => Partial<Config> | undefined)[] = [
  sizesOf,
  ...Object.entries(plain).map(([key, value]) => (config: Config) => ({ ...sizesOf(config), [key]: value })),
  ...[4, 8].map((pages) => (config: Config) => (pages < config.pages ? { ...sizesOf(config), pages } : undefined)),
  (config) => roomy(config),
  ...[1, 2, 3, 4].map((count) => (config: Config) => (count < config.processes ? roomy(config, count) : undefined)),
];

const plainerConfig = (program: CompleteProgram, shows: Shows, complete: Complete): CompleteProgram =>
  changes.reduce<CompleteProgram>((plainest, change) => {
    const sizes = change(plainest.config);
    const config = (sizes && complete(sizes)) ?? plainest.config;
    const plainer = { ...plainest, config };
    return !isDeepStrictEqual(config, plainest.config) && shows(plainer) ? plainer : plainest;
  }, program);

/** The register of the data part, which every process has from its start. */
const dataRegister = 1;

/** An operation that takes the data part's capability for one of its own. */
const plainerSources = (operation: Operation): readonly Operation[] =>
  Object.entries(operation).flatMap(([key, value]: readonly [string, unknown]): readonly Operation[] =>
    (key === "cs1" || key === "cs2") && value !== dataRegister ? [{ ...operation, [key]: dataRegister }] : [],
  );

/** The immediates of an operation, by its operands. */
const immediatesOf = (operation: Operation): readonly (readonly [operand: string, value: bigint])[] =>
  Object.entries(operation).flatMap(
    ([key, value]: readonly [string, unknown]): readonly (readonly [string, bigint])[] =>
      typeof value === "object" && value !== null && "immediate" in value && typeof value.immediate === "bigint"
        ? [[key, value.immediate]]
        : [],
  );

/** Offsets that belong together become smaller together: all immediates from `least` on, by as much. */
const nearer = (steps: readonly Step[], least: bigint): readonly Step[] =>
  steps.map((step) => {
    const moved = immediatesOf(step.operation)
      .filter(([, value]) => value >= least)
      .map(([key, value]) => [key, { immediate: value - least }] as const);
    return moved.length === 0 ? step : { ...step, operation: { ...step.operation, ...Object.fromEntries(moved) } };
  });

const nearerSteps = (program: CompleteProgram, shows: Shows): CompleteProgram => {
  const values = program.steps.flatMap(({ operation }) => immediatesOf(operation).map(([, value]) => value));
  const found = [...new Set(values.filter((value) => value > 0n))]
    .map((least) => ({ ...program, steps: nearer(program.steps, least) }))
    .find((candidate) => shows(candidate));
  return found ?? program;
};

/** An operation with a plainer number in the place of one of its immediates. */
const plainerNumbers = (operation: Operation): readonly Operation[] =>
  immediatesOf(operation).flatMap(([key, value]) => {
    const size = (one: bigint): bigint => (one < 0n ? -one : one);
    const numbers = [0n, 1n, value / 2n, value & -16n].filter((one) => size(one) < size(value));
    return [...new Set(numbers)].map((one): Operation => ({ ...operation, [key]: { immediate: one } }));
  });

const plainerSteps = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  program.steps.reduce<CompleteProgram>((smallest, _, index) => {
    const step = smallest.steps[index];
    if (step === undefined) return smallest;
    const others = [
      ...Array.from({ length: step.actor }, (_one, actor) => ({ ...step, actor })),
      ...[...plainerSources(step.operation), ...plainerNumbers(step.operation)].map((operation) => ({
        ...step,
        operation,
      })),
    ];
    const found = others
      .map((other) => ({ ...smallest, steps: smallest.steps.with(index, other) }))
      .find((candidate) => shows(candidate));
    return found ?? smallest;
  }, program);

/**
 * The smallest program that is found from `program` on, which shows it. No step of the result can be left out; `complete`
 * says what configurations there are (legal ones, by default).
 */
export const shrink = (program: CompleteProgram, shows: Shows, complete: Complete = legal): CompleteProgram => {
  const fewer = fewerThreads(fewerSteps(program, shows), shows);
  const plainer = plainerSteps(nearerSteps(plainerConfig(fewer, shows, complete), shows), shows);
  return isDeepStrictEqual(plainer, program) ? program : shrink(plainer, shows, complete);
};
