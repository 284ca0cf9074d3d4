/** Coverage in a few lines: what was not reached, and what was reached least. */
import { cornerCases, type CornerCase } from "./corner-cases.js";
import type { CoverageResult, OperationCoverage } from "./coverage.js";
import { fold } from "./fold.js";
import { plural } from "./plural.js";
import { caseKinds, countCases, unreachable } from "./rules/cases.js";

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);

/** The operation was tried, and none of the formats that were drawn has it. */
const isAbsent = ({ discarded, succeeded, failed, trapped }: OperationCoverage): boolean =>
  (discarded["unsupported"] ?? 0) > 0 && succeeded + sum(failed) + sum(trapped) === 0;

/** A short run misses most of everything: longer lists are cut. */
const mostNames = 20;

const names = (list: readonly string[]): string => {
  const more = list.length - mostNames;
  if (more > 1) return `${list.slice(0, mostNames).join(", ")} and ${more} more`;
  return list.length === 0 ? "none" : list.join(", ");
};

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

/** Of the cases that the table has, those that can be reached, in the formats that were drawn. */
const ruleCaseLine = (coverage: CoverageResult): string => {
  const present = [...countCases(coverage)].filter(([{ name, operation }]) => {
    const seen = coverage.operations[operation];
    return !unreachable.has(name) && seen !== undefined && !isAbsent(seen);
  });
  const missed = present.filter(([, times]) => times === 0).map(([{ name }]) => name);
  const kinds = caseKinds.map((kind) => {
    const all = present.filter(([one]) => one.kind === kind);
    return `${kind} ${all.filter(([, times]) => times > 0).length} of ${all.length}`;
  });
  const reached = `${present.length - missed.length} of ${present.length} reached (${kinds.join(", ")})`;
  return `${reached}; not reached: ${names(missed)}`;
};

/** A few lines; what they leave out is in the result itself. */
export const summarizeCoverage = (
  coverage: CoverageResult,
  cases: Readonly<Record<string, CornerCase>> = cornerCases,
): string => {
  const { programs, cornerCases: reached, exponents } = coverage;
  const formats = Object.entries(exponents).filter(([, seen]) => sum(seen) > 0);
  return [
    `coverage of ${plural(programs, "program")}`,
    ...entry("rule cases", ruleCaseLine(coverage)),
    ...entry("exponents", formats.map(([name, seen]) => `${name} ${ranges(Object.keys(seen))}`).join("; ")),
    ...caseLines(reached, programs, cases),
  ].join("\n");
};
