/** An implementation beside the specification's level of the same strategy (REF-4), as a verdict of a campaign. */
import type { Implementation } from "../../impl/implementation.js";
import type { Config } from "../../spec/sfork/config.js";
import { canonical, type CanonicalObservation } from "../canon.js";
import { createSpec, type SpecImplementation } from "../implementations/spec.js";
import { describeBoth } from "../program/diff.js";
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";
import { crashMessage, noVerdict, type Verdict } from "./judge.js";
import { lockstep, type Difference } from "./lockstep.js";

const rule = "REF-4";

/** A difference as a finding, and what the last step of the program should observe, if it is about that. */
type Described = Omit<Finding, "step" | "also" | "program"> & { readonly expect?: CanonicalObservation };

const describe = (difference: Difference, spec: SpecImplementation): Described => {
  const { kind } = difference;
  if (kind !== "observation") {
    const { where, expected, actual } = difference;
    const what = kind === "invariant" ? "does not hold in its own structures" : "is not as in the specification";
    return { kind, rule, where, what, expected, actual, key: `${kind} ${where}` };
  }
  const { expected, actual } = difference;
  const machine = spec.machine();
  const side = ({ observation, signals, process }: typeof expected) => ({
    observation,
    canonical: canonical(observation, machine, process, signals),
    machine,
  });
  const right = side(expected);
  const [should, does] = describeBoth(right, side(actual));
  const who = ({ thread, process }: typeof expected): string =>
    thread === undefined ? "nobody" : `P${process ?? 0} thread ${thread}`;
  const [one, two] = [who(expected), who(actual)];
  return {
    kind,
    rule,
    where: one,
    what: one === two ? "observes something else than in the specification" : `is ${two}`,
    expected: should,
    actual: does,
    // The saved program says itself what it should observe.
    expect: right.canonical,
    key: `${actual.observation.kind} for ${expected.observation.kind}`,
  };
};

/** Judge one program on an implementation. Never throws: what the implementation throws is a finding. */
export const judgeBeside = (
  program: CompleteProgram,
  create: (config: Config) => Implementation,
  full = false,
): Verdict => {
  const spec = createSpec(program.config);
  let taken = 0;
  const cut = (): CompleteProgram => ({ ...program, steps: program.steps.slice(0, taken) });
  try {
    const actual = create(program.config);
    const counting: Implementation = {
      ...actual,
      step: (step) => {
        taken += 1;
        actual.step(step);
      },
    };
    const { steps, looks, difference } = lockstep(spec, counting, program.steps, full);
    const verdict: Verdict = { ...noVerdict, steps, compared: steps, looks };
    if (difference === undefined) return verdict;
    const { expect, ...described } = describe(difference, spec);
    const key = keyOf(rule, cut(), described.key);
    const { steps: all, ...rest } = cut();
    const last = all.at(-1);
    const marked = last === undefined || expect === undefined ? all : [...all.slice(0, -1), { ...last, expect }];
    return {
      ...verdict,
      finding: { ...described, key, step: taken - 1, also: [], program: { ...rest, steps: marked } },
    };
  } catch (error) {
    const actual = crashMessage(error);
    const finding: Finding = {
      ...{ kind: "crash", rule, where: "taking the step", what: actual, expected: "no exception", actual },
      ...{ step: Math.max(0, taken - 1), key: keyOf(rule, cut(), actual), also: [], program: cut() },
    };
    return { ...noVerdict, steps: taken, compared: taken, finding };
  }
};
