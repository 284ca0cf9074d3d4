/** Findings as files: a program that can be run again, with comments that say where it comes from. */
import { createHash } from "node:crypto";
import type { StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { generatorVersion } from "../generate/generate.js";
import { printTextProgram } from "../program/print.js";
import type { AnySettings, Found } from "./campaign.js";
import { printToken } from "./token.js";

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

/** How to come to the finding again: by a command, or by a call where the implementation has no name for one. */
const again = (settings: AnySettings, { index, finding: { kind, rule, program } }: Found): readonly string[] => {
  const { impl } = settings;
  const token = printToken({ settings, index });
  if (typeof impl === "function") return [`replay: replay(create, "${token}"), of sfork/conformance`];
  const sides = sidesOf(impl, rule, program.config.strategy).join(",");
  return [
    `replay: npx sfork replay ${token}`,
    ...(kind === "observation" ? [`or:    npx sfork run --diff ${sides} FILE`] : []),
  ];
};

/** The program as a text file. */
export const savedFinding = (settings: AnySettings, found: Found): SavedFinding => {
  const { index, finding } = found;
  const { kind, rule, where, what, expected, actual, step, also, program } = finding;
  const lines = [
    `${rule}: ${what} (${kind}; ${where}; step ${step})`,
    ...(kind === "observation" || rule === "REF-4" ? [`expected: ${expected}`, `actual:   ${actual}`] : []),
    ...(also.length === 0 ? [] : [`also breaks ${also.join(", ")}`]),
    `seed ${settings.seed}, program ${index}, generator ${generatorVersion}`,
    ...again(settings, found),
  ];
  const text = printTextProgram(program);
  const end = text.indexOf("\n") + 1;
  // The header line stays the first, so that the file says at once what it is.
  const whole = text.slice(0, end) + lines.map((line) => `# ${line}\n`).join("") + text.slice(end);
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 12);
  return { name: `${rule}-${hash}.sfork`, text: whole };
};
