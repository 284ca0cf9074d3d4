/** `sfork compare`: what strategies cost, side by side, on a workload or on the image of a real process. */
import { randomInt } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { defaultCosts, readCosts } from "../conformance/compare/costs.js";
import { comparisonJson } from "../conformance/compare/json.js";
import { comparisonPage } from "../conformance/compare/page.js";
import { comparisonLines } from "../conformance/compare/print.js";
import { compare, isComplete, type Subject } from "../conformance/compare/report.js";
import { InputError, quote } from "../conformance/errors.js";
import { readCore } from "../conformance/image/core.js";
import { imageStrategies, type ImageStrategy } from "../conformance/image/forks.js";
import { readMaps } from "../conformance/image/maps.js";
import { imagePage } from "../conformance/image/pack.js";
import { printJsonProgram } from "../conformance/program/json.js";
import { printCommented } from "../conformance/program/print.js";
import type { Program } from "../conformance/program/program.js";
import { imagePlan } from "../conformance/workloads/image.js";
import { workloads } from "../conformance/workloads/index.js";
import { largestHeap, smallestHeap } from "../conformance/workloads/workload.js";
import type { Step } from "../spec/sfork/operation.js";
import { tryReports, writeReports } from "./check-files.js";
import { names, programOptions, seedOf, whole } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, writeLine } from "./output.js";
import { createProgress } from "./progress.js";

/** Those that are meant to isolate. */
const isolating = ["eager", "coa", "copa", "multi-as-cow", "vm-clone"] as const satisfies readonly ImageStrategy[];

const reportKinds = ["html", "json"] as const;

const optionsSchema = z.object({
  image: z.string().optional(),
  maps: z.string().optional(),
  size: z.number().optional(),
  seed: z.string().optional(),
  value: z.number().optional(),
  updates: z.number().optional(),
  strategy: z.array(z.custom<ImageStrategy>((name) => imageStrategies.some((known) => known === name))).min(1),
  costs: z.string().optional(),
  program: z.boolean().default(false),
  json: z.boolean().default(false),
  report: z.array(z.object({ kind: z.enum(reportKinds), file: z.string() })).default([]),
});

type Options = z.infer<typeof optionsSchema>;

const usualValue = 2048;
const usualUpdates = 1;

/** What still is a program that somebody would read or run. */
const mostProgramSteps = 20_000;

const examples = `
Workloads:
${workloads.map(({ name, summary }) => `  ${name.padEnd(15)} ${summary}`).join("\n")}

Examples:
  $ sfork compare redis-snapshot --size 100MB
  $ sfork compare faas-zygote --strategy copa,multi-as-cow --report html=zygote.html
  $ sfork compare --image examples/images/redis.core.gz --json
  $ sfork compare redis-snapshot --size 64KB --program > snapshot.sfork && sfork run snapshot.sfork

Counters are exact; times are estimates by a table of costs, much of which is assumed. --costs names a file of JSON with costs
of your own, such as { "trap": 2000 }: docs/compare.md has the table. shared-segments and naive-cow are known not to isolate,
and are compared where they are named.

Exit status: 0 it was compared; 1 a strategy that is meant to isolate refused a step; 2 wrong usage, or a file that cannot be
read; 3 the output could not be written; 130 interrupted.`;

const units: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

const sizeOf = (text: string): number => {
  const [, number, unit = ""] = /^(\d{1,9})(KB|MB|GB)$/.exec(text) ?? [];
  const size = Number(number) * (units[unit] ?? NaN);
  if (!(size >= smallestHeap && size <= largestHeap)) {
    throw new InvalidArgumentError("Give a size such as 64KB or 100MB, from 64KB to 512MB.");
  }
  return size;
};

const usage = (what: string): never => {
  throw new InputError("sfork", undefined, what);
};

const percentOf = (text: string): number => {
  const value = Number(text);
  if (!/^\d{1,3}$/.test(text) || value > 100) throw new InvalidArgumentError("Give a whole number from 0 to 100.");
  return value;
};

const workloadSubject = (name: string, options: Options): Subject => {
  const workload = workloads.find((one) => one.name === name);
  if (workload === undefined) {
    return usage(`${quote(name)} is no workload; there are ${workloads.map((one) => one.name).join(", ")}`);
  }
  const isRedis = name === "redis-snapshot";
  if (!isRedis && (options.value !== undefined || options.updates !== undefined)) {
    usage("--value and --updates are for redis-snapshot");
  }
  if (options.maps !== undefined) usage("--maps is of an image; name that with --image");
  const { size = workload.size, seed = randomInt(2 ** 32).toString() } = options;
  const { value = usualValue, updates = usualUpdates } = options;
  const plan = workload.plan({ size, seed, value, updates });
  return { name, summary: workload.summary, size, seed, plan, isPublished: isRedis };
};

const imageSubject = (core: string, { size, seed, value, updates, maps, program }: Options): Subject => {
  if ([size, seed, value, updates].some((option) => option !== undefined)) {
    usage("--size, --seed, --value and --updates are for workloads; an image has its own size");
  }
  if (program) usage("--program prints workloads; a program cannot say what memory it starts with");
  const plan = imagePlan(readCore(core, maps === undefined ? {} : { maps: readMaps(maps) }));
  const summary = "a real process forks; the child follows every pointer";
  return { name: core, summary, size: plan.memory.pages.length * imagePage, seed: undefined, plan, isPublished: false };
};

const subjectOf = (name: string | undefined, options: Options): Subject => {
  if (name !== undefined && options.image !== undefined) usage("name a workload or --image, not both");
  if (options.image !== undefined) return imageSubject(options.image, options);
  return name === undefined
    ? usage(`name a workload (${workloads.map((one) => one.name).join(", ")}), or --image CORE`)
    : workloadSubject(name, options);
};

/** The workload as a program file. */
const programText = ({ name, plan, seed }: Subject, { strategy: [strategy], json }: Options): string => {
  const steps: Step[] = [];
  for (const step of plan.steps()) {
    if (steps.length === mostProgramSteps) {
      const what = `a program of more than ${mostProgramSteps.toLocaleString("en")} steps is too long to be printed`;
      return usage(`${what}; give a smaller --size`);
    }
    steps.push(step);
  }
  const program: Program = { version: 1, config: { ...plan.config, ...(strategy && { strategy }) }, steps };
  if (json) return printJsonProgram(program);
  return printCommented(program, [`${name}${seed === undefined ? "" : `, seed ${seed}`}`, ...plan.notes]);
};

const run = async (name: string | undefined, options: Options, done: (code: ExitCode) => void): Promise<void> => {
  const costs = options.costs === undefined ? defaultCosts : readCosts(options.costs);
  const subject = subjectOf(name, options);
  if (options.program) {
    await writeLine(programText(subject, options).trimEnd());
    return;
  }
  tryReports(options.report);
  const progress = createProgress();
  const comparison = await compare(subject, {
    strategies: options.strategy,
    costs,
    told: async (strategy, steps) => {
      progress.update(`${strategy}: ${steps.toLocaleString("en")} steps`);
      await turn();
    },
  });
  progress.clear();
  if (!isComplete(comparison)) done(exitCodes.finding);
  const json = (): string => `${JSON.stringify(comparisonJson(comparison), null, 2)}\n`;
  for (const error of writeReports(options.report, { html: () => comparisonPage(comparison), json })) {
    complain(error.describe());
    done(exitCodes.environment);
  }
  await writeLine(options.json ? json().trimEnd() : comparisonLines(comparison).join("\n"));
};

export const compareCommand = (done: (code: ExitCode) => void): Command =>
  new Command("compare")
    .description("what strategies cost, side by side, on a workload or the image of a real process")
    .argument("[workload]", workloads.map((one) => one.name).join(", "))
    .option("--image <core>", "the core of a real process in place of a workload, as sfork image takes it")
    .option("--maps <file>", "a copy of that process's /proc/PID/maps")
    .addOption(
      new Option(
        "--size <size>",
        "of the first process's heap, 64KB to 512MB (default: each workload's own)",
      ).argParser(sizeOf),
    )
    .addOption(new Option("--seed <seed>", "the same seed, the same steps (default: a random one)").argParser(seedOf))
    .addOption(
      new Option("--value <bytes>", `redis-snapshot: bytes of a value (default: ${usualValue})`).argParser(whole(4096)),
    )
    .addOption(
      new Option(
        "--updates <n>",
        `redis-snapshot: values that change for each 100 keys that are saved (default: ${usualUpdates})`,
      ).argParser(percentOf),
    )
    .addOption(
      new Option("--strategy <names>", `some of ${imageStrategies.join(", ")}, or all: those that isolate`)
        .argParser(names(imageStrategies, isolating))
        .default(isolating, "all"),
    )
    .option("--costs <file>", "costs of your own, as JSON; what it leaves out is the default")
    .option("--program", "print the workload as a program for sfork run, under the first strategy; nothing is compared")
    .addOption(programOptions.report(reportKinds))
    .option("--json", "print one JSON object")
    .addHelpText("after", examples)
    .action(async (name: string | undefined, options: unknown) => {
      try {
        await run(name, optionsSchema.parse(options), done);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
