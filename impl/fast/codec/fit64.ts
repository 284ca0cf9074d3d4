/**
 * The encoding direction of bounds compression for 64-bit addresses, over 32-bit halves, and the moving of bounds.
 *
 * Rules CAP-1, CAP-2, FORK-3. Source: CHERI ISAv9, UCAM-CL-TR-987, on setting bounds; sail-cheri-riscv, setCapBounds;
 * Arm DDI0606, CapSetBounds; RISC-V CHERI specification, SCBNDSR, CRAM.
 */

import { below64, borrow, carry, carryOut, window64 } from "./concentrate64.js";
import { setAddress128 } from "./granule.js";
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
} from "./types.js";

/** What `fit64` sets beside the fields of the bounds, which all end below it; shifted down it is `EXACT`. */
const EXACT_BIT = 1 << 31;

/**
 * The fields of the smallest bounds that cover [base, base + length), and `EXACT_BIT` where they are those.
 *
 * The three formats lay them out alike: B in the low `width` bits, T without its two upper bits above it, then the flag of
 * an internal exponent. The exponent is stored as (e ^ flip) + bias; with a flip of -1 the flag is inverted too.
 * Domain: int32; length at most 2^64, base + length below 2^65.
 */
export function fit64(
  baseLo: number,
  baseHi: number,
  lengthLo: number,
  lengthHi: number,
  lengthExtra: number,
  width: number,
  flip: number,
  bias: number,
): number {
  const topLo = (baseLo + lengthLo) | 0;
  const e = highestBit(lengthLo, lengthHi, lengthExtra) - width + 2;
  const flag = 1 << (2 * width - 2);
  // All of the bits that B keeps beside an internal exponent; T keeps two bits less.
  const encoded = -1 >>> (35 - width);
  if (e < 0) {
    return EXACT_BIT | (flag & flip) | ((topLo & (2 * encoded + 1)) << width) | (baseLo & (8 * encoded + 7));
  }
  const topHi = (((baseHi + lengthHi) | 0) + +(topLo >>> 0 < baseLo >>> 0)) | 0;
  const topExtra = lengthExtra + (((baseHi & lengthHi) | ((baseHi | lengthHi) & ~topHi)) >>> 31);

  // Three bits of B and of T make way for the exponent; what is lost of the top counts as one unit.
  const shift = e + 3;
  const rest = 28 - e;
  const far = rest >> 31;
  const baseNear = baseLo ^ ((baseLo ^ baseHi) & far);
  const topNear = topLo ^ ((topLo ^ topHi) & far);
  const b = (baseNear >>> shift) | (((baseHi & ~far) << 1) << rest);
  const t = (topNear >>> shift) | ((((topHi & ~far) | (topExtra & far)) << 1) << rest);
  const lostT = ((topNear << 1) << rest) | (topLo & far);
  const unit = (lostT | -lostT) >>> 31;

  // Rounding may lengthen the mantissa by a bit; then the exponent is one more, and another bit of each is lost.
  const longer = ((t + unit - b) >>> (width - 4)) & 1;
  const round = unit | (t & longer);
  const stored = ((e + longer) ^ flip) + bias;
  const lost = ((baseNear << 1) << rest) | (baseLo & far) | (b & longer) | round;
  return (
    (~(lost | -lost) & EXACT_BIT) |
    (flag & ~flip) |
    ((((t >>> longer) + round) & (encoded >>> 2)) << (width + 3)) |
    (((stored >>> 3) & 7) << width) |
    (((b >>> longer) & encoded) << 3) |
    (stored & 7)
  );
}

/** Position of the highest bit set, -1 for 0. */
function highestBit(lo: number, hi: number, extra: number): number {
  if (extra !== 0) return 64;
  const zeros = Math.clz32(hi);
  return 63 - zeros - (Math.clz32(lo) & -(zeros >>> 5));
}

/**
 * `fit64` for bounds given by their top. Bounds that end before they begin, or are longer than the address space, give
 * a word of the format, and never `EXACT_BIT`.
 */
export function fitTop64(
  baseLo: number,
  baseHi: number,
  topLo: number,
  topHi: number,
  topExtra: number,
  width: number,
  flip: number,
  bias: number,
): number {
  const lengthLo = (topLo - baseLo) | 0;
  const lengthHi = (topHi - baseHi - borrow(topLo, baseLo)) | 0;
  const lengthExtra = topExtra - carryOut(~topHi, baseHi, ~lengthHi);
  const fit = fit64(baseLo, baseHi, lengthLo, lengthHi, lengthExtra, width, flip, bias);
  return lengthExtra === 0 || (lengthExtra === 1 && (lengthLo | lengthHi) === 0) ? fit : fit & ~EXACT_BIT;
}

/** The number of low bits that a base and a length must have clear for bounds of this length to be exact: CRAM. */
function alignment64(lengthLo: number, lengthHi: number, width: number): number {
  const e = highestBit(lengthLo, lengthHi, 0) - (width - 2);
  if (e < 0) return 0;
  // Of a length all of whose encoded bits are ones, rounding up makes a power of two with the next exponent.
  const shift = e + 3;
  const encoded = window64(lengthLo, lengthHi, shift);
  const ones = (1 << (width - 4)) - 1;
  return encoded === ones && below64(lengthLo, lengthHi, shift) !== 0 ? shift + 1 : shift;
}

/** The mask of CRAM. */
export function alignmentMask64(lengthLo: number, lengthHi: number, width: number, out: Halves): void {
  const bits = alignment64(lengthLo, lengthHi, width);
  out[0] = bits < 32 ? -1 << bits : 0;
  out[1] = bits < 32 ? -1 : -1 << (bits - 32);
}

/** The length of CRRL. */
export function representableLength64(lengthLo: number, lengthHi: number, width: number, out: Halves): void {
  const bits = alignment64(lengthLo, lengthHi, width);
  const maskLo = bits < 32 ? -1 << bits : 0;
  const maskHi = bits < 32 ? -1 : -1 << (bits - 32);
  const sum = (lengthLo + ~maskLo) | 0;
  out[0] = sum & maskLo;
  out[1] = (lengthHi + ~maskHi + carry(lengthLo, sum)) & maskHi;
}

/**
 * What becomes of bounds that move by a multiple of their step, so that exponent and length stay: `BOUNDS_EXACT` unless
 * they leave the address space, and `REPRESENTABLE` if they then decode to the moved ones at the moved address.
 *
 * Moving changes address and B alike, in units of 2^e and modulo 2^width; so the moved bounds decode exactly if the base
 * lies in the same window as the address, as before, from the leads of the old and the new B.
 * Domain: int32; e in 0..63 - width.
 */
export function move64(
  lo: number,
  hi: number,
  deltaLo: number,
  deltaHi: number,
  negative: boolean,
  e: number,
  b: number,
  lead: number,
  newLead: number,
  length: number,
  width: number,
): number {
  const mask = (1 << width) - 1;
  const units = window64(lo, hi, e);
  const above = (units - b) & mask;
  const start = lead - ((above + lead) & mask);

  // The old base as in `placeBounds64`, then the moved base and top modulo 2^64.
  const aligned = e < 32 ? (lo >>> e) << e : 0;
  const baseLo = e < 32 ? (aligned + (start << e)) | 0 : 0;
  const baseHi = e < 32 ? (hi + ((start >> (31 - e)) >> 1) + carry(aligned, baseLo)) | 0 : (units + start) << e;
  const movedLo = (baseLo + deltaLo) | 0;
  const movedHi = (baseHi + deltaHi + carry(baseLo, movedLo)) | 0;
  const topLo = e < 32 ? (movedLo + (length << e)) | 0 : movedLo;
  const topHi =
    e < 32 ? (movedHi + ((length >>> 1) >>> (31 - e)) + carry(movedLo, topLo)) | 0 : (movedHi + (length << e)) | 0;

  // A negative distance in its unsigned form has to wrap the base, a positive one must not; the top may be 2^64 at most.
  const wrapped = carryOut(baseHi, deltaHi, movedHi) !== 0;
  if (wrapped !== negative || ((movedHi & ~topHi) < 0 && (topLo | topHi) !== 0)) return 0;
  return ((above + lead) ^ (above + newLead)) >>> width === 0 ? BOUNDS_EXACT | REPRESENTABLE : BOUNDS_EXACT;
}

const before = new Int32Array(DECODED_SIZE);
const after = new Int32Array(DECODED_SIZE);

/**
 * `relocate` for any distance and any bounds of a 4-half format, by its definition: decode, move, encode, decode, compare.
 * Ownership: the two scratch arrays live for one call.
 */
export function relocateByDefinition64(
  decodeBounds: FastCodec["decodeBounds"],
  encodeBounds: FastCodec["encodeBounds"],
  m: Halves,
  i: number,
  deltaLo: number,
  deltaHi: number,
  negative: boolean,
  dst: Halves,
  j: number,
): number {
  const metadataLo = m[i + 2] ?? 0;
  const metadataHi = m[i + 3] ?? 0;
  const lo = m[i] ?? 0;
  const newLo = (lo + deltaLo) | 0;
  const newHi = ((m[i + 1] ?? 0) + deltaHi + carry(lo, newLo)) | 0;
  decodeBounds(m, i, before);
  setAddress128(m, i, newLo, newHi, dst, j);
  if (before[BOUNDS_VALID] === 0) return SAME_METADATA;
  const baseLo = before[BASE_LO] ?? 0;
  const baseHi = before[BASE_HI] ?? 0;
  const topLo = before[TOP_LO] ?? 0;
  const topHi = before[TOP_HI] ?? 0;
  const movedBaseLo = (baseLo + deltaLo) | 0;
  const movedBaseHi = (baseHi + deltaHi + carry(baseLo, movedBaseLo)) | 0;
  const movedTopLo = (topLo + deltaLo) | 0;
  const movedTopHi = (topHi + deltaHi + carry(topLo, movedTopLo)) | 0;
  const wrapped = carryOut(baseHi, deltaHi, movedBaseHi) !== 0;
  const movedTopExtra = (before[TOP_EXTRA] ?? 0) + carryOut(topHi, deltaHi, movedTopHi) - (negative ? 1 : 0);
  const pastEnd = movedTopExtra !== 0 && (movedTopExtra !== 1 || (movedTopLo | movedTopHi) !== 0);
  if (wrapped !== negative || pastEnd) return SAME_METADATA;
  // A capability that does not move keeps its word, whether or not that is the word that encoding would choose.
  if ((deltaLo | deltaHi) === 0 && !negative) return REPRESENTABLE | BOUNDS_EXACT | SAME_METADATA;

  const exact = encodeBounds(dst, j, movedBaseLo, movedBaseHi, movedTopLo, movedTopHi, movedTopExtra, dst, j);
  decodeBounds(dst, j, after);
  const decodesBack =
    after[BOUNDS_VALID] !== 0 &&
    after[BASE_LO] === movedBaseLo &&
    after[BASE_HI] === movedBaseHi &&
    after[TOP_LO] === movedTopLo &&
    after[TOP_HI] === movedTopHi &&
    after[TOP_EXTRA] === movedTopExtra;
  return (
    ((exact & EXACT) !== 0 ? BOUNDS_EXACT : 0) |
    (decodesBack ? REPRESENTABLE : 0) |
    (dst[j + 2] === metadataLo && dst[j + 3] === metadataHi ? SAME_METADATA : 0)
  );
}
