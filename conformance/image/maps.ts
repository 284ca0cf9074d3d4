/** A copy of /proc/PID/maps: what the mappings of a process are called, and what it may do there (proc(5)). */
import { readFileSync, statSync } from "node:fs";
import type { Protection } from "../../spec/sfork/operation.js";
import { InputError, plainLine, quote, whyUnreadable } from "../errors.js";

export interface MapsLine {
  readonly start: number;
  readonly end: number;
  readonly protection: Protection;
  /** Empty where it has none. */
  readonly name: string;
}

const mostBytes = 1 << 24;

const lineOf = /^([\da-f]{1,16})-([\da-f]{1,16}) ([r-])([w-])([x-])[ps] [\da-f]+ [\da-f]+:[\da-f]+ \d+\s*(.*)$/;

/** The lines of such a file; throws the `InputError` of one that is none. */
export const parseMaps = (file: string, text: string): readonly MapsLine[] => {
  const lines = text.split("\n");
  let last = 0;
  const parsed = lines.flatMap((line, index): readonly MapsLine[] => {
    if (line.trim() === "") return [];
    const [, from = "", to = "", r, w, x, name = ""] = lineOf.exec(line) ?? [];
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    const refuse = (what: string): never => {
      throw new InputError(file, index + 1, what);
    };
    if (r === undefined) refuse(`${quote(line)} is no line of /proc/PID/maps; copy the file with cat`);
    // The kernel's own pages lie above everything else.
    if (start > Number.MAX_SAFE_INTEGER) return [];
    if (start >= end || start % 4096 !== 0 || end % 4096 !== 0) refuse(`${from}-${to} is no range of pages`);
    if (start < last) refuse(`${from}-${to} begins before the line above ends`);
    last = end;
    const protection = { read: r === "r", write: w === "w", execute: x === "x" };
    return [{ start, end, protection, name: plainLine(name.trim()) }];
  });
  if (parsed.length === 0)
    throw new InputError(file, undefined, "has no line of /proc/PID/maps; copy the file with cat");
  return parsed;
};

/** Read one. */
export const readMaps = (file: string): readonly MapsLine[] => {
  try {
    if (statSync(file).size > mostBytes)
      throw new InputError(file, undefined, "is too long for a copy of /proc/PID/maps");
    return parseMaps(file, readFileSync(file, "utf8"));
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(file, undefined, whyUnreadable(error));
  }
};
