/** `sfork exhaust`: every program up to a depth on a small machine, states deduplicated, each step judged. */
import process from "node:process";
import { Command } from "commander";
import { defaultFolder } from "../conformance/check/store.js";
import { InputError } from "../conformance/errors.js";
import { threads, type Expanders } from "../conformance/exhaust/pool.js";
import { runSearch, type Reached, type SearchLimits } from "../conformance/exhaust/run.js";
import { saveFound } from "../conformance/exhaust/saved.js";
import type { SpaceName } from "../conformance/exhaust/space.js";
import { plural } from "../conformance/plural.js";
import { canSave } from "./check-files.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { addExhaustOptions, exhaustSchema, spacesOf, type ExhaustOptions } from "./exhaust-options.js";
import {
  exhaustJson,
  findingsOf,
  printAlphabet,
  printFound,
  printSearch,
  printVerdict,
  type ExhaustReport,
  type Searched,
} from "./exhaust-report.js";
import { interruptible } from "./interruptible.js";
import { complain } from "./output.js";
import { createProgress, duration, type Progress } from "./progress.js";

const examples = `
Examples:
  $ sfork exhaust
  $ sfork exhaust --depth 4 --workers 2
  $ sfork exhaust --alphabet all --depth 3 --strategy all
  $ sfork exhaust --alphabet files,signals --processes 3 --time 5m --json
  $ sfork exhaust --defect B21 --depth 2
  $ sfork exhaust --list --alphabet memory

A machine of two pages of data and a few processes takes every step of an alphabet from every state that it can come to, the
shortest programs first. Each step is taken on the specification and on the optimised implementation: observations, views
and counters must be the same (REF-4), and all invariants must hold. Findings are saved in .sfork/findings/. How far a
search came is kept in .sfork/exhaust/, and the same command goes on from there; docs/exhaust.md says more.

Exit status: 0 nothing was found; 1 a finding, or one of an earlier run of the same search; 2 wrong usage, or a file of
.sfork/exhaust/ that is damaged or cannot be written; 3 findings cannot be saved; 130 interrupted without a finding.`;

/** Of the surroundings, what a test replaces. */
export interface ExhaustSurroundings {
  readonly expanders: (count: number, defect: string | undefined) => Expanders;
  /** Where searches, and findings, are kept. */
  readonly searches: string;
  readonly findings: string;
}

const usual: ExhaustSurroundings = { expanders: threads, searches: ".sfork/exhaust", findings: defaultFolder };

/** Milliseconds. */
const defaultTime = 10_000;

const progressLine = ({ alphabet }: SpaceName, reached: Reached, { depth, deadline }: SearchLimits): string => {
  const { states, next, judged, milliseconds } = reached;
  const rate = (judged * 1000) / Math.max(1, milliseconds);
  const left = deadline === Infinity ? `up to depth ${depth}` : `${duration((deadline - Date.now()) / 1000)} left`;
  return [
    `${alphabet}: depth ${reached.depth}`,
    `${next} of ${plural(states, "state")} gone on from`,
    `${plural(judged, "transition")}, ${rate.toFixed(0)}/s`,
    left,
  ].join(", ");
};

interface Session {
  readonly options: ExhaustOptions;
  readonly surroundings: ExhaustSurroundings;
  readonly expanders: Expanders;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly done: (code: ExitCode) => void;
}

const labelOf = ({ defect }: ExhaustOptions): string => (defect === undefined ? "fast" : `defect ${defect}`);

/** One space, as long as its share of the time lasts. */
const searchOne = async (session: Session, name: SpaceName, deadline: number): Promise<Searched> => {
  const { options, surroundings, expanders, progress, signal, done } = session;
  const { depth = Infinity, maxFindings, fresh, defect, json } = options;
  const limits = { depth, findings: maxFindings, deadline, signal };
  const paths: (string | undefined)[] = [];
  const result = await runSearch(
    { name, implementation: labelOf(options), folder: surroundings.searches, fresh, limits },
    expanders,
    {
      found: (finding) => {
        done(exitCodes.finding);
        // What is saved already is not saved twice; a defect is nobody's finding.
        const path = defect === undefined ? saveFound(surroundings.findings, name, finding) : undefined;
        paths.push(path);
        progress.clear();
        if (!json) process.stdout.write(printFound(finding, path));
      },
      reached: (reached) => {
        progress.update(progressLine(name, reached, limits));
      },
    },
  );
  progress.clear();
  return { ...result, paths };
};

const searchAll = async (session: Session): Promise<ExhaustReport> => {
  const { options, signal } = session;
  const spaces = spacesOf(options);
  const time = options.time ?? (options.depth === undefined ? defaultTime : Infinity);
  const end = Date.now() + time;
  const searches: Searched[] = [];
  for (const [nth, name] of spaces.entries()) {
    if (signal.aborted) break;
    const now = Date.now();
    const searched = await searchOne(session, name, now + (end - now) / (spaces.length - nth));
    searches.push(searched);
    if (!options.json) process.stdout.write(printSearch(searched));
  }
  return { implementation: labelOf(options), searches, interrupted: signal.aborted };
};

const exhaust = async (
  options: ExhaustOptions,
  done: (code: ExitCode) => void,
  surroundings: ExhaustSurroundings,
): Promise<void> => {
  if (options.list) {
    const [format = "cheri128-v9"] = options.format;
    const [strategy = "copa"] = options.strategy;
    for (const alphabet of options.alphabet) {
      process.stdout.write(printAlphabet({ alphabet, format, strategy, processes: options.processes }));
    }
    return;
  }
  const expanders = surroundings.expanders(options.workers, options.defect);
  const progress = createProgress();
  try {
    const report = await interruptible(progress.clear, (signal) =>
      searchAll({ options, surroundings, expanders, progress, signal, done }),
    );
    if (findingsOf(report) > 0) done(exitCodes.finding);
    else if (report.interrupted) done(exitCodes.interrupted);
    process.stdout.write(options.json ? `${JSON.stringify(exhaustJson(report), null, 2)}\n` : printVerdict(report));
  } finally {
    progress.clear();
    await expanders.close();
  }
};

export const exhaustCommand = (done: (code: ExitCode) => void, surroundings: ExhaustSurroundings = usual): Command =>
  addExhaustOptions(new Command("exhaust"))
    .description("every program up to a depth on a small machine: states deduplicated, each step judged")
    .addHelpText("after", examples)
    .action(async (given: unknown) => {
      const options = exhaustSchema.parse(given);
      if (!options.list && !canSave(surroundings.findings)) {
        done(exitCodes.environment);
        return;
      }
      try {
        await exhaust(options, done, surroundings);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
