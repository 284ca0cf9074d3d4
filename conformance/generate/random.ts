/** A source of random numbers that gives the same ones everywhere: 32-bit integer arithmetic and nothing else. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  /** A whole number below `limit`, which is at least 1. */
  readonly below: (limit: number) => number;
  /** Both ends included. */
  readonly between: (least: number, most: number) => number;
  /** True once in `n`. */
  readonly once: (n: number) => boolean;
  /** True in `share` of a hundred. */
  readonly percent: (share: number) => boolean;
  readonly pick: <const T>(list: readonly [T, ...(readonly T[])]) => T;
}

/** The last step of MurmurHash3: every bit of the input changes half of the output's. */
const mix = (value: number): number => {
  const a = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2_ae35);
  return b ^ (b >>> 16);
};

/** 32 bits of a text, by FNV-1a over its UTF-16 units. */
const hash = (text: string, basis: number): number => {
  let sum = basis;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x0100_0193);
  return mix(sum);
};

/** The numbers of one program: they depend on the seed and the program's index, and on nothing else. */
export const randomOf = (seed: string | number, index: number): Random => {
  const name = `${seed}/${index}`;
  const state = [0x811c_9dc5, 0x9e37_79b9, 0x7f4a_7c15, 0x1656_67b1].map((basis) => hash(name, basis));
  const source = xoroshiro128plusFromState(state);
  const below = (limit: number): number => uniformInt(source, 0, limit - 1);
  return {
    below,
    between: (least, most) => uniformInt(source, least, most),
    once: (n) => below(n) === 0,
    percent: (share) => below(100) < share,
    pick: (list) => list[below(list.length)] ?? list[0],
  };
};
