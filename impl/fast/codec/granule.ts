/** Reading and writing the parts of a granule that have nothing to do with bounds. Ownership as in `types`. */

import {
  ADDRESS_HI,
  ADDRESS_LO,
  EXPONENT,
  FLAGS,
  type Halves,
  INTERNAL_EXPONENT,
  OTYPE,
  PERMISSIONS,
  RESERVED_HI,
  RESERVED_LO,
} from "./types.js";

// See `concentrate64` on constants.
const AT_ADDRESS_LO = ADDRESS_LO;
const AT_ADDRESS_HI = ADDRESS_HI;
const AT_PERMISSIONS = PERMISSIONS;
const AT_OTYPE = OTYPE;
const AT_FLAGS = FLAGS;
const AT_EXPONENT = EXPONENT;
const AT_INTERNAL_EXPONENT = INTERNAL_EXPONENT;
const AT_RESERVED_LO = RESERVED_LO;
const AT_RESERVED_HI = RESERVED_HI;

/** Fills what `decode` gives beyond the bounds. */
export function writeFields(
  out: Halves,
  addressLo: number,
  addressHi: number,
  permissions: number,
  otype: number,
  flags: number,
  exponent: number,
  internalExponent: number,
  reservedLo: number,
  reservedHi: number,
): void {
  out[AT_ADDRESS_LO] = addressLo;
  out[AT_ADDRESS_HI] = addressHi;
  out[AT_PERMISSIONS] = permissions;
  out[AT_OTYPE] = otype;
  out[AT_FLAGS] = flags;
  out[AT_EXPONENT] = exponent;
  out[AT_INTERNAL_EXPONENT] = internalExponent;
  out[AT_RESERVED_LO] = reservedLo;
  out[AT_RESERVED_HI] = reservedHi;
}

/** Writes a 4-half granule. */
export function write128(dst: Halves, j: number, lo: number, hi: number, metadataLo: number, metadataHi: number): void {
  dst[j] = lo;
  dst[j + 1] = hi;
  dst[j + 2] = metadataLo;
  dst[j + 3] = metadataHi;
}

/** Copies a 4-half granule with another address. */
export function setAddress128(m: Halves, i: number, newLo: number, newHi: number, dst: Halves, j: number): void {
  write128(dst, j, newLo, newHi, m[i + 2] ?? 0, m[i + 3] ?? 0);
}

/** Copies a 4-half granule with other metadata. */
export function setMetadata128(m: Halves, i: number, w: number, u: number, dst: Halves, j: number): void {
  write128(dst, j, m[i] ?? 0, m[i + 1] ?? 0, w, u);
}

/** Copies a 2-half granule with another address; the upper half of the address is ignored. */
export function setAddress64(m: Halves, i: number, newLo: number, _newHi: number, dst: Halves, j: number): void {
  dst[j + 1] = m[i + 1] ?? 0;
  dst[j] = newLo;
}

/** Writes a 2-half granule. */
export function write64(dst: Halves, j: number, address: number, metadata: number): void {
  dst[j] = address;
  dst[j + 1] = metadata;
}
