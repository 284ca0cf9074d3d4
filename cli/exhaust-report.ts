/** What `sfork exhaust` prints: what was covered of each alphabet on each machine, and what was found. */
import type { Finding } from "../conformance/check/finding.js";
import { operationsOf } from "../conformance/exhaust/alphabet.js";
import { alphabetOf } from "../conformance/exhaust/alphabets/index.js";
import type { SearchResult } from "../conformance/exhaust/run.js";
import { spaceOf, type SpaceName } from "../conformance/exhaust/space.js";
import { plural } from "../conformance/plural.js";
import { programCodec } from "../conformance/program/json.js";
import { printOperation } from "../conformance/program/print.js";
import { dimmed } from "./check-report.js";
import { out } from "./output.js";

export interface Searched extends SearchResult {
  /** Where each finding was saved, in their order; undefined for one that was not. */
  readonly paths: readonly (string | undefined)[];
}

export interface ExhaustReport {
  /** The name of what was judged. */
  readonly implementation: string;
  readonly searches: readonly Searched[];
  readonly interrupted: boolean;
}

const whole = (number: number): string =>
  Number.isSafeInteger(number) ? number.toLocaleString("en") : number.toExponential(3);

const count = (number: number, noun: string): string => `${whole(number)} ${number === 1 ? noun : `${noun}s`}`;

/** Transitions of this run a second. */
const rateOf = ({ judged, seconds }: SearchResult): number => judged / Math.max(seconds, 0.001);

export const printFound = (finding: Finding, path: string | undefined): string => {
  const { rule, where, what, expected, actual, step, program } = finding;
  const operation = program.steps[step]?.operation;
  return [
    out.red(`${rule}: ${where} ${what}`),
    `  step      ${step}${operation === undefined ? "" : `: ${printOperation(operation)}`}`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    ...(path === undefined ? [] : [`  replay    npx sfork replay --impl fast ${path}`]),
    ...dimmed(program),
    "",
    "",
  ].join("\n");
};

/** One search in a few lines. */
export const printSearch = (search: Searched): string => {
  const { space, covered, found, resumed, judged, seconds } = search;
  const { depth, states, transitions, programs, frontier, closed } = covered;
  const { alphabet, format, strategy, processes } = space.name;
  const partly = `${whole(frontier.done)} of ${whole(frontier.states)} states at depth ${depth} gone on from`;
  const earlier = resumed === 0 ? "" : `, after ${count(resumed, "transition")} of earlier runs`;
  return [
    `${alphabet}: ${space.operations.length} operations for each thread; ${format}, ${strategy}, up to ${processes} processes`,
    closed
      ? `  every program, of any length: none comes to another state than those of up to ${plural(depth, "step")}`
      : `  every program of up to ${plural(depth, "step")}: ${count(programs, "program")}`,
    `  ${count(states, "distinct state")}, ${count(transitions, "distinct transition")}${frontier.done === 0 || closed ? "" : `; ${partly}`}`,
    `  this run: ${count(judged, "transition")} in ${seconds.toFixed(1)} s, ${whole(Math.round(rateOf(search)))}/s${earlier}`,
    ...found.map(({ finding, transitions: times }, nth) => {
      const where = search.paths[nth] ?? "not saved";
      return out.red(
        `  ${finding.rule} in ${finding.program.steps.at(-1)?.operation.op ?? "start"}, ${count(times, "transition")}: ${where}`,
      );
    }),
    "",
  ].join("\n");
};

export const findingsOf = ({ searches }: ExhaustReport): number =>
  searches.reduce((all, { found }) => all + found.length, 0);

export const printVerdict = (report: ExhaustReport): string => {
  const findings = findingsOf(report);
  const judged = report.searches.reduce((all, { covered }) => all + covered.transitions, 0);
  const what = findings === 0 ? "no findings" : plural(findings, "different finding");
  const line = `${what} in ${report.implementation}, ${count(judged, "distinct transition")} judged`;
  return [
    (findings === 0 ? out.green : out.red)(line),
    ...(report.interrupted ? ["interrupted: the same command goes on from here"] : []),
    "",
  ].join("\n");
};

export const exhaustJson = (report: ExhaustReport): object => ({
  ok: findingsOf(report) === 0 && !report.interrupted,
  impl: report.implementation,
  ...(report.interrupted ? { interrupted: true } : {}),
  searches: report.searches.map((search) => {
    const { space, covered, found, resumed, judged, seconds, paths } = search;
    return {
      ...{ ...space.name, operations: space.operations.length, ...covered },
      ...{ resumed, judged, seconds, transitionsPerSecond: rateOf(search) },
      findings: found.map(({ finding, transitions }, nth) => ({
        ...{ kind: finding.kind, rule: finding.rule, where: finding.where, what: finding.what },
        ...{ expected: finding.expected, actual: finding.actual, steps: finding.program.steps.length, transitions },
        ...{ program: programCodec.encode(finding.program), file: paths[nth] ?? null },
      })),
    };
  }),
});

export const printAlphabet = (name: SpaceName): string => {
  const { config } = spaceOf(name);
  const alphabet = alphabetOf(name.alphabet);
  const operations = operationsOf(alphabet, config);
  return [
    `${alphabet.name}: ${alphabet.what}`,
    ...operations.map((operation) => `  ${printOperation(operation)}`),
    "",
  ].join("\n");
};
