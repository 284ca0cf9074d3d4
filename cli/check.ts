/** `sfork check`: generated programs on the specification, lazily beside eagerly, under all invariants. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { Command } from "commander";
import { createTally, judgeProgram, type CampaignSettings, type Found } from "../conformance/check/campaign.js";
import { specification, type Checker } from "../conformance/check/judge.js";
import { savedFinding } from "../conformance/check/saved.js";
import { createCoverage } from "../conformance/coverage.js";
import { InputError } from "../conformance/errors.js";
import * as others from "../conformance/implementations/index.js";
import { conformingNames, strategyNames } from "../conformance/program/config-codec.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { addCheckOptions, optionsSchema, type CheckOptions } from "./check-options.js";
import { checkJson, printCheckReport, printFinding } from "./check-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { saveFinding } from "./findings.js";
import { complain } from "./output.js";
import { createProgress, duration } from "./progress.js";

const examples = `
Examples:
  $ sfork check
  $ sfork check --strategy copa --format morello,rvy64 --time 2m
  $ sfork check --seed 1 --runs 1000 --steps 60 --json
  $ sfork check --profile raw-bytes --fail-fast
  $ sfork check --impl fast --seed 1 --runs 10000

Each program runs with a lazy strategy and beside it with eager copies: every observation must be the same (REF-1 for
coa, REF-2 for copa), and all invariants must hold after every step. Programs of strategy eager run under the
invariants alone. With --impl fast each program runs on the optimised implementation and beside it on the specification:
observations, views and counters must be the same (REF-4). Findings are saved in .sfork/findings/; docs/checking.md says more.

Exit status: 0 everything held; 1 a finding; 2 wrong usage; 3 the output could not be written; 130 interrupted
without a finding.`;

/** Of the surroundings, what a test replaces. */
export interface Surroundings {
  readonly checker: Checker;
  /** Where findings are saved. */
  readonly folder: string;
}

const usual: Surroundings = { checker: specification, folder: ".sfork/findings" };

/** Milliseconds. */
const defaultTime = 10_000;
/** Programs run without a pause; so often a signal is looked for. */
const turnEvery = 50;

/** The specification has all, known-false ones, too. */
const strategiesOf: Readonly<Record<CheckOptions["impl"], readonly StrategyName[]>> = {
  "spec-lazy": strategyNames,
  ...others.strategiesOf,
};

/** A name that the implementation does not have, where strategies are named; `all` means those that it has. */
const foreignStrategy = ({ impl, strategy }: CheckOptions): StrategyName | undefined =>
  strategy.length === conformingNames.length ? undefined : strategy.find((name) => !strategiesOf[impl].includes(name));

const settingsOf = ({ impl, seed, format, strategy, profile, steps }: CheckOptions): CampaignSettings => ({
  impl,
  seed: seed ?? randomInt(2 ** 32).toString(),
  formats: format,
  strategies: strategy.filter((name) => strategiesOf[impl].includes(name)),
  profile,
  steps,
});

interface Limits {
  readonly runs: number;
  readonly time: number;
  readonly findings: number;
}

const limitsOf = ({ runs, time, failFast, maxFindings }: CheckOptions): Limits => ({
  runs: runs ?? Infinity,
  time: time ?? (runs === undefined ? defaultTime : Infinity),
  findings: failFast ? 1 : maxFindings,
});

const leftOf = ({ runs, time }: Limits, done: number, passed: number): string => {
  const byTime = (time - passed) / 1000;
  const byRuns = ((runs - done) * passed) / Math.max(1, done) / 1000;
  const programs = runs === Infinity ? "" : `${(runs - done).toLocaleString("en")} programs or `;
  return `${programs}${duration(Math.min(byTime, byRuns))} left`;
};

/** The path; undefined, after a line that says why, if it could not be saved. */
const save = (folder: string, settings: CampaignSettings, found: Found): string | undefined => {
  try {
    return saveFinding(folder, savedFinding(settings, found));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain(error.describe());
    return undefined;
  }
};

const check = async (
  options: CheckOptions,
  done: (code: ExitCode) => void,
  { checker, folder }: Surroundings,
): Promise<void> => {
  const foreign = foreignStrategy(options);
  if (foreign !== undefined) {
    const { impl } = options;
    complain(`sfork: --strategy ${foreign}: ${impl} does not have it; name some of ${strategiesOf[impl].join(", ")}`);
    done(exitCodes.usage);
    return;
  }
  const settings = settingsOf(options);
  const limits = limitsOf(options);
  const tally = createTally(settings);
  // Its detectors take about a tenth of the time, most of the rest goes into invariants: not worth an option.
  const coverage = settings.impl === "spec-lazy" ? createCoverage() : undefined;
  const progress = createProgress();
  const abort = new AbortController();
  const interrupt = (): void => {
    progress.clear();
    process.stderr.write("stopping after this program; once more to stop at once\n");
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  const started = performance.now();
  const passed = (): number => performance.now() - started;
  const paths: (string | undefined)[] = [];
  let turned = started;
  let index = 0;
  do {
    const found = tally.add(judgeProgram(settings, index, { checker, ...(coverage && { coverage }) }));
    index += 1;
    if (found !== undefined) {
      done(exitCodes.finding);
      progress.clear();
      const path = save(folder, settings, found);
      paths.push(path);
      if (!options.json) process.stdout.write(printFinding(settings, found, path));
    }
    const speed = `${((index * 1000) / passed()).toFixed(1)}/s`;
    const counted = (count: number, noun: string): string =>
      `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
    const said = `${counted(index, "program")}, ${speed}, ${counted(paths.length, "finding")}`;
    progress.update(`${said}, ${leftOf(limits, index, passed())}`);
    if (performance.now() - turned >= turnEvery) {
      await turn();
      turned = performance.now();
    }
  } while (!abort.signal.aborted && index < limits.runs && passed() < limits.time && paths.length < limits.findings);
  const seconds = passed() / 1000;
  process.off("SIGINT", interrupt);
  progress.clear();

  const interrupted = abort.signal.aborted;
  const report = {
    settings,
    totals: tally.totals(),
    coverage: coverage?.result(),
    seconds,
    interrupted,
    paths,
  };
  // The verdict stands before anything is printed: a reader that goes away must not change it.
  const ended = interrupted ? exitCodes.interrupted : exitCodes.held;
  done(paths.length > 0 ? exitCodes.finding : ended);
  process.stdout.write(options.json ? `${JSON.stringify(checkJson(report), null, 2)}\n` : printCheckReport(report));
};

export const checkCommand = (done: (code: ExitCode) => void, surroundings: Surroundings = usual): Command =>
  addCheckOptions(new Command("check"))
    .description("generate programs, run them lazily beside eagerly, and check every observation and invariant")
    .addHelpText("after", examples)
    .action(async (options: unknown) => {
      await check(optionsSchema.parse(options), done, surroundings);
    });
