/**
 * Operands as they stand in program files: for each kind one for JSON and one for text. Registers out of range are
 * refused here, although the machine would reduce them: in a file they are mistakes.
 */
import * as t from "io-ts";
import { permissionWords } from "../../spec/cheri/index.js";
import { registerCount } from "../../spec/sfork/machine.js";
import type { Integer, OperandKind, OperandValues, Protection } from "../../spec/sfork/operation.js";
import { wordLists } from "./lists.js";
import { field, guarded, isObject, isWhole, parsed, shown, textWhole, wholeCodec, type FieldOf } from "./strict.js";

export type OperandFields<Kind extends OperandKind> = { readonly [One in Kind]: FieldOf<OperandValues[One]> };

/** Operands of capability and memory operations; kernel-operands.ts has the others. */
type BasicKind = "register" | "integer" | "offset" | "permissions" | "protection" | "ordinal" | "optionalOrdinal";

/** `0x40`, `-0x8`, and for readers `64`. Undefined for anything else. */
export const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

export const printNumber = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

export const isRegister = (value: unknown): value is number => isWhole(value) && value < registerCount;

const isImmediate = (value: unknown): value is { readonly immediate: bigint } =>
  isObject(value) && typeof value["immediate"] === "bigint";

const isInteger = (value: unknown): value is Integer =>
  isImmediate(value) || (isObject(value) && isRegister(value["register"]));

const isProtection = (value: unknown): value is Protection =>
  isObject(value) && ["read", "write", "execute"].every((right) => typeof value[right] === "boolean");

/** The number of the register `c5`; `csp` is another name for c2. Numbers out of range are numbers here. */
export const registerNumber = (text: string): number | undefined => {
  if (text === "csp") return 2;
  const [, digits] = /^c(\d+)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
};

export const parseRegister = (input: unknown): number | undefined => {
  const number = typeof input === "string" ? registerNumber(input) : undefined;
  return isRegister(number) ? number : undefined;
};

export const notARegister = (input: unknown, first: string): string =>
  `${shown(input)} is not a register; registers are ${first}0 to ${first}${registerCount - 1}`;

const jsonRegister = guarded("register", isRegister, (input) => notARegister(input, ""));

const textRegister = parsed(
  "register",
  isRegister,
  parseRegister,
  (value) => `c${value}`,
  (input) => notARegister(input, "c"),
);

const parseInteger = (input: unknown): Integer | undefined => {
  if (typeof input === "number") return Number.isSafeInteger(input) ? { immediate: BigInt(input) } : undefined;
  if (typeof input !== "string") return undefined;
  const register = parseRegister(input);
  if (register !== undefined) return { register };
  const immediate = parseNumber(input);
  return immediate === undefined ? undefined : { immediate };
};

const printInteger = (value: Integer): string =>
  "immediate" in value ? printNumber(value.immediate) : `c${value.register}`;

const notAnInteger = (input: unknown): string => {
  if (typeof input === "string" && registerNumber(input) !== undefined) return notARegister(input, "c");
  if (typeof input === "number" && Number.isInteger(input)) return `${input} is not exact; write it as an 0x string`;
  return `${shown(input)} is not an integer; write 0x40, 64, -8 or a register`;
};

const integer = parsed("integer", isInteger, parseInteger, printInteger, notAnInteger);

const permissions = wordLists("permission", permissionWords, '["load", "store"]');

const rights = { r: "read", w: "write", x: "execute" } as const;
const rightLetters = ["r", "w", "x"] as const;

/** `rw`, `none`; in text the letters may stand apart. */
const protection = parsed(
  "protection",
  isProtection,
  (input): Protection | undefined => {
    const letters = typeof input === "string" ? input.replaceAll(/\s+/g, "") : "";
    if (letters !== "none" && !/^(?=.)r?w?x?$/.test(letters)) return undefined;
    const has = (letter: (typeof rightLetters)[number]): boolean => letters !== "none" && letters.includes(letter);
    return { read: has("r"), write: has("w"), execute: has("x") };
  },
  (value) => rightLetters.filter((letter) => value[rights[letter]]).join("") || "none",
  (input) => `${shown(input)} is not a protection; write letters of rwx in this order, or none`,
);

const jsonOrdinal = wholeCodec("ordinal");
const textOrdinal = textWhole("ordinal");

/** What stands in a line for an operand that is left out before one that is not. */
export const leftOut = "-";

const orAbsent = <Value>(codec: t.Type<Value, unknown>, word?: string): t.Type<Value | undefined, unknown> =>
  new t.Type<Value | undefined, unknown>(
    codec.name,
    (value): value is Value | undefined => value === undefined || codec.is(value),
    (input, context) => (input === undefined || input === word ? t.success(undefined) : codec.validate(input, context)),
    (value) => (value === undefined ? undefined : codec.encode(value)),
  );

export const jsonOperands: OperandFields<BasicKind> = {
  register: field(jsonRegister),
  integer: field(integer),
  offset: field(integer),
  permissions: field(permissions.json),
  protection: field(protection),
  ordinal: field(jsonOrdinal),
  optionalOrdinal: field(orAbsent(jsonOrdinal), true),
};

export const textOperands: OperandFields<BasicKind> = {
  register: field(textRegister),
  integer: field(integer),
  offset: field(integer),
  permissions: field(permissions.text),
  protection: field(protection),
  ordinal: field(textOrdinal),
  optionalOrdinal: field(orAbsent(textOrdinal, leftOut), true),
};
