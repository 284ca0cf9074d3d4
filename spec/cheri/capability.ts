/**
 * Capabilities, and what a format has to say about them.
 *
 * A capability is a tag and the bits of its granule. `metadata` and `address` are those bits as they lie in memory; the
 * other fields are what they mean *at this address*. Nothing else is stored, so a word that no sequence of instructions
 * could make (reserved bits, bounds that set-bounds would never produce) is carried, stored and compared bit by bit like
 * any other.
 */
import { truncate } from "./bits.js";
import type { Permission, PermissionBits } from "./permissions.js";

export type FormatName = "cheri128-v9" | "cheri64-v9" | "morello" | "rvy128" | "rvy64" | "uncompressed256";

/** The two parts of a capability as they lie in memory. */
export interface CapabilityWord {
  /** Everything but the address; unsigned, `metadataBits` wide. */
  readonly metadata: bigint;
  /** Unsigned, `addressBits` wide. */
  readonly address: bigint;
}

export interface Capability extends CapabilityWord {
  readonly tag: boolean;
  /** First byte in bounds. */
  readonly base: bigint;
  /** One past the last byte in bounds: up to 2^`addressBits`, above it only in untagged words. */
  readonly top: bigint;
  /** Permissions in the format's numbering, software permissions included, bits that always read as one left out. */
  readonly permissions: bigint;
  /** The object type field, unsigned. */
  readonly otype: bigint;
  /** v9 and `uncompressed256`: capability mode. RVY: the mode bit. Morello: the top eight bits of the address. */
  readonly flags: bigint;
}

/** What the bounds field of a word says at an address. */
export interface Bounds {
  readonly base: bigint;
  readonly top: bigint;
  /** False where the encoding is malformed; no change of bounds or address keeps the tag of such a word. */
  readonly valid: boolean;
  /** For diagnosis: the exponent as stored, not clamped, negative where RVY stores more than its largest one. */
  readonly exponent: bigint;
  /** The exponent is held inside the mantissas. */
  readonly internalExponent: boolean;
}

/** The result of fitting something into an encoding. */
export interface Encoded {
  readonly metadata: bigint;
  /** The encoding says exactly what was asked for. */
  readonly exact: boolean;
}

/** Object types of a format. */
export interface ObjectTypes {
  readonly unsealed: bigint;
  readonly sentry: bigint;
  /** The values from `first` to `last` cannot be given or taken by sealing authority. */
  readonly reserved: { readonly first: bigint; readonly last: bigint };
  /** Largest value of the field. */
  readonly largest: bigint;
  /** CGetType sign-extends reserved types from this width (v9). */
  readonly signExtendedFrom: bigint | undefined;
  /** There are types besides unsealed and sentry, so that capabilities can be sealed and unsealed by authority. */
  readonly ordinary: boolean;
}

/** Types that count up from 0, unsealed, and 1, sentry; those to `last` are reserved. */
export const lowObjectTypes = (largest: bigint, last: bigint): ObjectTypes => ({
  unsealed: 0n,
  sentry: 1n,
  reserved: { first: 0n, last },
  largest,
  signExtendedFrom: undefined,
  ordinary: largest > last,
});

/** What free bits in the address add to the rules: nothing but on Morello. */
export interface FlagBitRules {
  /** The address may not be changed to this one, even if the bounds stayed the same. */
  readonly forbidAddress: (capability: Capability, address: bigint) => boolean;
  /** The base that set-bounds asks for. */
  readonly requestedBase: (capability: Capability) => bigint;
  /** The tag is lost when the bounds of the capability become those of `metadata`. */
  readonly forbidBounds: (capability: Capability, metadata: bigint) => boolean;
}

/** How loads and stores treat permissions over capabilities in memory (MEM-3). */
export type CapabilityTransfer = "v9" | "morello" | "rvy";

/** What a format has to define. */
export interface FormatParts {
  readonly name: FormatName;
  /** XLEN: width of an address, in bits. */
  readonly addressBits: bigint;
  readonly metadataBits: bigint;
  /** Size and alignment of a capability in memory, in bytes. */
  readonly granule: bigint;
  readonly permissionBits: PermissionBits;
  /** Bits that CGetPerm reads as one for every capability. */
  readonly alwaysOnePermissions: bigint;
  readonly otypes: ObjectTypes;
  readonly transfer: CapabilityTransfer;
  /** The metadata word of the capability to everything. */
  readonly rootMetadata: bigint;

  /** Lay the two parts out as one little-endian number of 8·`granule` bits, and take them apart again. */
  readonly toMemory: (word: CapabilityWord) => bigint;
  readonly fromMemory: (granule: bigint) => CapabilityWord;

  /** The address that bounds and accesses use: without Morello's flag bits, the same elsewhere. */
  readonly plainAddress: (address: bigint) => bigint;
  readonly decodeBounds: (metadata: bigint, address: bigint) => Bounds;
  /** `metadata` with bounds that contain `[base, top)`, rounded outward where they do not fit. */
  readonly encodeBounds: (metadata: bigint, base: bigint, top: bigint) => Encoded;
  /** The bits of an address that a base must leave zero for bounds of `length` to be exact, as a mask of ones. */
  readonly alignmentMask: (length: bigint) => bigint;
  /** Capabilities no longer than `length` relocate exactly by multiples of this. */
  readonly relocationAlignment: (length: bigint) => bigint;
  /** What hardware asks before it moves the address by adding; stricter than equal bounds, never laxer. */
  readonly fastCheck: (capability: Capability, address: bigint) => boolean;
  readonly flagBits: FlagBitRules;

  readonly permissionsOf: (metadata: bigint) => bigint;
  readonly withPermissions: (metadata: bigint, permissions: bigint) => Encoded;
  readonly otypeOf: (metadata: bigint) => bigint;
  readonly withOtype: (metadata: bigint, otype: bigint) => bigint;
  readonly flagsOf: (word: CapabilityWord) => bigint;
  readonly withFlags: (word: CapabilityWord, flags: bigint) => CapabilityWord;
  /** Reserved bits that are set, in place in the metadata word without its null mask. */
  readonly reservedBits: (metadata: bigint) => bigint;
}

/** Everything a capability says, from which to find its word. */
export type CapabilityFields = Omit<Capability, "metadata">;

export interface EncodedCapability extends CapabilityWord {
  /** The tag asked for, if the word says exactly what was asked for. */
  readonly tag: boolean;
  readonly exact: boolean;
}

export interface CapabilityFormat extends FormatParts {
  readonly decode: (word: CapabilityWord, tag: boolean) => Capability;
  readonly encode: (fields: CapabilityFields) => EncodedCapability;
}

/**
 * The capability that a word and a tag are.
 * @rule CAP-1 decode @source CHERI ISAv9 §3.5.4; CHERI Concentrate
 */
export const decodeCapability = (format: FormatParts, word: CapabilityWord, tag: boolean): Capability => {
  const { base, top } = format.decodeBounds(word.metadata, word.address);
  return {
    tag,
    address: word.address,
    base,
    top,
    permissions: format.permissionsOf(word.metadata),
    otype: format.otypeOf(word.metadata),
    flags: format.flagsOf(word),
    metadata: word.metadata,
  };
};

/**
 * The word that says the given bounds, address, permissions, object type and flags; where none says them exactly, the one
 * whose bounds are rounded outward, untagged.
 * @rule CAP-1 encode @source CHERI ISAv9 §3.5.4; CHERI Concentrate, encoding
 */
export const encodeCapability = (format: FormatParts, fields: CapabilityFields): EncodedCapability => {
  // 1. Each field goes to its place, from the root's word on: no reserved bit is set there. Flags come before permissions,
  //    because some can only be set while the permission to execute is there.
  const bounded = format.encodeBounds(format.rootMetadata, fields.base, fields.top).metadata;
  const flagged = format.withFlags({ metadata: bounded, address: fields.address }, fields.flags);
  const permitted = format.withPermissions(flagged.metadata, fields.permissions).metadata;
  const word = { metadata: format.withOtype(permitted, fields.otype), address: flagged.address };
  // 2. It is exact when reading it back gives what was asked for.
  const read = decodeCapability(format, word, fields.tag);
  const parts = ["base", "top", "address", "permissions", "otype", "flags"] as const;
  const exact = parts.every((part) => read[part] === fields[part]);
  return { ...word, tag: fields.tag && exact, exact };
};

/** A format from its parts. */
export const defineFormat = (parts: FormatParts): CapabilityFormat => ({
  ...parts,
  decode: (word, tag) => decodeCapability(parts, word, tag),
  encode: (fields) => encodeCapability(parts, fields),
});

/**
 * The capability to everything, from which all authority derives.
 * @rule CAP-1 root @source CHERI ISAv9 §3.6.1 (capability registers on reset)
 */
export const rootCapability = (format: CapabilityFormat): Capability =>
  format.decode({ metadata: format.rootMetadata, address: 0n }, true);

/**
 * An integer as a register holds it: untagged, null but for the address.
 * @rule CAP-1 null @source CHERI ISAv9 §3.4.3 (the NULL capability)
 */
export const nullCapability = (format: CapabilityFormat, address = 0n): Capability =>
  format.decode({ metadata: 0n, address: truncate(format.addressBits, address) }, false);

/**
 * The object type is not the unsealed one (CGetSealed).
 * @rule CAP-5 sealed @source CHERI ISAv9 §7 CGetSealed
 */
export const isSealed = (format: CapabilityFormat, capability: Capability): boolean =>
  capability.otype !== format.otypes.unsealed;

/**
 * The object type is one that no sealing authority can give or take. Unsealed is such a type.
 * @rule CAP-5 reserved @source CHERI ISAv9 §7 CUnseal, CInvoke; sail hasReservedOType
 */
export const hasReservedOtype = (format: CapabilityFormat, capability: Capability): boolean =>
  capability.otype >= format.otypes.reserved.first && capability.otype <= format.otypes.reserved.last;

/** The format has this permission and the capability holds it. */
export const permits = (format: CapabilityFormat, capability: Capability, permission: Permission): boolean =>
  ((format.permissionBits[permission] ?? 0n) & capability.permissions) !== 0n;

/**
 * `[address, address + size)` lies within the bounds. An access at the end of the address space does not wrap.
 * @rule MEM-1 in-bounds @source CHERI ISAv9 §7; sail inCapBounds; Arm DDI0606 CapIsRangeInBounds
 */
export const inBounds = (capability: Capability, address: bigint, size: bigint): boolean =>
  capability.base <= address && address + size <= capability.top;

/** The same capability, untagged unless `keep`. */
export const keepTagIf = (capability: Capability, keep: boolean): Capability =>
  capability.tag && !keep ? { ...capability, tag: false } : capability;
