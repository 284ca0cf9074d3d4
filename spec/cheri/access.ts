/**
 * Authorising loads and stores (MEM-1, MEM-3, MEM-6).
 *
 * Addresses are unsigned numbers of XLEN bits. On Morello accesses ignore the top byte of an address, as they do with
 * top-byte-ignore switched on. Every check asks in one order: tag, seal, permissions, bounds, alignment; the first that fails names the trap. Pages
 * come after all of them and are not known here. Authority and address are separate arguments, because the address may
 * come from elsewhere (an offset, the explicit-DDC forms).
 */
import { inBounds, isSealed, permits, type Capability, type CapabilityFormat } from "./capability.js";
import { tagGroup } from "./memory.js";
import { clearTag, andPermissions } from "./operations.js";
import { permissionMask, type Permission } from "./permissions.js";

type PermissionTrap = `perm-${"load" | "store" | "execute" | "load-cap" | "store-cap" | "store-local" | "cinvoke"}`;
type PageTrap = `page-${"unmapped" | "read" | "write" | "exec" | "store-cap"}`;

/** Why an access or a jump trapped. */
export type TrapCause = "tag" | "seal" | "type" | PermissionTrap | "bounds" | "align" | PageTrap;

/** A trap of the modelled machine: the first check that failed, and the operand that failed it. */
export interface Trap {
  readonly trap: TrapCause;
  readonly operand: string;
}

/** `undefined` where the access is allowed. */
export type Check = Trap | undefined;

export const trap = (cause: TrapCause, operand = "cs1"): Trap => ({ trap: cause, operand });

const allowed: Check = undefined;

/**
 * The rungs that all accesses share: tag, seal, permission.
 * @rule MEM-1 ladder @source CHERI ISAv9 §7; sail handle_load_data_via_cap, handle_store_data_via_cap
 */
export const checkAuthorised = (
  format: CapabilityFormat,
  authority: Capability,
  permission: "load" | "store",
): Check => {
  if (!authority.tag) return trap("tag");
  if (isSealed(format, authority)) return trap("seal");
  if (!permits(format, authority, permission)) return trap(`perm-${permission}`);
  return allowed;
};

/** The whole ladder up to the bounds; `further` permissions come before them. */
const checkAuthority = (
  format: CapabilityFormat,
  authority: Capability,
  address: bigint,
  size: bigint,
  permission: "load" | "store",
  further: () => Check,
): Check =>
  checkAuthorised(format, authority, permission) ??
  further() ??
  (inBounds(authority, format.plainAddress(address), size) ? allowed : trap("bounds"));

const nothingFurther = (): Check => allowed;

const aligned = (address: bigint, to: bigint): Check => (address % to === 0n ? allowed : trap("align"));

/**
 * A load of `size` bytes at `address`. Integers need not be aligned.
 * @rule MEM-1 load @source CHERI ISAv9 §7 L[BHWD][U].CAP; sail handle_load_data_via_cap
 */
export const checkLoad = (format: CapabilityFormat, authority: Capability, address: bigint, size: bigint): Check =>
  checkAuthority(format, authority, address, size, "load", nothingFurther);

/**
 * A store of `size` bytes at `address`.
 * @rule MEM-1 store @source CHERI ISAv9 §7 S[BHWD].CAP; sail handle_store_data_via_cap
 */
export const checkStore = (format: CapabilityFormat, authority: Capability, address: bigint, size: bigint): Check =>
  checkAuthority(format, authority, address, size, "store", nothingFurther);

/**
 * A load of the granule at `address`. Missing Load-Capability does not trap: see `afterLoad`.
 * @rule MEM-1 load-cap @source CHERI ISAv9 §7 CLC; sail handle_load_cap_via_cap
 */
export const checkLoadCap = (format: CapabilityFormat, authority: Capability, address: bigint): Check =>
  checkAuthority(format, authority, address, format.granule, "load", nothingFurther) ??
  aligned(address, format.granule);

/**
 * A store of `value` to the granule at `address`. Whether a tagged value needs permissions of its own is the format's.
 * @rule MEM-1 store-cap @source CHERI ISAv9 §7 CSC; sail handle_store_cap_via_cap
 */
export const checkStoreCap = (
  format: CapabilityFormat,
  authority: Capability,
  address: bigint,
  value: Capability,
): Check =>
  checkAuthority(format, authority, address, format.granule, "store", () => checkStoredTag(format, authority, value)) ??
  aligned(address, format.granule);

/**
 * Storing a tagged capability without Store-Capability, or a local one without Store-Local: v9 and Morello trap.
 * @rule MEM-3 store-trap @source CHERI ISAv9 §7 CSC; Arm DDI0606 CheckCapability
 */
export const checkStoredTag = (format: CapabilityFormat, authority: Capability, value: Capability): Check => {
  if (format.transfer === "rvy" || !value.tag) return allowed;
  if (!permits(format, authority, "store-cap")) return trap("perm-store-cap");
  if (!permits(format, value, "global") && !permits(format, authority, "store-local")) return trap("perm-store-local");
  return allowed;
};

/**
 * What a store puts into memory: RVY drops the tag where v9 and Morello trap.
 * @rule MEM-3 store @source RVY SY, Zylevels1
 */
export const beforeStore = (format: CapabilityFormat, authority: Capability, value: Capability): Capability => {
  if (format.transfer !== "rvy" || !value.tag) return value;
  const may =
    permits(format, authority, "store-cap") &&
    (permits(format, value, "global") || permits(format, authority, "store-local"));
  return may ? value : clearTag(value);
};

/**
 * What a load delivers: untagged without Load-Capability; Morello and RVY take rights of a tagged one away where the
 * authority may not pass them on.
 * @rule MEM-3 load @source CHERI ISAv9 §7 CLC; Arm DDI0606 CapSquashPostLoadCap; RVY LY, Zylevels1
 */
export const afterLoad = (format: CapabilityFormat, authority: Capability, loaded: Capability): Capability => {
  if (!loaded.tag) return loaded;
  if (!permits(format, authority, "load-cap")) return clearTag(loaded);
  const sealed = isSealed(format, loaded);
  // 1. Without MutableLoad (LM) an unsealed capability can no longer be written through, nor what is loaded through it.
  const immutable = permits(format, authority, "mutable-load") || sealed ? [] : writing[format.transfer];
  // 2. Without EL it becomes local, sealed or not; an unsealed one loses EL, too.
  const confined =
    format.transfer !== "rvy" || permits(format, authority, "elevate-level")
      ? []
      : sealed
        ? (["global"] as const)
        : (["global", "elevate-level"] as const);
  const lost = permissionMask(format.permissionBits, [...immutable, ...confined]);
  return lost === 0n ? loaded : { ...andPermissions(format, loaded, ~lost), tag: true };
};

/** The permissions that a load without MutableLoad takes away. v9 has no such rule. */
const writing: Readonly<Record<CapabilityFormat["transfer"], readonly Permission[]>> = {
  v9: [],
  morello: ["store", "store-cap", "store-local", "mutable-load"],
  rvy: ["store", "mutable-load"],
};

/**
 * CLoadTags of the group of granules at `address`.
 * @rule MEM-6 check @source CHERI ISAv9 §7 CLoadTags; sail CLoadTags
 */
export const checkLoadTags = (format: CapabilityFormat, authority: Capability, address: bigint): Check =>
  checkAuthority(format, authority, address, tagGroup * format.granule, "load", () =>
    permits(format, authority, "load-cap") ? allowed : trap("perm-load-cap"),
  ) ?? aligned(address, tagGroup * format.granule);
