/** Processes, signals and attributes: a fork copies the bits with what they belong to, an image starts anew. */
import { pageBase, type Machine } from "../../spec/sfork/machine.js";
import type { Integer } from "../../spec/sfork/operation.js";
import { isPlaced } from "./place.js";
import { from, plain, type Flow, type FlowOver, type Flows } from "./flow.js";
import type { Look } from "./look.js";
import type { Shadow } from "./shadow.js";

/** The registers of a thread as an image starts with them: those that point to memory have the bit. */
export const startRegisters = (shadow: Shadow, machine: Machine, thread: number): void => {
  const { registers = [] } = machine.threads[thread] ?? {};
  for (const [index, value] of registers.entries()) {
    shadow.registers.set(thread, index, isPlaced(machine, value));
  }
};

const copyMemory = ({ before, after, shadow }: Look, parent: number, child: number): void => {
  for (const [index, entry] of (after.regions[child] ?? []).entries()) {
    if (entry === undefined) continue;
    const [from, to] = [pageBase(after.config, parent, index), pageBase(after.config, child, index)];
    if (before.regions[parent]?.[index]?.advice.wipeOnFork === true) shadow.memory.clear(to);
    else shadow.memory.copyPage(from, to);
  }
};

/** The child's registers and pages are the parent's; the one that tells them apart is a number on both sides. */
const fork: Flow<"fork"> = plain(undefined, (look, { cd }) => {
  const { context, before, after, observation, shadow } = look;
  if (observation.kind !== "child") return;
  const thread = after.threads.length - 1;
  const [parent, child] = [before.processes[context.process], after.processes[observation.child]];
  if (parent === undefined || child === undefined) return;
  shadow.registers.copyThread(context.thread, thread);
  shadow.registers.set(thread, cd, false);
  copyMemory(look, parent.slot, child.slot);
  if (shadow.stacks.has(context.process)) shadow.stacks.add(observation.child);
  else shadow.stacks.delete(observation.child);
});

const exec: Flow<"exec"> = plain(undefined, ({ context: { thread, process }, after, shadow }) => {
  const { slot = 0 } = after.processes[process] ?? {};
  for (const index of (after.regions[slot] ?? []).keys()) shadow.memory.clear(pageBase(after.config, slot, index));
  startRegisters(shadow, after, thread);
  shadow.stacks.delete(process);
});

const number = ({ n }: { readonly n: Integer }): readonly Integer[] => [n];
const signal = (operands: { readonly signal: Integer }): readonly Integer[] => [operands.signal];

type Names =
  | ("fork" | "exit" | "wait" | "getpid" | "getppid" | "thread" | "thread_exit" | "yield" | "exec" | "burn" | "times")
  | ("alarm" | "umask" | "chdir" | "getrlimit" | "setrlimit" | "setpgid" | "getpgid" | "setsid" | "getsid")
  | ("sigaction" | "getaction" | "sigmask" | "sigpending" | "kill" | "sigaltstack" | "getaltstack")
  | ("channel" | "sendcap" | "recvcap");

/** Processes of their own address spaces have none. */
const channel: FlowOver<unknown> = { oblivious: "never", decides: () => [], answer: () => "outside" };

export const processFlows: Pick<Flows, Names> = {
  fork,
  exit: plain(number),
  wait: plain(),
  getpid: plain(),
  getppid: plain(),
  thread: plain(undefined, ({ context, after, shadow }) => {
    shadow.registers.copyThread(context.thread, after.threads.length - 1);
  }),
  thread_exit: plain(),
  yield: plain(),
  exec,
  burn: plain(),
  times: plain(),
  alarm: plain(number),

  umask: plain(number),
  chdir: plain(),
  getrlimit: plain(),
  setrlimit: plain(number),
  setpgid: plain(),
  getpgid: plain(),
  setsid: plain(),
  getsid: plain(),

  // A handler's capabilities are never shown again; what it does to its counter, the tracker knows.
  sigaction: plain(signal),
  getaction: plain(signal),
  sigmask: plain(),
  sigpending: plain(),
  kill: plain(signal),
  sigaltstack: plain(undefined, (look, { cs1 }) => {
    if (look.isPlaced(cs1)) look.shadow.stacks.add(look.context.process);
    else look.shadow.stacks.delete(look.context.process);
  }),
  getaltstack: from(({ shadow, context }) => shadow.stacks.has(context.process)),

  channel,
  sendcap: channel,
  recvcap: channel,
};
