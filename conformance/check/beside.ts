/**
 * An implementation beside the specification's level of the same strategy (REF-4), and the invariants after every step, as a
 * verdict of a campaign.
 */
import { isDeepStrictEqual } from "node:util";
import type { Implementation } from "../../impl/implementation.js";
import type { Transition } from "../../spec/invariants/transition.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { canonical, type CanonicalObservation } from "../canon.js";
import { createSpec, createWatched, type WatchedSpec } from "../implementations/spec.js";
import { describeBoth } from "../program/diff.js";
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";
import { crashMessage, noVerdict, specification, type JudgeOptions, type Verdict } from "./judge.js";
import { asChosen } from "./latitude.js";
import { lockstep, type Difference, type Lockstep } from "./lockstep.js";
import { differentPlaces } from "./places.js";
import { viewViolations } from "./view-invariants.js";

const rule = "REF-4";

/** A difference as a finding, and what the last step of the program should observe, if it is about that. */
type Described = Omit<Finding, "step" | "program"> & { readonly expect?: CanonicalObservation };

/** The first place that differs, as it is called wherever a finding is told. */
const placeOf = (spec: WatchedSpec, actual: Implementation): string | undefined => {
  const [one, two] = [spec, actual].map((side) => ({ view: side.view(), counters: side.counters() }));
  return one && two && differentPlaces(spec.machine(), one, two)[0]?.name;
};

const describe = (difference: Difference, spec: WatchedSpec, actual: Implementation): Described => {
  const { kind } = difference;
  if (kind === "broken") {
    const { first, also } = difference;
    const { rule: broken, where, what } = first;
    const said = { where, what, expected: `${broken} holds`, actual: `${where} ${what}` };
    return { kind: "invariant", rule: broken, ...said, key: where, also };
  }
  if (kind !== "observation") {
    const { where: place, expected, actual: does } = difference;
    const what = kind === "invariant" ? "does not hold in its own structures" : "is not as in the specification";
    const transition = spec.taken()?.transition;
    const broken = kind === "view" && transition !== undefined ? viewViolations(transition, actual.view()) : [];
    const also = [...new Set(broken.map((one) => one.rule))];
    const where = kind === "invariant" ? place : (placeOf(spec, actual) ?? place);
    return { kind, rule, where, what, expected, actual: does, key: `${kind} ${place}`, also };
  }
  const machine = spec.machine();
  const side = ({ observation, signals, process }: typeof difference.expected) => ({
    observation,
    canonical: canonical(observation, machine, process, signals),
    machine,
  });
  const right = side(difference.expected);
  const [should, does] = describeBoth(right, side(difference.actual));
  const who = ({ thread, process }: typeof difference.expected): string =>
    thread === undefined ? "nobody" : `P${process ?? 0} thread ${thread}`;
  const [one, two] = [who(difference.expected), who(difference.actual)];
  return {
    kind,
    rule,
    where: one,
    what: one === two ? "observes something else than in the specification" : `is ${two}`,
    expected: should,
    actual: does,
    // The saved program says itself what it should observe.
    expect: right.canonical,
    key: `${difference.actual.observation.kind} for ${difference.expected.observation.kind}`,
    also: [],
  };
};

/** Side by side, once. Whatever either of them throws ends it. */
class Beside {
  readonly #program: CompleteProgram;
  readonly #options: JudgeOptions;
  readonly #following: boolean;
  /** Steps as the specification was asked to take them. */
  readonly #asked: Step[] = [];
  #transitions = 0;
  #inFull = 0;
  /** Who is at work, for what it throws. */
  #phase: keyof typeof phases = "taking the step";
  #last: Transition | undefined;

  constructor(program: CompleteProgram, options: JudgeOptions, following: boolean) {
    this.#program = program;
    this.#options = options;
    this.#following = following;
  }

  verdict(create: (config: Config) => Implementation): Verdict {
    const { config, steps } = this.#program;
    const { full = false, checker = specification, coverage } = this.#options;
    try {
      coverage?.begin(config.format);
      const spec = this.#phased("taking the specification's step", createWatched(config, full, checker));
      const actual = create(config);
      const both = lockstep(spec, this.#phased("taking the step", actual), steps, {
        full,
        following: this.#following,
        agreed: (step, isLast) => this.#agreed(spec, step, isLast),
      });
      return this.#verdict(both, both.difference && this.#finding(describe(both.difference, spec, actual)));
    } catch (error) {
      const said = crashMessage(error);
      const finding = this.#finding({
        ...{ kind: "crash", rule: phases[this.#phase], where: this.#phase, what: said },
        ...{ expected: "no exception", actual: said, key: said, also: [] },
      });
      return this.#verdict({ steps: this.#asked.length, looks: 0, otherErrors: 0 }, finding);
    }
  }

  /** Of so many first steps, which can be taken, did the specification take one otherwise than it does by itself? */
  wasSteered(first: number): boolean {
    const alone = createSpec(this.#program.config);
    return this.#program.steps.slice(0, first).some((step, index) => {
      alone.step(step);
      return !isDeepStrictEqual(asChosen(step, alone.observed(), alone.view), this.#asked[index]);
    });
  }

  #verdict({ steps, looks, otherErrors }: Omit<Lockstep, "difference">, finding: Finding | undefined): Verdict {
    const counted = { steps, compared: steps, looks, transitions: this.#transitions, inFull: this.#inFull };
    const chose = this.#following && finding === undefined;
    return { ...noVerdict, ...counted, choices: otherErrors + (chose ? 1 : 0), finding };
  }

  /** With a note of who is at work, and of the steps that are begun. */
  #phased<One extends Implementation>(phase: keyof typeof phases, one: One): One {
    return {
      ...one,
      step: (step: Step) => {
        this.#phase = phase;
        // The implementation goes first; what the specification is asked may say which choice that made.
        if (phase === "taking the step") this.#begin(step);
        else this.#asked[this.#asked.length - 1] = step;
        one.step(step);
        this.#phase = "taking the step";
      },
    };
  }

  #begin(step: Step): void {
    this.#asked.push(step);
    this.#options.begun?.(this.#asked.length - 1);
  }

  /** Invariants after a step on which both sides agree: of what it touched, and of everything in the end. */
  #agreed(spec: WatchedSpec, step: Step, isLast: boolean): Difference | undefined {
    const { full = false, checker = specification, coverage } = this.#options;
    const taken = spec.taken();
    if (taken === undefined) return undefined;
    this.#phase = "recording coverage";
    coverage?.step(step.operation.op, taken);
    this.#phase = "checking the invariants";
    const { delivery, transition } = taken;
    const made = [delivery, transition].filter((one) => one !== undefined);
    if (transition !== undefined) {
      this.#transitions += 1;
      this.#last = transition;
    }
    const violations = made.flatMap((one) => checker.violations(one, full ? "full" : "incremental"));
    if (full) this.#inFull += made.length;
    // Steps after the machine's end have no transition: the last one may lie before the last step.
    const end = isLast && !full ? this.#last : undefined;
    if (end !== undefined) this.#inFull += 1;
    const all = end === undefined || violations.length > 0 ? violations : checker.violations(end, "full");
    const [first, ...others] = all;
    this.#phase = "taking the step";
    const rules = new Set(others.map((one) => one.rule));
    if (first === undefined) return undefined;
    return { kind: "broken", first, also: [...rules].filter((other) => other !== first.rule) };
  }

  #finding({ expect, ...described }: Described): Finding {
    const { version, config } = this.#program;
    const last = this.#asked.at(-1);
    const marked = last === undefined || expect === undefined ? last : { ...last, expect };
    const steps = marked === undefined ? [] : [...this.#asked.slice(0, -1), marked];
    const program = { version, config, steps };
    const key = keyOf(described.rule, program, described.key);
    return { ...described, key, step: Math.max(0, steps.length - 1), program };
  }
}

/** What is being done when something throws, and the rule that is broken by that. */
const phases = {
  "taking the step": rule,
  "taking the specification's step": "EXEC-1",
  "checking the invariants": "INV",
  "recording coverage": "COVERAGE",
} as const;

/**
 * Judge one program on an implementation. Never throws: what the implementation throws is a finding. Where the two differ, the
 * implementation may have chosen otherwise where the latitude lets it: the specification is then asked to choose the same.
 */
export const judgeBeside = (
  program: CompleteProgram,
  create: (config: Config) => Implementation,
  options: JudgeOptions = {},
): Verdict => {
  const verdict = new Beside(program, options, false).verdict(create);
  const kind = verdict.finding?.kind;
  if (kind === undefined || kind === "crash" || kind === "invariant") return verdict;
  // A program is in the coverage once.
  const following = new Beside(program, { ...options, coverage: undefined }, true);
  const followed = following.verdict(create);
  const cameFurther = followed.finding === undefined || followed.steps > verdict.steps;
  // Where no choice was another one, both runs were the same: what one of them showed depends on more than the program.
  return cameFurther && following.wasSteered(verdict.steps) ? followed : verdict;
};
