/** One program on the specification: every observation beside the eager copy's, and all invariants after every step. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../spec/sfork/config.js";
import { checkedStep, start, violations, type CheckedStep } from "../../spec/invariants/check.js";
import type { Violation } from "../../spec/invariants/places.js";
import type { Transition } from "../../spec/invariants/transition.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { canonical, printObservation } from "../canon.js";
import type { Recorder } from "../coverage.js";
import { compareLevels } from "../oblivious/compare.js";
import { plainLine, shorten } from "../errors.js";
import { compared, describeBoth, type Observed } from "../program/diff.js";
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";

/** What takes the steps and judges them: the specification, or one that a test has broken. */
export interface Checker {
  readonly levels: typeof compareLevels;
  readonly start: typeof start;
  readonly step: typeof checkedStep;
  readonly violations: typeof violations;
}

export const specification: Checker = { levels: compareLevels, start, step: checkedStep, violations };

export interface JudgeOptions {
  readonly checker?: Checker;
  /** Look at everything after every step, not only at what the step touched. */
  readonly full?: boolean;
  readonly coverage?: Recorder | undefined;
  /** Called before each step, with its index: who is asked in vain for an answer knows then what was begun last. */
  readonly begun?: ((step: number) => void) | undefined;
}

/**
 * What ends a comparison before the program ends: REF-2's profile, or overcommit; of an implementation in another process
 * also a step that depends on where its regions lie, or that somebody else takes, since it chose otherwise.
 */
export type ComparisonEnd = "outside-profile" | "out-of-frames" | "addresses" | "choices";

export interface Verdict {
  /** Steps that were taken. */
  readonly steps: number;
  /** Observations that were compared: with the eager run's, or with the specification's. */
  readonly compared: number;
  /** Times that views and counters were compared with the specification's. */
  readonly looks: number;
  /** Transitions after which invariants were evaluated, and those of them after which everything was looked at. */
  readonly transitions: number;
  readonly inFull: number;
  /** Observations that were compared with a machine that has an address space for each process, up to the first that may differ. */
  readonly oblivious: number;
  /** Those of them that were compared without the numbers of addresses. */
  readonly masked: number;
  /** Steps that differ as the latitude allows: another error that applies, or (one for the program) another choice. */
  readonly choices: number;
  /** What ended the comparison, if the program went on. */
  readonly ended: ComparisonEnd | undefined;
  /** Of the first step that breaks a rule; nothing is judged after it. */
  readonly finding: Finding | undefined;
}

/** Of a program of which nothing is known yet. */
export const noVerdict: Verdict = {
  ...{ steps: 0, compared: 0, looks: 0, transitions: 0, inFull: 0, oblivious: 0, masked: 0, choices: 0 },
  ended: undefined,
  finding: undefined,
};

/**
 * The rule by which a lazy strategy is compared with eager copies; where every process has an address space of its own,
 * with those of `posix`.
 */
export const refinement = {
  posix: undefined,
  eager: undefined,
  coa: "REF-1",
  copa: "REF-2",
  "multi-as-cow": "REF-1",
  "vm-clone": "REF-1",
  "shared-segments": "REF-1",
  "naive-cow": "REF-1",
} as const satisfies Readonly<Record<Config["strategy"], string | undefined>>;

/** What is being done when something throws, and the rule that is broken by that. */
const phases = {
  "starting the machine": "CFG-1",
  "taking the step": "EXEC-1",
  "checking the invariants": "INV",
  "recording coverage": "COVERAGE",
  "comparing levels": "REF-3",
} as const;

type Phase = keyof typeof phases;

const textOf = (error: unknown): string => {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "something that has no text";
  }
};

/** What was thrown, in a line. Never throws. */
export const crashMessage = (error: unknown): string => shorten(plainLine(textOf(error)), 300);

/** A step that observes something else than beside it with eager copies. */
interface Different {
  readonly actor: string;
  readonly expected: Observed;
  readonly actual: Observed;
}

class Judgement {
  readonly #program: CompleteProgram;
  readonly #checker: Checker;
  readonly #options: JudgeOptions;
  #phase: Phase = "starting the machine";
  #index = 0;
  #steps = 0;
  #compared = 0;
  #transitions = 0;
  #inFull = 0;
  #oblivious = 0;
  #masked = 0;
  #ended: ComparisonEnd | undefined;

  constructor(program: CompleteProgram, options: JudgeOptions) {
    this.#program = program;
    this.#checker = options.checker ?? specification;
    this.#options = options;
  }

  verdict(): Verdict {
    const finding = this.#guarded();
    return {
      steps: this.#steps,
      compared: this.#compared,
      looks: 0,
      transitions: this.#transitions,
      inFull: this.#inFull,
      oblivious: this.#oblivious,
      masked: this.#masked,
      choices: 0,
      ended: this.#ended,
      finding,
    };
  }

  #guarded(): Finding | undefined {
    try {
      return this.#run();
    } catch (error) {
      return this.#crash(crashMessage(error));
    }
  }

  #run(): Finding | undefined {
    const { config, steps } = this.#program;
    const { coverage, full = false } = this.#options;
    let checked = this.#checker.start(config);
    let last: { readonly index: number; readonly transition: Transition } | undefined;
    coverage?.begin(config.format);
    for (const [index, step] of steps.entries()) {
      this.#index = index;
      this.#phase = "taking the step";
      const taken = this.#take(checked, step);
      const different = this.#compare(taken);
      this.#phase = "recording coverage";
      coverage?.step(step.operation.op, taken);
      const { delivery, transition } = taken;
      if (transition !== undefined) {
        this.#transitions += 1;
        last = { index, transition };
      }
      const made = [delivery, transition].filter((one) => one !== undefined);
      const finding = this.#finding(
        different,
        made.flatMap((one) => this.#violations(one, full)),
      );
      if (finding !== undefined) return finding;
      checked = taken.checked;
    }
    if (last !== undefined && !full) {
      // Steps after the machine's end have no transition: the last one may lie before the last step.
      this.#index = last.index;
      const finding = this.#finding(undefined, this.#violations(last.transition, true));
      if (finding !== undefined) return finding;
    }
    return this.#levels();
  }

  /** The program where every process has an address space of its own (L0), beside the one that all share (L1). */
  #levels(): Finding | undefined {
    this.#phase = "comparing levels";
    const { compared: oblivious, masked, difference } = this.#checker.levels(this.#program);
    this.#oblivious = oblivious;
    this.#masked = masked;
    if (difference === undefined) return undefined;
    const { rule, step, actor } = difference;
    this.#index = step;
    const program = this.#cut();
    const [expected, actual] = [printObservation(difference.expected), printObservation(difference.actual)];
    const what = "observes something else than in an address space of its own";
    const key = keyOf(rule, program, `${actual.split(" ", 1).join()} for ${expected.split(" ", 1).join()}`);
    return { kind: "observation", rule, where: actor, what, expected, actual, step, key, also: [], program };
  }

  #take(checked: CheckedStep["checked"], step: CompleteProgram["steps"][number]): CheckedStep {
    this.#options.begun?.(this.#index);
    const taken = this.#checker.step(checked, step);
    this.#steps += 1;
    if (checked.ghost !== undefined && taken.checked.ghost === undefined) {
      this.#ended ??= taken.observation.kind === "outside-profile" ? "outside-profile" : "out-of-frames";
    }
    return taken;
  }

  #violations(transition: Transition, full: boolean): readonly Violation[] {
    this.#phase = "checking the invariants";
    if (full) this.#inFull += 1;
    return this.#checker.violations(transition, full ? "full" : "incremental");
  }

  /** Both sides, where they differ. Raw values: regions lie at the same places on both. */
  #compare({ observation, signals, eager, checked, thread, transition }: CheckedStep): Different | undefined {
    if (eager === undefined || checked.ghost === undefined) return undefined;
    this.#compared += 1;
    if (isDeepStrictEqual(compared(observation, signals), compared(eager.observation, eager.signals))) return undefined;
    const side = (seen: Pick<CheckedStep, "observation" | "signals">, machine: Machine): Observed => ({
      observation: seen.observation,
      canonical: canonical(seen.observation, machine, eager.process, seen.signals),
      machine,
    });
    const actor = thread === undefined ? "nobody" : `P${transition?.process ?? 0} thread ${thread}`;
    return { actor, expected: side(eager, checked.ghost), actual: side({ observation, signals }, checked.machine) };
  }

  #finding(different: Different | undefined, broken: readonly Violation[]): Finding | undefined {
    const [first] = broken;
    const rules = [...new Set(broken.map(({ rule }) => rule))];
    if (different !== undefined) return this.#observation(different, rules);
    if (first === undefined) return undefined;
    const { rule, where, what } = first;
    const program = this.#cut();
    return {
      kind: "invariant",
      rule,
      where,
      what,
      expected: `${rule} holds`,
      actual: `${where} ${what}`,
      step: this.#index,
      key: keyOf(rule, program, where),
      also: rules.filter((other) => other !== rule),
      program,
    };
  }

  #observation({ actor, expected, actual }: Different, also: readonly string[]): Finding {
    const rule = refinement[this.#program.config.strategy] ?? "REF-1";
    const [left, right] = describeBoth(expected, actual);
    const cut = this.#cut();
    const last = cut.steps.at(-1);
    // The saved program then says itself what it should observe, and `sfork run` that it does not.
    const { signals = [] } = expected.canonical;
    const expect = actual.canonical.signals === undefined ? expected.canonical : { ...expected.canonical, signals };
    const steps = last === undefined ? [] : [...cut.steps.slice(0, -1), { ...last, expect }];
    return {
      kind: "observation",
      rule,
      where: actor,
      what: "observes something else than with eager copies",
      expected: left,
      actual: right,
      step: this.#index,
      key: keyOf(rule, cut, `${actual.observation.kind} for ${expected.observation.kind}`),
      also,
      program: { ...cut, steps },
    };
  }

  #crash(error: string): Finding {
    const program = this.#cut();
    const rule = phases[this.#phase];
    return {
      kind: "crash",
      rule,
      where: this.#phase,
      what: error,
      expected: "no exception",
      actual: error,
      step: this.#index,
      key: keyOf(rule, program, error),
      also: [],
      program,
    };
  }

  #cut(): CompleteProgram {
    const { version, config, steps } = this.#program;
    const end = this.#phase === "starting the machine" ? 0 : this.#index + 1;
    return { version, config, steps: steps.slice(0, end) };
  }
}

/** Judge one program, up to its first finding. Never throws: what the specification throws is a finding. */
export const judge = (program: CompleteProgram, options: JudgeOptions = {}): Verdict =>
  new Judgement(program, options).verdict();
