/** CAP-1 and CAP-2: what a word says, and which word says it. Words and bounds are from the vectors unless derived here. */
import { expect, test } from "vitest";
import {
  formats,
  nullCapability,
  representableAlignmentMask,
  representableLength,
  requestBounds,
  rootCapability,
  setAddress,
  setBounds,
  setBoundsExact,
  type CapabilityFields,
  type CapabilityWord,
  type FormatName,
} from "../../../../spec/cheri/index.js";
import { all, capability, rvy, sealedType, windows, word } from "./capabilities.js";

const said: readonly (readonly [FormatName, CapabilityWord, Omit<CapabilityFields, "tag" | "address">])[] = [
  [
    "cheri128-v9",
    { metadata: 0xffff200002498007n, address: 0xec27000000000000n },
    { base: 0xec27000000000000n, top: 0xec2700000000c900n, permissions: 0x78fffn, otype: 0x3ffffn, flags: 1n },
  ],
  [
    "cheri64-v9",
    { metadata: 0xfaa7e2afn, address: 0xb39e11c9n },
    { base: 0xb39e11adn, top: 0xb39e11e1n, permissions: 0xfaan, otype: 0n, flags: 0n },
  ],
  [
    "morello",
    { metadata: 0x93f1f57008c75ae2n, address: 0x11318460b74cac82n },
    { base: 0x318460b74b5c00n, top: 0x318460b7591800n, permissions: 0x24fc7n, otype: 0x6ae0n, flags: 0x11n },
  ],
  [
    "rvy128",
    { metadata: 0x1eff8000a5e6695n, address: 0x5cbc0000000000n },
    { base: 0x53480000000000n, top: 0x5cbc0000000000n, permissions: 0x703ffn, otype: 1n, flags: 0n },
  ],
  [
    "rvy64",
    { metadata: 0xd315d173n, address: 0x30cb8dc9n },
    { base: 0x30cb2e00n, top: 0x30cb4e80n, permissions: 0x700ffn, otype: 1n, flags: 1n },
  ],
  // The first word: otype 7 in 63:40, flag in 19, user0, load and global; then base and length (CAP-8).
  [
    "uncompressed256",
    { metadata: (0x345n << 128n) | (0x1234567n << 64n) | 0x0000_0700_0008_8005n, address: 0xdeadn },
    { base: 0x1234567n, top: 0x12348acn, permissions: 0x8005n, otype: 7n, flags: 1n },
  ],
];

test("CAP-1 decode: a word and a tag say all of a capability", () => {
  for (const [name, bits, meaning] of said) {
    expect(formats[name].decode(bits, true), name).toEqual({ ...bits, ...meaning, tag: true });
    expect(formats[name].decode(bits, false), name).toEqual({ ...bits, ...meaning, tag: false });
  }
});

test("CAP-1 encode: one word says these fields, and where none does the tag goes", () => {
  for (const [name, bits, meaning] of said) {
    const fields = { ...meaning, address: bits.address, tag: true };
    expect(formats[name].encode(fields), name).toEqual({ ...bits, tag: true, exact: true });
    expect(formats[name].encode({ ...fields, tag: false }), name).toEqual({ ...bits, tag: false, exact: true });
  }
  // No compressed format has a length of 0xfffe at an odd base.
  for (const format of all.filter(({ name }) => name !== "uncompressed256")) {
    const fields = { ...capability(format), base: 1n, top: 0xffffn, address: 1n };
    expect(format.encode(fields), format.name).toMatchObject({ tag: false, exact: false });
  }
});

test("CAP-1 root: all permissions over the whole address space, unsealed", () => {
  const roots = {
    "cheri128-v9": {
      metadata: 0xffff_0000_0000_0000n,
      top: 1n << 64n,
      permissions: 0x78fffn,
      otype: 0x3ffffn,
      flags: 0n,
    },
    "cheri64-v9": { metadata: 0xfff0_0000n, top: 1n << 32n, permissions: 0xfffn, otype: 0xfn, flags: 0n },
    morello: { metadata: 0xffff_c000_0001_0005n, top: 1n << 64n, permissions: 0x3ffffn, otype: 0n, flags: 0n },
    rvy128: { metadata: 0x01ff_f800_0000_0000n, top: 1n << 64n, permissions: 0x703ffn, otype: 0n, flags: 1n },
    rvy64: { metadata: 0xd300_0000n, top: 1n << 32n, permissions: 0x700ffn, otype: 0n, flags: 1n },
    uncompressed256: {
      metadata: (((1n << 64n) - 1n) << 128n) | 0x7_8fffn,
      top: 1n << 64n,
      permissions: 0x78fffn,
      otype: 0n,
      flags: 0n,
    },
  };
  for (const format of all) {
    expect(rootCapability(format), format.name).toEqual({ ...roots[format.name], tag: true, base: 0n, address: 0n });
  }
});

test("CAP-1 null: an integer is an untagged word of zeros but for its address", () => {
  for (const format of all) {
    const integer = nullCapability(format, 0x1234n);
    expect(integer, format.name).toMatchObject({ tag: false, metadata: 0n, address: 0x1234n, permissions: 0n });
    expect(format.toMemory(nullCapability(format)), format.name).toBe(0n);
  }
});

test("CAP-1 mantissas: the exponent is taken from inside the mantissas", () => {
  const words = [
    ["cheri128-v9", 0xffff200002498007n, 3n, true],
    ["cheri64-v9", 0xfff00000n, 26n, true],
    ["cheri64-v9", 0xfaa7e2afn, 0n, false],
    ["morello", 0x93f1f57008c75ae2n, 5n, true],
    ["morello", 0x2a27b4d046494cf8n, 0n, false],
    ["rvy128", 0x1eff8000a5e6695n, 0x27n, true],
    ["rvy128", 0x5182afdf72e1c006n, -10n, true],
    ["rvy64", 0xfd15f42cn, 4n, true],
    ["rvy64", 0xd3091105n, 0n, false],
  ] as const;
  for (const [name, metadata, exponent, internalExponent] of words) {
    expect(formats[name].decodeBounds(metadata, 0n), name).toMatchObject({ exponent, internalExponent });
  }
});

test("CAP-1 bounds: they are the same throughout a window, and one window's size on at its ends", () => {
  for (const { name, metadata, base, length, start, size } of windows) {
    const baseAt = (address: bigint) => formats[name].decodeBounds(metadata, address).base;
    const topAt = (address: bigint) => formats[name].decodeBounds(metadata, address).top;
    expect([start, base, start + size - 1n].map(baseAt), name).toEqual([base, base, base]);
    expect([start, base, start + size - 1n].map(topAt), name).toEqual([base + length, base + length, base + length]);
    expect([baseAt(start - 1n), baseAt(start + size)], name).toEqual([base - size, base + size]);
    expect([topAt(start - 1n), topAt(start + size)], name).toEqual([base + length - size, base + length + size]);
  }
});

test("CAP-1 malformed: RVY bounds that cannot be are base 0, top 0 and invalid", () => {
  const words = [
    ["rvy128", 0xfd89e25d888e3798n], // the largest exponent with B not 0
    ["rvy128", 0xf03a25298bc43f89n], // the second largest with the top bit of B
    ["rvy128", 0x5182afdf72e1c006n], // an exponent of -10
    ["rvy64", 0x3f310260n],
    ["rvy64", 0xee74bb4dn],
    ["rvy64", 0x0004_0800n], // an internal exponent of 0: 24 is stored, as 1, 10 and 00
  ] as const;
  for (const [name, metadata] of words) {
    expect(formats[name].decodeBounds(metadata, 0x1234n), name).toMatchObject({ base: 0n, top: 0n, valid: false });
  }
});

/** Requests on the root that no word says: the bounds and the word that they become. */
const inexact = [
  [formats["cheri128-v9"], 0xffffffffffffedf1n, 0x120fn, 0xffff00000001adf4n, 0xffffffffffffedf0n, 1n << 64n],
  [formats["cheri64-v9"], 0n, 0x1daafn, 0xfff03a00n, 0n, 0x1e000n],
  [formats.rvy128, 0n, 0x2ce80n, 0x1fff800019f4007n, 0n, 0x2cf00n],
  [formats.rvy64, 0x3cfa21en, 0x1001n, 0xd3049620n, 0x3cfa200n, 0x3cfb240n],
  [formats.morello, 0xfff3097217c00000n, 0x74370n, 0xffffc000343f0003n, 0xfff3097217c00000n, 0xfff3097217c74380n],
] as const;

test("CAP-2 rounding: bounds that do not fit grow outward to the next that do", () => {
  for (const [format, base, length, metadata] of inexact) {
    const encoded = format.encodeBounds(format.rootMetadata, base, base + length);
    expect(encoded, format.name).toEqual({ metadata, exact: false });
  }
});

test("CAP-2 request: the request alone decides the bounds, the parent the tag", () => {
  for (const format of all) {
    const parent = { ...capability(format), address: 0x1040n };
    const sealed = capability(format, { otype: sealedType(format), address: 0x1040n });
    for (const [from, length, tag] of [
      [parent, 0xc0n, true],
      [parent, 0x100n, false], // past the top
      [{ ...parent, address: 0xfc0n }, 0xc0n, false], // below the base
      [sealed, 0xc0n, false],
      [{ ...parent, tag: false }, 0xc0n, false],
    ] as const) {
      const result = requestBounds(format, from, length);
      expect(result, format.name).toMatchObject({
        capability: { base: from.address, top: from.address + length, tag },
        exact: true,
      });
    }
  }
  for (const format of rvy) {
    const malformed = word(format.name, format.name === "rvy64" ? 0x3f310260n : 0xfd89e25d888e3798n, 0n);
    expect(requestBounds(format, malformed, 0n).capability.tag, format.name).toBe(false);
  }
});

test("CAP-2 csetbounds: bounds begin at the address, and grow where they do not fit", () => {
  for (const format of all) {
    const parent = { ...capability(format), address: 0x1040n };
    const { permissions, otype } = parent;
    const expected = { tag: true, base: 0x1040n, top: 0x1060n, address: 0x1040n, permissions, otype };
    expect(setBounds(format, parent, 0x20n), format.name).toMatchObject(expected);
    expect(setBounds(format, parent, (1n << format.addressBits) + 0x20n), format.name).toMatchObject(expected);
  }
  for (const [format, address, length, metadata, base, top] of inexact) {
    const parent = setAddress(format, rootCapability(format), address);
    const expected = { tag: true, metadata, address, base, top };
    expect(setBounds(format, parent, length), format.name).toMatchObject(expected);
  }
});

test("CAP-2 csetboundsexact: a result that had to grow has no tag", () => {
  for (const format of all) {
    const parent = { ...capability(format), address: 0x1040n };
    expect(setBoundsExact(format, parent, 0x20n), format.name).toMatchObject({
      tag: true,
      base: 0x1040n,
      top: 0x1060n,
    });
  }
  for (const [format, address, length, metadata, base, top] of inexact) {
    const parent = setAddress(format, rootCapability(format), address);
    const expected = { tag: false, metadata, address, base, top };
    expect(setBoundsExact(format, parent, length), format.name).toMatchObject(expected);
  }
});

/** `crrl` vectors: a length, the least that is exact, and the mask that aligns a base for it. */
const lengths = [
  [formats["cheri128-v9"], 0x10040n, 0x10080n, 0xffffffffffffff80n],
  [formats["cheri128-v9"], 0xffc00000000001n, 0x100000000000000n, 0xffff800000000000n],
  [formats["cheri64-v9"], 0xd0n, 0xd0n, 0xfffffff0n],
  [formats["cheri64-v9"], 0x10001n, 0x12000n, 0xffffe000n],
  [formats.morello, 0x1fffn, 0x1fffn, 0xffffffffffffffffn],
  [formats.morello, 0x3fffffn, 0x400000n, 0xfffffffffffff800n],
  [formats.rvy128, 0x7fdffen, 0x7fe000n, 0xffffffffffffe000n],
  [formats.rvy64, 0x7ffn, 0x800n, 0xffffffe0n],
  [formats.rvy64, 0x2040n, 0x2080n, 0xffffff80n],
  [formats.uncompressed256, 0x2041n, 0x2041n, 0xffffffffffffffffn],
] as const;

test("CAP-2 crrl: the least length that bounds can have exactly", () => {
  for (const [format, length, representable] of lengths) {
    expect(representableLength(format, length), format.name).toBe(representable);
  }
  // What grows to the whole address space is 0.
  for (const format of all) {
    expect(representableLength(format, (1n << format.addressBits) - 1n), format.name).toBe(0n);
  }
});

test("CAP-2 cram: the address bits that a base leaves zero for such a length", () => {
  for (const [format, length, , mask] of lengths) {
    expect(representableAlignmentMask(format, length), format.name).toBe(mask);
  }
});
