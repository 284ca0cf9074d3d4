/** What is read of a core, and what becomes of it in a region; expected values are worked out by hand from the core. */
import { describe, expect, test } from "vitest";
import { readCore } from "../../../conformance/image/core.js";
import { parseMaps } from "../../../conformance/image/maps.js";
import { imageFormats, packed } from "../../../conformance/image/pack.js";
import { countPointers } from "../../../conformance/image/pointers.js";
import { data, dataPage, makeCore, pageOf, registers, smallCore, stack, text } from "./cores.js";

const image = readCore(smallCore());

describe("a core", () => {
  test("is read with its mappings, pages and registers", () => {
    expect(image).toMatchObject({ machine: "x86-64", segments: 3, zeroPages: 1, kernelPages: 0 });
    expect(image.mappings).toEqual([
      {
        start: text,
        end: text + 0x1000,
        protection: { read: true, write: false, execute: true },
        name: "/usr/bin/small",
      },
      { start: data, end: data + 0x2000, protection: { read: true, write: true, execute: false }, name: "anonymous" },
      { start: stack, end: stack + 0x1000, protection: { read: true, write: true, execute: false }, name: "[stack]" },
    ]);
    expect([...image.pages]).toEqual([text, data, stack]);
    expect(image.threads[0]?.get("rip")).toBe(BigInt(text + 8));
    expect(image.threads[0]?.get("rbx")).toBe(BigInt(data + 0x10));
    expect(Buffer.from(image.words.buffer, 4096, 4096).equals(dataPage)).toBe(true);
  });

  test("without the kernel's pages, by the auxiliary vector or by the maps", () => {
    const pieces = [
      { start: data, bytes: dataPage, flags: 6 },
      { start: 0x7fff00000000, bytes: pageOf({ 0: BigInt(data) }), flags: 5 },
    ];
    const noted = readCore(makeCore({ pieces, vdso: 0x7fff00000000 }));
    expect([...noted.pages, noted.kernelPages]).toEqual([data, 1]);
    const maps = parseMaps(
      "maps",
      "600000-601000 rw-p 0 00:00 0 [heap]\n7fff00000000-7fff00001000 r-xp 0 00:00 0 [vdso]\n",
    );
    const mapped = readCore(makeCore({ pieces }), { maps });
    expect([...mapped.pages, mapped.kernelPages]).toEqual([data, 1]);
    expect(mapped.mappings.map(({ name }) => name)).toEqual(["[heap]"]);
    // Where nothing says so, it is a page like others.
    expect(readCore(makeCore({ pieces })).kernelPages).toBe(0);
  });

  test("with files that it left out: pointers lead there", () => {
    const core = makeCore({
      pieces: [{ start: data, bytes: pageOf({ 0: 0x30_0008n, 8: 0x30_1000n }), flags: 6 }],
      files: [{ start: 0x300000, end: 0x301000, name: "/usr/lib/left-out.so" }],
    });
    expect(countPointers(readCore(core)).pointers).toBe(1);
  });

  test("of aarch64, whose page is filled up where the file ends in it", () => {
    const thread = Array.from({ length: 34 }, (_, index) => BigInt(index === 31 ? stack + 8 : index));
    const core = makeCore({
      machine: 183,
      // What is read before must not shine through.
      pieces: [
        { start: data, bytes: Buffer.alloc(4096, 0xff), flags: 6 },
        { start: stack, bytes: Buffer.alloc(20, 7), flags: 6 },
      ],
      threads: [thread],
    });
    const read = readCore(core);
    expect(read).toMatchObject({ machine: "aarch64" });
    expect([...read.words.slice(1024 + 4, 1024 + 7)]).toEqual([0x07070707, 0, 0]);
    expect(read.mappings[1]?.name).toBe("[stack]");
    // c2 is the stack pointer; the machine has no room for x9.
    expect(packed(read).memory.threads[0]?.[2]).toEqual({ value: BigInt(4 * 4096 + 16), area: 1 });
    expect(packed(read).memory.threads[0]?.[0]).toEqual({ value: 0n, area: undefined });
  });
});

test("pointers are counted by page, and those between words", () => {
  // The data page holds two: to the stack, and into a word of the code; the stack's holds one to the data.
  expect(countPointers(image)).toEqual({ pointers: 3, unaligned: 1, histogram: [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0] });
});

describe.each(imageFormats)("packed for %s", (format) => {
  const pack = packed(image, { format });
  const read = (nth: number) => {
    const [words, areas] = [new Int32Array(512), new Int32Array(256)];
    pack.memory.read(nth, words, areas);
    return { words, areas };
  };

  test("mappings lie in order, offsets in a source page are kept, and a page is free between them", () => {
    expect(pack.placed.map(({ first, count }) => [first, count])).toEqual([
      [0, 2],
      [4, 4],
      [10, 2],
    ]);
    // The second page of the data is zero, and not mapped.
    expect([...pack.memory.pages]).toEqual([0, 1, 4, 5, 10, 11]);
    expect(pack.configOf("copa")).toMatchObject({ format, strategy: "copa", page: 4096, pages: 16 });
  });

  test("a word becomes a granule, a pointer what it points to: word by word, and byte by byte within one", () => {
    const { words, areas } = read(2);
    const nonZero = Array.from(areas, (area, at) => [at, area, words[at * 2], words[at * 2 + 1]]).filter(
      ([, area, lo, hi]) => area !== 0 || lo !== 0 || hi !== 0,
    );
    expect(nonZero).toEqual([
      [2, 3, 10 * 4096 + 0x40, 0],
      // 0x13 is 3 bytes into word 2.
      [3, 1, 0x23, 0],
      [4, 0, 0x1234, 0],
    ]);
    // One behind the end of a mapping leads nowhere: it stays an integer.
    const last = read(3);
    expect([last.areas[255], last.words[510], last.words[511]]).toEqual([0, data + 0x2000, 0]);
    expect(read(4).words[4 * 2]).toBe(4 * 4096 + 0x30);
  });

  test("addresses are found, from old to new and back", () => {
    expect(pack.translate(data + 0x1018)).toBe(4 * 4096 + 0x2030);
    expect(pack.translate(data + 0x101b)).toBe(4 * 4096 + 0x2033);
    expect(pack.translate(data - 1)).toBeUndefined();
    expect(pack.origin(5, 255)).toBe(data + 0xff8);
    expect(pack.origin(9, 0)).toBeUndefined();
  });

  test("registers: c0 is rax, c1 rbx, c2 the stack pointer, pcc the program counter", () => {
    const [thread = []] = pack.memory.threads;
    expect(thread).toHaveLength(17);
    expect(thread[0]).toEqual({ value: 1010n, area: undefined });
    expect(thread[1]).toEqual({ value: BigInt(4 * 4096 + 0x20), area: 1 });
    expect(thread[2]).toEqual({ value: BigInt(10 * 4096 + 0x50), area: 2 });
    expect(thread[16]).toEqual({ value: 0x10n, area: 0 });
  });
});

test("a mapping of many pages lies where a capability covers exactly it", () => {
  // 9 MB widened: of compressed bounds the base must be a multiple of some pages.
  const core = makeCore({
    pieces: [
      { start: data, bytes: dataPage, size: 0x4000, flags: 6 },
      { start: 0x10000000, bytes: dataPage, size: 9 << 19, flags: 6 },
    ],
    threads: [registers({ rsp: data, rip: data })],
  });
  const { placed, configOf } = packed(readCore(core));
  const [, large] = placed;
  // 9 MB have 24 bits, of which cheri128-v9 keeps the upper 10 of a base: they lie at multiples of 16 KB.
  expect(large?.first).toBe(12);
  expect(large?.count).toBe((9 << 20) / 4096);
  expect(configOf("eager").pages).toBeGreaterThan(12 + (9 << 20) / 4096);
});
