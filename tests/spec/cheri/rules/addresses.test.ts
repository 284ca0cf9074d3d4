/** CAP-3: what changes an address, and when that costs the tag. Words and edges are from the vectors (capabilities.ts). */
import { expect, test } from "vitest";
import {
  clearTag,
  fastRepresentable,
  formats,
  fromPointer,
  incOffset,
  nullCapability,
  preciselyRepresentable,
  rootCapability,
  setAddress,
  setBounds,
  setFlags,
  setHigh,
  setOffset,
} from "../../../../spec/cheri/index.js";
import { all, capability, edges, rvy, sealedType, windows, word } from "./capabilities.js";

test("CAP-3 precise: every address of the window, and none beside it", () => {
  for (const { name, metadata, base, start, size } of windows) {
    const allows = (address: bigint) => preciselyRepresentable(formats[name], word(name, metadata, base), address);
    expect([start, start + size - 1n].map(allows), name).toEqual([true, true]);
    expect([start - 1n, start + size].map(allows), name).toEqual([false, false]);
  }
  for (const { name, metadata, from, to } of edges) {
    expect(preciselyRepresentable(formats[name], word(name, metadata, from), to), name).toBe(true);
  }
  // Bounds that are malformed, and read as 0 everywhere, cannot be kept (RVY).
  const malformed = word("rvy64", 0xc9b629ddn, 0x9d3c7cfbn);
  expect(preciselyRepresentable(formats.rvy64, malformed, 0x588765d7n)).toBe(false);
  const anywhere = capability(formats.uncompressed256);
  expect(preciselyRepresentable(formats.uncompressed256, anywhere, (1n << 64n) - 1n)).toBe(true);
});

test("CAP-3 fast: stricter than the precise check at the window's ends, never laxer", () => {
  for (const { name, metadata, base, start, size } of windows) {
    const allows = (address: bigint) => fastRepresentable(formats[name], word(name, metadata, base), address);
    expect([start - 1n, start, start + size - 2n, start + size].map(allows), name).toEqual([false, true, true, false]);
    // The last address: RVY has only the precise check.
    expect(allows(start + size - 1n), name).toBe(formats[name].transfer === "rvy");
  }
  for (const { name, metadata, from, to } of edges) {
    expect(fastRepresentable(formats[name], word(name, metadata, from), to), name).toBe(false);
  }
  // Bounds that are malformed cannot be kept (Morello exponent 51, from the vectors).
  const malformed = word("morello", 0x640cee07a9a185bcn, 0n);
  expect(fastRepresentable(formats.morello, malformed, 0n)).toBe(false);
});

test("CAP-3 fast-check: it sees neither the address's low bits nor a carry out of them", () => {
  // Bounds [0x714d0000, 0x71518000) with exponent 12; the window is [0x714a0000, 0x715a0000). From the formula: moving down
  // by I units of 2^12 is allowed while I does not pass the window's first unit, counted from the unit of the address, so the
  // low bits decide; moving up, the last unit is kept free; from the first unit nothing moves down.
  const format = formats["cheri64-v9"];
  const allows = (from: bigint, to: bigint) => format.fastCheck(word("cheri64-v9", 0xfff01ad6n, from), to);
  expect(allows(0x714cf000n, 0x714a0000n)).toBe(true);
  expect(allows(0x714cfff3n, 0x714a0001n)).toBe(false);
  expect(allows(0x714d0000n, 0x7159efffn)).toBe(true);
  expect(allows(0x714d0000n, 0x7159f000n)).toBe(false);
  expect(allows(0x714a0001n, 0x714a0000n)).toBe(false);
  // From MAXE - 2 on every address is representable.
  expect(format.fastCheck(rootCapability(format), 0xffffffffn)).toBe(true);
});

test("CAP-3 flag-bits: Morello's bounds and checks ignore bits 63:56, and bit 55 may not change", () => {
  const format = formats.morello;
  const flagged = setAddress(format, capability(format), 0xab00_0000_0000_1040n);
  expect(flagged).toMatchObject({ tag: true, base: 0x1000n, top: 0x1100n });
  // Set-bounds takes the address without flag bits while the parent's bounds ignore them...
  expect(setBounds(format, flagged, 0x20n)).toMatchObject({ tag: true, base: 0x1040n, top: 0x1060n });
  // ...and with them under the root, whose bounds do not; the result would ignore them, and loses its tag.
  const root = setAddress(format, rootCapability(format), 0xab00_0000_0000_1040n);
  expect(setBounds(format, root, 0x20n)).toMatchObject({ tag: false, base: 0x1040n, top: 0x1060n });
  // 2^55 bytes from 0: at -2^54 the same bounds are decoded, but bit 55 is another.
  const half = setBounds(format, rootCapability(format), 1n << 55n);
  const below = (1n << 64n) - (1n << 54n);
  expect(format.decodeBounds(half.metadata, below)).toMatchObject({ base: 0n, top: 1n << 55n });
  for (const move of [setAddress, incOffset, setOffset]) {
    expect(move(format, half, 1n << 54n)).toMatchObject({ tag: true, address: 1n << 54n });
    expect(move(format, half, below)).toMatchObject({ tag: false, address: below });
  }
});

test("CAP-3 csetaddr: the tag stays as far as the precise check allows", () => {
  for (const format of all) {
    const moved = { tag: true, address: 0x1040n, base: 0x1000n, top: 0x1100n };
    expect(setAddress(format, capability(format), 0x1040n), format.name).toMatchObject(moved);
    expect(setAddress(format, capability(format), (1n << format.addressBits) + 0x1040n)).toMatchObject(moved);
    const sealed = capability(format, { otype: sealedType(format) });
    expect(setAddress(format, sealed, 0x1000n), format.name).toEqual({ ...sealed, tag: false });
  }
  for (const { name, metadata, from, to } of edges) {
    expect(setAddress(formats[name], word(name, metadata, from), to), name).toMatchObject({ tag: true, address: to });
  }
  for (const { name, metadata, base, length, start, size } of windows) {
    const object = setBounds(formats[name], setAddress(formats[name], rootCapability(formats[name]), base), length);
    const beside = { tag: false, metadata: object.metadata, address: start + size, base: base + size };
    expect(setAddress(formats[name], object, start + size), name).toMatchObject(beside);
    expect(setAddress(formats[name], word(name, metadata, base), start + size).tag, name).toBe(false);
  }
});

test("CAP-3 cincoffset: the tag stays as far as the fast check allows", () => {
  for (const format of all) {
    const back = (1n << format.addressBits) - 0x10n;
    const moved = { tag: true, base: 0x1000n, top: 0x1100n };
    expect(incOffset(format, capability(format), 0x40n), format.name).toMatchObject({ ...moved, address: 0x1040n });
    expect(incOffset(format, capability(format), back), format.name).toMatchObject({ ...moved, address: 0xff0n });
    const sealed = capability(format, { otype: sealedType(format) });
    expect(incOffset(format, sealed, 0n), format.name).toEqual({ ...sealed, tag: false });
  }
  for (const { name, metadata, from, to } of edges) {
    const moved = incOffset(formats[name], word(name, metadata, from), to - from);
    expect(moved, name).toMatchObject({ tag: false, address: to });
  }
});

/** `edges`, as offsets from the base. */
const offsets = edges.map(({ name, metadata, from, to }) => {
  const object = word(name, metadata, from);
  return { name, object, to, offset: to - object.base };
});

test("CAP-3 csetoffset: the offset counts from the base; the fast check", () => {
  for (const format of all) {
    const object = capability(format, { address: 0x1080n });
    expect(setOffset(format, object, 0x40n), format.name).toMatchObject({ tag: true, address: 0x1040n });
    const sealed = capability(format, { otype: sealedType(format) });
    expect(setOffset(format, sealed, 0n), format.name).toEqual({ ...sealed, tag: false });
  }
  for (const { name, object, to, offset } of offsets) {
    expect(setOffset(formats[name], object, offset), name).toMatchObject({ tag: false, address: to });
  }
});

test("CAP-3 cfromptr: 0 gives null, another integer the offset from the base; the fast check", () => {
  for (const format of all) {
    const object = capability(format, { address: 0x1080n });
    expect(fromPointer(format, object, 0n), format.name).toEqual(nullCapability(format));
    expect(fromPointer(format, object, 1n << format.addressBits), format.name).toEqual(nullCapability(format));
    expect(fromPointer(format, object, 0x40n), format.name).toMatchObject({ tag: true, address: 0x1040n });
  }
  for (const { name, object, to, offset } of offsets) {
    expect(fromPointer(formats[name], object, offset), name).toMatchObject({ tag: false, address: to });
  }
});

test("CAP-3 csetflags: the flag of the format and no other bit; a sealed capability loses its tag", () => {
  const expected = {
    "cheri128-v9": [1n, { metadata: 0xffff_2000_0000_0000n, address: 0n }],
    "cheri64-v9": [1n, { metadata: 0xfff8_0000n, address: 0n }],
    morello: [0xabn, { metadata: 0xffff_c000_0001_0005n, address: 0xab00_0000_0000_0000n }],
    rvy128: [0n, { metadata: 0x01ef_f800_0000_0000n, address: 0n }],
    rvy64: [0n, { metadata: 0xd100_0000n, address: 0n }],
    uncompressed256: [1n, { metadata: (((1n << 64n) - 1n) << 128n) | 0xf_8fffn, address: 0n }],
  } as const;
  for (const format of all) {
    const [flags, bits] = expected[format.name];
    expect(setFlags(format, rootCapability(format), flags), format.name).toMatchObject({ ...bits, flags, tag: true });
    const sealed = capability(format, { otype: sealedType(format) });
    expect(setFlags(format, sealed, sealed.flags), format.name).toEqual({ ...sealed, tag: false });
  }
  // RVY has no mode to set without execute permission.
  for (const format of rvy) {
    const data = capability(format, { allow: ["load"] });
    expect(setFlags(format, data, 1n), format.name).toEqual(data);
  }
});

test("CAP-3 ccleartag: the same bits, untagged", () => {
  for (const format of all) {
    const object = capability(format);
    expect(clearTag(object), format.name).toEqual({ ...object, tag: false });
    expect(clearTag({ ...object, tag: false }), format.name).toEqual({ ...object, tag: false });
  }
});

test("CAP-3 csethigh: the metadata word is what was written, and never tagged", () => {
  const v9 = setHigh(formats["cheri128-v9"], capability(formats["cheri128-v9"]), 0xffff200002498007n);
  expect(v9).toMatchObject({
    tag: false,
    metadata: 0xffff200002498007n,
    address: 0x1000n,
    permissions: 0x78fffn,
    flags: 1n,
  });
  const rvy64 = setHigh(formats.rvy64, capability(formats.rvy64), 0x1_d300_0000n);
  expect(rvy64).toMatchObject({ tag: false, metadata: 0xd300_0000n, base: 0n, top: 1n << 32n });
  // Of uncompressed256 the first word: base and length stay.
  const wide = setHigh(formats.uncompressed256, capability(formats.uncompressed256), 0x5n);
  expect(wide).toMatchObject({ tag: false, base: 0x1000n, top: 0x1100n, permissions: 5n });
});
