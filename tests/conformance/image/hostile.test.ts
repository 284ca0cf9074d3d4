/** Files that are no core, or that mean harm: one clear line, and nothing made of the sizes that they name. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../conformance/errors.js";
import { readCore } from "../../../conformance/image/core.js";
import { packed } from "../../../conformance/image/pack.js";
import { parseMaps } from "../../../conformance/image/maps.js";
import { removeAtEnd, write } from "../../support/files.js";
import { data, entryAt, makeCore, note, pageOf, smallCore, text } from "./cores.js";

const temporary = removeAtEnd();

/** Members of a gzip file may follow one another: 17 times 16 MB. */
const bomb = (): Buffer => {
  const member = gzipSync(Buffer.alloc(16 << 20), { level: 1 });
  return Buffer.concat(Array.from({ length: 17 }, () => member));
};

/** What is said of it, and bytes of buffers that it took. */
const refused = (from: string | Uint8Array): { readonly line: string; readonly bytes: number } => {
  const before = process.memoryUsage().arrayBuffers;
  try {
    packed(readCore(from));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { line: error.describe(), bytes: process.memoryUsage().arrayBuffers - before };
  }
  return { line: "was read", bytes: 0 };
};

const changed = (change: (core: Buffer) => void): Buffer => {
  const core = smallCore();
  change(core);
  return core;
};

const header = (at: number, value: bigint, entry = 2) =>
  changed((core) => {
    core.writeBigUInt64LE(value, entryAt(entry) + at);
  });

const [offsetField, startField, storedField, sizeField] = [8, 16, 32, 40] as const;

const cases: readonly (readonly [what: string, core: Uint8Array, line: RegExp])[] = [
  ["nothing", new Uint8Array(), /is not an ELF file; make one with gcore PID$/],
  ["text", Buffer.from("Segmentation fault (core dumped)\n".repeat(9)), /is not an ELF file/],
  ["an ELF header that ends", smallCore().subarray(0, 40), /ends in its ELF header; it is truncated/],
  ["32 bits", changed((core) => core.writeUInt8(1, 4)), /is a 32-bit ELF file/],
  ["another class", changed((core) => core.writeUInt8(9, 4)), /has the ELF class 9, which is none/],
  ["big-endian", changed((core) => core.writeUInt8(2, 5)), /is a big-endian ELF file/],
  ["a program", changed((core) => core.writeUInt16LE(2, 16)), /is a program, not a core/],
  ["a shared object", changed((core) => core.writeUInt16LE(3, 16)), /is a shared object or a program, not a core/],
  ["RISC-V", changed((core) => core.writeUInt16LE(243, 18)), /is of ELF machine 243; only x86-64 \(62\) and aarch64/],
  ["headers of another size", changed((core) => core.writeUInt16LE(32, 54)), /has program headers of 32 bytes/],
  ["headers far away", changed((core) => core.writeBigUInt64LE(1n << 63n, 32)), /ends in its program headers/],
  ["65,534 headers", changed((core) => core.writeUInt16LE(0xfffe, 56)), /ends in its program headers/],
  [
    "a million headers",
    changed((core) => {
      core.writeUInt16LE(0xffff, 56);
      // Section 0 lies in the data, where its number is.
      core.writeBigUInt64LE(BigInt(core.length - 64), 40);
      core.writeUInt32LE(1_000_000, core.length - 20);
    }),
    /has 1000000 segments; at most 131072 can be read/,
  ],
  [
    "headers that section 0 should count",
    changed((core) => core.writeUInt16LE(0xffff, 56)),
    /does not say how many segments/,
  ],
  ["no memory", makeCore({ pieces: [] }), /holds no memory/],
  [
    "only zeros",
    makeCore({ pieces: [{ start: data, bytes: Buffer.alloc(8192), flags: 6 }] }),
    /holds no page that is not zero/,
  ],
  ["a size of 2^63", header(sizeField, 1n << 63n), /segment 2 at 0x600000 ends above 0x10000000000000/],
  [
    "a size of 2^64 - 1",
    header(sizeField, (1n << 64n) - 1n),
    /segment 2 at 0x600000 reaches over the end of the address space/,
  ],
  ["stored bytes of 2^63", header(storedField, 1n << 63n), /segment 2 at 0x600000 stores more bytes than it has/],
  [
    "an offset of 2^64 - 1",
    header(offsetField, (1n << 64n) - 1n),
    /segment 2 at 0x600000 ends behind the end of the file/,
  ],
  ["an address that is no page's", header(startField, 0x600010n), /segment 2 at 0x600010 does not begin at a page/],
  ["an address of the kernel", header(startField, 0xffff800000000000n), /segment 2 at 0xffff800000000000 ends above/],
  ["overlapping segments", header(startField, BigInt(text)), /two of its segments overlap at 0x400000/],
  ["a mapping of 2^45 bytes", header(sizeField, 1n << 45n), /its mappings span more than 8 GB/],
  [
    "the same bytes many times",
    changed((core) => {
      for (const entry of [1, 2, 3]) {
        core.writeBigUInt64LE(0n, entryAt(entry) + offsetField);
        core.writeBigUInt64LE(BigInt(core.length), entryAt(entry) + storedField);
        core.writeBigUInt64LE(0x10000n, entryAt(entry) + sizeField);
      }
    }),
    /names more bytes of memory than it stores/,
  ],
  ["notes of 2^62 bytes", header(storedField, 1n << 62n, 0), /has more than 16 MB of notes/],
  ["notes behind the end", header(offsetField, 1n << 62n, 0), /ends in its notes/],
  [
    "a note over the end",
    changed((core) => core.writeUInt32LE(0xffffffff, entryAt(4) + 4)),
    /a note reaches over the end of the notes/,
  ],
  [
    "a short note of a thread",
    changed((core) => core.writeUInt32LE(20, entryAt(4) + 4)),
    /the note of a thread is too short/,
  ],
  [
    "a note of 2^60 files",
    (() => {
      const content = Buffer.alloc(40);
      content.writeBigUInt64LE(1n << 60n, 0);
      content.writeBigUInt64LE(4096n, 8);
      const files = note(0x46494c45, content);
      const core = makeCore({ pieces: [{ start: data, bytes: pageOf({ 8: 1n }), flags: 6 }] });
      core.writeBigUInt64LE(BigInt(core.length), entryAt(0) + offsetField);
      core.writeBigUInt64LE(BigInt(files.length), entryAt(0) + storedField);
      return Buffer.concat([core, files]);
    })(),
    /the note of mapped files is too short/,
  ],
];

describe("named", () => {
  test("the core that they are made of can be read", () => {
    expect(refused(smallCore()).line).toBe("was read");
  });

  test.each(cases)("%s", (_, core, line) => {
    const said = refused(core);
    expect(said.line).toMatch(line);
    expect(said.line).not.toContain("\n");
    expect(said.bytes).toBeLessThan(8 << 20);
  });

  test("truncated anywhere", () => {
    const core = smallCore();
    for (let length = 0; length < core.length; length += length < 700 ? 1 : 97) {
      expect(refused(core.subarray(0, length)).line, String(length)).toMatch(/^core: .*(truncated|is not an ELF file)/);
    }
  });
});

describe("files", () => {
  test.each([
    ["a folder", () => temporary(), /is a directory|is not a regular file/],
    ["nothing there", () => join(temporary(), "none"), /no such file; check the path$/],
    ["a device", () => "/dev/zero", /is not a regular file/],
    [
      "gzip that ends",
      () => write(temporary(), "core.gz", gzipSync(smallCore()).subarray(0, 90)),
      /core\.gz: the gzip data ends too early/,
    ],
    [
      "gzip that unpacks to more than is taken",
      () => write(temporary(), "bomb.gz", bomb()),
      /unpacks to more than 256 MB; unpack it first/,
    ],
  ])("%s", (_, file, line) => {
    expect(refused(file()).line).toMatch(line);
  });

  test("a terabyte of holes is not read", () => {
    const file = write(temporary(), "holes", "");
    const open = openSync(file, "w");
    writeSync(open, header(storedField, 1n << 40n));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(1n << 40n);
    writeSync(open, size, 0, 8, entryAt(2) + sizeField);
    ftruncateSync(open, 2 ** 41);
    closeSync(open);
    expect(refused(file).line).toMatch(/stores 1024\.0 GB; at most 4 GB can be read/);
  });
});

describe("maps", () => {
  test.each([
    ["no line", "\n\n", /^maps: has no line of \/proc\/PID\/maps/],
    ["another text", "hello\n", /^maps:1: "hello" is no line of \/proc\/PID\/maps/],
    ["a range backwards", "5000-4000 rw-p 0 00:00 0\n", /^maps:1: 5000-4000 is no range of pages/],
    ["a range of no pages", "1001-4000 rw-p 0 00:00 0\n", /^maps:1: 1001-4000 is no range of pages/],
    [
      "ranges that overlap",
      "1000-4000 rw-p 0 00:00 0\n3000-5000 rw-p 0 00:00 0 /x\n",
      /^maps:2: 3000-5000 begins before/,
    ],
  ])("%s", (_, content, line) => {
    expect(() => parseMaps("maps", content)).toThrow(line);
  });

  test("of another process", () => {
    const maps = parseMaps("maps", "1000-4000 rw-p 0 00:00 0\n");
    expect(() => readCore(smallCore(), { maps })).toThrow(
      /^core: --maps is of another process: it has no mapping at 0x400000/,
    );
  });
});

test("whatever is changed in the headers, it is read or refused with one line, and little is made of it", () => {
  const core = smallCore();
  const headers = core.length - 4 * 4096;
  const interesting = fc.oneof(
    fc.constantFrom(0n, 1n, 4095n, 4096n, 1n << 31n, 1n << 32n, 1n << 52n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n),
    fc.bigInt(0n, (1n << 64n) - 1n),
  );
  const change = fc.record({ at: fc.nat(headers - 8), value: interesting, size: fc.constantFrom(1, 2, 4, 8) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(core.length)), (changes, length) => {
      const mutated = Buffer.from(core);
      for (const { at, value, size } of changes) {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(value);
        bytes.copy(mutated, at, 0, size);
      }
      // What is neither is thrown on.
      const { line, bytes } = refused(mutated.subarray(0, length ?? mutated.length));
      return !line.includes("\n") && bytes < 64 << 20;
    }),
    { numRuns: 3000 },
  );
});
