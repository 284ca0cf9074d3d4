/**
 * A run under all invariants: the machine, the checker's grants, and beside it the same program with eager copies.
 */
import type { Config } from "../sfork/config.js";
import { initial, regionBase, type Machine } from "../sfork/machine.js";
import type { Observation } from "../sfork/observation.js";
import type { OperationName, Step } from "../sfork/operation.js";
import { step, type Taken } from "../sfork/step.js";
import { strategies, type Laws } from "../sfork/laws.js";
import { exactDescriptors } from "./descriptors.js";
import { commitKept, soundFrames } from "./frames.js";
import { noGrants, stepGrants } from "./grants.js";
import { noTraceOfFailure, nonInterference } from "./interference.js";
import { freshMemory, guardGaps, isolation, noStalePointer, nothingEnded } from "./isolation.js";
import { monotonicity, noForgery } from "./provenance.js";
import { exactRelocation, tagConservation } from "./relocation.js";
import { isLive, livingIn, regionOf, scopeOf } from "./transition.js";
import type { Violation } from "./places.js";
import type { Extent, Grants, Invariant, Moved, Transition } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

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
  "INV-12": exactDescriptors,
  "INV-13": commitKept,
  "REUSE-1": nothingEnded,
};

const all = Object.values(invariants);

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
  readonly signals: readonly number[];
  /** The operation was taken: the thread had not been ended or stopped before it. */
  readonly acted: boolean;
  /** The eager run's step, if it can still be compared. */
  readonly eager: Taken | undefined;
  readonly thread: number | undefined;
  /** What the signals did that were taken before the step, and what the operation did. */
  readonly delivery: Transition | undefined;
  readonly transition: Transition | undefined;
}

/** A machine at its start; `beside` one that copies later, if it is wanted, the one whose copies are made at the fork. */
export const start = (config: Config, laws?: Laws, beside = true): Checked => {
  const { atFork, separate } = strategies[config.strategy];
  const lazy = beside && atFork !== "copy";
  const ghost = lazy ? initial({ ...config, strategy: separate ? "posix" : "eager" }) : undefined;
  return { machine: initial(config, laws), grants: noGrants, ghost };
};

/** Memory that one machine has and the other has not: regions of processes that live, and their pages. */
const missing = (there: Machine, here: Machine): readonly Extent[] =>
  flatMap(livingIn(there), ({ ordinal, slot }): readonly Extent[] => {
    if (!isLive(here, ordinal)) return [{ slot, ...regionOf(there, slot) }];
    return flatMap(there.regions[slot] ?? [], (entry, index) =>
      entry !== undefined && here.regions[slot]?.[index] === undefined ? [pageOf(there, slot, index)] : [],
    );
  });

const pageOf = ({ config }: Machine, slot: number, index: number): Extent => {
  const start = regionBase(config, slot) + BigInt(index * config.page);
  return { slot, start, end: start + BigInt(config.page) };
};

/** A new image: the region ended, and began. Pages that a child does not get end in it. */
const replaced = ({ before, operation, process, observation, after }: Moved) => {
  if (operation.op !== "exec" && observation.kind !== "child") return { ended: [], began: [] };
  const slot = before.processes[process]?.slot ?? 0;
  const image = operation.op === "exec" && observation.kind === "none" ? [{ slot, ...regionOf(before, slot) }] : [];
  const child = observation.kind === "child" ? after.processes[observation.child]?.slot : undefined;
  const absent = flatMap(before.regions[slot] ?? [], (entry, index) =>
    child !== undefined && entry?.advice.dontFork === true ? [pageOf(after, child, index)] : [],
  );
  return { ended: [...image, ...absent], began: image };
};

/**
 * Can a lazy run and the eager one still be compared after these two observations? An eager copy takes its frames at once:
 * without a reserve it may lack them where a lazy one goes on.
 * @rule FORK-1 comparable @source SFork design: refinement (REF-2), overcommit
 */
export const isComparable = (
  { config }: Machine,
  op: OperationName,
  lazy: Observation,
  eager: Observation,
): boolean => {
  const lacks = (one: Observation): boolean =>
    config.commit === "overcommit" &&
    (one.kind === "out-of-frames" ||
      ((op === "fork" || op === "mmap") && one.kind === "error" && one.error === "ENOMEM"));
  return lazy.kind !== "outside-profile" && lazy.kind !== "out-of-frames" && (lacks(lazy) || !lacks(eager));
};

/** What a transition ended and began, and the grants after it. Member by member: a spread that adds members is slow. */
const transitionOf = (moved: Moved, grantsBefore: Grants): Transition => {
  const { before, after, ghostBefore, ghost, operation, observation, signals, thread, process } = moved;
  const sameMemory = before.regions === after.regions && before.processes === after.processes;
  const own = replaced(moved);
  const ended = sameMemory ? [] : [...missing(before, after), ...own.ended];
  const began = sameMemory ? [] : [...missing(after, before), ...own.began];
  const grants = stepGrants(moved, ended, grantsBefore);
  return {
    before,
    after,
    ghostBefore,
    ghost,
    operation,
    observation,
    signals,
    thread,
    process,
    grantsBefore,
    grants,
    ended,
    began,
  };
};

/** What a thread does that takes signals, or cannot take a step. */
const idle = { op: "yield" } as const;

/** Take a step, with grants and the eager run beside it. */
export const checkedStep = (
  { machine: before, grants: grantsBefore, ghost: ghostBefore }: Checked,
  next: Step,
  take = step,
): CheckedStep => {
  const { machine: after, observation, thread, process, signals, ready, acted } = take(before, next);
  const beside = ghostBefore === undefined ? undefined : step(ghostBefore, next);
  const eager =
    beside !== undefined && isComparable(before, next.operation.op, observation, beside.observation)
      ? beside
      : undefined;
  const ghost = eager?.machine;
  if (thread === undefined || process === undefined) {
    const checked = { machine: after, grants: grantsBefore, ghost };
    return { checked, observation, signals, acted, eager, thread, delivery: undefined, transition: undefined };
  }
  // 1. Signals, as a transition of their own.
  const settled = eager?.ready;
  const delivered = { operation: idle, observation: { kind: "none" }, signals, thread, process } as const;
  const delivery =
    ready.processes === before.processes
      ? undefined
      : transitionOf({ before, after: ready, ghostBefore, ghost: settled, ...delivered }, grantsBefore);
  // 2. The operation.
  const operation = acted ? next.operation : idle;
  const transition = transitionOf(
    { before: ready, after, ghostBefore: settled, ghost, operation, observation, signals: [], thread, process },
    delivery?.grants ?? grantsBefore,
  );
  const checked = { machine: after, grants: transition.grants, ghost };
  return { checked, observation, signals, acted, eager, thread, delivery, transition };
};

/** All violations of a transition: of everything, or of what the step touched. */
export const violations = (transition: Transition, form: "full" | "incremental"): readonly Violation[] => {
  const scope = scopeOf(transition, form);
  return flatMap(all, (invariant) => invariant(scope));
};
