/** What a command that runs one program is given, a token or a program file, and what is wrong with it. */
import { chain, isLeft, left, map, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Item } from "../conformance/check/batch.js";
import type { CampaignSettings, Checkable } from "../conformance/check/campaign.js";
import { isExternal } from "../conformance/check/external.js";
import { readComplete, settingsAround } from "../conformance/check/files.js";
import type { CompleteProgram } from "../conformance/check/finding.js";
import { parseProgramToken, type ProgramReplay } from "../conformance/check/program-token.js";
import { exec, isToken, labelOf, own, parseExternalToken, parseToken } from "../conformance/check/token.js";
import { InputError } from "../conformance/errors.js";

/** Which program is judged, and as part of what. */
export interface Target {
  readonly settings: CampaignSettings;
  readonly item: Item;
}

/** A token with a program in it, which may be run on whatever is named. */
const ofProgram = ({ impl: said, program }: ProgramReplay, impl: Checkable | undefined): Either<InputError, Target> => {
  const named = impl ?? (said === own || said === exec ? undefined : said);
  if (named !== undefined) return right({ settings: settingsAround(named, program), item: { index: 0, program } });
  const remedy =
    said === exec ? 'name what starts it: --impl exec:"COMMAND"' : "give it to replay of sfork/conformance";
  return left(new InputError("token", undefined, `is of an implementation that has no name here; ${remedy}`));
};

const ofToken = (token: string, impl: Checkable | undefined): Either<InputError, Target> => {
  const program = parseProgramToken(token);
  if (program !== undefined)
    return pipe(
      program,
      chain((one) => ofProgram(one, impl)),
    );
  if (impl !== undefined && !isExternal(impl)) {
    const remedy = "leave --impl out, or name the program file that was saved with it";
    const message = `--impl ${labelOf(impl)}: a token says itself what is checked; ${remedy}`;
    return left(new InputError("sfork", undefined, message));
  }
  return pipe(
    impl === undefined ? parseToken(token) : parseExternalToken(token, impl),
    map(({ settings, index }) => ({ settings, item: index })),
  );
};

const ofFile = async (file: string, impl: Checkable): Promise<Either<InputError, Target>> =>
  pipe(
    await readComplete(file, impl),
    map((program) => ({ settings: settingsAround(impl, program), item: { index: 0, file, program } })),
  );

/** A token, or a program file to run on `impl`. */
export const targetOf = async (given: string, impl: Checkable | undefined): Promise<Either<InputError, Target>> => {
  if (given.trim() === "") {
    return left(new InputError("target", undefined, "is empty; give a token that check printed, or a program file"));
  }
  return isToken(given) ? ofToken(given, impl) : ofFile(given, impl ?? "fast");
};

/** The name of a program file, for a command that takes no token. */
export const noToken = (given: string): Either<InputError, string> =>
  isToken(given)
    ? left(new InputError("token", undefined, "only sfork replay takes one; it also makes the program smaller"))
    : right(given);

/** A program file for a command that takes no token. */
export const programOf = async (file: string, impl: Checkable): Promise<Either<InputError, CompleteProgram>> => {
  const named = noToken(file);
  return isLeft(named) ? named : readComplete(file, impl);
};

/** A program without steps may fail at the start of the machine; where it does not, that says nothing. */
export const refuseEmpty = (file: string): InputError =>
  new InputError(file, undefined, "has no steps, so that nothing was checked; it may be truncated");
