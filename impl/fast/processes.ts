/** Beginnings and ends of processes and threads (EXIT-1, EXEC-2, SIG-1), apart from the operations that cause them. */
import type { Config } from "../../spec/sfork/config.js";
import type { ExitStatus } from "../../spec/sfork/observation.js";
import { sealEntry, writeNull, writeRoot } from "./capability.js";
import { closeWhere, dropDescription } from "./descriptors.js";
import { maskOf } from "./facts.js";
import { emptyMachine, newProcess } from "./create.js";
import { EXECUTE, fileSize, pccIndex, READ, WRITE, type Machine, type Process, type Thread } from "./machine.js";
import { newHeld, takeRegisters, takeRow } from "./storage.js";
import { codeRights, dataRights, writePagesRoot, writeSegmentRoot } from "./operations-mapping.js";
import { mapFresh, unmap } from "./pages.js";
import { CHLD, post } from "./signals.js";
import { rangeOf, sweepRange } from "./sweep.js";

/** Pages with which an image starts: half of the region for data, one for the stack, one for code. */
export const startPages = (pages: number): number => Math.floor(pages / 2) + 2;

/** The first of four object types that sealing authority covers. */
const firstOtype = 4;
const otypeCount = 4;

/** Registers and pages with which an image starts (LAY-1). */
export function startImage(machine: Machine, slot: number, first: number): void {
  const { pages, registers, registerTags, granuleHalves, facts, rights, kernelLo, kernelHi, page } = machine;
  const half = Math.floor(pages / 2);
  for (let index = 0; index < half; index += 1) mapFresh(machine, slot, index, READ | WRITE, 0);
  mapFresh(machine, slot, pages - 2, READ | WRITE, 0);
  mapFresh(machine, slot, pages - 1, READ | EXECUTE, 0);

  const [data, code] = [dataRights(facts), codeRights(facts)];
  for (let register = first; register < first + fileSize; register += 1) {
    writeNull(machine, registers, register * granuleHalves, 0, 0);
    registerTags[register] = 0;
  }
  const place = (register: number): number => (first + register) * granuleHalves;
  const give = (register: number, tag: boolean): void => {
    registerTags[first + register] = +tag;
  };
  give(1, writePagesRoot(machine, first + 1, slot, 0, half, data));
  give(2, writePagesRoot(machine, first + 2, slot, pages - 2, 1, data));
  const isCode = writePagesRoot(machine, first + 3, slot, pages - 1, 1, code | rights.invoke);
  give(3, sealEntry(machine, registers, place(3), isCode));
  if (facts.ordinaryOtypes) {
    const sealing = maskOf(facts, ["seal", "unseal", "global"]);
    give(4, writeRoot(machine, registers, place(4), firstOtype, 0, otypeCount, 0, sealing));
  }
  const isKernel = writeRoot(machine, registers, place(5), kernelLo, kernelHi, page, 0, code);
  give(5, sealEntry(machine, registers, place(5), isKernel));
  give(6, writeSegmentRoot(machine, first + 6, 0));
  give(pccIndex, writePagesRoot(machine, first + pccIndex, slot, pages - 1, 1, code));
}

/** A slot becomes a process's. */
export function occupy(machine: Machine, slot: number, process: Process): void {
  machine.rowOf[slot] = takeRow(machine);
  machine.ownerOf[slot] = process.ordinal;
  machine.used[slot] = 1;
}

/** A thread with registers of its own. */
export function newThread(machine: Machine, process: Process, mask: number): Thread {
  const ordinal = machine.threads.length;
  const thread: Thread = { ordinal, process, registers: takeRegisters(machine), mask, call: undefined };
  machine.threads.push(thread);
  machine.liveThreads.push(thread);
  return thread;
}

/** A call under way holds its description. */
export function dropCall(thread: Thread): void {
  const { call } = thread;
  thread.call = undefined;
  if (call !== undefined && call.kind !== "open") dropDescription(call.description);
}

export function endThread(machine: Machine, thread: Thread): void {
  dropCall(thread);
  machine.threads[thread.ordinal] = undefined;
  machine.liveThreads.splice(machine.liveThreads.indexOf(thread), 1);
  machine.freeFiles.push(thread.registers / fileSize);
}

/** Threads of a process end, all or all but one; its calls do in any case. */
export function endThreads(machine: Machine, process: Process, except?: Thread): void {
  for (const thread of machine.liveThreads.filter((one) => one.process === process)) {
    if (thread === except) dropCall(thread);
    else endThread(machine, thread);
  }
}

/** The memory of a process ends, what points to it, and what a device was to do with its buffers. */
export function endImage(machine: Machine, process: Process): void {
  const { slot, ordinal } = process;
  unmap(machine, slot, 0, machine.pages);
  for (const request of machine.requests) if (request.process === ordinal) request.buffer.capability.tag = false;
  sweepRange(machine, slot, rangeOf(machine, slot, 0, machine.pages));
}

/** A parent is told of a child that has ended; one that ignores the signal wants no zombie, and is told nothing. */
function notify(machine: Machine, child: Process, parent: Process | undefined): void {
  if (parent?.state !== "live") return;
  if (parent.actions.get(CHLD) === "ignore") child.state = "reaped";
  else post(machine, parent, CHLD);
}

/** The end of a process. */
export function endProcess(machine: Machine, process: Process, status: ExitStatus): void {
  if (process.state !== "live") return;
  endThreads(machine, process);
  closeWhere(process, () => true);
  endImage(machine, process);
  machine.freeRows.push(machine.rowOf[process.slot] ?? 0);
  machine.rowOf[process.slot] = -1;
  machine.ownerOf[process.slot] = -1;
  process.state = "zombie";
  process.status = status;
  process.ended = machine.endings;
  machine.endings += 1;
  process.stopped = false;
  process.pending = 0;
  process.alarm = false;
  process.actions = new Map();
  process.stack = newHeld(machine);
  // Children get process 0 for a parent.
  const [first] = machine.processes;
  for (const child of machine.processes) {
    if (child.ordinal === 0 || child.parent !== process.ordinal || child.state === "reaped") continue;
    child.parent = 0;
    if (child.state === "zombie") notify(machine, child, first);
  }
  notify(machine, process, machine.processes[process.parent]);
}

/** A machine at its start: process 0 in slot 0, with one thread. */
export const start = (config: Config): Machine => {
  const machine = emptyMachine(config);
  const first = newProcess(0, 1, 0, 0, newHeld(machine), config.processes);
  machine.processes.push(first);
  occupy(machine, 0, first);
  const { registers } = newThread(machine, first, 0);
  startImage(machine, 0, registers);
  first.pageTableWrites = 0;
  return machine;
};
