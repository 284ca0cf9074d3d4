/** Processes as steps: fork, exit, wait, threads, exec (FORK-1 to FORK-8, EXIT-1, EXEC-2). */
import { nullCapability, type Capability } from "../cheri/index.js";
import { call, done, failed, giveInteger, integer, processOf, refuse, slotOf, threadOf } from "./context.js";
import { withProcess, withThread, writeInteger, type Context } from "./context.js";
import { closedWhere, shared } from "./descriptors.js";
import { endProcess, withoutCall, withoutImage, withoutThreads } from "./ending.js";
import { fresh, withHeld } from "./kernel.js";
import { maxThreads, noCounters, pageBase, regionBase, startState, zeroPage } from "./machine.js";
import type { Machine, Process, Thread } from "./machine.js";
import * as paging from "./paging.js";
import { hasCommit } from "./rules-mapping.js";
import type { Rules } from "./rules.js";
import { sweepUnmapped } from "./sweep.js";
import { flatMap } from "./lists.js";

/** Processes that count against the limit: live ones and zombies. */
const present = (machine: Machine): number =>
  machine.processes.filter((process) => process.state.kind !== "reaped").length;

const isFree = (machine: Machine, slot: number): boolean =>
  !machine.processes.some((process) => process.slot === slot && process.state.kind === "live") &&
  (machine.config.reuse === "revoke" || !machine.usedSlots.has(slot));

const lowestSlot = (machine: Machine): number | undefined =>
  machine.regions.map((_, slot) => slot).find((slot) => isFree(machine, slot));

/** The process gives its pid to a group, or a session, that has members. */
const leads = ({ processes }: Machine, leader: number): boolean =>
  processes.some(({ state, group, session }) => state.kind !== "reaped" && (group === leader || session === leader));

/** A pid is positive, fits a signed 32-bit register, and is nobody else's: no zombie's, no group's, no session's. */
const isFreePid = (machine: Machine, pid: number): boolean =>
  Number.isInteger(pid) &&
  pid >= 1 &&
  pid < 2 ** 31 &&
  !machine.processes.some(
    (process, ordinal) => process.pid === pid && (process.state.kind !== "reaped" || leads(machine, ordinal)),
  );

/** Among one more than there were processes, one is free. */
const lowestPid = (machine: Machine): number | undefined =>
  Array.from({ length: machine.processes.length + 1 }, (_, index) => index + 1).find((pid) => isFreePid(machine, pid));

/** Every page copied and relocated now. Undefined where an overcommitted machine has too few frames. */
const copyPages = (machine: Machine, pages: readonly paging.MappedPage[], child: number): Machine | undefined => {
  const copies = pages.map(({ index, entry: { protection, advice }, frame }) => {
    const { memory, changed } = paging.relocateMemory(machine, frame, child);
    return { index, protection, advice, memory, changed };
  });
  const relocations = copies.reduce((sum, { changed }) => sum + changed, 0);
  const copied = paging.mapFresh(machine, child, copies);
  return copied === undefined ? undefined : paging.count(copied, child, { copies: copies.length, relocations });
};

/** Every frame mapped a second time; with a guard on both sides the first write of either faults. */
const sharePages = (machine: Machine, pages: readonly paging.MappedPage[], parent: number, child: number): Machine => {
  const frames = pages.map(({ entry }) => entry.frame);
  const guarded = new Map(
    pages.map(({ index, entry }) => [index, { ...entry, guard: machine.laws.atFork === "guard" }]),
  );
  const share = (sofar: Machine, slot: number): Machine =>
    paging.withEntries(sofar, slot, (entry, index) => guarded.get(index) ?? entry);
  return share(share(paging.withReferences(machine, frames, 1), parent), child);
};

/** A kernel that is cloned with the process: its pages in both page tables, and copies of those that the child's writes. */
const cloneKernel = (machine: Machine, parent: number, child: number): Machine => {
  const { mapped, written } = machine.laws.kernel;
  if (mapped === 0) return machine;
  const guarded = paging.count(machine, parent, { pageTableWrites: mapped });
  return paging.count(guarded, child, { faults: written, copies: written, pageTableWrites: mapped + written });
};

/** The pages that a child gets, those that begin with zeros last. */
const inherited = (machine: Machine, parent: number) => {
  const pages = paging.mappedPages(machine, parent).filter(({ entry }) => !entry.advice.dontFork);
  return {
    copied: pages.filter(({ entry }) => !entry.advice.wipeOnFork),
    wiped: pages.filter(({ entry }) => entry.advice.wipeOnFork),
  };
};

/**
 * The child's pages: each a copy, or the parent's frame under guard, or zeros. Undefined where an overcommitted machine
 * has no frame left for one that is needed at once.
 * @rule FORK-2 pages @source µFork (SOSP 2025), fork; SFork poster, steps of a fork; Linux madvise(2)
 */
const forkPages = (machine: Machine, parent: number, child: number): Machine | undefined => {
  const { copied, wiped } = inherited(machine, parent);
  const copies = machine.laws.atFork === "copy";
  const forked = copies ? copyPages(machine, copied, child) : sharePages(machine, copied, parent, child);
  const memory = zeroPage(machine.config);
  const zeros = wiped.map(({ entry, index }) => ({ ...entry, index, memory }));
  return forked && paging.mapFresh(cloneKernel(forked, parent, child), child, zeros);
};

/**
 * Pages that the child has not got ended there: what its copies point to in them is swept in its own view. Undefined where
 * no frame is left for that.
 * @rule FORK-2 absent @source Linux madvise(2), MADV_DONTFORK; REUSE-1
 */
const sweptAbsent = (machine: Machine, parent: number, child: number): Machine | undefined =>
  paging
    .mappedPages(machine, parent)
    .filter(({ entry }) => entry.advice.dontFork)
    .reduce<Machine | undefined>((sofar, { index }) => {
      const start = pageBase(machine.config, child, index);
      return sofar && sweepUnmapped(sofar, child, { start, end: start + BigInt(machine.config.page) });
    }, machine);

/**
 * The child as a process: what the kernel keeps of the parent, its capabilities relocated, and what no child inherits.
 * Its only thread: the caller's registers and `pcc`, relocated, and its mask. Other threads, and calls under way, it lacks.
 * @rule FORK-4 registers @source SFork poster, steps of a fork
 * @rule FORK-5 thread @source POSIX fork (a new process has a single thread)
 */
const born = (
  context: Context,
  old: Process,
  { pid, child, slot }: { readonly pid: number; readonly child: number; readonly slot: number },
): { readonly process: Process; readonly thread: Thread } => {
  const { machine, format, process: parent } = context;
  const from = slotOf(context);
  const region = paging.regionRange(machine, from);
  const delta = regionBase(machine.config, slot) - regionBase(machine.config, from);
  const { image, heldImage } = machine.laws;
  const moved = (one: Capability): Capability => image(format, one, region, delta);
  const held = (one: Capability): Capability => heldImage(format, one, region, delta);
  const { registers, pcc, mask } = threadOf(context);
  const state = { kind: "live" } as const;
  return {
    process: { ...old, ...withHeld(old, held), ...fresh, pid, parent, slot, state, counters: noCounters },
    thread: { process: child, live: true, registers: registers.map(moved), pcc: moved(pcc), mask, call: undefined },
  };
};

/**
 * Limits first: a fork that fails changes nothing. A process and a slot (EAGAIN), then commit (ENOMEM).
 * @rule FORK-1 fork @source POSIX fork (EAGAIN, ENOMEM); SFork poster
 */
const fork: Rules["fork"] = (context, { cd, slot: asked, pid: wanted }) => {
  const { machine } = context;
  const home = slotOf(context);
  const old = processOf(context);
  const slot = lowestSlot(machine);
  const next = lowestPid(machine);
  const isFull = present(machine) >= Math.min(machine.config.processes, old?.limits.nproc ?? 0);
  const { copied, wiped } = inherited(machine, home);
  const atOnce = wiped.length + (machine.laws.atFork === "copy" ? copied.length : 0);
  const checks = [
    [slot === undefined || next === undefined || isFull, "EAGAIN"],
    [!hasCommit(machine, copied.length + wiped.length, atOnce), "ENOMEM"],
  ] as const;
  return call(context, checks, () => {
    // 1. What the default would choose may be chosen otherwise, if it is free.
    const chosen = asked ?? slot ?? 0;
    const pid = wanted ?? next ?? 0;
    if (old === undefined || !(chosen in machine.regions) || !isFree(machine, chosen) || !isFreePid(machine, pid)) {
      return refuse(context, { kind: "bad-choice" });
    }
    // 2. The child's process, region and thread.
    const child = machine.processes.length;
    const thread = machine.threads.length;
    const nothingMapped = Array.from({ length: machine.config.pages }, () => undefined);
    const made = born(context, old, { pid, child, slot: chosen });
    const begun: Machine = {
      ...shared(machine, old.descriptors),
      processes: [...machine.processes, made.process],
      regions: machine.regions.with(chosen, nothingMapped),
      usedSlots: new Set([...machine.usedSlots, chosen]),
    };
    const mapped = forkPages(begun, home, chosen);
    const swept = mapped && sweptAbsent({ ...mapped, threads: [...mapped.threads, made.thread] }, home, chosen);
    if (swept === undefined) return refuse(context, { kind: "out-of-frames" });
    // 3. The parent's register gets the pid, the child's 0.
    const told = writeInteger({ ...context, thread }, writeInteger(context, swept, cd, BigInt(pid)), cd, 0n);
    return { machine: told, observation: { kind: "child", child } };
  });
};

/**
 * Another image in the same process: memory, threads and handlers are new; pid, relatives, descriptors without
 * close-on-exec, ignored signals, mask, pending signals and attributes stay.
 * @rule EXEC-2 exec @source POSIX exec
 */
const exec: Rules["exec"] = (context) => {
  const { machine, process, thread, format } = context;
  const slot = slotOf(context);
  const old = processOf(context);
  const { registers, pcc, protection } = startState(machine.config, slot);
  const memory = zeroPage(machine.config);
  const pages = flatMap(protection, (own, index) => (own === undefined ? [] : [{ index, protection: own, memory }]));
  const still = closedWhere(withoutThreads(machine, process, thread), process, ({ cloexec }) => cloexec);
  const empty = withoutImage(still, process, slot);
  const mapped = hasCommit(empty, pages.length) ? paging.mapFresh(empty, slot, pages) : undefined;
  if (old === undefined || mapped === undefined) return failed(context, "ENOMEM");
  const ignored = Array.from(old.actions).filter(([, action]) => action === "ignore");
  const image = { actions: new Map(ignored), alternateStack: nullCapability(format), executed: true };
  return done(withThread(withProcess(mapped, process, image), thread, { registers, pcc }));
};

/**
 * Reap a zombie child: by default the one that ended first; any other is allowed where nobody is named.
 * @rule EXIT-1 wait @source POSIX waitpid
 */
const wait: Rules["wait"] = (context, { cd, whom: asked, reap }) => {
  const { machine } = context;
  const named = asked === undefined ? undefined : asked % machine.processes.length;
  const children = machine.processes
    .map((process, ordinal) => ({ ordinal, ...process }))
    .filter(({ ordinal, parent, state }) => ordinal !== 0 && parent === context.process && state.kind !== "reaped")
    .filter(({ ordinal }) => named === undefined || named === ordinal);
  if (children.length === 0) return failed(context, "ECHILD");
  const zombies = flatMap(children, ({ state, ...child }) =>
    state.kind === "zombie" ? [{ ...child, ...state }] : [],
  ).toSorted((a, b) => a.ended - b.ended);
  const [first] = zombies;
  if (first === undefined) return refuse(context, { kind: "would-block" });
  const chosen = reap === undefined ? first : zombies.find(({ ordinal }) => ordinal === reap);
  if (chosen === undefined) return refuse(context, { kind: "bad-choice" });
  const reaped = withProcess(machine, chosen.ordinal, { state: { kind: "reaped" } });
  const { childrenRan = false } = processOf(context) ?? {};
  const timed = { childrenRan: childrenRan || chosen.ran || chosen.childrenRan };
  return {
    machine: writeInteger(context, withProcess(reaped, context.process, timed), cd, BigInt(chosen.pid)),
    observation: { kind: "process", process: chosen.ordinal, status: chosen.status },
  };
};

export const processRules = {
  fork,
  exec,
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
    return done({ ...machine, threads: [...machine.threads, { ...threadOf(context), call: undefined }] });
  },
  thread_exit: (context) => {
    const { machine, thread, process } = context;
    const last = !machine.threads.some((other, index) => index !== thread && other.live && other.process === process);
    if (last) return done(endProcess(machine, process, { exited: 0 }));
    return done(withThread(withoutCall(machine, thread), thread, { live: false }));
  },
  yield: (context) => done(context.machine),
} satisfies Partial<Rules>;
