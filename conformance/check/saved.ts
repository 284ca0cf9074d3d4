/** Findings as files: a program that can be run again, with comments that say where it comes from. */
import { createHash } from "node:crypto";
import { isRight } from "fp-ts/lib/Either.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { quoted } from "../errors.js";
import { generatorVersion } from "../generate/generate.js";
import { printCommented } from "../program/print.js";
import type { AnySettings, Found } from "./campaign.js";
import type { Finding } from "./finding.js";
import { isExternal } from "./external.js";
import { parseProgramToken, printProgramToken } from "./program-token.js";
import { exec, implementationOf, labelOf, own, printToken } from "./token.js";

export interface SavedFinding {
  /** Without a folder: the rule, and a hash of the text. */
  readonly name: string;
  readonly text: string;
}

/** `sfork check` ends after so many findings, unless it is told otherwise. */
export const defaultMaxFindings = 10;

/** The two sides whose observations were compared, as `--diff` has them. */
const sidesOf = (impl: string, rule: string, strategy: StrategyName): readonly [string, string] => {
  const { separate } = strategies[strategy];
  if (rule === "REF-4") return [`spec:${strategy}`, `${impl}:${strategy}`];
  if (rule === "REF-3") return [`spec:${separate ? strategy : "posix"}`, "spec:eager"];
  return [`spec:${separate ? "posix" : "eager"}`, `spec:${strategy}`];
};

const byCommand = "replay: npx sfork replay";
const byCall = "replay: replay(create, ";

/** The token of a program of the seed, or of what is left of one that was made from others. */
export const tokenOf = (settings: AnySettings, { index, mutant, finding }: Found): string =>
  mutant === true ? printProgramToken(settings, finding.program) : printToken({ settings, index });

/** How to come to a finding again: by a command, or by a call where the implementation has no name for one. */
const replayLine = (settings: AnySettings, found: Found): string => {
  const { impl } = settings;
  const target = found.file === undefined ? tokenOf(settings, found) : undefined;
  if (typeof impl === "function") {
    return `${byCall}${target === undefined ? "TEXT" : `"${target}"`}), of sfork/conformance`;
  }
  const named = isExternal(impl) || target === undefined ? `--impl ${quoted(labelOf(impl))} ` : "";
  return `${byCommand} ${named}${target ?? "FILE"}`;
};

/** Where a finding comes from, and how to see it again: by its token, or, of a file's program, from this file. */
const originLines = (settings: AnySettings, found: Found): readonly string[] => {
  const { seed, impl } = settings;
  const { index, file, mutant, finding } = found;
  const { kind, rule, program } = finding;
  const which = mutant === true ? `made from others as program ${index}` : `program ${index}`;
  return [
    file === undefined
      ? `seed ${seed}, ${which}, generator ${generatorVersion}`
      : `from the file ${JSON.stringify(file)}`,
    replayLine(settings, found),
    ...(kind === "observation" && rule !== "REF-0" && typeof impl === "string"
      ? [`or:    npx sfork run --diff ${sidesOf(impl, rule, program.config.strategy).join(",")} FILE`]
      : []),
  ];
};

const implOfProgram = (token: string): string | undefined => {
  const program = parseProgramToken(token);
  return program !== undefined && isRight(program) ? program.right.impl : undefined;
};

/** What was checked when a file was saved, `own` for what has no name, and the rule that was broken; of other files nothing. */
export const originOf = (text: string): { readonly impl?: string | undefined; readonly rule?: string | undefined } => {
  const line = /^# (replay: .*)$/m.exec(text)?.[1];
  if (line === undefined) return {};
  const [, rule] = /^sfork 1\r?\n# ([A-Z]+(?:-\d+)?): /.exec(text) ?? [];
  if (line.startsWith(byCall)) return { impl: own, rule };
  const [, named, token] = new RegExp(`^${byCommand} (?:--impl (\\S+)|(\\S+))`).exec(line) ?? [];
  if (line.startsWith(`${byCommand} --impl 'exec:`) || named?.startsWith("exec:") === true) return { impl: exec, rule };
  return { impl: token === undefined ? named : (implementationOf(token) ?? implOfProgram(token)), rule };
};

/** The program as a text file, with what was found and where it comes from. */
export const savedFrom = (finding: Finding, origin: readonly string[]): SavedFinding => {
  const { kind, rule, where, what, expected, actual, step, also, program } = finding;
  const lines = [
    `${rule}: ${what} (${kind}; ${where}; step ${step})`,
    ...(kind === "observation" || rule === "REF-4" ? [`expected: ${expected}`, `actual:   ${actual}`] : []),
    ...(also.length === 0 ? [] : [`also breaks ${also.join(", ")}`]),
    ...origin,
  ];
  const text = printCommented(program, lines);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { name: `${rule}-${hash}.sfork`, text };
};

export const savedFinding = (settings: AnySettings, found: Found): SavedFinding =>
  savedFrom(found.finding, originLines(settings, found));
