/** Workloads: long programs in the ordinary format, made step by step, so that none is ever there as a whole. */
import { completeConfig, type Config, type StrategyName } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { InputError } from "../errors.js";

export interface WorkloadOptions {
  /** Bytes of the first process's heap. */
  readonly size: number;
  readonly seed: string;
  /** `redis-snapshot`: bytes of a value, and values that change for each 100 keys that are saved. */
  readonly value: number;
  readonly updates: number;
}

/** A workload of one size. */
export interface Plan {
  /** Without a strategy: it runs under any. */
  readonly config: Partial<Config>;
  /** From the start, each time it is called. */
  readonly steps: () => Generator<Step, void, void>;
  /** What was assumed, a line each. */
  readonly notes: readonly string[];
}

export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Bytes of the heap where nobody says. */
  readonly size: number;
  readonly plan: (options: WorkloadOptions) => Plan;
}

export const page = 4096;

/** A granule of the formats that workloads are for. */
export const granule = 16;

export const smallestHeap = 1 << 16;
export const largestHeap = 1 << 29;

/** The configuration of a plan under a strategy. Throws an `InputError` where it is not legal. */
export const configOf = ({ config }: Plan, strategy: StrategyName): Config => {
  const complete = completeConfig({ ...config, strategy });
  if ("illegal" in complete) {
    throw new InputError("sfork", undefined, `no region of ${config.pages ?? 0} pages is legal: ${complete.illegal}`);
  }
  return complete;
};

/**
 * A configuration whose data part holds so many bytes, with room for so many processes of that size at once. The pages of the
 * data part are mapped from the start, so that there are no more than bounds need.
 */
export const configFor = (bytes: number, processes: number, more: Partial<Config> = {}): Partial<Config> => {
  const needed = Math.ceil(bytes / page);
  for (let step = 1; ; step *= 2) {
    const data = Math.max(2, Math.ceil(needed / step) * step);
    const frames = (data + 2) * processes + 16;
    const config = { page, pages: 2 * data, slots: processes, processes, frames, ...more };
    if (!("illegal" in completeConfig(config)) || step > needed) return config;
  }
};
