/** Campaigns of the library: a user's own implementation beside the specification, in this thread. */
import { setImmediate as turn } from "node:timers/promises";
import { InputError } from "../errors.js";
import { createTally, judgeAs, judgeProgram, minimised } from "./campaign.js";
import type { CampaignSettings, Create, Found } from "./campaign.js";
import type { Finding } from "./finding.js";
import { checkOptions, choiceOf, limitsOf, seedOf, type CampaignOptions, type Limits } from "./options.js";
import { readStore, saveRaw, saveSmaller } from "./store.js";
import { printToken } from "./token.js";

/** A user's own implementation, and which programs it is checked by. */
export type OwnSettings = CampaignSettings<Create>;

/** An earlier finding that shows again. */
export interface Regression {
  /** The program file. */
  readonly file: string;
  readonly finding: Finding;
}

/** A finding of a campaign. */
export interface Reported {
  /** As small as its program became. */
  readonly finding: Finding;
  /** Which program of the seed had it first, from 0. */
  readonly index: number;
  /** Gives `replay` the program that was generated. */
  readonly token: string;
  /** The program file; undefined where nothing is saved, or could not be. */
  readonly path: string | undefined;
}

export interface CheckOptions extends CampaignOptions {
  /** End after so many different findings; 10, by default. */
  readonly maxFindings?: number | undefined;
  /**
   * Failure store, such as `.sfork/findings`. Earlier findings in it, of these formats and strategies, are judged first;
   * new ones are saved in it. Without it nothing is read or saved.
   */
  readonly folder?: string | undefined;
}

export interface CheckResult {
  /** Nothing was found, everything was checked, and every file of the failure store could be read. */
  readonly ok: boolean;
  readonly seed: string;
  /** Programs and steps that were judged; earlier findings are not counted. */
  readonly programs: number;
  readonly steps: number;
  /** One for each rule, operation and place, in the order in which they were found; none that is a regression, too. */
  readonly findings: readonly Reported[];
  readonly regressions: readonly Regression[];
  /** Files of the failure store that could not be read or written. */
  readonly errors: readonly InputError[];
  /** The signal ended the campaign. */
  readonly interrupted: boolean;
}

/** Members of an instance of a class are not its own, and are called on it. */
export const bound =
  (create: Create): Create =>
  (config) => {
    const one = create(config);
    return {
      name: one.name,
      reset: (next) => {
        one.reset(next);
      },
      step: (next) => {
        one.step(next);
      },
      observed: () => one.observed(),
      view: () => one.view(),
      counters: () => one.counters(),
      check: () => one.check(),
    };
  };

/** The settings of a campaign. Throws an `InputError` for what is no function or no option. */
export const settingsOf = (name: "check" | "assertConforms", create: Create, options: CampaignOptions): OwnSettings => {
  if (typeof create !== "function") {
    throw new InputError(name, undefined, "create is no function; give one that makes an implementation");
  }
  checkOptions(name, options);
  return { impl: bound(create), seed: seedOf(options), ...choiceOf(options) };
};

/** Earlier findings that show again, and files that cannot be read. */
export const earlier = async (
  { impl, formats, strategies }: OwnSettings,
  folder: string | undefined,
): Promise<Pick<CheckResult, "regressions" | "errors">> => {
  if (folder === undefined) return { regressions: [], errors: [] };
  const { kept, unreadable } = await readStore(folder, impl);
  const regressions = kept
    .filter(({ program: { config } }) => formats.includes(config.format) && strategies.includes(config.strategy))
    .flatMap(({ file, program }): readonly Regression[] => {
      const { finding } = judgeAs(impl, program, { full: true });
      return finding === undefined ? [] : [{ file, finding }];
    });
  return { regressions, errors: unreadable };
};

/** The path where a finding was saved, or why it was not. */
const unlessRefused = (save: () => string): string | InputError => {
  try {
    return save();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
};

/** What became of a finding, and why it was not saved. */
interface Became {
  readonly reported: Reported;
  readonly error: InputError | undefined;
}

/** Save a finding as it is, make it smaller, and save that. */
const report = (settings: OwnSettings, raw: Found, folder: string | undefined): Became => {
  // It is on disk before anything else is tried with it.
  const first = folder === undefined ? undefined : unlessRefused(() => saveRaw(folder, settings, raw));
  const { index, finding } = minimised(settings, raw);
  const error = first instanceof InputError ? first : undefined;
  const token = printToken({ settings, index });
  if (folder === undefined || first === undefined || first instanceof InputError || finding.kind === "flaky") {
    return { reported: { finding, index, token, path: typeof first === "string" ? first : undefined }, error };
  }
  const smaller = unlessRefused(() => saveSmaller(folder, first, settings, { index, finding }));
  return smaller instanceof InputError
    ? { reported: { finding, index, token, path: first }, error: smaller }
    : { reported: { finding, index, token, path: smaller }, error };
};

/** Program after program, up to a limit; findings with the keys of `earlierKeys` are not told again. */
export const campaign = async (
  settings: OwnSettings,
  { runs, time, findings: mostFindings, signal }: Limits,
  folder: string | undefined,
  earlierKeys: readonly string[] = [],
): Promise<Pick<CheckResult, "programs" | "steps" | "findings" | "errors" | "interrupted">> => {
  const tally = createTally(settings, earlierKeys);
  const started = performance.now();
  const findings: Reported[] = [];
  const errors: InputError[] = [];
  for (let index = 0; index < runs && findings.length < mostFindings; index += 1) {
    // Others get their turn, and may end the campaign.
    await turn();
    if (signal?.aborted === true || performance.now() - started >= time) break;
    const found = tally.add(judgeProgram(settings, index));
    if (found === undefined) continue;
    const { reported, error } = report(settings, found, folder);
    if (error !== undefined) errors.push(error);
    findings.push(reported);
  }
  const { programs, steps } = tally.totals();
  return { programs, steps, findings, errors, interrupted: signal?.aborted === true };
};

/**
 * Check an implementation beside the specification: generated programs on both, step by step. Every observation must be
 * the same, then every view and counter (REF-4, docs/checking.md). Runs in this thread; other work gets its turn between
 * programs.
 *
 * @param create makes an implementation at its start; what it or the implementation throws is a finding
 * @returns what was found, each finding with the smallest program that shows it
 * @throws {InputError} (rejects) for an option that is not as it should be
 */
export const check = async (create: Create, options: CheckOptions = {}): Promise<CheckResult> => {
  const settings = settingsOf("check", create, options);
  const { maxFindings, folder } = options;
  const { regressions, errors: unreadable } = await earlier(settings, folder);
  const known = regressions.map(({ finding }) => finding.key);
  const result = await campaign(settings, limitsOf(options, maxFindings), folder, known);
  const errors = [...unreadable, ...result.errors];
  const ok = [result.findings, regressions, errors].every(({ length }) => length === 0) && !result.interrupted;
  return { ...result, ok, seed: settings.seed, regressions, errors };
};
