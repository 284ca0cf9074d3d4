/** What a run of `sfork check` came to, and that as one object for programs to read. */
import { quoted, type InputError } from "../errors.js";
import { programCodec } from "../program/json.js";
import type { Found, CampaignSettings } from "./campaign.js";
import type { SavedFound } from "./keep.js";
import type { Regression } from "./regressions.js";
import type { Result, Shard } from "./run.js";
import { isExternal } from "./external.js";
import { tokenOf } from "./saved.js";
import { labelOf } from "./token.js";

export interface CheckReport extends Result {
  readonly settings: CampaignSettings;
  readonly shard: Shard;
  /** Findings of earlier runs. */
  readonly regressions: readonly Regression[];
  /** In the order of the findings of the totals. */
  readonly saved: readonly SavedFound[];
  /** Of files in which findings are kept, those that could not be read or written. */
  readonly errors: readonly InputError[];
  readonly interrupted: boolean;
}

/** Programs a second. */
export const rateOf = ({ totals, seconds }: Result): number => totals.programs / Math.max(seconds, 0.001);

/** What `sfork replay` is given: the token of a generated program, or of the program itself; the file of any other. */
const targetOf = (settings: CampaignSettings, found: Found, path = found.file): string =>
  found.file === undefined ? tokenOf(settings, found) : (path ?? found.file);

/** What is typed after `sfork replay`. A token says itself what is checked, but not how that is started. */
export const replayOf = (settings: CampaignSettings, found: Found, path = found.file): string => {
  const { impl } = settings;
  const isNamed = found.file !== undefined || isExternal(impl);
  return `${isNamed ? `--impl ${quoted(labelOf(impl))} ` : ""}${quoted(targetOf(settings, found, path))}`;
};

/** Everything held, and nothing was left out. */
export const isHeld = ({ totals, regressions, errors, interrupted, gone }: CheckReport): boolean =>
  totals.findings.length === 0 &&
  regressions.every(({ held }) => held) &&
  errors.length === 0 &&
  gone === undefined &&
  !interrupted;

const findingsOf = ({ settings, totals, saved }: CheckReport): readonly object[] =>
  totals.findings.flatMap(({ programs }, at) =>
    saved.slice(at, at + 1).map(({ found, path, raw, minimal }) => {
      const { finding, index, file } = found;
      return {
        kind: finding.kind,
        rule: finding.rule,
        replay: targetOf(settings, found, path),
        program: programCodec.encode(finding.program),
        steps: finding.program.steps.length,
        minimal,
        step: finding.step,
        where: finding.where,
        what: finding.what,
        expected: finding.expected,
        actual: finding.actual,
        also: finding.also,
        index: file === undefined ? index : null,
        file: file ?? null,
        programs,
        path: path ?? null,
        raw: raw ?? null,
      };
    }),
  );

/** Plain JSON. */
export const checkJson = (report: CheckReport): object => {
  const { settings, shard, totals, coverage, interrupted, regressions, errors } = report;
  return {
    ok: isHeld(report),
    runs: totals.programs,
    steps: totals.steps,
    seed: settings.seed,
    shard: `${shard.part}/${shard.of}`,
    programsPerSecond: Math.round(rateOf(report) * 10) / 10,
    impl: labelOf(settings.impl),
    strategies: settings.strategies,
    formats: settings.formats,
    profile: settings.profile,
    regressions: regressions.map(({ file, rule, held }) => ({ file, rule, held })),
    findings: findingsOf(report),
    errors: errors.map(({ file, message }) => ({ file, message })),
    checks: totals.checks,
    masked: totals.masked,
    transitions: { checked: totals.transitions, inFull: totals.inFull },
    ended: totals.ended,
    looks: totals.looks,
    ...(coverage === undefined ? {} : { coverage }),
    ...(interrupted ? { interrupted } : {}),
    ...(report.gone === undefined ? {} : { gone: report.gone }),
  };
};
