/**
 * A run under all invariants: the machine, the checker's grants, and beside it the same program with eager copies.
 */
import type { Config } from "../config.js";
import { initial, regionBase, type Machine } from "../machine.js";
import type { Observation } from "../observation.js";
import type { Step } from "../operation.js";
import type { Range } from "../relocate.js";
import { step } from "../step.js";
import { commitKept, freshMemory, guardGaps, noForgery, noTraceOfFailure, soundFrames } from "./frames.js";
import { noGrants, stepGrants, type Grants } from "./grants.js";
import {
  exactRelocation,
  isolation,
  monotonicity,
  nonInterference,
  noStalePointer,
  tagConservation,
  type Invariant,
  type Transition,
  type Violation,
} from "./invariants.js";

export const invariants: Readonly<Record<string, Invariant>> = {
  "INV-1": isolation,
  "INV-2": noStalePointer,
  "INV-3": exactRelocation,
  "INV-4": tagConservation,
  "INV-5": monotonicity,
  "INV-6": nonInterference,
  "INV-7": noForgery,
  "INV-8": soundFrames,
  "INV-9": freshMemory,
  "INV-10": noTraceOfFailure,
  "INV-11": guardGaps,
  "INV-13": commitKept,
};

/** A machine under check. */
export interface Checked {
  readonly machine: Machine;
  readonly grants: Grants;
  /** The eager run; undefined once it cannot be compared any more (REF-2, overcommit). */
  readonly ghost: Machine | undefined;
}

export interface CheckedStep {
  readonly checked: Checked;
  readonly observation: Observation;
  /** What the eager run observed, if it could still be compared. */
  readonly eager: Observation | undefined;
  readonly thread: number | undefined;
  readonly transition: Transition | undefined;
}

export const start = (config: Config): Checked => {
  const machine = initial(config);
  return {
    machine,
    grants: noGrants,
    ghost: config.strategy === "eager" ? undefined : initial({ ...config, strategy: "eager" }),
  };
};

/** Ranges that are mapped in one machine and not in the other: whole regions, or pages of a living process. */
const vanished = (before: Machine, after: Machine): readonly Range[] =>
  before.processes.flatMap(({ slot, state }, ordinal): readonly Range[] => {
    if (state.kind !== "live") return [];
    const base = regionBase(before.config, slot);
    const page = BigInt(before.config.page);
    if (after.processes[ordinal]?.state.kind !== "live")
      return [{ start: base, end: base + page * BigInt(before.config.pages) }];
    return (before.regions[slot] ?? []).flatMap((entry, index) =>
      entry !== undefined && after.regions[slot]?.[index] === undefined
        ? [{ start: base + BigInt(index) * page, end: base + BigInt(index + 1) * page }]
        : [],
    );
  });

/** Operations after which everything is looked at: they begin or end memory or a process. */
const structural: readonly Step["operation"]["op"][] = [
  "fork",
  "exit",
  "thread_exit",
  "mmap",
  "munmap",
  "sendcap",
  "recvcap",
];

/** Where the eager run stops being comparable. */
const comparable = ({ kind }: Observation): boolean => kind !== "outside-profile" && kind !== "out-of-frames";

/** Take a step, with grants and the eager run beside it. */
export const checkedStep = ({ machine: before, grants: old, ghost }: Checked, next: Step): CheckedStep => {
  const { machine: after, observation, thread } = step(before, next);
  const process = thread === undefined ? undefined : before.threads[thread]?.process;
  const beside = ghost === undefined || !comparable(observation) ? undefined : step(ghost, next);
  const ended = after === before ? [] : vanished(before, after);
  const began = after === before ? [] : vanishedBackwards(before, after);
  const grants = stepGrants(old, before, next, process, observation, after, ended);
  const eager = beside?.machine;
  const transition: Transition | undefined =
    thread === undefined || process === undefined
      ? undefined
      : {
          before,
          operation: next.operation,
          thread,
          process,
          observation,
          after,
          grantsBefore: old,
          grants,
          ended,
          began,
          ghost: eager,
        };
  return {
    checked: { machine: after, grants, ghost: eager },
    observation,
    eager: beside?.observation,
    thread,
    transition,
  };
};

const vanishedBackwards = (before: Machine, after: Machine): readonly Range[] => vanished(after, before);

/** All violations of a transition: of everything, or of what the step touched. */
export const violations = (transition: Transition, form: "full" | "incremental"): readonly Violation[] => {
  const touched =
    form === "incremental" && !structural.includes(transition.operation.op) ? transition.before : undefined;
  return Object.values(invariants).flatMap((invariant) => invariant(transition, touched));
};
