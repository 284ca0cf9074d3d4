/**
 * What the five compressed formats have in common: a granule of two words, address below metadata, bounds by CHERI
 * Concentrate, and fields at fixed places of the metadata word.
 */
import { deposit, extract, ones, type Field } from "../bits.js";
import {
  defineFormat,
  type CapabilityFormat,
  type CapabilityWord,
  type Encoded,
  type FlagBitRules,
} from "../capability.js";
import * as concentrate from "../concentrate.js";

export interface CompressedLayout extends Pick<
  CapabilityFormat,
  "name" | "permissionBits" | "alwaysOnePermissions" | "otypes" | "transfer" | "rootMetadata" | "flagBits"
> {
  readonly bounds: concentrate.BoundsEncoding;
  /** Memory holds the metadata XOR this, so that the null capability is all zeros. */
  readonly nullMask: bigint;
  readonly otype: Field;
  readonly reserved: readonly Field[];
  /** The following three work on raw metadata words, without the null mask. */
  readonly permissionsOf: (raw: bigint) => bigint;
  readonly withPermissions: (raw: bigint, permissions: bigint) => Encoded;
  readonly flagsOf: (raw: bigint, address: bigint) => bigint;
  readonly withFlags: (raw: bigint, address: bigint, flags: bigint) => CapabilityWord;
}

/** A format from its layout: the null mask is put on and taken off here and nowhere else. */
export const compressedFormat = (layout: CompressedLayout): CapabilityFormat => {
  const width = layout.bounds.addressBits;
  const raw = (metadata: bigint): bigint => metadata ^ layout.nullMask;
  const masked = (encoded: Encoded): Encoded => ({ ...encoded, metadata: encoded.metadata ^ layout.nullMask });
  return defineFormat({
    name: layout.name,
    addressBits: width,
    metadataBits: width,
    granule: width / 4n,
    permissionBits: layout.permissionBits,
    alwaysOnePermissions: layout.alwaysOnePermissions,
    otypes: layout.otypes,
    transfer: layout.transfer,
    rootMetadata: layout.rootMetadata,
    toMemory: (word) => (word.metadata << width) | word.address,
    fromMemory: (granule) => ({ metadata: granule >> width, address: granule & ones(width) }),
    plainAddress: layout.bounds.plainAddress,
    decodeBounds: (metadata, address) => concentrate.decodeBounds(layout.bounds, raw(metadata), address),
    encodeBounds: (metadata, base, top) => masked(concentrate.encodeBounds(layout.bounds, raw(metadata), base, top)),
    relocationAlignment: (length) => concentrate.relocationAlignment(layout.bounds, length),
    alignmentMask: (length) => concentrate.alignmentMask(layout.bounds, length),
    flagBits: layout.flagBits,
    fastCheck: ({ metadata, address }, to) => concentrate.fastCheck(layout.bounds, raw(metadata), address, to),
    permissionsOf: (metadata) => layout.permissionsOf(raw(metadata)),
    withPermissions: (metadata, permissions) => masked(layout.withPermissions(raw(metadata), permissions)),
    otypeOf: (metadata) => extract(layout.otype, raw(metadata)),
    withOtype: (metadata, otype) => deposit(layout.otype, raw(metadata), otype) ^ layout.nullMask,
    flagsOf: (word) => layout.flagsOf(raw(word.metadata), word.address),
    withFlags: (word, flags) => {
      const changed = layout.withFlags(raw(word.metadata), word.address, flags);
      return { metadata: raw(changed.metadata), address: changed.address };
    },
    reservedBits: (metadata) =>
      layout.reserved.reduce((set, field) => set | (extract(field, raw(metadata)) << field.low), 0n),
  });
};

/** Permissions that are one bit each, `field` holding those of the format's numbering from bit 0 on. */
export const plainPermissions = (
  fields: readonly { readonly field: Field; readonly at: bigint }[],
): Pick<CompressedLayout, "permissionsOf" | "withPermissions"> => ({
  permissionsOf: (raw) => fields.reduce((set, { field, at }) => set | (extract(field, raw) << at), 0n),
  withPermissions: (raw, permissions) => ({
    metadata: fields.reduce((word, { field, at }) => deposit(field, word, permissions >> at), raw),
    exact: true,
  }),
});

/** v9: one flag, set in capability mode. */
export const modeFlag = (field: Field): Pick<CompressedLayout, "flagsOf" | "withFlags"> => ({
  flagsOf: (raw) => extract(field, raw),
  withFlags: (raw, address, flags) => ({ metadata: deposit(field, raw, flags), address }),
});

/** An address without flag bits: nothing is added to the rules. */
export const noFlagBits: FlagBitRules = {
  forbidAddress: () => false,
  requestedBase: (capability) => capability.address,
  forbidBounds: () => false,
};
