/** Which words of an image are pointers: those that lead into a mapping. A core has no tags, so they are inferred. */
import { pageWords, type Image } from "./core.js";
import type { Mapping } from "./mappings.js";

/** Finds the mapping into which a word leads: its index, or -1. */
export type Finder = (lo: number, hi: number) => number;

export const finderOf = (mappings: readonly Mapping[]): Finder => {
  const starts = Float64Array.from(mappings, ({ start }) => start);
  const ends = Float64Array.from(mappings, ({ end }) => end);
  const [lowest, highest] = [starts[0] ?? 0, ends.at(-1) ?? 0];
  let last = 0;
  return (lo, hi) => {
    const value = (hi >>> 0) * 0x100000000 + (lo >>> 0);
    if (value < lowest || value >= highest) return -1;
    // Pointers often lead to where the last one did.
    if (value >= (starts[last] ?? 0) && value < (ends[last] ?? 0)) return last;
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    if (value >= (ends[low - 1] ?? 0)) return -1;
    last = low - 1;
    return last;
  };
};

/** Pages by how many pointers they hold: each but the first two buckets is twice as wide as the one before. */
export const buckets = [
  "0",
  "1",
  "2-3",
  "4-7",
  "8-15",
  "16-31",
  "32-63",
  "64-127",
  "128-255",
  "256-511",
  "512",
] as const;

export interface PointerCounts {
  readonly pointers: number;
  /** Of which so many are not aligned to 8 bytes. */
  readonly unaligned: number;
  /** By bucket: source pages. */
  readonly histogram: readonly number[];
}

export const countPointers = ({ words, pages, mappings }: Image): PointerCounts => {
  const find = finderOf(mappings);
  const histogram = new Array<number>(buckets.length).fill(0);
  let [pointers, unaligned] = [0, 0];
  for (let page = 0; page < pages.length; page += 1) {
    let here = 0;
    for (let word = page * pageWords; word < (page + 1) * pageWords; word += 1) {
      const lo = words[word * 2] ?? 0;
      if (find(lo, words[word * 2 + 1] ?? 0) < 0) continue;
      here += 1;
      if ((lo & 7) !== 0) unaligned += 1;
    }
    pointers += here;
    const bucket = here === 0 ? 0 : 32 - Math.clz32(here);
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
  }
  return { pointers, unaligned, histogram };
};
