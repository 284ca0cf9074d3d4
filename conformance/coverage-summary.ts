/** Coverage in a few lines: what was not reached, and what was reached least. */
import { cornerCases, type CornerCase } from "./corner-cases.js";
import type { CoverageResult, OperationCoverage } from "./coverage.js";
import { plural } from "./plural.js";
import { entryOf, isOperationName } from "./program/operation-codec.js";

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);

/** Those that copy or clear whatever they are given. */
const unfailing: readonly string[] = ["cmove", "ccleartag", "cgetpcc"];

/** It traps or reports errors, or makes untagged results where it is not allowed to make tagged ones (CAP-3). */
const canFail = (name: string): boolean => {
  if (!isOperationName(name)) return false;
  const { errors, traps, result, rule } = entryOf(name);
  const derives = rule.startsWith("CAP-") && result === "capability" && !unfailing.includes(name);
  return errors !== undefined || traps !== undefined || derives;
};

const failures = ({ failed, trapped }: OperationCoverage): number => sum(failed) + sum(trapped);

/** The operation was tried, and none of the formats that were drawn has it. */
const isAbsent = (seen: OperationCoverage): boolean =>
  (seen.discarded["unsupported"] ?? 0) > 0 && seen.succeeded + failures(seen) === 0;

/** A short run misses most of everything: longer lists are cut. */
const mostNames = 20;

const names = (list: readonly string[]): string => {
  const more = list.length - mostNames;
  if (more > 1) return `${list.slice(0, mostNames).join(", ")} and ${more} more`;
  return list.length === 0 ? "none" : list.join(", ");
};

const fold = (text: string, width: number): readonly string[] =>
  text.split(" ").reduce<readonly string[]>((lines, word) => {
    const last = lines.at(-1);
    return last !== undefined && last.length + 1 + word.length <= width
      ? [...lines.slice(0, -1), `${last} ${word}`]
      : [...lines, word];
  }, []);

const labelWidth = 17;
const textWidth = 100;

const entry = (label: string, text: string): readonly string[] =>
  fold(text, textWidth).map((line, index) => `  ${(index === 0 ? label : "").padEnd(labelWidth)}${line}`);

/** `no internal one, 0-3, 5`: of consecutive exponents only the ends. */
const ranges = (exponents: readonly string[]): string => {
  const numbers = exponents.filter((one) => one !== "none").map(Number);
  const runs = numbers.reduce<readonly (readonly [number, number])[]>((sofar, number) => {
    const last = sofar.at(-1);
    return last?.[1] === number - 1 ? [...sofar.slice(0, -1), [last[0], number]] : [...sofar, [number, number]];
  }, []);
  const printed = runs.map(([from, to]) => (from === to ? from.toString() : `${from}-${to}`));
  return [...(exponents.includes("none") ? ["no internal one"] : []), ...printed].join(", ");
};

/** So many of the cases that were reached least stand with their descriptions. */
const shown = 8;

const percent = (count: number, programs: number): string => `${((100 * count) / Math.max(1, programs)).toFixed(1)} %`;

const caseLines = (
  reached: Counts,
  programs: number,
  cases: Readonly<Record<string, CornerCase>>,
): readonly string[] => {
  const all = Object.entries(reached);
  const missed = all.filter(([, count]) => count === 0).map(([name]) => name);
  // Equal counts keep the order of the list of cases.
  const least = all.filter(([, count]) => count > 0).sort(([, a], [, b]) => a - b);
  const width = Math.max(0, ...least.slice(0, shown).map(([name]) => name.length));
  const digits = programs.toString().length;
  const rows = least.slice(0, shown).map(([name, count]) => {
    const share = percent(count, programs).padStart("100.0 %".length);
    return `    ${count.toString().padStart(digits)} ${share}  ${name.padEnd(width)}  ${cases[name]?.description ?? ""}`;
  });
  return [
    ...entry("corner cases", `${least.length} of ${all.length} reached; not reached: ${names(missed)}`),
    ...(rows.length === 0 ? [] : [`  reached least, of ${programs} programs:`, ...rows]),
  ];
};

/** A few lines; what they leave out is in the result itself. */
export const summarizeCoverage = (
  { programs, operations, traps, cornerCases: reached, exponents }: CoverageResult,
  cases: Readonly<Record<string, CornerCase>> = cornerCases,
): string => {
  const present = Object.entries(operations).filter(([, seen]) => !isAbsent(seen));
  const succeeded = present.filter(([, seen]) => seen.succeeded > 0);
  const never = present.filter(([, seen]) => seen.succeeded === 0).map(([name]) => name);
  const sound = present.filter(([name, seen]) => canFail(name) && failures(seen) === 0).map(([name]) => name);
  const formats = Object.entries(exponents).filter(([, seen]) => sum(seen) > 0);
  return [
    `coverage of ${plural(programs, "program")}`,
    ...entry("operations", `${succeeded.length} of ${present.length} succeeded; never: ${names(never)}`),
    ...entry("never failed", `${names(sound)} (of those that can)`),
    ...entry("traps", names(Object.keys(traps))),
    ...entry("exponents", formats.map(([name, seen]) => `${name} ${ranges(Object.keys(seen))}`).join("; ")),
    ...caseLines(reached, programs, cases),
  ].join("\n");
};
