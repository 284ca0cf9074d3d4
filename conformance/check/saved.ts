/** Findings as files: a program that can be run again, with comments that say where it comes from. */
import { createHash } from "node:crypto";
import type { StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { generatorVersion } from "../generate/generate.js";
import { printCommented } from "../program/print.js";
import type { CampaignSettings, Found } from "./campaign.js";
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

/** The program as a text file. */
export const savedFinding = (settings: CampaignSettings, { index, finding }: Found): SavedFinding => {
  const { kind, rule, where, what, expected, actual, step, also, program } = finding;
  const { strategy } = program.config;
  const lines = [
    `${rule}: ${what} (${kind}; ${where}; step ${step})`,
    ...(kind === "observation" || rule === "REF-4" ? [`expected: ${expected}`, `actual:   ${actual}`] : []),
    ...(also.length === 0 ? [] : [`also breaks ${also.join(", ")}`]),
    `seed ${settings.seed}, program ${index}, generator ${generatorVersion}`,
    `replay: npx sfork replay ${printToken({ settings, index })}`,
    ...(kind === "observation"
      ? [`or:    npx sfork run --diff ${sidesOf(settings.impl, rule, strategy).join(",")} FILE`]
      : []),
  ];
  const text = printCommented(program, lines);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { name: `${rule}-${hash}.sfork`, text };
};
