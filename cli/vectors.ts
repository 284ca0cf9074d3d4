/** `sfork vectors`: capability and instruction vectors against the specification and the optimised codec. */
import process from "node:process";
import { Command, Option } from "commander";
import colors from "picocolors";
import { z } from "zod";
import type { Codec } from "../conformance/codec.js";
import { fastCodec } from "../conformance/fast-codec.js";
import { specCodec } from "../conformance/spec-codec.js";
import { checkVectorFile, type FileReport, type VectorRow } from "../conformance/vectors/run.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { createProgress, duration } from "./progress.js";

const implementations = ["spec", "fast", "both"] as const;

const optionsSchema = z.object({ impl: z.enum(implementations), json: z.boolean().default(false) });

const codecs: Readonly<Record<(typeof implementations)[number], readonly Codec[]>> = {
  spec: [specCodec],
  fast: [fastCodec],
  both: [specCodec, fastCodec],
};

const examples = `
Examples:
  $ sfork vectors tests/vectors/*/*.jsonl.gz
  $ sfork vectors --impl spec tests/vectors/cheri128-v9/instructions.jsonl.gz
  $ sfork vectors --json my-vectors.jsonl

The format of vector files is described in tests/vectors/README.md.
Exit status: 0 all passed; 1 a vector failed; 2 an input could not be read (the others are still checked).`;

const columns = ["file", "format", "kind", "impl", "passed", "failed", "skipped"] as const;

const table = (rows: readonly VectorRow[]): string => {
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const isNumber = (index: number): boolean => index >= 4;
  return lines
    .map((line, at) => {
      const text = line
        .map((cell, index) => (isNumber(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
        .join("  ");
      const failed = at > 0 && rows[at - 1]?.failed !== 0;
      return at === 0 ? colors.bold(text) : failed ? colors.red(text) : text;
    })
    .join("\n");
};

const mismatches = (row: VectorRow): readonly string[] =>
  row.mismatches.flatMap((mismatch) => [
    "",
    colors.red(`${row.file}:${mismatch.line}: ${row.impl} answers otherwise`),
    `  vector ${mismatch.vector}`,
    ...mismatch.differences.map(({ path, expected, actual }) => `  ${path}: vector ${expected}, ${row.impl} ${actual}`),
  ]);

const count = (rows: readonly VectorRow[], column: "passed" | "failed" | "skipped"): number =>
  rows.reduce((sum, row) => sum + row[column], 0);

const plural = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

const human = (reports: readonly FileReport[], seconds: number): string => {
  const rows = reports.flatMap((report) => report.rows);
  const total = (column: "passed" | "failed" | "skipped"): string => count(rows, column).toLocaleString("en");
  const unreadable = reports.filter((report) => report.error !== undefined).length;
  const summary = [
    `${total("passed")} passed`,
    `${total("failed")} failed`,
    `${total("skipped")} skipped`,
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ].join(", ");
  return [
    ...(rows.length > 0 ? [table(rows)] : []),
    ...rows.flatMap(mismatches),
    "",
    `${plural(reports.length, "file")}, ${plural(rows.length, "row")}: ${summary} (${seconds.toFixed(1)} s)`,
  ].join("\n");
};

const check = async (files: readonly string[], options: z.infer<typeof optionsSchema>): Promise<ExitCode> => {
  const started = Date.now();
  const progress = createProgress();
  const abort = new AbortController();
  const interrupt = (): void => {
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  const reports: FileReport[] = [];
  for (const file of files) {
    if (abort.signal.aborted) break;
    const begun = Date.now();
    const report = await checkVectorFile(file, codecs[options.impl], ({ vectors, fraction }) => {
      const seconds = (Date.now() - begun) / 1000;
      const left = fraction > 0 ? (seconds * (1 - fraction)) / fraction : 0;
      const rate = Math.round(vectors / Math.max(seconds, 0.001)).toLocaleString("en");
      progress.update(`${file}: ${vectors.toLocaleString("en")} vectors, ${rate}/s, ${duration(left)} left`);
      return !abort.signal.aborted;
    });
    progress.clear();
    reports.push(report);
    if (report.error !== undefined) process.stderr.write(`${colors.red(report.error.describe())}\n`);
  }
  process.off("SIGINT", interrupt);
  const interrupted = abort.signal.aborted;

  const rows = reports.flatMap((report) => report.rows);
  const unreadable = reports.some((report) => report.error !== undefined);
  const failed = rows.some((row) => row.failed > 0);
  if (options.json) {
    const summary = {
      ok: !failed && !unreadable && !interrupted,
      files: rows.map(({ file, format, kind, impl, passed, failed: wrong, skipped }) => ({
        file,
        format,
        kind,
        impl,
        passed,
        failed: wrong,
        skipped,
      })),
      mismatches: rows.flatMap(({ file, impl, mismatches: kept }) => kept.map((one) => ({ file, impl, ...one }))),
      errors: reports.flatMap(({ error }) =>
        error === undefined ? [] : [{ file: error.file, line: error.line ?? null, message: error.message }],
      ),
      ...(interrupted ? { interrupted: true } : {}),
    };
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else {
    process.stdout.write(`${human(reports, (Date.now() - started) / 1000)}\n`);
    if (interrupted) process.stdout.write("interrupted: not everything was checked\n");
  }
  if (unreadable) return exitCodes.usage;
  if (failed) return exitCodes.finding;
  return interrupted ? exitCodes.interrupted : exitCodes.held;
};

export const vectorsCommand = (done: (code: ExitCode) => void): Command =>
  new Command("vectors")
    .description("check capability vectors (JSON Lines with a header line, gzipped or not)")
    .argument("<file...>", "vector files")
    .addOption(
      new Option("--impl <name>", "what to check; instruction vectors are for the specification only")
        .choices(implementations)
        .default("both"),
    )
    .option("--json", "print one JSON object instead of a table")
    .addHelpText("after", examples)
    .action(async (files: readonly string[], options: unknown) => {
      done(await check(files, optionsSchema.parse(options)));
    });
