/**
 * Codecs that say what is wrong, and how to mend it: the small vocabulary from which the program codecs are built. Unlike
 * io-ts's own records these refuse keys that they do not know.
 */
import { isLeft, left, mapLeft, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { quote } from "../errors.js";

/** What is wrong with an input, and where in it. */
export interface Problem {
  /** Keys and indices from the outside in. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** `steps[3].cd`. */
const printPath = (path: readonly (string | number)[]): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");

/** `steps[3].cd: 16 is not a register; registers are 0 to 15`. */
export const printProblem = ({ path, message }: Problem): string =>
  path.length === 0 ? message : `${printPath(path)}: ${message}`;

const longest = 40;

/** A word as a message names it, without quotes. */
export const shown = (value: unknown): string =>
  typeof value === "string" ? shorten(JSON.stringify(value).slice(1, -1)) || quote(undefined) : quote(value);

const shorten = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

const toKey = (key: string): string | number => (/^\d+$/.test(key) ? Number(key) : key);

const problemOf = (errors: t.Errors): Problem => {
  const [first] = errors;
  return {
    path: (first?.context ?? [])
      .map(({ key }) => key)
      .filter((key) => key !== "")
      .map(toKey),
    message: first?.message ?? `${quote(first?.value)} is not valid`,
  };
};

/** Decode, and tell the first problem. */
export const decode = <Value, Output>(codec: t.Type<Value, Output>, input: unknown): Either<Problem, Value> =>
  pipe(codec.decode(input), mapLeft(problemOf));

/** A codec from a function that gives the value, or undefined for what it does not take. */
export const parsed = <Value, Output>(
  name: string,
  is: (value: unknown) => value is Value,
  parse: (input: unknown) => Value | undefined,
  encode: (value: Value) => Output,
  expected: (input: unknown) => string,
): t.Type<Value, Output> =>
  new t.Type<Value, Output>(
    name,
    is,
    (input, context) => {
      const value = parse(input);
      return value === undefined ? t.failure(input, context, expected(input)) : t.success(value);
    },
    encode,
  );

/** A codec that takes values as they are. */
export const guarded = <Value>(
  name: string,
  is: (value: unknown) => value is Value,
  expected: (input: unknown) => string,
): t.Type<Value> =>
  parsed(
    name,
    is,
    (input) => (is(input) ? input : undefined),
    (value) => value,
    expected,
  );

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Letters to change, add or take away to make one word of another. */
const editDistance = (from: string, to: string): number => {
  const start = Array.from({ length: to.length + 1 }, (_, index) => index);
  const last = Array.from(from).reduce<readonly number[]>(
    (above, letter, row) =>
      Array.from(to).reduce<readonly number[]>(
        (line, other, column) => {
          const change = (above[column] ?? 0) + (letter === other ? 0 : 1);
          return [...line, Math.min(change, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1)];
        },
        [row + 1],
      ),
    start,
  );
  return last.at(-1) ?? 0;
};

/** Wrong letters of a word that may be a slip of the pen. */
const tolerance = (word: string): number => (word.length > 4 ? 2 : word.length > 2 ? 1 : 0);

/** How to mend a word that is none of those allowed: the one that was probably meant, or all of them. */
export const remedy = (word: unknown, allowed: readonly string[], list: string): string => {
  const near =
    typeof word === "string" && word.length <= longest
      ? allowed.find((one) => one !== word && editDistance(word, one) <= tolerance(one))
      : undefined;
  return near === undefined ? list : `did you mean ${near}?`;
};

/** One of some words. */
export const wordCodec = <const Word extends string>(
  name: string,
  allowed: readonly Word[],
  plural = `${name}s`,
): t.Type<Word> =>
  guarded(
    name,
    (value): value is Word => allowed.some((word) => word === value),
    (input) =>
      `${quote(input)} is not a known ${name}; ${remedy(input, allowed, `${plural} are ${allowed.join(", ")}`)}`,
  );

export const isWhole = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

export const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;

/** A whole number within limits. */
export const wholeCodec = (name: string, least = 0, most = Number.MAX_SAFE_INTEGER): t.Type<number, number> => {
  const is = (value: unknown): value is number => isWhole(value) && value >= least && value <= most;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  return guarded(name, is, (input) => `${quote(input)} is not ${withArticle(name)}; write a whole number ${range}`);
};

/** A whole number as a word of a line. */
export const parseWhole = (input: unknown): number | undefined => {
  const number = typeof input === "string" && /^\d+$/.test(input) ? Number(input) : undefined;
  return isWhole(number) ? number : undefined;
};

/** The same as a codec: what `wholeCodec` is to JSON. */
export const textWhole = (name: string): t.Type<number, string> =>
  parsed(
    name,
    isWhole,
    parseWhole,
    (value) => String(value),
    (input) => `${shown(input)} is not ${withArticle(name)}; write a whole number from 0 on`,
  );

/** A member of a record: its codec for any value, and whether it may be left out. */
export interface Field {
  readonly codec: t.Type<unknown>;
  readonly optional: boolean;
}

/** A field whose values are known to the compiler. */
export interface FieldOf<Value> extends Field {
  readonly typed: t.Type<Value, unknown>;
}

/** Forget what a codec is for; it still encodes nothing but its own values. */
export const field = <Value>(codec: t.Type<Value, unknown>, optional = false): FieldOf<Value> => ({
  typed: codec,
  codec: new t.Type<unknown>(
    codec.name,
    codec.is,
    (input, context) => codec.validate(input, context),
    (value) => (codec.is(value) ? codec.encode(value) : value),
  ),
  optional,
});

export type Fields = Readonly<Record<string, Field>>;
export type Members = Readonly<Record<string, unknown>>;

const isMembers =
  (fields: Fields) =>
  (value: unknown): value is Members =>
    isObject(value) &&
    Object.keys(value).every((key) => Object.hasOwn(fields, key)) &&
    Object.entries(fields).every(([key, { codec, optional }]) =>
      value[key] === undefined ? optional : codec.is(value[key]),
    );

const checkMembers = (name: string, fields: Fields, input: unknown, context: t.Context): Either<t.Errors, Members> => {
  if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not ${name}; write an object`);
  // 1. Nothing that nobody reads: a key with a spelling mistake must not pass for one that was left out.
  const keys = Object.keys(fields);
  const unknown = Object.keys(input).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) {
    const at = t.appendContext(context, unknown, t.unknown, input[unknown]);
    const known = keys.length === 0 ? `${name} has none` : `${name} has ${keys.join(", ")}`;
    return t.failure(input[unknown], at, `unknown key; ${remedy(unknown, keys, known)}`);
  }
  // 2. Each member in turn; the first that is wrong is told.
  const found = Object.entries(fields).map(
    ([key, { codec, optional }]): readonly [string, Either<t.Errors, unknown>] => {
      const value = Object.hasOwn(input, key) ? input[key] : undefined;
      const at = t.appendContext(context, key, codec, value);
      if (value !== undefined) return [key, codec.validate(value, at)];
      return [key, optional ? right(undefined) : t.failure(value, at, `is missing; ${name} has ${keys.join(", ")}`)];
    },
  );
  const errors = found.flatMap(([, result]) => (isLeft(result) ? result.left : []));
  if (errors.length > 0) return left(errors);
  return right(
    Object.fromEntries(
      found.flatMap(([key, result]) => (isLeft(result) || result.right === undefined ? [] : [[key, result.right]])),
    ),
  );
};

/** A list, whose first wrong element is told. */
export const listCodec = <Value, Output>(
  name: string,
  element: t.Type<Value, Output>,
): t.Type<readonly Value[], Output[]> =>
  new t.Type<readonly Value[], Output[]>(
    name,
    (value): value is readonly Value[] => Array.isArray(value) && value.every((one) => element.is(one)),
    (input, context) => {
      if (!Array.isArray(input)) return t.failure(input, context, `${quote(input)} is not ${name}; write a list`);
      const list: readonly unknown[] = input;
      const found: Value[] = [];
      for (const [index, one] of list.entries()) {
        const result = element.validate(one, t.appendContext(context, String(index), element, one));
        if (isLeft(result)) return result;
        found.push(result.right);
      }
      return t.success(found);
    },
    (value) => value.map((one) => element.encode(one)),
  );

/** An object with these members and no others. `name` stands in messages: "a program", "csetbounds". */
export const recordCodec = (name: string, fields: Fields): t.Type<Members> =>
  new t.Type<Members>(
    name,
    isMembers(fields),
    (input, context) => checkMembers(name, fields, input, context),
    (value) =>
      Object.fromEntries(
        Object.entries(fields).flatMap(([key, { codec }]) =>
          value[key] === undefined ? [] : [[key, codec.encode(value[key])]],
        ),
      ),
  );
