/** What operations on processes, signals and devices do to the world. */
import { maxDescriptors, maxRequests } from "../../../spec/sfork/kernel.js";
import { maxChannels, registerCount } from "../../../spec/sfork/machine.js";
import type { OperationOf, Target } from "../../../spec/sfork/operation.js";
import { startPages } from "../config.js";
import type { Effects } from "./effect.js";
import { closeWhere } from "./files.js";
import type { Life, Thread } from "./life.js";
import { Memory, startRegisters } from "./memory.js";
import { dispositionOf, isCertain, isSignal, KILL } from "./signals.js";
import { amount, valueIn } from "./transfers.js";
import type { World } from "./world.js";

/** Processes that a signal is for, zombies included. */
export const targetsOf = ({ lives, processes }: World, { life }: Thread, target: Target): readonly Life[] => {
  const there = lives.filter(({ state }) => state !== "reaped");
  if (target === "own-group") return there.filter(({ group }) => group === life.group);
  if ("group" in target) return there.filter(({ group }) => group === target.group % processes);
  return there.filter(({ ordinal }) => ordinal === target.process % processes);
};

/** The group that a `setpgid` moves somebody to, and whom; undefined where it fails. */
const movedTo = ({ lives, processes }: World, { life }: Thread, operation: OperationOf<"setpgid">) => {
  const target = lives[operation.whom === undefined ? life.ordinal : operation.whom % processes];
  if (target === undefined || target.state === "reaped" || target.session === target.ordinal) return undefined;
  const group = operation.group === undefined ? target.ordinal : operation.group % processes;
  const isChild = target.ordinal !== 0 && target.parent === life.ordinal && target !== life;
  if ((target !== life && !isChild) || (isChild && (target.session !== life.session || target.executed)))
    return undefined;
  const exists = lives.some((one) => one.state !== "reaped" && one.group === group && one.session === life.session);
  return group === target.ordinal || exists ? { target, group } : undefined;
};

const exec = (world: World, thread: Thread, { granule }: { readonly granule: number | undefined }): void => {
  const { life } = thread;
  for (const one of life.threads) world.endCall(world.threadAt(one));
  life.threads = [thread.ordinal];
  closeWhere(life, ({ cloexec }) => cloexec);
  life.pages = startPages(world.config);
  life.executed = true;
  life.actions = new Map(Array.from(life.actions).filter(([, action]) => action === "ignore"));
  life.alternateStack = undefined;
  if (granule === undefined) return;
  life.memory = Memory.start(world.config, granule);
  thread.registers = startRegisters(world.config);
};

export const processEffects: Effects = {
  exit: (world, { life }) => {
    world.end(life);
  },
  exec: (world, thread) => {
    exec(world, thread, world);
  },
  thread: (world, thread) => {
    world.addThread(thread);
  },
  thread_exit: (world, thread) => {
    world.endThread(thread);
  },
  wait: (world, thread, { cd, whom: process, reap }) => {
    world.reap(thread.life, process, reap);
    thread.registers = thread.registers?.with(cd % registerCount, "other");
  },
  channel: (world) => {
    world.channels = Math.min(world.channels + 1, maxChannels);
  },
  setrlimit: (world, { life }, { resource, n }) => {
    const limit = amount(n);
    const hard = resource === "nofile" ? maxDescriptors : world.config.processes;
    if (limit >= 0 && limit <= hard) life[resource] = limit;
  },
  setpgid: (world, thread, operation) => {
    const moved = movedTo(world, thread, operation);
    if (moved !== undefined) moved.target.group = moved.group;
  },
  setsid: ({ lives }, { life }) => {
    if (lives.some(({ state, group }) => state !== "reaped" && group === life.ordinal)) return;
    life.group = life.ordinal;
    life.session = life.ordinal;
  },
  sigaction: (_, thread, { signal: n, action }) => {
    const signal = amount(n);
    const { life } = thread;
    if (!isSignal(signal) || isCertain(signal)) return;
    const others = Array.from(life.actions).filter(([one]) => one !== signal);
    const own = action === "ignore" || action === "default" ? action : { data: valueIn(thread, action.data) };
    life.actions = new Map(own === "default" ? others : [...others, [signal, own]]);
    if (dispositionOf(life, signal) === "ignore") life.pending = life.pending.filter((one) => one !== signal);
  },
  sigaltstack: (_, thread, { cs1 }) => {
    thread.life.alternateStack = valueIn(thread, cs1);
  },
  sigmask: (_, thread, { signals }) => {
    thread.mask = signals.filter((signal) => isSignal(signal) && !isCertain(signal));
  },
  kill: (world, thread, { target, signal: n }) => {
    const signal = amount(n);
    if (!isSignal(signal)) return;
    for (const life of targetsOf(world, thread, target)) {
      if (signal === KILL) world.end(life);
      else world.post(life, signal);
    }
  },
  virtq_submit: (world) => {
    world.requests = Math.min(world.requests + 1, maxRequests);
  },
  virtq_complete: (world) => {
    world.requests = Math.max(0, world.requests - 1);
  },
};
