/**
 * `cheri128-v9`: 128-bit capabilities of CHERI ISAv9, over 32-bit halves.
 *
 * Rules CAP-1 to CAP-5. Source: Watson et al., CHERI ISAv9, UCAM-CL-TR-987; sail-cheri-riscv (encCapabilityToCapability,
 * getCapBoundsBits, setCapBounds, fastRepCheck). Metadata, high bit:low bit, after the null mask: software permissions
 * 63:60, permissions 59:48, reserved 47:46, flags 45, otype 44:27, internal exponent 26, T 25:14, B 13:0; with an internal
 * exponent T 25:17, E high 16:14, B 13:3, E low 2:0.
 */

import { borrow, fastCheck64, inBounds64, sameWindow64, window64 } from "./concentrate64.js";
import { decodeBounds, encodeBounds, relocate, setBounds } from "./cheri128-v9-hot.js";
import { alignmentMask64, representableLength64 } from "./fit64.js";
import { setAddress128, setMetadata128, write128, writeFields } from "./granule.js";
import { DECODED_SIZE, ENCODABLE, EXACT, type FastCodec, type Halves } from "./types.js";

const WIDTH = 14;
const MANTISSA = 0x3fff;
/** From this exponent on the bounds do not depend on the address. */
const WIDE = 50;
const NULL_MASK_LO = 0xfc018004 | 0;
const NULL_MASK_HI = 0x1fff;
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

function decode(m: Halves, i: number, out: Halves): void {
  decodeBounds(m, i, out);
  const w = (m[i + 2] ?? 0) ^ NULL_MASK_LO;
  const u = (m[i + 3] ?? 0) ^ NULL_MASK_HI;
  const permissions = ((u >>> 16) & 0xfff) | ((u >>> 28) << 15);
  const otype = (w >>> 27) | ((u & 0x1fff) << 5);
  const flags = (u >>> 13) & 1;
  writeFields(out, m[i] ?? 0, m[i + 1] ?? 0, permissions, otype, flags, exponent(w), internal(w) & 1, 0, u & 0xc000);
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
