/** Coverage as a table to read. */
import { cornerCases, type CornerCase } from "./corner-cases.js";
import type { CoverageResult, OperationCoverage } from "./coverage.js";

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);

const list = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

/** Rows with columns as wide as their widest entry; all but the first and the last are numbers. */
const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const last = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: last }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : column === last ? cell : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
};

const operationRow = ([name, { succeeded, failed, trapped, discarded }]: readonly [
  string,
  OperationCoverage,
]): readonly string[] => [
  name,
  succeeded.toString(),
  sum(failed).toString(),
  sum(trapped).toString(),
  list({ ...failed, ...discarded }),
];

const share = (count: number, programs: number): string => `${((100 * count) / Math.max(1, programs)).toFixed(2)} %`;

/** Operations, traps, corner cases and exponents, a line each. */
export const printCoverage = (
  { programs, steps, operations, traps, cornerCases: reached, exponents }: CoverageResult,
  cases: Readonly<Record<string, CornerCase>> = cornerCases,
): string =>
  [
    `${programs} programs, ${steps} steps`,
    "",
    ...columns([["operation", "succeeded", "failed", "trapped", ""], ...Object.entries(operations).map(operationRow)]),
    "",
    ...columns([
      ["trap", "steps", ""],
      ...Object.entries(traps).map(([cause, count]) => [cause, count.toString(), ""]),
    ]),
    "",
    ...columns([
      ["corner case", "programs", "share", ""],
      ...Object.entries(reached).map(([name, count]) => [
        name,
        count.toString(),
        share(count, programs),
        cases[name]?.description ?? "",
      ]),
    ]),
    "",
    ...columns([["format", "exponents"], ...Object.entries(exponents).map(([name, seen]) => [name, list(seen)])]),
    "",
  ].join("\n");
