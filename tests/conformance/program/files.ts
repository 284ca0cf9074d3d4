/** What tests of program files share. */
import { isLeft, isRight, type Either } from "fp-ts/lib/Either.js";
import type { InputError } from "../../../conformance/errors.js";
import { parseProgram } from "../../../conformance/program/file.js";
import type { Program } from "../../../conformance/program/program.js";

/** The value of what has to be right. */
export const rightOf = <Value>(either: Either<unknown, Value>): Value => {
  if (isLeft(either)) throw new Error(`not right: ${JSON.stringify(either.left)}`);
  return either.right;
};

export const read = (text: string, file = "p.sfork"): Program => {
  const parsed = parseProgram(text, file);
  if (isLeft(parsed)) throw new Error(parsed.left.describe());
  return parsed.right.program;
};

/** The line with which a text is refused. */
export const refusal = (parsed: Either<InputError, unknown>): string =>
  isRight(parsed) ? "accepted" : parsed.left.describe();

/** A text program with these lines. */
export const lines = (...more: readonly string[]): string => `${["sfork 1", ...more].join("\n")}\n`;
