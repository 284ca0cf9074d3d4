/**
 * `morello`: 129-bit capabilities of the Arm Morello architecture, over 32-bit halves.
 *
 * Rules CAP-1 to CAP-5. Source: Arm DDI0606, Morello architecture; sail-morello (CapGetBounds, CapSetBounds,
 * CapIsRepresentableFast, CapBoundsAddress). Metadata, high bit:low bit: permissions 63:46, otype 45:31, no internal
 * exponent 30, T 29:16, B 15:0; with an internal exponent T 29:19, E high 18:16, B 15:3, E low 2:0, E stored inverted.
 *
 * The upper 8 bits of an address are flags. Below exponent 48 bounds come from its lower 56 bits, sign-extended
 * (`boundsHi`), and the address must stay on its side of bit 55. Exponent 63 is the whole address space; 51 to 62 are
 * malformed.
 */

import {
  below64,
  borrow,
  carry,
  fastCheck64,
  inBounds64,
  placeFixed64,
  placeBounds64,
  placeWide64,
  sameWindow64,
  window64,
  withinBounds64,
  withinRoom64,
} from "./concentrate64.js";
import { alignmentMask64, fit64, fitTop64, move64, relocateByDefinition64, representableLength64 } from "./fit64.js";
import { setAddress128, setMetadata128, write128, writeFields } from "./granule.js";
import { DECODED_SIZE, ENCODABLE, EXACT, type FastCodec, type Halves, SAME_METADATA } from "./types.js";

const WIDTH = 16;
const MANTISSA = 0xffff;
const MAX_EXPONENT = 50;
/** From this exponent on the bounds do not depend on the address. */
const WIDE = 48;
/** This exponent is the whole address space, whatever B and T say. */
const WHOLE = 63;
/** The flag of no internal exponent. */
const PLAIN = 1 << 30;
/** The fields of the bounds, all in the lower half of the metadata. */
const BOUNDS = 0x7fffffff;
/** Bit 55 of an address, in its upper half. */
const SIGN_HI = 1 << 23;

const scratch = new Int32Array(DECODED_SIZE);

/** The upper half of an address as bounds see it: without flags, sign-extended from bit 55. */
function boundsHi(hi: number): number {
  return (hi << 8) >> 8;
}

// Fields of the metadata's lower half.

/** All ones with an internal exponent, else 0. */
function internal(w: number): number {
  return ~((w << 1) >> 31);
}

function exponent(w: number): number {
  return ~(((w >>> 13) & 0x38) | (w & 7)) & 63 & internal(w);
}

function bottom(w: number): number {
  return w & (MANTISSA ^ (internal(w) & 7));
}

/** The mantissa of the length: its upper two bits are 01 with an internal exponent, else 00. */
function lengthOf(w: number): number {
  const i = internal(w);
  return ((((w >>> 16) & ~(i & 7)) - (w & ~(i & 7))) & 0x3fff) | (i & 0x4000);
}

/** Distance of the base from the start of its window: see `concentrate64`. */
function leadOf(b: number): number {
  return (b & 0x1fff) + 0x2000;
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  const b = bottom(w);
  const length = lengthOf(w);
  if (e > MAX_EXPONENT) {
    placeFixed64(out, 1, e === WHOLE ? 1 : 0);
  } else if (e >= WIDE) {
    placeWide64(out, e, b, (b + length) & MANTISSA, WIDTH);
  } else {
    placeBounds64(out, m[i] ?? 0, boundsHi(m[i + 1] ?? 0), e, b, leadOf(b), length, MANTISSA);
  }
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const hi = m[i + 1] ?? 0;
  const w = m[i + 2] ?? 0;
  const u = m[i + 3] ?? 0;
  const otype = (w >>> 31) | ((u & 0x3fff) << 1);
  writeFields(out, m[i] ?? 0, hi, u >>> 14, otype, hi >>> 24, exponent(w), internal(w) & 1, 0, 0);
}

function setBounds(
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
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  const fromWide = e >= WIDE;
  // The request starts where the parent's bounds see the address: with its flags only if they are wide.
  const baseHi = fromWide ? hi : boundsHi(hi);
  const fit = fit64(lo, baseHi, lengthLo, lengthHi, lengthExtra, WIDTH, -1, 0);
  let within: number;
  if (fromWide || lengthExtra !== 0) {
    decodeBounds(m, i, scratch);
    within = withinBounds64(scratch, lo, baseHi, lengthLo, lengthHi, lengthExtra);
    // From wide to narrow bounds, flags in the address would change what was asked for.
    if (fromWide && exponent(fit) < WIDE && boundsHi(hi) !== hi) within = 0;
  } else {
    const b = bottom(w);
    within = withinRoom64(lo, baseHi, e, b, leadOf(b), lengthOf(w), MANTISSA, lengthLo, lengthHi);
  }
  write128(dst, j, lo, hi, (w & ~BOUNDS) | (fit & BOUNDS), m[i + 3] ?? 0);
  return (fit >>> 31) | within;
}

function encodeBounds(
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
  const fit = fitTop64(baseLo, baseHi, topLo, topHi, topExtra, WIDTH, -1, 0);
  setMetadata128(m, i, ((m[i + 2] ?? 0) & ~BOUNDS) | (fit & BOUNDS), m[i + 3] ?? 0, dst, j);
  return fit >>> 31;
}

function fastRepresentable(m: Halves, i: number, newLo: number, newHi: number): boolean {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  if (e >= WIDE) return e <= MAX_EXPONENT || e === WHOLE;
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  if (((hi ^ newHi) & SIGN_HI) !== 0) return false;
  const incrementLo = (newLo - lo) | 0;
  const incrementHi = boundsHi(((newHi - hi) | 0) - borrow(newLo, lo));
  // The window starts at the upper three bits of B, less one.
  const k = ((w & 0xe000) - 0x2001 - window64(lo, boundsHi(hi), e)) & MANTISSA;
  if (fastCheck64(incrementLo, incrementHi, e, k, WIDTH)) return true;
  decodeBounds(m, i, scratch);
  return inBounds64(scratch, newLo, boundsHi(newHi));
}

function preciseRepresentable(m: Halves, i: number, newLo: number, newHi: number): boolean {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  if (e >= WIDE) return e <= MAX_EXPONENT || e === WHOLE;
  const hi = m[i + 1] ?? 0;
  if (((hi ^ newHi) & SIGN_HI) !== 0) return false;
  // The window holds the bounds, so an address within them is within it.
  const offset = (w & 0xe000) - 0x2000;
  return sameWindow64(m[i] ?? 0, boundsHi(hi), newLo, boundsHi(newHi), e, offset, e + WIDTH);
}

function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  setMetadata128(m, i, m[i + 2] ?? 0, (m[i + 3] ?? 0) & ((mask << 14) | 0x3fff), dst, j);
  return ENCODABLE | EXACT;
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  const w = ((m[i + 2] ?? 0) & BOUNDS) | (otype << 31);
  setMetadata128(m, i, w, ((m[i + 3] ?? 0) & ~0x3fff) | ((otype >>> 1) & 0x3fff), dst, j);
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  setAddress128(m, i, m[i] ?? 0, ((m[i + 1] ?? 0) & 0xffffff) | (flags << 24), dst, j);
}

function relocate(
  m: Halves,
  i: number,
  deltaLo: number,
  deltaHi: number,
  negative: boolean,
  dst: Halves,
  j: number,
): number {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  const encoded = internal(w) & 7;
  const lo = m[i] ?? 0;
  const rawHi = m[i + 1] ?? 0;
  const hi = boundsHi(rawHi);
  const newLo = (lo + deltaLo) | 0;
  const newHi = (((hi + deltaHi) | 0) + carry(lo, newLo)) | 0;
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move. But bounds have to see the
  // address move as far as it does, without crossing bit 55.
  if (e >= WIDE || below64(deltaLo, deltaHi, e + (encoded & 3)) !== 0 || boundsHi(newHi) !== newHi) {
    return relocateByDefinition64(decodeBounds, encodeBounds, m, i, deltaLo, deltaHi, negative, dst, j);
  }
  const b = bottom(w);
  const length = lengthOf(w);
  const newB = (b + window64(deltaLo, deltaHi, e)) & MANTISSA;
  const answer = move64(lo, hi, deltaLo, deltaHi, negative, e, b, leadOf(b), leadOf(newB), length, WIDTH);
  const kept = w & ((1 << 31) | PLAIN | (encoded << 16) | encoded);
  const newW = answer === 0 ? w : kept | (((newB + length) & 0x3fff) << 16) | newB;
  write128(dst, j, newLo, (newHi - hi + rawHi) | 0, newW, m[i + 3] ?? 0);
  return newW === w ? answer | SAME_METADATA : answer;
}

export const codec: FastCodec = {
  format: "morello",
  addressBits: 64,
  granuleHalves: 4,
  alwaysOnePermissions: 0,
  unsealed: 0,
  sentry: 1,
  firstReservedOtype: 0,
  lastReservedOtype: 3,
  writeRoot: (dst, j) => {
    write128(dst, j, 0, 0, 0x10005, 0xffffc000 | 0);
  },
  decode,
  decodeBounds,
  setBounds,
  encodeBounds,
  fastRepresentable,
  preciseRepresentable,
  setAddress: setAddress128,
  andPermissions,
  setOtype,
  setFlags,
  relocate,
  representableLength: (lengthLo, lengthHi, out) => {
    representableLength64(lengthLo, lengthHi, WIDTH, out);
  },
  alignmentMask: (lengthLo, lengthHi, out) => {
    alignmentMask64(lengthLo, lengthHi, WIDTH, out);
  },
};
