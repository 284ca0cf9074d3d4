/** Workloads as programs: both implementations take them alike, and the same seed makes the same. */
import { describe, expect, test } from "vitest";
import { lockstep } from "../../../conformance/check/lockstep.js";
import { measure } from "../../../conformance/compare/measure.js";
import { readCore } from "../../../conformance/image/core.js";
import { createSpec } from "../../../conformance/implementations/spec.js";
import { createHeap, sizeClass } from "../../../conformance/workloads/heap.js";
import { imagePlan } from "../../../conformance/workloads/image.js";
import { workloads } from "../../../conformance/workloads/index.js";
import { configOf, type Plan } from "../../../conformance/workloads/workload.js";
import { createFast } from "../../../impl/fast/index.js";
import type { StrategyName } from "../../../spec/sfork/config.js";
import { data, makeCore, pageOf, registers, smallCore, stack, text } from "../image/cores.js";

const planOf = (name: string, { size = 1 << 15, seed = "1", value = 256, updates = 20 } = {}): Plan => {
  const workload = workloads.find((one) => one.name === name);
  if (workload === undefined) throw new RangeError(name);
  return workload.plan({ size, seed, value, updates });
};

describe("a small one of each, on both implementations", () => {
  test.each<readonly [string, number, StrategyName]>([
    ["redis-snapshot", 1 << 16, "eager"],
    ["redis-snapshot", 1 << 16, "coa"],
    ["redis-snapshot", 1 << 16, "copa"],
    ["redis-snapshot", 1 << 16, "multi-as-cow"],
    ["sqlite-reader", 1 << 16, "copa"],
    ["sqlite-reader", 1 << 16, "vm-clone"],
    ["nginx-workers", 1 << 15, "coa"],
    ["faas-zygote", 3 << 13, "copa"],
    ["http-server", 1 << 14, "copa"],
    ["shell-pipeline", 1 << 14, "multi-as-cow"],
  ])("%s of %i bytes under %s", async (name, size, strategy) => {
    const plan = planOf(name, { size });
    const config = configOf(plan, strategy);
    const steps = [...plan.steps()];
    expect(lockstep(createSpec(config), createFast(config), steps).difference).toBeUndefined();
    const { refused, firstRefused, steps: taken, forks } = await measure(plan, strategy);
    expect([refused, firstRefused, taken]).toEqual([0, undefined, steps.length]);
    expect(forks).toBe(steps.filter(({ operation }) => operation.op === "fork").length);
  });
});

test.each(workloads.map(({ name }) => [name] as const))("%s is the same each time, and for the same seed", (name) => {
  const plan = planOf(name);
  const steps = [...plan.steps()];
  expect([...plan.steps()]).toEqual(steps);
  expect([...planOf(name).steps()]).toEqual(steps);
});

describe("the snapshot has every key once, with the value that it had at the fork", () => {
  /** What the child is about to write: the first words of key and value, looked at by a step more. */
  const saved = (strategy: StrategyName): ReadonlyMap<number, number> => {
    const plan = planOf("redis-snapshot", { size: 1 << 17, updates: 100 });
    const fast = createFast(configOf(plan, strategy));
    const firstWord = (cs1: number): number => {
      fast.step({ actor: 1, operation: { op: "load.bu", cd: 6, n: { immediate: 0n }, cs1 } });
      const { observation } = fast.observed();
      return observation.kind === "integer" ? Number(observation.integer) : -1;
    };
    const values = new Map<number, number>();
    for (const step of plan.steps()) {
      const { operation } = step;
      // Values are in c12, and the key of the last one in c10.
      if (step.actor === 1 && operation.op === "write" && operation.cs1 === 12)
        values.set(firstWord(10), firstWord(12));
      fast.step(step);
    }
    return values;
  };

  /** Key and value of a store of fewer than 251 keys begin with the key's number. */
  const keys = /^([\d,]+) keys/.exec(planOf("redis-snapshot", { size: 1 << 17 }).notes[0] ?? "")?.[1] ?? "";
  const expected = new Map(Array.from({ length: Number(keys) }, (_, index) => [index, index]));

  test.each(["eager", "coa", "copa", "multi-as-cow", "vm-clone"] as const)("under %s", (strategy) => {
    expect(expected.size).toBeGreaterThan(100);
    expect(new Map([...saved(strategy)].sort(([one], [two]) => one - two))).toEqual(expected);
  });

  test("and shared segments do not have it: the parent's changes are seen", () => {
    expect([...saved("shared-segments")].filter(([key, value]) => key !== value)).not.toEqual([]);
  });
});

test("no two keys ever have one object, however often values change", () => {
  const plan = planOf("redis-snapshot", { size: 1 << 17, updates: 100 });
  const fast = createFast(configOf(plan, "copa"));
  const held = new Map<bigint, bigint>();
  let changed = 0;
  for (const step of plan.steps()) {
    const { operation } = step;
    // The object goes to the second place of the entry, which is in c9.
    const isStore = operation.op === "storecap" && operation.cs1 === 9 && "immediate" in operation.n;
    if (isStore && "immediate" in operation.n && operation.n.immediate === 16n) {
      const [entry, object] = [9, operation.cs2].map((register) => fast.registers(0)[register]?.base ?? 0n);
      const owners = [...held].filter(([, one]) => one === object).map(([one]) => one);
      expect(owners.filter((one) => one !== entry)).toEqual([]);
      if (held.has(entry ?? 0n)) changed += 1;
      held.set(entry ?? 0n, object ?? 0n);
    }
    fast.step(step);
  }
  expect(changed).toBeGreaterThan(50);
});

test("another seed makes another store", () => {
  expect([...planOf("redis-snapshot", { seed: "2", size: 1 << 17 }).steps()]).not.toEqual([
    ...planOf("redis-snapshot", { size: 1 << 17 }).steps(),
  ]);
});

test.each([
  [1, 16],
  [20, 32],
  [48, 48],
  [129, 160],
  [1030, 1280],
  [2054, 2560],
  [4102, 5120],
])("%i bytes are in the class of %i, as with jemalloc", (bytes, size) => {
  expect(sizeClass(bytes)).toBe(size);
});

test("objects of one class lie in runs of pages, and no two in one place", () => {
  const heap = createHeap();
  const sizes = [48, 32, 1280];
  const taken = Array.from({ length: 600 }, (_, index) => {
    const size = sizes[index % 3] ?? 0;
    return { size, at: heap.take(size) };
  });
  const bytes = taken.flatMap(({ at, size }) => Array.from({ length: size / 16 }, (_, index) => at + index * 16));
  expect(new Set(bytes).size).toBe(bytes.length);
  const pagesOf = (size: number) =>
    new Set(taken.filter((one) => one.size === size).map(({ at }) => Math.floor(at / 4096)));
  expect([...pagesOf(48)].filter((page) => pagesOf(1280).has(page))).toEqual([]);
  expect(Math.max(...bytes) + 16).toBeLessThanOrEqual(heap.end());
});

describe("an image as a workload", () => {
  test("the child walks every mapping to which registers lead; under copa pages with pointers are copied", async () => {
    // Six pages, of which two hold pointers: the first of the data's four (0x10 and 0x18) and the first of the stack's two.
    const plan = imagePlan(readCore(smallCore()));
    const { faults, children, parent, refused } = await measure(plan, "copa");
    expect(refused).toBe(0);
    expect(faults).toEqual({ write: 0, pointer: 2, read: 0, kernel: 0 });
    expect([children.copies, parent.copies]).toEqual([2, 0]);
    // Three pointers in memory, and none in the child's registers counts.
    expect(children.relocations).toBe(3);
  });

  test("threads of the image come before the child", async () => {
    const one = registers({ rsp: stack, rip: text, rbx: data });
    const core = makeCore({
      pieces: [
        { start: data, bytes: pageOf({ 8: BigInt(stack) }), flags: 6 },
        { start: stack, bytes: pageOf({ 0: 7n }), flags: 6 },
      ],
      threads: [one, one, one],
    });
    const plan = imagePlan(readCore(core));
    const { refused, children } = await measure(plan, "coa");
    expect(refused).toBe(0);
    expect(children.copies).toBe(4);
  });

  test("one whose registers lead nowhere is refused", () => {
    const core = makeCore({ pieces: [{ start: data, bytes: pageOf({ 0: 1n }), flags: 6 }] });
    expect(() => imagePlan(readCore(core))).toThrow(/no register of its first thread points into a mapping/);
  });
});
