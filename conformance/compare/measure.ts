/** A workload under one strategy: its steps are taken as they are made, and what they do is counted. */
import { place } from "../../impl/fast/image.js";
import type { Machine } from "../../impl/fast/machine.js";
import { observed } from "../../impl/fast/observe.js";
import * as outcome from "../../impl/fast/outcome.js";
import { start } from "../../impl/fast/processes.js";
import { encode, take } from "../../impl/fast/step.js";
import type { StartMemory } from "../../impl/start.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { operations, type Step } from "../../spec/sfork/operation.js";
import { printOperation } from "../program/print.js";
import { configOf, type Plan } from "../workloads/workload.js";
import { nothing, plus, type Counted } from "./costs.js";
import { createSampler, type Sample } from "./memory.js";

/** What kind of access a fault was met at; `kernel`: of a kernel that was cloned, and writes to itself. */
interface FaultKinds {
  readonly write: number;
  /** A load of a capability that has a tag. */
  readonly pointer: number;
  readonly read: number;
  readonly kernel: number;
}

export interface Measured {
  readonly strategy: StrategyName;
  readonly steps: number;
  readonly forks: number;
  /** What forks did, all of them together. */
  readonly atForks: Counted;
  /** The same of everything from the first fork on. */
  readonly parent: Counted;
  readonly children: Counted;
  readonly faults: FaultKinds;
  /** From the first fork on: between processes in address spaces of their own; calls of the kernel; bytes that these copied. */
  readonly switches: number;
  readonly calls: number;
  readonly transferred: number;
  readonly samples: readonly Sample[];
  /** The most that one child had at a time: pages that it alone maps, and its share of what it maps. */
  readonly childOwn: number;
  readonly childShare: number;
  /** Pages that one child got for itself, at most: copied for it, or left to it. */
  readonly childMade: number;
  /** The first process: pages that it alone maps, at most; and frames of all. */
  readonly parentOwn: number;
  readonly frames: number;
  /** Steps that were refused, and the first one. */
  readonly refused: number;
  readonly firstRefused: string | undefined;
  readonly milliseconds: number;
}

/** What a process does for itself, without its kernel. */
const isCall = (step: Step): boolean => !/^(?:CAP|MEM-[1-6]|EXEC-1)/.test(operations[step.operation.op].rule);

const writing: ReadonlySet<string> = new Set([
  "storecap",
  "store.b",
  "store.h",
  "store.w",
  "store.d",
  "memset",
  "read",
  "readv",
]);

const kindOf = ({ operation: { op } }: Step): keyof FaultKinds =>
  op === "loadcap" ? "pointer" : writing.has(op) ? "write" : "read";

const refusals: ReadonlySet<number> = new Set([
  ...[outcome.TRAP, outcome.ERROR, outcome.WOULD_BLOCK, outcome.UNSUPPORTED, outcome.NO_ACTOR, outcome.HALTED],
  ...[outcome.BAD_CHOICE, outcome.OUT_OF_FRAMES, outcome.OUTSIDE_PROFILE],
]);

/** Steps that are decoded at a time. */
const chunk = 4096;

const chunksOf = function* (steps: Iterable<Step>): Generator<readonly Step[], void, void> {
  let list: Step[] = [];
  for (const step of steps) {
    list.push(step);
    if (list.length < chunk) continue;
    yield list;
    list = [];
  }
  if (list.length > 0) yield list;
};

const sumOf = ({ processes }: Machine, from: number, end: number): Counted =>
  processes.slice(from, end).reduce<Counted>((sum, one) => plus(sum, one), nothing);

/** Counts what steps do, one after the other. */
const createCounter = (machine: Machine) => {
  const sampler = createSampler(machine);
  const faults = { write: 0, pointer: 0, read: 0, kernel: 0 };
  const known: number[] = [];
  const made: number[] = [];
  let [steps, firstFork, forks, switches, calls, transferred, refused] = [0, -1, 0, 0, 0, 0, 0];
  let atForks = nothing;
  let start: Counted = nothing;
  let last = 0;
  let firstRefused: string | undefined;
  const separate = machine.strategy.separate;

  const beforeStep = ({ operation: { op } }: Step): Counted => {
    if (op === "exit" && firstFork >= 0) sampler.take(steps - firstFork);
    return op === "fork" ? sumOf(machine, 0, Infinity) : nothing;
  };

  const afterFork = (before: Counted): void => {
    const after = sumOf(machine, 0, Infinity);
    if (firstFork < 0) {
      firstFork = steps;
      start = before;
    }
    forks += 1;
    atForks = plus(atForks, plus(after, before, -1));
    const child = machine.processes.length - 1;
    const own = machine.processes[child];
    known[child] = own?.faults ?? 0;
    faults.kernel += own?.faults ?? 0;
    made[child] = own?.copies ?? 0;
    sampler.take(steps - firstFork);
  };

  const afterStep = (step: Step, before: Counted): void => {
    const { kind } = machine;
    if (refusals.has(kind)) {
      refused += 1;
      firstRefused ??= `step ${steps + 1}, ${step.actor}: ${printOperation(step.operation)}: ${observed(machine).observation.kind}`;
    }
    if (kind === outcome.CHILD) afterFork(before);
    else if (firstFork >= 0) {
      const { ordinal, faults: now } = machine.process;
      const met = now - (known[ordinal] ?? 0);
      if (met > 0) {
        faults[kindOf(step)] += met;
        known[ordinal] = now;
      }
    }
    if (firstFork >= 0) {
      if (separate && machine.process.ordinal !== last) switches += 1;
      if (isCall(step)) calls += 1;
      if (kind === outcome.BYTES && Array.isArray(machine.seen)) transferred += machine.seen.length;
      else if (kind === outcome.BYTES && machine.seen instanceof Uint8Array) transferred += machine.seen.length;
      else if (step.operation.op === "write" && kind === outcome.INTEGER) transferred += machine.first;
    }
    last = machine.process.ordinal;
    steps += 1;
    if (firstFork >= 0) sampler.due(steps - firstFork);
  };

  return {
    beforeStep,
    afterStep,
    result: (strategy: StrategyName, milliseconds: number): Measured => {
      if (firstFork >= 0) sampler.take(steps - firstFork);
      const samples = sampler.samples();
      const children = samples.flatMap(({ processes }) => processes.filter(({ process }) => process > 0));
      const most = (list: readonly number[]): number => list.reduce((sofar, one) => Math.max(sofar, one), 0);
      // What lay ready at the fork, and what faults gave it later.
      const given = machine.processes.map(({ ordinal, faults: met }) =>
        ordinal === 0 ? 0 : strategies[strategy].atFork === "copy" ? (made[ordinal] ?? 0) : met,
      );
      return {
        strategy,
        steps,
        forks,
        atForks,
        parent: plus(sumOf(machine, 0, 1), start, -1),
        children: sumOf(machine, 1, Infinity),
        faults,
        switches,
        calls,
        transferred,
        samples,
        childOwn: most(children.map(({ own }) => own)),
        childShare: most(children.map(({ share }) => share)),
        childMade: most(given),
        parentOwn: most(
          samples.flatMap(({ processes }) => processes.filter(({ process }) => process === 0)).map(({ own }) => own),
        ),
        frames: most(samples.map(({ frames }) => frames)),
        refused,
        firstRefused,
        milliseconds,
      };
    },
  };
};

/** Runs a plan under a strategy; `told` is called now and then with the steps that were taken. */
export const measure = async (
  plan: Plan & { readonly memory?: StartMemory },
  strategy: StrategyName,
  told: (steps: number) => Promise<void> = () => Promise.resolve(),
): Promise<Measured> => {
  const begun = performance.now();
  const machine = start(configOf(plan, strategy));
  if (plan.memory !== undefined) place(machine, plan.memory);
  const counter = createCounter(machine);
  let taken = 0;
  for (const steps of chunksOf(plan.steps())) {
    const program = encode(machine, steps);
    for (const [index, step] of steps.entries()) {
      const before = counter.beforeStep(step);
      take(machine, program, index);
      counter.afterStep(step, before);
    }
    taken += steps.length;
    if (taken % (chunk * 16) === 0) await told(taken);
  }
  return counter.result(strategy, performance.now() - begun);
};
