/**
 * What `rvy128` and `rvy64`, the two formats of the RISC-V CHERI specification, share: one bit of object type, bounds
 * relative to a window that begins a quarter of the mantissa below B, malformed encodings, an exponent counted from the
 * largest one down, and no fast check.
 *
 * The specification is cited as RVY, with its present mnemonics (YBNDSRW; SCBNDSR in earlier drafts).
 *
 * @source RVY, "The RV64LYA Capability Base for RV64" and "The RV32LYA Capability Base for RV32", with
 *   Zylevels1 and one level bit
 */
import { lowObjectTypes, type Bounds } from "../capability.js";
import type { Mantissas } from "../concentrate.js";
import { inOrder, type PermissionBits } from "../permissions.js";

export const permissionBits: PermissionBits = {
  ...inOrder(0, "store", "mutable-load", "elevate-level", "store-local", "global", "load-cap", "user0", "user1"),
  ...inOrder(5, "store-cap"),
  ...inOrder(16, "system", "execute", "load"),
};

export const otypes = lowObjectTypes(1n, 1n);

/** The part of the bounds encoding in which the two formats differ only by width. */
export const encoding = (maxExponent: bigint, mantissa: bigint) => ({
  maxExponent,
  mantissa,
  storeExponent: (exponent: bigint): bigint => maxExponent - exponent,
  loadExponent: (stored: bigint): bigint => maxExponent - stored,
  window: { bits: mantissa, below: 1n << (mantissa - 2n) },
  hasFastCheck: false,
  plainAddress: (address: bigint): bigint => address,
});

/**
 * Malformed bounds: base 0, top 0. So are an exponent below zero, bits of B that would lie above the address space, and
 * in `rvy64` an internal exponent of zero.
 * @rule CAP-1 malformed @source RVY, "Integrity of Capabilities" and the decoding of bounds
 */
export const malformed =
  (maxExponent: bigint, mantissa: bigint, zeroAllowed: boolean) =>
  ({ B, exponent, internalExponent }: Mantissas): Pick<Bounds, "base" | "top" | "valid"> | undefined => {
    const tooSmall = exponent < 0n || (exponent === 0n && !zeroAllowed);
    const tooLarge =
      (exponent === maxExponent && B !== 0n) || (exponent === maxExponent - 1n && B >> (mantissa - 1n) === 1n);
    return internalExponent && (tooSmall || tooLarge) ? { base: 0n, top: 0n, valid: false } : undefined;
  };
