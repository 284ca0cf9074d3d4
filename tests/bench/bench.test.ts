/** Benchmarks measure what they say. How long anything takes is asserted nowhere: machines are shared. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { benchAccesses } from "../../bench/accesses.js";
import { benchFork } from "../../bench/fork.js";
import { benchMemory } from "../../bench/memory.js";
import { isSmall, smallConfig } from "../../bench/small.js";
import { benchSteps } from "../../bench/steps.js";
import { distribution, lastResult, quantile, timeOf } from "../../bench/timing.js";
import { formatNames, strategyNames } from "../../conformance/program/config-codec.js";
import { sfork } from "../support/cli.js";

describe("medians", () => {
  test.each([
    [[3], 0.5, 3],
    [[1, 2, 10], 0.5, 2],
    [[1, 2, 4, 10], 0.5, 3],
    [[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.9, 90],
    [[1, 2], 1, 2],
    [[1, 2], 0, 1],
  ])("of %j, at %d: %d", (sorted, share, value) => {
    expect(quantile(sorted, share)).toBe(value);
  });

  test("of nothing are not numbers", () => {
    expect(distribution([])).toEqual({ samples: 0, median: NaN, p90: NaN });
  });

  test("do not depend on the order, and sort numbers as numbers", () => {
    expect(distribution([100, 9, 20])).toMatchObject({ samples: 3, median: 20 });
  });
});

test("a timed call is made as often as it is said, and its result is not thrown away", () => {
  let calls = 0;
  const time = timeOf(
    () => {
      calls += 1;
      return calls;
    },
    3,
    7,
  );
  expect([calls, lastResult()]).toEqual([21, 21]);
  expect(time).toBeGreaterThanOrEqual(0);
});

test("the small configuration is what it says, in every format", () => {
  for (const format of formatNames) {
    const config = smallConfig(format, "copa");
    expect([config.page, config.pages, isSmall(config)]).toEqual([256, 8, true]);
    expect(isSmall({ ...config, pages: 9 })).toBe(false);
  }
});

type Figures = Readonly<Record<string, number>>;

const samplesOf = (figures: Figures = {}): number => figures["samples"] ?? NaN;

const medianOf = (figures: Figures): number => figures["median"] ?? NaN;

test("steps: a row for each class, which add up to the first", () => {
  const [all, ...classes] = benchSteps({ seed: "test", programs: 6 });
  expect(all?.what).toEqual({ class: "all" });
  expect(classes.map(({ what }) => what["class"])).toEqual([
    "capability",
    "memory",
    "mapping",
    "fork",
    "process",
    "channel",
    "kernel",
  ]);
  expect(classes.reduce((sum, { figures }) => sum + samplesOf(figures), 0)).toBe(samplesOf(all?.figures));
  // Six programs of some tens of steps.
  expect(samplesOf(all?.figures)).toBeGreaterThan(60);
  expect(classes.filter(({ figures }) => samplesOf(figures) > 0 && !(medianOf(figures) > 0))).toEqual([]);
});

test("fork: a row for each strategy and format", () => {
  const rows = benchFork({ samples: 2 });
  expect(rows.map(({ what }) => what)).toEqual(
    strategyNames.flatMap((strategy) => formatNames.map((format) => ({ strategy, format }))),
  );
  expect(rows.filter(({ figures }) => samplesOf(figures) !== 2 || !(medianOf(figures) > 0))).toEqual([]);
});

test("accesses: a row for each format, of both sides, and a ratio that is theirs", () => {
  const rows = benchAccesses({ rounds: 1, fast: 20, spec: 1 });
  expect(rows.map(({ what }) => what)).toEqual(formatNames.map((format) => ({ format })));
  for (const { figures } of rows) {
    expect(Object.keys(figures)).toEqual(["fast", "observed", "spec", "ratio", "heap"]);
    expect(figures["ratio"]).toBeCloseTo((figures["fast"] ?? NaN) / (figures["spec"] ?? NaN), 6);
  }
});

test("memory: a touched page costs itself and its tags, a forked one an entry", () => {
  const [first, ...others] = benchMemory();
  // Of 4096 bytes: 256 granules of 16, a bit each; then a page-table entry with its flags.
  expect(first).toMatchObject({ what: { format: "cheri128-v9" }, figures: { touched: 4096 + 32, forked: 5 } });
  expect(others.map(({ figures }) => figures["touched"])).toEqual([
    4096 + 64,
    4096 + 32,
    4096 + 32,
    4096 + 64,
    4096 + 16,
  ]);
});

describe("sfork bench", () => {
  const rows = z.array(
    z.object({
      benchmark: z.enum(["fork", "region", "pages"]),
      strategy: z.string().optional(),
      median: z.number().positive().optional(),
      units: z.record(z.string(), z.string()),
    }),
  );

  test("--json prints an array of rows with units", async () => {
    const { status, stdout } = await sfork(["bench", "fork", "--mib", "1", "--json"]);
    const printed = rows.parse(JSON.parse(stdout));
    const forks = printed.filter(({ benchmark }) => benchmark === "fork");
    expect(forks).toHaveLength(strategyNames.length * formatNames.length);
    expect(forks.filter(({ median, units }) => median === undefined || units["median"] !== "µs")).toEqual([]);
    // Beside them fork() of the machine, four strategies, and what a fault does to a page.
    expect(printed.slice(forks.length).map(({ benchmark }) => benchmark)).toEqual([
      ...Array<string>(5).fill("region"),
      "pages",
    ]);
    expect(status).toBe(0);
  });

  test("a size that is none is one line and status 2", async () => {
    const { status, stdout, stderr } = await sfork(["bench", "fork", "--mib", "1,x"]);
    expect(stderr).toBe(
      "sfork: option '--mib <sizes>' argument '1,x' is invalid. Give a whole number from 1 to 4096.\n",
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  test("an unknown name is one line and status 2", async () => {
    const { status, stdout, stderr } = await sfork(["bench", "speed"]);
    expect(stderr).toBe(
      "sfork: command-argument value 'speed' is invalid for argument 'name'. Allowed choices are codec, steps, fork, accesses, memory, check, scale, run.\n",
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});
