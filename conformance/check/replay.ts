/** A finding again, on a user's own implementation: from its token, or from its program. */
import { InputError } from "../errors.js";
import type { Program } from "../program/program.js";
import { completeProgram, orThrow, readProgram } from "../program/given.js";
import { judgeAs, judgeProgram, minimised, type Create } from "./campaign.js";
import type { Finding } from "./finding.js";
import type { Verdict } from "./judge.js";
import { bound } from "./own.js";
import { parseProgramToken } from "./program-token.js";
import { isToken, parseAnyToken } from "./token.js";

export interface Replayed {
  /** Everything held. */
  readonly ok: boolean;
  /** Steps that were taken. */
  readonly steps: number;
  /** Undefined where everything held. Its `program` is the smallest that shows it. */
  readonly finding: Finding | undefined;
}

const verdictOf = (impl: Create, target: string | Program): { readonly index: number; readonly verdict: Verdict } => {
  if (typeof target === "string" && isToken(target)) {
    const whole = parseProgramToken(target);
    if (whole !== undefined) return { index: 0, verdict: judgeAs(impl, orThrow(whole).program, { full: true }) };
    const { settings, index } = orThrow(parseAnyToken(target));
    return judgeProgram({ ...settings, impl }, index);
  }
  const program = typeof target === "string" ? readProgram(target) : completeProgram(target);
  return { index: 0, verdict: judgeAs(impl, program, { full: true }) };
};

/**
 * Judge one program again, and make what is found smaller: the same verdict and the same program on any machine.
 *
 * @param create makes the implementation, as for `check`
 * @param target a token that `check` reported; a program; or one as text, as its file has it
 * @throws {InputError} for a token of another version of the generator, and for what is no program
 */
export const replay = (create: Create, target: string | Program): Replayed => {
  if (typeof create !== "function") {
    throw new InputError("replay", undefined, "create is no function; give one that makes an implementation");
  }
  const impl = bound(create);
  const { index, verdict } = verdictOf(impl, target);
  const { steps, finding: found } = verdict;
  const finding = found && minimised({ impl }, { index, finding: found }).finding;
  return { ok: finding === undefined, steps, finding };
};
