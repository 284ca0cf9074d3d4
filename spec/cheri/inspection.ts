/** Reading capabilities: the CGet instructions and comparisons. Results are integers of `addressBits` bits. */
import { ones, signed, truncate } from "./bits.js";
import { hasReservedOtype, type Capability, type CapabilityFormat } from "./capability.js";

/**
 * CGetPerm: permissions in the format's numbering, with the bits that always read as one.
 * @rule CAP-4 cgetperm @source CHERI ISAv9 §7 CGetPerm; RVY YPERMR
 */
export const getPermissions = (format: CapabilityFormat, capability: Capability): bigint =>
  capability.permissions | format.alwaysOnePermissions;

/**
 * CGetType: v9 sign-extends reserved types, the others give the field.
 * @rule CAP-5 cgettype @source CHERI ISAv9 §7 CGetType; sail CGetType
 */
export const getType = (format: CapabilityFormat, capability: Capability): bigint => {
  const from = format.otypes.signExtendedFrom;
  return from !== undefined && hasReservedOtype(format, capability)
    ? truncate(format.addressBits, signed(from, capability.otype))
    : capability.otype;
};

/** A number as far as a register holds it. */
const saturated = ({ addressBits }: CapabilityFormat, value: bigint): bigint =>
  value > ones(addressBits) ? ones(addressBits) : value;

/**
 * CGetLen: saturates at the largest integer. An untagged word whose base lies above its top wraps in one bit more.
 * @rule CAP-1 cgetlen @source CHERI ISAv9 §7 CGetLen; sail getCapLength
 */
export const getLength = (format: CapabilityFormat, { base, top }: Capability): bigint =>
  saturated(format, truncate(format.addressBits + 1n, top - base));

/**
 * CGetTop: saturates at the largest integer.
 * @rule CAP-1 cgettop @source CHERI ISAv9 §7 CGetTop; sail CGetTop
 */
export const getTop = (format: CapabilityFormat, { top }: Capability): bigint => saturated(format, top);

/**
 * CGetOffset: address less base.
 * @rule CAP-1 cgetoffset @source CHERI ISAv9 §7 CGetOffset
 */
export const getOffset = (format: CapabilityFormat, capability: Capability): bigint =>
  truncate(format.addressBits, capability.address - capability.base);

/**
 * CGetHigh: the metadata as it lies in memory (of `uncompressed256` its first word).
 * @rule CAP-1 cgethigh @source CHERI ISAv9 §7 CGetHigh
 */
export const getHigh = (format: CapabilityFormat, capability: Capability): bigint =>
  truncate(format.addressBits, capability.metadata);

/**
 * CSetEqualExact (RVY YEQ): tag and all bits are the same.
 * @rule CAP-1 csetequalexact @source CHERI ISAv9 §7 CSetEqualExact; sail CSEQX
 */
export const equalExact = (a: Capability, b: Capability): boolean =>
  a.tag === b.tag && a.metadata === b.metadata && a.address === b.address;

/**
 * CSub: the difference of the addresses.
 * @rule CAP-1 csub @source CHERI ISAv9 §7 CSub
 */
export const subtract = (format: CapabilityFormat, a: Capability, b: Capability): bigint =>
  truncate(format.addressBits, a.address - b.address);

/**
 * CToPtr: the address as an offset from `base`'s base; 0 for an untagged capability.
 * @rule CAP-1 ctoptr @source CHERI ISAv9 §7 CToPtr; sail CToPtr
 */
export const toPointer = (format: CapabilityFormat, capability: Capability, base: Capability): bigint =>
  capability.tag ? truncate(format.addressBits, capability.address - base.base) : 0n;
