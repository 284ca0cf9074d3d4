/**
 * `cheri128-v9`: 128-bit capabilities of CHERI ISAv9, over 32-bit halves.
 *
 * Rules CAP-1 to CAP-5. Source: Watson et al., CHERI ISAv9, UCAM-CL-TR-987; sail-cheri-riscv (encCapabilityToCapability,
 * getCapBoundsBits, setCapBounds, fastRepCheck). Metadata, high bit:low bit, after the null mask: software permissions
 * 63:60, permissions 59:48, reserved 47:46, flags 45, otype 44:27, internal exponent 26, T 25:14, B 13:0; with an internal
 * exponent T 25:17, E high 16:14, B 13:3, E low 2:0.
 */

import {
  below64,
  borrow,
  carry,
  fastCheck64,
  inBounds64,
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
/** From this exponent on the bounds do not depend on the address. */
const WIDE = 50;
const NULL_MASK_LO = 0xfc018004 | 0;
const NULL_MASK_HI = 0x1fff;
/** The flag of an internal exponent. */
const INTERNAL = 1 << 26;
/** The fields of the bounds, all in the lower half of the metadata. */
const BOUNDS = 0x7ffffff;

const scratch = new Int32Array(DECODED_SIZE);

// Fields of the metadata's lower half, after the null mask.

/** All ones with an internal exponent, else 0. */
function internal(w: number): number {
  return (w << 5) >> 31;
}

function exponent(w: number): number {
  return (((w >>> 11) & 0x38) | (w & 7)) & internal(w);
}

function bottom(w: number): number {
  return w & (MANTISSA ^ (internal(w) & 7));
}

/** The mantissa of the length: its upper two bits are 01 with an internal exponent, else 00. */
function lengthOf(w: number): number {
  const i = internal(w);
  return ((((w >>> 14) & ~(i & 7)) - (w & ~(i & 7))) & 0xfff) | (i & 0x1000);
}

/** Distance of the base from the start of its window: see `concentrate64`. */
function leadOf(b: number): number {
  return (b & 0x7ff) + 0x800;
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const e = exponent(w);
  const b = bottom(w);
  const length = lengthOf(w);
  if (e >= WIDE) {
    placeWide64(out, e > MAX_EXPONENT ? MAX_EXPONENT : e, b, (b + length) & MANTISSA, WIDTH);
  } else {
    placeBounds64(out, m[i] ?? 0, m[i + 1] ?? 0, e, b, leadOf(b), length, MANTISSA);
  }
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const u = (m[i + 3] ?? 0) ^ NULL_MASK_HI;
  const permissions = ((u >>> 16) & 0xfff) | ((u >>> 28) << 15);
  const otype = (w >>> 27) | ((u & 0x1fff) << 5);
  const flags = (u >>> 13) & 1;
  writeFields(out, m[i] ?? 0, m[i + 1] ?? 0, permissions, otype, flags, exponent(w), internal(w) & 1, 0, u & 0xc000);
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
  const metadata = m[i + 2] ?? 0;
  const w = metadata ^ NULL_MASK_LO;
  const e = exponent(w);
  let within: number;
  if (e >= WIDE || lengthExtra !== 0) {
    decodeBounds(m, i, scratch);
    within = withinBounds64(scratch, lo, hi, lengthLo, lengthHi, lengthExtra);
  } else {
    const b = bottom(w);
    const lead = leadOf(b);
    const start = lead - ((window64(lo, hi, e) - b + lead) & MANTISSA);
    within = withinRoom64(lo, hi, e, start, start + lengthOf(w), lengthLo, lengthHi);
  }
  const fit = fit64(lo, hi, lengthLo, lengthHi, lengthExtra, WIDTH, 0, 0);
  write128(dst, j, lo, hi, (metadata & ~BOUNDS) | ((fit ^ NULL_MASK_LO) & BOUNDS), m[i + 3] ?? 0);
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
  const fit = fitTop64(baseLo, baseHi, topLo, topHi, topExtra, WIDTH, 0, 0);
  const metadata = ((m[i + 2] ?? 0) & ~BOUNDS) | ((fit ^ NULL_MASK_LO) & BOUNDS);
  setMetadata128(m, i, metadata, m[i + 3] ?? 0, dst, j);
  return fit >>> 31;
}

function fastRepresentable(m: Halves, i: number, newLo: number, newHi: number): boolean {
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const e = exponent(w);
  if (e >= WIDE) return true;
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const incrementLo = (newLo - lo) | 0;
  const incrementHi = (((newHi - hi) | 0) - borrow(newLo, lo)) | 0;
  // The window starts at the upper three bits of B, less one.
  const k = ((w & 0x3800) - 0x801 - window64(lo, hi, e)) & MANTISSA;
  if (fastCheck64(incrementLo, incrementHi, e, k, WIDTH)) return true;
  decodeBounds(m, i, scratch);
  return inBounds64(scratch, newLo, newHi);
}

function preciseRepresentable(m: Halves, i: number, newLo: number, newHi: number): boolean {
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const e = exponent(w);
  // The window holds the bounds, so an address within them is within it.
  return e >= WIDE || sameWindow64(m[i] ?? 0, m[i + 1] ?? 0, newLo, newHi, e, (w & 0x3800) - 0x800, e + WIDTH);
}

function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  const kept = ((mask & 0xfff) << 16) | (((mask >>> 15) & 0xf) << 28) | 0xffff;
  setMetadata128(m, i, m[i + 2] ?? 0, (m[i + 3] ?? 0) & kept, dst, j);
  return ENCODABLE | EXACT;
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  const w = ((m[i + 2] ?? 0) & BOUNDS) | ((otype << 27) ^ (NULL_MASK_LO & ~BOUNDS));
  const u = ((m[i + 3] ?? 0) & ~0x1fff) | (((otype >>> 5) & 0x1fff) ^ NULL_MASK_HI);
  setMetadata128(m, i, w, u, dst, j);
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  setMetadata128(m, i, m[i + 2] ?? 0, ((m[i + 3] ?? 0) & ~0x2000) | ((flags & 1) << 13), dst, j);
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
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const e = exponent(w);
  const encoded = internal(w) & 7;
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move.
  if (e >= WIDE || below64(deltaLo, deltaHi, e + (encoded & 3)) !== 0) {
    return relocateByDefinition64(codec, m, i, deltaLo, deltaHi, negative, dst, j);
  }
  const lo = m[i] ?? 0;
  const hi = m[i + 1] ?? 0;
  const b = bottom(w);
  const length = lengthOf(w);
  const newLo = (lo + deltaLo) | 0;
  const newHi = (((hi + deltaHi) | 0) + carry(lo, newLo)) | 0;
  const newB = (b + window64(deltaLo, deltaHi, e)) & MANTISSA;
  const answer = move64(lo, hi, deltaLo, deltaHi, negative, e, b, leadOf(b), leadOf(newB), length, WIDTH);
  const kept = w & (~BOUNDS | INTERNAL | (encoded << 14) | encoded);
  const newW = answer === 0 ? w : kept | (((newB + length) & 0xfff) << 14) | newB;
  write128(dst, j, newLo, newHi, newW ^ NULL_MASK_LO, m[i + 3] ?? 0);
  return newW === w ? answer | SAME_METADATA : answer;
}

export const codec: FastCodec = {
  format: "cheri128-v9",
  addressBits: 64,
  granuleHalves: 4,
  alwaysOnePermissions: 0,
  unsealed: 0x3ffff,
  sentry: 0x3fffe,
  firstReservedOtype: 0x3fffc,
  lastReservedOtype: 0x3ffff,
  writeRoot: (dst, j) => {
    write128(dst, j, 0, 0, 0, 0xffff0000 | 0);
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
