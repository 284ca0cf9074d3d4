/** Rows of benchmarks as tables. */
import type { BenchRow } from "../bench/small.js";
import { out } from "./output.js";

/** Three digits, and more where a number has them before the point. */
const figure = (value: number): string => {
  if (Number.isNaN(value)) return "-";
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** A table with the columns of its first row. */
export const table = (rows: readonly BenchRow[]): string => {
  const [first] = rows;
  const names = Object.keys(first?.what ?? {});
  const figures = Object.keys(first?.figures ?? {});
  const lines = [
    [...names, ...figures.map((name) => [name, first?.units[name] ?? ""].join(" ").trimEnd())],
    ...rows.map((row) => [
      ...names.map((name) => row.what[name] ?? ""),
      ...figures.map((name) => figure(row.figures[name] ?? NaN)),
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line, at) => {
      const cells = line.map((cell, column) =>
        column < names.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      );
      return at === 0 ? out.bold(cells.join("  ")) : cells.join("  ");
    })
    .join("\n");
};
