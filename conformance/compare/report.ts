/** Strategies side by side: what was counted, and what that is estimated to take. */
import type { StartMemory } from "../../impl/start.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import { knownFalse } from "../../spec/sfork/variants/baselines.js";
import { page, type Plan } from "../workloads/workload.js";
import { callCycles, forkCycles, microseconds, nothing, pageCycles, plus, type Counted, type Costs } from "./costs.js";
import { compareIpc, type IpcRow } from "./ipc.js";
import { measure, type Measured } from "./measure.js";
import { besidePublished, type BesidePublished } from "./published.js";

/** Microseconds by what they go to, from the first fork on. */
export interface Estimate {
  readonly fork: number;
  readonly pageTables: number;
  readonly traps: number;
  readonly copies: number;
  readonly relocation: number;
  readonly switches: number;
  readonly calls: number;
}

const partsOf = (of: Estimate): readonly number[] => [
  ...[of.fork, of.pageTables, of.traps, of.copies],
  ...[of.relocation, of.switches, of.calls],
];

export interface Row extends Measured {
  readonly isIsolating: boolean;
  /** Of parent and children. */
  readonly all: Counted;
  /** One fork, on average. */
  readonly forkMicroseconds: number;
  readonly estimate: Estimate;
  readonly totalMicroseconds: number;
}

export interface Comparison {
  readonly name: string;
  readonly summary: string;
  /** Bytes of the heap; of an image, of all its pages. */
  readonly size: number;
  /** Undefined where chance has no part. */
  readonly seed: string | undefined;
  readonly notes: readonly string[];
  readonly costs: Costs;
  readonly rows: readonly Row[];
  readonly ipc: readonly IpcRow[];
  /** Empty but for the workload that figures were published for. */
  readonly published: readonly BesidePublished[];
}

/** What a row is estimated to take. */
export const rowOf = (measured: Measured, costs: Costs): Row => {
  const { strategy, parent, children, forks, atForks, switches, calls, transferred } = measured;
  const all = plus(parent, children);
  const time = (cycles: number): number => microseconds(costs, cycles);
  const only = (counted: Partial<Counted>): number =>
    time(pageCycles(costs, strategy, page, { ...nothing, ...counted }));
  const fixed = forkCycles(costs, strategy);
  const estimate: Estimate = {
    fork: time(forks * fixed),
    pageTables: only({ pageTableWrites: all.pageTableWrites }),
    traps: only({ faults: all.faults }),
    copies: only({ copies: all.copies }) + time(transferred * costs.copyByte),
    relocation: only({ relocations: all.relocations }),
    switches: time(switches * costs.spaceSwitch),
    calls: time(calls * callCycles(costs, strategy)),
  };
  return {
    ...measured,
    isIsolating: !(strategy in knownFalse),
    all,
    forkMicroseconds: forks === 0 ? 0 : time(fixed + pageCycles(costs, strategy, page, atForks) / forks),
    estimate,
    totalMicroseconds: partsOf(estimate).reduce((sum, part) => sum + part, 0),
  };
};

export interface CompareOptions {
  readonly strategies: readonly StrategyName[];
  readonly costs: Costs;
  /** Called now and then, with a strategy and the steps that were taken under it. */
  readonly told?: (strategy: StrategyName, steps: number) => Promise<void>;
}

export interface Subject {
  readonly name: string;
  readonly summary: string;
  readonly size: number;
  readonly seed: string | undefined;
  readonly plan: Plan & { readonly memory?: StartMemory };
  /** Figures were published for it. */
  readonly isPublished: boolean;
}

/** Runs a workload under each strategy, one after the other. */
export const compare = async (subject: Subject, options: CompareOptions): Promise<Comparison> => {
  const { name, summary, size, seed, plan, isPublished } = subject;
  const { strategies, costs, told = () => Promise.resolve() } = options;
  const rows: Row[] = [];
  for (const strategy of strategies) {
    rows.push(rowOf(await measure(plan, strategy, (steps) => told(strategy, steps)), costs));
  }
  return {
    name,
    summary,
    size,
    seed,
    notes: plan.notes,
    costs,
    rows,
    ipc: await compareIpc(costs),
    published: isPublished ? besidePublished(rows, size) : [],
  };
};

/** Every strategy that is meant to isolate takes every step. */
export const isComplete = ({ rows }: Comparison): boolean =>
  rows.every(({ isIsolating, refused }) => !isIsolating || refused === 0);
