/** What an implementation that is not running declares: its hello, in a file. */
import { readFileSync } from "node:fs";
import { isLeft } from "fp-ts/lib/Either.js";
import { InputError, whyUnreadable } from "../conformance/errors.js";
import { printProblem } from "../conformance/program/strict.js";
import { decodeHello, type Hello } from "../conformance/protocol/messages.js";
import { declarationOf, type Declaration } from "../conformance/protocol/negotiate.js";

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new InputError(file, undefined, whyUnreadable(error));
  }
};

const jsonOf = (file: string): unknown => {
  const text = textOf(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(file, undefined, "this is not JSON; save what the implementation answers to hello");
  }
};

/** Read a hello; throws the `InputError` of what is wrong with it. */
export const readHello = (file: string): { readonly hello: Hello; readonly declaration: Declaration } => {
  const decoded = decodeHello(jsonOf(file));
  if (isLeft(decoded)) throw new InputError(file, undefined, printProblem(decoded.left));
  const declaration = declarationOf(decoded.right);
  if ("wrong" in declaration) throw new InputError(file, undefined, declaration.wrong);
  return { hello: decoded.right, declaration };
};
