/** What `sfork check` prints: findings as they are found, a summary at the end, or one JSON object. */
import type { CampaignSettings, Check, Found, Totals } from "../conformance/check/campaign.js";
import { printToken } from "../conformance/check/token.js";
import { refinement } from "../conformance/check/judge.js";
import type { CoverageResult } from "../conformance/coverage.js";
import { summarizeCoverage } from "../conformance/coverage-summary.js";
import { conformingNames, formatNames } from "../conformance/program/config-codec.js";
import { programCodec } from "../conformance/program/json.js";
import { printOperation, printTextProgram } from "../conformance/program/print.js";
import { out } from "./output.js";

export interface CheckReport {
  readonly settings: CampaignSettings;
  readonly totals: Totals;
  /** Of the specification alone. */
  readonly coverage: CoverageResult | undefined;
  readonly seconds: number;
  readonly interrupted: boolean;
  /** In the order of the findings of the totals. */
  readonly saved: readonly SavedFound[];
}

/** A finding as small as it became, where that was saved, and where it was saved as it was found. */
export interface SavedFound {
  readonly found: Found;
  readonly path: string | undefined;
  readonly raw: string | undefined;
}

const whole = (number: number): string => number.toLocaleString("en");

const plural = (number: number, noun: string): string => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

const rate = ({ totals, seconds }: Pick<CheckReport, "totals" | "seconds">): number =>
  totals.programs / Math.max(seconds, 0.001);

/** A finding with its program, as it is printed when it is found. */
export const printFinding = (
  settings: CampaignSettings,
  { index, finding }: Found,
  path: string | undefined,
): string => {
  const { seed } = settings;
  const { rule, kind, where, what, expected, actual, step, also, program } = finding;
  const operation = program.steps[step]?.operation;
  const { format, strategy } = program.config;
  return [
    out.red(`${rule}: ${where} ${what}`),
    `  step      ${step}${operation === undefined ? "" : `: ${printOperation(operation)}`}`,
    ...(kind === "observation" || rule === "REF-4" ? [`  expected  ${expected}`, `  actual    ${actual}`] : []),
    ...(also.length === 0 ? [] : [`  also      ${also.join(", ")}`]),
    `  program   ${index} of seed ${seed}, ${format}, ${strategy}; ${path ?? "not saved"}`,
    `  replay    ${printToken({ settings, index })}`,
    ...(kind === "flaky" ? ["  it did not show again: what is checked depends on more than the program"] : []),
    ...printTextProgram(program)
      .trimEnd()
      .split("\n")
      .map((line) => out.dim(`    ${line}`)),
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
    if (rule === "REF-4") return `of ${impl} beside the specification`;
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
    ...(impl === "spec-lazy"
      ? []
      : [`  views and counters compared, and structures checked, ${plural(looks, "time")}`]),
    `  invariants: ${evaluated}`,
    ...broken.map((check) => `  ${check.rule}: ${verdictOf(check)}`),
    ...(others === 0
      ? []
      : [`  ${broken.length === 0 ? "all" : "the other"} ${others} invariants: ${out.green("held")}`]),
    ...(crashes === 0
      ? []
      : [`  ${out.red(`${plural(crashes, "program")} crashed ${impl === "spec-lazy" ? "the specification" : impl}`)}`]),
  ];
};

const ending = ({ totals: { findings }, saved, interrupted, settings }: CheckReport): readonly string[] => [
  ...findings.map(({ finding: raw, programs, index }, at) => {
    const finding = saved[at]?.found.finding ?? raw;
    const operation = finding.program.steps[finding.step]?.operation.op ?? "start";
    const where = saved[at]?.path ?? `program ${index} of seed ${settings.seed}, not saved`;
    return `  ${finding.rule} in ${operation}, ${plural(programs, "program")}: ${where}`;
  }),
  findings.length === 0
    ? out.green(`no findings in ${settings.impl}`)
    : out.red(`${plural(findings.length, "different finding")} in ${settings.impl}`),
  ...(interrupted ? ["interrupted: not everything was checked"] : []),
];

/** The summary, with the verdict as its last line. */
export const printCheckReport = (report: CheckReport): string => {
  const { settings, totals, coverage, seconds } = report;
  const { impl, seed, strategies, formats, profile, steps } = settings;
  return [
    `seed ${seed}, implementation ${impl}, profile ${profile}, up to ${plural(steps, "step")}`,
    `strategies ${listed(strategies, conformingNames)}; formats ${listed(formats, formatNames)}`,
    `${plural(totals.programs, "program")}, ${plural(totals.steps, "step")} in ${seconds.toFixed(1)} s: ` +
      `${rate(report).toFixed(1)} programs/s`,
    "",
    ...checkLines(totals, settings),
    "",
    ...(coverage === undefined ? [] : [summarizeCoverage(coverage), ""]),
    ...ending(report),
    "",
  ].join("\n");
};

/** One object, for programs to read. */
export const checkJson = (report: CheckReport): object => {
  const { settings, totals, coverage, interrupted, saved } = report;
  return {
    ok: totals.findings.length === 0 && !interrupted,
    runs: totals.programs,
    steps: totals.steps,
    seed: settings.seed,
    programsPerSecond: Math.round(rate(report) * 10) / 10,
    impl: settings.impl,
    strategies: settings.strategies,
    formats: settings.formats,
    profile: settings.profile,
    findings: totals.findings.flatMap(({ index, programs }, at) =>
      saved.slice(at, at + 1).map(({ found: { finding }, path, raw }) => ({
        kind: finding.kind,
        rule: finding.rule,
        replay: printToken({ settings, index }),
        program: programCodec.encode(finding.program),
        steps: finding.program.steps.length,
        step: finding.step,
        where: finding.where,
        what: finding.what,
        expected: finding.expected,
        actual: finding.actual,
        also: finding.also,
        index,
        programs,
        path: path ?? null,
        raw: raw ?? null,
      })),
    ),
    checks: totals.checks,
    masked: totals.masked,
    transitions: { checked: totals.transitions, inFull: totals.inFull },
    ended: totals.ended,
    looks: totals.looks,
    ...(coverage === undefined ? {} : { coverage }),
    ...(interrupted ? { interrupted } : {}),
  };
};
