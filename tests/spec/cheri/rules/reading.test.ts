/** The CAP-1 instructions that read and compare: integers of XLEN bits, whatever the format's granule. */
import { expect, test } from "vitest";
import {
  equalExact,
  formats,
  getHigh,
  getLength,
  getOffset,
  getTop,
  rootCapability,
  subtract,
  toPointer,
} from "../../../../spec/cheri/index.js";
import { all, capability, sealedType, word } from "./capabilities.js";

test("CAP-1 cgetlen: top less base, at most the largest integer", () => {
  for (const format of all) {
    expect(getLength(format, capability(format)), format.name).toBe(0x100n);
    expect(getLength(format, rootCapability(format)), format.name).toBe((1n << format.addressBits) - 1n);
  }
  // A word whose base lies above its top (vectors): the length wraps in one bit more, and then saturates.
  expect(getLength(formats["cheri64-v9"], word("cheri64-v9", 0xdeb5a8b9n, 0x5e3ed5can))).toBe(0xffffffffn);
  // Malformed bounds have length 0.
  expect(getLength(formats.rvy64, word("rvy64", 0x0004_0800n, 0n))).toBe(0n);
});

test("CAP-1 cgettop: one past the last byte, at most the largest integer", () => {
  for (const format of all) {
    expect(getTop(format, capability(format)), format.name).toBe(0x1100n);
    expect(getTop(format, rootCapability(format)), format.name).toBe((1n << format.addressBits) - 1n);
  }
});

test("CAP-1 cgetoffset: address less base, modulo 2^XLEN", () => {
  for (const format of all) {
    expect(getOffset(format, capability(format, { address: 0x1012n })), format.name).toBe(0x12n);
    expect(getOffset(format, capability(format, { address: 0xff0n })), format.name).toBe(
      (1n << format.addressBits) - 0x10n,
    );
  }
});

test("CAP-1 cgethigh: the metadata word as it lies in memory", () => {
  expect(getHigh(formats["cheri128-v9"], word("cheri128-v9", 0xffff200002498007n, 1n))).toBe(0xffff200002498007n);
  expect(getHigh(formats["cheri64-v9"], word("cheri64-v9", 0xfaa7e2afn, 1n))).toBe(0xfaa7e2afn);
  expect(getHigh(formats.uncompressed256, rootCapability(formats.uncompressed256))).toBe(0x78fffn);
});

test("CAP-1 csetequalexact: tag and every bit are equal", () => {
  for (const format of all) {
    const one = capability(format);
    expect(equalExact(one, capability(format)), format.name).toBe(true);
    for (const other of [
      { tag: false },
      { address: 0x1001n },
      { top: 0x1080n },
      { otype: sealedType(format) },
      { allow: ["load"] as const },
    ]) {
      expect(equalExact(one, capability(format, other)), format.name).toBe(false);
    }
  }
  // A reserved bit is a bit, too, though no field shows it.
  const reserved = word("cheri128-v9", 0xffff_4000_0000_0000n, 0n);
  expect(equalExact(rootCapability(formats["cheri128-v9"]), reserved)).toBe(false);
});

test("CAP-1 csub: the difference of the addresses, modulo 2^XLEN", () => {
  for (const format of all) {
    const [low, high] = [capability(format), capability(format, { address: 0x1010n })];
    expect(subtract(format, high, low), format.name).toBe(0x10n);
    expect(subtract(format, low, high), format.name).toBe((1n << format.addressBits) - 0x10n);
  }
});

test("CAP-1 ctoptr: the address from the other's base on, 0 for an untagged capability", () => {
  for (const format of all) {
    const pointer = capability(format, { address: 0x1010n });
    expect(toPointer(format, pointer, capability(format, { base: 0x800n })), format.name).toBe(0x810n);
    expect(toPointer(format, pointer, rootCapability(format)), format.name).toBe(0x1010n);
    expect(toPointer(format, { ...pointer, tag: false }, rootCapability(format)), format.name).toBe(0n);
  }
});
