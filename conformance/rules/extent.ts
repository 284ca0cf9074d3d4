/**
 * Where a function or constant stands in a file of the specification, as it is written or as it was built. What ships has no
 * parser of TypeScript; the specification is formatted, and this much can be found by its brackets.
 */

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** The first character after a string that begins here. */
const afterString = (text: string, start: number): number => {
  const quote = text[start];
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === "\\" ? 2 : 1;
  return at + 1;
};

const afterTemplate = (text: string, start: number): number => {
  let at = start + 1;
  while (at < text.length && text[at] !== "`") {
    if (text.startsWith("${", at)) at = afterBracket(text, at + 1);
    else at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
};

const afterRegularExpression = (text: string, start: number): number => {
  let inClass = false;
  let at = start + 1;
  while (at < text.length && (inClass || text[at] !== "/")) {
    if (text[at] === "[") inClass = true;
    if (text[at] === "]") inClass = false;
    at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
};

/** A slash after one of these begins a regular expression; after anything else it divides. */
const beforeExpression = /(?:[(,=:[!&|?{};>]|\breturn)\s*$/;

/** The first character after the token that begins here; brackets with what is between them are one. */
const afterToken = (text: string, at: number): number => {
  const one = text[at] ?? "";
  if (text.startsWith("//", at)) return text.indexOf("\n", at) + 1 || text.length;
  if (text.startsWith("/*", at)) return text.indexOf("*/", at) + 2;
  if (one === '"' || one === "'") return afterString(text, at);
  if (one === "`") return afterTemplate(text, at);
  if (one in closing) return afterBracket(text, at);
  if (one === "/" && beforeExpression.test(text.slice(Math.max(0, at - 80), at)))
    return afterRegularExpression(text, at);
  return at + 1;
};

/** The first character after the bracket that closes the one that stands here. */
const afterBracket = (text: string, open: number): number => {
  const close = closing[text[open] ?? ""];
  let at = open + 1;
  while (at < text.length && text[at] !== close) at = afterToken(text, at);
  return at + 1;
};

/** The first character from here on that is one of these, outside brackets, strings and comments. */
const indexOutside = (text: string, from: number, ends: string): number => {
  let at = from;
  while (at < text.length && !ends.includes(text[at] ?? "")) at = afterToken(text, at);
  return at;
};

/** Positions in a text. */
interface Extent {
  /** Of the declaration, without its doc comment. */
  readonly start: number;
  /** Of the value: the function, or what the constant is. */
  readonly value: number;
  /** After the value, before the `;` or the comma. */
  readonly end: number;
}

const escaped = (name: string): string => name.replaceAll("$", String.raw`\$`);

const constant = (text: string, name: string): Extent | undefined => {
  const found = new RegExp(String.raw`^(?:export )?const ${escaped(name)}\b`, "m").exec(text);
  if (found === null) return undefined;
  // A type may stand before the value, with arrows in it.
  let equals = indexOutside(text, found.index, "=;");
  while (text[equals] === "=" && text[equals + 1] === ">") equals = indexOutside(text, equals + 2, "=;");
  const value = equals + 1 + (/^\s*/.exec(text.slice(equals + 1))?.[0].length ?? 0);
  return { start: found.index, value, end: indexOutside(text, value, ";") };
};

/** The member that is indented least: others of its name lie deeper. */
const member = (text: string, name: string, { value, end }: Extent): Extent | undefined => {
  const lines = [...text.slice(value, end).matchAll(new RegExp(String.raw`^( +)${escaped(name)}: `, "gm"))];
  const [found] = lines.toSorted((a, b) => (a[1]?.length ?? 0) - (b[1]?.length ?? 0));
  if (found === undefined) return undefined;
  const first = value + found.index + found[0].length;
  return { start: value + found.index + (found[1]?.length ?? 0), value: first, end: indexOutside(text, first, ",}") };
};

/** Of a constant, or of a member as `object.member`; undefined where the text declares none. */
export const extentOf = (text: string, name: string): Extent | undefined => {
  const [first = "", second] = name.split(".");
  const whole = constant(text, first);
  return whole === undefined || second === undefined ? whole : member(text, second, whole);
};

/** A piece of a file. */
export interface Excerpt {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** A declaration with its doc comment; undefined where the text declares none. */
export const excerptOf = (text: string, name: string): Excerpt | undefined => {
  const extent = extentOf(text, name);
  if (extent === undefined) return undefined;
  const before = text.slice(0, extent.start);
  const comment = before.trimEnd().endsWith("*/") ? before.lastIndexOf("/**") : -1;
  const start = text.lastIndexOf("\n", comment === -1 ? extent.start : comment) + 1;
  const indent = /^ */.exec(text.slice(start))?.[0].length ?? 0;
  const lines = text.slice(start, extent.end + 1).split("\n");
  return {
    line: text.slice(0, start).split("\n").length,
    text: lines.map((one) => one.replace(new RegExp(`^ {0,${indent}}`), "")).join("\n"),
  };
};
