/** FORK-3: the arithmetic of moving a capability. Words are from the `relocate` vectors. */
import { expect, test } from "vitest";
import { formats, relocate, rootCapability } from "../../../../spec/cheri/index.js";
import { all, capability, sealedType, windows, word } from "./capabilities.js";

const moves = [
  {
    name: "cheri128-v9",
    metadata: 0xffff20000001c000n,
    address: 0xe7ffffffff80003bn,
    delta: -0x68000n,
    to: 0xffff200003e7ff98n,
    base: 0xe7fffffffff98000n,
    top: 0xe800000000f98000n,
    exact: true,
  },
  {
    name: "cheri128-v9",
    metadata: 0xffff0000035f8007n,
    address: 0x5bb0n,
    delta: 0x58n,
    to: 0xffff00000363800fn,
    base: 0x40n,
    top: 0xec40n,
    exact: false,
  },
  {
    name: "cheri64-v9",
    metadata: 0xfff811e6n,
    address: 0x59b84941n,
    delta: 0x68800000n,
    to: 0xfff8196en,
    base: 0xb6800000n,
    top: 0xbd800000n,
    exact: true,
  },
  {
    name: "cheri64-v9",
    metadata: 0xd5f03102n,
    address: 0x6fffffn,
    delta: 0xb1885000n,
    to: 0xd5f0018an,
    base: 0xb1880000n,
    top: 0xb2000000n,
    exact: false,
  },
  {
    name: "morello",
    metadata: 0xffffc0004f800000n,
    address: 0x7ffffffe00b1dan,
    delta: 0xffef01f77bdb9b83n - (1n << 64n),
    to: 0xffffc0006b039b83n,
    base: 0x6f01f779db9b83n,
    top: 0x6f01f779dbab03n,
    exact: true,
  },
  {
    name: "morello",
    metadata: 0xffffc000244302a5n,
    address: 0x5381908ee2140en,
    delta: 0x6000n,
    to: 0xffffc000244b02a5n,
    base: 0x540a8000000000n,
    top: 0x55912000000000n,
    exact: false,
  },
  {
    name: "rvy128",
    metadata: 0x1f5580003e08000n,
    address: 0x8c2b8e89de10n,
    delta: 0xccaa000000000000n,
    to: 0x1f5580003e0a000n,
    base: 0xccaa000000000000n,
    top: 0xccabf80000000000n,
    exact: true,
  },
  {
    name: "rvy128",
    metadata: 0x1fff8000052ce4dn,
    address: 0xffffffee3b564f6cn,
    delta: 0x23fdf0cd8n,
    to: 0x1fff8000172d2c5n,
    base: 0xffffffe960000000n,
    top: 0xfffffff2e4000000n,
    exact: false,
  },
  {
    name: "rvy64",
    metadata: 0xd1000c03n,
    address: 0x98dffdcn,
    delta: 0xf800n,
    to: 0xd101fc7fn,
    base: 0x988f800n,
    top: 0x98af800n,
    exact: true,
  },
  {
    name: "rvy64",
    metadata: 0xd901d56an,
    address: 0x31a00025n,
    delta: -0x17000n,
    to: 0xd901d566n,
    base: 0x35900000n,
    top: 0x39d00000n,
    exact: false,
  },
] as const;

test("FORK-3 encode: base, top and address move by the distance, or the tag goes", () => {
  for (const { name, metadata, address, delta, to, base, top, exact } of moves) {
    const format = formats[name];
    const moved = relocate(format, word(name, metadata, address), delta);
    const cursor = BigInt.asUintN(Number(format.addressBits), address + delta);
    const capability = { metadata: to, address: cursor, base, top, tag: exact };
    expect(moved, name).toMatchObject({ capability, exact, boundsExact: exact });
  }
  // Permissions, type and flags stay; 0x1000 suffices for 0x100 bytes in bounds, sealed or not.
  for (const format of all) {
    for (const otype of [format.otypes.unsealed, sealedType(format)]) {
      const object = capability(format, { otype, address: 0x1040n });
      const there = capability(format, { otype, base: 0x5000n, address: 0x5040n });
      expect(relocate(format, object, 0x4000n), format.name).toEqual({
        capability: there,
        exact: true,
        boundsExact: true,
      });
      const untagged = relocate(format, { ...object, tag: false }, 0x4000n);
      expect(untagged, format.name).toMatchObject({ capability: { ...there, tag: false }, exact: true });
    }
    // Out of the address space, at either end.
    expect(relocate(format, capability(format), -0x1001n), format.name).toMatchObject({
      capability: { tag: false },
      exact: false,
    });
    expect(relocate(format, rootCapability(format), 1n), format.name).toMatchObject({
      capability: { tag: false },
      exact: false,
    });
  }
});

test("FORK-3 edges: bounds that are malformed or would leave the address space are not encoded: only the address moves", () => {
  const refused = [
    // Malformed, even where nothing moves.
    ["rvy64", 0xb1523054n, 0x1c41b4f8n, 0n],
    ["rvy64", 0xb1523054n, 0x1c41b4f8n, 0x1000n],
    // Base above top.
    ["morello", 0x5dcd58c42c61d66en, 0x432fba38b97ca18cn, 0x20000000n],
    // Empty, from 0xa0000000 to the end of the address space, where no base can be.
    ["cheri64-v9", 0x973f2e6fn, 0x2cac15d6n, 0x60000000n],
  ] as const;
  for (const [name, metadata, address, delta] of refused) {
    const capability = { metadata, address: address + delta, tag: false };
    expect(relocate(formats[name], word(name, metadata, address), delta), name).toMatchObject({
      capability,
      exact: false,
      boundsExact: false,
    });
  }
  for (const format of all) {
    const object = capability(format);
    const end = 1n << format.addressBits;
    // By nothing at all.
    expect(relocate(format, object, 0n), format.name).toEqual({ capability: object, exact: true, boundsExact: true });
    // A byte too far down, and a page too far up.
    for (const delta of [-object.base - 1n, end - object.top + 0x1000n]) {
      const address = BigInt.asUintN(Number(format.addressBits), object.address + delta);
      expect(relocate(format, object, delta), format.name).toMatchObject({
        capability: { metadata: object.metadata, address, tag: false },
        exact: false,
        boundsExact: false,
      });
    }
  }
  // Where nothing moves, everything stays, even a top (its 65th bit set) that no request can have.
  const odd = word("uncompressed256", 0xebd57d70cb10b6ed6462796b42ae954c01cfbf61325f6a70n, 0x90ecf4afc15b61f3n);
  expect(odd.top).toBeGreaterThan(1n << 64n);
  expect(relocate(formats.uncompressed256, odd, 0n)).toEqual({ capability: odd, exact: true, boundsExact: true });
});

test("FORK-6 alignment: the step of the window or the unit of the bounds, whichever is larger", () => {
  const alignments = [
    // MW is 14, 8 and 16: at least 2^11, 2^5 and 2^13, and half of longer lengths.
    ["cheri128-v9", 1n, 0x800n],
    ["cheri128-v9", 0x10000n, 0x8000n],
    ["cheri128-v9", 0x1800000n, 0x800000n],
    ["cheri64-v9", 1n, 0x20n],
    ["cheri64-v9", 0x10000n, 0x8000n],
    ["morello", 1n, 0x2000n],
    ["morello", 0x100000n, 0x80000n],
    // RVY: 1 without an exponent, else 2^(E+L) for a length from 2^(E+MW-2) on.
    ["rvy128", 0xfffn, 1n],
    ["rvy128", 0x1000n, 8n],
    ["rvy128", 0x1000000n, 0x8000n],
    ["rvy64", 0x1ffn, 1n],
    ["rvy64", 0x10000n, 0x400n],
    ["uncompressed256", 1n, 32n],
  ] as const;
  for (const [name, length, alignment] of alignments) {
    expect(formats[name].relocationAlignment(length), `${name} ${length.toString()}`).toBe(alignment);
  }
  // Morello, a short capability with its address at the end of its window: a page is not enough, 8192 bytes are.
  const { metadata, start, size } = windows[2];
  const far = word("morello", metadata, start + size - 1n);
  expect([0x1000n, 0x2000n].map((distance) => relocate(formats.morello, far, distance).exact)).toEqual([false, true]);
});
