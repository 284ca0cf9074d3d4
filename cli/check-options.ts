/** The options of `sfork check`, as they are typed and as they are meant. */
import { availableParallelism } from "node:os";
import { InvalidArgumentError, Option, type Command } from "commander";
import { z } from "zod";
import { defaultMaxFindings } from "../conformance/check/saved.js";
import { conformingNames, formatNames, strategyNames } from "../conformance/program/config-codec.js";
import type { FormatName } from "../spec/cheri/index.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { implOption, implSchema } from "./implementation.js";

const profiles = ["oblivious", "raw-bytes", "full", "posix", "mixed"] as const;

const positive = z.number().int().positive();

/** What reports there are. */
const reportKinds = ["junit", "json"] as const;

export type ReportKind = (typeof reportKinds)[number];

/** Which programs. */
export const programsSchema = z.object({
  strategy: z.array(z.custom<StrategyName>((name) => strategyNames.some((known) => known === name))).min(1),
  format: z.array(z.custom<FormatName>((name) => formatNames.some((known) => known === name))).min(1),
  profile: z.enum(profiles),
  runs: positive.optional(),
  steps: positive,
  seed: z.string().optional(),
});

export const optionsSchema = z.object({
  impl: implSchema,
  ...programsSchema.shape,
  /** Milliseconds. */
  time: positive.optional(),
  shard: z.object({ part: positive, of: positive }),
  corpus: z.string().optional(),
  maxFindings: positive,
  report: z.array(z.object({ kind: z.enum(reportKinds), file: z.string() })).default([]),
  workers: positive,
  failFast: z.boolean().default(false),
  json: z.boolean().default(false),
});

export type CheckOptions = z.infer<typeof optionsSchema>;

/** Names with commas between them, or `all`; in the order of `known`, each once, so that equal sets are equal. */
export const names =
  <T extends string>(known: readonly T[], all = known) =>
  (text: string): readonly T[] => {
    const asked = text.split(",").map((name) => name.trim());
    const wrong = asked.find((name) => name !== "all" && !known.some((one) => one === name));
    if (wrong !== undefined) {
      throw new InvalidArgumentError(`Name some of ${known.join(", ")}, with commas between them, or all.`);
    }
    return asked.includes("all") ? all : known.filter((name) => asked.includes(name));
  };

const whole =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > most) {
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
    }
    return value;
  };

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Three weeks: a timer does not count much further. */
const mostHours = 500;

const milliseconds = (text: string): number => {
  const [, number, unit = ""] = /^(\d{1,10})(ms|s|m|h)$/.exec(text) ?? [];
  const value = Number(number) * (units[unit] ?? NaN);
  if (!(value > 0 && value <= mostHours * 3_600_000)) {
    throw new InvalidArgumentError(`Give a time such as 500ms, 60s, 2m or 1h, up to ${mostHours}h.`);
  }
  return value;
};

/** It stands in file comments and in commands to type. */
export const seedOf = (text: string): string => {
  if (!/^[\w.][\w.-]{0,63}$/.test(text)) {
    throw new InvalidArgumentError("Give up to 64 letters, digits, dots, dashes and underscores, no dash first.");
  }
  return text;
};

/** `2/3`: the second of three. */
const shardOf = (text: string): CheckOptions["shard"] => {
  const [, part, of] = (/^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []).map(Number);
  if (part === undefined || of === undefined || part < 1 || part > of) {
    throw new InvalidArgumentError("Give i/n, such as 1/4 to 4/4: the part, from 1, and how many there are.");
  }
  return { part, of };
};

/** `junit=FILE,json=FILE`: a comma before no name of a report belongs to the file's name. */
const reportsOf = (text: string): CheckOptions["report"] => {
  const reports = text.split(/,(?=\w+=)/).map((one) => {
    const [, name, file] = /^(\w+)=(.+)$/.exec(one) ?? [];
    return { kind: reportKinds.find((kind) => kind === name), file };
  });
  const asked = reports.flatMap(({ kind, file }) => (kind === undefined || file === undefined ? [] : [{ kind, file }]));
  const isTwice = [asked.map(({ kind }) => kind), asked.map(({ file }) => file)].some(
    (list) => new Set<string>(list).size < list.length,
  );
  if (asked.length < reports.length || isTwice) {
    throw new InvalidArgumentError("Give junit=FILE, json=FILE, or both with a comma between them.");
  }
  return asked;
};

/** What still prints in full and stays exact. */
const most = 1_000_000_000;

/** A whole number that somebody typed. */
export const wholeOf = whole(most);

/** A step of the specification takes longer, the more there was before it. */
const mostSteps = 10_000;
const mostWorkers = 256;

/** Options that say which programs there are. */
export const programOptions = {
  strategy: () =>
    new Option("--strategy <names>", `some of ${strategyNames.join(", ")}, or all: those that conform`)
      .argParser(names(strategyNames, conformingNames))
      .default(conformingNames, "all"),
  format: () =>
    new Option("--format <names>", `some of ${formatNames.join(", ")}, or all`)
      .argParser(names(formatNames))
      .default(formatNames, "all"),
  profile: () => new Option("--profile <name>", "which programs").choices(profiles).default("mixed"),
  runs: (description: string) => new Option("--runs <n>", description).argParser(whole(most)),
  steps: () => new Option("--steps <n>", "most steps of a program").argParser(whole(mostSteps)).default(50),
  seed: () =>
    new Option("--seed <seed>", "which programs: the same seed, the same ones (default: a random one)").argParser(
      seedOf,
    ),
} as const;

export const addCheckOptions = (command: Command): Command =>
  command
    .addOption(
      implOption(
        'what to check: fast, the optimised implementation beside the specification; spec-lazy, the specification\'s lazy copies beside eager ones; linux, the specification beside real processes on the running kernel; exec:"COMMAND", an implementation of your own, in another process (docs/protocol.md)',
      ).default("fast"),
    )
    .addOption(programOptions.strategy())
    .addOption(programOptions.format())
    .addOption(programOptions.profile())
    .addOption(programOptions.runs("end after so many programs"))
    .addOption(
      new Option("--time <time>", "end after 500ms, 60s, 2m, 1h (default: 10s without --runs)").argParser(milliseconds),
    )
    .addOption(programOptions.steps())
    .addOption(programOptions.seed())
    .addOption(
      new Option("--shard <i/n>", "judge every n-th program only, from the i-th on: parts of one run for n machines")
        .argParser(shardOf)
        .default({ part: 1, of: 1 }, "1/1"),
    )
    .addOption(new Option("--corpus <dir>", "judge the program files of this folder first (.sfork, .json)"))
    .addOption(
      new Option("--max-findings <n>", "end after so many different findings")
        .argParser(whole(most))
        .default(defaultMaxFindings),
    )
    .addOption(
      new Option("--workers <n>", "programs that are judged at a time")
        .argParser(whole(mostWorkers))
        .default(availableParallelism(), "one for each core"),
    )
    .addOption(new Option("--fail-fast", "end after the first finding").conflicts("maxFindings"))
    .addOption(
      new Option("--report <reports>", "write junit=FILE, json=FILE, or both, at the end").argParser(reportsOf),
    )
    .option("--json", "print one JSON object at the end");
