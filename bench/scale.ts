/** Many processes, and many steps, of the optimised implementation: what each costs, and that it is given back. */
import { check } from "../impl/fast/check.js";
import { fileSize, type Machine } from "../impl/fast/machine.js";
import { CHILD, ERROR, TRAP } from "../impl/fast/outcome.js";
import { start } from "../impl/fast/processes.js";
import { encode, take } from "../impl/fast/step.js";
import { completeConfig, type Config } from "../spec/sfork/config.js";
import type { Operation, Step } from "../spec/sfork/operation.js";
import type { BenchRow } from "./small.js";
import { heapInUse } from "./timing.js";

const pages = 100;

const immediate = (value: number) => ({ immediate: BigInt(value) });

const configFor = (processes: number): Config => {
  const config = completeConfig({
    ...{ format: "cheri128-v9", strategy: "copa", page: 4096, pages },
    ...{ processes, slots: processes, frames: processes * (pages / 2 + 2) },
  });
  if ("illegal" in config) throw new RangeError(`${processes} processes: ${config.illegal}`);
  return config;
};

const takeOne = (machine: Machine, actor: number, operation: Operation): void => {
  take(machine, encode(machine, [{ actor, operation }]), 0);
};

/** Everything that is taken and given back. */
const takenOf = (machine: Machine): Readonly<Record<string, number>> => ({
  frames: machine.usedFrames,
  stores: machine.storeCount - machine.freeStores.length,
  rows: machine.rowCount - machine.freeRows.length,
  registers: machine.fileCount - machine.freeFiles.length,
  threads: machine.liveThreads.length,
  commit: machine.committed,
});

/** Bytes of rows of the page table and of registers that are in use. */
const bytesFor = (machine: Machine): number => {
  const { entries, flags, registers, registerTags } = machine;
  const { rows = 0, registers: files = 0 } = takenOf(machine);
  const row = machine.pages * (entries.BYTES_PER_ELEMENT + flags.BYTES_PER_ELEMENT);
  const cell = machine.granuleHalves * registers.BYTES_PER_ELEMENT;
  return rows * row + files * fileSize * (cell + registerTags.BYTES_PER_ELEMENT);
};

/** Bytes of all arrays that grow. */
const arraysOf = ({ cells, tags, frameStore, entries, flags, registers, registerTags }: Machine): number =>
  [cells, tags, frameStore, frameStore, frameStore, entries, flags, registers, registerTags].reduce(
    (sum, { byteLength }) => sum + byteLength,
    0,
  );

const countLeaks = (before: Readonly<Record<string, number>>, machine: Machine): number =>
  Object.entries(takenOf(machine)).filter(([name, now]) => now !== before[name]).length + check(machine).length;

/** Above this it is done once, for the end of each process looks at all others. */
const mostTwice = 1000;

/** Forks until there is no process left, then all end, and are heard of; and where there are few once more. */
const processesRow = (live: number): BenchRow => {
  const machine = start(configFor(live));
  const fork = encode(machine, [{ actor: 0, operation: { op: "fork", cd: 7 } }]);
  // What is kept for a page of the parent that is touched is not the children's.
  for (let index = 0; index < pages / 2; index += 1) {
    takeOne(machine, 0, { op: "store.b", value: immediate(1), n: immediate(index * 4096), cs1: 1 });
  }
  const before = takenOf(machine);
  const bomb = (): readonly [children: number, perSecond: number] => {
    const started = performance.now();
    let children = 0;
    for (;;) {
      take(machine, fork, 0);
      if (machine.kind !== CHILD) break;
      children += 1;
    }
    if (machine.kind !== ERROR) throw new Error(`a fork ended in outcome ${machine.kind}`);
    return [children, (children * 1000) / (performance.now() - started)];
  };
  const endAll = (): number => {
    const started = performance.now();
    const children = machine.liveThreads.filter(({ process }) => process.ordinal !== 0);
    for (const { ordinal } of children) takeOne(machine, ordinal, { op: "exit", n: immediate(0) });
    children.forEach(() => {
      takeOne(machine, 0, { op: "wait", cd: 8, whom: undefined });
    });
    return (children.length * 1000) / (performance.now() - started);
  };
  const [empty, alone] = [heapInUse(), bytesFor(machine)];
  const [children, forks] = bomb();
  const [full, crowded] = [heapInUse(), bytesFor(machine)];
  const exits = endAll();
  const leaked = countLeaks(before, machine);
  const once = heapInUse();
  const [again] = live > mostTwice ? [children] : bomb();
  endAll();
  const twice = live > mostTwice ? NaN : heapInUse();
  if (again !== children) throw new Error(`${children} processes at first, then ${again}`);
  return {
    benchmark: "scale",
    what: { live: String(live) },
    figures: {
      arrays: (crowded - alone) / children,
      heap: (full - empty) / children,
      forks,
      exits,
      leaked: leaked + countLeaks(before, machine),
      remembered: (twice - once) / children,
    },
    units: { arrays: "bytes", heap: "bytes", forks: "1/s", exits: "1/s", leaked: "kinds", remembered: "bytes" },
  };
};

interface Options {
  /** Live processes, a row for each. */
  readonly live: readonly number[];
}

/**
 * A row for each number of processes: bytes that each one costs, in arrays (counted) and on the heap (measured); what of the
 * machine is not as it was when all have ended; and bytes of the heap that stay for each that was.
 */
export const benchScale = ({ live }: Options): readonly BenchRow[] => live.map(processesRow);

const accesses: readonly Operation[] = [
  { op: "store.w", value: immediate(1), n: immediate(64), cs1: 1 },
  { op: "load.w", cd: 9, n: immediate(64), cs1: 1 },
  { op: "storecap", cs2: 1, n: immediate(128), cs1: 1 },
  { op: "loadcap", cd: 10, n: immediate(128), cs1: 1 },
];

/** Steps between two forks of the run with forks. */
const between = 10_000;

const runRow = (steps: number, forks: boolean): BenchRow => {
  const machine = start(configFor(4));
  const step = (actor: number, operation: Operation): Step => ({ actor, operation });
  const child = 1_000_001;
  const life: readonly Step[] = [
    step(0, { op: "fork", cd: 7 }),
    ...accesses.map((operation) => step(child, operation)),
    step(child, { op: "exit", n: immediate(0) }),
    step(0, { op: "wait", cd: 8, whom: undefined }),
  ];
  const loop = Array.from({ length: between }, (_, index) =>
    step(0, accesses[index % accesses.length] ?? { op: "yield" }),
  );
  const program = encode(machine, forks ? [...loop.slice(0, between - life.length), ...life] : loop);
  const run = (turns: number): void => {
    for (let turn = 0; turn < turns; turn += 1) {
      for (let index = 0; index < between; index += 1) take(machine, program, index);
    }
  };
  // Nothing that is measured traps.
  for (let index = 0; index < between; index += 1) {
    take(machine, program, index);
    if (machine.kind === TRAP || machine.kind === ERROR)
      throw new Error(`step ${index} ended in outcome ${machine.kind}`);
  }
  const turns = Math.max(10, Math.round(steps / between));
  const tenth = Math.round(turns / 10);
  run(tenth);
  const [early, small] = [heapInUse(), arraysOf(machine)];
  const started = performance.now();
  run(turns - tenth);
  const took = performance.now() - started;
  const late = heapInUse();
  if (check(machine).length > 0) throw new Error(`after ${steps} steps: ${check(machine).join("; ")}`);
  return {
    benchmark: "run",
    what: { steps: (turns * between).toExponential(0), forks: forks ? `one in ${between}` : "none" },
    figures: {
      rate: ((turns - tenth) * between) / took / 1000,
      heapAtTenth: early / 2 ** 20,
      heapAtEnd: late / 2 ** 20,
      heapGrowth: (late - early) / ((turns - tenth) * between),
      arraysGrowth: arraysOf(machine) - small,
    },
    units: { rate: "M/s", heapAtTenth: "MiB", heapAtEnd: "MiB", heapGrowth: "bytes/step", arraysGrowth: "bytes" },
  };
};

/** Many steps of loads and stores, without forks and with some: memory after a tenth of them and at the end. */
export const benchRun = ({ steps }: { readonly steps: number }): readonly BenchRow[] =>
  [false, true].map((forks) => runRow(steps, forks));
