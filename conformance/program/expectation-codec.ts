/** Expectations in program files: an observation in canonical form, whole or in part. */
import * as t from "io-ts";
import type { TrapCause } from "../../spec/cheri/index.js";
import type { ErrorCode } from "../../spec/sfork/observation.js";
import { bareObservations, type CanonicalObservation, type Expectation } from "../canon.js";
import { quote } from "../errors.js";
import { jsonOperands } from "./operands.js";
import {
  field,
  isObject,
  guarded,
  parsed,
  recordCodec,
  remedy,
  shown,
  wholeCodec,
  wordCodec,
  type Fields,
  type Members,
} from "./strict.js";

/** The keys are checked against the type: a cause without an entry does not compile. */
const causes: Readonly<Record<TrapCause, true>> = {
  tag: true,
  seal: true,
  type: true,
  "perm-load": true,
  "perm-store": true,
  "perm-execute": true,
  "perm-load-cap": true,
  "perm-store-cap": true,
  "perm-store-local": true,
  "perm-cinvoke": true,
  bounds: true,
  align: true,
  "page-unmapped": true,
  "page-read": true,
  "page-write": true,
  "page-exec": true,
  "page-store-cap": true,
};

const errors: Readonly<Record<ErrorCode, true>> = {
  EAGAIN: true,
  ENOMEM: true,
  EINVAL: true,
  ECHILD: true,
  EBADF: true,
  EPERM: true,
  EMFILE: true,
};

export const trapCauses = Object.keys(causes) as readonly TrapCause[];
export const errorCodes = Object.keys(errors) as readonly ErrorCode[];

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

const number = parsed(
  "number",
  isNumber,
  (input) => (isText(input) ? canonicalNumber(input) : undefined),
  (value) => value,
  (input) => `${quote(input)} is not a number; write 0x40, P1+0x40, S0+0x0 or K+0x0`,
);

const isPlain = (value: unknown): value is string => isNumber(value) && value.startsWith("0x");

const plainNumber = parsed(
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

const otype = parsed(
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

const tag = guarded("tag", isBit, (input) => `${quote(input)} is not a tag; a tag is 1 or 0, in JSON true or false`);

const isTrue = (value: unknown): value is true => value === true;

const present = guarded("true", isTrue, () => "the only value is true");

const word = parsed(
  "operand",
  isText,
  (input) => (isText(input) && /^[a-z][a-z0-9]*$/.test(input) ? input : undefined),
  (value) => value,
  (input) => `${quote(input)} is not the name of an operand; write cs1`,
);

const capability = recordCodec("cap", {
  tag: field(tag, true),
  address: field(number, true),
  base: field(number, true),
  top: field(number, true),
  permissions: field(jsonOperands.permissions.typed, true),
  otype: field(otype, true),
  flags: field(plainNumber, true),
});

const trapFields = { cause: field(wordCodec("trap cause", trapCauses)), operand: field(word, true) };

const status = recordCodec("a status", { exited: field(wholeCodec("exit status", 0, 255)) });

/** What each kind of observation has, by the key that tells it. */
const kinds: Readonly<Record<string, Fields>> = {
  cap: { cap: field(capability) },
  int: { int: field(plainNumber) },
  child: { child: field(wholeCodec("process")) },
  process: { process: field(wholeCodec("process")), status: field(status, true) },
  trap: { trap: field(recordCodec("trap", trapFields)) },
  error: { error: field(wordCodec("error", errorCodes)) },
  ...Object.fromEntries(Object.keys(bareObservations).map((key) => [key, { [key]: field(present) }])),
};

const kindCodecs = new Map(Object.entries(kinds).map(([kind, fields]) => [kind, recordCodec(kind, fields)]));

const kindOf = (value: Members): string | undefined => Object.keys(kinds).find((kind) => Object.hasOwn(value, kind));

const isExpectation = (value: unknown): value is Expectation => {
  const kind = isObject(value) ? kindOf(value) : undefined;
  return kind !== undefined && kindCodecs.get(kind)?.is(value) === true;
};

const printed = ["cap", "int", "child", "process", "trap", "error", ...Object.values(bareObservations)];

export const notAnObservation = (input: string): string =>
  `${shown(input)} is not an observation; ${remedy(input, printed, `observations are ${printed.join(", ")}`)}`;

export const expectationCodec = new t.Type<Expectation, Members>(
  "expectation",
  isExpectation,
  (input, context) => {
    if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not an observation; write an object`);
    const kind = kindOf(input);
    const codec = kind === undefined ? undefined : kindCodecs.get(kind);
    if (codec === undefined) return t.failure(input, context, notAnObservation(Object.keys(input)[0] ?? "nothing"));
    const result = codec.validate(input, context);
    if (result._tag === "Left") return result;
    return isExpectation(result.right) ? t.success(result.right) : t.failure(input, context);
  },
  (value) => ({ ...value }),
);

const isSubset = (expected: unknown, actual: unknown): boolean => {
  if (isObject(expected) && isObject(actual)) {
    return Object.entries(expected).every(([key, value]) => isSubset(value, actual[key]));
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.every((value) => actual.includes(value)) && actual.every((value) => expected.includes(value));
  }
  return expected === actual;
};

/** Does an observation have everything that is expected of it? Permissions are a set: their order does not matter. */
export const meetsExpectation = (expected: Expectation, actual: CanonicalObservation): boolean =>
  isSubset(expected, actual);
