/**
 * Arithmetic on bit fields of `bigint` words. Every width and position is in bits, counted from the least
 * significant bit; no function here knows what a capability is.
 */

/** The bits `[low, low + width)` of a word. */
export interface Field {
  readonly low: bigint;
  readonly width: bigint;
}

/** The field that a document writes as `high:low`. */
export const bits = (high: number, low: number): Field => ({
  low: BigInt(low),
  width: BigInt(high - low + 1),
});

/** `width` one bits. */
export const ones = (width: bigint): bigint => (1n << width) - 1n;

/** `value` modulo 2^`width`, never negative. */
export const truncate = (width: bigint, value: bigint): bigint => BigInt.asUintN(Number(width), value);

/** The low `width` bits of `value` read as a two's complement number. */
export const signed = (width: bigint, value: bigint): bigint => BigInt.asIntN(Number(width), value);

/** The value of `field` in `word`. */
export const extract = (field: Field, word: bigint): bigint => truncate(field.width, word >> field.low);

/** `word` with `field` replaced by the low bits of `value`. */
export const deposit = (field: Field, word: bigint, value: bigint): bigint =>
  (word & ~(ones(field.width) << field.low)) | (truncate(field.width, value) << field.low);

/** Position of the most significant one bit of `value` > 0. */
export const mostSignificantBit = (value: bigint): bigint => BigInt(value.toString(2).length - 1);

/** `value / 2^shift`, rounded up. */
export const ceilShift = (value: bigint, shift: bigint): bigint => (value + ones(shift)) >> shift;
