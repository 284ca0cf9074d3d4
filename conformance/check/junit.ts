/**
 * What a run came to as JUnit's XML, which build servers read: one suite, a case for each rule and each finding of earlier
 * runs. Neither the machine's name nor the date is in it.
 */
import { match } from "ts-pattern";
import type { Check } from "./campaign.js";
import type { Finding } from "./finding.js";
import type { SavedFound } from "./keep.js";
import type { Regression } from "./regressions.js";
import { replayOf, type CheckReport } from "./report.js";
import { labelOf } from "./token.js";

/** What XML cannot hold, not even escaped. */
const foreign = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

const escape = (text: string, what: RegExp): string =>
  text.replaceAll(foreign, "\uFFFD").replaceAll(what, (one) => entities[one] ?? one);

const content = (text: string): string => escape(text, /[&<>\r]/g);

const element = (name: string, attributes: Readonly<Record<string, string | number>>, inner?: string): string => {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value), /[&<>"\n\r\t]/g)}"`);
  return `<${name}${given.join("")}${inner === undefined ? "/>" : `>${inner}</${name}>`}`;
};

type Outcome = "held" | "failed" | "skipped" | "error";

interface Case {
  readonly outcome: Outcome;
  readonly xml: string;
}

/** A case; `more` says what was wrong, in a line and in full. */
const caseOf = (
  name: string,
  of: string,
  outcome: Outcome,
  more: readonly [type: string, line: string, all: string] = ["", "", ""],
): Case => {
  const [type, message, all] = more;
  const inner = match(outcome)
    .with("held", () => undefined)
    .with("skipped", () => element("skipped", {}))
    .with("failed", () => element("failure", { message, type }, content(all)))
    .with("error", () => element("error", { message, type }))
    .exhaustive();
  return { outcome, xml: element("testcase", { name, classname: `sfork.${of}` }, inner) };
};

const line = ({ rule, where, what }: Finding): string => `${rule}: ${where} ${what}`;

const described = (report: CheckReport, { found, path }: SavedFound): string => {
  const { finding } = found;
  return [
    line(finding),
    `expected  ${finding.expected}`,
    `actual    ${finding.actual}`,
    `program   ${path ?? found.file ?? "not saved"}`,
    `replay    npx sfork replay ${replayOf(report.settings, found, path)}`,
  ].join("\n");
};

const ruleCase = (report: CheckReport, { rule, checked, failed }: Check): Case => {
  const saved = report.saved.filter(({ found }) => found.finding.rule === rule);
  const [first] = saved;
  const impl = labelOf(report.settings.impl);
  if (first === undefined && failed === 0) return caseOf(rule, impl, checked === 0 ? "skipped" : "held");
  const elsewhere = `${rule} is broken with another rule, or by an earlier finding`;
  const message = first === undefined ? elsewhere : line(first.found.finding);
  const kind = first?.found.finding.kind ?? "invariant";
  return caseOf(rule, impl, "failed", [kind, message, saved.map((one) => described(report, one)).join("\n\n")]);
};

const regressionCase = ({ file, finding }: Regression, { settings }: CheckReport): Case => {
  if (finding === undefined) return caseOf(file, "regressions", "held");
  const replay = replayOf(settings, { index: 0, file, finding });
  const all = [line(finding), `replay    npx sfork replay ${replay}`].join("\n");
  return caseOf(file, "regressions", "failed", ["regression", line(finding), all]);
};

/** The whole document. */
export const junitXml = (report: CheckReport): string => {
  const { settings, totals, seconds, interrupted, shard } = report;
  const { seed, profile, steps } = settings;
  const impl = labelOf(settings.impl);
  const cases = [
    ...report.regressions.map((one) => regressionCase(one, report)),
    ...report.errors.map(({ file, message }) => caseOf(file, "regressions", "error", ["unreadable", message, ""])),
    ...totals.checks.map((check) => ruleCase(report, check)),
    ...(interrupted
      ? [caseOf("interrupted", impl, "error", ["interrupted", "not everything was checked", ""] as const)]
      : []),
  ];
  const count = (outcome: Outcome): number => cases.filter((one) => one.outcome === outcome).length;
  const numbers = { tests: cases.length, failures: count("failed"), errors: count("error") };
  const time = seconds.toFixed(3);
  const properties = Object.entries({
    ...{ seed, impl, profile, steps, shard: `${shard.part}/${shard.of}` },
    ...{ strategies: settings.strategies.join(","), formats: settings.formats.join(",") },
    ...{ programs: totals.programs, "steps-taken": totals.steps },
  }).map(([name, value]) => element("property", { name, value }));
  const suite = [
    element("properties", {}, `\n${properties.map((one) => `      ${one}\n`).join("")}    `),
    ...cases.map(({ xml }) => xml),
  ];
  const inner = `\n${suite.map((one) => `    ${one}\n`).join("")}  `;
  const name = `sfork check ${impl}`;
  const all = element("testsuite", { name, ...numbers, skipped: count("skipped"), time }, inner);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", { name, ...numbers, time }, `\n  ${all}\n`)}\n`;
};
