/**
 * Sealing, unsealing, and building capabilities from their bits (CAP-5). Results that are not authorised are untagged but
 * fully computed. RVY has no types besides unsealed and sentry (`otypes.ordinary`): there `seal`, `conditionalSeal`,
 * `unseal`, `copyType` and `invoke` are no instructions, and as functions they never give a tagged result.
 */
import { ones, truncate } from "./bits.js";
import {
  hasReservedOtype,
  inBounds,
  isSealed,
  keepTagIf,
  permits,
  type Capability,
  type CapabilityFormat,
} from "./capability.js";
import { getType } from "./inspection.js";
import { setAddress } from "./operations.js";

const withOtype = (format: CapabilityFormat, capability: Capability, otype: bigint): Capability =>
  format.decode(
    { metadata: format.withOtype(capability.metadata, otype), address: capability.address },
    capability.tag,
  );

/** The same capability with the unsealed type, tag kept. */
export const unsealed = (format: CapabilityFormat, capability: Capability): Capability =>
  withOtype(format, capability, format.otypes.unsealed);

/** `authority` may seal or unseal with its address as the type. */
const mayUse = (format: CapabilityFormat, authority: Capability, permission: "seal" | "unseal"): boolean =>
  authority.tag &&
  !isSealed(format, authority) &&
  permits(format, authority, permission) &&
  inBounds(authority, authority.address, 1n);

/** The number of an object type that sealing authority can give: not reserved, and the field can hold it. */
const isOrdinaryOtype = ({ otypes }: CapabilityFormat, number: bigint): boolean =>
  number <= otypes.largest && !(number >= otypes.reserved.first && number <= otypes.reserved.last);

/**
 * CSeal (Morello SEAL): `authority`'s address is the type.
 * @rule CAP-5 cseal @source CHERI ISAv9 §7 CSeal; sail CSeal
 */
export const seal = (format: CapabilityFormat, capability: Capability, authority: Capability): Capability => {
  const permitted = mayUse(format, authority, "seal") && isOrdinaryOtype(format, authority.address);
  const result = withOtype(format, capability, authority.address);
  return keepTagIf(result, permitted && !isSealed(format, capability));
};

/**
 * CCSeal (Morello CSEAL): passes `capability` through where `authority` is not meant for it.
 *
 * QEMU writes the type into an untagged `capability`; the specification takes the Sail model, where only the authority's
 * tag decides.
 * @rule CAP-5 ccseal @source CHERI ISAv9 §7 CCSeal; sail CCSeal
 */
export const conditionalSeal = (
  format: CapabilityFormat,
  capability: Capability,
  authority: Capability,
): Capability => {
  // 1. Not meant for it: no valid authority, sealed already, a type out of bounds, or "unsealed" (-1, see `copyType`).
  const passThrough =
    !authority.tag ||
    isSealed(format, capability) ||
    !inBounds(authority, authority.address, 1n) ||
    authority.address === ones(format.addressBits);
  if (passThrough) return capability;
  // 2. Else it is sealed as by CSeal.
  const permitted = mayUse(format, authority, "seal") && isOrdinaryOtype(format, authority.address);
  return keepTagIf(withOtype(format, capability, authority.address), permitted);
};

/**
 * CUnseal (Morello UNSEAL). Global is kept only where both have it.
 * @rule CAP-5 cunseal @source CHERI ISAv9 §7 CUnseal; sail CUnseal
 */
export const unseal = (format: CapabilityFormat, capability: Capability, authority: Capability): Capability => {
  const permitted =
    mayUse(format, authority, "unseal") &&
    !hasReservedOtype(format, capability) &&
    authority.address === capability.otype;
  const open = unsealed(format, capability);
  const lost = permits(format, authority, "global") ? 0n : (format.permissionBits.global ?? 0n);
  const { metadata } = format.withPermissions(open.metadata, open.permissions & ~lost);
  return keepTagIf(format.decode({ metadata, address: open.address }, open.tag), permitted);
};

/**
 * CSealEntry (Morello SEAL with the fixed type RB, RVY YSENTRY). Execute permission is not asked for.
 * @rule CAP-5 csealentry @source CHERI ISAv9 §7 CSealEntry; sail CSealEntry; RVY YSENTRY
 */
export const sealEntry = (format: CapabilityFormat, capability: Capability): Capability =>
  keepTagIf(withOtype(format, capability, format.otypes.sentry), !isSealed(format, capability));

/**
 * CBuildCap (Morello BUILD, RVY YBLD): tag the bits of `requested` if `authority` could have derived them. The tag of
 * `requested` does not matter; a sentry stays one, any other type becomes unsealed.
 * @rule CAP-5 cbuildcap @source CHERI ISAv9 §7 CBuildCap; sail CBuildCap; RVY YBLD
 */
export const buildCap = (format: CapabilityFormat, authority: Capability, requested: Capability): Capability => {
  const wanted = requested.otype === format.otypes.sentry ? requested : unsealed(format, requested);
  // 1. Within the authority, and not upside down (untagged bits can be).
  const subset = wanted.base <= wanted.top && isWithin(format, authority, wanted);
  // 2. Derivable: instructions would have produced these very bits. No reserved bit, no encoding of their own.
  const rebuilt = format.encode({ ...wanted, tag: true });
  const derivable = rebuilt.exact && rebuilt.metadata === wanted.metadata;
  return { ...wanted, tag: authority.tag && !isSealed(format, authority) && subset && derivable };
};

/** Bounds are well-formed, and on RVY no reserved bit is set ("integrity"). */
const isWellFormed = (format: CapabilityFormat, { metadata, address }: Capability): boolean =>
  format.decodeBounds(metadata, address).valid && (format.transfer !== "rvy" || format.reservedBits(metadata) === 0n);

/** Bounds and permissions of `inner` are a subset of those of `outer`. */
const isWithin = (format: CapabilityFormat, outer: Capability, inner: Capability): boolean =>
  isWellFormed(format, outer) &&
  isWellFormed(format, inner) &&
  inner.base >= outer.base &&
  inner.top <= outer.top &&
  (inner.permissions & ~outer.permissions) === 0n;

/**
 * CTestSubset (Morello CHKSS, RVY YSS): `inner` is a subset of `outer` and their tags are equal. Sealing, type, flags and
 * address are not looked at.
 * @rule CAP-5 ctestsubset @source CHERI ISAv9 §7 CTestSubset; sail CTestSubset; RVY YSS
 */
export const testSubset = (format: CapabilityFormat, outer: Capability, inner: Capability): boolean =>
  outer.tag === inner.tag && isWithin(format, outer, inner);

/**
 * CCopyType (Morello CPYTYPE): `key` with the type of `typed` as its address, for CCSeal. Reserved types give untagged
 * results; the unsealed one gives address -1.
 *
 * QEMU also clears the tag where the type lies outside `key`'s bounds; the specification takes the Sail model, which asks
 * only whether the address is representable.
 * @rule CAP-5 ccopytype @source CHERI ISAv9 §7 CCopyType; sail CCopyType
 */
export const copyType = (format: CapabilityFormat, key: Capability, typed: Capability): Capability => {
  const number = isSealed(format, typed) ? getType(format, typed) : -1n;
  const result = setAddress(format, key, truncate(format.addressBits, number));
  return keepTagIf(result, !hasReservedOtype(format, typed));
};
