/**
 * Replay tokens of programs themselves: where a program was made from others, no seed says which one it is. The same line
 * everywhere, with the program's text in it.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { left, right, type Either } from "fp-ts/lib/Either.js";
import { z } from "zod";
import { InputError } from "../errors.js";
import { readProgram } from "../program/given.js";
import { printTextProgram } from "../program/print.js";
import { checked, type AnySettings } from "./campaign.js";
import type { CompleteProgram } from "./finding.js";
import { exec, nameOf, own } from "./token.js";

export interface ProgramReplay {
  readonly impl: ReturnType<typeof nameOf>;
  readonly program: CompleteProgram;
}

const prefix = "sf1:";

/** Bytes of the longest program that a token may hold: no token fills the memory. */
const longest = 1 << 23;

const schema = z.tuple([z.enum([...checked, own, exec]), z.string()]);

export const printProgramToken = ({ impl }: Pick<AnySettings, "impl">, program: CompleteProgram): string =>
  prefix + deflateRawSync(JSON.stringify([nameOf(impl), printTextProgram(program)])).toString("base64url");

const bodyOf = (token: string): unknown => {
  try {
    const bytes = inflateRawSync(Buffer.from(token.slice(prefix.length), "base64url"), { maxOutputLength: longest });
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
};

/** What a token of a program says; undefined for what is none, a line for a program that cannot be read. */
export const parseProgramToken = (given: string): Either<InputError, ProgramReplay> | undefined => {
  const token = given.trim();
  if (!token.startsWith(prefix)) return undefined;
  const parts = schema.safeParse(bodyOf(token));
  if (!parts.success) return undefined;
  const [impl, text] = parts.data;
  try {
    return right({ impl, program: readProgram(text, "token") });
  } catch (error) {
    if (error instanceof InputError) return left(error);
    throw error;
  }
};
