/** `sfork bench`: what the specification costs, and how much less the optimised implementation does. */
import process from "node:process";
import { Argument, Command } from "commander";
import { z } from "zod";
import { benchAccesses } from "../bench/accesses.js";
import { benchCheck } from "../bench/check.js";
import { benchFork } from "../bench/fork.js";
import { benchMemory } from "../bench/memory.js";
import type { BenchRow } from "../bench/small.js";
import { benchSteps } from "../bench/steps.js";
import { seedOf } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { out } from "./output.js";

const benchmarks = ["steps", "fork", "accesses", "memory", "check"] as const;

const nameSchema = z.enum(benchmarks).optional();

const optionsSchema = z.object({ seed: z.string(), json: z.boolean().default(false) });

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ sfork bench
  $ sfork bench steps --seed 2
  $ sfork bench fork --json
  $ sfork bench accesses

steps: one step, over generated programs of all formats and strategies, and by class of operations.
fork: one fork, by strategy and format, with a pointer in every eighth granule of the data part.
accesses: loads and stores a second, of the optimised implementation alone, with its observations, and of the specification.
memory: bytes that the optimised implementation keeps for a page that is mapped, touched, and forked lazily; counted.
check: programs a second of sfork check on one core, warm; of 50 and of 10 steps, in the small configuration and in all.
Steps, forks and accesses with regions of 8 pages of 256 bytes. Other programs that run at the same time make everything slower.

Exit status: 0 measured; 2 wrong usage; 3 the output could not be written.`;

const programs = 120;
const samples = 200;

const run = (name: (typeof benchmarks)[number], { seed }: Options): readonly BenchRow[] => {
  switch (name) {
    case "steps":
      return benchSteps({ seed, programs });
    case "fork":
      return benchFork({ samples });
    case "accesses":
      return benchAccesses({ rounds: 7, fast: 4000, spec: 60 });
    case "memory":
      return benchMemory();
    case "check":
      return benchCheck({ seed, programs: 200, rounds: 10 });
  }
};

/** Three digits, and more where a number has them before the point. */
const figure = (value: number): string => {
  if (Number.isNaN(value)) return "-";
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** A table with the columns of its first row. */
const table = (rows: readonly BenchRow[]): string => {
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

const bench = (name: z.infer<typeof nameSchema>, options: Options, done: (code: ExitCode) => void): void => {
  const results = (name === undefined ? benchmarks : [name]).map((one) => run(one, options));
  done(exitCodes.held);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(
          results.flat().map(({ benchmark, what, figures, units }) => ({ benchmark, ...what, ...figures, units })),
          null,
          2,
        )}\n`
      : `${results.map(table).join("\n\n")}\n`,
  );
};

export const benchCommand = (done: (code: ExitCode) => void): Command =>
  new Command("bench")
    .description("measure the specification and the optimised implementation")
    .addArgument(new Argument("[name]", "what to measure (default: everything)").choices(benchmarks))
    .option("--seed <seed>", "which programs", seedOf, "bench")
    .option("--json", "print an array of rows instead of a table")
    .addHelpText("after", examples)
    .action((name: unknown, options: unknown) => {
      bench(nameSchema.parse(name), optionsSchema.parse(options), done);
    });
