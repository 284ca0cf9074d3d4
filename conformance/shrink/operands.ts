/** Plainer operands for the operations of a program, each by itself, and plainer operations in their place. */
import {
  openFlags,
  wordOperands,
  type ActionOperand,
  type Integer,
  type OperandKind,
  type OperandValues,
  type Operation,
  type Protection,
  type Target,
} from "../../spec/sfork/operation.js";
import { permissionWords } from "../../spec/cheri/index.js";
import type { CompleteProgram } from "../check/finding.js";
import {
  choicesOf,
  entryOf,
  isSplitCall,
  membersOf,
  operandFields,
  operandsOf,
  operationFrom,
} from "../program/operation-codec.js";
import { settle, type Shows } from "./shows.js";

/** The registers of the data part and of its code, which every process has from its start. */
const dataRegister = 1;
const codeRegister = 3;

/** Values that are plainer than one, the plainest first. No chain of them is endless. */
type Plainer<Value> = (value: Value) => readonly Value[];

const exactly =
  <Value>(plain: Value): Plainer<Value> =>
  (value) =>
    value === plain ? [] : [plain];

const smaller: Plainer<number> = (value) =>
  [...new Set([0, 1, Math.floor(value / 2), value - 1])].filter((one) => one >= 0 && one < value);

/** Small ones, half, the highest bit alone, and a multiple of a granule. */
const nearerZero: Plainer<bigint> = (value) => {
  const size = value < 0n ? -value : value;
  const highest = 1n << BigInt(size.toString(2).length - 1);
  const sizes = [...new Set([0n, 1n, size / 2n, highest, size & -16n])].filter((one) => one < size);
  return sizes.map((one) => (value < 0n ? -one : one));
};

const integer: Plainer<Integer> = (value) =>
  "register" in value ? [{ immediate: 0n }] : nearerZero(value.immediate).map((immediate) => ({ immediate }));

/** One of the words before it. */
const before =
  <Word>(words: readonly Word[]): Plainer<Word> =>
  (word) =>
    words.slice(0, words.indexOf(word));

const withoutOne = <Value>(values: readonly Value[]): readonly (readonly Value[])[] =>
  values.map((_, left) => values.filter((_one, index) => index !== left));

/** A mask that leaves everything is plainest; then one that leaves one right more. */
const permissions: Plainer<OperandValues["permissions"]> = (kept) => {
  const taken = permissionWords.filter((word) => !kept.includes(word));
  const more = taken.map((back) => permissionWords.filter((word) => word === back || kept.includes(word)));
  return taken.length > 1 ? [permissionWords, ...more] : more;
};

const plainProtection: Protection = { read: true, write: true, execute: false };

/** Data, as the data part is; or one right as it has that. */
const protection: Plainer<Protection> = (value) => {
  const rights = (["read", "write", "execute"] as const).filter((right) => value[right] !== plainProtection[right]);
  const single = rights.map((right) => ({ ...value, [right]: plainProtection[right] }));
  return rights.length > 1 ? [plainProtection, ...single] : single;
};

/** The first file, or the last part of a path. */
const path: Plainer<string> = (value) => {
  const last = value.slice(value.lastIndexOf("/") + 1);
  return [...new Set(["a", last])].filter((one) => one !== "" && one !== value && value !== "a");
};

const action: Plainer<ActionOperand> = (value) => {
  if (typeof value === "string") return before<ActionOperand>(["default", "ignore"])(value);
  const codes = exactly(codeRegister)(value.code).map((code) => ({ ...value, code }));
  const data = exactly(dataRegister)(value.data).map((one) => ({ ...value, data: one }));
  return ["default", "ignore", ...codes, ...data];
};

const target: Plainer<Target> = (value) => {
  if (value === "own-group") return [{ process: 0 }];
  if ("process" in value) return smaller(value.process).map((process) => ({ process }));
  return [{ process: value.group }, ...smaller(value.group).map((group) => ({ group }))];
};

const plainer: { readonly [Kind in OperandKind]: Plainer<OperandValues[Kind]> } = {
  register: exactly(dataRegister),
  integer,
  offset: integer,
  permissions,
  protection,
  ordinal: smaller,
  optionalOrdinal: (value) => (value === undefined ? [] : [undefined, ...smaller(value)]),
  advice: before(wordOperands.advice),
  whence: before(wordOperands.whence),
  resource: before(wordOperands.resource),
  whose: before(wordOperands.whose),
  direction: before(wordOperands.direction),
  descriptor: smaller,
  path,
  openFlags: (flags) => withoutOne(openFlags.filter((flag) => flags.includes(flag))),
  action,
  signals: (signals) => (signals.length > 1 ? [[], ...withoutOne(signals)] : withoutOne(signals)),
  target,
  call: (call) => plainerOperations(call).filter(isSplitCall),
};

/** The table says of which kind the value of an operand is, and its codec whether it is so. */
const plainerValues = <Kind extends OperandKind>(kind: Kind, value: unknown): readonly OperandValues[Kind][] => {
  const { typed } = operandFields[kind];
  return typed.is(value) ? plainer[kind](value) : [];
};

/** What is computed or loaded, copied or named instead: a capability of a register, the number 0. */
const plainerResults = (operation: Operation): readonly Operation[] => {
  const { result } = entryOf(operation.op);
  if (!("cd" in operation)) return [];
  const { cd } = operation;
  if (result === "integer" && operation.op !== "li") return [{ op: "li", cd, n: { immediate: 0n } }];
  if (result !== "capability" || operation.op === "cmove") return [];
  return [{ op: "cmove", cd, cs1: "cs1" in operation ? operation.cs1 : dataRegister }];
};

/** Each by one change. The register that is written stays: later steps know it by its number. */
export const plainerOperations = (operation: Operation): readonly Operation[] => {
  const { op } = operation;
  const members = membersOf(operation);
  const withMember = (name: string, value: unknown): Operation => operationFrom(op, { ...members, [name]: value });
  const choices = choicesOf(op).filter((choice) => members[choice] !== undefined);
  return [
    ...plainerResults(operation),
    ...choices.map((choice) => withMember(choice, undefined)),
    ...operandsOf(op)
      .filter(({ name }) => name !== "cd")
      .flatMap(({ name, kind }) => plainerValues(kind, members[name]).map((value) => withMember(name, value))),
  ];
};

/** Every step as plain as it can be, by itself: an earlier thread takes it, and its operands are plainer. */
export const plainerSteps = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  program.steps.reduce<CompleteProgram>(
    (smallest, _, index) =>
      settle(smallest, shows, (now) =>
        now.steps
          .slice(index, index + 1)
          .flatMap((step) =>
            [
              ...Array.from({ length: step.actor }, (_one, actor) => ({ ...step, actor })),
              ...plainerOperations(step.operation).map((operation) => ({ ...step, operation })),
            ].map((other) => ({ ...now, steps: now.steps.with(index, other) })),
          ),
      ),
    program,
  );
