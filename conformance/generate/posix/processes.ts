/** Processes, groups and signals in the posix profile. */
import type { Integer, OperationOf } from "../../../spec/sfork/operation.js";
import { maxThreads } from "../../../spec/sfork/machine.js";
import { targetsOf } from "../model/effects-process.js";
import type { Life, Thread } from "../model/life.js";
import { isPointer } from "../model/memory.js";
import { isCertain, isSignal, stopSignals } from "../model/signals.js";
import { amount, pointerIn, valueIn } from "../model/transfers.js";
import type { Model } from "../model.js";
import type { ExecutableChecks } from "./check.js";

const brokenPipe = 13;

/** Signals that a kernel sends for faults: a driver may need them for itself. */
const faultSignals: readonly number[] = [4, 5, 7, 8, 11];

/** A signal of the profile, or a number that is none anywhere. */
const isUsual = (n: Integer): boolean =>
  "immediate" in n && ((isSignal(amount(n)) && !faultSignals.includes(amount(n))) || amount(n) === 0 || amount(n) > 64);

/** Somebody is stopped, or will be: when it becomes an orphan, a real kernel sends signals of its own. */
const isStopping = ({ living }: Model): boolean =>
  living.some(({ stopped, pending }) => stopped || pending.some((signal) => stopSignals.includes(signal)));

const isOneGroup = ({ lives }: Model): boolean =>
  lives.every(({ group, session, state }) => state === "reaped" || (group === 0 && session === 0));

/** Would the step end or stop its own process before it could say so? */
const isSuicide = (targets: readonly Life[], { life }: Thread, signal: number): boolean =>
  isCertain(signal) && targets.includes(life);

const kill = (model: Model, thread: Thread, { target, signal: n }: OperationOf<"kill">): boolean => {
  const signal = amount(n);
  const targets = targetsOf(model, thread, target);
  const mayStop = stopSignals.includes(signal) && !isOneGroup(model);
  return isUsual(n) && !mayStop && !isSuicide(targets, thread, signal);
};

const handles = (model: Model, thread: Thread, { signal: n, action }: OperationOf<"sigaction">): boolean => {
  if (!isUsual(n)) return false;
  if (action === "default" || action === "ignore") return true;
  const data = pointerIn(thread, action.data);
  const { memory } = thread.life;
  if (valueIn(thread, action.code) !== "code" || data?.live !== true || data.segment !== undefined) return false;
  return (
    data.address % 8 === 0 &&
    memory?.prospect(data, 0, model.counter, "write") === "fine" &&
    memory.prospect(data, 0, model.counter, "read") === "fine" &&
    memory.isPlain(data, 0, model.counter)
  );
};

/** No limit of a real machine is asked for that others' processes, or its own threads, would count against. */
const fork = (model: Model, { life }: Thread, { slot, pid }: OperationOf<"fork">): boolean =>
  slot === undefined && pid === undefined && (life.nproc <= 1 || model.canFork(life));

export const processChecks: ExecutableChecks = {
  fork,
  exit: (_, __, { n }) => "immediate" in n,
  exec: () => true,
  /** Which of several children is reported is not for the program to say. */
  wait: (model, { life }, { whom: process, reap }) =>
    reap === undefined && (process !== undefined || model.zombiesOf(life).length <= 1),
  getpid: () => true,
  getppid: (_, { life }) => life.ordinal !== 0,
  /** A kernel keeps alternate stacks, and the signal of a broken pipe, by thread: who has one stays with one thread. */
  thread: (_, { life }) =>
    life.threads.length < maxThreads &&
    life.nproc > 1 &&
    life.alternateStack === undefined &&
    !life.pending.includes(brokenPipe),
  thread_exit: () => true,
  yield: () => true,
  burn: () => true,
  times: () => true,
  alarm: (_, __, { n }) => "immediate" in n && amount(n) >= 0,
  getrlimit: () => true,
  setrlimit: ({ config }, _, { resource, n }) => {
    if (!("immediate" in n) || amount(n) < 0) return false;
    return resource === "nofile" || amount(n) <= 1 || amount(n) >= config.processes;
  },
  setpgid: (model) => !isStopping(model),
  setsid: (model) => !isStopping(model),
  getpgid: () => true,
  getsid: () => true,
  sigaction: handles,
  getaction: (_, __, { signal }) => isUsual(signal),
  sigmask: (_, __, { signals }) => signals.every((signal) => isSignal(signal) && !faultSignals.includes(signal)),
  sigpending: () => true,
  kill: (model, thread, operation) => kill(model, thread, operation),
  sigaltstack: (_, thread, { cs1 }) => {
    const stack = pointerIn(thread, cs1);
    if (thread.life.threads.length > 1) return false;
    return stack?.live === true && stack.writable && stack.segment === undefined;
  },
  getaltstack: (_, { life }) => isPointer(life.alternateStack) && life.alternateStack.live,
};
