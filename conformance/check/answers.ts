/**
 * The answers of an implementation in another process, beside the specification: observations, and what is to be seen in the
 * end. What it was free to choose the specification is asked to choose, too.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { strategies } from "../../spec/sfork/laws.js";
import { initial, type Machine } from "../../spec/sfork/machine.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { operations, type Step } from "../../spec/sfork/operation.js";
import { step as takeStep, type Taken } from "../../spec/sfork/step.js";
import { canonical, printObservation, type CanonicalObservation } from "../canon.js";
import { withoutNumbers } from "../oblivious/compare.js";
import { Tracker, type Verdict as Comparable } from "../oblivious/tracker.js";
import { decode, isObject, printProblem, type Members } from "../program/strict.js";
import { placed } from "../protocol/absolute.js";
import { answerCodec, type Answered } from "../protocol/answers.js";
import { decodeExtras, type Hello, type SeenRegion, type SeenView } from "../protocol/messages.js";
import type { Rehearsal } from "../protocol/negotiate.js";
import { resolveStep } from "../protocol/resolve.js";
import { seenView } from "../protocol/seen.js";
import { viewDifferences } from "../protocol/view.js";
import { keyOf, type CompleteProgram, type Finding, type FindingKind } from "./finding.js";
import { noVerdict, type Verdict } from "./judge.js";

/** What is known of an answer before it is looked into. */
export interface RawAnswer {
  readonly observations: readonly unknown[];
  readonly view?: unknown;
  readonly regions?: unknown;
}

const rule = "REF-4";

const isSameSet = (one: readonly unknown[], two: readonly unknown[]): boolean =>
  one.length === two.length && one.every((value) => two.includes(value));

/** Lists that are sets: the order in which they are told does not matter. */
const sets: ReadonlySet<string> = new Set(["permissions", "set"]);

/** JSON values that say the same. */
const isSame = (one: unknown, two: unknown, key = ""): boolean => {
  if (one === two) return true;
  if (Array.isArray(one) && Array.isArray(two)) {
    if (sets.has(key)) return isSameSet(one, two);
    return one.length === two.length && one.every((value, index) => isSame(value, two[index]));
  }
  if (!isObject(one) || !isObject(two)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(two).length && keys.every((name) => isSame(one[name], two[name], name));
};

/** Lists of the same objects, in any order: each has a name. */
const isSameByName = (one: readonly object[], two: unknown, nameOf: (value: Members) => string): boolean => {
  if (!Array.isArray(two) || one.length !== two.length) return false;
  const named = new Map(one.map((value) => [nameOf(value as Members), value]));
  return two.every((value) => isObject(value) && isSame(named.get(nameOf(value)), value));
};

/** Is that what there is to be seen? If not, or if it makes no sense, it has to be looked into. */
const isSeen = (machine: Machine, view: unknown): boolean => {
  if (!isObject(view)) return false;
  const { granules, registers } = seenView(machine);
  return (
    isSameByName(granules, view["granules"], ({ address }) => String(address)) &&
    isSameByName(registers, view["registers"], ({ thread, register }) => `${String(thread)} ${String(register)}`)
  );
};

/** A step with what an implementation told that it chose in it; the step itself, where it told nothing. */
const asTold = (step: Step, answer: unknown): Step => {
  const { actor, operation } = step;
  if (!isObject(answer) || (operation.op !== "fork" && operation.op !== "wait")) return step;
  const whole = (name: string, value: unknown): Readonly<Record<string, number>> =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? { [name]: value } : {};
  const told =
    operation.op === "fork"
      ? { ...whole("pid", answer["pid"]), ...whole("slot", answer["slot"]) }
      : whole("reap", answer["process"]);
  return Object.keys(told).length === 0 ? step : { actor, operation: { ...operation, ...told } };
};

const withoutChoices = (answered: Answered): CanonicalObservation => {
  if (!("child" in answered)) return answered;
  const { child, signals } = answered;
  return signals === undefined ? { child } : { child, signals };
};

/** What does not show what happened, or is not promised to be alike from there on (REF-2, FORK-1). */
const endOf = ({ observation }: Taken, answer: unknown): Verdict["ended"] => {
  if (observation.kind === "outside-profile") return "outside-profile";
  const lacksFrames = isObject(answer) && "outOfFrames" in answer;
  return observation.kind === "out-of-frames" || lacksFrames ? "out-of-frames" : undefined;
};

/** An error that applies, where the specification reports another. */
const isOtherError = (observation: Observation, answered: CanonicalObservation): boolean =>
  observation.kind === "error" && "error" in answered && observation.allowed.includes(answered.error);

class Answers {
  readonly #program: CompleteProgram;
  readonly #asked: Step[] = [];
  readonly #isPlaced: boolean;
  readonly #rehearsal: Rehearsal | undefined;
  #machine: Machine;
  #tracker: Tracker | undefined;
  #compared = 0;
  #masked = 0;
  #choices = 0;
  #looks = 0;
  #ended: Verdict["ended"];

  constructor(program: CompleteProgram, { addresses }: Pick<Hello, "addresses">, rehearsal: Rehearsal | undefined) {
    const { config } = program;
    this.#program = program;
    this.#rehearsal = rehearsal;
    this.#machine = rehearsal?.start ?? initial(config);
    this.#isPlaced = addresses === "configured" || strategies[config.strategy].separate;
    if (!this.#isPlaced) this.#tracker = new Tracker(this.#machine, { ...config, strategy: "posix" });
  }

  verdict(answer: RawAnswer): Verdict {
    const finding = this.#judge(answer);
    return {
      ...noVerdict,
      steps: this.#asked.length,
      compared: this.#compared,
      looks: this.#looks,
      masked: this.#masked,
      choices: this.#choices,
      ended: this.#ended,
      finding,
    };
  }

  #judge({ observations, ...extras }: RawAnswer): Finding | undefined {
    const { steps } = this.#program;
    if (observations.length !== steps.length) {
      const said = `${observations.length} observations for ${steps.length} steps`;
      this.#asked.push(...steps);
      return this.#finding("protocol", "observations", "are not one for each step", "one for each step", said);
    }
    // Most views are as they should be, which is seen faster than that they make sense.
    const isPlain = extras.regions === undefined;
    const decoded = decodeExtras(isPlain ? {} : extras);
    if (isLeft(decoded)) {
      this.#asked.push(...steps);
      return this.#protocol(printProblem(decoded.left));
    }
    const { regions } = decoded.right;
    let last: Observation | undefined;
    for (const [index, step] of steps.entries()) {
      const taken = this.#take(index, step, observations[index]);
      if (taken === undefined) return undefined;
      const finding = this.#compare(taken, observations[index], regions);
      if (finding !== undefined || this.#ended !== undefined) return finding;
      last = taken.observation;
    }
    if (extras.view === undefined) return undefined;
    this.#looks += 1;
    if (isPlain && isSeen(this.#machine, extras.view)) return undefined;
    const view = decodeExtras({ view: extras.view });
    if (isLeft(view)) return this.#protocol(printProblem(view.left));
    return view.right.view && this.#look(last, view.right.view, regions);
  }

  /** The specification's step; undefined where it is taken by somebody else than was asked, since choices differ. */
  #take(index: number, step: Step, answer: unknown): Taken | undefined {
    const chosen = asTold(step, answer);
    const rehearsed = chosen === step ? this.#rehearsed(index) : undefined;
    if (rehearsed === undefined && resolveStep(this.#machine, chosen)?.thread !== step.actor) {
      this.#ended = "choices";
      return undefined;
    }
    this.#asked.push(chosen);
    const before = this.#machine;
    const taken = rehearsed ?? takeStep(before, chosen);
    this.#machine = taken.machine;
    this.#ended = endOf(taken, answer);
    const comparable = this.#tracker?.follow(before, chosen.operation, taken);
    if (comparable === "outside") this.#ended ??= "addresses";
    this.#comparable = comparable ?? "oblivious";
    return taken;
  }

  /** The step as it was taken before, if what came before it was the same. */
  #rehearsed(index: number): Taken | undefined {
    const { start, taken = [] } = this.#rehearsal ?? {};
    const before = index === 0 ? start : taken[index - 1]?.machine;
    return before === this.#machine ? taken[index] : undefined;
  }

  #comparable: Comparable = "oblivious";

  #compare(taken: Taken, answer: unknown, regions: readonly SeenRegion[] | undefined): Finding | undefined {
    if (this.#ended !== undefined) return undefined;
    this.#compared += 1;
    const { observation, machine, process, signals } = taken;
    const expected = canonical(observation, machine, process, signals);
    if (regions === undefined && this.#comparable === "oblivious" && isSame(expected, answer)) return undefined;
    const decoded = decode(answerCodec, answer);
    if (isLeft(decoded)) return this.#protocol(printProblem(decoded.left));
    const answered = regions === undefined ? decoded.right : placed(decoded.right, machine, regions);
    const actual = withoutChoices(answered);
    if (actual !== answered) this.#choices = 1;
    const isMasked = this.#comparable === "masked";
    if (isMasked) this.#masked += 1;
    const [one, two] = isMasked ? [withoutNumbers(expected), withoutNumbers(actual)] : [expected, actual];
    if (isSame(one, two)) return undefined;
    if (isOtherError(observation, actual) && isSame(one.signals ?? [], two.signals ?? [])) {
      this.#choices += 1;
      return undefined;
    }
    const [should, does] = [printObservation(one), printObservation(two)];
    const where = `P${process ?? 0} thread ${taken.thread ?? 0}`;
    return this.#finding("observation", where, "observes something else than in the specification", should, does);
  }

  #look(
    last: Observation | undefined,
    view: SeenView,
    regions: readonly SeenRegion[] | undefined,
  ): Finding | undefined {
    const [first, ...others] = viewDifferences(this.#machine, last, view, regions);
    if (first === undefined) return undefined;
    const rules = [...new Set([first, ...others].flatMap((one) => one.rules))];
    const { where, expected, actual } = first;
    return this.#finding("view", where, "is not as in the specification", expected, actual, rules);
  }

  /** An answer that makes no sense. */
  #protocol(message: string): Finding {
    return this.#finding("protocol", "the answer", message, "an answer of the protocol", message);
  }

  #finding(
    kind: FindingKind,
    where: string,
    what: string,
    expected: string,
    actual: string,
    also: readonly string[] = [],
  ): Finding {
    const last = this.#asked.at(-1);
    const program = { ...this.#program, steps: [...this.#asked] };
    const place =
      kind === "observation" ? `${actual.split(" ", 1).join()} for ${expected.split(" ", 1).join()}` : where;
    const broken = last === undefined || kind !== "observation" ? also : [operations[last.operation.op].rule];
    return {
      ...{ kind, rule, where, what, expected, actual, program },
      step: Math.max(0, this.#asked.length - 1),
      // What is to be seen somewhere is seen after any step.
      key: keyOf(rule, kind === "view" ? { ...program, steps: [] } : program, `${kind} ${place}`),
      also: broken,
    };
  }
}

/**
 * Judge an answer to a program that was sent in resolved form: the actor of each step is the thread that was told. `rehearsal`
 * is how it was resolved.
 */
export const judgeAnswer = (
  program: CompleteProgram,
  hello: Pick<Hello, "addresses">,
  answer: RawAnswer,
  rehearsal?: Rehearsal,
): Verdict => new Answers(program, hello, rehearsal).verdict(answer);
