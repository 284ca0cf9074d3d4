/** Machines that are wrong about calls and memory. */
import { isSealed, nullCapability } from "../../../spec/cheri/index.js";
import { noAdvice, regionBase, startState, type Machine, type PageEntry } from "../../../spec/sfork/machine.js";
import { regionSize } from "../../../spec/sfork/config.js";
import { step } from "../../../spec/sfork/step.js";
import { afterwards, atEnd, atFork, bornWith, eachProcess, insteadOf, threadWith, withMemoryOf } from "./machines.js";
import { wrongly, type Birth, type Wrong } from "./machines.js";

const withEntries = (machine: Machine, slot: number, change: (entry: PageEntry) => PageEntry): Machine => ({
  ...machine,
  regions: machine.regions.map((region, at) =>
    at === slot ? region.map((entry) => (entry === undefined ? undefined : change(entry))) : region,
  ),
});

/** The child's pages are those of its parent. */
const sharesPages = atFork(({ machine, slots }) => ({
  ...machine,
  regions: machine.regions.with(slots.child, machine.regions[slots.parent] ?? []),
}));

const ignoresAdvice = insteadOf("fork", (machine) =>
  machine.processes.reduce(
    (sofar, { slot }) => withEntries(sofar, slot, (entry) => ({ ...entry, advice: noAdvice })),
    machine,
  ),
);

/** The pages that a step of a process changed, in the regions of all other processes, too. */
const changesAll = (before: Machine, machine: Machine, process: number): Machine => {
  const slot = machine.processes[process]?.slot ?? 0;
  const others = machine.processes.filter(({ state }, other) => state.kind === "live" && other !== process);
  const changed = (entry: PageEntry | undefined, index: number): PageEntry | undefined => {
    const now = machine.regions[slot]?.[index];
    return now === before.regions[slot]?.[index] ? entry : now;
  };
  return others.reduce(
    (sofar, other) => ({
      ...sofar,
      regions: sofar.regions.with(other.slot, (sofar.regions[other.slot] ?? []).map(changed)),
    }),
    machine,
  );
};

/** An untagged register whose number lies in the parent's region, moved. */
const movesNumbers = threadWith(({ registers }, { machine: { config, format }, slots }: Birth) => {
  const [from, to] = [regionBase(config, slots.parent), regionBase(config, slots.child)];
  const lies = (address: bigint): boolean => address >= from && address < from + regionSize(config);
  return {
    registers: registers.map((one) =>
      !one.tag && lies(one.address) ? nullCapability(format, one.address + to - from) : one,
    ),
  };
});

export const wrongCalls: Readonly<Record<string, Wrong>> = {
  F01: {
    does: "gives the child its pid, too",
    take: threadWith(({ registers }, { next: { operation } }, parents) => {
      const cd = operation.op === "fork" ? operation.cd : 0;
      return { registers: registers.map((one, index) => (index === cd ? (parents.registers[cd] ?? one) : one)) };
    }),
  },
  F02: { does: "makes every process a child of the first", take: bornWith(() => ({ parent: 0 })) },
  F03: {
    does: "hands out the pid of a group with members",
    take: insteadOf("fork", (machine, { operation }) =>
      eachProcess(machine, ({ state, pid }) =>
        state.kind === "reaped" && operation.op === "fork" && pid === operation.pid ? { pid: 1000 } : {},
      ),
    ),
  },
  F04: {
    does: "lets no process run while a child of it lives",
    take: (before, next) => {
      const taken = step(before, next);
      const waits = before.processes.some(
        ({ parent, state }, child) => child !== 0 && parent === taken.process && state.kind === "live",
      );
      return waits ? { ...taken, machine: before, observation: { kind: "would-block" } } : taken;
    },
  },
  F05: {
    does: "leaves a zombie behind when a fork fails",
    take: wrongly(["fork"], ({ taken: { machine, observation }, process: parent }) => {
      const state = { kind: "zombie", status: { exited: 0 }, ended: 0 } as const;
      const made = machine.processes.slice(0, 1).map((one) => ({ ...one, parent, state, pid: 1000 }));
      return observation.kind === "error"
        ? { machine: { ...machine, processes: [...machine.processes, ...made] } }
        : {};
    }),
  },
  F06: {
    does: "makes grandchildren children",
    take: bornWith((child, { before }) => ({ parent: before.processes[child.parent]?.parent ?? 0 })),
  },
  F07: {
    does: "starts the child anew",
    take: threadWith((_, { machine: { config }, slots }) => {
      const { registers, pcc } = startState(config, slots.child);
      return { registers, pcc };
    }),
  },
  F09: {
    does: "tells of a child's end by another signal",
    take: atEnd((machine) =>
      eachProcess(machine, ({ pending }) => ({ pending: pending.map((signal) => (signal === 17 ? 28 : signal)) })),
    ),
  },
};

const startsWithZeros = atFork(({ machine, slots }) => withMemoryOf(machine, slots.child, "zeros"));

export const wrongMemory: Readonly<Record<string, Wrong>> = {
  M01: { does: "gives the child zeros", take: startsWithZeros },
  M02: { does: "lets the child store to its parent's pages", take: sharesPages },
  M03: { does: "lets the parent store to its child's pages", take: sharesPages },
  M04: {
    does: "gives every child the first process's memory",
    take: atFork(({ machine, slots }) => withMemoryOf(machine, slots.child, 0)),
  },
  M05: {
    does: "keeps from others what a child stores in shared memory",
    take: wrongly(["store.b"], ({ before, taken: { machine }, process }) =>
      process === 0 ? {} : { machine: { ...machine, segments: before.segments } },
    ),
  },
  M06: {
    does: "maps a page in all processes",
    take: afterwards(["mmap"], ({ before, taken: { machine }, process }) => changesAll(before, machine, process)),
  },
  M07: {
    does: "unmaps and protects a page in all processes",
    take: afterwards(["munmap", "mprotect"], ({ before, taken: { machine }, process }) =>
      changesAll(before, machine, process),
    ),
  },
  M08: {
    does: "lets the child write to all its pages",
    take: atFork(({ machine, slots }) =>
      withEntries(machine, slots.child, (entry) => ({
        ...entry,
        protection: { read: true, write: true, execute: false },
      })),
    ),
  },
  M12: { does: "ignores advice", take: ignoresAdvice },
  M13: { does: "ignores advice", take: ignoresAdvice },
  M16: {
    does: "copies pointers as they are",
    take: atFork(({ machine, slots }) => withMemoryOf(machine, slots.child, slots.parent)),
  },
  M17: {
    does: "leaves what the kernel keeps as it is",
    take: bornWith((child, { before, parent }) => ({
      alternateStack: before.processes[parent]?.alternateStack ?? child.alternateStack,
    })),
  },
  M18: {
    does: "leaves sealed pointers as they are",
    take: threadWith(({ registers }, { machine: { format } }, parents) => ({
      registers: registers.map((one, index) => (isSealed(format, one) ? (parents.registers[index] ?? one) : one)),
    })),
  },
  M19: { does: "moves numbers that are addresses", take: movesNumbers },
  M20: {
    does: "keeps pointers in shared memory",
    take: wrongly(["storecap", "cmemcpy"], ({ taken: { observation } }) =>
      observation.kind === "trap" && observation.trap === "page-store-cap" ? { observation: { kind: "none" } } : {},
    ),
  },
  H01: {
    does: "copies all threads",
    take: atFork(({ machine, parent, child, taken }) => {
      const others = machine.threads.filter(
        ({ process, live }, index) => live && process === parent && index !== taken.thread,
      );
      return { ...machine, threads: [...machine.threads, ...others.map((thread) => ({ ...thread, process: child }))] };
    }),
  },
  H02: { does: "gives the child zeros", take: startsWithZeros },
  D15: { does: "gives the child zeros", take: startsWithZeros },
  E04: {
    does: "copies a page though nobody else has its frame",
    strategy: "copa",
    take: insteadOf("store.b", (machine) => {
      const guarded = new Set(machine.regions.flat().flatMap((entry) => (entry?.guard === true ? [entry.frame] : [])));
      const frames = machine.frames.map((frame, index) =>
        frame !== undefined && guarded.has(index) ? { ...frame, references: frame.references + 1 } : frame,
      );
      return { ...machine, frames };
    }),
  },
  E03: {
    does: "keeps the memory of the old image",
    take: afterwards(["exec"], ({ before: { regions, frames }, taken: { machine } }) => ({
      ...machine,
      regions,
      frames,
    })),
  },
};
