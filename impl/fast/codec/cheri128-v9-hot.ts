/**
 * What is done most often to `cheri128-v9` capabilities: bounds decoded, bounds set, capabilities moved.
 *
 * Rules CAP-1, CAP-2, FORK-3; sources and layout as in `cheri128-v9`, formulas as in `concentrate64` and `fit64`.
 *
 * Each function is one body, where the other formats call shared ones: a compiler that inlines by size leaves some of those
 * as calls (gain measured on one core: decode 57 to 70, set-bounds 20 to 33, move 30 to 40 million a second).
 */

import { placeWide64, withinBounds64 } from "./concentrate64.js";
import { fit64, fitTop64, relocateByDefinition64 } from "./fit64.js";
import { setMetadata128 } from "./granule.js";
import {
  BASE_HI,
  BASE_LO,
  BOUNDS_EXACT,
  BOUNDS_VALID,
  DECODED_SIZE,
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
const KEEPS_TAG = WITHIN;
const MOVED = BOUNDS_EXACT;
const MOVED_REPRESENTABLY = BOUNDS_EXACT | REPRESENTABLE;
const UNCHANGED = SAME_METADATA;

const WIDTH = 14;
const MANTISSA = 0x3fff;
const MAX_EXPONENT = 52;
/** From this exponent on the bounds do not depend on the address. */
const WIDE = 50;
const NULL_MASK_LO = 0xfc018004 | 0;
/** The flag of an internal exponent. */
const INTERNAL = 1 << 26;
/** The fields of the bounds, all in the lower half of the metadata. */
const BOUNDS = 0x7ffffff;
const EXACT_BIT = 1 << 31;

const scratch = new Int32Array(DECODED_SIZE);

/** Writes the bounds of a capability. */
export function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const internal = (w << 5) >> 31;
  const low = internal & 7;
  const e = (((w >>> 11) & 0x38) | (w & 7)) & internal;
  const b = w & (MANTISSA ^ low);
  const length = ((((w >>> 14) & ~low) - b) & 0xfff) | (internal & 0x1000);
  if (e >= WIDE) {
    placeWide64(out, e > MAX_EXPONENT ? MAX_EXPONENT : e, b, (b + length) & MANTISSA, WIDTH);
    return;
  }
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const lead = (b & 0x7ff) + 0x800;
  if (e < 32) {
    const units = (lo >>> e) | ((hi << 1) << (31 - e));
    const start = lead - ((units - b + lead) & MANTISSA);
    const aligned = (lo >>> e) << e;
    const baseLo = (aligned + (start << e)) | 0;
    const baseHi = (((hi + ((start >> (31 - e)) >> 1)) | 0) + +(baseLo >>> 0 < aligned >>> 0)) | 0;
    const topLo = (baseLo + (length << e)) | 0;
    const topHi = (((baseHi + ((length >>> 1) >>> (31 - e))) | 0) + +(topLo >>> 0 < baseLo >>> 0)) | 0;
    out[AT_BASE_LO] = baseLo;
    out[AT_BASE_HI] = baseHi;
    out[AT_TOP_LO] = topLo;
    out[AT_TOP_HI] = topHi;
    out[AT_TOP_EXTRA] = (baseHi & ~topHi) >>> 31;
  } else {
    const units = (hi >>> e) | 0;
    const start = lead - ((units - b + lead) & MANTISSA);
    const baseHi = (units + start) << e;
    const topHi = (baseHi + (length << e)) | 0;
    out[AT_BASE_LO] = 0;
    out[AT_BASE_HI] = baseHi;
    out[AT_TOP_LO] = 0;
    out[AT_TOP_HI] = topHi;
    out[AT_TOP_EXTRA] = (baseHi & ~topHi) >>> 31;
  }
  out[AT_BOUNDS_VALID] = 1;
}

/** `setBounds` for a parent that leaves the address no say, or a length of 2^64. */
function setBoundsOfWide(
  m: Halves,
  i: number,
  lengthLo: number,
  lengthHi: number,
  lengthExtra: number,
  dst: Halves,
  j: number,
): number {
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  decodeBounds(m, i, scratch);
  const within = withinBounds64(scratch, lo, hi, lengthLo, lengthHi, lengthExtra);
  const fit = fit64(lo, hi, lengthLo, lengthHi, lengthExtra, WIDTH, 0, 0);
  const metadata = ((m[i + 2] ?? 0) & ~BOUNDS) | ((fit ^ NULL_MASK_LO) & BOUNDS);
  setMetadata128(m, i, metadata, m[i + 3] ?? 0, dst, j);
  return (fit >>> 31) | within;
}

/** See `FastCodec.setBounds`. */
export function setBounds(
  m: Halves,
  i: number,
  lengthLo: number,
  lengthHi: number,
  lengthExtra: number,
  dst: Halves,
  j: number,
): number {
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const metadata = m[i + 2] ?? 0;
  const upper = m[i + 3] ?? 0;
  const w = metadata ^ NULL_MASK_LO;
  const internal = (w << 5) >> 31;
  const low = internal & 7;
  const e = (((w >>> 11) & 0x38) | (w & 7)) & internal;
  if (e >= WIDE || lengthExtra !== 0) return setBoundsOfWide(m, i, lengthLo, lengthHi, lengthExtra, dst, j);

  // Whether the request lies inside the parent: `withinRoom64`.
  const b = w & (MANTISSA ^ low);
  const length = ((((w >>> 14) & ~low) - b) & 0xfff) | (internal & 0x1000);
  const lead = (b & 0x7ff) + 0x800;
  const far = (31 - e) >> 31;
  const near = lo ^ ((lo ^ hi) & far);
  const units = (near >>> e) | (((hi & ~far) << 1) << (31 - e));
  const start = lead - ((units - b + lead) & MANTISSA);
  const room = start + length;
  const scaled = room << e;
  const fraction = ~(-1 << e);
  const scaledLo = scaled & ~far;
  const fractionLo = lo & (fraction | far);
  const roomLo = (scaledLo - fractionLo) | 0;
  const scaledHi = (scaled & far) | (((room >>> 1) >>> (31 - e)) & ~far);
  const roomHi = (((scaledHi - (hi & fraction & far)) | 0) - +(scaledLo >>> 0 < fractionLo >>> 0)) | 0;
  const rest = (((roomHi - lengthHi) | 0) - +(roomLo >>> 0 < lengthLo >>> 0)) | 0;
  const borrowed = (~roomHi & lengthHi) | ((~roomHi | lengthHi) & rest);
  let within = (start - 1) & ~room & ~roomHi & ~borrowed;
  if (units >>> 14 === 0 && units + start < 0 && (e >= 32 || hi >>> e === 0)) within = 0;

  // The fields of the new bounds: `fit64`.
  const topLo = (lo + lengthLo) | 0;
  const zeros = Math.clz32(lengthHi);
  const newE = 51 - zeros - (Math.clz32(lengthLo) & -(zeros >>> 5));
  let fit: number;
  if (newE < 0) {
    fit = EXACT_BIT | ((topLo & 0xfff) << 14) | (lo & MANTISSA);
  } else {
    const topHi = (((hi + lengthHi) | 0) + +(topLo >>> 0 < lo >>> 0)) | 0;
    const topExtra = ((hi & lengthHi) | ((hi | lengthHi) & ~topHi)) >>> 31;
    const shift = newE + 3;
    const back = 28 - newE;
    const beyond = back >> 31;
    const baseNear = lo ^ ((lo ^ hi) & beyond);
    const topNear = topLo ^ ((topLo ^ topHi) & beyond);
    const base = (baseNear >>> shift) | (((hi & ~beyond) << 1) << back);
    const top = (topNear >>> shift) | ((((topHi & ~beyond) | (topExtra & beyond)) << 1) << back);
    const lostTop = ((topNear << 1) << back) | (topLo & beyond);
    const unit = (lostTop | -lostTop) >>> 31;
    const longer = ((top + unit - base) >>> 10) & 1;
    const round = unit | (top & longer);
    const stored = newE + longer;
    const lost = ((baseNear << 1) << back) | (lo & beyond) | (base & longer) | round;
    fit =
      (~(lost | -lost) & EXACT_BIT) |
      INTERNAL |
      ((((top >>> longer) + round) & 0x1ff) << 17) |
      ((stored >>> 3) << 14) |
      (((base >>> longer) & 0x7ff) << 3) |
      (stored & 7);
  }
  dst[j] = lo;
  dst[j + 1] = hi;
  dst[j + 2] = (metadata & ~BOUNDS) | ((fit ^ NULL_MASK_LO) & BOUNDS);
  dst[j + 3] = upper;
  return within < 0 ? (fit >>> 31) | KEEPS_TAG : fit >>> 31;
}

/** See `FastCodec.encodeBounds`. */
export function encodeBounds(
  m: Halves,
  i: number,
  baseLo: number,
  baseHi: number,
  topLo: number,
  topHi: number,
  topExtra: number,
  dst: Halves,
  j: number,
): number {
  const fit = fitTop64(baseLo, baseHi, topLo, topHi, topExtra, WIDTH, 0, 0);
  const metadata = ((m[i + 2] ?? 0) & ~BOUNDS) | ((fit ^ NULL_MASK_LO) & BOUNDS);
  setMetadata128(m, i, metadata, m[i + 3] ?? 0, dst, j);
  return fit >>> 31;
}

/** See `FastCodec.relocate`. */
export function relocate(
  m: Halves,
  i: number,
  deltaLo: number,
  deltaHi: number,
  negative: boolean,
  dst: Halves,
  j: number,
): number {
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const internal = (w << 5) >> 31;
  const low = internal & 7;
  const e = (((w >>> 11) & 0x38) | (w & 7)) & internal;
  const step = e + (low & 3);
  const unaligned = step < 32 ? deltaLo & ~(-1 << step) : deltaLo | (deltaHi & ~(-1 << step));
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move.
  if (e >= WIDE || unaligned !== 0) {
    return relocateByDefinition64(decodeBounds, encodeBounds, m, i, deltaLo, deltaHi, negative, dst, j);
  }
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const upper = m[i + 3] ?? 0;
  const b = w & (MANTISSA ^ low);
  const length = ((((w >>> 14) & ~low) - b) & 0xfff) | (internal & 0x1000);
  const lead = (b & 0x7ff) + 0x800;
  const newLo = (lo + deltaLo) | 0;
  const newHi = (((hi + deltaHi) | 0) + +(newLo >>> 0 < lo >>> 0)) | 0;

  // Where B stays the word does too. Bounds no longer than a window, with a window to spare at either end of the address
  // space before and after, do not leave it if the address does not.
  const rise = e + WIDTH;
  if (rise < 32 && (deltaLo & ~(-1 << rise)) === 0) {
    const roomy =
      (hi | (lo >>> rise)) !== 0 &&
      (~hi | (~lo >>> rise)) !== 0 &&
      (newHi | (newLo >>> rise)) !== 0 &&
      (~newHi | (~newLo >>> rise)) !== 0;
    if (roomy && ((hi & deltaHi) | ((hi | deltaHi) & ~newHi)) < 0 === negative) {
      dst[j] = newLo;
      dst[j + 1] = newHi;
      dst[j + 2] = m[i + 2] ?? 0;
      dst[j + 3] = upper;
      return MOVED_REPRESENTABLY | UNCHANGED;
    }
  }

  // The old base, the moved base, the moved top: `move64`.
  let above: number;
  let newB: number;
  let baseHi: number;
  let movedHi: number;
  let topLo: number;
  let topHi: number;
  if (e < 32) {
    above = (((lo >>> e) | ((hi << 1) << (31 - e))) - b) & MANTISSA;
    newB = (b + ((deltaLo >>> e) | ((deltaHi << 1) << (31 - e)))) & MANTISSA;
    const start = lead - ((above + lead) & MANTISSA);
    const aligned = (lo >>> e) << e;
    const baseLo = (aligned + (start << e)) | 0;
    baseHi = (((hi + ((start >> (31 - e)) >> 1)) | 0) + +(baseLo >>> 0 < aligned >>> 0)) | 0;
    const movedLo = (baseLo + deltaLo) | 0;
    movedHi = (((baseHi + deltaHi) | 0) + +(movedLo >>> 0 < baseLo >>> 0)) | 0;
    topLo = (movedLo + (length << e)) | 0;
    topHi = (((movedHi + ((length >>> 1) >>> (31 - e))) | 0) + +(topLo >>> 0 < movedLo >>> 0)) | 0;
  } else {
    const units = (hi >>> e) | 0;
    above = (units - b) & MANTISSA;
    newB = (b + (deltaHi >>> e)) & MANTISSA;
    baseHi = (units + lead - ((above + lead) & MANTISSA)) << e;
    movedHi = (baseHi + deltaHi) | 0;
    topLo = 0;
    topHi = (movedHi + (length << e)) | 0;
  }
  dst[j] = newLo;
  dst[j + 1] = newHi;
  dst[j + 3] = upper;
  const wrapped = ((baseHi & deltaHi) | ((baseHi | deltaHi) & ~movedHi)) < 0;
  if (wrapped !== negative || ((movedHi & ~topHi) < 0 && (topLo | topHi) !== 0)) {
    dst[j + 2] = w ^ NULL_MASK_LO;
    return UNCHANGED;
  }
  const kept = w & (~BOUNDS | INTERNAL | (low << 14) | low);
  const newW = kept | (((newB + length) & 0xfff) << 14) | newB;
  dst[j + 2] = newW ^ NULL_MASK_LO;
  const answer = ((above + lead) ^ (above + (newB & 0x7ff) + 0x800)) >>> WIDTH === 0 ? MOVED_REPRESENTABLY : MOVED;
  return newW === w ? answer | UNCHANGED : answer;
}
