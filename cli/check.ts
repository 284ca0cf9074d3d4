/** `sfork check`: generated programs, each compared and under invariants; findings kept, made smaller, and run again. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { Command } from "commander";
import {
  strategiesFor,
  usualStrategiesFor,
  type CampaignSettings,
  type Checkable,
  type Found,
} from "../conformance/check/campaign.js";
import { isExternal } from "../conformance/check/external.js";
import { readCorpus } from "../conformance/check/files.js";
import { keepRaw, keepSmaller, type Keeper, type SavedFound } from "../conformance/check/keep.js";
import { regressions, type Regression } from "../conformance/check/regressions.js";
import { isHeld, type CheckReport } from "../conformance/check/report.js";
import { runCampaign, type Limits, type Plan } from "../conformance/check/run.js";
import { defaultFolder, readStore } from "../conformance/check/store.js";
import { labelOf } from "../conformance/check/token.js";
import type { Workers } from "../conformance/check/workers.js";
import { InputError } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { conformingNames, formatNames } from "../conformance/program/config-codec.js";
import type { FormatName } from "../spec/cheri/index.js";
import { canSave, tryReports, writeReports } from "./check-files.js";
import { addCheckOptions, optionsSchema, type CheckOptions } from "./check-options.js";
import { createCheckProgress, type CheckProgress } from "./check-progress.js";
import { checkTexts, printCheckReport, printFinding, printRegression } from "./check-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { makeReady, type Ready } from "./implementation.js";
import { interruptible } from "./interruptible.js";
import { complain } from "./output.js";

const examples = `
Examples:
  $ sfork check
  $ sfork check --strategy copa --format morello,rvy64 --time 2m
  $ sfork check --seed 1 --runs 1000 --steps 60 --json
  $ sfork check --profile raw-bytes --fail-fast
  $ sfork check --impl spec-lazy --seed 1 --runs 1000
  $ sfork check --impl linux --steps 20 --time 1m
  $ sfork check --impl exec:"./my-kernel --serve" --strategy copa --time 1m
  $ sfork check --seed 1 --runs 10000 --shard 2/4 --report junit=check.xml
  $ sfork check --corpus programs --time 5m

Each program runs on the optimised implementation and beside it on the specification: observations, views and counters
must be the same (REF-4), and all invariants must hold after every step. With --impl spec-lazy it runs on the
specification alone, with a lazy strategy and beside it with eager copies: every observation must be the same (REF-1 for
coa, REF-2 for copa); programs of strategy eager run under the invariants alone. Findings are saved in .sfork/findings/, and run again, before
everything else, the next time; docs/checking.md says more.

Exit status: 0 everything held; 1 a finding, or an earlier one that still shows; 2 wrong usage, or a program or a file of
.sfork/findings/ that cannot be read; 3 the output, or findings, could not be written; 130 interrupted without a finding.`;

/** Of the surroundings, what a test replaces. */
export interface Surroundings {
  /** Who judges, as many at a time; threads, by default. */
  readonly workers?: (count: number) => Workers;
  /** Where findings are saved. */
  readonly folder: string;
}

const usual: Surroundings = { folder: defaultFolder };

/** Milliseconds. */
const defaultTime = 10_000;

/** Milliseconds that a finding has at least to become smaller, though the time is up. */
const grace = 5_000;

/** A name that the implementation does not have, where strategies are named; `all` means those that it has. */
const refuseForeign = ({ strategy, format }: CheckOptions, impl: Checkable): void => {
  const refuse = (what: string, foreign: string | undefined, known: readonly string[]): void => {
    if (foreign === undefined) return;
    const message = `--${what} ${foreign}: ${labelOf(impl)} does not have it; name some of ${known.join(", ")}`;
    throw new InputError("sfork", undefined, message);
  };
  const [strategies, formats] = [strategiesFor(impl), formatsFor(impl)];
  if (strategy.length < conformingNames.length) {
    const foreign = strategy.find((name) => !strategies.includes(name));
    refuse("strategy", foreign, strategies);
  }
  if (format.length === formatNames.length) return;
  const foreign = format.find((name) => !formats.includes(name));
  refuse("format", foreign, formats);
};

/** What a kernel can execute, whatever is asked for. */
const profileFor = ({ profile }: CheckOptions, impl: Checkable): CheckOptions["profile"] => {
  if (impl !== "linux" || profile === "posix") return profile;
  if (profile === "mixed") return "posix";
  const message = `--profile ${profile}: a kernel executes programs of the profile posix; leave --profile out`;
  throw new InputError("sfork", undefined, message);
};

const settingsOf = (options: CheckOptions, impl: Checkable): CampaignSettings => {
  const { seed, format, strategy, steps } = options;
  const known = strategy.length === conformingNames.length ? usualStrategiesFor(impl) : strategiesFor(impl);
  return {
    impl,
    seed: seed ?? randomInt(2 ** 32).toString(),
    formats: format.filter((name) => formatsFor(impl).includes(name)),
    strategies: strategy.filter((name) => known.includes(name)),
    profile: profileFor(options, impl),
    steps,
  };
};

const limitsOf = ({ runs, time, failFast, maxFindings }: CheckOptions): Limits => ({
  runs: runs ?? Infinity,
  time: time ?? (runs === undefined ? defaultTime : Infinity),
  findings: failFast ? 1 : maxFindings,
});

/** Everything that is asked for, before anything runs; throws the `InputError` of what cannot be done. */
const planOf = async (options: CheckOptions, impl: Checkable): Promise<Plan> => {
  refuseForeign(options, impl);
  tryReports(options.report);
  const corpus = options.corpus === undefined ? [] : await readCorpus(options.corpus, impl);
  const { guided, shard } = options;
  return { settings: settingsOf(options, impl), guided, shard, corpus, limits: limitsOf(options), known: [] };
};

/** All but of one that declares what it has. */
const formatsFor = (impl: Checkable): readonly FormatName[] => (isExternal(impl) ? impl.hello.formats : formatNames);

/** What a run needs to say what happens, and to know when to end. */
interface Session {
  readonly plan: Plan;
  readonly workers: Workers;
  readonly folder: string;
  readonly progress: CheckProgress;
  readonly signal: AbortSignal;
  /** When the time is up, by `Date.now`. */
  readonly deadline: number;
  readonly done: (code: ExitCode) => void;
  /** Results for a reader, as they come. */
  readonly print: (text: string) => void;
  /** What could not be read or written so far. */
  readonly errors: InputError[];
}

/** Said at once, on a line of standard error that is not the live one, and in the end. */
const warn = ({ progress, errors }: Session, error: InputError): void => {
  progress.clear();
  complain(error.describe());
  errors.push(error);
};

/** What was found earlier comes first. */
const runAgain = async (session: Session): Promise<readonly Regression[]> => {
  const { plan, workers, folder, progress, signal, deadline, print, done } = session;
  const { kept, unreadable } = await readStore(folder, plan.settings.impl);
  for (const error of unreadable) warn(session, error);
  const all: Regression[] = [];
  for await (const one of regressions(workers, plan.settings, kept, { signal, deadline })) {
    all.push(one);
    if (!one.held) done(exitCodes.finding);
    print(printRegression(one));
    progress.at({ kind: "regressions", done: all.length, of: kept.length });
  }
  const left = kept.length - all.length;
  if (left > 0) {
    progress.clear();
    complain(`${plural(left, "earlier finding")} not run again: give more --time`);
  }
  return all;
};

/** Findings are made smaller while others are looked for, and printed in the order in which they were found. */
const keeping = (session: Session) => {
  const { plan, progress, done, print, workers, folder, signal, deadline } = session;
  const { settings } = plan;
  const explain = (error: InputError): void => {
    warn(session, error);
  };
  const keeper: Keeper = { folder, settings, workers, signal, complain: explain };
  const saved: SavedFound[] = [];
  let open = 0;
  let last = Promise.resolve();
  return {
    found: (first: Found): void => {
      done(exitCodes.finding);
      const raw = keepRaw(keeper, first);
      progress.clear();
      if (raw !== undefined) process.stderr.write(`${first.finding.rule}: saved ${raw}; it is made smaller\n`);
      const smaller = keepSmaller(keeper, first, raw, Math.max(deadline, Date.now()) + grace);
      open += 1;
      last = last.then(async () => {
        const one = await smaller;
        saved.push(one);
        open -= 1;
        print(printFinding(settings, one.found, one.path));
      });
    },
    all: async (): Promise<readonly SavedFound[]> => {
      progress.at({ kind: "smaller", findings: open });
      await last;
      return saved;
    },
  };
};

const run = async (session: Session): Promise<CheckReport> => {
  const { plan, workers, progress, signal, deadline, errors } = session;
  const earlier = await runAgain(session);
  const { found, all } = keeping(session);
  const listener = {
    found,
    progress: (reached: Parameters<Parameters<typeof runCampaign>[2]["progress"]>[0]) => {
      progress.at({ kind: "campaign", reached });
    },
  };
  const known = earlier.flatMap(({ finding }) => finding?.key ?? []);
  const result = await runCampaign({ ...plan, known }, workers, listener, { signal, deadline });
  const saved = await all();
  const { settings, shard } = plan;
  return { settings, shard, ...result, regressions: earlier, saved, errors, interrupted: signal.aborted };
};

const codeOf = (report: CheckReport): ExitCode => {
  if (isHeld(report)) return exitCodes.held;
  const isFinding = report.totals.findings.length > 0 || report.regressions.some(({ held }) => !held);
  if (isFinding) return exitCodes.finding;
  if (report.gone !== undefined) return exitCodes.environment;
  return report.interrupted ? exitCodes.interrupted : exitCodes.usage;
};

const check = async (
  options: CheckOptions,
  done: (code: ExitCode) => void,
  surroundings: Surroundings,
): Promise<void> => {
  const ready = canSave(surroundings.folder) ? await makeReady(options.impl) : undefined;
  if (ready === undefined) {
    done(exitCodes.environment);
    return;
  }
  try {
    await checkReady(options, ready, done, surroundings);
  } finally {
    await ready.close();
  }
};

const checkReady = async (
  options: CheckOptions,
  ready: Ready,
  done: (code: ExitCode) => void,
  { workers: workersOf = ready.workers, folder }: Surroundings,
): Promise<void> => {
  const plan = await planOf(options, ready.impl);
  const workers = workersOf(options.workers);
  const progress = createCheckProgress(plan.limits, plan.shard);
  const deadline = Date.now() + plan.limits.time;
  const print = (text: string): void => {
    if (options.json) return;
    progress.clear();
    process.stdout.write(text);
  };
  const report = await interruptible(progress.clear, (signal) =>
    run({ plan, workers, folder, progress, signal, deadline, done, print, errors: [] }),
  ).finally(() => {
    progress.end();
  });
  await workers.close();

  // The verdict stands before anything is printed: a reader that goes away must not change it.
  done(codeOf(report));
  for (const error of writeReports(options.report, checkTexts(report))) {
    complain(error.describe());
    done(exitCodes.environment);
  }
  process.stdout.write(options.json ? checkTexts(report).json() : printCheckReport(report));
};

export const checkCommand = (done: (code: ExitCode) => void, surroundings: Surroundings = usual): Command =>
  addCheckOptions(new Command("check"))
    .description("generate programs, run them beside the specification, and check every observation and invariant")
    .addHelpText("after", examples)
    .action(async (options: unknown) => {
      try {
        await check(optionsSchema.parse(options), done, surroundings);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
