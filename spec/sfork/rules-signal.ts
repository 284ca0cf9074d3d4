/** Signals as steps, and how a thread takes them before its own (SIG-1, SIG-2). */
import { isSealed, nullCapability, permits } from "../cheri/index.js";
import { call, done, failed, giveCapability, integer, processOf, register, threadOf } from "./context.js";
import { withProcess, withThread, type Context, type Outcome, type Refusal } from "./context.js";
import { endProcess } from "./ending.js";
import type { Action, Buffer } from "./kernel.js";
import type { Machine } from "./machine.js";
import { byteAccess, effective, prepare, readBytes, writeBytes } from "./memory-access.js";
import type { Observation } from "./observation.js";
import type { ActionOperand, OperationOf, Target } from "./operation.js";
import { isMemoryCapability } from "./relocate.js";
import type { Rules } from "./rules.js";
import { dispositionOf, isCertain, isSignal, post, signals, stopsNow } from "./signals.js";
import { isFaulty } from "./transfer.js";
import { flatMap } from "./lists.js";

/** A thread that has taken the signals that were for it. */
export interface Ready {
  readonly machine: Machine;
  /** Those that did something, in the order in which they were taken. */
  readonly taken: readonly number[];
  /** What the step observes instead of what it was to do. */
  readonly instead: Observation | undefined;
}

/**
 * A handler: the kernel adds 1 to the counter that its data capability names, through that capability. Undefined where it
 * may not.
 * @rule SIG-1 handler @source SFork design: handlers are counters
 */
const handled = (machine: Machine, { code, data }: Exclude<Action, "ignore">): Machine | Refusal | undefined => {
  const counter: Buffer = { capability: data, size: machine.format.addressBits / 8n };
  if (!code.tag || isFaulty(machine, "load", counter) || isFaulty(machine, "store", counter)) return undefined;
  const bytes = { address: effective(machine.format, data, 0n), size: counter.size };
  const ready = prepare(machine, byteAccess(machine, bytes, "write", "cs1"));
  return "kind" in ready ? ready : writeBytes(ready, bytes, readBytes(ready, bytes) + 1n);
};

/** One signal that is pending and not masked. */
const takeOne = (ready: Ready, process: number, signal: number): Ready => {
  const { machine, taken } = ready;
  const before = machine.processes[process];
  if (before === undefined || ready.instead !== undefined) return ready;
  const disposition = dispositionOf(before, signal);
  const left = withProcess(machine, process, { pending: before.pending.filter((one) => one !== signal) });
  const ended = (status: number): Ready => {
    const instead: Observation = process === 0 ? { kind: "halted" } : { kind: "no-actor" };
    return { machine: endProcess(left, process, { signalled: status }), taken: [...taken, signal], instead };
  };
  if (disposition === "ignore") return { ...ready, machine: left };
  if (disposition === "terminate") return ended(signal);
  if (disposition === "stop") {
    if (!stopsNow(machine, before, signal)) return { ...ready, machine: left };
    const stopped = withProcess(left, process, { stopped: true });
    return { machine: stopped, taken: [...taken, signal], instead: { kind: "would-block" } };
  }
  const after = handled(left, disposition);
  if (after === undefined) return ended(signals.SEGV);
  return "kind" in after
    ? { ...ready, instead: after }
    : { machine: after, taken: [...taken, signal], instead: undefined };
};

/**
 * Before a thread's step: its process's pending signals that it does not mask, in ascending order. A stopped process takes
 * neither signals nor steps. Where no frame is left for a handler's counter, nothing is taken.
 * @rule SIG-1 take @source POSIX XSH 2.4.1 (signal delivery); SFork design: signals are taken between steps
 */
export const takeSignals = (context: Context): Ready => {
  const { machine, process } = context;
  const { pending = [], stopped = false } = processOf(context) ?? {};
  if (stopped) return { machine, taken: [], instead: { kind: "would-block" } };
  const { mask } = threadOf(context);
  const ready = pending
    .filter((signal) => !mask.includes(signal))
    .reduce<Ready>((sofar, signal) => takeOne(sofar, process, signal), { machine, taken: [], instead: undefined });
  return ready.instead?.kind === "out-of-frames" ? { machine, taken: [], instead: ready.instead } : ready;
};

/** Processes that a target names, zombies included. */
const targets = ({ machine, process }: Context, target: Target): readonly number[] => {
  const { length } = machine.processes;
  const named = target !== "own-group" && "process" in target ? target.process % length : undefined;
  const group =
    target === "own-group" ? machine.processes[process]?.group : "group" in target ? target.group % length : undefined;
  return flatMap(machine.processes, (one, ordinal) =>
    one.state.kind !== "reaped" && (ordinal === named || one.group === group) ? [ordinal] : [],
  );
};

/** An action as the kernel keeps it: the capabilities that the registers hold now. */
const kept = (context: Context, action: ActionOperand): Action | undefined => {
  if (action === "default") return undefined;
  return action === "ignore" ? action : { code: register(context, action.code), data: register(context, action.data) };
};

/**
 * A new action. A pending signal that is ignored by it vanishes.
 * @rule SIG-2 action @source POSIX sigaction
 */
const sigaction = (context: Context, { signal: n, action }: OperationOf<"sigaction">): Outcome => {
  const { machine, process: ordinal } = context;
  const signal = Number(integer(context, n));
  const old = processOf(context);
  if (old === undefined || !isSignal(signal) || isCertain(signal)) return failed(context, "EINVAL");
  const others = Array.from(old.actions).filter(([one]) => one !== signal);
  const own = kept(context, action);
  const actions = new Map(own === undefined ? others : [...others, [signal, own]]);
  const vanishes = dispositionOf({ ...old, actions }, signal) === "ignore";
  const pending = vanishes ? old.pending.filter((one) => one !== signal) : old.pending;
  return done(withProcess(machine, ordinal, { actions, pending }));
};

const set = (machine: Machine, members: readonly (number | string)[]): Outcome =>
  done(machine, { kind: "set", members });

export const signalRules = {
  sigaction,
  getaction: (context, { signal: n }) => {
    const signal = Number(integer(context, n));
    if (!isSignal(signal)) return failed(context, "EINVAL");
    const action = processOf(context)?.actions.get(signal) ?? "default";
    return set(context.machine, [typeof action === "string" ? action : "handler"]);
  },
  /** @rule SIG-2 mask @source POSIX pthread_sigmask */
  sigmask: (context, { signals: wanted }) => {
    const chosen = wanted.filter((signal) => isSignal(signal) && !isCertain(signal));
    const mask = [...new Set(chosen)].toSorted((a, b) => a - b);
    return set(withThread(context.machine, context.thread, { mask }), threadOf(context).mask);
  },
  sigpending: (context) => set(context.machine, processOf(context)?.pending ?? []),
  /**
   * KILL ends its targets at once, as STOP stops them: no step of theirs could be told from none.
   * @rule SIG-1 kill @source POSIX kill
   */
  kill: (context, { target, signal: n }) => {
    const number = integer(context, n);
    const members = targets(context, target);
    const checks = [[number !== 0n && !isSignal(number), "EINVAL"] as const, [members.length === 0, "ESRCH"] as const];
    return call(context, checks, () => {
      const signal = Number(number);
      if (signal === 0) return done(context.machine);
      const hit = (sofar: Machine, member: number): Machine =>
        signal === signals.KILL ? endProcess(sofar, member, { signalled: signal }) : post(sofar, member, signal);
      return done(members.reduce(hit, context.machine));
    });
  },
  /** @rule SIG-2 stack @source POSIX sigaltstack */
  sigaltstack: (context, { cs1 }) => {
    const { machine, format, process } = context;
    const alternateStack = register(context, cs1);
    const isMemory = isMemoryCapability(format, alternateStack) && permits(format, alternateStack, "store");
    if (!alternateStack.tag || isSealed(format, alternateStack) || !isMemory) return failed(context, "EFAULT");
    return done(withProcess(machine, process, { alternateStack }));
  },
  getaltstack: (context, { cd }) =>
    giveCapability(context, cd, processOf(context)?.alternateStack ?? nullCapability(context.format)),
} satisfies Partial<Rules>;
