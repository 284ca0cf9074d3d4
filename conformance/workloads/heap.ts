/** Where objects lie: runs of pages for each size, as jemalloc has them. */
import { page } from "./workload.js";

/** The size that an allocator of size classes gives: four classes for each doubling, of whole granules. */
export const sizeClass = (bytes: number): number => {
  if (bytes <= 128) return Math.max(16, Math.ceil(bytes / 16) * 16);
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
};

/** Pages of a run: up to eight, those that waste least. */
const runPages = (size: number): number => {
  let [best, waste] = [Math.ceil(size / page), Infinity];
  for (let pages = best; pages <= 8; pages += 1) {
    const left = ((pages * page) % size) / pages;
    if (left < waste) [best, waste] = [pages, left];
  }
  return best;
};

export interface Heap {
  /** Distance of an object from the start of the heap; objects of one class lie in runs of their own. */
  readonly take: (bytes: number) => number;
  /** Whole pages. */
  readonly takePages: (bytes: number) => number;
  /** Bytes up to the end of the last run. */
  readonly end: () => number;
}

export const createHeap = (): Heap => {
  let end = 0;
  const takePages = (bytes: number): number => {
    const at = end;
    end += Math.ceil(bytes / page) * page;
    return at;
  };
  const runs = new Map<number, { readonly start: number; readonly room: number; used: number }>();
  return {
    take: (bytes) => {
      const size = sizeClass(bytes);
      let run = runs.get(size);
      if (run === undefined || run.used === run.room) {
        const pages = runPages(size);
        run = { start: takePages(pages * page), room: Math.floor((pages * page) / size), used: 0 };
        runs.set(size, run);
      }
      run.used += 1;
      return run.start + (run.used - 1) * size;
    },
    takePages,
    end: () => end,
  };
};
