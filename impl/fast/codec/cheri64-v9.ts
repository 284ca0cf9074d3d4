/**
 * `cheri64-v9`: 64-bit capabilities of CHERI ISAv9 for 32-bit addresses.
 *
 * Rules CAP-1 to CAP-5. Source: Watson et al., CHERI ISAv9, UCAM-CL-TR-987; sail-cheri-riscv (encCapabilityToCapability,
 * getCapBoundsBits, setCapBounds, fastRepCheck). Metadata, high bit:low bit, after the null mask: permissions 31:20, flags
 * 19, otype 18:15, internal exponent 14, T 13:8, B 7:0; with an internal exponent T 13:11, E high 10:8, B 7:3, E low 2:0.
 */

import {
  alignmentMask32,
  fastCheck32,
  fit32,
  FIT_B,
  FIT_E_SHIFT,
  FIT_INTERNAL,
  FIT_T_SHIFT,
  fitTop32,
  inBounds32,
  move32,
  placeBounds32,
  placeWide32,
  relocateByDefinition32,
  representableLength32,
  sameWindow32,
  withinBounds32,
} from "./concentrate32.js";
import { setAddress64, write64, writeFields } from "./granule.js";
import { DECODED_SIZE, ENCODABLE, EXACT, type FastCodec, type Halves, SAME_METADATA } from "./types.js";

const WIDTH = 8;
const MANTISSA = 0xff;
const MAX_EXPONENT = 26;
/** From this exponent on the bounds do not depend on the address. */
const WIDE = 24;
/** Bits of B and of T that make way for an internal exponent, and of the lengths that need none. */
const LOW = 3;
const PLAIN_BITS = 6;
const NULL_MASK = 0x7c302;
/** The flag of an internal exponent. */
const INTERNAL = 1 << 14;
/** The fields of the bounds. */
const BOUNDS = 0x7fff;

const scratch = new Int32Array(DECODED_SIZE);

// Fields of the metadata after the null mask.

/** All ones with an internal exponent, else 0. */
function internal(w: number): number {
  return (w << 17) >> 31;
}

function exponent(w: number): number {
  return (((w >>> 5) & 0x38) | (w & 7)) & internal(w);
}

function bottom(w: number): number {
  return w & (MANTISSA ^ (internal(w) & 7));
}

/** The mantissa of the length: its upper two bits are 01 with an internal exponent, else 00. */
function lengthOf(w: number): number {
  const i = internal(w);
  return ((((w >>> 8) & ~(i & 7)) - (w & ~(i & 7))) & 0x3f) | (i & 0x40);
}

/** Distance of the base from the start of its window: see `concentrate64`. */
function leadOf(b: number): number {
  return (b & 0x1f) + 0x20;
}

/** The fields of the bounds that `fit32` found, after the null mask. */
function assemble(fit: number): number {
  const t = ((fit >>> FIT_T_SHIFT) & 0x3f) << 8;
  const b = fit & FIT_B;
  if ((fit & FIT_INTERNAL) === 0) return t | b;
  const e = (fit >>> FIT_E_SHIFT) & 0x1f;
  return INTERNAL | t | ((e >>> 3) << 8) | b | (e & 7);
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const w = (m[i + 1] ?? 0) ^ NULL_MASK;
  const e = exponent(w);
  const b = bottom(w);
  const length = lengthOf(w);
  if (e >= WIDE) {
    placeWide32(out, e > MAX_EXPONENT ? MAX_EXPONENT : e, b, (b + length) & MANTISSA, WIDTH);
  } else {
    placeBounds32(out, m[i] ?? 0, e, b, leadOf(b), length, MANTISSA);
  }
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = (m[i + 1] ?? 0) ^ NULL_MASK;
  const otype = (w >>> 15) & 0xf;
  writeFields(out, m[i] ?? 0, 0, w >>> 20, otype, (w >>> 19) & 1, exponent(w), internal(w) & 1, 0, 0);
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
  write64(dst, j, address, ((m[i + 1] ?? 0) & ~BOUNDS) | (assemble(fit) ^ (NULL_MASK & BOUNDS)));
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
  write64(dst, j, m[i] ?? 0, ((m[i + 1] ?? 0) & ~BOUNDS) | (assemble(fit) ^ (NULL_MASK & BOUNDS)));
  return fit >>> 31;
}

function fastRepresentable(m: Halves, i: number, newAddress: number): boolean {
  const w = (m[i + 1] ?? 0) ^ NULL_MASK;
  const e = exponent(w);
  if (e >= WIDE) return true;
  const address = m[i] ?? 0;
  // The window starts at the upper three bits of B, less one.
  const k = ((w & 0xe0) - 0x21 - (address >>> e)) & MANTISSA;
  if (fastCheck32((newAddress - address) | 0, e, k, WIDTH)) return true;
  decodeBounds(m, i, scratch);
  return inBounds32(scratch, newAddress);
}

function preciseRepresentable(m: Halves, i: number, newAddress: number): boolean {
  const w = (m[i + 1] ?? 0) ^ NULL_MASK;
  const e = exponent(w);
  // The window holds the bounds, so an address within them is within it.
  return e >= WIDE || sameWindow32(m[i] ?? 0, newAddress, e, (w & 0xe0) - 0x20, WIDTH);
}

function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  write64(dst, j, m[i] ?? 0, (m[i + 1] ?? 0) & ((mask << 20) | 0xfffff));
  return ENCODABLE | EXACT;
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  write64(dst, j, m[i] ?? 0, ((m[i + 1] ?? 0) & ~0x78000) | (((otype & 0xf) << 15) ^ (NULL_MASK & 0x78000)));
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  write64(dst, j, m[i] ?? 0, ((m[i + 1] ?? 0) & ~0x80000) | ((flags & 1) << 19));
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
  const w = (m[i + 1] ?? 0) ^ NULL_MASK;
  const e = exponent(w);
  const encoded = internal(w) & 7;
  const delta = (deltaLo >>> 0) - (negative ? 0x100000000 : 0);
  // A distance that keeps the step of the bounds keeps exponent and length: only B and T move.
  if (e >= WIDE || (deltaLo & ~(-1 << (e + (encoded & LOW)))) !== 0) {
    return relocateByDefinition32(decodeBounds, encodeBounds, m, i, delta, dst, j);
  }
  const address = m[i] ?? 0;
  const b = bottom(w);
  const length = lengthOf(w);
  const newB = (b + (deltaLo >>> e)) & MANTISSA;
  const answer = move32(address, delta, e, b, leadOf(b), leadOf(newB), length, WIDTH);
  const kept = w & (~BOUNDS | INTERNAL | (encoded << 8) | encoded);
  const newW = answer === 0 ? w : kept | (((newB + length) & 0x3f) << 8) | newB;
  write64(dst, j, (address + deltaLo) | 0, newW ^ NULL_MASK);
  return newW === w ? answer | SAME_METADATA : answer;
}

export const codec: FastCodec = {
  format: "cheri64-v9",
  addressBits: 32,
  granuleHalves: 2,
  alwaysOnePermissions: 0,
  unsealed: 0xf,
  sentry: 0xe,
  firstReservedOtype: 0xc,
  lastReservedOtype: 0xf,
  writeRoot: (dst, j) => {
    write64(dst, j, 0, 0xfff00000 | 0);
  },
  decode,
  decodeBounds,
  setBounds,
  encodeBounds,
  fastRepresentable,
  preciseRepresentable,
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
