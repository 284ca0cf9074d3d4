/** Programs as a user of the library gives them. What is wrong with one is thrown, as one line. */
import { isLeft, type Either } from "fp-ts/lib/Either.js";
import type { CompleteProgram } from "../check/finding.js";
import { InputError } from "../errors.js";
import { parseProgram } from "./file.js";
import { programCodec } from "./json.js";
import type { Program, ProgramSource } from "./program.js";
import { configOf } from "./trace.js";

/** The value of what is right. Throws what is wrong. */
export const orThrow = <Value>(result: Either<InputError, Value>): Value => {
  if (isLeft(result)) throw result.left;
  return result.right;
};

const complete = (source: ProgramSource, name: string): CompleteProgram => {
  const config = orThrow(configOf(source, name));
  const { version, steps } = source.program;
  return { version, config, steps };
};

/**
 * Read a program in its text form or as JSON, complete: with everything that its configuration leaves out.
 *
 * @param name names the program in errors, such as its file
 * @throws {InputError} one line with name, line and column for what is no program, or no legal configuration (CFG-1)
 */
export const readProgram = (text: string, name = "program"): CompleteProgram =>
  complete(orThrow(parseProgram(text, name)), name);

/**
 * A program with everything that its configuration leaves out: defaults, and the least legal places.
 *
 * @throws {InputError} for a value that is no program, and for a configuration that is not legal (CFG-1)
 */
export const completeProgram = (program: Program): CompleteProgram => {
  if (!programCodec.is(program)) {
    throw new InputError("program", undefined, "the value is no program; make one with readProgram, or programs()");
  }
  return complete({ program, lineOf: () => 1 }, "program");
};
