/**
 * Bounds compression for 64-bit addresses, over 32-bit halves: what `cheri128-v9`, `morello` and `rvy128` share.
 *
 * Rule CAP-1. Source: Woodruff et al., CHERI Concentrate, IEEE Transactions on Computers 2019, §3-4; CHERI ISAv9,
 * UCAM-CL-TR-987, on compressed capabilities; RISC-V CHERI specification, on the encoding of bounds.
 *
 * The documents put bounds together from the upper address bits, a correction of -1, 0 or 1, and a mantissa. Here, with
 * everything in units of 2^e:
 *
 * - A window of 2^width units (the mantissa's width) begins `lead` units below the base, and the address lies in it.
 *   `lead` is 2^(width-3) plus the low width-3 bits of B in ISAv9 and Morello, and 2^(width-2) in RVY.
 * - So the address lies (address - B + lead) mod 2^width units above the start of the window, and the base lies `lead`
 *   less that from the address: one small signed number, and no correction.
 * - The top is the base plus the length of the mantissa (T - B, with the implied upper bits), so that the two upper bits
 *   of T need no inferring. Such a length is under 2^63 below the two largest exponents, and there bit 64 of the top is
 *   set exactly where bit 63 of the base is set and bit 63 of the top is not.
 * - From exponent 64 - width on (`wide`) the window is the address space or more, and the address has no say.
 *
 * Below, a shift by 32 - e is written as one by 1 and one by 31 - e, which is right for e = 0 too, and a shift of an upper
 * half by e - 32 as one by e, counts being taken modulo 32.
 */

import { BASE_HI, BASE_LO, BOUNDS_VALID, type Halves, TOP_EXTRA, TOP_HI, TOP_LO, WITHIN } from "./types.js";

// The value of an imported or exported constant is looked up at each use; that of a constant of the module is compiled in.
const AT_BASE_LO = BASE_LO;
const AT_BASE_HI = BASE_HI;
const AT_TOP_LO = TOP_LO;
const AT_TOP_HI = TOP_HI;
const AT_TOP_EXTRA = TOP_EXTRA;
const AT_BOUNDS_VALID = BOUNDS_VALID;
const KEEPS_TAG = WITHIN;

/** Carry out of x + y = sum. */
export function carry(x: number, sum: number): number {
  return +(sum >>> 0 < x >>> 0);
}

/** Borrow out of x - y. */
export function borrow(x: number, y: number): number {
  return +(x >>> 0 < y >>> 0);
}

/** Carry out of x + y + carry in = sum. Borrow out of x - y - borrow in = d: `carryOut(~x, y, ~d)`. */
export function carryOut(x: number, y: number, sum: number): number {
  return ((x & y) | ((x | y) & ~sum)) >>> 31;
}

/** Unsigned comparison. Domain: upper halves int32. */
function less64(xLo: number, xHi: number, yLo: number, yHi: number): boolean {
  return xHi === yHi ? xLo >>> 0 < yLo >>> 0 : xHi >>> 0 < yHi >>> 0;
}

/** Bits n to n + 31 of a 64-bit number. Domain: n in 0..63. */
export function window64(lo: number, hi: number, n: number): number {
  return n < 32 ? (lo >>> n) | ((hi << 1) << (31 - n)) : (hi >>> n) | 0;
}

/** 0 exactly where the lowest n bits of a 64-bit number are all 0. Domain: n in 0..63. */
export function below64(lo: number, hi: number, n: number): number {
  return n < 32 ? (lo << 1) << (31 - n) : lo | ((hi << 1) << (31 - n));
}

/** Writes the bounds. Domain: e in 0..63 - width; b below 2^width; length below 2^(width-1). */
export function placeBounds64(
  out: Halves,
  lo: number,
  hi: number,
  e: number,
  b: number,
  lead: number,
  length: number,
  mask: number,
): void {
  const units = window64(lo, hi, e);
  const start = lead - ((units - b + lead) & mask);
  if (e < 32) {
    const aligned = (lo >>> e) << e;
    const baseLo = (aligned + (start << e)) | 0;
    const baseHi = (((hi + ((start >> (31 - e)) >> 1)) | 0) + carry(aligned, baseLo)) | 0;
    const topLo = (baseLo + (length << e)) | 0;
    const topHi = (((baseHi + ((length >>> 1) >>> (31 - e))) | 0) + carry(baseLo, topLo)) | 0;
    out[AT_BASE_LO] = baseLo;
    out[AT_BASE_HI] = baseHi;
    out[AT_TOP_LO] = topLo;
    out[AT_TOP_HI] = topHi;
    out[AT_TOP_EXTRA] = (baseHi & ~topHi) >>> 31;
  } else {
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

/** Writes the bounds where the address has no say. Domain: e in 64 - width..66 - width; b and t below 2^width. */
export function placeWide64(out: Halves, e: number, b: number, t: number, width: number): void {
  const baseHi = b << e;
  const topHi = t << e;
  out[AT_BASE_LO] = 0;
  out[AT_BASE_HI] = baseHi;
  out[AT_TOP_LO] = 0;
  out[AT_TOP_HI] = topHi;
  out[AT_TOP_EXTRA] = e === 64 - width ? (baseHi & ~topHi) >>> 31 : (t >>> (64 - e)) & 1;
  out[AT_BOUNDS_VALID] = 1;
}

/** Writes the bounds of words that stand for no others: [0, topExtra * 2^64). */
export function placeFixed64(out: Halves, topExtra: number, valid: number): void {
  out[AT_BASE_LO] = 0;
  out[AT_BASE_HI] = 0;
  out[AT_TOP_LO] = 0;
  out[AT_TOP_HI] = 0;
  out[AT_TOP_EXTRA] = topExtra;
  out[AT_BOUNDS_VALID] = valid;
}

/**
 * Whether two addresses lie in one window, so that bounds decode the same at both. `offset` is the distance of a window's
 * start, in units of 2^e, from some multiple of 2^rise; `rise` = e + width. Domain: e in 0..63 - width.
 */
export function sameWindow64(
  lo: number,
  hi: number,
  newLo: number,
  newHi: number,
  e: number,
  offset: number,
  rise: number,
): boolean {
  // Relative to the window's start the addresses agree from bit `rise` on.
  const offsetLo = e < 32 ? offset << e : 0;
  const offsetHi = e < 32 ? (offset >> (31 - e)) >> 1 : offset << e;
  const differHi = (hi - offsetHi - borrow(lo, offsetLo)) ^ (newHi - offsetHi - borrow(newLo, offsetLo));
  if (rise >= 32) return differHi >>> rise === 0;
  return (differHi | (((lo - offsetLo) ^ (newLo - offsetLo)) >>> rise)) === 0;
}

/**
 * The fast check of ISAv9 and Morello for an increment of the address; `k` = (window start - address - 1) mod 2^width in
 * units of 2^e. Domain: e in 0..63 - width. Stricter than the truth by the lowest and highest unit of the window.
 */
export function fastCheck64(incrementLo: number, incrementHi: number, e: number, k: number, width: number): boolean {
  const sign = incrementHi >> 31;
  const units = e < 32 ? (incrementLo >>> e) | ((incrementHi << 1) << (31 - e)) : incrementHi >> e;
  // The increment is less than a window either way: every bit of it above the mantissa is its sign.
  if (units >> width !== sign || (e < 32 && incrementHi >> e !== sign)) return false;
  // Upwards it stays below k, downwards above it.
  const distance = (units & ((1 << width) - 1)) - k;
  return sign === 0 ? distance < 0 : distance > 0;
}

/**
 * `WITHIN` where [address, address + size) lies inside the bounds. Domain: int32; e in 0..63 - width.
 *
 * That is where the base is not above the address, and the room from the address to the top is not below the size; so
 * neither base nor top need be known. Halves are chosen by the mask `far`: exponents differ from parent to parent.
 */
export function withinRoom64(
  lo: number,
  hi: number,
  e: number,
  b: number,
  lead: number,
  length: number,
  mask: number,
  sizeLo: number,
  sizeHi: number,
): number {
  const far = (31 - e) >> 31;
  const near = lo ^ ((lo ^ hi) & far);
  const units = (near >>> e) | (((hi & ~far) << 1) << (31 - e));
  const start = lead - ((units - b + lead) & mask);
  const room = start + length;
  // A base below address 0 is one near 2^64.
  if (units >>> 16 === 0 && units + start < 0 && (far !== 0 || hi >>> e === 0)) return 0;

  // The room, less the fraction of a unit that the address is in.
  const scaled = room << e;
  const fraction = ~(-1 << e);
  const scaledLo = scaled & ~far;
  const fractionLo = lo & (fraction | far);
  const roomLo = (scaledLo - fractionLo) | 0;
  const scaledHi = (scaled & far) | (((room >>> 1) >>> (31 - e)) & ~far);
  const roomHi = (((scaledHi - (hi & fraction & far)) | 0) - +(scaledLo >>> 0 < fractionLo >>> 0)) | 0;
  const rest = (((roomHi - sizeHi) | 0) - +(roomLo >>> 0 < sizeLo >>> 0)) | 0;
  const borrowed = (~roomHi & sizeHi) | ((~roomHi | sizeHi) & rest);
  return ((start - 1) & ~room & ~roomHi & ~borrowed) < 0 ? KEEPS_TAG : 0;
}

/** `WITHIN` where [base, base + length) lies inside the valid bounds in `parent`. Domain: int32. */
export function withinBounds64(
  parent: Halves,
  baseLo: number,
  baseHi: number,
  lengthLo: number,
  lengthHi: number,
  lengthExtra: number,
): number {
  if (parent[AT_BOUNDS_VALID] === 0) return 0;
  if (less64(baseLo, baseHi, parent[AT_BASE_LO] ?? 0, parent[AT_BASE_HI] ?? 0)) return 0;
  const topLo = (baseLo + lengthLo) | 0;
  const topHi = (baseHi + lengthHi + carry(baseLo, topLo)) | 0;
  const topExtra = lengthExtra + carryOut(baseHi, lengthHi, topHi);
  const parentTopExtra = parent[AT_TOP_EXTRA] ?? 0;
  const beyond =
    topExtra === parentTopExtra
      ? less64(parent[AT_TOP_LO] ?? 0, parent[AT_TOP_HI] ?? 0, topLo, topHi)
      : topExtra > parentTopExtra;
  return beyond ? 0 : KEEPS_TAG;
}

/** Whether an address lies in the bounds in `bounds`. */
export function inBounds64(bounds: Halves, lo: number, hi: number): boolean {
  return (
    !less64(lo, hi | 0, bounds[AT_BASE_LO] ?? 0, bounds[AT_BASE_HI] ?? 0) &&
    (bounds[AT_TOP_EXTRA] !== 0 || less64(lo, hi | 0, bounds[AT_TOP_LO] ?? 0, bounds[AT_TOP_HI] ?? 0))
  );
}
