/** `sfork bench`: what the specification costs, in medians. */
import process from "node:process";
import { Argument, Command } from "commander";
import { z } from "zod";
import { benchFork } from "../bench/fork.js";
import type { BenchRow } from "../bench/small.js";
import { benchSteps } from "../bench/steps.js";
import { seedOf } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { out } from "./output.js";

const benchmarks = ["steps", "fork"] as const;

const nameSchema = z.enum(benchmarks).optional();

const optionsSchema = z.object({ seed: z.string(), json: z.boolean().default(false) });

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ sfork bench
  $ sfork bench steps --seed 2
  $ sfork bench fork --json

steps: one step, over generated programs of all formats and strategies, and by class of operations.
fork: one fork, by strategy and format, with a pointer in every eighth granule of the data part.
Both with regions of 8 pages of 256 bytes. Other programs that run at the same time make everything slower.

Exit status: 0 measured; 2 wrong usage; 3 the output could not be written.`;

const programs = 120;
const samples = 200;

const run = (name: (typeof benchmarks)[number], { seed }: Options): readonly BenchRow[] => {
  switch (name) {
    case "steps":
      return benchSteps({ seed, programs });
    case "fork":
      return benchFork({ samples });
  }
};

const time = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(1));

/** A table with the columns of its first row. */
const table = (rows: readonly BenchRow[]): string => {
  const names = Object.keys(rows[0]?.what ?? {});
  const lines = [
    [...names, "median µs", "90 % within µs", "samples"],
    ...rows.map(({ what, median, p90, samples: count }) => [
      ...names.map((name) => what[name] ?? ""),
      time(median),
      time(p90),
      count.toString(),
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

const bench = (name: z.infer<typeof nameSchema>, options: Options, done: (code: ExitCode) => void): void => {
  const results = (name === undefined ? benchmarks : [name]).map((one) => run(one, options));
  done(exitCodes.held);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(
          results.flat().map(({ benchmark, what, median, p90, samples: count, unit }) => {
            return { benchmark, ...what, median, p90, samples: count, unit };
          }),
          null,
          2,
        )}\n`
      : `${results.map(table).join("\n\n")}\n`,
  );
};

export const benchCommand = (done: (code: ExitCode) => void): Command =>
  new Command("bench")
    .description("measure the specification: one step, one fork")
    .addArgument(new Argument("[name]", "what to measure (default: everything)").choices(benchmarks))
    .option("--seed <seed>", "which programs", seedOf, "bench")
    .option("--json", "print an array of rows instead of a table")
    .addHelpText("after", examples)
    .action((name: unknown, options: unknown) => {
      bench(nameSchema.parse(name), optionsSchema.parse(options), done);
    });
