/** Operations in program files, from the table: for each operation the codecs of its operands and choices. */
import {
  operations,
  type OperandKind,
  type Operation,
  type OperationEntry,
  type OperationName,
} from "../../spec/sfork/operation.js";
import { jsonOperands, textOperands, type OperandFields } from "./operands.js";
import { field, isObject, recordCodec, remedy, shown, type Field, type Fields, type Members } from "./strict.js";

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
  (kinds: OperandFields) =>
  (name: OperationName): Fields =>
    Object.fromEntries([
      ...operandsOf(name).map((operand): readonly [string, Field] => [operand.name, kinds[operand.kind]]),
      ...choicesOf(name).map((choice): readonly [string, Field] => [choice, field(kinds.ordinal.typed, true)]),
    ]);

/** Operands and choices of an operation in JSON, by name. */
export const jsonFields = fieldsIn(jsonOperands);

/** The same as words of a line. */
export const textFields = fieldsIn(textOperands);

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
