/**
 * Two images of one program, at the same point of its run, under another layout: a pointer moves with what it points to, an
 * integer does not. That judges which words were taken for pointers.
 */
import { InputError } from "../errors.js";
import { pageWords, type Image } from "./core.js";
import type { Mapping } from "./mappings.js";
import { finderOf } from "./pointers.js";

/** Words that were compared, by what became of them in the second image. */
export interface Agreement {
  /** Mappings that both have, and of those how many lie elsewhere in the second. */
  readonly mappings: number;
  readonly moved: number;
  /** Source pages that are not zero in both. */
  readonly pages: number;
  /** Words that were taken for pointers. */
  readonly pointers: {
    /** It moved as its target did. */
    readonly withTarget: number;
    /** It stayed, though its target moved: no pointer. */
    readonly stayed: number;
    /** Something else is there: the two runs were not alike. */
    readonly otherwise: number;
    /** The target did not move, or the second image lacks it. */
    readonly unknown: number;
  };
  /** All other words that are not zero. */
  readonly others: {
    readonly stayed: number;
    /** It moved as some mapping did: a pointer that was missed. */
    readonly moved: number;
    readonly otherwise: number;
  };
}

const keyOf = ({ name, start, end, protection: { read, write, execute } }: Mapping): string =>
  [name, end - start, +read, +write, +execute].join(" ");

/** By index in the first image: the mapping of the second that is its counterpart, the nth of its kind. */
const counterpartsOf = (one: readonly Mapping[], two: readonly Mapping[]): readonly (Mapping | undefined)[] => {
  const left = new Map<string, Mapping[]>();
  for (const mapping of two) left.set(keyOf(mapping), [...(left.get(keyOf(mapping)) ?? []), mapping]);
  return one.map((mapping) => left.get(keyOf(mapping))?.shift());
};

/** Compares two images word by word; throws the `InputError` of images that are not of one program. */
export const pairImages = (one: Image, two: Image): Agreement => {
  const refuse = (what: string): never => {
    throw new InputError(two.file, undefined, what);
  };
  if (one.machine !== two.machine)
    refuse(`is a core of ${two.machine}, and ${one.file} of ${one.machine}; take two of one program`);
  const counterparts = counterpartsOf(one.mappings, two.mappings);
  if (counterparts.every((mapping) => mapping === undefined)) {
    refuse(`has no mapping in common with ${one.file}; take two cores of one program`);
  }
  const deltas = counterparts.map((mapping, index) => mapping && mapping.start - (one.mappings[index]?.start ?? 0));
  const moves = new Set(deltas.filter((delta) => delta !== undefined && delta !== 0));
  const [find, findSecond] = [finderOf(one.mappings), finderOf(two.mappings)];
  const second = new Map(Array.from(two.pages, (address, index) => [address, index]));
  const pointers = { withTarget: 0, stayed: 0, otherwise: 0, unknown: 0 };
  const others = { stayed: 0, moved: 0, otherwise: 0 };
  let compared = 0;

  const judge = (lo: number, hi: number, lo2: number, hi2: number): void => {
    const target = find(lo, hi);
    const isSame = lo === lo2 && hi === hi2;
    const move = (hi2 >>> 0) * 0x100000000 + (lo2 >>> 0) - ((hi >>> 0) * 0x100000000 + (lo >>> 0));
    if (target >= 0) {
      const delta = deltas[target];
      if (delta === undefined || delta === 0) pointers.unknown += 1;
      else if (move === delta) pointers.withTarget += 1;
      else if (isSame) pointers.stayed += 1;
      else pointers.otherwise += 1;
    } else if ((lo | hi | lo2 | hi2) !== 0) {
      if (isSame) others.stayed += 1;
      // Above 2^53 a difference is not exact, and no pointer.
      else if (hi >>> 0 < 0x100000 && findSecond(lo2, hi2) < 0 && moves.has(move)) others.moved += 1;
      else others.otherwise += 1;
    }
  };

  one.pages.forEach((address, page) => {
    const from = find(address | 0, Math.floor(address / 0x100000000));
    const delta = deltas[from];
    const other = delta === undefined ? undefined : second.get(address + delta);
    if (other === undefined) return;
    compared += 1;
    for (let word = 0; word < pageWords; word += 1) {
      const [a, b] = [(page * pageWords + word) * 2, (other * pageWords + word) * 2];
      judge(one.words[a] ?? 0, one.words[a + 1] ?? 0, two.words[b] ?? 0, two.words[b + 1] ?? 0);
    }
  });
  return {
    mappings: counterparts.filter((mapping) => mapping !== undefined).length,
    moved: deltas.filter((delta) => delta !== undefined && delta !== 0).length,
    pages: compared,
    pointers,
    others,
  };
};
