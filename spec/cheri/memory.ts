/**
 * Tagged memory as a value: a run of granules, each with its bits and one tag (MEM-2, MEM-8).
 *
 * Offsets are bytes from the start of the run. An access should lie within it (the caller has checked bounds and pages):
 * what lies outside reads as zero, and is not stored.
 * Bytes are little-endian, within integers and within granules.
 */
import { deposit, ones } from "./bits.js";
import type { Capability, CapabilityFormat } from "./capability.js";

/** One granule: its bytes as one little-endian number, and its tag. */
export interface Granule {
  readonly tag: boolean;
  readonly bits: bigint;
}

export type TaggedMemory = readonly Granule[];

/**
 * Memory that was never written: zero bytes, no tags.
 * @rule REUSE-2 zero @source CHERI ISAv9 §3.6 (tagged memory on reset)
 */
export const zeroGranule: Granule = { tag: false, bits: 0n };

/** The granules that `size` bytes from `offset` touch, as first and last index. */
const touched = (format: CapabilityFormat, offset: bigint, size: bigint): readonly [first: number, last: number] => [
  Number(offset / format.granule),
  Number((offset + size - 1n) / format.granule),
];

const granuleBits = (format: CapabilityFormat): bigint => 8n * format.granule;

/**
 * `size` ≥ 1 bytes from `offset` as an unsigned integer, whatever granules they lie in.
 * @rule MEM-8 load @source CHERI ISAv9 §7 L[BHWD][U].CAP
 */
export const loadBytes = (format: CapabilityFormat, memory: TaggedMemory, offset: bigint, size: bigint): bigint => {
  const [first, last] = touched(format, offset, size);
  const run = memory
    .slice(first, last + 1)
    .reduceRight((above, granule) => (above << granuleBits(format)) | granule.bits, 0n);
  return (run >> (8n * (offset % format.granule))) & ones(8n * size);
};

/**
 * Store `size` ≥ 1 bytes; every granule that they touch loses its tag.
 * @rule MEM-2 store @source CHERI ISAv9 §3.5.2
 */
export const storeBytes = (
  format: CapabilityFormat,
  memory: TaggedMemory,
  offset: bigint,
  size: bigint,
  value: bigint,
): TaggedMemory => {
  const [first, last] = touched(format, offset, size);
  const span = BigInt(last - first + 1) * format.granule;
  const old = loadBytes(format, memory, BigInt(first) * format.granule, span);
  const field = { low: 8n * (offset % format.granule), mask: ones(8n * size) };
  const run = deposit(field, old, value);
  return memory.map((granule, index) =>
    index < first || index > last
      ? granule
      : { tag: false, bits: (run >> (BigInt(index - first) * granuleBits(format))) & ones(granuleBits(format)) },
  );
};

/**
 * The capability in the granule at `offset`, a multiple of the granule.
 * @rule MEM-8 load-granule @source CHERI ISAv9 §3.5.1 (in-memory representation), §3.5.2
 */
export const loadGranule = (format: CapabilityFormat, memory: TaggedMemory, offset: bigint): Capability => {
  const granule = memory[Number(offset / format.granule)] ?? zeroGranule;
  return format.decode(format.fromMemory(granule.bits), granule.tag);
};

/**
 * Store a capability with its tag in the granule at `offset`.
 * @rule MEM-8 store-granule @source CHERI ISAv9 §3.5.1 (in-memory representation), §3.5.2
 */
export const storeGranule = (
  format: CapabilityFormat,
  memory: TaggedMemory,
  offset: bigint,
  capability: Capability,
): TaggedMemory => {
  const at = Number(offset / format.granule);
  const stored = { tag: capability.tag, bits: format.toMemory(capability) };
  return memory.map((granule, index) => (index === at ? stored : granule));
};

/** Granules that CLoadTags reads at once. */
export const tagGroup = 4n;

/**
 * The tags of the group of four granules at `offset`, the lowest in bit 0.
 * @rule MEM-6 tags @source CHERI ISAv9 §7 CLoadTags
 */
export const loadTagGroup = (format: CapabilityFormat, memory: TaggedMemory, offset: bigint): bigint => {
  const first = Number(offset / format.granule);
  return memory
    .slice(first, first + Number(tagGroup))
    .reduce((tags, granule, index) => (granule.tag ? tags | (1n << BigInt(index)) : tags), 0n);
};

/**
 * An integer of `size` bytes as a load delivers it: sign-extended, or zero-extended if `unsigned`.
 * @rule MEM-8 extend @source CHERI ISAv9 §7 L[BHWD][U].CAP
 */
export const extend = (format: CapabilityFormat, value: bigint, size: bigint, unsigned: boolean): bigint =>
  unsigned ? value : BigInt.asUintN(Number(format.addressBits), BigInt.asIntN(8 * Number(size), value));
