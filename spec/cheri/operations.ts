/**
 * Deriving capabilities: bounds, address, permissions, flags (CAP-2, CAP-3, CAP-4).
 *
 * Names are ISAv9's instructions (CAP-7). Nothing here traps: where an operation is not allowed its result is computed
 * all the same and loses its tag. Integers are taken modulo 2^`addressBits`.
 */
import { ones, truncate } from "./bits.js";
import {
  inBounds,
  isSealed,
  keepTagIf,
  nullCapability,
  type Bounds,
  type Capability,
  type CapabilityFormat,
} from "./capability.js";
import { sameBounds } from "./concentrate.js";

const boundsOf = (format: CapabilityFormat, { metadata, address }: Capability): Bounds =>
  format.decodeBounds(metadata, address);

/**
 * Bounds of `length` bytes, 0 to 2^`addressBits`, from the address on: what the set-bounds instructions have in common.
 * `exact` says that no rounding was needed.
 * @rule CAP-2 request @source CHERI ISAv9 §7 CSetBounds; sail setCapBounds, inCapBounds
 */
export const requestBounds = (
  format: CapabilityFormat,
  capability: Capability,
  length: bigint,
): { readonly capability: Capability; readonly exact: boolean } => {
  // 1. The request: from the address, `length` bytes; its end may lie past the end of the address space.
  const base = format.flagBits.requestedBase(capability);
  // 2. The result depends on the request alone, rounded outward.
  const { metadata, exact } = format.encodeBounds(capability.metadata, base, base + length);
  const result = format.decode({ metadata, address: capability.address }, capability.tag);
  // 3. The parent decides the tag: unsealed, well-formed, and containing the request.
  const allowed =
    !isSealed(format, capability) &&
    boundsOf(format, capability).valid &&
    inBounds(capability, base, length) &&
    !format.flagBits.forbidBounds(capability, metadata);
  return { capability: keepTagIf(result, allowed), exact };
};

/**
 * CSetBounds (Morello SCBNDS, RVY YBNDSRW): bounds of `length` bytes from the address, rounded outward.
 * @rule CAP-2 csetbounds @source CHERI ISAv9 §7 CSetBounds; sail CSetBounds; Arm DDI0606 CapSetBounds; RVY YBNDSRW
 */
export const setBounds = (format: CapabilityFormat, capability: Capability, length: bigint): Capability =>
  requestBounds(format, capability, truncate(format.addressBits, length)).capability;

/**
 * CSetBoundsExact (Morello SCBNDSE, RVY YBNDSW): as `setBounds`, but untagged where rounding would be needed.
 * @rule CAP-2 csetboundsexact @source CHERI ISAv9 §7 CSetBoundsExact; sail CSetBoundsExact; RVY YBNDSW
 */
export const setBoundsExact = (format: CapabilityFormat, capability: Capability, length: bigint): Capability => {
  const result = requestBounds(format, capability, truncate(format.addressBits, length));
  return keepTagIf(result.capability, result.exact);
};

/**
 * CRRL (Morello RRLEN): the least length ≥ `length` that bounds can have exactly; 0 for the whole address space.
 * @rule CAP-2 crrl @source CHERI ISAv9 §7 CRRL; sail getRepresentableLength
 */
export const representableLength = (format: CapabilityFormat, length: bigint): bigint => {
  const size = truncate(format.addressBits, length);
  const mask = representableAlignmentMask(format, size);
  return truncate(format.addressBits, (size + (mask ^ ones(format.addressBits))) & mask);
};

/**
 * CRAM (Morello RRMASK): ANDed with a base, makes it one from which `representableLength` bytes are exact bounds.
 * @rule CAP-2 cram @source CHERI ISAv9 §7 CRAM; sail getRepresentableAlignmentMask
 */
export const representableAlignmentMask = (format: CapabilityFormat, length: bigint): bigint =>
  format.alignmentMask(truncate(format.addressBits, length));

/**
 * The address can be changed and the bounds stay what they are.
 * @rule CAP-3 precise @source sail capBoundsEqual; Arm DDI0606 CapIsRepresentable; RVY, "Representable Range"
 */
export const preciselyRepresentable = (format: CapabilityFormat, capability: Capability, address: bigint): boolean =>
  sameBounds(boundsOf(format, capability), format.decodeBounds(capability.metadata, address)) &&
  !format.flagBits.forbidAddress(capability, address);

/**
 * What hardware asks before it adds to an address: stricter than `preciselyRepresentable` at the edges of the window,
 * never laxer. RVY has only the precise check.
 * @rule CAP-3 fast @source sail fastRepCheck; Arm DDI0606 CapAdd
 */
export const fastRepresentable = (format: CapabilityFormat, capability: Capability, address: bigint): boolean =>
  boundsOf(format, capability).valid &&
  format.fastCheck(capability, address) &&
  !format.flagBits.forbidAddress(capability, address);

type AddressCheck = typeof preciselyRepresentable;

const moved = (format: CapabilityFormat, capability: Capability, to: bigint, check: AddressCheck): Capability => {
  const address = truncate(format.addressBits, to);
  const result = format.decode({ metadata: capability.metadata, address }, capability.tag);
  return keepTagIf(result, !isSealed(format, capability) && check(format, capability, address));
};

/**
 * CSetAddr (Morello SCVALUE, RVY YADDRW): the precise check.
 *
 * The Sail models of ISAv9 and Morello agree in this; only additions take the fast check there.
 * @rule CAP-3 csetaddr @source CHERI ISAv9 §7 CSetAddr; sail setCapAddr; Arm DDI0606 CapSetValue; RVY YADDRW
 */
export const setAddress = (format: CapabilityFormat, capability: Capability, address: bigint): Capability =>
  moved(format, capability, address, preciselyRepresentable);

/**
 * CIncOffset (Morello ADD, RVY YADD): the fast check.
 * @rule CAP-3 cincoffset @source CHERI ISAv9 §7 CIncOffset; sail incCapOffset; Arm DDI0606 CapAdd; RVY YADD
 */
export const incOffset = (format: CapabilityFormat, capability: Capability, increment: bigint): Capability =>
  moved(format, capability, capability.address + increment, fastRepresentable);

/**
 * CSetOffset (Morello SCOFF): the address becomes base plus `offset`; the fast check.
 * @rule CAP-3 csetoffset @source CHERI ISAv9 §7 CSetOffset; sail setCapOffset; Arm DDI0606 CapSetOffset
 */
export const setOffset = (format: CapabilityFormat, capability: Capability, offset: bigint): Capability =>
  moved(format, capability, capability.base + offset, fastRepresentable);

/**
 * CFromPtr: null for 0, else `setOffset`.
 *
 * QEMU asks the precise check here; the specification takes the Sail model, which is what ISAv9's text is made from.
 * @rule CAP-3 cfromptr @source CHERI ISAv9 §7 CFromPtr; sail CFromPtr
 */
export const fromPointer = (format: CapabilityFormat, capability: Capability, pointer: bigint): Capability =>
  truncate(format.addressBits, pointer) === 0n ? nullCapability(format) : setOffset(format, capability, pointer);

/**
 * CAndPerm (Morello CLRPERM with the complement, RVY YPERMC): the permissions that are also in `mask`, in the format's
 * numbering; as far as the format can encode that set.
 *
 * @rule CAP-4 candperm @source CHERI ISAv9 §7 CAndPerm; RVY YPERMC
 */
export const andPermissions = (format: CapabilityFormat, capability: Capability, mask: bigint): Capability => {
  const { metadata } = format.withPermissions(capability.metadata, capability.permissions & mask);
  return keepTagIf(
    format.decode({ metadata, address: capability.address }, capability.tag),
    !isSealed(format, capability),
  );
};

/**
 * CSetFlags (Morello SCFLGS, RVY YMODEW): the flags are the low bits of the operand, on Morello too (SCFLGS takes the top
 * eight).
 * @rule CAP-3 csetflags @source CHERI ISAv9 §7 CSetFlags; Arm DDI0606 CapSetFlags; RVY YMODEW
 */
export const setFlags = (format: CapabilityFormat, capability: Capability, flags: bigint): Capability =>
  keepTagIf(format.decode(format.withFlags(capability, flags), capability.tag), !isSealed(format, capability));

/**
 * CClearTag.
 * @rule CAP-3 ccleartag @source CHERI ISAv9 §7 CClearTag
 */
export const clearTag = (capability: Capability): Capability => keepTagIf(capability, false);

/**
 * CSetHigh (RVY YHIW): the metadata word as it would lie in memory; never tagged. Words wider than an address
 * (`uncompressed256`) have their first word replaced.
 * @rule CAP-3 csethigh @source CHERI ISAv9 §7 CSetHigh; sail CSetHigh
 */
export const setHigh = (format: CapabilityFormat, capability: Capability, high: bigint): Capability => {
  const kept = capability.metadata & ~ones(format.addressBits);
  return format.decode({ metadata: kept | truncate(format.addressBits, high), address: capability.address }, false);
};
