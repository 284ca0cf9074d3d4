/** `sfork vectors`: capability and instruction vectors against the specification and the optimised codec. */
import process from "node:process";
import { Command, Option } from "commander";
import { z } from "zod";
import type { Codec } from "../conformance/codec.js";
import { plural } from "../conformance/plural.js";
import { shorten } from "../conformance/errors.js";
import { fastCodec } from "../conformance/fast-codec.js";
import { specCodec } from "../conformance/spec-codec.js";
import { checkVectorFile, type FileReport, type VectorRow } from "../conformance/vectors/run.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, out } from "./output.js";
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

A vector file is JSON Lines: a header such as {"format":"morello","kind":"crrl","count":1}, then
one vector a line; tests/vectors/README.md describes the kinds. - reads standard input.
A line that cannot be read ends its file; the other files are still checked. A vector with a field
that is not known is skipped. The first three mismatches of a row are shown, and in the JSON.

Exit status: 0 nothing failed; 1 a vector failed; 2 wrong usage, or an input could not be read (even
if a vector failed); 3 the output could not be written; 130 interrupted.`;

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
      return at === 0 ? out.bold(text) : failed ? out.red(text) : text;
    })
    .join("\n");
};

const mismatches = (row: VectorRow): readonly string[] => [
  ...row.mismatches.flatMap((mismatch) => [
    "",
    out.red(`${row.file}:${mismatch.line}: ${row.impl} answers otherwise`),
    `  vector ${shorten(mismatch.vector, 1000)}`,
    ...mismatch.differences.map(({ path, expected, actual }) => `  ${path}: vector ${expected}, ${row.impl} ${actual}`),
  ]),
  ...(row.failed > row.mismatches.length ? [`  and ${row.failed - row.mismatches.length} more`] : []),
];

const count = (rows: readonly VectorRow[], column: "passed" | "failed" | "skipped"): number =>
  rows.reduce((sum, row) => sum + row[column], 0);

const human = (reports: readonly FileReport[], seconds: number): string => {
  const rows = reports.flatMap((report) => report.rows);
  const total = (column: "passed" | "failed" | "skipped"): string => count(rows, column).toLocaleString("en");
  const unfinished = reports.filter((report) => report.error !== undefined).length;
  const summary = [
    `${total("passed")} passed`,
    `${total("failed")} failed`,
    `${total("skipped")} skipped`,
    ...(unfinished > 0 ? [`${plural(unfinished, "file")} not read to the end`] : []),
  ].join(", ");
  return [
    ...(rows.length > 0 ? [table(rows)] : []),
    ...rows.flatMap(mismatches),
    "",
    `${plural(reports.length, "file")}, ${plural(rows.length, "row")}: ${summary} (${seconds.toFixed(1)} s)`,
  ].join("\n");
};

/** What a reader might take for a pass: skipped vectors, and files for which there was nothing to check. */
const remarks = (reports: readonly FileReport[], files: readonly string[]): readonly string[] => [
  ...reports.flatMap(({ rows, error }, index) => {
    const file = files[index] ?? "";
    const [first] = rows.flatMap(({ firstSkipped }) => firstSkipped ?? []);
    if (first !== undefined) return [`${file}:${first.line}: the first vector that was skipped: ${first.reason}`];
    const judged = count(rows, "passed") + count(rows, "failed");
    return judged === 0 && error === undefined ? [`${file}: nothing was checked`] : [];
  }),
];

const machine = (reports: readonly FileReport[], ok: boolean, interrupted: boolean): object => {
  const rows = reports.flatMap((report) => report.rows);
  return {
    ok,
    files: rows.map(({ file, format, kind, impl, passed, failed, skipped }) => {
      return { file, format, kind, impl, passed, failed, skipped };
    }),
    mismatches: rows.flatMap(({ file, impl, mismatches: kept }) => kept.map((one) => ({ file, impl, ...one }))),
    skipped: rows.flatMap(({ file, impl, firstSkipped }) =>
      firstSkipped === undefined ? [] : [{ file, impl, ...firstSkipped }],
    ),
    errors: reports.flatMap(({ error }) =>
      error === undefined ? [] : [{ file: error.file, line: error.line ?? null, message: error.message }],
    ),
    ...(interrupted ? { interrupted } : {}),
  };
};

const check = async (
  files: readonly string[],
  options: z.infer<typeof optionsSchema>,
  done: (code: ExitCode) => void,
): Promise<void> => {
  const started = Date.now();
  const progress = createProgress();
  const abort = new AbortController();
  const interrupt = (): void => {
    progress.clear();
    process.stderr.write("stopping; once more to stop at once\n");
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  const reports: FileReport[] = [];
  for (const [index, file] of files.entries()) {
    if (abort.signal.aborted) break;
    const begun = Date.now();
    const show = (vectors: number, of: number): void => {
      const seconds = (Date.now() - begun) / 1000;
      const rate = vectors / Math.max(seconds, 0.001);
      const speed = `${Math.round(rate).toLocaleString("en")}/s, ${duration((of - vectors) / rate)} left`;
      const where = files.length === 1 ? file : `file ${index + 1} of ${files.length}: ${file}`;
      progress.update(`${vectors.toLocaleString("en")} vectors, ${speed}, ${where}`);
    };
    const report = await checkVectorFile(file, codecs[options.impl], show, abort.signal);
    progress.clear();
    reports.push(report);
    if (report.error !== undefined) complain(report.error.describe());
  }
  process.off("SIGINT", interrupt);

  const interrupted = abort.signal.aborted;
  const failed = reports.some(({ rows }) => rows.some((row) => row.failed > 0));
  const unreadable = reports.some((report) => report.error !== undefined);
  // The verdict stands before anything is printed: a reader that goes away must not change it.
  const ended = interrupted ? exitCodes.interrupted : exitCodes.held;
  done(unreadable ? exitCodes.usage : failed ? exitCodes.finding : ended);
  for (const remark of remarks(reports, files)) process.stderr.write(`${remark}\n`);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(machine(reports, !failed && !unreadable && !interrupted, interrupted), null, 2)}\n`
      : `${human(reports, (Date.now() - started) / 1000)}\n${interrupted ? "interrupted: not everything was checked\n" : ""}`,
  );
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
      await check(files, optionsSchema.parse(options), done);
    });
