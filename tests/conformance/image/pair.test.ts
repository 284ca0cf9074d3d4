/** Two cores of one program: what moved, what stayed, and what that says of the words that were taken for pointers. */
import { describe, expect, test } from "vitest";
import { readCore, type Image } from "../../../conformance/image/core.js";
import { pairImages } from "../../../conformance/image/pair.js";
import { pairLines } from "../../../conformance/image/print.js";
import { makeCore, pageOf } from "./cores.js";

/** A program whose heap and library lie where they are told to; the same words otherwise. */
const run = (heap: number, library: number, serial: bigint): Image =>
  readCore(
    makeCore({
      pieces: [
        { start: 0x400000, bytes: pageOf({ 0: 0x99n }), flags: 5 },
        {
          start: heap,
          bytes: pageOf({
            0: BigInt(heap + 0x20),
            8: BigInt(library + 0x11),
            // An integer that looks like a pointer to the heap of the first run.
            0x10: 0x10_0100n,
            // To what does not move.
            0x18: 0x400008n,
            0x20: 7n,
            // One behind the end of the library: no pointer into it, but it moves.
            0x28: BigInt(library + 0x2000),
            // What differs between any two runs.
            0x30: serial,
            // A pointer in the first run, and something else in the second.
            0x38: serial === 1n ? BigInt(heap) : 3n,
          }),
          flags: 6,
        },
        { start: library, bytes: pageOf({ 8: BigInt(heap + 8) }, 8192), flags: 6 },
      ],
    }),
  );

const one = run(0x100000, 0x7f0000000000, 1n);

describe("a pair", () => {
  test("is compared word by word", () => {
    expect(pairImages(one, run(0x900000, 0x7f1234560000, 2n))).toEqual({
      mappings: 3,
      moved: 2,
      pages: 3,
      pointers: { withTarget: 3, stayed: 1, otherwise: 1, unknown: 1 },
      others: { stayed: 2, moved: 1, otherwise: 1 },
    });
  });

  test("with one layout says nothing of pointers", () => {
    const { moved, pointers } = pairImages(one, run(0x100000, 0x7f0000000000, 1n));
    expect([moved, pointers]).toEqual([0, { withTarget: 0, stayed: 0, otherwise: 0, unknown: 6 }]);
  });

  test("is told as a table", () => {
    const lines = pairLines(pairImages(one, run(0x900000, 0x7f1234560000, 2n)));
    expect(lines[0]).toBe("3 mappings in both, 2 of them elsewhere; 3 pages compared word by word");
    expect(lines[2]).toMatch(/^taken for pointers +3 +1 +1 +1 +75\.00 %$/);
    expect(lines[3]).toMatch(/^other words +1 +2 +1 +66\.67 %$/);
  });

  test.each([
    [
      "of another machine",
      makeCore({ machine: 183, pieces: [{ start: 4096, bytes: pageOf({ 0: 1n }), flags: 6 }] }),
      /is a core of aarch64/,
    ],
    [
      "of another program",
      makeCore({ pieces: [{ start: 4096, bytes: pageOf({ 0: 1n }, 12288), flags: 6 }] }),
      /has no mapping in common/,
    ],
  ])("%s is refused", (_, core, line) => {
    expect(() => pairImages(one, readCore(core))).toThrow(line);
  });
});
