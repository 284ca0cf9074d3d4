/** Processes as steps: fork, exit, wait, threads (FORK-1 to FORK-8, EXIT-1). */
import { done, failed, giveInteger, integer, processOf, refuse, slotOf, threadOf, withThread } from "./context.js";
import { writeInteger, type Context } from "./context.js";
import { maxThreads, noCounters, regionBase, type Machine, type Process, type Thread } from "./machine.js";
import type { ExitStatus } from "./observation.js";
import * as paging from "./paging.js";
import type { MappedPage } from "./paging.js";
import { relocated } from "./relocate.js";
import { hasCommit } from "./rules-mapping.js";
import type { Rules } from "./rules.js";
import { strategies } from "./strategy.js";
import { sweepRegion } from "./sweep.js";

/** Processes that count against the limit: live ones and zombies. */
const present = (machine: Machine): number =>
  machine.processes.filter((process) => process.state.kind !== "reaped").length;

const isFree = (machine: Machine, slot: number): boolean =>
  !machine.processes.some((process) => process.slot === slot && process.state.kind === "live") &&
  (machine.config.reuse === "revoke" || !machine.usedSlots.has(slot));

const lowestSlot = (machine: Machine): number | undefined =>
  machine.regions.map((_, slot) => slot).find((slot) => isFree(machine, slot));

/** A pid is positive, fits a signed 32-bit register, and is nobody else's, zombies included. */
const isFreePid = (machine: Machine, pid: number): boolean =>
  Number.isInteger(pid) &&
  pid >= 1 &&
  pid < 2 ** 31 &&
  !machine.processes.some((process) => process.pid === pid && process.state.kind !== "reaped");

/** Among one more than there are processes, one is free. */
const lowestPid = (machine: Machine): number | undefined =>
  Array.from({ length: present(machine) + 1 }, (_, index) => index + 1).find((pid) => isFreePid(machine, pid));

/** Every page copied and relocated now. Undefined where an overcommitted machine has too few frames. */
const copyPages = (machine: Machine, pages: readonly MappedPage[], child: number): Machine | undefined => {
  const copies = pages.map(({ index, entry: { protection }, frame }) => {
    return { index, protection, ...paging.relocateMemory(machine, frame, child) };
  });
  const relocations = copies.reduce((sum, { changed }) => sum + changed, 0);
  const copied = paging.mapFresh(machine, child, copies);
  return copied === undefined ? undefined : paging.count(copied, child, { copies: copies.length, relocations });
};

/** Every frame mapped a second time, with a guard on both sides, so that the first write of either faults. */
const sharePages = (machine: Machine, pages: readonly MappedPage[], parent: number, child: number): Machine => {
  const frames = pages.map(({ entry }) => entry.frame);
  const guarded = new Map(pages.map(({ index, entry }) => [index, { ...entry, guard: true }]));
  const share = (sofar: Machine, slot: number): Machine =>
    paging.withEntries(sofar, slot, (_, index) => guarded.get(index));
  return share(share(paging.withReferences(machine, frames, 1), parent), child);
};

/**
 * The child's pages: each a copy, or the parent's frame under guard. Undefined where an overcommitted machine that copies
 * has no frame left.
 * @rule FORK-2 pages @source µFork (SOSP 2025), fork; SFork poster, steps of a fork
 */
const forkPages = (machine: Machine, parent: number, child: number): Machine | undefined => {
  const pages = paging.mappedPages(machine, parent);
  const { copiesAtFork } = strategies[machine.config.strategy];
  return copiesAtFork ? copyPages(machine, pages, child) : sharePages(machine, pages, parent, child);
};

/**
 * The child's only thread: the caller's registers and `pcc`, relocated. What other threads the parent has, the child lacks.
 * @rule FORK-4 registers @source SFork poster, steps of a fork
 * @rule FORK-5 thread @source POSIX fork (a new process has a single thread)
 */
const forkThread = (context: Context, process: number, from: number, to: number): Thread => {
  const { machine, format } = context;
  const parent = threadOf(context);
  const region = paging.regionRange(machine, from);
  const delta = regionBase(machine.config, to) - regionBase(machine.config, from);
  return {
    process,
    live: true,
    registers: parent.registers.map((capability) => relocated(format, capability, region, delta)),
    pcc: relocated(format, parent.pcc, region, delta),
  };
};

/**
 * Limits first: a fork that fails changes nothing. A process and a slot (EAGAIN), then commit (ENOMEM).
 * @rule FORK-1 fork @source POSIX fork (EAGAIN, ENOMEM); SFork poster
 */
const fork: Rules["fork"] = (context, { cd, slot: asked, pid: wanted }) => {
  const { machine } = context;
  const home = slotOf(context);
  const slot = lowestSlot(machine);
  const next = lowestPid(machine);
  const room = present(machine) < machine.config.processes;
  if (slot === undefined || next === undefined || !room) return failed(context, "EAGAIN");
  const { length: pages } = paging.mappedPages(machine, home);
  const copied = strategies[machine.config.strategy].copiesAtFork ? pages : 0;
  if (!hasCommit(machine, pages, copied)) return failed(context, "ENOMEM");
  // 1. What the default would choose may be chosen otherwise, if it is free.
  const chosen = asked ?? slot;
  const pid = wanted ?? next;
  if (!(chosen in machine.regions) || !isFree(machine, chosen) || !isFreePid(machine, pid)) {
    return refuse(context, { kind: "bad-choice" });
  }
  // 2. The child's process, region and thread.
  const child = machine.processes.length;
  const parent = context.process;
  const process: Process = { pid, parent, slot: chosen, state: { kind: "live" }, counters: noCounters };
  const empty = Array.from({ length: machine.config.pages }, () => undefined);
  const born: Machine = {
    ...machine,
    processes: [...machine.processes, process],
    regions: machine.regions.with(chosen, empty),
    usedSlots: new Set([...machine.usedSlots, chosen]),
  };
  const mapped = forkPages(born, home, chosen);
  if (mapped === undefined) return failed(context, "ENOMEM");
  const thread = machine.threads.length;
  const forked: Machine = { ...mapped, threads: [...mapped.threads, forkThread(context, child, home, chosen)] };
  // 3. The parent's register gets the pid, the child's 0.
  const told = writeInteger({ ...context, thread }, writeInteger(context, forked, cd, BigInt(pid)), cd, 0n);
  return { machine: told, observation: { kind: "child", child } };
};

/**
 * The end of a process: its threads, its memory, its claim to be anybody's parent. What pointed to its region is swept in
 * the same step, and the slot is free from then on; pid and status stay until the parent waits.
 * @rule EXIT-1 exit @source POSIX _exit; SFork design: the region of an ended process
 */
const endProcess = (machine: Machine, ordinal: number, status: ExitStatus): Machine => {
  const process = machine.processes[ordinal];
  if (process === undefined) return machine;
  const unmapped = paging.unmap(machine, process.slot, { first: 0, count: machine.config.pages });
  const zombie = { kind: "zombie", status, ended: machine.endings } as const;
  const orphaned: Machine = {
    ...unmapped,
    endings: machine.endings + 1,
    regions: unmapped.regions.with(process.slot, []),
    threads: machine.threads.map((thread) => (thread.process === ordinal ? { ...thread, live: false } : thread)),
    processes: unmapped.processes.map((other, index) => {
      if (index === ordinal) return { ...other, state: zombie };
      return other.parent === ordinal ? { ...other, parent: 0 } : other;
    }),
  };
  return sweepRegion(orphaned, paging.regionRange(machine, process.slot));
};

/**
 * Reap a zombie child: by default the one that ended first; any other is allowed where nobody is named.
 * @rule EXIT-1 wait @source POSIX waitpid
 */
const wait: Rules["wait"] = (context, { cd, process: asked, reap }) => {
  const { machine } = context;
  const named = asked === undefined ? undefined : asked % machine.processes.length;
  const children = machine.processes
    .map((process, ordinal) => ({ ordinal, ...process }))
    .filter(({ ordinal, parent, state }) => ordinal !== 0 && parent === context.process && state.kind !== "reaped")
    .filter(({ ordinal }) => named === undefined || named === ordinal);
  if (children.length === 0) return failed(context, "ECHILD");
  const zombies = children
    .flatMap(({ ordinal, pid, state }) => (state.kind === "zombie" ? [{ ordinal, pid, ...state }] : []))
    .toSorted((a, b) => a.ended - b.ended);
  const [first] = zombies;
  if (first === undefined) return refuse(context, { kind: "would-block" });
  const chosen = reap === undefined ? first : zombies.find(({ ordinal }) => ordinal === reap);
  if (chosen === undefined) return refuse(context, { kind: "bad-choice" });
  const processes = machine.processes.map((process, ordinal) =>
    ordinal === chosen.ordinal ? { ...process, state: { kind: "reaped" } as const } : process,
  );
  return {
    machine: writeInteger(context, { ...machine, processes }, cd, BigInt(chosen.pid)),
    observation: { kind: "process", process: chosen.ordinal, status: chosen.status },
  };
};

export const processRules = {
  fork,
  wait,
  exit: (context, { n }) => {
    const status = { exited: Number(integer(context, n) & 0xffn) };
    return done(endProcess(context.machine, context.process, status));
  },
  getpid: (context, { cd }) => giveInteger(context, cd, BigInt(processOf(context)?.pid ?? 0)),
  getppid: (context, { cd }) => {
    const parent = context.process === 0 ? undefined : context.machine.processes[processOf(context)?.parent ?? 0];
    return giveInteger(context, cd, BigInt(parent?.pid ?? 0));
  },
  thread: (context) => {
    const { machine, process } = context;
    const own = machine.threads.filter((thread) => thread.live && thread.process === process);
    if (own.length >= maxThreads) return failed(context, "EAGAIN");
    return done({ ...machine, threads: [...machine.threads, threadOf(context)] });
  },
  thread_exit: (context) => {
    const { machine, thread, process } = context;
    const last = !machine.threads.some((other, index) => index !== thread && other.live && other.process === process);
    return done(last ? endProcess(machine, process, { exited: 0 }) : withThread(machine, thread, { live: false }));
  },
  yield: (context) => done(context.machine),
} satisfies Partial<Rules>;
