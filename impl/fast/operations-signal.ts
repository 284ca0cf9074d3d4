/** Signals as operations, and how a thread takes them before its own step (SIG-1, SIG-2). */
import type { ActionOperand, Target } from "../../spec/sfork/operation.js";
import { ADDRESS_HI, ADDRESS_LO } from "./codec/types.js";
import { copyCell, decode, isMemory, isSealed, permits, plainHi } from "./capability.js";
import type { Handlers } from "./handler.js";
import type { Buffer, Handler, Held, Machine, Process } from "./machine.js";
import { readBytes, writeNumber } from "./memory.js";
import { giveCapability } from "./operations-capability.js";
import { heldRegister } from "./operations-transfer.js";
import { failed, fails, HALTED, NO_ACTOR, NONE, OUT_OF_FRAMES, set, WOULD_BLOCK } from "./outcome.js";
import { beginAccess, distanceOf, hasFrames, settle, TOUCH_WRITE, touchBytes } from "./pages.js";
import { endProcess } from "./processes.js";
import { CD, CS1, N, readInteger, registerAt } from "./program.js";
import {
  dispositionOf,
  has,
  isCertain,
  isSignal,
  KILL,
  lastSignal,
  maskable,
  membersOf,
  post,
  SEGV,
  stopsNow,
} from "./signals.js";
import { isFaulty } from "./transfer.js";
import { numberOf } from "./words.js";

/** Bytes of a handler's counter. */
const counterSize = ({ wide }: Machine): number => (wide ? 8 : 4);

const counterOf = (machine: Machine, { data }: Handler): Buffer => ({
  capability: data,
  sizeLo: counterSize(machine),
  sizeHi: 0,
});

/** May the kernel call it: read and write its counter, and jump to a tagged capability? */
const isCallable = (machine: Machine, handler: Handler): boolean =>
  handler.code.tag &&
  !isFaulty(machine, false, counterOf(machine, handler)) &&
  !isFaulty(machine, true, counterOf(machine, handler));

const counterDistance = (machine: Machine, { data }: Handler): number => {
  const decoded = decode(machine, data.cells, 0);
  const hi = machine.wide ? plainHi(machine, decoded[ADDRESS_HI] ?? 0) : 0;
  return distanceOf(machine, decoded[ADDRESS_LO] ?? 0, hi);
};

/** The kernel adds 1 to the counter that a handler's data capability names. */
function count(machine: Machine, handler: Handler): void {
  const size = counterSize(machine);
  const distance = counterDistance(machine, handler);
  beginAccess(machine);
  touchBytes(machine, distance, size, TOUCH_WRITE, 1);
  settle(machine);
  readBytes(machine, distance, size);
  const lo = (machine.lo + 1) | 0;
  writeNumber(machine, distance, size, lo, lo === 0 ? (machine.hi + 1) | 0 : machine.hi);
}

/** Are there frames for the counters of all handlers that will run? Where not, no signal is taken. */
function hasFramesFor(machine: Machine, process: Process, signals: number): boolean {
  if (process.actions.size === 0 || !machine.strategy.lazy) return true;
  const handlers: Handler[] = [];
  for (let signal = 1; signal <= lastSignal; signal += 1) {
    if (!has(signals, signal)) continue;
    const disposition = dispositionOf(process, signal);
    if (disposition === "terminate" || (disposition === "stop" && stopsNow(machine, process, signal))) break;
    if (disposition === "ignore" || disposition === "stop") continue;
    if (!isCallable(machine, disposition)) break;
    handlers.push(disposition);
  }
  beginAccess(machine);
  for (const handler of handlers) {
    touchBytes(machine, counterDistance(machine, handler), counterSize(machine), TOUCH_WRITE, 1);
  }
  return hasFrames(machine);
}

/** One signal, which is not pending any more. False where the step is not taken, as the outcome says. */
function takeOne(machine: Machine, process: Process, signal: number): boolean {
  const disposition = dispositionOf(process, signal);
  if (disposition === "ignore") return true;
  if (disposition === "stop") {
    if (!stopsNow(machine, process, signal)) return true;
    process.stopped = true;
    machine.taken.push(signal);
    machine.kind = WOULD_BLOCK;
    return false;
  }
  if (disposition !== "terminate" && isCallable(machine, disposition)) {
    count(machine, disposition);
    machine.taken.push(signal);
    return true;
  }
  machine.taken.push(signal);
  endProcess(machine, process, { signalled: disposition === "terminate" ? signal : SEGV });
  machine.kind = process.ordinal === 0 ? HALTED : NO_ACTOR;
  return false;
}

/** Pending signals that the thread does not mask, in ascending order. False where the step is not taken. */
export function takeSignals(machine: Machine): boolean {
  const { process, thread } = machine;
  if (process.stopped) {
    machine.kind = WOULD_BLOCK;
    return false;
  }
  const signals = process.pending & ~thread.mask;
  if (signals === 0) return true;
  if (!hasFramesFor(machine, process, signals)) {
    machine.kind = OUT_OF_FRAMES;
    return false;
  }
  for (let signal = 1; signal <= lastSignal; signal += 1) {
    if (!has(signals, signal)) continue;
    process.pending &= ~(1 << signal);
    if (!takeOne(machine, process, signal)) return false;
  }
  return true;
}

/** Processes that a target names, zombies included. */
const targetsOf = ({ processes, process }: Machine, target: Target): readonly Process[] => {
  const { length } = processes;
  const named = target !== "own-group" && "process" in target ? target.process % length : -1;
  const group = target === "own-group" ? process.group : "group" in target ? target.group % length : -1;
  return processes.filter((one) => one.state !== "reaped" && (one.ordinal === named || one.group === group));
};

const kept = (machine: Machine, action: ActionOperand): Handler | "ignore" | undefined => {
  if (action === "default") return undefined;
  if (action === "ignore") return action;
  const own = (register: number): Held => heldRegister(machine, machine.thread.registers + (register % 16));
  return { code: own(action.code), data: own(action.data) };
};

/** The number of a signal that an integer operand names; larger ones are none. */
const signalOf = (machine: Machine, code: Int32Array, at: number): number => {
  readInteger(machine, code, at + N);
  return numberOf(machine.lo, machine.hi);
};

export const signalHandlers = {
  sigaction: (machine, code, at, { action }) => {
    const { process } = machine;
    const signal = signalOf(machine, code, at);
    if (!isSignal(signal) || isCertain(signal)) {
      failed(machine, "EINVAL");
      return;
    }
    const own = kept(machine, action);
    if (own === undefined) process.actions.delete(signal);
    else process.actions.set(signal, own);
    if (dispositionOf(process, signal) === "ignore") process.pending &= ~(1 << signal);
    machine.kind = NONE;
  },
  getaction: (machine, code, at) => {
    const signal = signalOf(machine, code, at);
    if (!isSignal(signal)) {
      failed(machine, "EINVAL");
      return;
    }
    const action = machine.process.actions.get(signal) ?? "default";
    set(machine, [typeof action === "string" ? action : "handler"]);
  },
  sigmask: (machine, _code, _at, { signals }) => {
    const { thread } = machine;
    set(machine, membersOf(thread.mask));
    thread.mask = maskable(signals);
  },
  sigpending: (machine) => {
    set(machine, membersOf(machine.process.pending));
  },
  kill: (machine, code, at, { target }) => {
    const signal = signalOf(machine, code, at);
    const members = targetsOf(machine, target);
    if (fails(machine, [signal !== 0 && !isSignal(signal), "EINVAL"], [members.length === 0, "ESRCH"])) return;
    for (const member of members) {
      if (signal === KILL) endProcess(machine, member, { signalled: signal });
      else if (signal !== 0) post(machine, member, signal);
    }
    machine.kind = NONE;
  },
  sigaltstack: (machine, code, at) => {
    const register = registerAt(machine, code, at + CS1);
    const held = heldRegister(machine, register);
    const decoded = decode(machine, held.cells, 0);
    const isStack = isMemory(machine, decoded) && permits(decoded, machine.rights.store);
    if (!held.tag || isSealed(machine, decoded) || !isStack) {
      failed(machine, "EFAULT");
      return;
    }
    machine.process.stack = held;
    machine.kind = NONE;
  },
  getaltstack: (machine, code, at) => {
    const to = registerAt(machine, code, at + CD);
    const { stack } = machine.process;
    copyCell(machine, stack.cells, 0, machine.registers, to * machine.granuleHalves);
    giveCapability(machine, to, stack.tag);
  },
} satisfies Partial<Handlers>;
