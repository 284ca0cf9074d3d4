/** How the optimised implementation works inside: each trick that impl/fast/README.md names, and its own checks. */
import { describe, expect, test } from "vitest";
import { heapGrowth } from "../../../bench/timing.js";
import { check } from "../../../impl/fast/check.js";
import { createFast } from "../../../impl/fast/index.js";
import type { Machine } from "../../../impl/fast/machine.js";
import type { Step } from "../../../spec/sfork/operation.js";
import { configOf, machineOf, run } from "./machine.js";

const stores = ({ storeCount, freeStores }: Machine): number => storeCount - freeStores.length;

/** Of process `ordinal`, the frame that page `index` is mapped to. */
const frameOf = (machine: Machine, ordinal: number, index: number): number => {
  const { slot = 0 } = machine.processes[ordinal] ?? {};
  return (machine.entries[(machine.rowOf[slot] ?? 0) * machine.pages + index] ?? 0) - 1;
};

const countersOf = (machine: Machine, ordinal: number) => {
  const { faults, copies, relocations, pageTableWrites } = machine.processes[ordinal] ?? {};
  return { faults, copies, relocations, pageTableWrites };
};

describe("stores", () => {
  test("a page that was never written has none", () => {
    const machine = machineOf({ pages: 64, frames: 512 });
    const before = stores(machine);
    run(machine, "0: load.w c7, 0x100(c1)", "0: mmap c8, 0x400, rw", "0: loadcap c9, 0x0(c8)");
    expect(stores(machine)).toBe(before);
    run(machine, "0: store.b 1, 0x100(c1)", "0: store.b 1, 0x110(c1)", "0: storecap c1, 0x0(c8)");
    expect(stores(machine)).toBe(before + 2);
  });

  test("one that is used again is zero, and has no tags", () => {
    const machine = machineOf({});
    run(machine, "0: mmap c8, 0x100, rw", "0: storecap c1, 0x0(c8)", "0: store.w -1, 0x30(c8)", "0: munmap c8, 0x100");
    expect(machine.freeStores).toHaveLength(1);
    const seen = run(machine, "0: mmap c8, 0x100, rw", "0: store.b 7, 0x80(c8)", "0: loadcap c9, 0x0(c8)");
    expect(machine.freeStores).toHaveLength(0);
    expect(seen.at(-1)).toMatchObject({ capability: { tag: false, metadata: 0n, address: 0n } });
    expect(run(machine, "0: load.w c9, 0x30(c8)")).toEqual([{ kind: "integer", integer: 0n }]);
  });
});

describe("a fork", () => {
  test.each(["coa", "copa", "multi-as-cow"] as const)("with %s is page-table work: no store is touched", (strategy) => {
    const machine = machineOf({ strategy });
    run(machine, "0: storecap c1, 0x0(c1)", "0: store.w 1, 0x100(c1)");
    const [cells, count] = [machine.cells.slice(), machine.storeCount];
    run(machine, "0: fork c7");
    expect(machine.storeCount).toBe(count);
    expect(machine.cells).toEqual(cells);
    expect(countersOf(machine, 1)).toEqual({ faults: 0, copies: 0, relocations: 0, pageTableWrites: 6 });
    expect(frameOf(machine, 1, 0)).toBe(frameOf(machine, 0, 0));
  });

  test("the last that maps a frame takes it over where it lies", () => {
    const machine = machineOf({ strategy: "copa" });
    run(machine, "0: storecap c1, 0x0(c1)", "0: fork c7");
    const frame = frameOf(machine, 0, 0);
    const count = stores(machine);
    run(machine, "0: fork c7", "2: exit 0", "0: store.b 1, 0x20(c1)");
    // The parent wrote, and got a copy; the child takes the old frame over, relocated.
    expect(frameOf(machine, 0, 0)).not.toBe(frame);
    expect(stores(machine)).toBe(count + 1);
    run(machine, "1: loadcap c8, 0x0(c1)");
    expect(frameOf(machine, 1, 0)).toBe(frame);
    expect(stores(machine)).toBe(count + 1);
    expect(countersOf(machine, 1)).toEqual({ faults: 1, copies: 0, relocations: 1, pageTableWrites: 7 });
  });

  test("relocation looks at tagged granules and no others", () => {
    // Bits that look like a pointer, without a tag, and beside it the pointer.
    const machine = machineOf({ strategy: "eager" });
    run(machine, "0: ccleartag c7, c1", "0: storecap c7, 0x0(c1)", "0: storecap c1, 0x10(c1)", "0: fork c7");
    expect(countersOf(machine, 1)).toMatchObject({ copies: 6, relocations: 1 });
    const [plain, pointer] = run(machine, "1: loadcap c8, 0x0(c1)", "1: loadcap c8, 0x10(c1)");
    const { base, stride } = machine.config;
    expect(plain).toMatchObject({ capability: { tag: false, address: base } });
    expect(pointer).toMatchObject({ capability: { tag: true, address: base + stride } });
  });
});

test("rows, register files, frames and stores of the dead are used again", () => {
  const machine = machineOf({ strategy: "copa", reuse: "revoke" });
  const once = ["0: fork c7", "1: store.b 1, 0x0(c1)", "1: exit 0", "0: wait c7"];
  const sizes = (): readonly number[] => [
    ...[machine.rowCount, machine.fileCount, machine.frameCount, machine.storeCount],
    ...[machine.entries.length, machine.registers.length, machine.cells.length],
  ];
  run(machine, ...once);
  const before = sizes();
  for (let turn = 0; turn < 50; turn += 1) run(machine, ...once);
  expect(machine.processes).toHaveLength(52);
  expect(sizes()).toEqual(before);
  expect(check(machine)).toEqual([]);
});

test("steps that were decoded before leave nothing behind on the heap", () => {
  const immediate = (n: number) => ({ immediate: BigInt(n) });
  const body: readonly Step[] = Array.from({ length: 64 }, (_, index) => ({
    actor: 0,
    operation:
      index % 2 === 0
        ? ({ op: "store.w", value: immediate(index), n: immediate(8 * index), cs1: 1 } as const)
        : ({ op: "loadcap", cd: 7, n: immediate(16 * (index % 16)), cs1: 1 } as const),
  }));
  const fast = createFast(configOf({ strategy: "copa" }));
  const { run: take } = fast.load(body);
  const turns = (count: number): void => {
    for (let turn = 0; turn < count; turn += 1) take(0, body.length);
  };
  turns(5000);
  // Nothing is collected meanwhile, that is: whatever 320,000 steps allocate is still there.
  const bytes = heapGrowth(5000, () => {
    take(0, body.length);
  });
  expect(bytes / body.length).toBeLessThan(1);
  expect(fast.observed().observation.kind).toBe("capability");
});

describe("what it checks in itself", () => {
  const broken = (change: (machine: Machine) => void): readonly string[] => {
    const machine = machineOf({ strategy: "copa" });
    run(machine, "0: storecap c1, 0x0(c1)", "0: fork c7", "1: store.b 1, 0x0(c1)");
    expect(check(machine)).toEqual([]);
    change(machine);
    return check(machine);
  };

  test.each<readonly [what: string, said: RegExp, change: (machine: Machine) => void]>([
    [
      "a mapping that is not counted",
      /INV-8: frame \d+ counts 1 mappings, and has 2/,
      (machine) => {
        machine.frameReferences[frameOf(machine, 0, 1)] = 1;
      },
    ],
    [
      "a frame that nobody maps",
      /INV-8: frame \d+ counts 1 mappings, and has 0/,
      (machine) => {
        machine.entries[(machine.rowOf[1] ?? 0) * machine.pages] = 0;
      },
    ],
    [
      "a shared frame that can be written",
      /INV-8: page 1 of P1 is written to frame \d+, which others map/,
      (machine) => {
        const entry = (machine.rowOf[1] ?? 0) * machine.pages + 1;
        machine.flags[entry] = (machine.flags[entry] ?? 0) & ~8;
      },
    ],
    [
      "a store of two frames",
      /INV-8: store \d+ belongs to two frames/,
      (machine) => {
        machine.frameStore[frameOf(machine, 1, 0)] = machine.frameStore[frameOf(machine, 0, 0)] ?? 0;
      },
    ],
    [
      "a store that is lost",
      /INV-8: 1 stores are lost/,
      (machine) => {
        machine.storeCount += 1;
      },
    ],
    [
      "a store that is free and in use",
      /INV-8: store \d+ is free and in use/,
      (machine) => {
        machine.freeStores.push(machine.frameStore[frameOf(machine, 0, 0)] ?? 0);
      },
    ],
    [
      "frames in use that are miscounted",
      /INV-8: \d+ frames are in use, and \d+ counted/,
      (machine) => {
        machine.usedFrames += 1;
      },
    ],
    [
      "pages that are miscounted",
      /INV-13: 12 pages are mapped, and 11 committed/,
      (machine) => {
        machine.committed -= 1;
      },
    ],
    [
      "a zero store that was written",
      /INV-8: the zero store is not zero/,
      (machine) => {
        machine.cells[3] = 1;
      },
    ],
    [
      "a row that nobody has",
      /INV-8: 2 processes do not have a row each/,
      (machine) => {
        machine.rowCount += 1;
      },
    ],
  ])("%s", (_, said, change) => {
    expect(broken(change).join("\n")).toMatch(said);
  });
});
