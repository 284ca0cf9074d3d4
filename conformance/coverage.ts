/** What programs reached, counted: operations by outcome, trap causes, corner cases, exponents. */
import { formats, type Capability, type FormatName } from "../spec/cheri/index.js";
import type { CheckedStep } from "../spec/invariants/check.js";
import { operations, type OperationName } from "../spec/sfork/operation.js";
import { cornerCases, lookoutFor, type CornerCase } from "./corner-cases.js";
import { outcomeOf, type Outcome } from "./outcome.js";

type Counts = Readonly<Record<string, number>>;

export interface OperationCoverage {
  readonly succeeded: number;
  /** By error; what would have blocked counts as `would-block`, a capability that lost its tag as `untagged`. */
  readonly failed: Counts;
  /** By cause. */
  readonly trapped: Counts;
  /** Steps that say nothing of the operation: by kind of observation (`unsupported`, `outside-profile`, …). */
  readonly discarded: Counts;
}

/** How often a rule's function was evaluated, by what became of the step. */
export interface Evaluations {
  readonly succeeded: number;
  readonly failed: number;
  readonly trapped: number;
  /** Before the first step, and in steps that say nothing of their operation. */
  readonly outside: number;
}

/** Plain JSON. */
export interface CoverageResult {
  readonly programs: number;
  readonly steps: number;
  readonly operations: Readonly<Record<string, OperationCoverage>>;
  /** Steps by trap cause. */
  readonly traps: Counts;
  /** Programs that reached a case; those that none reached are there, with 0. */
  readonly cornerCases: Counts;
  /** By format: how often a tagged capability with an exponent was seen; `none`: without an internal exponent. */
  readonly exponents: Readonly<Record<string, Counts>>;
  /** By entry of `docs/rules.md`, of those that can be counted; there where `sfork coverage` counted them. */
  readonly evaluations?: Readonly<Record<string, Evaluations>>;
}

/** Two results of different programs as one: numbers add up, whatever they are called. */
export const addCoverage = (one: CoverageResult, other: CoverageResult): CoverageResult =>
  added(one, other) as CoverageResult;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const added = (one: unknown, other: unknown): unknown => {
  if (!isRecord(one) || !isRecord(other)) return Number(one ?? 0) + Number(other ?? 0);
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(
    keys.map((key): [string, unknown] => {
      const [a, b] = [one[key], other[key]];
      return [key, a === undefined ? b : b === undefined ? a : added(a, b)];
    }),
  );
};

/** Is told what programs do. */
export interface Recorder {
  /** A program starts. */
  readonly begin: (format: FormatName) => void;
  readonly step: (
    name: OperationName,
    step: Pick<CheckedStep, "observation" | "delivery" | "transition" | "acted">,
  ) => void;
}

export interface Coverage extends Recorder {
  readonly result: () => CoverageResult;
}

type Counter = Map<string, number>;

const bump = (counter: Counter, key: string): void => {
  counter.set(key, (counter.get(key) ?? 0) + 1);
};

/** In an order that does not depend on what came first. */
const counts = (counter: Counter): Counts =>
  Object.fromEntries([...counter].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })));

class Outcomes {
  succeeded = 0;
  readonly #counted = { failed: new Map<string, number>(), trapped: new Map<string, number>() };
  readonly #discarded: Counter = new Map();

  add(outcome: Outcome): void {
    if (outcome.kind === "succeeded") this.succeeded += 1;
    else bump(outcome.kind === "discarded" ? this.#discarded : this.#counted[outcome.kind], outcome.as);
  }

  result(): OperationCoverage {
    return {
      succeeded: this.succeeded,
      failed: counts(this.#counted.failed),
      trapped: counts(this.#counted.trapped),
      discarded: counts(this.#discarded),
    };
  }
}

const exponentOf = (format: FormatName, { metadata, address }: Capability): string => {
  const { exponent, internalExponent } = formats[format].decodeBounds(metadata, address);
  return internalExponent ? exponent.toString() : "none";
};

/** An empty collector. Other corner cases than the usual ones may be given. */
export const createCoverage = (cases: Readonly<Record<string, CornerCase>> = cornerCases): Coverage => {
  const outcomes = new Map(Object.keys(operations).map((name) => [name, new Outcomes()]));
  const traps: Counter = new Map();
  const reached: Counter = new Map(Object.keys(cases).map((name) => [name, 0]));
  const exponents = new Map(Object.keys(formats).map((name): [string, Counter] => [name, new Map<string, number>()]));
  let programs = 0;
  let steps = 0;
  let format: FormatName = "cheri128-v9";
  const lookout = lookoutFor(cases);
  let current = lookout();
  return {
    begin: (name) => {
      programs += 1;
      format = name;
      current = lookout();
    },
    step: (name, { observation, delivery, transition, acted }) => {
      steps += 1;
      outcomes.get(name)?.add(outcomeOf({ observation, acted, transition }));
      if (observation.kind === "trap") bump(traps, observation.trap);
      if (observation.kind === "capability" && observation.capability.tag) {
        bump(exponents.get(format) ?? new Map<string, number>(), exponentOf(format, observation.capability));
      }
      for (const made of [delivery, transition]) {
        if (made !== undefined) for (const one of current.see(made)) bump(reached, one);
      }
    },
    result: () => ({
      programs,
      steps,
      operations: Object.fromEntries([...outcomes].map(([name, one]) => [name, one.result()])),
      traps: counts(traps),
      cornerCases: Object.fromEntries(reached),
      exponents: Object.fromEntries([...exponents].map(([name, counter]) => [name, counts(counter)])),
    }),
  };
};
