/** `sfork bench`: what the specification and the optimised implementation cost, beside C and the machine that it runs on. */
import process from "node:process";
import { Argument, Command, Option } from "commander";
import { z } from "zod";
import { benchAccesses } from "../bench/accesses.js";
import { benchCheck } from "../bench/check.js";
import { benchCodec } from "../bench/codec.js";
import { benchFork } from "../bench/fork.js";
import { benchMemory } from "../bench/memory.js";
import { benchPages, benchRegions } from "../bench/regions.js";
import { benchRun, benchScale } from "../bench/scale.js";
import type { BenchRow } from "../bench/small.js";
import { benchSteps } from "../bench/steps.js";
import { formatNames } from "../conformance/program/config-codec.js";
import { table } from "./bench-table.js";
import { seedOf, whole } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";

const benchmarks = ["codec", "steps", "fork", "accesses", "memory", "check", "scale", "run"] as const;

const nameSchema = z.enum(benchmarks).optional();

const counts = z.array(z.number()).readonly();

const optionsSchema = z.object({
  seed: z.string(),
  format: z.enum(formatNames),
  mib: counts,
  live: counts,
  steps: z.number(),
  json: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ sfork bench codec
  $ sfork bench codec --format morello
  $ sfork bench steps --seed 2
  $ sfork bench fork --mib 1,10,100,500
  $ sfork bench fork --mib 10 --json
  $ sfork bench scale --live 1000
  $ sfork bench run --steps 100000000

codec: a million random legal capabilities: bounds decoded, bounds set, an address set with the fast check; millions a second of
  the optimised implementation, of the specification (on 20,000 of them), and of a reference in C where there is a compiler (cc)
  and the format is cheri128-v9.
steps: one step of the specification, over generated programs of all formats and strategies, and by class of operations.
fork: one fork of the specification, by strategy and format, with regions of 8 pages of 256 bytes and a pointer in every eighth
  granule of the data part. Then of the optimised implementation with touched regions of some MiB (--mib), and a child that
  writes every page, beside fork() of this machine where there is a compiler. Then what a fault does to a page.
accesses: loads and stores a second, of the optimised implementation alone, with its observations, and of the specification.
memory: bytes that the optimised implementation keeps for a page that is mapped, touched, and forked lazily; counted.
check: programs a second of sfork check on one core, warm; of 50 and of 10 steps, in the small configuration and in all.
scale: so many live processes of 100 pages (--live), forked until none is left, and all ended: bytes for each in arrays and on
  the heap, kinds of things that were not given back, and bytes that stay on the heap for each that was.
run: so many steps (--steps) of loads and stores, without forks and with some: memory after a tenth and at the end.
Everything takes some ten minutes, most of them scale. Other programs that run at the same time make everything slower.

Exit status: 0 measured; 2 wrong usage; 3 the output could not be written.`;

const programs = 120;
const samples = 200;

const capabilities = { count: 1_000_000, spec: 20_000, rounds: 7 } as const;

/** More than this does not fit the memory of most machines. */
const mostMib = 4096;

/** The rows of each table. */
const run = (name: (typeof benchmarks)[number], options: Options): readonly (readonly BenchRow[])[] => {
  const { seed, format, mib, live, steps } = options;
  switch (name) {
    case "codec":
      return [benchCodec({ format, ...capabilities })];
    case "steps":
      return [benchSteps({ seed, programs })];
    case "fork":
      return [benchFork({ samples }), benchRegions({ sizes: mib, samples: 7 }), benchPages({ rounds: 7 })];
    case "accesses":
      return [benchAccesses({ rounds: 7, fast: 4000, spec: 60 })];
    case "memory":
      return [benchMemory()];
    case "check":
      return [benchCheck({ seed, programs: 200, rounds: 10 })];
    case "scale":
      return [benchScale({ live })];
    case "run":
      return [benchRun({ steps })];
  }
};

/** Whole numbers with commas between them. */
const wholes =
  (most: number) =>
  (text: string): readonly number[] =>
    text.split(",").map(whole(most));

const bench = (name: z.infer<typeof nameSchema>, options: Options, done: (code: ExitCode) => void): void => {
  const results = (name === undefined ? benchmarks : [name]).flatMap((one) => run(one, options));
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
    .addOption(new Option("--format <format>", "codec: of which format").choices(formatNames).default("cheri128-v9"))
    .option("--mib <sizes>", "fork: regions of so many MiB", wholes(mostMib), [1, 10, 100])
    .option("--live <numbers>", "scale: so many live processes", wholes(20_000), [1000, 10_000])
    .option("--steps <n>", "run: so many steps", whole(1e10), 1e7)
    .option("--json", "print an array of rows instead of a table")
    .addHelpText("after", examples)
    .action((name: unknown, options: unknown) => {
      bench(nameSchema.parse(name), optionsSchema.parse(options), done);
    });
