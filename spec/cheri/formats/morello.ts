/**
 * Arm Morello.
 *
 * Metadata: permissions 63:46 (software ones among them), otype 45:31, *no* internal exponent 30, T 29:16, B 15:0; the
 * exponent is stored inverted, there is no null mask. The top eight bits of the *address* are free flag bits: bounds are
 * relative to the other 56, sign-extended.
 *
 * @source Arm DDI0606 (Morello), CapGetBounds, CapSetBounds, CapIsRepresentableFast, CapAdd, CapSetFlags
 */
import { bits, deposit, extract, ones, signed, truncate } from "../bits.js";
import { lowObjectTypes, type CapabilityFormat, type FlagBitRules } from "../capability.js";
import * as concentrate from "../concentrate.js";
import { inOrder } from "../permissions.js";
import { compressedFormat, plainPermissions } from "./compressed.js";

/** An exponent of all ones is the whole address space whatever B and T say; null is encoded so. */
const wholeSpaceExponent = 63n;

const maxExponent = 50n;

/** Bounds with a smaller exponent take bits from the address. */
const smallestAddressFreeExponent = 48n;

const flags = bits(63, 56);
const plainBits = 56n;
const signBit = bits(55, 55);

/** The address without its flag bits, sign-extended from bit 55. */
const plainAddress = (address: bigint): bigint => truncate(64n, signed(plainBits, address));

const bounds: concentrate.BoundsEncoding = {
  addressBits: 64n,
  mantissa: 16n,
  lowBits: 3n,
  maxExponent,
  internalFrom: 1n << 14n,
  internalFlag: { field: bits(30, 30), value: 0n },
  B: bits(15, 0),
  T: bits(29, 16),
  lengthBit: undefined,
  storeExponent: (exponent) => exponent ^ ones(6n),
  loadExponent: (stored) => stored ^ ones(6n),
  window: { bits: 3n, below: 1n },
  exception: ({ exponent }) =>
    exponent > maxExponent ? { base: 0n, top: 1n << 64n, valid: exponent === wholeSpaceExponent } : undefined,
  hasFastCheck: true,
  plainAddress,
};

/** The bounds of this word depend on the address. */
const useAddress = (raw: bigint): boolean => concentrate.unpack(bounds, raw).exponent < smallestAddressFreeExponent;

/**
 * Bit 55 says how the plain address is extended: while bounds depend on the address it may not change. Flag bits are
 * ignored in a requested base while the parent's bounds ignore them, too; where only the child's do, they must be the
 * extension already.
 * @rule CAP-3 flag-bits @source Arm DDI0606 CapSetValue, CapAdd, CapSetBounds
 */
const flagBits: FlagBitRules = {
  forbidAddress: ({ metadata, address }, to) =>
    useAddress(metadata) && extract(signBit, address) !== extract(signBit, to),
  requestedBase: ({ metadata, address }) => (useAddress(metadata) ? plainAddress(address) : address),
  forbidBounds: ({ metadata, address }, child) =>
    !useAddress(metadata) && useAddress(child) && plainAddress(address) !== address,
};

export const morello: CapabilityFormat = compressedFormat({
  name: "morello",
  bounds,
  permissionBits: {
    ...inOrder(0, "global", "executive", "user0", "user1", "user2", "user3", "mutable-load", "set-cid"),
    ...inOrder(8, "invoke", "system", "unseal", "seal", "store-local", "store-cap", "load-cap"),
    ...inOrder(15, "execute", "store", "load"),
  },
  alwaysOnePermissions: 0n,
  otypes: lowObjectTypes(ones(15n), 3n),
  transfer: "morello",
  rootMetadata: 0xffff_c000_0001_0005n,
  nullMask: 0n,
  otype: bits(45, 31),
  reserved: [],
  ...plainPermissions([{ field: bits(63, 46), at: 0n }]),
  flagsOf: (_raw, address) => extract(flags, address),
  withFlags: (raw, address, value) => ({ metadata: raw, address: deposit(flags, address, value) }),
  flagBits,
});
