/** What the tests of the check share: programs, and a specification that is broken on purpose. */
import type { CampaignSettings } from "../../../conformance/check/campaign.js";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import { specification, type Checker } from "../../../conformance/check/judge.js";
import { formatNames, conformingNames } from "../../../conformance/program/config-codec.js";
import { completeConfig } from "../../../spec/sfork/config.js";
import type { CheckedStep } from "../../../spec/invariants/check.js";
import type { OperationName, Step } from "../../../spec/sfork/operation.js";
import { withCopy } from "../../spec/invariants/transitions.js";
import { lines, read } from "../program/files.js";

/** A program of these lines, complete. */
export const program = (...text: readonly string[]): CompleteProgram => {
  const { version, config, steps } = read(lines(...text));
  const complete = completeConfig(config);
  if ("illegal" in complete) throw new Error(complete.illegal);
  return { version, config: complete, steps };
};

export const settings = (given: Partial<CampaignSettings> = {}): CampaignSettings => ({
  impl: "spec-lazy",
  seed: "check",
  formats: formatNames,
  strategies: conformingNames,
  profile: "mixed",
  steps: 12,
  ...given,
});

/** The specification with one operation's steps replaced. */
const withStep = (op: OperationName, change: (taken: CheckedStep) => CheckedStep): Checker => ({
  ...specification,
  step: (checked, next: Step) => {
    const taken = specification.step(checked, next);
    return next.operation.op === op ? change(taken) : taken;
  },
});

/** A lazy `li` that observes one more than it should. */
export const wrongNumber = withStep("li", (taken) =>
  taken.observation.kind === "integer" && taken.checked.ghost !== undefined
    ? { ...taken, observation: { kind: "integer", integer: taken.observation.integer + 1n } }
    : taken,
);

/** A lazy `li` before which other signals are taken than should be. */
export const withSignals = (signals: readonly number[]): Checker =>
  withStep("li", (taken) => (taken.checked.ghost === undefined ? taken : { ...taken, signals }));

/** A lazy fork that observes an error; what it does is right. */
export const failingFork = (error: "ENOMEM" | "EAGAIN"): Checker =>
  withStep("fork", (taken) =>
    taken.checked.ghost === undefined ? taken : { ...taken, observation: { kind: "error", error, allowed: [error] } },
  );

/** A fork after which the child's `c1` is the parent's: a register that was not relocated. */
export const forgetfulFork = withStep("fork", (taken) => {
  const { observation, checked, transition, thread } = taken;
  if (observation.kind !== "child" || transition === undefined || thread === undefined) return taken;
  const after = withCopy(checked.machine, [thread, 1], [checked.machine.threads.length - 1, 1]);
  return { ...taken, checked: { ...checked, machine: after }, transition: { ...transition, after } };
});

export const crashingFork = withStep("fork", ({ thread }) => {
  throw new TypeError(`no region for thread ${thread ?? 0}\nat all`);
});

/** Invariants of which one cannot be judged after `yield`. */
export const crashingInvariants: Checker = {
  ...specification,
  violations: (transition, form) => {
    if (transition.operation.op === "yield") throw new RangeError("deep");
    return specification.violations(transition, form);
  },
};

/** Invariants that find something in the first forms of looking that they are asked for. */
export const violationIn = (form: "full" | "incremental", op: OperationName): Checker => ({
  ...specification,
  violations: (transition, asked) =>
    asked === form && transition.operation.op === op ? [{ rule: "INV-8", where: "frame 0x3", what: "is lost" }] : [],
});
