/**
 * How the work of the optimised implementation grows with the pages of a process: not timed, but counted, in elements of its
 * arrays that are read, in its own counters, and in bytes that it takes. An exponent is fitted to the reads; linear is one.
 */
import { describe, expect, test } from "vitest";
import { bytesOf, childWrites, endChild, forkOnce, takeAll, touched } from "../../../bench/region.js";
import { check } from "../../../impl/fast/check.js";
import { fastStrategies } from "../../../impl/fast/index.js";
import type { Machine } from "../../../impl/fast/machine.js";
import { rangeOf, sweepRange } from "../../../impl/fast/sweep.js";
import type { StrategyName } from "../../../spec/sfork/config.js";

const sizes = [64, 128, 256, 512] as const;

/** One granule in eight, of 256. */
const taggedOfPage = 32;

/** The slope of the line through the logarithms of the points (least squares). */
const exponentOf = (points: readonly (readonly [size: number, work: number])[]): number => {
  const logs = points.map(([size, work]) => [Math.log(size), Math.log(work)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const together = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return together / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
};

/** The same array; `read` hears of every element that is read. */
const watched = <T extends Int32Array | Uint8Array>(array: T, read: () => void): T =>
  new Proxy(array, {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) read();
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const own: unknown = value.bind(target);
      return own;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });

/** Elements of memory, tags, frames and page tables that an action reads. They have grown before. */
const readsOf = (machine: Machine, action: () => void): number => {
  let reads = 0;
  const read = (): void => {
    reads += 1;
  };
  const { cells, tags, frameStore, frameReferences, frameHome, entries, flags } = machine;
  const before = { cells, tags, frameStore, frameReferences, frameHome, entries, flags };
  machine.cells = watched(cells, read);
  machine.tags = watched(tags, read);
  machine.frameStore = watched(frameStore, read);
  machine.frameReferences = watched(frameReferences, read);
  machine.frameHome = watched(frameHome, read);
  machine.entries = watched(entries, read);
  machine.flags = watched(flags, read);
  action();
  Object.assign(machine, before);
  return reads;
};

/** A machine of which a child was forked, has written everything, and has ended: what it needs has been there once. */
const used = (strategy: StrategyName, pages: number): Machine => {
  const machine = touched(strategy, pages);
  forkOnce(machine);
  takeAll(machine, childWrites(machine, pages));
  endChild(machine);
  return machine;
};

describe("the fitted exponent", () => {
  test.each([
    ["a constant", () => 7, 0],
    ["three a page", (size: number) => 3 * size, 1],
    ["a square", (size: number) => size * size, 2],
  ])("of %s", (_, work, exponent) => {
    expect(exponentOf(sizes.map((size) => [size, work(size)]))).toBeCloseTo(exponent, 9);
  });

  test("reads are counted, by whatever array", () => {
    const machine = touched("copa", 64);
    const reads = readsOf(machine, () => {
      for (let at = 0; at < 5; at += 1) machine.entries.set([machine.entries[at] ?? 0], at);
      machine.cells.fill(0, 0, machine.cells[0]);
    });
    expect(reads).toBe(6);
  });
});

const actions: readonly (readonly [name: string, prepare: (machine: Machine, pages: number) => () => void])[] = [
  [
    "fork",
    (machine) => () => {
      forkOnce(machine);
    },
  ],
  [
    "resolve: a child that writes every page",
    (machine, pages) => {
      forkOnce(machine);
      const writes = childWrites(machine, pages);
      return () => {
        takeAll(machine, writes);
      };
    },
  ],
  [
    "exit",
    (machine, pages) => {
      forkOnce(machine);
      takeAll(machine, childWrites(machine, pages));
      return () => {
        endChild(machine);
      };
    },
  ],
  [
    "a sweep",
    (machine) => {
      const range = rangeOf(machine, 0, 0, 1);
      return () => {
        sweepRange(machine, 0, range);
      };
    },
  ],
  [
    "the machine's own check",
    (machine) => {
      forkOnce(machine);
      return () => {
        expect(check(machine)).toEqual([]);
      };
    },
  ],
];

describe.each(fastStrategies)("with %s", (strategy) => {
  test.each(actions)("%s reads in proportion to the pages", (name, prepare) => {
    const points = sizes.map((pages) => {
      const machine = used(strategy, pages);
      return [pages, readsOf(machine, prepare(machine, pages))] as const;
    });
    // Sweeps have nothing to do in memory where every process has addresses of its own.
    if (strategy === "multi-as-cow" && name === "a sweep") {
      expect(points.map(([, reads]) => reads)).toEqual([0, 0, 0, 0]);
      return;
    }
    const exponent = exponentOf(points);
    expect(exponent, JSON.stringify(points)).toBeGreaterThan(0.9);
    expect(exponent, JSON.stringify(points)).toBeLessThan(1.1);
  });

  test("a fork takes memory for pages, and counts them", () => {
    const lazy = strategy !== "eager";
    for (const pages of sizes) {
      const machine = touched(strategy, pages);
      const before = bytesOf(machine);
      const { child } = forkOnce(machine);
      // An entry and its flags; of a copy the page, a bit for each granule, and three numbers of the frame.
      expect(bytesOf(machine) - before).toBe(pages * (lazy ? 4 + 1 : 4 + 1 + 4096 + 256 / 8 + 3 * 4));
      const { copies, relocations, pageTableWrites } = child;
      expect([copies, relocations, pageTableWrites]).toEqual(
        lazy ? [0, 0, pages] : [pages, pages * taggedOfPage, pages],
      );
    }
  });
});
