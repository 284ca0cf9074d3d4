/** Strategies side by side: what was counted, and what that is estimated to take. */
import type { StartMemory } from "../../impl/start.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import type { Plan } from "../workloads/workload.js";
import type { Costs } from "./costs.js";
import { compareIpc, type IpcRow } from "./ipc.js";
import { measure } from "./measure.js";
import { besidePublished, type BesidePublished } from "./published.js";
import { rowOf, type Row } from "./row.js";

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
