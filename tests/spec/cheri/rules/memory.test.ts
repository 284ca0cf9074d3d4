/** MEM-2, MEM-6, MEM-8, REUSE-2: tagged memory as a value. */
import { expect, test } from "vitest";
import {
  extend,
  formats,
  loadBytes,
  loadGranule,
  loadTagGroup,
  nullCapability,
  rootCapability,
  storeBytes,
  storeGranule,
  zeroGranule,
  type CapabilityFormat,
  type TaggedMemory,
} from "../../../../spec/cheri/index.js";
import { all, capability } from "./capabilities.js";

/** A little-endian granule of the bytes from `first` on: first, first + 1, first + 2... */
const countedBits = (format: CapabilityFormat, first: number): bigint =>
  Array.from({ length: Number(format.granule) }, (_, index) => BigInt(first + index) << BigInt(8 * index)).reduce(
    (bits, byte) => bits | byte,
    0n,
  );

/** Three tagged granules whose bytes are 1, 2, 3 and so on. */
const counted = (format: CapabilityFormat): TaggedMemory =>
  [0, 1, 2].map((index) => ({ tag: true, bits: countedBits(format, 1 + index * Number(format.granule)) }));

const tags = (memory: TaggedMemory): readonly boolean[] => memory.map(({ tag }) => tag);

/** Four bytes of `counted` across the first border. */
const across = { 8: 0x0a090807n, 16: 0x1211100fn, 32: 0x2221201fn } as Readonly<Record<string, bigint>>;

test("MEM-8 load: bytes are little-endian, within a granule and across", () => {
  for (const format of all) {
    const memory = counted(format);
    expect(loadBytes(format, memory, 0n, 1n), format.name).toBe(1n);
    expect(loadBytes(format, memory, 1n, 2n), format.name).toBe(0x0302n);
    expect(loadBytes(format, memory, 3n, 4n), format.name).toBe(0x07060504n);
    expect(loadBytes(format, memory, format.granule - 2n, 4n), format.name).toBe(across[format.granule.toString()]);
  }
});

test("MEM-2 store: every granule that the bytes touch loses its tag, and no other", () => {
  for (const format of all) {
    const memory = counted(format);
    const g = format.granule;
    const stores = [
      [0n, 1n, [false, true, true]],
      [2n * g - 1n, 1n, [true, false, true]],
      [g - 1n, 2n, [false, false, true]],
      [2n * g - 2n, 4n, [true, false, false]],
      [g, 4n, [true, false, true]],
    ] as const;
    for (const [offset, size, expected] of stores) {
      const stored = storeBytes(format, memory, offset, size, 0n);
      expect(tags(stored), format.name).toEqual(expected);
      expect(loadBytes(format, stored, offset, size), format.name).toBe(0n);
      // The bytes on either side stay.
      if (offset > 0n) expect(loadBytes(format, stored, offset - 1n, 1n), format.name).toBe(offset);
      expect(loadBytes(format, stored, offset + size, 1n), format.name).toBe(offset + size + 1n);
    }
    expect(loadBytes(format, storeBytes(format, memory, g - 2n, 4n, 0xddccbbaan), g - 1n, 2n), format.name).toBe(
      0xccbbn,
    );
  }
});

test("MEM-8 extend: to XLEN bits, with zeros or with the sign", () => {
  for (const format of all) {
    const ones = (1n << format.addressBits) - 1n;
    expect(extend(format, 0x80n, 1n, true), format.name).toBe(0x80n);
    expect(extend(format, 0x80n, 1n, false), format.name).toBe(ones - 0x7fn);
    expect(extend(format, 0x7fn, 1n, false), format.name).toBe(0x7fn);
    expect(extend(format, 0xffff_fffen, 4n, false), format.name).toBe(ones - 1n);
    expect(extend(format, 0xffff_fffen, 4n, true), format.name).toBe(0xffff_fffen);
  }
});

test("MEM-8 load-granule: the address is the lower word, the metadata the upper, the tag beside them", () => {
  const v9 = { tag: true, bits: (0xffff200002498007n << 64n) | 0xec27000000000000n };
  const expected = { metadata: 0xffff200002498007n, address: 0xec27000000000000n, top: 0xec2700000000c900n, tag: true };
  expect(loadGranule(formats["cheri128-v9"], [zeroGranule, v9], 16n)).toMatchObject(expected);
  const rvy64 = { tag: false, bits: (0xd315d173n << 32n) | 0x30cb8dc9n };
  const untagged = { metadata: 0xd315d173n, address: 0x30cb8dc9n, base: 0x30cb2e00n, tag: false };
  expect(loadGranule(formats.rvy64, [rvy64], 0n)).toMatchObject(untagged);
});

test("MEM-8 store-granule: the same bits and the tag, and nothing beside them", () => {
  const root = rootCapability(formats["cheri128-v9"]);
  const stored = storeGranule(formats["cheri128-v9"], counted(formats["cheri128-v9"]), 16n, root);
  expect(stored[1]).toEqual({ tag: true, bits: 0xffff_0000_0000_0000n << 64n });
  for (const format of all) {
    const memory = counted(format);
    for (const tag of [true, false]) {
      const object = capability(format, { tag, address: 0x1040n });
      const after = storeGranule(format, memory, format.granule, object);
      expect(after, format.name).toEqual([memory[0], { tag, bits: format.toMemory(object) }, memory[2]]);
      expect(loadGranule(format, after, format.granule), format.name).toEqual(object);
    }
  }
});

test("MEM-6 tags: four granules' tags, the lowest in bit 0", () => {
  for (const format of all) {
    const memory = [true, false, true, true, false, true, false, false].map((tag) => ({ tag, bits: 0n }));
    expect(loadTagGroup(format, memory, 0n), format.name).toBe(0b1101n);
    expect(loadTagGroup(format, memory, 4n * format.granule), format.name).toBe(0b0010n);
  }
});

test("REUSE-2 zero: fresh memory reads zero, and as the null capability", () => {
  expect(zeroGranule).toEqual({ tag: false, bits: 0n });
  for (const format of all) {
    expect(loadGranule(format, [zeroGranule], 0n), format.name).toEqual(nullCapability(format));
    expect(loadTagGroup(format, [zeroGranule, zeroGranule, zeroGranule, zeroGranule], 0n), format.name).toBe(0n);
  }
});
