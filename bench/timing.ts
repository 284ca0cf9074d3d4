/** Careful timing: many samples of short calls, of which medians are told, for means are at the mercy of one pause. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Times in microseconds. */
export interface Distribution {
  readonly samples: number;
  readonly median: number;
  /** Nine samples in ten take no longer. */
  readonly p90: number;
}

/** The value below which a share (0 to 1) of the sorted values lies; NaN of none. */
export const quantile = (sorted: readonly number[], share: number): number => {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
};

export const distribution = (times: readonly number[]): Distribution => {
  const sorted = [...times].sort((a, b) => a - b);
  return { samples: sorted.length, median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9) };
};

/** Collects what nobody uses any more. */
const collect = (): void => {
  setFlagsFromString("--expose-gc");
  const now = runInNewContext("gc") as () => void;
  now();
};

/** Bytes that a call of an action leaves on the heap, which is collected before the first of them and not again. */
export const heapGrowth = (calls: number, action: () => void): number => {
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let call = 0; call < calls; call += 1) action();
  return Math.max(0, process.memoryUsage().heapUsed - before) / calls;
};

/** Bytes of the heap that are in use, after what is not was collected. Typed arrays lie elsewhere. */
export const heapInUse = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** Somewhere for results to go, so that no call can be left out as useless. */
let kept: unknown;

/**
 * Microseconds of one call: of `repeats` rows of calls the median row, shared out. A row takes several calls because reading
 * the clock takes a good part of a microsecond.
 */
export const timeOf = (action: () => unknown, repeats = 5, row = 4): number => {
  const times = Array.from({ length: repeats }, () => {
    const started = performance.now();
    for (let call = 0; call < row; call += 1) kept = action();
    return ((performance.now() - started) * 1000) / row;
  });
  return distribution(times).median;
};

/** The last result of a timed call. */
export const lastResult = (): unknown => kept;
