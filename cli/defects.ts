/** `sfork defects`: does the suite find every mistake of the catalogue, and how soon? */
import { randomInt } from "node:crypto";
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { became, type CampaignSettings, type Found } from "../conformance/check/campaign.js";
import { runCampaign } from "../conformance/check/run.js";
import { threads, type Workers } from "../conformance/check/workers.js";
import { defects, notModelled } from "../conformance/defects/catalogue.js";
import { mutationPage, mutationReport } from "../conformance/defects/report.js";
import type { Defect } from "../conformance/defects/defect.js";
import { InputError } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { formatNames } from "../conformance/program/config-codec.js";
import { fastStrategies } from "../impl/fast/index.js";
import { programOptions } from "./check-options.js";
import { tryReports, writeReports } from "./check-files.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { interruptible } from "./interruptible.js";
import { complain, out } from "./output.js";
import { createProgress } from "./progress.js";

const usualRuns = 10_000;
const usualSteps = 50;

const examples = `
Examples:
  $ sfork defects
  $ sfork defects R7 B5 --seed 1
  $ sfork defects --list
  $ sfork defects --runs 1000 --json
  $ sfork defects --report html=defects.html

Each defect is the optimised implementation with a few lines changed when it is loaded. It is checked as sfork check does by default, up to
the first finding, which is then made smaller: after how many programs and seconds that was, and how many steps were left.

Exit status: 0 all were found; 1 one was missed; 2 wrong usage; 3 the output could not be written; 130 interrupted.`;

const reportKinds = ["html", "json"] as const;

const optionsSchema = z.object({
  list: z.boolean().default(false),
  json: z.boolean().default(false),
  guided: z.boolean().default(false),
  report: z.array(z.object({ kind: z.enum(reportKinds), file: z.string() })).default([]),
  runs: z.number().default(usualRuns),
  seed: z.string().optional(),
  workers: z.number(),
});

type Options = z.infer<typeof optionsSchema>;

interface Tried {
  readonly defect: Defect;
  /** Up to the first finding, or all that were judged. */
  readonly programs: number;
  /** Until the first finding. */
  readonly seconds: number;
  readonly found: { readonly rule: string; readonly steps: number; readonly shrinking: number } | undefined;
}

const settingsOf = ({ id }: Defect, seed: string): CampaignSettings => ({
  ...{ impl: { defect: id }, seed, formats: formatNames, strategies: fastStrategies },
  ...{ profile: "mixed", steps: usualSteps },
});

const trying = async (
  defect: Defect,
  seed: string,
  { runs, guided }: Options,
  workers: Workers,
  signal: AbortSignal,
): Promise<Tried> => {
  const settings = settingsOf(defect, seed);
  const started = performance.now();
  let seconds: number | undefined;
  let first: Found | undefined;
  const listener = {
    found: (found: Found): void => {
      first ??= found;
      seconds ??= (performance.now() - started) / 1000;
    },
    progress: () => undefined,
  };
  const limits = { runs, time: Infinity, findings: 1 };
  const plan = { settings, guided, shard: { part: 1, of: 1 }, corpus: [], limits, known: [] };
  const { totals } = await runCampaign(plan, workers, listener, { signal });
  const all = (performance.now() - started) / 1000;
  if (first === undefined) return { defect, programs: totals.programs, seconds: all, found: undefined };
  const { finding } = became(first, await workers.minimise({ settings, found: first }));
  const shrinking = (performance.now() - started) / 1000 - (seconds ?? all);
  const found = { rule: finding.rule, steps: finding.program.steps.length, shrinking };
  return { defect, programs: first.index + 1, seconds: seconds ?? all, found };
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const lineOf = ({ defect, programs, seconds, found }: Tried): string => {
  const what = found === undefined ? out.red("missed") : out.green(found.rule);
  const size = found === undefined ? "" : `, ${plural(found.steps, "step")} after ${found.shrinking.toFixed(1)} s`;
  const padding = " ".repeat(Math.max(1, 8 - (found?.rule ?? "missed").length));
  return `${defect.id.padEnd(5)} ${what}${padding}${plural(programs, "program")}, ${seconds.toFixed(1)} s${size}: ${defect.mistake}`;
};

const summaryOf = (all: readonly Tried[], seed: string): string => {
  const found = all.filter((one) => one.found !== undefined);
  const figure = (name: string, values: readonly number[], digits: number): string =>
    `${name} ${median(values).toFixed(digits)} in the median, ${Math.max(...values).toFixed(digits)} at most`;
  const measures = [
    figure(
      "programs",
      found.map(({ programs }) => programs),
      0,
    ),
    figure(
      "seconds",
      found.map(({ seconds }) => seconds),
      1,
    ),
    figure(
      "steps",
      found.flatMap((one) => one.found?.steps ?? []),
      0,
    ),
    figure(
      "seconds of shrinking",
      found.flatMap((one) => one.found?.shrinking ?? []),
      1,
    ),
  ];
  const verdict = `${found.length} of ${all.length} found, seed ${seed}`;
  return [
    "",
    found.length === all.length ? out.green(verdict) : out.red(verdict),
    ...(found.length === 0 ? [] : measures.map((line) => `  ${line}`)),
    "",
  ].join("\n");
};

const jsonOf = ({ defect, programs, seconds, found }: Tried): object => ({
  ...{ id: defect.id, found: found !== undefined, rule: found?.rule ?? null },
  ...{ programs, seconds, steps: found?.steps ?? null, shrinking: found?.shrinking ?? null },
});

const list = (chosen: readonly Defect[], json: boolean): string => {
  if (json) {
    const known = chosen.map(({ id, mistake, origin }) => ({ id, mistake, origin: origin ?? null }));
    return `${JSON.stringify({ defects: known, notModelled }, null, 2)}\n`;
  }
  return [
    ...chosen.map(
      ({ id, mistake, origin }) => `${id.padEnd(5)} ${mistake}${origin === undefined ? "" : ` (${origin})`}`,
    ),
    "",
    "not modelled",
    ...notModelled.map(({ id, mistake, reason }) => `${id.padEnd(5)} ${mistake}: ${reason}`),
    "",
  ].join("\n");
};

const run = async (chosen: readonly Defect[], options: Options, done: (code: ExitCode) => void): Promise<void> => {
  if (options.list) {
    process.stdout.write(list(chosen, options.json));
    return;
  }
  tryReports(options.report);
  const seed = options.seed ?? randomInt(2 ** 32).toString();
  const progress = createProgress();
  const all: Tried[] = [];
  const interrupted = await interruptible(progress.clear, async (signal) => {
    for (const [nth, defect] of chosen.entries()) {
      progress.update(`${defect.id}, ${nth + 1} of ${chosen.length}`);
      // Threads of its own for each: what one has loaded, the next does not find.
      const workers = threads(options.workers);
      const tried = await trying(defect, seed, options, workers, signal);
      await workers.close();
      if (signal.aborted) break;
      all.push(tried);
      progress.clear();
      if (!options.json) process.stdout.write(`${lineOf(tried)}\n`);
    }
    return signal.aborted;
  });
  progress.clear();
  const isAll = all.every(({ found }) => found !== undefined);
  if (!isAll) done(exitCodes.finding);
  else if (interrupted) done(exitCodes.interrupted);
  const reports = {
    html: (): string => mutationPage(all, `sfork defects, seed ${seed}`),
    json: (): string => `${JSON.stringify(mutationReport(all), null, 2)}\n`,
  };
  for (const error of writeReports(options.report, reports)) {
    complain(error.describe());
    done(exitCodes.environment);
  }
  const found = all.filter((one) => one.found !== undefined).length;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ok: isAll, seed, total: all.length, found, defects: all.map(jsonOf) }, null, 2)}\n`
      : summaryOf(all, seed),
  );
};

/** Defects by their names, upper or lower case. */
const parse = (text: string, before: readonly Defect[] = []): readonly Defect[] => {
  const known = defects.find(({ id }) => id.toLowerCase() === text.toLowerCase());
  if (known !== undefined) return [...before, known];
  const absent = notModelled.find(({ id }) => id.toLowerCase() === text.toLowerCase());
  if (absent !== undefined) throw new InvalidArgumentError(`${absent.id} is not modelled: ${absent.reason}.`);
  throw new InvalidArgumentError("Name defects of the catalogue; sfork defects --list has them.");
};

export const defectsCommand = (done: (code: ExitCode) => void): Command =>
  new Command("defects")
    .description("check every catalogued defect: is it found, after how many programs, in how many steps")
    .argument("[ids...]", "defects of the catalogue (default: all)", parse)
    .option("--list", "say what they are")
    .addOption(programOptions.runs(`most programs for each (default: ${usualRuns})`))
    .addOption(programOptions.seed())
    .addOption(programOptions.workers())
    .addOption(programOptions.guided())
    .addOption(programOptions.report(reportKinds))
    .option("--json", "print one JSON object at the end")
    .addHelpText("after", examples)
    .action(async (ids: readonly Defect[] | undefined, options: unknown) => {
      const chosen = ids === undefined || ids.length === 0 ? defects : ids;
      try {
        await run(chosen, optionsSchema.parse(options), done);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
