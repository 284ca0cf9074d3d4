/** Processes and threads: fork, exec, exit, wait (FORK-1 to FORK-8, EXEC-2, EXIT-1). */
import { closeWhere } from "./descriptors.js";
import type { HandlerOf, Handlers } from "./handler.js";
import { newProcess } from "./create.js";
import {
  DONTFORK,
  fileSize,
  GUARD,
  WIPEONFORK,
  type Handler,
  type Held,
  type Machine,
  type Process,
  type Thread,
} from "./machine.js";
import { newHeld } from "./storage.js";
import { giveInteger } from "./operations-capability.js";
import { BAD_CHOICE, CHILD, failed, fails, NONE, OUT_OF_FRAMES, PROCESS, WOULD_BLOCK } from "./outcome.js";
import { copyStore, hasCommit, mapFresh, relocateCell, relocateStore } from "./pages.js";
import { endImage, endProcess, endThread, endThreads, newThread, occupy, startImage, startPages } from "./processes.js";
import { CD, N, readInteger } from "./program.js";
import { holdsDead, rangeOf, sweepOwn, sweepRange } from "./sweep.js";
import { copyCell, writeNull } from "./capability.js";

/** Live threads of a process, at most. */
const maxThreads = 8;

const isFreeSlot = (machine: Machine, slot: number): boolean =>
  machine.ownerOf[slot] === -1 && (machine.config.reuse === "revoke" || machine.used[slot] === 0);

function lowestSlot(machine: Machine): number {
  for (let slot = 0; slot < machine.config.slots; slot += 1) if (isFreeSlot(machine, slot)) return slot;
  return -1;
}

/** Pids that are taken: of who is there, and of leaders of groups and sessions that have members. */
function takenPids({ processes }: Machine): ReadonlySet<number> {
  const taken = new Set<number>();
  for (const { pid, state, group, session } of processes) {
    if (state === "reaped") continue;
    taken.add(pid);
    taken.add(processes[group]?.pid ?? 0);
    taken.add(processes[session]?.pid ?? 0);
  }
  return taken;
}

const lowestPid = (taken: ReadonlySet<number>): number => {
  let pid = 1;
  while (taken.has(pid)) pid += 1;
  return pid;
};

const mostPid = 2 ** 31;

/** Every page copied and relocated now. */
function copyPage(machine: Machine, child: Process, index: number, entry: number): void {
  const frame = (machine.entries[entry] ?? 0) - 1;
  const store = copyStore(machine, machine.frameStore[frame] ?? 0);
  child.relocations += relocateStore(machine, store, machine.frameHome[frame] ?? 0, child.slot);
  child.copies += 1;
  mapFresh(machine, child.slot, index, (machine.flags[entry] ?? 0) & ~GUARD, store);
}

/** The parent's frame, under guard on both sides: nothing but page-table work. */
function sharePage(machine: Machine, parent: Process, child: Process, entry: number, own: number): void {
  const { entries, flags, frameReferences } = machine;
  const mapped = entries[entry] ?? 0;
  const old = flags[entry] ?? 0;
  if ((old & GUARD) === 0) parent.pageTableWrites += 1;
  flags[entry] = old | GUARD;
  flags[own] = old | GUARD;
  entries[own] = mapped;
  frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;
  child.pageTableWrites += 1;
  machine.committed += 1;
}

/** The same without guards, where the parent's entry stays as it is: what one writes the other sees. */
function shareOpenly(machine: Machine, parent: Process, child: Process, entry: number, own: number): void {
  const [flags, writes] = [machine.flags[entry] ?? 0, parent.pageTableWrites];
  sharePage(machine, parent, child, entry, own);
  machine.flags[entry] = flags;
  machine.flags[own] = flags;
  parent.pageTableWrites = writes;
}

interface Inheritance {
  readonly copied: number;
  readonly wiped: number;
  /** Pages that the child has not got. */
  readonly absent: readonly number[];
}

function inheritanceOf(machine: Machine, slot: number): Inheritance {
  const row = (machine.rowOf[slot] ?? 0) * machine.pages;
  const absent: number[] = [];
  let [copied, wiped] = [0, 0];
  for (let index = 0; index < machine.pages; index += 1) {
    if (machine.entries[row + index] === 0) continue;
    const flags = machine.flags[row + index] ?? 0;
    if ((flags & DONTFORK) !== 0) absent.push(index);
    else if ((flags & WIPEONFORK) !== 0) wiped += 1;
    else copied += 1;
  }
  return { copied, wiped, absent };
}

/** Pages that the child would have to split at once, because they point to pages that it has not got. */
function splitAtOnce(machine: Machine, parent: number, child: number, absent: readonly number[]): number {
  if (!machine.strategy.lazy || absent.length === 0) return 0;
  const row = (machine.rowOf[parent] ?? 0) * machine.pages;
  const ranges = absent.map((index) => rangeOf(machine, child, index, 1));
  let count = 0;
  for (let entry = row; entry < row + machine.pages; entry += 1) {
    const frame = (machine.entries[entry] ?? 0) - 1;
    if (frame < 0 || ((machine.flags[entry] ?? 0) & (DONTFORK | WIPEONFORK)) !== 0) continue;
    if (ranges.some((range) => holdsDead(machine, frame, child, range))) count += 1;
  }
  return count;
}

function forkPages(machine: Machine, parent: Process, child: Process): void {
  const { pages, strategy } = machine;
  const from = (machine.rowOf[parent.slot] ?? 0) * pages;
  const to = (machine.rowOf[child.slot] ?? 0) * pages;
  for (let index = 0; index < pages; index += 1) {
    const entry = from + index;
    const flags = machine.flags[entry] ?? 0;
    if (machine.entries[entry] === 0 || (flags & DONTFORK) !== 0) continue;
    if ((flags & WIPEONFORK) !== 0) mapFresh(machine, child.slot, index, flags & ~GUARD, 0);
    else if (!strategy.guards) shareOpenly(machine, parent, child, entry, to + index);
    else if (strategy.lazy) sharePage(machine, parent, child, entry, to + index);
    else copyPage(machine, child, index, entry);
  }
}

/** A kernel that is cloned with the process: mapped twice, and copied where the child's writes. */
function cloneKernel({ strategy: { kernelMapped, kernelWritten } }: Machine, parent: Process, child: Process): void {
  parent.pageTableWrites += kernelMapped;
  child.pageTableWrites += kernelMapped + kernelWritten;
  child.faults += kernelWritten;
  child.copies += kernelWritten;
}

/** A capability that the kernel holds, as the child's kernel holds it. */
const heldImage = (machine: Machine, held: Held, from: number, to: number): Held => {
  const image = newHeld(machine);
  copyCell(machine, held.cells, 0, image.cells, 0);
  image.tag = held.tag && relocateCell(machine, image.cells, 0, from, to) !== 2;
  return image;
};

/** What the kernel keeps of the parent, its capabilities relocated, without what no child inherits. */
function born(machine: Machine, parent: Process, pid: number, slot: number): Process {
  const image = (held: Held): Held => heldImage(machine, held, parent.slot, slot);
  const child = newProcess(machine.processes.length, pid, parent.ordinal, slot, image(parent.stack), parent.nproc);
  child.group = parent.group;
  child.session = parent.session;
  child.descriptors = parent.descriptors.map((descriptor) => descriptor && { ...descriptor });
  for (const descriptor of child.descriptors) if (descriptor !== undefined) descriptor.description.references += 1;
  for (const [signal, action] of parent.actions) {
    const own: Handler | "ignore" =
      action === "ignore" ? action : { code: image(action.code), data: image(action.data) };
    child.actions.set(signal, own);
  }
  child.umask = parent.umask;
  child.directory = parent.directory;
  child.nofile = parent.nofile;
  return child;
}

/** Registers and `pcc` of a thread, as the child's only thread has them. */
function forkRegisters(machine: Machine, parent: Thread, child: Thread): void {
  const { registers, registerTags, granuleHalves } = machine;
  for (let index = 0; index < fileSize; index += 1) {
    const from = parent.registers + index;
    const to = child.registers + index;
    copyCell(machine, registers, from * granuleHalves, registers, to * granuleHalves);
    const tag = registerTags[from] === 1;
    const slots = [parent.process.slot, child.process.slot] as const;
    registerTags[to] = +(tag && relocateCell(machine, registers, to * granuleHalves, ...slots) !== 2);
  }
}

const fork: HandlerOf<"fork"> = (machine, code, at, { slot: asked, pid: wanted }) => {
  const { process: parent, thread, config, processes } = machine;
  const free = lowestSlot(machine);
  const pids = takenPids(machine);
  const present = processes.reduce((count, { state }) => (state === "reaped" ? count : count + 1), 0);
  const { copied, wiped, absent } = inheritanceOf(machine, parent.slot);
  const atOnce = wiped + (machine.strategy.lazy ? 0 : copied);
  const isFull = present >= Math.min(config.processes, parent.nproc);
  const isWrong = fails(
    machine,
    [free < 0 || isFull, "EAGAIN"],
    [!hasCommit(machine, copied + wiped, atOnce), "ENOMEM"],
  );
  if (isWrong) return;
  // 1. What the default would choose may be chosen otherwise, if it is free.
  const slot = asked ?? free;
  const pid = wanted ?? lowestPid(pids);
  const isPid = Number.isInteger(pid) && pid >= 1 && pid < mostPid && !pids.has(pid);
  if (!Number.isInteger(slot) || slot < 0 || slot >= config.slots || !isFreeSlot(machine, slot) || !isPid) {
    machine.kind = BAD_CHOICE;
    return;
  }
  if (machine.usedFrames + atOnce + splitAtOnce(machine, parent.slot, slot, absent) > config.frames) {
    machine.kind = OUT_OF_FRAMES;
    return;
  }
  // 2. The child's process, region and thread.
  const child = born(machine, parent, pid, slot);
  processes.push(child);
  occupy(machine, slot, child);
  forkPages(machine, parent, child);
  cloneKernel(machine, parent, child);
  const first = newThread(machine, child, thread.mask);
  forkRegisters(machine, thread, first);
  for (const index of absent) {
    const range = rangeOf(machine, slot, index, 1);
    sweepOwn(machine, slot, range, index, 1);
    sweepRange(machine, slot, range);
  }
  // 3. The parent's register gets the pid, the child's 0.
  giveInteger(machine, code, at, pid, 0);
  const cd = first.registers + (code[at + CD] ?? 0);
  writeNull(machine, machine.registers, cd * machine.granuleHalves, 0, 0);
  machine.registerTags[cd] = 0;
  machine.kind = CHILD;
  machine.first = child.ordinal;
};

const exec: HandlerOf<"exec"> = (machine) => {
  const { process, thread } = machine;
  // What the image gives back: of shared frames nothing.
  const row = (machine.rowOf[process.slot] ?? 0) * machine.pages;
  let [pages, frames] = [0, 0];
  for (let entry = row; entry < row + machine.pages; entry += 1) {
    const frame = (machine.entries[entry] ?? 0) - 1;
    if (frame < 0) continue;
    pages += 1;
    if (machine.frameReferences[frame] === 1) frames += 1;
  }
  const needed = startPages(machine.pages);
  if (!hasCommit(machine, needed - pages, needed - frames)) {
    failed(machine, "ENOMEM");
    return;
  }
  endThreads(machine, process, thread);
  closeWhere(process, ({ cloexec }) => cloexec);
  endImage(machine, process);
  startImage(machine, process.slot, thread.registers);
  for (const [signal, action] of process.actions) if (action !== "ignore") process.actions.delete(signal);
  process.stack = newHeld(machine);
  process.executed = true;
  machine.kind = NONE;
};

const wait: HandlerOf<"wait"> = (machine, code, at, { whom: asked, reap }) => {
  const { processes, process: own } = machine;
  const named = asked === undefined ? -1 : asked % processes.length;
  let children = 0;
  let chosen: Process | undefined;
  for (const child of processes) {
    const { ordinal, state } = child;
    if (ordinal === 0 || child.parent !== own.ordinal || state === "reaped") continue;
    if (named >= 0 && ordinal !== named) continue;
    children += 1;
    if (state === "zombie" && (chosen === undefined || child.ended < chosen.ended)) chosen = child;
  }
  if (children === 0) {
    failed(machine, "ECHILD");
    return;
  }
  if (chosen === undefined) {
    machine.kind = WOULD_BLOCK;
    return;
  }
  if (reap !== undefined) {
    const other = processes[reap];
    const isChild = other?.state === "zombie" && other.parent === own.ordinal && reap !== 0;
    if (!isChild || (named >= 0 && reap !== named)) {
      machine.kind = BAD_CHOICE;
      return;
    }
    chosen = other;
  }
  chosen.state = "reaped";
  own.childrenRan ||= chosen.ran || chosen.childrenRan;
  giveInteger(machine, code, at, chosen.pid, 0);
  machine.kind = PROCESS;
  machine.first = chosen.ordinal;
  machine.seen = chosen.status;
};

export const processHandlers = {
  fork,
  exec,
  wait,
  exit: (machine, code, at) => {
    readInteger(machine, code, at + N);
    endProcess(machine, machine.process, { exited: machine.lo & 0xff });
    machine.kind = NONE;
  },
  getpid: (machine, code, at) => {
    giveInteger(machine, code, at, machine.process.pid, 0);
  },
  getppid: (machine, code, at) => {
    const { process, processes } = machine;
    const parent = process.ordinal === 0 ? undefined : processes[process.parent];
    giveInteger(machine, code, at, parent?.pid ?? 0, 0);
  },
  thread: (machine) => {
    const { process, thread } = machine;
    if (machine.liveThreads.filter((one) => one.process === process).length >= maxThreads) {
      failed(machine, "EAGAIN");
      return;
    }
    const { registers: to } = newThread(machine, process, thread.mask);
    const { granuleHalves, registers, registerTags } = machine;
    const from = thread.registers;
    registers.copyWithin(to * granuleHalves, from * granuleHalves, (from + fileSize) * granuleHalves);
    registerTags.copyWithin(to, from, from + fileSize);
    machine.kind = NONE;
  },
  thread_exit: (machine) => {
    const { process, thread } = machine;
    const isLast = !machine.liveThreads.some((one) => one !== thread && one.process === process);
    if (isLast) endProcess(machine, process, { exited: 0 });
    else endThread(machine, thread);
    machine.kind = NONE;
  },
  yield: (machine) => {
    machine.kind = NONE;
  },
} satisfies Partial<Handlers>;
