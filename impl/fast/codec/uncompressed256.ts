/**
 * `uncompressed256`: 256-bit capabilities with plain bounds, over 32-bit halves; a layout of this project.
 *
 * Rules CAP-1 to CAP-5, CAP-8. Source: Woodruff et al., The CHERI capability model, ISCA 2014, with the cursor of later
 * versions. Four little-endian words: word 0, address, base, length. Word 0, high bit:low bit: otype 63:40, reserved
 * 39:20, flags 19, permissions 18:0 in the numbering of ISAv9, of which 14:12 are reserved. A length word of all ones
 * means 2^64, so a length of 2^64 - 1 is rounded up. Every address is representable, and all zero is null.
 */

import { borrow, carry, carryOut, withinBounds64 } from "./concentrate64.js";
import { writeFields } from "./granule.js";
import {
  BASE_HI,
  BASE_LO,
  BOUNDS_EXACT,
  BOUNDS_VALID,
  DECODED_SIZE,
  ENCODABLE,
  EXACT,
  type FastCodec,
  type Halves,
  REPRESENTABLE,
  SAME_METADATA,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
} from "./types.js";

const PERMISSIONS_MASK = 0x78fff;
const RESERVED_MASK_LO = 0xfff07000 | 0;
const RESERVED_MASK_HI = 0xff;
const FLAG = 1 << 19;

// Places of the halves in a granule.
const WORD0_HI = 1;
const ADDRESS = 2;
const BASE = 4;
const LENGTH = 6;

const scratch = new Int32Array(DECODED_SIZE);

function copy(m: Halves, i: number, dst: Halves, j: number): void {
  for (let k = 0; k < 8; k++) dst[j + k] = m[i + k] ?? 0;
}

function decodeBounds(m: Halves, i: number, out: Halves): void {
  const baseLo = m[i + BASE] ?? 0;
  const baseHi = m[i + BASE + 1] ?? 0;
  const lengthLo = m[i + LENGTH] ?? 0;
  const lengthHi = m[i + LENGTH + 1] ?? 0;
  const whole = (lengthLo & lengthHi) === -1;
  const topLo = (baseLo + lengthLo) | 0;
  const topHi = (((baseHi + lengthHi) | 0) + carry(baseLo, topLo)) | 0;
  out[BASE_LO] = baseLo;
  out[BASE_HI] = baseHi;
  out[TOP_LO] = whole ? baseLo : topLo;
  out[TOP_HI] = whole ? baseHi : topHi;
  out[TOP_EXTRA] = whole ? 1 : carryOut(baseHi, lengthHi, topHi);
  out[BOUNDS_VALID] = 1;
}

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = m[i] ?? 0;
  const u = m[i + WORD0_HI] ?? 0;
  writeFields(
    out,
    m[i + ADDRESS] ?? 0,
    m[i + ADDRESS + 1] ?? 0,
    w & PERMISSIONS_MASK,
    u >>> 8,
    (w >>> 19) & 1,
    0,
    0,
    w & RESERVED_MASK_LO,
    u & RESERVED_MASK_HI,
  );
}

/** Writes base and length words; `EXACT` unless the length is 2^64 - 1: that one is rounded to the whole address space. */
function writeBounds(
  dst: Halves,
  j: number,
  baseLo: number,
  baseHi: number,
  lengthLo: number,
  lengthHi: number,
  lengthExtra: number,
): number {
  const saturates = lengthExtra === 0 && (lengthLo & lengthHi) === -1;
  dst[j + BASE] = saturates ? 0 : baseLo;
  dst[j + BASE + 1] = saturates ? 0 : baseHi;
  dst[j + LENGTH] = lengthExtra !== 0 ? -1 : lengthLo;
  dst[j + LENGTH + 1] = lengthExtra !== 0 ? -1 : lengthHi;
  if (lengthExtra !== 0) return lengthExtra === 1 && (lengthLo | lengthHi) === 0 ? EXACT : 0;
  return saturates ? 0 : EXACT;
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
  const lo = m[i + ADDRESS] ?? 0;
  const hi = m[i + ADDRESS + 1] ?? 0;
  decodeBounds(m, i, scratch);
  copy(m, i, dst, j);
  const exact = writeBounds(dst, j, lo, hi, lengthLo | 0, lengthHi | 0, lengthExtra);
  return exact | withinBounds64(scratch, lo, hi, lengthLo, lengthHi, lengthExtra);
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
  const lengthLo = (topLo - baseLo) | 0;
  const lengthHi = (((topHi - baseHi) | 0) - borrow(topLo, baseLo)) | 0;
  const lengthExtra = topExtra - carryOut(~topHi, baseHi, ~lengthHi);
  copy(m, i, dst, j);
  return writeBounds(dst, j, baseLo, baseHi, lengthLo, lengthHi, lengthExtra);
}

function setAddress(m: Halves, i: number, newLo: number, newHi: number, dst: Halves, j: number): void {
  copy(m, i, dst, j);
  dst[j + ADDRESS] = newLo;
  dst[j + ADDRESS + 1] = newHi;
}

function andPermissions(m: Halves, i: number, mask: number, dst: Halves, j: number): number {
  copy(m, i, dst, j);
  dst[j] = (m[i] ?? 0) & (mask | ~PERMISSIONS_MASK);
  return ENCODABLE | EXACT;
}

function setOtype(m: Halves, i: number, otype: number, dst: Halves, j: number): void {
  copy(m, i, dst, j);
  dst[j + WORD0_HI] = ((m[i + WORD0_HI] ?? 0) & 0xff) | (otype << 8);
}

function setFlags(m: Halves, i: number, flags: number, dst: Halves, j: number): void {
  copy(m, i, dst, j);
  dst[j] = ((m[i] ?? 0) & ~FLAG) | ((flags & 1) << 19);
}

/** Base and address move; the length stays. */
function relocate(
  m: Halves,
  i: number,
  deltaLo: number,
  deltaHi: number,
  negative: boolean,
  dst: Halves,
  j: number,
): number {
  const lo = m[i + ADDRESS] ?? 0;
  const baseLo = m[i + BASE] ?? 0;
  const baseHi = m[i + BASE + 1] ?? 0;
  const newLo = (lo + deltaLo) | 0;
  const newHi = ((((m[i + ADDRESS + 1] ?? 0) + deltaHi) | 0) + carry(lo, newLo)) | 0;
  const movedLo = (baseLo + deltaLo) | 0;
  const movedHi = (((baseHi + deltaHi) | 0) + carry(baseLo, movedLo)) | 0;
  const wrapped = carryOut(baseHi, deltaHi, movedHi) !== 0;
  copy(m, i, dst, j);
  dst[j + ADDRESS] = newLo;
  dst[j + ADDRESS + 1] = newHi;
  dst[j + BASE] = movedLo;
  dst[j + BASE + 1] = movedHi;
  decodeBounds(dst, j, scratch);
  const pastEnd = scratch[TOP_EXTRA] !== 0 && (scratch[TOP_LO] !== 0 || scratch[TOP_HI] !== 0);
  if (wrapped !== negative || pastEnd) {
    dst[j + BASE] = baseLo;
    dst[j + BASE + 1] = baseHi;
    return SAME_METADATA;
  }
  const same = movedLo === baseLo && movedHi === baseHi;
  return REPRESENTABLE | BOUNDS_EXACT | (same ? SAME_METADATA : 0);
}

export const codec: FastCodec = {
  format: "uncompressed256",
  addressBits: 64,
  granuleHalves: 8,
  alwaysOnePermissions: 0,
  unsealed: 0,
  sentry: 1,
  firstReservedOtype: 0,
  lastReservedOtype: 3,
  writeRoot: (dst, j) => {
    for (let k = 0; k < LENGTH; k++) dst[j + k] = 0;
    dst[j] = PERMISSIONS_MASK;
    dst[j + LENGTH] = -1;
    dst[j + LENGTH + 1] = -1;
  },
  decode,
  decodeBounds,
  setBounds,
  encodeBounds,
  fastRepresentable: () => true,
  preciseRepresentable: () => true,
  setAddress,
  andPermissions,
  setOtype,
  setFlags,
  relocate,
  representableLength: (lengthLo, lengthHi, out) => {
    const saturates = (lengthLo & lengthHi) === -1;
    out[0] = saturates ? 0 : lengthLo;
    out[1] = saturates ? 0 : lengthHi;
  },
  alignmentMask: (lengthLo, lengthHi, out) => {
    const whole = (lengthLo & lengthHi) === -1;
    out[0] = whole ? 0 : -1;
    out[1] = whole ? 0 : -1;
  },
};
