/**
 * Operands as they stand in program files: for each kind one for JSON and one for text. Registers out of range are
 * refused here, although the machine would reduce them: in a file they are mistakes.
 */
import * as t from "io-ts";
import { permissionWords, type Permission } from "../../spec/cheri/index.js";
import { registerCount } from "../../spec/sfork/machine.js";
import type { Integer, OperandKind, OperandValues, Protection } from "../../spec/sfork/operation.js";
import { quote } from "../errors.js";
import { field, guarded, isObject, parsed, remedy, shown, wholeCodec, type FieldOf } from "./strict.js";

export type OperandFields = { readonly [Kind in OperandKind]: FieldOf<OperandValues[Kind]> };

/** `0x40`, `-0x8`, and for readers `64`. Undefined for anything else. */
export const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

export const printNumber = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

const isRegister = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < registerCount;

const isOrdinal = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const isImmediate = (value: unknown): value is { readonly immediate: bigint } =>
  isObject(value) && typeof value["immediate"] === "bigint";

const isInteger = (value: unknown): value is Integer =>
  isImmediate(value) || (isObject(value) && isRegister(value["register"]));

const isPermission = (value: unknown): value is Permission => permissionWords.some((word) => word === value);

const isPermissions = (value: unknown): value is readonly Permission[] =>
  Array.isArray(value) && value.every(isPermission);

const isProtection = (value: unknown): value is Protection =>
  isObject(value) && ["read", "write", "execute"].every((right) => typeof value[right] === "boolean");

/** The number of the register `c5`; `csp` is another name for c2. Numbers out of range are numbers here. */
const registerNumber = (text: string): number | undefined => {
  if (text === "csp") return 2;
  const [, digits] = /^c(\d+)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
};

const parseRegister = (input: unknown): number | undefined => {
  const number = typeof input === "string" ? registerNumber(input) : undefined;
  return isRegister(number) ? number : undefined;
};

const notARegister = (input: unknown, first: string): string =>
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

const permissionList = permissionWords.join(", ");

const jsonPermissions = guarded("permissions", isPermissions, (input) => {
  if (!Array.isArray(input)) return `${quote(input)} is not a list of permissions; write ["load", "store"]`;
  const wrong: unknown = input.find((word) => !isPermission(word));
  return `${quote(wrong)} is not a permission; ${remedy(wrong, permissionWords, `permissions are ${permissionList}`)}`;
});

const wordsOf = (text: string): readonly string[] => (text === "none" ? [] : text.split(/\s+/).filter(Boolean));

const textPermissions = parsed(
  "permissions",
  isPermissions,
  (input) => {
    if (typeof input !== "string" || input === "") return undefined;
    const words = wordsOf(input);
    return isPermissions(words) ? words : undefined;
  },
  (value) => (value.length === 0 ? "none" : value.join(" ")),
  (input) => {
    const wrong = wordsOf(String(input)).find((word) => !isPermission(word));
    const all = `permissions are ${permissionList}, or none`;
    return `${shown(wrong)} is not a permission; ${remedy(wrong, permissionWords, all)}`;
  },
);

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

const textOrdinal = parsed(
  "ordinal",
  isOrdinal,
  (input) => {
    const number = typeof input === "string" && /^\d+$/.test(input) ? Number(input) : undefined;
    return isOrdinal(number) ? number : undefined;
  },
  (value) => String(value),
  (input) => `${shown(input)} is not an ordinal; write a whole number from 0 on`,
);

const orAbsent = <Value>(codec: t.Type<Value, unknown>): t.Type<Value | undefined, unknown> =>
  new t.Type<Value | undefined, unknown>(
    codec.name,
    (value): value is Value | undefined => value === undefined || codec.is(value),
    (input, context) => (input === undefined ? t.success(undefined) : codec.validate(input, context)),
    (value) => (value === undefined ? undefined : codec.encode(value)),
  );

export const jsonOperands: OperandFields = {
  register: field(jsonRegister),
  integer: field(integer),
  offset: field(integer),
  permissions: field(jsonPermissions),
  protection: field(protection),
  ordinal: field(jsonOrdinal),
  optionalOrdinal: field(orAbsent(jsonOrdinal), true),
};

export const textOperands: OperandFields = {
  register: field(textRegister),
  integer: field(integer),
  offset: field(integer),
  permissions: field(textPermissions),
  protection: field(protection),
  ordinal: field(textOrdinal),
  optionalOrdinal: field(orAbsent(textOrdinal), true),
};
