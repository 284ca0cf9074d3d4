/**
 * `rvy128`: 128-bit capabilities of the RISC-V standard, over 32-bit halves.
 *
 * Rules CAP-1 to CAP-4. Source: RISC-V CHERI specification, on the capability encoding for 64 bits (SCBNDSR, SCADDR, ACPERM,
 * SCMODE). Metadata, high bit:low bit: reserved 63:57, software permissions 56:53, mode 52, permissions 51:44, level 43,
 * reserved 42:28, otype 27, no internal exponent 26, T 25:14, B 13:0; with an internal exponent T 25:17, E high 16:14, B
 * 13:3, E low 2:0, the stored value being 52 - E. Stored permissions, from the lowest: C W R X ASR LM EL SL.
 */

import {
  below64,
  carry,
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

const WIDTH = 14;
const MANTISSA = 0x3fff;
const MAX_EXPONENT = 52;
/** From this exponent on, and below 0, the bounds do not depend on the address. */
const WIDE = 50;
/** The flag of no internal exponent. */
const PLAIN = 1 << 26;
/** The fields of the bounds, all in the lower half of the metadata. */
const BOUNDS = 0x7ffffff;
/** Distance of the base from the start of its window: see `concentrate64`. */
const LEAD = 0x1000;
/** Execute permission and mode, in the upper half of the metadata. */
const EXECUTE = 1 << 15;
const MODE = 1 << 20;

const scratch = new Int32Array(DECODED_SIZE);

// Fields of the metadata's lower half.

/** All ones with an internal exponent, else 0. */
function internal(w: number): number {
  return ~((w << 5) >> 31);
}

/** Negative where the stored value is out of range. */
function exponent(w: number): number {
  return (MAX_EXPONENT - (((w >>> 11) & 0x38) | (w & 7))) & internal(w);
}

function bottom(w: number): number {
  return w & (MANTISSA ^ (internal(w) & 7));
}

/** The mantissa of the length: its upper two bits are 01 with an internal exponent, else 00. */
function lengthOf(w: number): number {
  const i = internal(w);
  return ((((w >>> 14) & ~(i & 7)) - (w & ~(i & 7))) & 0xfff) | (i & 0x1000);
}

/** Domain: exponents that are wide or negative. */
function malformed(e: number, b: number): boolean {
  return e < 0 || (e === MAX_EXPONENT && b !== 0) || (e === MAX_EXPONENT - 1 && b >= 0x2000);
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  const b = bottom(w);
  const length = lengthOf(w);
  if (e >>> 0 < WIDE) {
    placeBounds64(out, m[i] ?? 0, m[i + 1] ?? 0, e, b, LEAD, length, MANTISSA);
  } else if (malformed(e, b)) {
    placeFixed64(out, 0, 0);
  } else {
    placeWide64(out, e, b, (b + length) & MANTISSA, WIDTH);
  }
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = m[i + 2] ?? 0;
  const u = m[i + 3] ?? 0;
  const permissions =
    ((u >>> 13) & 0x1) | // W
    ((u >>> 16) & 0xe) | // LM, EL, SL
    ((u >>> 7) & 0x30) | // level, C
    ((u >>> 15) & 0x3c0) | // software
    (u & 0x10000) | // ASR
    ((u & 0x8000) << 2) | // X
    ((u & 0x4000) << 4); // R
  writeFields(
    out,
    m[i] ?? 0,
    m[i + 1] ?? 0,
    permissions,
    (w >>> 27) & 1,
    (u >>> 20) & 1,
    exponent(w),
    internal(w) & 1,
    w & (-1 << 28),
    u & 0xfe0007ff,
  );
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
  let within: number;
  if (e >>> 0 >= WIDE || lengthExtra !== 0) {
    decodeBounds(m, i, scratch);
    within = withinBounds64(scratch, lo, hi, lengthLo, lengthHi, lengthExtra);
  } else {
    const b = bottom(w);
    within = withinRoom64(lo, hi, e, b, LEAD, lengthOf(w), MANTISSA, lengthLo, lengthHi);
  }
  const fit = fit64(lo, hi, lengthLo, lengthHi, lengthExtra, WIDTH, -1, MAX_EXPONENT + 1);
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
  const fit = fitTop64(baseLo, baseHi, topLo, topHi, topExtra, WIDTH, -1, MAX_EXPONENT + 1);
  setMetadata128(m, i, ((m[i + 2] ?? 0) & ~BOUNDS) | (fit & BOUNDS), m[i + 3] ?? 0, dst, j);
  return fit >>> 31;
}

/** The only check there is. The window holds the bounds, so an address within them is within it. */
function representable(m: Halves, i: number, newLo: number, newHi: number): boolean {
  const w = m[i + 2] ?? 0;
  const e = exponent(w);
  const b = bottom(w);
  return e >>> 0 >= WIDE
    ? !malformed(e, b)
    : sameWindow64(m[i] ?? 0, m[i + 1] ?? 0, newLo, newHi, e, b - LEAD, e + WIDTH);
}

/** Every set has an encoding. This is the plain intersection, without the legalising rules of ACPERM. */
function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  const kept =
    0xfe1007ff | // reserved, mode
    ((mask & 0x1) << 13) |
    ((mask & 0xe) << 16) |
    ((mask & 0x30) << 7) |
    ((mask & 0x3c0) << 15) |
    (mask & 0x10000) |
    ((mask >>> 2) & 0x8000) |
    ((mask >>> 4) & 0x4000);
  setMetadata128(m, i, m[i + 2] ?? 0, (m[i + 3] ?? 0) & kept, dst, j);
  return ENCODABLE | EXACT;
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  setMetadata128(m, i, ((m[i + 2] ?? 0) & ~(1 << 27)) | ((otype & 1) << 27), m[i + 3] ?? 0, dst, j);
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  const u = m[i + 3] ?? 0;
  const newU = (u & EXECUTE) === 0 ? u : (u & ~MODE) | ((flags & 1) << 20);
  setMetadata128(m, i, m[i + 2] ?? 0, newU, dst, j);
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
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move.
  if (e >>> 0 >= WIDE || below64(deltaLo, deltaHi, e + (encoded & 3)) !== 0) {
    return relocateByDefinition64(decodeBounds, encodeBounds, m, i, deltaLo, deltaHi, negative, dst, j);
  }
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const b = bottom(w);
  const length = lengthOf(w);
  const newLo = (lo + deltaLo) | 0;
  const newHi = (((hi + deltaHi) | 0) + carry(lo, newLo)) | 0;
  const newB = (b + window64(deltaLo, deltaHi, e)) & MANTISSA;
  const answer = move64(lo, hi, deltaLo, deltaHi, negative, e, b, LEAD, LEAD, length, WIDTH);
  const kept = w & (~BOUNDS | PLAIN | (encoded << 14) | encoded);
  const newW = answer === 0 ? w : kept | (((newB + length) & 0xfff) << 14) | newB;
  write128(dst, j, newLo, newHi, newW, m[i + 3] ?? 0);
  return newW === w ? answer | SAME_METADATA : answer;
}

export const codec: FastCodec = {
  format: "rvy128",
  addressBits: 64,
  granuleHalves: 4,
  alwaysOnePermissions: 0xf8fc00,
  unsealed: 0,
  sentry: 1,
  firstReservedOtype: 0,
  lastReservedOtype: 1,
  writeRoot: (dst, j) => {
    write128(dst, j, 0, 0, 0, 0x1fff800);
  },
  decode,
  decodeBounds,
  setBounds,
  encodeBounds,
  fastRepresentable: representable,
  preciseRepresentable: representable,
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
