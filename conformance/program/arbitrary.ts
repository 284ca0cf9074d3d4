/**
 * Programs for property tests: any operation of the table with any operands. Small numbers, registers that hold something
 * and early threads come up more often, so that steps do not only fail.
 */
import fc from "fast-check";
import { permissionWords, type FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { registerCount } from "../../spec/sfork/machine.js";
import type { Integer, OperandKind, OperandValues, Operation, OperationName } from "../../spec/sfork/operation.js";
import type { CanonicalCapability, Expectation } from "../canon.js";
import { formatNames, strategyNames } from "./config-codec.js";
import { errorCodes, trapCauses } from "./expectation-codec.js";
import { choicesOf, operandsOf, operationFrom, operationNames } from "./operation-codec.js";
import { programVersion, type Program, type ProgramStep } from "./program.js";

/** Objects like those that are written in a program: with the usual prototype. */
const plainObjects = { noNullPrototype: true } as const;

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

const operands: { readonly [Kind in OperandKind]: fc.Arbitrary<OperandValues[Kind]> } = {
  register,
  integer,
  offset: integer,
  permissions: fc.subarray([...permissionWords]),
  protection: fc.record({ read: fc.boolean(), write: fc.boolean(), execute: fc.boolean() }, plainObjects),
  ordinal,
  optionalOrdinal: fc.option(ordinal, { nil: undefined }),
};

const choice = fc.option(ordinal, { nil: undefined, freq: 2 });

/** An operation of a given name. */
const operationOf = (name: OperationName): fc.Arbitrary<Operation> => {
  const members: Readonly<Record<string, fc.Arbitrary<unknown>>> = Object.fromEntries([
    ...operandsOf(name).map((operand): readonly [string, fc.Arbitrary<unknown>] => [
      operand.name,
      operand.name === "cd" ? written : operands[operand.kind],
    ]),
    ...choicesOf(name).map((key): readonly [string, fc.Arbitrary<unknown>] => [key, choice]),
  ]);
  return fc.record(members).map((values) => operationFrom(name, values));
};

const often = new Set<OperationName>(["fork", "csetbounds", "loadcap", "storecap", "store.w", "cmemcpy"]);
/** They end programs. */
const seldom = new Set<OperationName>(["exit", "thread_exit"]);

const weightOf = (name: OperationName): number => (often.has(name) ? 12 : seldom.has(name) ? 1 : 4);

/** Any operation, those that end processes less often, those that matter to forks more often. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  ...operationNames.map((name) => ({ weight: weightOf(name), arbitrary: operationOf(name) })),
);

const hex = (max: bigint): fc.Arbitrary<string> =>
  fc.bigInt({ min: 0n, max }).map((value) => `0x${value.toString(16)}`);

const canonicalNumber = fc.oneof(
  hex(1n << 64n),
  fc
    .record({
      where: fc.oneof(
        fc.constantFrom("K", "S0"),
        fc.nat(99).map((process) => `P${process}`),
      ),
      sign: fc.constantFrom("+", "-"),
      distance: hex(1n << 63n),
      suffix: fc.constantFrom("", ",dead"),
    })
    .map(({ where, sign, distance, suffix }) => `${where}${distance === "0x0" ? "+" : sign}${distance}${suffix}`),
);

const capability: fc.Arbitrary<Partial<CanonicalCapability>> = fc.record(
  {
    tag: fc.boolean(),
    address: canonicalNumber,
    base: canonicalNumber,
    top: canonicalNumber,
    permissions: fc.subarray([...permissionWords]),
    otype: fc.oneof(fc.constantFrom("unsealed", "sentry"), hex(1n << 18n)),
    flags: hex(0xffn),
  },
  { ...plainObjects, requiredKeys: [] },
);

const bareExpectation: fc.Arbitrary<Expectation> = fc.constantFrom<Expectation>(
  { none: true },
  { wouldBlock: true },
  { unsupported: true },
  { noActor: true },
  { halted: true },
  { badChoice: true },
  { outOfFrames: true },
  { outsideProfile: true },
);

/** Any observation in canonical form, whole or in part; most do not belong to any step. */
const anyExpectation: fc.Arbitrary<Expectation> = fc.oneof(
  fc.record({ cap: capability }, plainObjects),
  fc.record({ int: hex(1n << 64n) }, plainObjects),
  fc.record({ child: fc.nat() }, plainObjects),
  fc.record(
    { process: fc.nat(), status: fc.record({ exited: fc.nat(255) }, plainObjects) },
    { ...plainObjects, requiredKeys: ["process"] },
  ),
  fc.record(
    {
      trap: fc.record(
        { cause: fc.constantFrom(...trapCauses), operand: fc.constantFrom("cs1", "cs2") },
        { ...plainObjects, requiredKeys: ["cause"] },
      ),
    },
    plainObjects,
  ),
  fc.record({ error: fc.constantFrom(...errorCodes) }, plainObjects),
  bareExpectation,
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
