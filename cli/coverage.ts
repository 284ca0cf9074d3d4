/** `sfork coverage`: which rules do generated programs reach, and how often, by what became of the step? */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { Command } from "commander";
import { z } from "zod";
import type { CampaignSettings, Found } from "../conformance/check/campaign.js";
import { replayOf } from "../conformance/check/report.js";
import { runCampaign, type Limits, type Result } from "../conformance/check/run.js";
import { defaultMaxFindings } from "../conformance/check/saved.js";
import { threads } from "../conformance/check/workers.js";
import { createCoverage } from "../conformance/coverage.js";
import { InputError } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import type { Rule } from "../conformance/rules/document.js";
import { excerptOf } from "../conformance/rules/extent.js";
import { makeInstrumented, packageRoot, shippedRules } from "../conformance/rules/instrumented.js";
import { rulesPage, type SourceOf } from "../conformance/rules/page.js";
import { reportRules, rulesJson, type RulesReport } from "../conformance/rules/report.js";
import { tryReports, writeReports } from "./check-files.js";
import { programOptions, programsSchema } from "./check-options.js";
import { createCheckProgress } from "./check-progress.js";
import { printRules } from "./coverage-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { interruptible } from "./interruptible.js";
import { complain, out } from "./output.js";

const examples = `
Examples:
  $ sfork coverage
  $ sfork coverage --seed 1 --runs 20000
  $ sfork coverage --strategy copa --format rvy64 --time 1m
  $ sfork coverage --time 1m --report html=coverage.html

Programs run on the specification, as with sfork check --impl spec-lazy. Counted are the cases of every operation
(loadcap/bounds, open/ENOENT), each under its rule, and the evaluations of every function that docs/rules.md names, split by
what became of the step. The page has the code of each beside the counts. docs/coverage.md says more.

Exit status: 0 it was counted, whatever was reached; 1 a program broke a rule; 2 wrong usage; 3 the output could not be
written; 130 interrupted.`;

/** Milliseconds. */
const usualTime = 20_000;

const reportKinds = ["html", "json"] as const;

const optionsSchema = z.object({
  ...programsSchema.shape,
  time: z.number().optional(),
  workers: z.number(),
  json: z.boolean().default(false),
  report: z.array(z.object({ kind: z.enum(reportKinds), file: z.string() })).default([]),
});

type Options = z.infer<typeof optionsSchema>;

interface Counted {
  readonly settings: CampaignSettings;
  readonly result: Result;
  readonly rules: RulesReport;
  readonly found: readonly Found[];
  readonly interrupted: boolean;
}

const settingsOf = ({ seed, format, strategy, profile, steps }: Options): CampaignSettings => ({
  ...{ impl: "spec-lazy", seed: seed ?? randomInt(2 ** 32).toString() },
  ...{ formats: format, strategies: strategy, profile, steps },
});

const count = async (options: Options, document: readonly Rule[]): Promise<Counted> => {
  const settings = settingsOf(options);
  const { runs = Infinity, time = options.runs === undefined ? usualTime : Infinity } = options;
  const limits: Limits = { runs, time, findings: defaultMaxFindings };
  const plan = { settings, guided: false, shard: { part: 1, of: 1 }, corpus: [], limits, known: [] };
  const progress = createCheckProgress(limits, plan.shard);
  const deadline = Date.now() + limits.time;
  const found: Found[] = [];
  const copy = makeInstrumented(document);
  // A second Ctrl-C ends the process at once, and the copy with it.
  process.once("exit", copy.remove);
  const workers = threads(options.workers, copy.worker);
  try {
    return await interruptible(progress.clear, async (signal) => {
      const listener = {
        found: (one: Found) => found.push(one),
        progress: (reached: Parameters<Parameters<typeof runCampaign>[2]["progress"]>[0]) => {
          progress.at({ kind: "campaign", reached });
        },
      };
      const result = await runCampaign(plan, workers, listener, { signal, deadline });
      const rules = reportRules(result.coverage ?? createCoverage().result(), document);
      return { settings, result, rules, found, interrupted: signal.aborted };
    });
  } finally {
    progress.end();
    await workers.close();
    process.off("exit", copy.remove);
    copy.remove();
  }
};

const originOf = ({ settings, result }: Counted): string => {
  const { seed, profile, steps, strategies, formats } = settings;
  const many = `strategies ${strategies.join(", ")}; formats ${formats.join(", ")}`;
  return `seed ${seed}, profile ${profile}, up to ${plural(steps, "step")}; ${many}; ${result.seconds.toFixed(1)} s`;
};

const endingOf = ({ settings, result, found, interrupted }: Counted): readonly string[] => [
  ...found.map((one) =>
    out.red(`${one.finding.rule}: ${one.finding.where} ${one.finding.what}; sfork replay ${replayOf(settings, one)}`),
  ),
  ...(found.length >= defaultMaxFindings
    ? [out.red(`ended early, after ${plural(found.length, "different finding")}`)]
    : []),
  ...(result.totals.programs === 0 ? [out.red("no program was judged: nothing was counted")] : []),
  ...(interrupted ? ["interrupted: these are the counts up to then"] : []),
];

const print = (counted: Counted): string => {
  const { programs, steps } = counted.rules;
  return [
    `${plural(programs, "program")}, ${plural(steps, "step")}; ${originOf(counted)}`,
    "",
    ...(programs === 0 ? [] : printRules(counted.rules)),
    ...endingOf(counted),
    "",
  ].join("\n");
};

const jsonOf = ({ settings, result, rules, found, interrupted }: Counted): string => {
  const findings = found.map((one) => ({ rule: one.finding.rule, replay: replayOf(settings, one) }));
  const { seed, strategies, formats, profile } = settings;
  const run = { ok: found.length === 0 && !interrupted, seed, strategies, formats, profile, seconds: result.seconds };
  return `${JSON.stringify({ ...run, findings, ...rulesJson(rules), ...(interrupted && { interrupted }) }, null, 2)}\n`;
};

/** Sources are shipped beside what was built of them; each is read once. */
const sources = (): SourceOf => {
  const texts = new Map<string, string>();
  return ({ file, name }) => {
    const text = texts.get(file) ?? readFileSync(path.join(packageRoot(), file), "utf8");
    texts.set(file, text);
    return excerptOf(text, name);
  };
};

const coverage = async (options: Options, done: (code: ExitCode) => void): Promise<void> => {
  tryReports(options.report);
  const counted = await count(options, shippedRules());
  if (counted.found.length > 0) done(exitCodes.finding);
  else if (counted.interrupted) done(exitCodes.interrupted);
  const texts = {
    html: () => rulesPage(counted.rules, originOf(counted), sources()),
    json: () => jsonOf(counted),
  };
  for (const error of writeReports(options.report, texts)) {
    complain(error.describe());
    done(exitCodes.environment);
  }
  process.stdout.write(options.json ? jsonOf(counted) : print(counted));
};

export const coverageCommand = (done: (code: ExitCode) => void): Command =>
  new Command("coverage")
    .description("count which rules, and which of their cases, generated programs reach")
    .addOption(programOptions.strategy())
    .addOption(programOptions.format())
    .addOption(programOptions.profile())
    .addOption(programOptions.runs("end after so many programs"))
    .addOption(programOptions.time("20s"))
    .addOption(programOptions.steps())
    .addOption(programOptions.seed())
    .addOption(programOptions.workers())
    .addOption(programOptions.report(reportKinds))
    .option("--json", "print one JSON object at the end")
    .addHelpText("after", examples)
    .action(async (options: unknown) => {
      try {
        await coverage(optionsSchema.parse(options), done);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
