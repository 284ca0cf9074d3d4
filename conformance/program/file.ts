/** Program files: text or JSON, told apart by what they begin with. */
import { left, type Either } from "fp-ts/lib/Either.js";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { text as readStream } from "node:stream/consumers";
import { InputError, whyUnreadable } from "../errors.js";
import { parseJsonProgram } from "./json.js";
import type { ProgramSource } from "./program.js";
import { parseTextProgram } from "./text.js";

/** Read a program in either form; `file` names it in messages. */
export const parseProgram = (text: string, file: string): Either<InputError, ProgramSource> =>
  /^\uFEFF?\s*[{[]/.test(text) ? parseJsonProgram(text.replace(/^\uFEFF/, ""), file) : parseTextProgram(text, file);

/** Read a program file; `-` is standard input. */
export const readProgram = async (file: string): Promise<Either<InputError, ProgramSource>> => {
  try {
    return parseProgram(file === "-" ? await readStream(process.stdin) : await readFile(file, "utf8"), file);
  } catch (error) {
    return left(new InputError(file, undefined, whyUnreadable(error)));
  }
};
