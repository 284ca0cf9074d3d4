/** Random legal capabilities in a format's own bits, and what to ask of each. */
import { codecs } from "../impl/fast/codec/index.js";
import { WITHIN, type FastCodec } from "../impl/fast/codec/types.js";
import type { FormatName } from "../spec/cheri/index.js";

/** All in 32-bit halves: granules; lengths to ask for; addresses to move to. */
export interface Capabilities {
  readonly codec: FastCodec;
  readonly count: number;
  readonly words: Int32Array;
  readonly lengths: Int32Array;
  readonly addresses: Int32Array;
}

/** Numbers of 32 bits (Marsaglia's xorshift), the same for the same seed, which is not zero. */
const numbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state | 0;
  };
};

/** A random number of at most so many bits into two halves. */
const draw = (next: () => number, bits: number, to: Int32Array, at: number): void => {
  const drop = 64 - bits;
  const [lo, hi] = [next(), next()];
  to[at] =
    drop >= 32 ? (hi >>> (drop - 32 < 32 ? drop - 32 : 31)) | 0 : drop === 0 ? lo : (lo >>> drop) | (hi << (32 - drop));
  to[at + 1] = drop >= 32 ? 0 : hi >>> drop;
};

/**
 * Derived from the root: a base anywhere, a length of any number of bits, then an address nearby that the bounds allow. A
 * request for other bounds is mostly shorter, and an address to move to may lie outside.
 */
export const randomCapabilities = (format: FormatName, count: number): Capabilities => {
  const codec = codecs[format];
  const next = numbers(0x5f0b);
  const { granuleHalves, addressBits } = codec;
  const upper = addressBits === 32 ? 0 : -1;
  const below = (bits: number): number => (next() >>> 0) % bits;
  const words = new Int32Array(count * granuleHalves);
  const [lengths, addresses] = [new Int32Array(count * 2), new Int32Array(count * 2)];
  const root = new Int32Array(granuleHalves);
  const place = new Int32Array(2);
  const aim = (bits: number, base: Int32Array, to: Int32Array, at: number): void => {
    draw(next, bits, place, 0);
    const lo = ((base[0] ?? 0) + (place[0] ?? 0)) | 0;
    const carry = +(lo >>> 0 < (place[0] ?? 0) >>> 0);
    to[at + 1] = ((base[1] ?? 0) + (place[1] ?? 0) + carry) & upper;
    to[at] = lo;
  };
  const base = new Int32Array(2);
  const near = new Int32Array(2);
  for (let nth = 0; nth < count;) {
    const at = nth * granuleHalves;
    const bits = below(addressBits);
    codec.writeRoot(root, 0);
    draw(next, addressBits, base, 0);
    codec.setAddress(root, 0, base[0] ?? 0, base[1] ?? 0, words, at);
    draw(next, bits, place, 0);
    if ((codec.setBounds(words, at, place[0] ?? 0, place[1] ?? 0, 0, words, at) & WITHIN) === 0) continue;
    aim(bits, base, near, 0);
    if (codec.fastRepresentable(words, at, near[0] ?? 0, near[1] ?? 0)) {
      codec.setAddress(words, at, near[0] ?? 0, near[1] ?? 0, words, at);
      base.set(near);
    }
    draw(next, Math.max(bits - below(4), 0), lengths, nth * 2);
    aim(bits, base, addresses, nth * 2);
    nth += 1;
  }
  return { codec, count, words, lengths, addresses };
};
