/** Images that are forked under each strategy: the judge, the two implementations, and what the judge must not miss. */
import { describe, expect, test } from "vitest";
import { readCore } from "../../../conformance/image/core.js";
import { forkImage, holds, imageStrategies } from "../../../conformance/image/forks.js";
import { judgeFork, type Forked } from "../../../conformance/image/judge.js";
import { looksOfFast, type Looks } from "../../../conformance/image/looks.js";
import { imageFormats, packed } from "../../../conformance/image/pack.js";
import { countPointers } from "../../../conformance/image/pointers.js";
import { placeOf } from "../../../conformance/image/print.js";
import { startFast } from "../../../conformance/image/start.js";
import { smallCore, text } from "./cores.js";

const fixture = (name: string) => readCore(`examples/images/${name}.core.gz`);

describe.each(imageFormats)("a small image, on both implementations, for %s", (format) => {
  const pack = packed(readCore(smallCore()), { format });

  test.each(imageStrategies)("%s", (strategy) => {
    const result = forkImage(pack, strategy);
    // Six pages in each process; three pointers in memory, and three of the child's registers.
    expect(result).toMatchObject({ granules: 2 * 6 * 256, pointers: 3, registers: 3, unsound: [] });
    expect(result.beside?.difference).toBeUndefined();
    if (!result.isIsolating) {
      expect(result.broken.map(({ rule, count }) => [rule, count])).toEqual([
        ["INV-1", 3],
        ["INV-2", 3],
        ["INV-3", 3],
      ]);
      // The first pointer is that at 0x10 of the data.
      expect(result.broken[0]).toMatchObject({ process: 1, place: { kind: "granule", page: 4, granule: 2 } });
      expect(result.meaning).toMatchObject({ own: 3, parent: 3 });
      expect(result.beside?.violations).toBe(9);
      return;
    }
    expect(holds(result)).toBe(true);
    expect(result.meaning).toEqual({ own: 6, shared: 0, kernel: 0, parent: 0, elsewhere: 0 });
    expect(result.beside?.violations).toBe(0);
    const copies = strategy === "eager" ? 6 : strategy === "vm-clone" ? 8 : 0;
    expect(result.counters.child).toMatchObject({ copies, relocations: strategy === "eager" ? 3 : 0 });
  });
});

describe("what the judge must not miss", () => {
  const pack = packed(readCore(smallCore()));
  const config = pack.configOf("eager");
  const forked: Forked = { config, memory: pack.memory, child: 1, slot: 1, cd: 0 };

  /** After a fork, with something else to be seen. */
  const seen = (change: (looks: Looks) => Partial<Looks>) => {
    const fast = startFast(pack, "eager");
    fast.step({ actor: 0, operation: { op: "fork", cd: 0 } });
    const looks = looksOfFast(fast);
    return judgeFork({ ...looks, ...change(looks) }, forked).broken.map(({ rule, process, place }) => ({
      rule,
      process,
      ...place,
    }));
  };

  /** One granule of a process is another. */
  const granule =
    (process: number, page: number, at: number, change: (cells: Int32Array, tags: Uint8Array) => void) =>
    (looks: Looks): Partial<Looks> => ({
      page: (who, index, cells, tags) => {
        const protection = looks.page(who, index, cells, tags);
        if (who === process && index === page) change(cells.subarray(at * 4, at * 4 + 4), tags.subarray(at, at + 1));
        return protection;
      },
    });

  test("nothing, where nothing is wrong", () => {
    expect(seen(() => ({}))).toEqual([]);
  });

  test.each<readonly [string, (looks: Looks) => Partial<Looks>, readonly object[]]>([
    [
      "a bit of the child's data",
      granule(1, 4, 4, (cells) => {
        cells.set([0x1235]);
      }),
      [{ rule: "INV-3", process: 1, page: 4, granule: 4 }],
    ],
    [
      "the upper half of the child's data",
      granule(1, 11, 9, (cells) => {
        cells.set([0, 0, 0, 1]);
      }),
      [{ rule: "INV-3", process: 1, page: 11, granule: 9 }],
    ],
    [
      "a bit of the parent's data",
      granule(0, 4, 4, (cells) => {
        cells.set([0x1235]);
      }),
      [{ rule: "INV-6", process: 0, page: 4, granule: 4 }],
    ],
    [
      "a lost tag",
      granule(1, 4, 2, (_, tags) => {
        tags.set([0]);
      }),
      [{ rule: "INV-4", process: 1, page: 4, granule: 2 }],
    ],
    [
      "a tag on an integer",
      granule(1, 4, 4, (_, tags) => {
        tags.set([1]);
      }),
      [
        { rule: "INV-1", process: 1, page: 4, granule: 4 },
        { rule: "INV-4", process: 1, page: 4, granule: 4 },
      ],
    ],
    [
      "an address that was moved by a page too little",
      granule(1, 4, 3, (cells) => {
        cells.set([(cells[0] ?? 0) - 0x8]);
      }),
      [{ rule: "INV-3", process: 1, page: 4, granule: 3 }],
    ],
    [
      "a page that may be written",
      (looks) => ({
        page: (who, index, ...rest) => looks.page(who, index, ...rest) | (who === 1 && index === 0 ? 2 : 0),
      }),
      [{ rule: "INV-3", process: 1, page: 0, granule: 0 }],
    ],
    [
      "a page that is not there",
      (looks) => ({
        page: (who, index, ...rest) => (who === 1 && index === 10 ? -1 : looks.page(who, index, ...rest)),
      }),
      [{ rule: "INV-3", process: 1, page: 10, granule: 0 }],
    ],
    [
      "a page too many",
      (looks) => ({ page: (who, index, ...rest) => (who === 1 && index === 12 ? 3 : looks.page(who, index, ...rest)) }),
      [{ rule: "INV-3", process: 1, page: 12, granule: 0 }],
    ],
    [
      "registers of the parent",
      (looks) => ({ registers: () => looks.registers(0) }),
      [
        { rule: "INV-1", process: 1, kind: "register", thread: 1, register: 1 },
        { rule: "INV-2", process: 1, kind: "register", thread: 1, register: 1 },
        { rule: "INV-3", process: 1, kind: "register", thread: 1, register: 1 },
      ],
    ],
  ])("%s", (_, change, broken) => {
    const found = seen(change);
    expect(found).toHaveLength(broken.length);
    expect(found).toMatchObject(broken);
  });
});

describe.each([
  // Counted by the script in the README beside them.
  ["nginx", 213, 17_150],
  ["redis", 485, 45_430],
])("%s", (name, pages, pointers) => {
  const image = fixture(name);
  const pack = packed(image);

  test("its pages and pointers", () => {
    expect(image.pages).toHaveLength(pages);
    expect(countPointers(image).pointers).toBe(pointers);
  });

  test.each(imageStrategies)("%s", (strategy) => {
    const result = forkImage(pack, strategy, { specification: false });
    expect(result.granules).toBe(2 * 2 * pages * 256);
    expect(result.pointers).toBe(pointers);
    if (result.isIsolating) {
      expect(holds(result)).toBe(true);
      expect(result.meaning.own).toBe(pointers + result.registers);
      return;
    }
    expect(result.broken.map(({ rule, count }) => [rule, count])).toEqual([
      ["INV-1", pointers],
      ["INV-2", pointers],
      ["INV-3", pointers],
    ]);
    const [first] = result.broken;
    expect(first && placeOf(pack, first)).toMatch(/^P1 page \d+ granule \d+ \(0x[\da-f]+ in \/usr\/s?bin\//);
  });
});

test("nginx on the specification, too", () => {
  const pack = packed(fixture("nginx"));
  const { beside, broken } = forkImage(pack, "copa");
  expect({ beside, broken }).toEqual({ beside: { difference: undefined, violations: 0 }, broken: [] });
});

test("an image without threads starts with empty registers", () => {
  const core = smallCore();
  // The note's type: no thread's any more.
  core.writeUInt32LE(99, 64 + 4 * 56 + 8);
  const image = readCore(core);
  expect(image.threads).toEqual([]);
  expect(image.pages[0]).toBe(text);
  expect(forkImage(packed(image), "coa")).toMatchObject({ registers: 0, broken: [] });
});
