/**
 * Programs for property tests: any operation of the table with any operands. Small numbers, registers that hold something
 * and early threads come up more often, so that steps do not only fail.
 */
import fc from "fast-check";
import { permissionWords, type FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { registerCount } from "../../spec/sfork/machine.js";
import { lastSignal } from "../../spec/sfork/kernel.js";
import {
  openFlags,
  splitCalls,
  wordOperands,
  type ActionOperand,
  type Integer,
  type OpenFlag,
  type OperandKind,
  type OperandValues,
  type Operation,
  type OperationName,
  type Target,
  type WordOperand,
} from "../../spec/sfork/operation.js";
import { anyExpectation, plainObjects } from "./arbitrary-expectation.js";
import { formatNames, strategyNames } from "./config-codec.js";
import { choicesOf, isSplitCall, operandsOf, operationFrom, operationNames } from "./operation-codec.js";
import { programVersion, type Program, type ProgramStep } from "./program.js";

/** Registers that an image starts with stay as they are more often. */
const written = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(7, 8, 9, 10) },
  { weight: 1, arbitrary: fc.nat(registerCount - 1) },
);

const register = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 1, 2, 7, 8, 9) },
  { weight: 1, arbitrary: fc.nat(registerCount - 1) },
);

const immediate = fc.oneof(
  { weight: 4, arbitrary: fc.nat(32).map((granules) => BigInt(granules * 16)) },
  { weight: 2, arbitrary: fc.bigInt({ min: -64n, max: 0x900n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 66n), max: 1n << 66n }) },
);

const integer: fc.Arbitrary<Integer> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ immediate }, plainObjects) },
  { weight: 1, arbitrary: fc.record({ register }, plainObjects) },
);

const ordinal = fc.oneof(
  { weight: 5, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.nat(Number.MAX_SAFE_INTEGER) },
);

type Arbitraries<Kind extends OperandKind> = { readonly [One in Kind]: fc.Arbitrary<OperandValues[One]> };

const words: Arbitraries<WordOperand> = {
  advice: fc.constantFrom(...wordOperands.advice),
  whence: fc.constantFrom(...wordOperands.whence),
  resource: fc.constantFrom(...wordOperands.resource),
  whose: fc.constantFrom(...wordOperands.whose),
  direction: fc.constantFrom(...wordOperands.direction),
};

/** Those that are there, those that are made, those that are neither. */
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "/a", "/d/a", "d/a", "/e/b", "b") },
  { weight: 2, arbitrary: fc.constantFrom("/", "/d", "e", "a/b", "/none/a") },
  { weight: 1, arbitrary: fc.stringMatching(/^\/?[a-z]{1,3}(?:\/[a-z]{1,3}){0,2}$/) },
);

/** Flags with which a file is there and can be used come up more often. */
const flags = fc.oneof(
  { weight: 3, arbitrary: fc.constant<OpenFlag[]>(["read", "write", "create"]) },
  { weight: 2, arbitrary: fc.subarray([...openFlags]) },
);

/** A few come up more often, so that steps are about the same one: two for users, and four that are ignored by default. */
const signal = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(10, 12, 17, 18, 23, 28) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: lastSignal + 1 }) },
);

const action: fc.Arbitrary<ActionOperand> = fc.oneof(
  fc.constantFrom("default" as const, "ignore" as const),
  fc.record({ code: register, data: register }, plainObjects),
);

const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ process: ordinal }, plainObjects) },
  { weight: 1, arbitrary: fc.record({ group: ordinal }, plainObjects) },
  { weight: 1, arbitrary: fc.constant("own-group" as const) },
);

/** A call that is split is an operation of its own. */
const call = fc.constantFrom(...splitCalls).chain((name) => operationOf(name).filter(isSplitCall));

const operands: Arbitraries<OperandKind> = {
  ...words,
  register,
  integer,
  offset: integer,
  permissions: fc.subarray([...permissionWords]),
  protection: fc.record({ read: fc.boolean(), write: fc.boolean(), execute: fc.boolean() }, plainObjects),
  ordinal,
  optionalOrdinal: fc.option(ordinal, { nil: undefined }),
  descriptor: fc.oneof({ weight: 5, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat() }),
  path,
  openFlags: flags,
  action,
  signals: fc.uniqueArray(signal, { maxLength: 4 }),
  target,
  call,
};

/** Operands that say more by their name than by their kind. */
const byName: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  cd: written,
  signal: fc.oneof(
    { weight: 4, arbitrary: signal.map((one) => ({ immediate: BigInt(one) })) },
    { weight: 1, arbitrary: integer },
  ),
};

const choice = fc.option(ordinal, { nil: undefined, freq: 2 });

/** An operation of a given name. */
const operationOf = (name: OperationName): fc.Arbitrary<Operation> => {
  const members: Readonly<Record<string, fc.Arbitrary<unknown>>> = Object.fromEntries([
    ...operandsOf(name).map((operand): readonly [string, fc.Arbitrary<unknown>] => [
      operand.name,
      byName[operand.name] ?? operands[operand.kind],
    ]),
    ...choicesOf(name).map((key): readonly [string, fc.Arbitrary<unknown>] => [key, choice]),
  ]);
  return fc.record(members).map((values) => operationFrom(name, values));
};

const often = new Set<OperationName>([
  ...(["fork", "csetbounds", "loadcap", "storecap", "store.w", "cmemcpy"] as const),
  ...(["open", "pipe", "read", "write"] as const),
]);
/** They end programs, or what they have come to so far. */
const seldom = new Set<OperationName>(["exit", "thread_exit", "exec", "kill"]);

const weightOf = (name: OperationName): number => (often.has(name) ? 12 : seldom.has(name) ? 1 : 4);

/** Any operation, those that end processes less often, those that matter to forks more often. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  ...operationNames.map((name) => ({ weight: weightOf(name), arbitrary: operationOf(name) })),
);

/** Any part of a configuration that a file can hold, legal or not. */
export const anyConfig: fc.Arbitrary<Partial<Config>> = fc.record(
  {
    format: fc.constantFrom(...formatNames),
    strategy: fc.constantFrom(...strategyNames),
    page: fc.integer({ min: 1, max: 65_536 }),
    pages: fc.integer({ min: 1, max: 65_536 }),
    stride: fc.bigInt({ min: 0n, max: 1n << 65n }),
    guard: fc.nat(),
    slots: fc.integer({ min: 1, max: 65_536 }),
    processes: fc.integer({ min: 1, max: 65_536 }),
    frames: fc.integer({ min: 1, max: 1 << 24 }),
    commit: fc.constantFrom<Config["commit"][]>("reserve", "overcommit"),
    reuse: fc.constantFrom<Config["reuse"][]>("revoke", "never"),
    base: fc.bigInt({ min: 0n, max: 1n << 65n }),
    shared: fc.integer({ min: 1, max: 4096 }),
    pipe: fc.integer({ min: 1, max: 1 << 20 }),
    channel: fc.integer({ min: 1, max: 1 << 20 }),
  },
  { ...plainObjects, requiredKeys: [] },
);

/** Small legal configurations, in which limits are reached. */
export const legalConfig = (
  format: fc.Arbitrary<FormatName> = fc.constantFrom(...formatNames),
  strategy: fc.Arbitrary<StrategyName> = fc.constantFrom(...strategyNames),
): fc.Arbitrary<Partial<Config>> =>
  fc
    .record({
      format,
      strategy,
      page: fc.constantFrom(256, 512),
      pages: fc.constantFrom(4, 8, 16),
      room: fc.nat(3),
      processes: fc.integer({ min: 1, max: 5 }),
      frames: fc.constantFrom(16, 24, 64),
      commit: fc.constantFrom<Config["commit"][]>("reserve", "overcommit"),
      reuse: fc.constantFrom<Config["reuse"][]>("revoke", "never"),
      pipe: fc.constantFrom(16, 64),
      channel: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ room, ...config }) => ({ ...config, slots: config.processes + room }));

/** Threads that are likely to live, and any other. */
const actor = fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(Number.MAX_SAFE_INTEGER) });

const anyStep: fc.Arbitrary<ProgramStep> = fc.record({ actor, operation: anyOperation }, plainObjects);

/** A step with or without an expectation. */
export const anyStepOfFile: fc.Arbitrary<ProgramStep> = fc.record(
  { actor, operation: anyOperation, expect: anyExpectation },
  { ...plainObjects, requiredKeys: ["actor", "operation"] },
);

export const programOf = (
  config: fc.Arbitrary<Partial<Config>>,
  step: fc.Arbitrary<ProgramStep> = anyStep,
  maxLength = 40,
): fc.Arbitrary<Program> =>
  fc.record(
    {
      version: fc.constant(programVersion),
      config,
      steps: fc.array(step, { maxLength, size: "max" }),
    },
    plainObjects,
  );
