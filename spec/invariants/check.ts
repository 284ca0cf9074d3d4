/**
 * A run under all invariants: the machine, the checker's grants, and beside it the same program with eager copies.
 */
import type { Config } from "../sfork/config.js";
import { initial, regionBase, type Machine } from "../sfork/machine.js";
import type { Observation } from "../sfork/observation.js";
import type { OperationName, Step } from "../sfork/operation.js";
import type { Range } from "../sfork/relocate.js";
import { step } from "../sfork/step.js";
import { commitKept, soundFrames } from "./frames.js";
import { noGrants, stepGrants } from "./grants.js";
import { noTraceOfFailure, nonInterference } from "./interference.js";
import { freshMemory, guardGaps, isolation, noStalePointer, nothingEnded } from "./isolation.js";
import { monotonicity, noForgery } from "./provenance.js";
import { exactRelocation, tagConservation } from "./relocation.js";
import { isLive, livingIn, regionOf, scopeOf } from "./transition.js";
import type { Grants, Invariant, Transition, Violation } from "./transition.js";

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
  "REUSE-1": nothingEnded,
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
  /** What the eager run observed, if it can still be compared. */
  readonly eager: Observation | undefined;
  readonly thread: number | undefined;
  readonly transition: Transition | undefined;
}

export const start = (config: Config): Checked => ({
  machine: initial(config),
  grants: noGrants,
  ghost: config.strategy === "eager" ? undefined : initial({ ...config, strategy: "eager" }),
});

/** Memory that one machine has and the other has not: regions of processes that live, and their pages. */
const missing = (there: Machine, here: Machine): readonly Range[] =>
  livingIn(there).flatMap(({ ordinal, slot }): readonly Range[] => {
    if (!isLive(here, ordinal)) return [regionOf(there, slot)];
    const page = BigInt(there.config.page);
    return (there.regions[slot] ?? []).flatMap((entry, index) => {
      const base = regionBase(there.config, slot) + BigInt(index) * page;
      return entry !== undefined && here.regions[slot]?.[index] === undefined
        ? [{ start: base, end: base + page }]
        : [];
    });
  });

/**
 * Can a lazy run and the eager one still be compared after these two observations? An eager copy takes its frames at once:
 * without a reserve it may lack them where a lazy one goes on.
 * @rule FORK-1 comparable @source SFork design: refinement (REF-2), overcommit
 */
const isComparable = ({ config }: Machine, op: OperationName, lazy: Observation, eager: Observation): boolean => {
  const lacks = (one: Observation): boolean =>
    config.commit === "overcommit" &&
    (one.kind === "out-of-frames" ||
      ((op === "fork" || op === "mmap") && one.kind === "error" && one.error === "ENOMEM"));
  return lazy.kind !== "outside-profile" && lazy.kind !== "out-of-frames" && (lacks(lazy) || !lacks(eager));
};

/** Take a step, with grants and the eager run beside it. */
export const checkedStep = (
  { machine: before, grants: grantsBefore, ghost: ghostBefore }: Checked,
  next: Step,
): CheckedStep => {
  const { machine: after, observation, thread } = step(before, next);
  const process = thread === undefined ? undefined : before.threads[thread]?.process;
  const beside = ghostBefore === undefined ? undefined : step(ghostBefore, next);
  const eager =
    beside !== undefined && isComparable(before, next.operation.op, observation, beside.observation)
      ? beside
      : undefined;
  const ghost = eager?.machine;
  const taken = { observation, eager: eager?.observation, thread };
  if (thread === undefined || process === undefined)
    return { checked: { machine: after, grants: grantsBefore, ghost }, transition: undefined, ...taken };
  const sameMemory = before.regions === after.regions && before.processes === after.processes;
  const partial = {
    before,
    operation: next.operation,
    thread,
    process,
    observation,
    after,
    ended: sameMemory ? [] : missing(before, after),
    began: sameMemory ? [] : missing(after, before),
    ghostBefore,
    ghost,
  };
  const grants = stepGrants(partial, grantsBefore);
  return { checked: { machine: after, grants, ghost }, transition: { grantsBefore, grants, ...partial }, ...taken };
};

/** All violations of a transition: of everything, or of what the step touched. */
export const violations = (transition: Transition, form: "full" | "incremental"): readonly Violation[] => {
  const scope = scopeOf(transition, form);
  return Object.values(invariants).flatMap((invariant) => invariant(scope));
};
