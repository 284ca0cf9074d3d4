/**
 * What `cheri128-v9` and `cheri64-v9` share: the permissions of CHERI ISAv9 (also used by `uncompressed256`), bounds
 * whose window begins at B's top three bits less one, an exponent stored as it is.
 *
 * @source CHERI ISAv9 §3.4.2 (permissions), §3.5.4 (compressed capabilities); sail-cheri-riscv cheri_prelude_{64,128}.sail
 */
import type { ObjectTypes } from "../capability.js";
import { inOrder, type PermissionBits } from "../permissions.js";

export const architecturalPermissions: PermissionBits = {
  ...inOrder(0, "global", "execute", "load", "store", "load-cap", "store-cap", "store-local"),
  ...inOrder(7, "seal", "invoke", "unseal", "system", "set-cid"),
};

export const softwarePermissions: PermissionBits = inOrder(15, "user0", "user1", "user2", "user3");

/** Types count down from all ones: unsealed, sentry and two reserved ones. */
export const otypes = (width: bigint): ObjectTypes => {
  const largest = (1n << width) - 1n;
  return {
    unsealed: largest,
    sentry: largest - 1n,
    reserved: { first: largest - 3n, last: largest },
    largest,
    signExtendedFrom: width,
    ordinary: true,
  };
};

/** The part of the bounds encoding in which the two widths do not differ. */
export const encoding = {
  lowBits: 3n,
  lengthBit: undefined,
  storeExponent: (exponent: bigint) => exponent,
  loadExponent: (stored: bigint) => stored,
  window: { bits: 3n, below: 1n },
  exception: () => undefined,
  hasFastCheck: true,
  plainAddress: (address: bigint) => address,
} as const;
