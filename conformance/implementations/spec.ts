/** The specification as an implementation: the machine is the state, and a step replaces it. */
import type { Implementation, Observed, ProcessView, View } from "../../impl/implementation.js";
import type { Capability } from "../../spec/cheri/index.js";
import type { Checked, CheckedStep } from "../../spec/invariants/check.js";
import { commitKept, soundFrames } from "../../spec/invariants/frames.js";
import { noGrants } from "../../spec/invariants/grants.js";
import { scopeOf } from "../../spec/invariants/transition.js";
import { viewRegion } from "../../spec/invariants/view.js";
import type { Config } from "../../spec/sfork/config.js";
import { initial, type Machine, type Process } from "../../spec/sfork/machine.js";
import type { Step } from "../../spec/sfork/operation.js";
import { step as takeStep } from "../../spec/sfork/step.js";
import type { Checker } from "../check/judge.js";

const heldBy = ({ actions, alternateStack }: Process): readonly Capability[] => [
  ...Array.from(actions)
    .sort(([one], [two]) => one - two)
    .flatMap(([, action]) => (action === "ignore" ? [] : [action.code, action.data])),
  alternateStack,
];

const processView = (machine: Machine, process: Process): ProcessView => ({
  slot: process.slot,
  pages: viewRegion(machine, process.slot),
  held: heldBy(process),
});

const viewOf = (machine: Machine): View => ({
  processes: new Map(
    machine.processes.flatMap((process, ordinal) =>
      process.state.kind === "live" ? [[ordinal, processView(machine, process)] as const] : [],
    ),
  ),
  threads: new Map(
    machine.threads.flatMap(({ live, registers, pcc }, ordinal) =>
      live ? [[ordinal, [...registers, pcc]] as const] : [],
    ),
  ),
  segments: machine.segments,
  channels: machine.channels.map(({ messages }) => messages),
});

/** INV-8 and INV-13 of a machine by itself: of a step that left it as it is. */
export const checkMachine = (machine: Machine): readonly string[] => {
  const idle = {
    ...{ before: machine, after: machine, grantsBefore: noGrants, grants: noGrants, ended: [], began: [] },
    ...{ thread: 0, process: 0, signals: [], ghostBefore: undefined, ghost: undefined },
    ...({ operation: { op: "yield" }, observation: { kind: "none" } } as const),
  };
  const scope = scopeOf(idle, "full");
  return [...soundFrames(scope), ...commitKept(scope)].map(({ rule, where, what }) => `${rule}: ${where} ${what}`);
};

/** Before the first step. */
const nothing: Observed = { observation: { kind: "none" }, signals: [], thread: undefined, process: undefined };

/** A machine to be looked at, as often as somebody likes. */
export const viewing = (machine: Machine): Pick<Implementation, "view" | "counters"> => {
  let view: View | undefined;
  return {
    view: () => (view ??= viewOf(machine)),
    counters: () => machine.processes.map(({ counters }) => counters),
  };
};

export interface SpecImplementation extends Implementation {
  /** The machine as the specification has it. */
  readonly machine: () => Machine;
}

/** What takes steps, and what each came to. */
interface Stepper {
  readonly reset: (config: Config) => void;
  readonly step: (step: Step) => Observed;
  readonly machine: () => Machine;
}

const implementationOf = ({ reset, step, machine }: Stepper): SpecImplementation => {
  let last = nothing;
  return {
    name: "spec",
    reset: (config) => {
      reset(config);
      last = nothing;
    },
    step: (next) => {
      last = step(next);
    },
    observed: () => last,
    view: () => viewOf(machine()),
    counters: () => machine().processes.map(({ counters }) => counters),
    check: () => checkMachine(machine()),
    machine,
  };
};

/** `first`: a machine of that configuration to begin with, in place of the one at its start. */
export const createSpec = (config: Config, first?: Machine): SpecImplementation => {
  let machine = first ?? initial(config);
  return implementationOf({
    reset: (next) => {
      machine = initial(next);
    },
    step: (next) => {
      const { machine: after, observation, signals, thread, process } = takeStep(machine, next);
      machine = after;
      return { observation, signals, thread, process };
    },
    machine: () => machine,
  });
};

/** One whose steps can be judged. */
export interface WatchedSpec extends SpecImplementation {
  /** The last step, with what the invariants look at. */
  readonly taken: () => CheckedStep | undefined;
}

/** `beside`: with an eager machine beside it, where the strategy copies later (INV-8). */
export const createWatched = (
  config: Config,
  beside: boolean,
  { start, step }: Pick<Checker, "start" | "step">,
): WatchedSpec => {
  const begin = (of: Config): Checked => start(of, undefined, beside);
  let checked = begin(config);
  let taken: CheckedStep | undefined;
  const implementation = implementationOf({
    reset: (next) => {
      checked = begin(next);
      taken = undefined;
    },
    step: (next) => {
      const after = step(checked, next);
      taken = after;
      checked = after.checked;
      const { observation, signals, thread, transition } = after;
      return { observation, signals, thread, process: transition?.process };
    },
    machine: () => checked.machine,
  });
  return { ...implementation, taken: () => taken };
};
