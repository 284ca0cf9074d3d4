/** Where a value stands in a JSON text: the text is known to be JSON, only its tokens need to be told apart. */

const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

interface Token {
  readonly text: string;
  readonly offset: number;
}

const opens = (text: string | undefined): boolean => text === "{" || text === "[";
const closes = (text: string | undefined): boolean => text === "}" || text === "]";

/** The index of the first token behind the value that begins at `start`. */
const after = (tokens: readonly Token[], start: number): number => {
  let depth = 0;
  let index = start;
  do {
    const text = tokens[index]?.text;
    if (opens(text)) depth += 1;
    if (closes(text)) depth -= 1;
    index += 1;
  } while (depth > 0 && index < tokens.length);
  return index;
};

/** The index of the token with which a member's value begins. */
const memberOf = (tokens: readonly Token[], container: number, key: string | number): number | undefined => {
  let index = container + 1;
  for (let element = 0; index < tokens.length && !closes(tokens[index]?.text); element += 1) {
    const isMember = tokens[container]?.text === "{";
    const value = isMember ? index + 2 : index;
    const name: unknown = isMember ? JSON.parse(tokens[index]?.text ?? "null") : element;
    if (name === key || name === String(key)) return value;
    index = after(tokens, value);
    if (tokens[index]?.text === ",") index += 1;
  }
  return undefined;
};

/** The offset of the value at a path; of what should contain it where it is missing. */
export const offsetOf = (text: string, path: readonly (string | number)[]): number => {
  const tokens = Array.from(text.matchAll(token), (found): Token => ({ text: found[0], offset: found.index }));
  let at = 0;
  for (const key of path) {
    const member = opens(tokens[at]?.text) ? memberOf(tokens, at, key) : undefined;
    if (member === undefined) break;
    at = member;
  }
  return tokens[at]?.offset ?? 0;
};

/** Line and column of an offset, both from 1. */
export const placeOf = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - start + 1 };
};
