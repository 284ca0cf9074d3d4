/** What is counted and estimated, against figures that were worked out by hand. */
import { describe, expect, test } from "vitest";
import { costNames, defaultCosts, parseCosts, type Costs } from "../../../conformance/compare/costs.js";
import { compareIpc } from "../../../conformance/compare/ipc.js";
import { comparisonJson } from "../../../conformance/compare/json.js";
import { measure } from "../../../conformance/compare/measure.js";
import { comparisonPage } from "../../../conformance/compare/page.js";
import { barPlot, linePlot, powersOf, ticksOf } from "../../../conformance/compare/plot.js";
import { comparisonLines } from "../../../conformance/compare/print.js";
import { compare, isComplete, type Subject } from "../../../conformance/compare/report.js";
import { rowOf } from "../../../conformance/compare/row.js";
import { redisSnapshot } from "../../../conformance/workloads/redis.js";
import { thread } from "../../../conformance/workloads/steps.js";
import type { Plan } from "../../../conformance/workloads/workload.js";
import type { Step } from "../../../spec/sfork/operation.js";

const [parent, child] = [thread(0), thread(1)];

/**
 * Eight pages of data, one of stack, one of code. The first holds two pointers, one to itself; the child loads one, reads the
 * second page, writes the third and writes the fourth to a file; then the parent writes the fifth, and the child ends.
 */
const steps: readonly Step[] = [
  parent.storecap(1, 0, 1),
  parent.storecap(2, 16, 1),
  parent.store(5, 4096, 1),
  parent.open("/d/a", "write", "create"),
  parent.fork(),
  child.loadcap(8, 0, 1),
  child.load(9, 4096, 1),
  child.store(1, 8192, 1),
  child.cincoffset(8, 1, 12_288),
  child.write(0, 8, 100),
  parent.store(1, 16_384, 1),
  child.exit(),
  parent.wait(),
];

const plan: Plan = {
  config: { page: 4096, pages: 16, slots: 2, processes: 2, frames: 32 },
  *steps() {
    yield* steps;
  },
  notes: ["<b>& of eight pages"],
};

const subject: Subject = { name: "<i>", summary: '"by hand"', size: 32_768, seed: undefined, plan, isPublished: false };

describe("counters of a program of thirteen steps", () => {
  test("eager: all at the fork", async () => {
    const measured = await measure(plan, "eager");
    expect(measured).toMatchObject({
      steps: 13,
      forks: 1,
      atForks: { faults: 0, copies: 10, relocations: 2, pageTableWrites: 10 },
      faults: { write: 0, pointer: 0, read: 0, kernel: 0 },
      switches: 0,
      // Fork, write, exit, wait.
      calls: 4,
      transferred: 100,
      childMade: 10,
      childOwn: 10,
      childShare: 10,
      frames: 20,
      refused: 0,
    });
  });

  test("coa: every page that the child touches", async () => {
    expect(await measure(plan, "coa")).toMatchObject({
      // Entries of ten pages on both sides.
      atForks: { faults: 0, copies: 0, relocations: 0, pageTableWrites: 20 },
      faults: { write: 2, pointer: 1, read: 2, kernel: 0 },
      parent: { faults: 1, copies: 1 },
      children: { faults: 4, copies: 4, relocations: 2 },
      childMade: 4,
      // The parent's write leaves the old page to the child.
      childOwn: 5,
      childShare: 7.5,
      frames: 15,
    });
  });

  test("copa: where a pointer is loaded, and where something is written", async () => {
    expect(await measure(plan, "copa")).toMatchObject({
      faults: { write: 2, pointer: 1, read: 0, kernel: 0 },
      children: { faults: 2, copies: 2, relocations: 2 },
      childMade: 2,
      childOwn: 3,
      frames: 13,
    });
  });

  test("two address spaces: writes only, and four switches", async () => {
    expect(await measure(plan, "multi-as-cow")).toMatchObject({
      faults: { write: 2, pointer: 0, read: 0, kernel: 0 },
      children: { copies: 1, relocations: 0 },
      switches: 4,
      childOwn: 2,
    });
  });

  test("a cloned machine: eight pages of its kernel besides", async () => {
    expect(await measure(plan, "vm-clone")).toMatchObject({
      atForks: { faults: 8, copies: 8 },
      faults: { write: 2, pointer: 0, read: 0, kernel: 8 },
      childMade: 9,
      childOwn: 10,
    });
  });

  test("a step that is refused is counted and named", async () => {
    const wrong: Plan = {
      ...plan,
      *steps() {
        yield* steps;
        yield parent.load(9, 1 << 20, 1);
      },
    };
    const { refused, firstRefused } = await measure(wrong, "copa");
    expect([refused, firstRefused]).toEqual([1, "step 14, 0: load.d c9, 0x100000(c1): trap"]);
    const comparison = await compare({ ...subject, plan: wrong }, { strategies: ["copa"], costs: defaultCosts });
    expect(isComplete(comparison)).toBe(false);
  });
});

describe("estimates", () => {
  /** A clock of 1 MHz: a cycle is a microsecond. */
  const costs: Costs = {
    ...{ clock: 1, forkOneSpace: 1000, forkOwnSpace: 2000, forkMachine: 3000, pageTableWrite: 1, trap: 10 },
    ...{ copyByte: 1, scanPage: 100, relocation: 7, spaceSwitch: 50, callByTrap: 30, callByJump: 3 },
  };

  test("of a fork, and of all of it, in one address space", async () => {
    const row = rowOf(await measure(plan, "eager"), costs);
    // 1000, ten pages of 4096 bytes and their tags, two pointers, ten entries.
    expect(row.forkMicroseconds).toBe(1000 + 10 * (4096 + 100) + 2 * 7 + 10);
    // Besides: ten entries that end with the child, four calls, 100 bytes into the file.
    expect(row.totalMicroseconds).toBe(row.forkMicroseconds + 10 + 4 * 3 + 100);
  });

  test("across two", async () => {
    const row = rowOf(await measure(plan, "multi-as-cow"), costs);
    expect(row.forkMicroseconds).toBe(2000 + 20);
    expect(row.estimate).toMatchObject({ traps: 20, copies: 2 * 4096 + 100, switches: 200, calls: 120, relocation: 0 });
  });

  test("a message: nothing is copied in one address space, and twice its bytes across two", async () => {
    const rows = await compareIpc(defaultCosts);
    expect(rows.map(({ how, size, copied, calls }) => [how, size, copied, calls])).toEqual([
      ["capability", 64, 0, 2],
      ["copy", 64, 128, 2],
      ["capability", 4096, 0, 2],
      ["copy", 4096, 8192, 2],
      ["capability", 65_536, 0, 2],
      ["copy", 65_536, 131_072, 2],
    ]);
  });
});

test("a snapshot has the published order, and CoPA copies at most a tenth of what CoA does", async () => {
  const size = 2 << 20;
  const redis: Subject = {
    ...{ name: "redis-snapshot", summary: "", size, seed: "1", isPublished: true },
    plan: redisSnapshot.plan({ size, seed: "1", value: 2048, updates: 1 }),
  };
  const strategies = ["eager", "coa", "copa", "multi-as-cow"] as const;
  const { rows, published } = await compare(redis, { strategies, costs: defaultCosts });
  const [full = 0, coa = 0, copa = 0] = rows.map(({ childMade }) => childMade);
  expect(full).toBeGreaterThan(coa);
  expect(coa).toBeGreaterThan(copa);
  expect(copa).toBeLessThanOrEqual(coa / 10);
  const [fullCopied = 0, coaCopied = 0, copaCopied = 0] = rows.map(({ all }) => all.copies);
  expect(fullCopied).toBeGreaterThan(coaCopied);
  expect(copaCopied).toBeLessThanOrEqual(coaCopied / 10);
  // The published figures: 144, 101, 6 and 56 MB for a store of 100.
  expect(published.map(({ publishedShare }) => publishedShare)).toEqual([1.44, 1.01, 0.06, 0.56]);
}, 20_000);

describe("a table of costs", () => {
  test("what it leaves out is the default", () => {
    expect(parseCosts("c", '{ "trap": 2000 }')).toEqual({ ...defaultCosts, trap: 2000 });
    expect(Object.keys(defaultCosts).sort()).toEqual([...costNames].sort());
  });

  test.each([
    ["no JSON", "trap = 1", /^c: is not JSON; /],
    ["a list", "[1]", /^c: is no table of costs; /],
    ["a number", "7", /^c: is no table of costs; /],
    ["another name", '{ "traps": 1 }', /^c: "traps" is no cost; there are clock, forkOneSpace, /],
    ["a name of every object", '{ "constructor": 1 }', /^c: "constructor" is no cost; /],
    ["a text", '{ "trap": "1" }', /^c: trap is "1"; give a number of cycles from 0 on$/],
    ["less than nothing", '{ "trap": -1 }', /^c: trap is -1; /],
    ["what is no number", '{ "trap": null }', /^c: trap is null; /],
    ["more than any machine takes", '{ "trap": 1e300 }', /^c: trap is 1e\+300; /],
    ["a clock that stands", '{ "clock": 0 }', /^c: clock is 0; give a number of MHz above 0$/],
  ])("%s is refused in one line", (_, text, message) => {
    expect(() => parseCosts("c", text)).toThrow(message);
  });
});

describe("what is shown", () => {
  const comparison = compare(subject, { strategies: ["eager", "copa", "naive-cow"], costs: defaultCosts });

  test("a page that loads nothing, and in which no text is markup", async () => {
    const html = comparisonPage(await comparison);
    expect(html).not.toMatch(/<(?:script|link|img|iframe|i>|b>)|\b(?:src|href)=|url\(|https?:/);
    expect(html).toContain("sfork compare: &lt;i&gt;");
    expect(html).toContain("&lt;b&gt;&amp; of eight pages");
    expect(html.match(/<svg /g)).toHaveLength(5);
    for (const label of ["steps after the first fork", "MB that only children map", "microseconds, logarithmic"]) {
      expect(html).toContain(`>${label}</text>`);
    }
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("tables, and who does not isolate", async () => {
    const lines = comparisonLines(await comparison).join("\n");
    expect(lines).toMatch(/\neager +1 +10 +2 +10 +/);
    expect(lines).toContain("known not to isolate, so that they do less than is needed: naive-cow");
    expect(lines).not.toContain("published");
  });

  test("figures by name, with units", async () => {
    expect(comparisonJson(await comparison)).toMatchObject({
      ok: true,
      workload: "<i>",
      units: { bytesCopied: "bytes", forkMicroseconds: "µs" },
      rows: [
        { strategy: "eager", isolating: true, figures: { pagesCopied: 10, bytesCopied: 40_960, relocations: 2 } },
        { strategy: "copa", figures: { pagesCopiedByChildren: 2, pagesCopiedByParent: 1 } },
        { strategy: "naive-cow", isolating: false },
      ],
    });
  });
});

describe("axes", () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]],
    [23, [0, 5, 10, 15, 20, 25]],
    [100, [0, 20, 40, 60, 80, 100]],
  ])("up to %d", (most, ticks) => {
    expect(ticksOf(most)).toEqual(ticks);
  });

  test("powers of ten around what there is", () => {
    expect(powersOf([58, 10_700])).toEqual([10, 100, 1000, 10_000, 100_000]);
    expect(powersOf([0])).toHaveLength(2);
  });

  test("nothing to show is an empty plot", () => {
    const empty = { title: "t", x: "x", y: "y", series: [{ name: "n", mark: 0, points: [] }] };
    expect(linePlot(empty)).not.toMatch(/NaN|Infinity/);
    const bar = { name: "n", said: "0", parts: [0] };
    expect(barPlot({ title: "t", x: "x", parts: [], bars: [bar], logarithmic: true })).not.toMatch(/NaN|Infinity/);
  });
});
