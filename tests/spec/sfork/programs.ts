/** Small programs for the machine, and the machines to run them on. Expected values stand in the tests. */
import { expect } from "vitest";
import { formats, type Capability, type FormatName, type Permission } from "../../../spec/cheri/index.js";
import { completeConfig, type Config, type StrategyName } from "../../../spec/sfork/config.js";
import { initial, noCounters, type Counters, type Machine } from "../../../spec/sfork/machine.js";
import type { ErrorCode, Observation } from "../../../spec/sfork/observation.js";
import type { Integer, Operation, Protection, Step } from "../../../spec/sfork/operation.js";
import { runFrom } from "../../../spec/sfork/step.js";

const formatNames = Object.keys(formats) as readonly FormatName[];
export const strategyNames: readonly StrategyName[] = ["eager", "coa", "copa"];
export const lazyStrategies: readonly StrategyName[] = ["coa", "copa"];

const configOf = (given: Partial<Config>): Config => {
  const config = completeConfig(given);
  if ("illegal" in config) throw new Error(config.illegal);
  return config;
};

/** A machine at its start, and where things are on it. */
export interface World {
  readonly name: string;
  readonly config: Config;
  readonly machine: Machine;
  /** Bytes of a granule. */
  readonly g: bigint;
  /** The address `offset` bytes into slot `slot`. A region has 8 pages of 0x100 bytes: 4 of data, 2 free, stack, code. */
  readonly at: (slot: number, offset?: bigint) => bigint;
}

export const worldOf = (given: Partial<Config> = {}): World => {
  const config = configOf(given);
  return {
    name: `${config.format} ${config.strategy}`,
    config,
    machine: initial(config),
    g: formats[config.format].granule,
    // In address spaces of their own all regions begin where the first does.
    at: (slot, offset = 0n) => config.base + (config.strategy === "posix" ? 0n : BigInt(slot) * config.stride) + offset,
  };
};

/** Every format with every strategy. */
export const worlds = (
  given: Partial<Config> = {},
  strategies: readonly StrategyName[] = strategyNames,
): readonly World[] =>
  formatNames.flatMap((format) => strategies.map((strategy) => worldOf({ ...given, format, strategy })));

const integer = (n: bigint): Integer => ({ immediate: n });

const access = (readable: boolean, writable: boolean, executable: boolean): Protection => ({
  read: readable,
  write: writable,
  execute: executable,
});

export const rw = access(true, true, false);
export const r = access(true, false, false);
export const none = access(false, false, false);

export const csetbounds = (cd: number, cs1: number, n: bigint): Operation => ({
  op: "csetbounds",
  cd,
  cs1,
  n: integer(n),
});
export const cincoffset = (cd: number, cs1: number, n: bigint): Operation => ({
  op: "cincoffset",
  cd,
  cs1,
  n: integer(n),
});
export const candperm = (cd: number, cs1: number, ...words: readonly Permission[]): Operation => ({
  op: "candperm",
  cd,
  cs1,
  words,
});
export const ccleartag = (cd: number, cs1: number): Operation => ({ op: "ccleartag", cd, cs1 });
export const cseal = (cd: number, cs1: number, cs2: number): Operation => ({ op: "cseal", cd, cs1, cs2 });
export const cunseal = (cd: number, cs1: number, cs2: number): Operation => ({ op: "cunseal", cd, cs1, cs2 });
export const csealentry = (cd: number, cs1: number): Operation => ({ op: "csealentry", cd, cs1 });
export const cinvoke = (cs1: number, cs2: number): Operation => ({ op: "cinvoke", cs1, cs2 });
export const cgetpcc = (cd: number): Operation => ({ op: "cgetpcc", cd });
export const cgettag = (cd: number, cs1: number): Operation => ({ op: "cgettag", cd, cs1 });
export const cjalr = (cd: number, cs1: number): Operation => ({ op: "cjalr", cd, cs1 });
export const li = (cd: number, n: bigint): Operation => ({ op: "li", cd, n: integer(n) });

/** `loadcap cd, n(cs1)`, and so on. */
export const loadcap = (cd: number, n: bigint, cs1: number): Operation => ({ op: "loadcap", cd, n: integer(n), cs1 });
export const storecap = (cs2: number, n: bigint, cs1: number): Operation => ({
  op: "storecap",
  cs2,
  n: integer(n),
  cs1,
});
export const load = (width: "b" | "bu" | "w", cd: number, n: bigint, cs1: number): Operation => ({
  op: `load.${width}`,
  cd,
  n: integer(n),
  cs1,
});
export const store = (width: "b" | "w", value: bigint, n: bigint, cs1: number): Operation => ({
  op: `store.${width}`,
  value: integer(value),
  n: integer(n),
  cs1,
});
/** From `cs2` to `cs1`. */
export const cmemcpy = (cs1: number, cs2: number, n: bigint): Operation => ({ op: "cmemcpy", cs1, cs2, n: integer(n) });
export const cloadtags = (cd: number, cs1: number): Operation => ({ op: "cloadtags", cd, cs1 });

export const mmap = (cd: number, n: bigint, protection = rw): Operation => ({
  op: "mmap",
  cd,
  n: integer(n),
  protection,
});
export const shm = (cd: number, segment: number): Operation => ({ op: "shm", cd, segment });
export const munmap = (cs1: number, n: bigint): Operation => ({ op: "munmap", cs1, n: integer(n) });
export const mprotect = (cs1: number, n: bigint, protection: Protection): Operation => ({
  op: "mprotect",
  cs1,
  n: integer(n),
  protection,
});

export const fork = (cd: number, choices: { readonly slot?: number; readonly pid?: number } = {}): Operation => ({
  op: "fork",
  cd,
  ...choices,
});
export const exit = (n: bigint): Operation => ({ op: "exit", n: integer(n) });
export const wait = (cd: number, process?: number, choices: { readonly reap?: number } = {}): Operation => ({
  op: "wait",
  cd,
  whom: process,
  ...choices,
});
export const getpid = (cd: number): Operation => ({ op: "getpid", cd });
export const getppid = (cd: number): Operation => ({ op: "getppid", cd });
export const thread: Operation = { op: "thread" };
export const threadExit: Operation = { op: "thread_exit" };
export const idle: Operation = { op: "yield" };

export const channel: Operation = { op: "channel" };
export const sendcap = (ordinal: number, cs1: number): Operation => ({ op: "sendcap", channel: ordinal, cs1 });
export const recvcap = (cd: number, ordinal: number): Operation => ({ op: "recvcap", cd, channel: ordinal });

/** Steps of one thread. */
export const by = (actor: number, ...program: readonly Operation[]): readonly Step[] =>
  program.map((operation) => ({ actor, operation }));

/** The machine after a program. */
export const after = (machine: Machine, ...program: readonly (readonly Step[])[]): Machine =>
  runFrom(machine, program.flat()).machine;

/** What the last step of a program observes. */
export const last = (machine: Machine, ...program: readonly (readonly Step[])[]): Observation | undefined =>
  runFrom(machine, program.flat()).observations.at(-1);

/** What one thread observes on a machine as it is. */
export const seen = (machine: Machine, actor: number, ...program: readonly Operation[]): readonly Observation[] =>
  runFrom(machine, by(actor, ...program)).observations;

/** Observations, as far as they are compared. */
export const cap = (fields: Partial<Capability>) => ({ kind: "capability", capability: fields });
export const int = (value: bigint): Observation => ({ kind: "integer", integer: value });
export const nothing: Observation = { kind: "none" };
export const error = (code: ErrorCode, ...others: readonly ErrorCode[]): Observation => ({
  kind: "error",
  error: code,
  allowed: [code, ...others],
});
export const trap = (cause: Extract<Observation, { readonly kind: "trap" }>["trap"], operand = "cs1"): Observation => ({
  kind: "trap",
  trap: cause,
  operand,
});

export const registerOf = (machine: Machine, threadOrdinal: number, index: number): Capability | undefined =>
  machine.threads[threadOrdinal]?.registers[index];

export const countersOf = (machine: Machine, process: number): Counters =>
  machine.processes[process]?.counters ?? noCounters;

/** Frames in use. */
export const framesOf = (machine: Machine): number => machine.frames.filter((frame) => frame !== undefined).length;

/** Steps that fail: they change nothing but who runs. */
export const expectUnchanged = (machine: Machine, steps: readonly Step[], name: string): void => {
  expect({ ...after(machine, steps), space: machine.space }, name).toEqual(machine);
};
