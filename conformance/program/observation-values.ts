/** Values that stand within observations, in canonical form. */
import { lastSignal } from "../../spec/sfork/kernel.js";
import { openFlags } from "../../spec/sfork/operation.js";
import { quote } from "../errors.js";
import { guarded, parsed, remedy, wholeCodec } from "./strict.js";

const isText = (value: unknown): value is string => typeof value === "string";

/** A number as canonical form prints it; undefined for what is none. Case and leading zeros do not matter. */
const canonicalNumber = (text: string): string | undefined => {
  const plain = /^(?:0x[0-9a-f]+|\d+)$/i.exec(text);
  if (plain !== null) return `0x${BigInt(text).toString(16)}`;
  const [, where, sign, digits, dead] = /^([PS]\d+|K)([+-])(0x[0-9a-f]+|\d+)(,dead)?$/i.exec(text) ?? [];
  if (where === undefined || sign === undefined || digits === undefined) return undefined;
  const distance = BigInt(digits);
  const name = where.slice(0, 1).toUpperCase() + (where.length === 1 ? "" : String(BigInt(where.slice(1))));
  return `${name}${distance === 0n ? "+" : sign}0x${distance.toString(16)}${dead ?? ""}`;
};

const isNumber = (value: unknown): value is string => isText(value) && canonicalNumber(value) === value;

export const number = parsed(
  "number",
  isNumber,
  (input) => (isText(input) ? canonicalNumber(input) : undefined),
  (value) => value,
  (input) => `${quote(input)} is not a number; write 0x40, P1+0x40, S0+0x0 or K+0x0`,
);

const isPlain = (value: unknown): value is string => isNumber(value) && value.startsWith("0x");

export const plainNumber = parsed(
  "number",
  isPlain,
  (input) => {
    const value = isText(input) ? canonicalNumber(input) : undefined;
    return isPlain(value) ? value : undefined;
  },
  (value) => value,
  (input) => `${quote(input)} is not a number; write 0x40`,
);

const otypeWords = ["unsealed", "sentry"] as const;

const isOtype = (value: unknown): value is string => otypeWords.some((word) => word === value) || isPlain(value);

export const otype = parsed(
  "object type",
  isOtype,
  (input) => {
    const value = isText(input) ? (canonicalNumber(input) ?? input) : undefined;
    return isOtype(value) ? value : undefined;
  },
  (value) => value,
  (input) => `${quote(input)} is not an object type; write unsealed, sentry or 0x4`,
);

const isBit = (value: unknown): value is boolean => typeof value === "boolean";

export const tag = guarded(
  "tag",
  isBit,
  (input) => `${quote(input)} is not a tag; a tag is 1 or 0, in JSON true or false`,
);

const isTrue = (value: unknown): value is true => value === true;

export const present = guarded("true", isTrue, () => "the only value is true");

export const word = parsed(
  "operand",
  isText,
  (input) => (isText(input) && /^[a-z][a-z0-9]*$/.test(input) ? input : undefined),
  (value) => value,
  (input) => `${quote(input)} is not the name of an operand; write cs1`,
);

const isBytes = (value: unknown): value is string => isText(value) && /^(?:[0-9a-f]{2})*$/.test(value);

export const bytes = parsed(
  "bytes",
  isBytes,
  (input) => {
    const value = isText(input) ? input.toLowerCase() : undefined;
    return isBytes(value) ? value : undefined;
  },
  (value) => value,
  (input) => `${quote(input)} is not a row of bytes; write two hexadecimal digits for each, 0a0b, or none`,
);

export const descriptor = wholeCodec("descriptor");

const isPair = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(descriptor.is);

export const descriptors = guarded(
  "descriptors",
  isPair,
  (input) => `${quote(input)} is not the two descriptors of a pipe; write 3 4, in JSON [3, 4]`,
);

/** Members of sets that are no signals: flags, and what a signal does. */
const memberWords: readonly string[] = [...openFlags, "default", "ignore", "handler"];

const isMember = (value: unknown): value is number | string =>
  descriptor.is(value) || memberWords.some((one) => one === value);

export const member = guarded(
  "member",
  isMember,
  (input) =>
    `${quote(input)} is in no set; ${remedy(input, memberWords, `write signals by number, or ${memberWords.join(", ")}`)}`,
);

export const signal = wholeCodec("signal", 1, lastSignal);

const isSignals = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(signal.is);

export const signals = guarded(
  "signals",
  isSignals,
  (input) =>
    `${quote(input)} is not a list of signals from 1 to ${lastSignal}; write 10,12 or none, in JSON [10, 12] or []`,
);
