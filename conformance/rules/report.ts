/** What a run reached of the rules: cases of operations, functions of entries, corner cases. */
import { operations, type OperationEntry } from "../../spec/sfork/operation.js";
import type { CoverageResult, Evaluations } from "../coverage.js";
import { countCases, notReached, type RuleCase } from "./cases.js";
import type { Entry, Rule } from "./document.js";

export interface CountedCase extends RuleCase {
  readonly times: number;
}

export interface CountedEntry extends Entry {
  /** Undefined for a constant, which is not evaluated. */
  readonly evaluations: Evaluations | undefined;
}

export interface CountedRule extends Omit<Rule, "entries"> {
  readonly cases: readonly CountedCase[];
  readonly entries: readonly CountedEntry[];
  /** Of all its functions. */
  readonly evaluations: Evaluations;
}

export interface RulesReport {
  readonly programs: number;
  readonly steps: number;
  /** In the order of the document. */
  readonly rules: readonly CountedRule[];
  readonly cornerCases: Readonly<Record<string, number>>;
  readonly missing: Missing;
}

/** What was not reached, and could have been. */
interface Missing {
  readonly cases: readonly string[];
  readonly functions: readonly string[];
  readonly cornerCases: readonly string[];
}

/** Entries whose function no step evaluates, and why. */
export const unevaluated: ReadonlyMap<string, string> = new Map([
  ["CAP-4 legalise", "no operation makes permissions of bits; it is for whoever makes a word"],
]);

const none: Evaluations = { succeeded: 0, failed: 0, trapped: 0, outside: 0 };

const add = (one: Evaluations, other: Evaluations): Evaluations => ({
  succeeded: one.succeeded + other.succeeded,
  failed: one.failed + other.failed,
  trapped: one.trapped + other.trapped,
  outside: one.outside + other.outside,
});

export const totalOf = ({ succeeded, failed, trapped, outside }: Evaluations): number =>
  succeeded + failed + trapped + outside;

const isMissed = ({ id, evaluations }: CountedEntry): boolean =>
  evaluations !== undefined && totalOf(evaluations) === 0 && !unevaluated.has(id);

/** The rules of the table that the document does not have come last, without a text. */
const withOthers = (rules: readonly Rule[]): readonly Rule[] => {
  const named = Object.values(operations).map(({ rule }: OperationEntry) => rule);
  const others = [...new Set(named)].filter((id) => rules.every((rule) => rule.id !== id));
  return [...rules, ...others.map((id) => ({ id, title: "", text: "", entries: [] }))];
};

export const reportRules = (coverage: CoverageResult, rules: readonly Rule[]): RulesReport => {
  const counts = countCases(coverage);
  const all = [...counts].map(([one, times]): CountedCase => ({ ...one, times }));
  const counted = withOthers(rules).map((rule): CountedRule => {
    const entries = rule.entries.map((one) => ({ ...one, evaluations: coverage.evaluations?.[one.id] }));
    const evaluations = entries.reduce((sum, one) => add(sum, one.evaluations ?? none), none);
    return { ...rule, cases: all.filter((one) => one.rule === rule.id), entries, evaluations };
  });
  return {
    programs: coverage.programs,
    steps: coverage.steps,
    rules: counted,
    cornerCases: coverage.cornerCases,
    missing: {
      cases: notReached(counts).map(({ name }) => name),
      functions: counted.flatMap(({ entries }) => entries.filter(isMissed).map(({ id }) => id)),
      cornerCases: Object.entries(coverage.cornerCases).flatMap(([name, times]) => (times === 0 ? [name] : [])),
    },
  };
};

/** Plain JSON. `evaluated` is null for what is not a function. */
export const rulesJson = ({ programs, steps, rules, cornerCases, missing }: RulesReport): object => ({
  programs,
  steps,
  rules: rules.map(({ id, title, cases, entries }) => ({
    id,
    title,
    cases: cases.map(({ name, kind, times }) => ({ name, kind, times })),
    functions: entries.map(({ id: entry, file, name, evaluations }) => ({
      ...{ id: entry, file, name },
      evaluated: evaluations ?? null,
    })),
  })),
  cornerCases,
  notReached: missing,
});
