/** What `sfork check` prints: findings as they are found, regressions before them, and a summary at the end. */
import type { CampaignSettings, Check, Found, Totals } from "../conformance/check/campaign.js";
import { refinement } from "../conformance/check/judge.js";
import type { SavedFound } from "../conformance/check/keep.js";
import type { Regression } from "../conformance/check/regressions.js";
import { isExternal } from "../conformance/check/external.js";
import { junitXml } from "../conformance/check/junit.js";
import { labelOf } from "../conformance/check/token.js";
import { checkJson, rateOf, replayOf, type CheckReport } from "../conformance/check/report.js";
import { summarizeCoverage } from "../conformance/coverage-summary.js";
import { conformingNames, formatNames } from "../conformance/program/config-codec.js";
import { plural } from "../conformance/plural.js";
import { printOperation, printTextProgram } from "../conformance/program/print.js";
import type { Program } from "../conformance/program/program.js";
import type { ReportKind } from "./check-options.js";
import { out } from "./output.js";

const whole = (number: number): string => number.toLocaleString("en");

/** A finding of an earlier run, when it was run again. */
export const printRegression = ({ file, rule, finding }: Regression): string =>
  finding === undefined
    ? `${file}: ${out.green(rule === null ? "holds" : `${rule} holds now`)}\n`
    : `${file}: ${out.red(`still ${finding.rule}: ${finding.where} ${finding.what}`)}\n`;

/** A program below what is said of it. */
export const dimmed = (program: Program): readonly string[] =>
  printTextProgram(program)
    .trimEnd()
    .split("\n")
    .map((line) => out.dim(`    ${line}`));

/** A finding with its program, as it is printed when it is as small as it becomes. */
export const printFinding = (settings: CampaignSettings, found: Found, path: string | undefined): string => {
  const { rule, kind, where, what, expected, actual, step, also, program } = found.finding;
  const operation = program.steps[step]?.operation;
  const { format, strategy } = program.config;
  const made = found.mutant === true ? ", made from others" : "";
  const origin = found.file === undefined ? `${found.index} of seed ${settings.seed}${made}` : `of ${found.file}`;
  return [
    out.red(`${rule}: ${where} ${what}`),
    `  step      ${step}${operation === undefined ? "" : `: ${printOperation(operation)}`}`,
    ...(kind === "observation" || rule === "REF-4" ? [`  expected  ${expected}`, `  actual    ${actual}`] : []),
    ...(also.length === 0 ? [] : [`  also      ${also.join(", ")}`]),
    `  program   ${origin}, ${format}, ${strategy}; ${path ?? "not saved"}`,
    `  replay    ${replayOf(settings, found, path)}`,
    ...(kind === "flaky" ? ["  it did not show again: what is checked depends on more than the program"] : []),
    ...dimmed(program),
    "",
    "",
  ].join("\n");
};

const listed = (chosen: readonly string[], known: readonly string[]): string =>
  chosen.length === known.length ? `all (${chosen.join(", ")})` : chosen.join(", ");

const verdictOf = ({ checked, failed }: Pick<Check, "checked" | "failed">): string => {
  if (checked === 0 && failed === 0) return "nothing to compare";
  return failed === 0 ? out.green("held") : out.red(`broken by ${plural(failed, "program")}`);
};

const heldIn = (transitions: number): string => (transitions === 0 ? "nothing was checked" : out.green("held"));

/** What stands for itself: a comparison, or an invariant that was broken. The others share a line. */
const checkLines = (
  { checks, looks, transitions, inFull, masked, ended, crashes }: Totals,
  { impl, strategies }: CampaignSettings,
): readonly string[] => {
  const compared = checks.filter(({ rule }) => rule.startsWith("REF-"));
  const invariants = checks.filter(({ rule }) => !rule.startsWith("REF-"));
  const broken = invariants.filter(({ failed }) => failed > 0);
  const others = invariants.length - broken.length;
  const beside = (rule: string): string => {
    if (rule === "REF-0") return "of the specification beside the running kernel";
    if (rule === "REF-4") return `of ${labelOf(impl)} beside the specification`;
    return rule === "REF-3"
      ? `of one address space beside one for each process, ${whole(masked)} of them without numbers`
      : `of ${strategies.filter((name) => refinement[name] === rule).join(", ")} beside eager copies`;
  };
  const evaluated = `${plural(transitions, "transition")}, everything looked at after ${whole(inFull)}`;
  const ends = Object.entries(ended).flatMap(([kind, times]) => (times === 0 ? [] : [`${kind} ${whole(times)}`]));
  return [
    "checks",
    ...compared.map((check) => {
      const what = `${plural(check.checked, "observation")} ${beside(check.rule)}`;
      return `  ${check.rule}: ${what}: ${verdictOf(check)}`;
    }),
    ...(ends.length === 0 ? [] : [`  comparisons that ended before their program: ${ends.join(", ")}`]),
    ...(impl === "spec-lazy" || isExternal(impl)
      ? []
      : [`  views and counters compared, and structures checked, ${plural(looks, "time")}`]),
    isExternal(impl)
      ? looks === 0
        ? "  it shows no views: observations alone decide"
        : `  INV-1 to INV-4 from outside: ${plural(looks, "view")} after the last step of a program`
      : `  invariants: ${evaluated}`,
    ...broken.map((check) => `  ${check.rule}: ${verdictOf(check)}`),
    ...(others === 0
      ? []
      : [
          `  ${broken.length === 0 ? "all" : "the other"} ${others} invariants: ${heldIn(isExternal(impl) ? looks : transitions)}`,
        ]),
    ...(crashes === 0
      ? []
      : [
          `  ${out.red(`${plural(crashes, "program")} crashed ${impl === "spec-lazy" ? "the specification" : labelOf(impl)}`)}`,
        ]),
  ];
};

/** What is to be said of how small a finding became: nothing where it is as small as it becomes. */
const sizeOf = (saved: SavedFound | undefined): string => {
  if (saved === undefined || saved.minimal || saved.found.finding.kind === "flaky") return "";
  return saved.cutShort ? ", not made smaller" : ", not as small as it may become (sfork shrink)";
};

/** One line a finding, as it stands in the summary. */
const findingLine = (
  { settings }: CheckReport,
  { index, finding: raw, programs, file }: Totals["findings"][number],
  saved: SavedFound | undefined,
): string => {
  const finding = saved?.found.finding ?? raw;
  const operation = finding.program.steps[finding.step]?.operation.op ?? "start";
  const where = saved?.path ?? `${file ?? `program ${index} of seed ${settings.seed}`}, not saved`;
  return `  ${finding.rule} in ${operation}, ${plural(programs, "program")}: ${where}${sizeOf(saved)}`;
};

const regressionLines = ({ regressions }: CheckReport): readonly string[] => {
  const shown = regressions.filter(({ held }) => !held);
  const held = regressions.length - shown.length;
  return [
    ...(held === 0 ? [] : [`${plural(held, "regression")} ${held === 1 ? "holds" : "hold"} now`]),
    ...(shown.length === 0
      ? []
      : [out.red(`${plural(shown.length, "regression")} still ${shown.length === 1 ? "shows" : "show"}:`)]),
    ...shown.map(({ file, rule }) => `  ${rule ?? ""}: ${file}`),
  ];
};

const errorLines = ({ errors }: CheckReport): readonly string[] =>
  errors.length === 0
    ? []
    : [
        out.red(`${plural(errors.length, "file")} could not be read or written:`),
        ...errors.map((error) => `  ${error.describe()}`),
      ];

/** What was found; no program that holds is nothing found. */
const foundLine = ({ totals, settings, regressions }: CheckReport): string => {
  const { findings, programs } = totals;
  const other = regressions.some(({ held }) => !held) ? "other " : "";
  if (findings.length > 0)
    return out.red(`${plural(findings.length, "different finding")} in ${labelOf(settings.impl)}`);
  return programs === 0
    ? `no ${other}findings in ${labelOf(settings.impl)}: no program was checked`
    : out.green(`no ${other}findings in ${labelOf(settings.impl)}`);
};

const ending = (report: CheckReport): readonly string[] => {
  const { totals, saved, interrupted } = report;
  return [
    ...totals.findings.map((found, at) => findingLine(report, found, saved[at])),
    ...regressionLines(report),
    ...errorLines(report),
    foundLine(report),
    ...(report.gone === undefined ? [] : [out.red(`ended early, it cannot be started any more: ${report.gone}`)]),
    ...(interrupted ? ["interrupted: not everything was checked"] : []),
  ];
};

/** The summary, with the verdict as its last line. */
export const printCheckReport = (report: CheckReport): string => {
  const { settings, totals, coverage, seconds, shard } = report;
  const { impl, seed, strategies, formats, profile, steps } = settings;
  const part = shard.of === 1 ? "" : `, shard ${shard.part} of ${shard.of}`;
  return [
    `seed ${seed}, implementation ${labelOf(impl)}, profile ${profile}, up to ${plural(steps, "step")}${part}`,
    `strategies ${listed(strategies, conformingNames)}; formats ${listed(formats, formatNames)}`,
    `${plural(totals.programs, "program")}, ${plural(totals.steps, "step")} in ${seconds.toFixed(1)} s: ` +
      `${rateOf(report).toFixed(1)} programs/s`,
    "",
    ...checkLines(totals, settings),
    "",
    ...(coverage === undefined ? [] : [summarizeCoverage(coverage), ""]),
    ...ending(report),
    "",
  ].join("\n");
};

/** The files that `--report` asks for; the one of JSON is what `--json` prints. */
export const checkTexts = (report: CheckReport): Readonly<Record<ReportKind, () => string>> => ({
  junit: () => junitXml(report),
  json: () => `${JSON.stringify(checkJson(report), null, 2)}\n`,
});
