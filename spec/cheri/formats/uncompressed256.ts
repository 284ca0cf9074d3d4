/**
 * Uncompressed capabilities of 256 bits: this project's own layout after the 2014 machine, with the later cursor (CAP-8).
 *
 * Four little-endian 64-bit words: permissions, flag and otype; address; base; length. The first word holds the
 * permissions as CGetPerm of ISAv9 reads them in 18:0, the flag in 19, the otype in 63:40, the rest reserved. The length
 * word saturates: all ones is 2^64. Every address is representable; all zeros is null.
 *
 * As a `metadata` number the parts lie in the same order, without the address: first word, base, length.
 */
import { bits, deposit, extract, ones } from "../bits.js";
import { defineFormat, lowObjectTypes, type CapabilityFormat } from "../capability.js";
import { noFlagBits, plainPermissions } from "./compressed.js";
import * as v9 from "./v9.js";

const space = 1n << 64n;
const baseWord = bits(127, 64);
const lengthWord = bits(191, 128);
const flag = bits(19, 19);
const otype = bits(63, 40);
const reserved = [bits(14, 12), bits(39, 20)];

const lengthOf = (metadata: bigint): bigint => {
  const stored = extract(lengthWord, metadata);
  return stored === ones(64n) ? space : stored;
};

export const uncompressed256: CapabilityFormat = defineFormat({
  name: "uncompressed256",
  addressBits: 64n,
  metadataBits: 192n,
  granule: 32n,
  permissionBits: { ...v9.architecturalPermissions, ...v9.softwarePermissions },
  alwaysOnePermissions: 0n,
  otypes: lowObjectTypes(ones(24n), 3n),
  transfer: "v9",
  rootMetadata: (ones(64n) << 128n) | 0x7_8fffn,
  /** @rule CAP-8 layout @source Woodruff et al., The CHERI capability model, ISCA 2014 */
  toMemory: ({ metadata, address }) => ((metadata >> 64n) << 128n) | (address << 64n) | (metadata & ones(64n)),
  fromMemory: (granule) => ({
    metadata: ((granule >> 128n) << 64n) | (granule & ones(64n)),
    address: (granule >> 64n) & ones(64n),
  }),
  plainAddress: (address) => address,
  decodeBounds: (metadata) => {
    const base = extract(baseWord, metadata);
    return { base, top: base + lengthOf(metadata), valid: true, exponent: 0n, internalExponent: false };
  },
  /** @rule CAP-8 length @source Woodruff et al., The CHERI capability model, ISCA 2014 */
  encodeBounds: (metadata, base, top) => {
    // The one length that cannot be told from the whole space is rounded outward to it.
    const length = top - base;
    const exact = length !== ones(64n);
    const stored = length < space ? length : ones(64n);
    return { metadata: deposit(lengthWord, deposit(baseWord, metadata, exact ? base : 0n), stored), exact };
  },
  relocationAlignment: () => 32n,
  alignmentMask: (length) => (length === ones(64n) ? 0n : ones(64n)),
  flagBits: noFlagBits,
  fastCheck: () => true,
  ...plainPermissions([
    { field: bits(11, 0), at: 0n },
    { field: bits(18, 15), at: 15n },
  ]),
  otypeOf: (metadata) => extract(otype, metadata),
  withOtype: (metadata, value) => deposit(otype, metadata, value),
  flagsOf: ({ metadata }) => extract(flag, metadata),
  withFlags: ({ metadata, address }, flags) => ({ metadata: deposit(flag, metadata, flags), address }),
  reservedBits: (metadata) => reserved.reduce((set, field) => set | (extract(field, metadata) << field.low), 0n),
});
