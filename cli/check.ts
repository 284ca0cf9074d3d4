/** `sfork check`: generated programs on the specification, lazily beside eagerly, under all invariants. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { Command } from "commander";
import { createTally, minimised, type CampaignSettings, type Found } from "../conformance/check/campaign.js";
import type { Checker } from "../conformance/check/judge.js";
import { savedFinding } from "../conformance/check/saved.js";
import { answers, thisThread, threads, type Workers } from "../conformance/check/workers.js";
import { addCoverage, type CoverageResult } from "../conformance/coverage.js";
import { InputError } from "../conformance/errors.js";
import * as others from "../conformance/implementations/index.js";
import { conformingNames, strategyNames } from "../conformance/program/config-codec.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { addCheckOptions, optionsSchema, type CheckOptions } from "./check-options.js";
import { checkJson, printCheckReport, printFinding, type SavedFound } from "./check-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { saveFinding } from "../conformance/check/store.js";
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
  /** One that is broken on purpose, in this thread. */
  readonly checker?: Checker;
  /** Where findings are saved. */
  readonly folder: string;
}

const usual: Surroundings = { folder: ".sfork/findings" };

/** Milliseconds. */
const defaultTime = 10_000;
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

const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Everything that was found and counted, up to a limit, or until it is asked to stop. */
const campaign = async (
  settings: CampaignSettings,
  limits: Limits,
  workers: Workers,
  signal: AbortSignal,
  onFound: (found: Found) => void,
) => {
  const tally = createTally(settings);
  const progress = createProgress();
  const started = performance.now();
  const passed = (): number => performance.now() - started;
  let coverage: CoverageResult | undefined;
  let [programs, findings] = [0, 0];
  const isOver = (): boolean => signal.aborted || passed() >= limits.time || findings >= limits.findings;
  for await (const answer of answers(workers, settings, limits.runs)) {
    for (const judged of answer.judged) {
      const found = tally.add(judged);
      programs += 1;
      if (found === undefined) continue;
      findings += 1;
      progress.clear();
      onFound(found);
      if (findings >= limits.findings) break;
    }
    if (answer.coverage !== undefined) {
      coverage = coverage === undefined ? answer.coverage : addCoverage(coverage, answer.coverage);
    }
    const speed = `${((programs * 1000) / passed()).toFixed(1)}/s`;
    const said = `${counted(programs, "program")}, ${speed}, ${counted(findings, "finding")}`;
    progress.update(`${said}, ${leftOf(limits, programs, passed())}`);
    // A signal is looked for between answers.
    await turn();
    if (isOver()) break;
  }
  progress.clear();
  return { totals: tally.totals(), coverage, seconds: passed() / 1000 };
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
  const workers = checker === undefined ? threads(options.workers) : thisThread(checker);
  const abort = new AbortController();
  const interrupt = (): void => {
    process.stderr.write("stopping after this program; once more to stop at once\n");
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  const saved: SavedFound[] = [];
  const result = await campaign(settings, limitsOf(options), workers, abort.signal, (raw) => {
    done(exitCodes.finding);
    // It is on disk before anything else is tried with it, and again when it is smaller.
    const first = save(folder, settings, raw);
    const found = minimised(settings, raw, checker);
    const path = first === undefined || found.finding.kind === "flaky" ? first : save(folder, settings, found);
    saved.push({ found, path, raw: first });
    if (!options.json) process.stdout.write(printFinding(settings, found, path));
  });
  process.off("SIGINT", interrupt);
  await workers.close();

  const interrupted = abort.signal.aborted;
  const report = { settings, ...result, interrupted, saved };
  // The verdict stands before anything is printed: a reader that goes away must not change it.
  const ended = interrupted ? exitCodes.interrupted : exitCodes.held;
  done(saved.length > 0 ? exitCodes.finding : ended);
  process.stdout.write(options.json ? `${JSON.stringify(checkJson(report), null, 2)}\n` : printCheckReport(report));
};

export const checkCommand = (done: (code: ExitCode) => void, surroundings: Surroundings = usual): Command =>
  addCheckOptions(new Command("check"))
    .description("generate programs, run them lazily beside eagerly, and check every observation and invariant")
    .addHelpText("after", examples)
    .action(async (options: unknown) => {
      await check(optionsSchema.parse(options), done, surroundings);
    });
