/** Random programs of any operation of the table, for machines that run side by side. */
import { configOf } from "../../../conformance/generate/config.js";
import { randomOf, type Random } from "../../../conformance/generate/random.js";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import { operandsOf, operationFrom, operationNames } from "../../../conformance/program/operation-codec.js";
import { formats, permissionWords, type FormatName } from "../../../spec/cheri/index.js";
import type { Config } from "../../../spec/sfork/config.js";
import * as table from "../../../spec/sfork/operation.js";
import type {
  Integer,
  OperandKind,
  OperandValues,
  Operation,
  OperationName,
  Step,
} from "../../../spec/sfork/operation.js";

const allFormats = Object.keys(formats) as readonly FormatName[];

const often: Partial<Readonly<Record<OperationName, number>>> = {
  ...{ storecap: 12, loadcap: 10, cincoffset: 8, csetbounds: 6, cmemcpy: 10, memset: 4, cmove: 8, li: 4, cgetaddr: 6 },
  ...{ ccleartag: 6, "store.w": 6, "load.w": 6, "store.b": 4, "load.b": 4, mmap: 5, fork: 8 },
  ...{ read: 9, write: 9, readv: 5, writev: 5, pipe: 3, open: 3, call_enter: 7, call_finish: 8 },
  ...{ virtq_submit: 6, virtq_complete: 7, sigaction: 6, kill: 6, sigaltstack: 3, getaltstack: 3 },
};
/** They end programs, or comparisons. */
const seldom = new Set<OperationName>(["exit", "thread_exit", "exec", "channel", "sendcap", "recvcap", "setrlimit"]);

const weightOf = (name: OperationName): number => (seldom.has(name) ? 1 : (often[name] ?? 2));

const lottery = operationNames.flatMap((name) => Array.from({ length: weightOf(name) }, () => name));

const anyOf = <Item>(random: Random, items: readonly Item[]): Item => {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new RangeError("nothing to choose from");
  return item;
};

type Makers = { readonly [Kind in OperandKind]: (random: Random, config: Config) => OperandValues[Kind] };

const register = (random: Random): number =>
  random.percent(55) ? random.pick([1, 1, 1, 2, 4, 6, 3, 5]) : random.below(16);

/** Numbers of all sizes; addresses of regions among them. */
const immediate = (random: Random, { base, stride, page, format }: Config): bigint => {
  const granule = Number(formats[format].granule);
  switch (random.below(8)) {
    case 0:
      return random.pick([0n, 1n, -1n, 7n, 8n, 13n, 4n, 5n]);
    case 1:
      return BigInt(random.below(64));
    case 2:
      return BigInt(page * random.between(0, 3));
    case 3:
      return random.pick([base, base + stride, base + BigInt(random.below(64)), -stride]);
    case 4:
      return BigInt(random.between(-40, 200));
    default:
      return BigInt(granule * random.below(random.once(3) ? 40 : 6));
  }
};

const integer = (random: Random, config: Config): Integer =>
  random.percent(86) ? { immediate: immediate(random, config) } : { register: random.below(16) };

const makers: Makers = {
  register,
  integer,
  offset: integer,
  permissions: (random) => permissionWords.filter(() => random.percent(85)),
  protection: (random) => {
    const write = random.percent(80);
    return { read: random.percent(90), write, execute: !write && random.once(2) };
  },
  ordinal: (random) => random.below(3),
  optionalOrdinal: (random) => (random.once(2) ? undefined : random.below(4)),
  descriptor: (random) => (random.percent(90) ? random.below(4) : random.below(20)),
  path: (random) => random.pick(["a", "a", "/a", "d/a", "/d/b", "/d", "/", "a/b", "x/y"]),
  openFlags: (random) =>
    table.openFlags.filter((flag) => random.percent(["read", "write", "create"].includes(flag) ? 85 : 12)),
  action: (random) =>
    random.once(4) ? random.pick(["default", "ignore"]) : { code: register(random), data: register(random) },
  signals: (random) => [10, 12, 13, 15, 17].filter(() => random.once(4)),
  target: (random) => {
    if (random.percent(75)) return { process: random.below(4) };
    return random.once(2) ? "own-group" : { group: random.below(3) };
  },
  call: (random, config) => {
    const call = operationOf(random, config, anyOf(random, table.splitCalls));
    if (!isSplit(call)) throw new TypeError(`${call.op} cannot be split`);
    return call;
  },
  ...{
    advice: (random: Random) => anyOf(random, table.wordOperands.advice),
    whence: (random: Random) => anyOf(random, table.wordOperands.whence),
    resource: (random: Random) => anyOf(random, table.wordOperands.resource),
    whose: (random: Random) => anyOf(random, table.wordOperands.whose),
    direction: (random: Random) => anyOf(random, table.wordOperands.direction),
  },
};

const isSplit = (operation: Operation): operation is table.SplitCall =>
  (table.splitCalls as readonly OperationName[]).includes(operation.op);

/** Few signals, so that those that have a handler are sent. */
const signal = (random: Random): Integer => ({
  immediate: random.pick([10n, 10n, 10n, 12n, 12n, 17n, 9n, 13n, 19n, 18n, 1n, 15n, 0n, 20n]),
});

/** Sizes that a pipe holds. */
const size = (random: Random): Integer => ({ immediate: BigInt(random.pick([0, 1, 8, 16, 32, 40, random.below(65)])) });

const transfers = new Set<OperationName>(["read", "readv", "write", "writev", "virtq_submit"]);

/** Distances from the start of a region to either side of it. */
const beside = (random: Random, { page, pages }: Config): Integer => ({
  immediate: BigInt(random.pick([-1, -16, -page, page * pages - 1, page * pages, page * pages + 16])),
});

const moves = new Set<OperationName>(["cincoffset", "csetoffset"]);

const operandOf = (
  random: Random,
  config: Config,
  name: OperationName,
  operand: string,
  kind: OperandKind,
): unknown => {
  if (operand === "cd") return random.percent(96) ? random.between(7, 15) : random.below(16);
  if (operand === "signal" && random.percent(90)) return signal(random);
  if (kind === "integer" && transfers.has(name) && random.percent(85)) return size(random);
  if (kind === "register" && transfers.has(name) && random.percent(75)) return random.pick([1, 1, 2]);
  if (kind === "integer" && moves.has(name) && random.percent(30)) return beside(random, config);
  return makers[kind](random, config);
};

const operationOf = (random: Random, config: Config, name: OperationName): Operation => {
  const { choices = [] }: table.OperationEntry = table.operations[name];
  return operationFrom(name, {
    ...Object.fromEntries(
      operandsOf(name).map(({ name: operand, kind }) => [operand, operandOf(random, config, name, operand, kind)]),
    ),
    ...Object.fromEntries(choices.flatMap((choice) => (random.once(12) ? [[choice, random.below(6)]] : []))),
  });
};

/** Pointers where transfers find them, a number that is one, and what they go through. */
const preamble: readonly Operation[] = [
  { op: "storecap", cs2: 1, n: { immediate: 32n }, cs1: 1 },
  { op: "storecap", cs2: 2, n: { immediate: 0n }, cs1: 1 },
  { op: "storecap", cs2: 1, n: { immediate: 0n }, cs1: 2 },
  { op: "cgetaddr", cd: 7, cs1: 1 },
  { op: "pipe" },
  { op: "open", path: "a", flags: ["read", "write", "create"] },
  { op: "open", path: "a", flags: ["read"] },
  { op: "ccleartag", cd: 9, cs1: 1 },
];

export interface RandomOptions {
  readonly allows: (operation: Operation) => boolean;
  readonly formats?: readonly FormatName[];
  readonly steps?: number;
}

/** Program `index` of a seed. Every step is one that is allowed. */
export const randomProgram = (seed: string, index: number, options: RandomOptions): CompleteProgram => {
  const random = randomOf(seed, index);
  const [first = "cheri128-v9", ...rest] = options.formats ?? allFormats;
  const config = configOf(random, [first, ...rest], ["eager"], "full");
  const started = random.percent(75) ? preamble : [];
  const steps: Step[] = started.filter(options.allows).map((operation) => ({ actor: 0, operation }));
  while (steps.length < (options.steps ?? 60)) {
    const operation = operationOf(random, config, anyOf(random, lottery));
    if (!options.allows(operation)) continue;
    steps.push({ actor: random.percent(90) ? random.below(4) : random.below(64), operation });
  }
  return { version: 1, config, steps };
};
