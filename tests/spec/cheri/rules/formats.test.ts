/** CAP-8: the layout of `uncompressed256`, our own. */
import { expect, test } from "vitest";
import { formats, setAddress, setBounds, setBoundsExact } from "../../../../spec/cheri/index.js";
import { capability } from "./capabilities.js";

const format = formats.uncompressed256;

/** Four little-endian words as one number. */
const words = (first: bigint, address: bigint, base: bigint, length: bigint): bigint =>
  first | (address << 64n) | (base << 128n) | (length << 192n);

test("CAP-8 layout: permissions, flag and type; address; base; length", () => {
  const object = capability(format, {
    base: 0x1000n,
    top: 0x1234n,
    address: 0xffff_ffff_ffff_fff0n,
    otype: 0x123456n,
    flags: 1n,
    allow: ["global", "load", "user3"],
  });
  const bits = words(0x1234_5600_000c_0005n, 0xffff_ffff_ffff_fff0n, 0x1000n, 0x234n);
  expect(format.toMemory(object)).toBe(bits);
  expect(format.decode(format.fromMemory(bits), true)).toEqual(object);
  expect(setAddress(format, capability(format), 0xffff_ffff_ffff_fff0n).tag).toBe(true);
});

test("CAP-8 length: 2^64 is the largest word, which no shorter length may be", () => {
  const saturated = (1n << 64n) - 1n;
  const lengthWord = (base: bigint, top: bigint): readonly [bigint, boolean] => {
    const { metadata, exact } = format.encodeBounds(0n, base, top);
    return [metadata >> 128n, exact];
  };
  expect(lengthWord(0n, 1n << 64n)).toEqual([saturated, true]);
  expect(lengthWord(0n, saturated - 1n)).toEqual([saturated - 1n, true]);
  expect(lengthWord(0n, saturated)).toEqual([saturated, false]);
  expect(lengthWord(7n, 0x1007n)).toEqual([0x1000n, true]);
  expect(format.decodeBounds(saturated << 128n, 0n)).toMatchObject({ base: 0n, top: 1n << 64n });
  // A request for 2^64 - 1 bytes gets the whole address space, and an exact one no tag.
  const root = format.decode({ metadata: format.rootMetadata, address: 0n }, true);
  expect(setBounds(format, root, saturated)).toMatchObject({ tag: true, base: 0n, top: 1n << 64n });
  expect(setBoundsExact(format, root, saturated).tag).toBe(false);
});
