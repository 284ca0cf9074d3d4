/**
 * `rvy64`: 64-bit capabilities of the RISC-V standard for 32-bit addresses.
 *
 * Rules CAP-1 to CAP-4. Source: RISC-V CHERI specification, on the capability encoding for 32 bits (SCBNDSR, SCADDR, ACPERM,
 * SCMODE). Metadata, high bit:low bit: software permissions 31:30, permissions and mode 29:25, level 24, reserved 23:21,
 * otype 20, no internal exponent 19, L8 18, T 17:10, B 9:0; with an internal exponent top bit of E 18, T 17:12, E high
 * 11:10, B 9:2, E low 1:0, the stored value being 24 - E. L8 is bit 8 of the length.
 */

import {
  alignmentMask32,
  fit32,
  FIT_B,
  FIT_E_SHIFT,
  FIT_INTERNAL,
  FIT_T_SHIFT,
  fitTop32,
  move32,
  place32,
  placeBounds32,
  placeWide32,
  relocateByDefinition32,
  representableLength32,
  sameWindow32,
  withinBounds32,
} from "./concentrate32.js";
import { setAddress64, write64, writeFields } from "./granule.js";
import { encodingOf, permissionsOf, setIndex } from "./rvy64-permissions.js";
import { DECODED_SIZE, ENCODABLE, EXACT, type FastCodec, type Halves, SAME_METADATA } from "./types.js";

const WIDTH = 10;
const MANTISSA = 0x3ff;
const MAX_EXPONENT = 24;
/** From this exponent on, and below 0, the bounds do not depend on the address. */
const WIDE = 22;
/** Bits of B and of T that make way for an internal exponent, and of the lengths that need none. */
const LOW = 2;
const PLAIN_BITS = 9;
/** The flag of no internal exponent. */
const PLAIN = 1 << 19;
/** The fields of the bounds. */
const BOUNDS = 0xfffff;
/** Distance of the base from the start of its window: see `concentrate64`. */
const LEAD = 0x100;
const LEVEL = 1 << 4;
const SOFTWARE = 0xc0;

const scratch = new Int32Array(DECODED_SIZE);

/** All ones with an internal exponent, else 0. */
function internal(w: number): number {
  return ~((w << 12) >> 31);
}

/** Negative where the stored value is out of range. */
function exponent(w: number): number {
  return (MAX_EXPONENT - (((w >>> 14) & 0x10) | ((w >>> 8) & 0xc) | (w & 3))) & internal(w);
}

function bottom(w: number): number {
  return w & (MANTISSA ^ (internal(w) & 3));
}

/** The mantissa of the length: its bit 8 is set with an internal exponent, and else stored. */
function lengthOf(w: number): number {
  const i = internal(w);
  return ((((w >>> 10) & ~(i & 3)) - (w & ~(i & 3))) & 0xff) | ((((w >>> 18) | i) & 1) << 8);
}

function malformed(w: number): boolean {
  const e = exponent(w);
  const b = bottom(w);
  return internal(w) !== 0 && (e <= 0 || (e === MAX_EXPONENT && b !== 0) || (e === MAX_EXPONENT - 1 && b >= 0x200));
}

/** The fields of the bounds that `fit32` found. */
function assemble(fit: number): number {
  const t = (fit >>> FIT_T_SHIFT) & MANTISSA;
  const b = fit & FIT_B;
  if ((fit & FIT_INTERNAL) === 0) return PLAIN | (((t - b) & 0x100) << 10) | ((t & 0xff) << 10) | b;
  const stored = MAX_EXPONENT - ((fit >>> FIT_E_SHIFT) & 0x1f);
  return ((stored >>> 4) << 18) | ((t & 0xff) << 10) | (((stored >>> 2) & 3) << 10) | b | (stored & 3);
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = m[i + 1] ?? 0;
  const e = exponent(w);
  const b = bottom(w);
  const length = lengthOf(w);
  if (malformed(w)) {
    place32(out, 0, 0, 0, 0);
  } else if (e >= WIDE) {
    placeWide32(out, e, b, (b + length) & MANTISSA, WIDTH);
  } else {
    placeBounds32(out, m[i] ?? 0, e, b, LEAD, length, MANTISSA);
  }
}

/** Architectural and software permissions, as `PERMISSIONS` gives them. */
function permissionsIn(w: number): number {
  return (permissionsOf[(w >>> 25) & 0x1f] ?? 0) | ((w >>> 20) & LEVEL) | ((w >>> 24) & SOFTWARE);
}

/** 1 in quadrant 1, the only one with a mode bit. */
function hasMode(w: number): number {
  return (w >>> 28) & 3 & (1 ^ (w >>> 29)) & 1;
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = m[i + 1] ?? 0;
  const mode = (w >>> 25) & hasMode(w);
  const otype = (w >>> 20) & 1;
  writeFields(out, m[i] ?? 0, 0, permissionsIn(w), otype, mode, exponent(w), internal(w) & 1, w & 0xe00000, 0);
}

function setBounds(
  m: Halves,
  i: number,
  length: number,
  _lengthHi: number,
  lengthExtra: number,
  dst: Halves,
  j: number,
): number {
  const address = m[i] ?? 0;
  decodeBounds(m, i, scratch);
  const within = withinBounds32(scratch, address, length, lengthExtra);
  const fit = fit32(address, length, lengthExtra, WIDTH, LOW, PLAIN_BITS);
  write64(dst, j, address, ((m[i + 1] ?? 0) & ~BOUNDS) | assemble(fit));
  return (fit >>> 31) | within;
}

function encodeBounds(
  m: Halves,
  i: number,
  base: number,
  _baseHi: number,
  top: number,
  _topHi: number,
  topExtra: number,
  dst: Halves,
  j: number,
): number {
  const fit = fitTop32(base, top, topExtra, WIDTH, LOW, PLAIN_BITS);
  write64(dst, j, m[i] ?? 0, ((m[i + 1] ?? 0) & ~BOUNDS) | assemble(fit));
  return fit >>> 31;
}

/** The only check there is. The window holds the bounds, so an address within them is within it. */
function representable(m: Halves, i: number, newAddress: number): boolean {
  const w = m[i + 1] ?? 0;
  const e = exponent(w);
  return !malformed(w) && (e >= WIDE || sameWindow32(m[i] ?? 0, newAddress, e, bottom(w) - LEAD, WIDTH));
}

/**
 * The plain intersection, without the legalising rules of ACPERM. A set without an encoding loses all of the five bits;
 * one that is encoded as another is not exact. The mode stays where execute permission does.
 */
function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  const w = m[i + 1] ?? 0;
  const wanted = permissionsIn(w) & mask;
  const encoding = encodingOf[setIndex(wanted)] ?? -1;
  const five = encoding < 0 ? 0 : encoding >>> 3 === 1 ? encoding | ((w >>> 25) & 1) : encoding;
  const newW = (w & 0xffffff) | ((wanted & SOFTWARE) << 24) | (five << 25) | ((wanted & LEVEL) << 20);
  write64(dst, j, m[i] ?? 0, newW);
  return (encoding < 0 ? 0 : ENCODABLE) | (permissionsIn(newW) === wanted ? EXACT : 0);
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  write64(dst, j, m[i] ?? 0, ((m[i + 1] ?? 0) & ~(1 << 20)) | ((otype & 1) << 20));
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  const w = m[i + 1] ?? 0;
  write64(dst, j, m[i] ?? 0, hasMode(w) === 0 ? w : (w & ~(1 << 25)) | ((flags & 1) << 25));
}

function relocate(
  m: Halves,
  i: number,
  deltaLo: number,
  _deltaHi: number,
  negative: boolean,
  dst: Halves,
  j: number,
): number {
  const w = m[i + 1] ?? 0;
  const e = exponent(w);
  const encoded = internal(w) & 3;
  const delta = (deltaLo >>> 0) - (negative ? 0x100000000 : 0);
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move.
  if (malformed(w) || e >= WIDE || (deltaLo & ~(-1 << (e + (encoded & LOW)))) !== 0) {
    return relocateByDefinition32(decodeBounds, encodeBounds, m, i, delta, dst, j);
  }
  const address = m[i] ?? 0;
  const b = bottom(w);
  const length = lengthOf(w);
  const newB = (b + (deltaLo >>> e)) & MANTISSA;
  const answer = move32(address, delta, e, b, LEAD, LEAD, length, WIDTH);
  // Flag and bit 18 stay: a stored bit of the length, or of the exponent.
  const kept = w & (~BOUNDS | PLAIN | (1 << 18) | (encoded << 10) | encoded);
  const newW = answer === 0 ? w : kept | (((newB + length) & 0xff) << 10) | newB;
  write64(dst, j, (address + deltaLo) | 0, newW);
  return newW === w ? answer | SAME_METADATA : answer;
}

export const codec: FastCodec = {
  format: "rvy64",
  addressBits: 32,
  granuleHalves: 2,
  alwaysOnePermissions: 0xf8ff00,
  unsealed: 0,
  sentry: 1,
  firstReservedOtype: 0,
  lastReservedOtype: 1,
  writeRoot: (dst, j) => {
    write64(dst, j, 0, 0xd3000000 | 0);
  },
  decode,
  decodeBounds,
  setBounds,
  encodeBounds,
  fastRepresentable: representable,
  preciseRepresentable: representable,
  setAddress: setAddress64,
  andPermissions,
  setOtype,
  setFlags,
  relocate,
  representableLength: (length, _lengthHi, out) => {
    out[0] = representableLength32(length, WIDTH, LOW, PLAIN_BITS);
    out[1] = 0;
  },
  alignmentMask: (length, _lengthHi, out) => {
    out[0] = alignmentMask32(length, WIDTH, LOW, PLAIN_BITS);
    out[1] = 0;
  },
};
