/** The end of a process (EXIT-1), and of its image where another takes its place (EXEC-2). */
import { clearTag, nullCapability } from "../cheri/index.js";
import { withProcess, withThread } from "./context.js";
import { closedWhere, withReference } from "./descriptors.js";
import { withCapability } from "./kernel.js";
import type { Machine, Process } from "./machine.js";
import type { ExitStatus } from "./observation.js";
import { regionRange, unmap } from "./paging.js";
import { post, signals } from "./signals.js";
import { sweepRange } from "./sweep.js";

/** A call under way refers to its description, whatever becomes of the descriptor. */
export const withoutCall = (machine: Machine, thread: number): Machine => {
  const { call } = machine.threads[thread] ?? {};
  if (call === undefined) return machine;
  const left = withThread(machine, thread, { call: undefined });
  return "description" in call ? withReference(left, call.description, -1) : left;
};

/** Threads of a process end, all or all but one, and their calls with them. */
export const withoutThreads = (machine: Machine, process: number, except?: number): Machine =>
  machine.threads.reduce<Machine>((sofar, thread, index) => {
    if (thread.process !== process || !thread.live) return sofar;
    const left = withoutCall(sofar, index);
    return index === except ? left : withThread(left, index, { live: false });
  }, machine);

/**
 * The memory of a process ends: its pages, what points to them, and what a device was to do with its buffers.
 * @rule DMA-1 submitter @source SFork design: a request whose submitter is gone is dropped
 */
export const withoutImage = (machine: Machine, ordinal: number, slot: number): Machine => {
  const unmapped = unmap(machine, slot, { first: 0, count: machine.config.pages });
  const requests = unmapped.requests.map((request) =>
    request.process === ordinal ? { ...request, buffer: withCapability(request.buffer, clearTag) } : request,
  );
  return sweepRange({ ...unmapped, requests }, slot, regionRange(machine, slot));
};

/** Does a parent want no zombies? Then its children vanish when they end. */
const reapsAtOnce = ({ actions }: Process): boolean => actions.get(signals.CHLD) === "ignore";

/**
 * A parent learns of a child that has ended: by a signal, and by what `wait` will report. One that ignores that signal gets
 * none, not even where it is blocked, which POSIX leaves open.
 * @rule EXIT-1 notify @source POSIX _exit (consequences of process termination); Linux kernel/signal.c do_notify_parent
 */
const notified = (machine: Machine, child: number, parent: number): Machine => {
  const told = machine.processes[parent];
  if (told?.state.kind !== "live") return machine;
  if (reapsAtOnce(told)) return withProcess(machine, child, { state: { kind: "reaped" } });
  return post(machine, parent, signals.CHLD);
};

/**
 * Children get process 0 for a parent; it is told of those that have ended already.
 * @rule EXIT-1 orphans @source POSIX _exit (parent process ID of the children); Linux PR_SET_CHILD_SUBREAPER
 */
const orphaned = (machine: Machine, parent: number): Machine =>
  machine.processes.reduce<Machine>((sofar, process, child) => {
    if (child === 0 || process.parent !== parent || process.state.kind === "reaped") return sofar;
    const moved = withProcess(sofar, child, { parent: 0 });
    return process.state.kind === "zombie" ? notified(moved, child, 0) : moved;
  }, machine);

/**
 * The end of a process: its threads, its memory, descriptors and locks, its claim to be anybody's parent. What pointed to
 * its region is swept in the same step, and the slot is free from then on; pid and status stay until the parent waits.
 * @rule EXIT-1 exit @source POSIX _exit; SFork design: the region of an ended process
 */
export const endProcess = (machine: Machine, ordinal: number, status: ExitStatus): Machine => {
  const process = machine.processes[ordinal];
  if (process?.state.kind !== "live") return machine;
  const { slot } = process;
  const still = closedWhere(withoutThreads(machine, ordinal), ordinal, () => true);
  const empty = withoutImage(still, ordinal, slot);
  const zombie = { kind: "zombie", status, ended: machine.endings } as const;
  const nothing = { pending: [], alarm: false, actions: new Map(), alternateStack: nullCapability(machine.format) };
  const ended: Machine = {
    ...withProcess(empty, ordinal, { state: zombie, stopped: false, ...nothing }),
    endings: machine.endings + 1,
    regions: empty.regions.with(slot, []),
  };
  return notified(orphaned(ended, ordinal), ordinal, process.parent);
};
