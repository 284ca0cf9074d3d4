/** Operations in program files, from the table: for each operation the codecs of its operands and choices. */
import { isLeft } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import {
  operations,
  splitCalls,
  type OperandKind,
  type Operation,
  type OperationEntry,
  type OperationName,
  type SplitCall,
} from "../../spec/sfork/operation.js";
import { quote } from "../errors.js";
import { jsonKernelOperands, textKernelOperands } from "./kernel-operands.js";
import { jsonOperands, textOperands, type OperandFields } from "./operands.js";
import {
  field,
  guarded,
  isObject,
  recordCodec,
  remedy,
  shown,
  type Field,
  type Fields,
  type Members,
} from "./strict.js";

export const operationNames = Object.keys(operations) as readonly OperationName[];

export const isOperationName = (name: unknown): name is OperationName =>
  typeof name === "string" && Object.hasOwn(operations, name);

/** The table's entry, with what all entries have in common. */
export const entryOf = (name: OperationName): OperationEntry => operations[name];

export interface NamedOperand {
  readonly name: string;
  readonly kind: OperandKind;
}

/** Operands in the order in which they are written. */
export const operandsOf = (name: OperationName): readonly NamedOperand[] =>
  Object.entries(entryOf(name).operands).map(([operand, kind]) => ({ name: operand, kind }));

export const choicesOf = (name: OperationName): readonly string[] => entryOf(name).choices ?? [];

export const notAnOperation = (name: unknown): string =>
  `${shown(name)} is not an operation; ${remedy(name, operationNames, "docs/operations.md lists them")}`;

const fieldsIn =
  (kinds: OperandFields<OperandKind>) =>
  (name: OperationName): Fields =>
    Object.fromEntries([
      ...operandsOf(name).map((operand): readonly [string, Field] => [operand.name, kinds[operand.kind]]),
      ...choicesOf(name).map((choice): readonly [string, Field] => [choice, field(kinds.ordinal.typed, true)]),
    ]);

export const isSplitCallName = (name: unknown): name is SplitCall["op"] => splitCalls.some((call) => call === name);

export const notASplitCall = (name: unknown): string =>
  `${shown(name)} is not a call that can be split; ${remedy(name, splitCalls, `these are ${splitCalls.join(", ")}`)}`;

export const isSplitCall = (value: unknown): value is SplitCall => isOperation(value) && isSplitCallName(value.op);

const callName = guarded("call", isSplitCallName, notASplitCall);

/** A call that is split: an operation within an operation, `{ "op": "read", "d": 3, … }`. */
const jsonCall: t.Type<SplitCall, unknown> = new t.Type<SplitCall, unknown>(
  "call",
  isSplitCall,
  (input, context) => {
    if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not a call; write an object`);
    const named = callName.validate(input["op"], t.appendContext(context, "op", callName, input["op"]));
    if (isLeft(named)) return named;
    const op = named.right;
    const members = recordCodec(`a ${op} call`, { op: field(callName), ...jsonFields(op) }).validate(input, context);
    if (isLeft(members)) return members;
    const call = operationFrom(op, members.right);
    return isSplitCall(call) ? t.success(call) : t.failure(input, context);
  },
  (call) => ({ op: call.op, ...recordCodec(call.op, jsonFields(call.op)).encode(membersOf(call)) }),
);

/** In a line the call is read and printed as the operation that it is (text.ts, print.ts). */
const textCall = guarded("call", isSplitCall, notASplitCall);

/** Operands in JSON, by their kinds. */
export const operandFields: OperandFields<OperandKind> = {
  ...jsonOperands,
  ...jsonKernelOperands,
  call: field(jsonCall),
};

/** Operands and choices of an operation in JSON, by name. */
export const jsonFields = fieldsIn(operandFields);

/** The same as words of a line. */
export const textFields = fieldsIn({ ...textOperands, ...textKernelOperands, call: field(textCall) });

export const isOperation = (value: unknown): value is Operation => {
  if (!isObject(value) || !isOperationName(value["op"])) return false;
  const members = Object.fromEntries(Object.entries(value).filter(([key]) => key !== "op"));
  return recordCodec(value["op"], jsonFields(value["op"])).is(members);
};

/** An operation from decoded operands and choices; an operand that may be left out is there, and undefined. */
export const operationFrom = (name: OperationName, members: Members): Operation => {
  const operands = operandsOf(name).map((operand) => [operand.name, members[operand.name]] as const);
  const choices = choicesOf(name).flatMap((choice) =>
    members[choice] === undefined ? [] : [[choice, members[choice]] as const],
  );
  const operation: unknown = { op: name, ...Object.fromEntries([...operands, ...choices]) };
  if (!isOperation(operation)) throw new TypeError(`the operands of ${name} were not checked`);
  return operation;
};

/** Operands and choices of an operation, by name. */
export const membersOf = (operation: Operation): Members =>
  Object.fromEntries(Object.entries(operation).filter(([key]) => key !== "op"));
