/** What `sfork coverage` prints at the end: a row for each rule, and what was not reached. */
import { fold } from "../conformance/fold.js";
import { unreachable } from "../conformance/rules/cases.js";
import { totalOf, unevaluated, type CountedRule, type RulesReport } from "../conformance/rules/report.js";
import { plural } from "../conformance/plural.js";
import { out } from "./output.js";

const whole = (number: number): string => number.toLocaleString("en");

const reachedOf = ({ cases }: CountedRule): string =>
  cases.length === 0 ? "-" : `${cases.filter(({ times }) => times > 0).length} of ${cases.length}`;

const header = ["rule", "cases", "succeeded", "failed", "trapped", "outside", ""] as const;

const rowOf = (rule: CountedRule): readonly string[] => {
  const { succeeded, failed, trapped, outside } = rule.evaluations;
  const isCounted = rule.entries.some(({ evaluations }) => evaluations !== undefined);
  const counts = isCounted ? [succeeded, failed, trapped, outside].map(whole) : ["not counted", "", "", ""];
  return [rule.id, reachedOf(rule), ...counts, rule.title];
};

/** The first column and the last are text, the others numbers. */
const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = header.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const last = header.length - 1;
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === last) return cell;
        return column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
      })
      .join("  ")
      .trimEnd(),
  );
};

const listed = (what: string, names: readonly string[]): readonly string[] =>
  names.length === 0
    ? []
    : [out.red(`${what} not reached (${names.length})`), ...fold(names.join(", "), 100).map((line) => `  ${line}`)];

/** All cases of all rules, as a line. */
const caseLine = ({ rules }: RulesReport): string => {
  const cases = rules.flatMap((rule) => rule.cases);
  const reached = cases.filter(({ times }) => times > 0).length;
  const out = cases.filter(({ name, times }) => times === 0 && unreachable.has(name)).length;
  return `${reached} of ${plural(cases.length, "rule case")} reached, ${out} out of reach`;
};

const functionLine = ({ rules }: RulesReport): string => {
  const entries = rules.flatMap((rule) => rule.entries);
  const counted = entries.flatMap(({ evaluations }) => evaluations ?? []);
  const evaluated = counted.filter((one) => totalOf(one) > 0).length;
  const constants = entries.filter(({ evaluations }) => evaluations === undefined).map(({ id }) => id);
  return [
    `${evaluated} of ${plural(counted.length, "function")} of rules evaluated, ${unevaluated.size} out of reach`,
    ...(constants.length === 0 ? [] : [`not counted, for they are constants: ${constants.join(", ")}`]),
  ].join("; ");
};

export const printRules = (report: RulesReport): readonly string[] => {
  const { rules, missing, cornerCases } = report;
  const corners = Object.keys(cornerCases).length;
  return [
    ...columns([header, ...rules.map(rowOf)]),
    "",
    ...listed("cases", missing.cases),
    ...listed("functions", missing.functions),
    ...listed("corner cases", missing.cornerCases),
    caseLine(report),
    functionLine(report),
    `${corners - missing.cornerCases.length} of ${plural(corners, "corner case")} reached`,
  ];
};
