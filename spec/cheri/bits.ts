/**
 * Arithmetic on bit fields of `bigint` words. Every width and position is in bits, counted from the least
 * significant bit; no function here knows what a capability is.
 */

/** The bits `[low, low + width)` of a word. */
export interface Field {
  readonly low: bigint;
  /** 2^width - 1 */
  readonly mask: bigint;
}

/** The field that a document writes as `high:low`. */
export const bits = (high: number, low: number): Field => ({
  low: BigInt(low),
  mask: (1n << BigInt(high - low + 1)) - 1n,
});

/** `width` one bits. */
export const ones = (width: bigint): bigint => (1n << width) - 1n;

/** `value` modulo 2^`width`, never negative: big integers mask as in two's complement. */
export const truncate = (width: bigint, value: bigint): bigint => value & ones(width);

/** The low `width` bits of `value` read as a two's complement number. */
export const signed = (width: bigint, value: bigint): bigint => BigInt.asIntN(Number(width), value);

/** The value of `field` in `word`. */
export const extract = (field: Field, word: bigint): bigint => (word >> field.low) & field.mask;

/** `word` with `field` replaced by the low bits of `value`. */
export const deposit = (field: Field, word: bigint, value: bigint): bigint =>
  (word & ~(field.mask << field.low)) | ((value & field.mask) << field.low);

/** Position of the most significant one bit of `value` > 0. */
export const mostSignificantBit = (value: bigint): bigint => BigInt(value.toString(2).length - 1);

/** `value / 2^shift`, rounded up. */
export const ceilShift = (value: bigint, shift: bigint): bigint => (value + ones(shift)) >> shift;
