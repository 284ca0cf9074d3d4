/** Benchmarks beside C and the machine itself, and of scale: what they count is right, and nobody disagrees. Times are asserted nowhere. */
import { describe, expect, test } from "vitest";
import { randomCapabilities } from "../../bench/capabilities.js";
import { benchCodec } from "../../bench/codec.js";
import { withNative } from "../../bench/native.js";
import { benchPages, benchRegions } from "../../bench/regions.js";
import { benchRun, benchScale } from "../../bench/scale.js";
import { DECODED_SIZE, TOP_EXTRA } from "../../impl/fast/codec/types.js";
import { formatNames } from "../../conformance/program/config-codec.js";
import { formats } from "../../spec/cheri/index.js";
import { withoutCompiler } from "../support/compiler.js";

type Figures = Readonly<Record<string, number>>;

const positive = (figures: Figures, ...names: readonly string[]): readonly string[] =>
  names.filter((name) => (figures[name] ?? NaN) > 0);

describe("codec", () => {
  test.each(formatNames)("%s: random capabilities are legal, and of many lengths", (name) => {
    const { words, count, codec } = randomCapabilities(name, 500);
    const format = formats[name];
    const exponents = new Set<bigint>();
    const out = new Int32Array(DECODED_SIZE);
    for (let nth = 0; nth < count; nth += 1) {
      const halves = Array.from(words.slice(nth * codec.granuleHalves, (nth + 1) * codec.granuleHalves));
      const bits = halves.reduceRight((sum, half) => (sum << 32n) | BigInt(half >>> 0), 0n);
      const { metadata, address } = format.fromMemory(bits);
      const bounds = format.decodeBounds(metadata, address);
      codec.decodeBounds(words, nth * codec.granuleHalves, out);
      expect(bounds.valid && bounds.base <= bounds.top, name).toBe(true);
      expect(out[TOP_EXTRA]).toBe(Number(bounds.top >> format.addressBits));
      exponents.add(bounds.exponent);
    }
    expect(exponents.size).toBeGreaterThan(name === "uncompressed256" ? 0 : 15);
  });

  test("a row for each operation; both sides and C agree, or it would throw", () => {
    const rows = benchCodec({ format: "cheri128-v9", count: 2000, spec: 200, rounds: 1 });
    expect(rows.map(({ what }) => what["operation"])).toEqual(["decode", "set-bounds", "set-address"]);
    for (const { figures } of rows) {
      expect(positive(figures, "fast", "spec", "ratio")).toHaveLength(3);
      expect(positive(figures, "c", "ofC")).toHaveLength(withoutCompiler === undefined ? 2 : 0);
    }
  });

  test.each(formatNames.filter((name) => name !== "cheri128-v9"))("%s has no C", (format) => {
    for (const { figures } of benchCodec({ format, count: 500, spec: 100, rounds: 1 })) {
      expect(figures).toMatchObject({ c: NaN, ofC: NaN });
    }
  });
});

test("a program in C that is not there is missing, and not an error", () => {
  expect(withNative("no-such-program", (native) => native)).toBeUndefined();
});

describe("fork", () => {
  const rows = benchRegions({ sizes: [1], samples: 1 });

  test("the machine's own fork first, then each strategy", () => {
    expect(rows.map(({ what }) => what)).toEqual(
      ["real fork()", "eager", "coa", "copa", "multi-as-cow"].map((by) => ({ by, MiB: "1" })),
    );
    expect(positive(rows[0]?.figures ?? {}, "touch", "fork", "write")).toHaveLength(
      withoutCompiler === undefined ? 3 : 0,
    );
  });

  test("256 pages with 32 tagged granules each, copied and relocated at once or when the child writes", () => {
    const page = 4096 + 256 / 8;
    expect(
      rows.slice(1).map(({ figures: { state, copies, relocations, faults, pageTableWrites } }) => {
        return [state, copies, relocations, faults, pageTableWrites];
      }),
    ).toEqual([
      [page + 12 + 5, 256, 8192, 0, 256],
      [5, 256, 8192, 256, 512],
      [5, 256, 8192, 256, 512],
      [5, 256, 0, 256, 512],
    ]);
  });

  test("what a fault does to a page", () => {
    const [row] = benchPages({ rounds: 1 });
    expect(positive(row?.figures ?? {}, "relocated", "copied", "plain", "ratio")).toHaveLength(4);
  });
});

test("scale: nothing of a fork bomb stays", () => {
  const [row] = benchScale({ live: [20] });
  expect(row?.what).toEqual({ live: "20" });
  expect(row?.figures["leaked"]).toBe(0);
  // A row of the page table, of 100 entries and their flags; and 17 registers with their tags.
  expect(row?.figures["arrays"]).toBe(100 * (4 + 1) + 17 * (16 + 1));
});

test("run: without forks and with some", () => {
  const rows = benchRun({ steps: 100_000 });
  expect(rows.map(({ what }) => what)).toEqual([
    { steps: "1e+5", forks: "none" },
    { steps: "1e+5", forks: "one in 10000" },
  ]);
  expect(rows.map(({ figures }) => figures["arraysGrowth"])).toEqual([0, 0]);
  expect(rows.every(({ figures }) => positive(figures, "rate", "heapAtTenth", "heapAtEnd").length === 3)).toBe(true);
});
