/** Lines of a text program as words with their columns, and what is wrong with one. */
import { left, right, type Either } from "fp-ts/lib/Either.js";
import { printProblem, shown, type Members, type Problem } from "./strict.js";

/** A part of a line, and where it begins. */
export interface Word {
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

/** What is wrong with a line. */
export interface Refusal {
  readonly column: number;
  readonly message: string;
}

export const refuse = (column: number, message: string): Either<Refusal, never> => left({ column, message });

/** The parts between separators, without the space around them. */
export const split = ({ text, column }: Word, separator: RegExp): readonly Word[] => {
  if (text.trim() === "") return [];
  const ends = [...Array.from(text.matchAll(separator), ({ index }) => index), text.length];
  return ends.map((end, index) => {
    const start = index === 0 ? 0 : (ends[index - 1] ?? 0) + 1;
    const part = text.slice(start, end);
    const space = part.length - part.trimStart().length;
    return { text: part.trim(), column: column + start + space };
  });
};

export const wordsOf = ({ text, column }: Word): readonly Word[] =>
  Array.from(text.matchAll(/\S+/g), (found) => ({ text: found[0], column: column + found.index }));

/** A problem of a codec, at the word that gave the member; at `otherwise` where no word did. */
export const at =
  (columns: ReadonlyMap<string, number>, otherwise: number) =>
  (problem: Problem): Refusal => ({
    column: columns.get(String(problem.path.at(-1))) ?? otherwise,
    message: printProblem(problem),
  });

/** `key=value` words as a record; `value` makes of a word what JSON would have. */
export const pairs = (
  words: readonly Word[],
  value: (key: string, word: string) => unknown,
): Either<Refusal, { readonly members: Members; readonly columns: ReadonlyMap<string, number> }> => {
  const members: Record<string, unknown> = {};
  const columns = new Map<string, number>();
  for (const { text, column } of words) {
    const [, key, word] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (key === undefined || word === undefined) return refuse(column, `${shown(text)} is not of the form key=value`);
    if (columns.has(key)) return refuse(column, `${shown(key)} is given twice; keep one`);
    members[key] = value(key, word);
    columns.set(key, column);
  }
  return right({ members, columns });
};
