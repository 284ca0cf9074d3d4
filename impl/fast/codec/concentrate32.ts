/**
 * Bounds compression for 32-bit addresses: what `cheri64-v9` and `rvy64` share. The same as `concentrate64` and `fit64`,
 * where the formulas are explained, with an address in one half.
 *
 * Rules CAP-1, CAP-2, FORK-3. Source: Woodruff et al., CHERI Concentrate, IEEE Transactions on Computers 2019, §3-4;
 * CHERI ISAv9, UCAM-CL-TR-987; RISC-V CHERI specification, on the capability encoding for 32 bits.
 */

import { setAddress64 } from "./granule.js";
import {
  BASE_HI,
  BASE_LO,
  BOUNDS_EXACT,
  BOUNDS_VALID,
  DECODED_SIZE,
  EXACT,
  type FastCodec,
  type Halves,
  REPRESENTABLE,
  SAME_METADATA,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
  WITHIN,
} from "./types.js";

// The value of an imported or exported constant is looked up at each use; that of a constant of the module is compiled in.
const AT_BASE_LO = BASE_LO;
const AT_BASE_HI = BASE_HI;
const AT_TOP_LO = TOP_LO;
const AT_TOP_HI = TOP_HI;
const AT_TOP_EXTRA = TOP_EXTRA;
const AT_BOUNDS_VALID = BOUNDS_VALID;
const MOVED_EXACTLY = BOUNDS_EXACT;
const MOVED_REPRESENTABLY = BOUNDS_EXACT | REPRESENTABLE;

/** 2^32: bit 32 of lengths and tops, which are numbers below 2^34 here. */
const SPACE = 0x100000000;

/** Writes bounds. */
export function place32(out: Halves, base: number, top: number, topExtra: number, valid: number): void {
  out[AT_BASE_LO] = base;
  out[AT_BASE_HI] = 0;
  out[AT_TOP_LO] = top;
  out[AT_TOP_HI] = 0;
  out[AT_TOP_EXTRA] = topExtra;
  out[AT_BOUNDS_VALID] = valid;
}

/** The base. Domain: e in 0..31 - width; b below 2^width. */
function base32(address: number, e: number, b: number, lead: number, mask: number): number {
  const units = address >>> e;
  return (units + lead - ((units - b + lead) & mask)) << e;
}

/** Writes the bounds. Domain: e in 0..31 - width; b below 2^width; length below 2^(width-1). */
export function placeBounds32(
  out: Halves,
  address: number,
  e: number,
  b: number,
  lead: number,
  length: number,
  mask: number,
): void {
  const base = base32(address, e, b, lead, mask);
  const top = (base + (length << e)) | 0;
  place32(out, base, top, (base & ~top) >>> 31, 1);
}

/** Writes the bounds where the address has no say. Domain: e in 32 - width..34 - width; b and t below 2^width. */
export function placeWide32(out: Halves, e: number, b: number, t: number, width: number): void {
  const base = b << e;
  const top = t << e;
  place32(out, base, top, e === 32 - width ? (base & ~top) >>> 31 : (t >>> (32 - e)) & 1, 1);
}

/** Whether two addresses lie in one window: see `sameWindow64`. Domain: e in 0..31 - width. */
export function sameWindow32(address: number, newAddress: number, e: number, offset: number, width: number): boolean {
  const start = offset << e;
  return ((address - start) ^ (newAddress - start)) >>> (e + width) === 0;
}

/** The fast check: see `fastCheck64`. Domain: e in 0..31 - width. */
export function fastCheck32(increment: number, e: number, k: number, width: number): boolean {
  const sign = increment >> 31;
  const units = increment >> e;
  if (units >> width !== sign) return false;
  const distance = (units & ((1 << width) - 1)) - k;
  return sign === 0 ? distance < 0 : distance > 0;
}

/** `WITHIN` where [base, base + length) lies inside the valid bounds in `parent`. */
export function withinBounds32(parent: Halves, base: number, length: number, lengthExtra: number): number {
  const top = (base >>> 0) + (length >>> 0) + lengthExtra * SPACE;
  const parentTop = ((parent[AT_TOP_LO] ?? 0) >>> 0) + (parent[AT_TOP_EXTRA] ?? 0) * SPACE;
  const inside = base >>> 0 >= (parent[AT_BASE_LO] ?? 0) >>> 0 && top <= parentTop && parent[AT_BOUNDS_VALID] !== 0;
  return inside ? WITHIN : 0;
}

/** Whether an address lies in the bounds in `bounds`. */
export function inBounds32(bounds: Halves, address: number): boolean {
  const top = ((bounds[AT_TOP_LO] ?? 0) >>> 0) + (bounds[AT_TOP_EXTRA] ?? 0) * SPACE;
  return address >>> 0 >= (bounds[AT_BASE_LO] ?? 0) >>> 0 && address >>> 0 < top;
}

// What `fit32` packs into one word: B and T with all their bits, E, the flag of an internal exponent; and in bit 31 whether
// the bounds are exact, which shifted down is `EXACT`.
export const FIT_B = 0x3ff;
export const FIT_T_SHIFT = 10;
export const FIT_E_SHIFT = 20;
export const FIT_INTERNAL = 1 << 30;
const EXACT_BIT = 1 << 31;

/**
 * The fields of the smallest bounds that cover [base, base + length), packed.
 * With an internal exponent B and T give up `low` bits each; lengths below 2^plainBits need none.
 * Domain: length at most 2^32 (`lengthExtra` its bit 32).
 */
export function fit32(
  base: number,
  length: number,
  lengthExtra: number,
  width: number,
  low: number,
  plainBits: number,
): number {
  const mantissa = (1 << width) - 1;
  const top = (base + length) | 0;
  const highest = lengthExtra !== 0 ? 32 : 31 - Math.clz32(length);
  if (highest < plainBits) return EXACT_BIT | ((top & mantissa) << 10) | (base & mantissa);
  const topExtra = lengthExtra + +(top >>> 0 < base >>> 0);

  const e = highest - (width - 2);
  const shift = e + low;
  const b = (base >>> shift) | 0;
  const t = (top >>> shift) | ((topExtra << 1) << (31 - shift));
  const lostB = (base << 1) << (31 - shift);
  const lostT = (top << 1) << (31 - shift);
  const unit = (lostT | -lostT) >>> 31;

  const longer = ((t + unit - b) >>> (width - low - 1)) & 1;
  const round = unit | (t & longer);
  const lost = lostB | (b & longer) | round;
  return (
    (~(lost | -lost) & EXACT_BIT) |
    (1 << 30) |
    ((e + longer) << 20) |
    (((((t >>> longer) + round) << low) & mantissa) << 10) |
    (((b >>> longer) << low) & mantissa)
  );
}

/** `fit32` for bounds given by their top; never exact where they end before they begin or exceed the address space. */
export function fitTop32(
  base: number,
  top: number,
  topExtra: number,
  width: number,
  low: number,
  plainBits: number,
): number {
  const length = (top >>> 0) + topExtra * SPACE - (base >>> 0);
  const legal = length >= 0 && length <= SPACE;
  const fit = fit32(base, length | 0, legal && length < SPACE ? 0 : 1, width, low, plainBits);
  return legal ? fit : fit & ~EXACT_BIT;
}

/** The number of low bits that a base and a length must have clear for bounds of this length to be exact. */
function alignment32(length: number, width: number, low: number, plainBits: number): number {
  const highest = 31 - Math.clz32(length);
  if (highest < plainBits) return 0;
  const shift = highest - (width - 2) + low;
  const lost = (length << 1) << (31 - shift);
  return length >>> shift === (1 << (width - low - 1)) - 1 && lost !== 0 ? shift + 1 : shift;
}

/** The mask of CRAM. */
export function alignmentMask32(length: number, width: number, low: number, plainBits: number): number {
  return -1 << alignment32(length, width, low, plainBits);
}

/** The length of CRRL. */
export function representableLength32(length: number, width: number, low: number, plainBits: number): number {
  const mask = -1 << alignment32(length, width, low, plainBits);
  return (length + ~mask) & mask;
}

/**
 * What becomes of bounds that move by a multiple of their step: see `move64`.
 * Domain: e in 0..31 - width; `delta` above -2^32 and below 2^32.
 */
export function move32(
  address: number,
  delta: number,
  e: number,
  b: number,
  lead: number,
  newLead: number,
  length: number,
  width: number,
): number {
  const mask = (1 << width) - 1;
  const base = (base32(address, e, b, lead, mask) >>> 0) + delta;
  const top = base + length * (1 << e);
  if (base < 0 || base >= SPACE || top > SPACE) return 0;
  const above = ((address >>> e) - b) & mask;
  return ((above + lead) ^ (above + newLead)) >>> width === 0 ? MOVED_REPRESENTABLY : MOVED_EXACTLY;
}

const before = new Int32Array(DECODED_SIZE);
const after = new Int32Array(DECODED_SIZE);

/**
 * `relocate` for any distance and any bounds of a 2-half format, by its definition: decode, move, encode, decode, compare.
 * Ownership: the two scratch arrays live for one call.
 */
export function relocateByDefinition32(
  decodeBounds: FastCodec["decodeBounds"],
  encodeBounds: FastCodec["encodeBounds"],
  m: Halves,
  i: number,
  delta: number,
  dst: Halves,
  j: number,
): number {
  const metadata = m[i + 1] ?? 0;
  decodeBounds(m, i, before);
  setAddress64(m, i, ((m[i] ?? 0) + delta) | 0, 0, dst, j);
  const base = ((before[AT_BASE_LO] ?? 0) >>> 0) + delta;
  const top = ((before[AT_TOP_LO] ?? 0) >>> 0) + (before[AT_TOP_EXTRA] ?? 0) * SPACE + delta;
  const leaves = base < 0 || base >= SPACE || top < 0 || top > SPACE;
  if (leaves || before[AT_BOUNDS_VALID] === 0) return SAME_METADATA;
  // A capability that does not move keeps its word, whether or not that is the word that encoding would choose.
  if (delta === 0) return MOVED_REPRESENTABLY | SAME_METADATA;

  const topExtra = top === SPACE ? 1 : 0;
  const exact = encodeBounds(dst, j, base | 0, 0, top | 0, 0, topExtra, dst, j);
  decodeBounds(dst, j, after);
  const decodesBack =
    after[AT_BOUNDS_VALID] !== 0 &&
    after[AT_BASE_LO] === (base | 0) &&
    after[AT_TOP_LO] === (top | 0) &&
    after[AT_TOP_EXTRA] === topExtra;
  return (
    ((exact & EXACT) !== 0 ? BOUNDS_EXACT : 0) |
    (decodesBack ? REPRESENTABLE : 0) |
    (dst[j + 1] === metadata ? SAME_METADATA : 0)
  );
}
