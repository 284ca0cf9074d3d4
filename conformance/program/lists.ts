/** Operands that are lists: in JSON a list, in text words with spaces between them, and `none` for an empty one. */
import type * as t from "io-ts";
import { quote } from "../errors.js";
import { guarded, isWhole, parsed, parseWhole, remedy, shown, withArticle } from "./strict.js";

/** What a list is of. */
interface Element<Value> {
  /** `permission`, of a list of `permissions`. */
  readonly name: string;
  readonly is: (value: unknown) => value is Value;
  /** The element that a word of a line stands for. */
  readonly parse: (word: string) => Value | undefined;
  /** How to mend an element that is none; `orNone` stands behind what may be written. */
  readonly mend: (wrong: unknown, orNone: string) => string;
  /** A list, as JSON has it. */
  readonly example: string;
}

interface ListCodecs<Value> {
  readonly json: t.Type<readonly Value[]>;
  readonly text: t.Type<readonly Value[], string>;
}

const wordsOf = (input: unknown): readonly string[] =>
  typeof input !== "string" || input === "none" ? [] : input.split(/\s+/).filter(Boolean);

const listCodecs = <Value extends string | number>(element: Element<Value>): ListCodecs<Value> => {
  const { name, is, parse, mend, example } = element;
  const isList = (value: unknown): value is readonly Value[] => Array.isArray(value) && value.every(is);
  const json = guarded(`${name}s`, isList, (input) => {
    if (!Array.isArray(input)) return `${quote(input)} is not a list of ${name}s; write ${example}`;
    const wrong: unknown = input.find((one) => !is(one));
    return `${quote(wrong)} is not ${withArticle(name)}; ${mend(wrong, "")}`;
  });
  const text = parsed(
    `${name}s`,
    isList,
    (input) => {
      const values = input === "" ? undefined : wordsOf(input).map(parse);
      return isList(values) ? values : undefined;
    },
    (value) => (value.length === 0 ? "none" : value.join(" ")),
    (input) => {
      const wrong = wordsOf(input).find((word) => parse(word) === undefined);
      return `${shown(wrong)} is not ${withArticle(name)}; ${mend(wrong, ", or none")}`;
    },
  );
  return { json, text };
};

/** Lists of words; `name` is what each of them is. */
export const wordLists = <const Word extends string>(
  name: string,
  allowed: readonly Word[],
  example: string,
): ListCodecs<Word> => {
  const find = (value: unknown): Word | undefined => allowed.find((word) => word === value);
  return listCodecs({
    name,
    is: (value): value is Word => find(value) !== undefined,
    parse: find,
    mend: (wrong, orNone) => remedy(wrong, allowed, `${name}s are ${allowed.join(", ")}${orNone}`),
    example,
  });
};

/** Lists of whole numbers. */
export const numberLists = (name: string, example: string): ListCodecs<number> =>
  listCodecs({
    name,
    is: isWhole,
    parse: parseWhole,
    mend: (_, orNone) => `write a whole number${orNone}`,
    example,
  });
