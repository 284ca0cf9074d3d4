/** Signals: what makes them pending, and what each does by default (SIG-1, SIG-2). */
import { withProcess } from "./context.js";
import { lastSignal, type Action } from "./kernel.js";
import type { Machine, Process } from "./machine.js";

/** The signals with a meaning here, by their numbers on Linux (x86-64, arm64). */
export const signals = { KILL: 9, SEGV: 11, PIPE: 13, CHLD: 17, CONT: 18, STOP: 19 } as const;

/** TSTP, TTIN and TTOU stop, too, but not in an orphaned process group. */
const terminalStops: readonly number[] = [20, 21, 22];
const stops: readonly number[] = [signals.STOP, ...terminalStops];

/** CHLD, CONT, URG and WINCH. */
const ignoredByDefault: readonly number[] = [signals.CHLD, signals.CONT, 23, 28];

export const isSignal = (signal: bigint | number): boolean => signal >= 1 && signal <= lastSignal;

/** Neither can be caught, ignored or masked. */
export const isCertain = (signal: number): boolean => signal === signals.KILL || signal === signals.STOP;

export type Disposition = "terminate" | "stop" | "ignore" | Exclude<Action, "ignore">;

/**
 * What a signal does to a process.
 * @rule SIG-2 default @source POSIX signal.h (default actions)
 */
export const dispositionOf = ({ actions }: Process, signal: number): Disposition => {
  const action = actions.get(signal);
  if (action !== undefined) return action;
  if (ignoredByDefault.includes(signal)) return "ignore";
  return stops.includes(signal) ? "stop" : "terminate";
};

/**
 * Nobody outside the group, but in its session, is a parent of one in it: a stop from the terminal would last for ever.
 * @rule SIG-1 orphaned @source POSIX XBD 3.262 (orphaned process group), XSH 2.4.3
 */
const isOrphaned = ({ processes }: Machine, group: number): boolean =>
  !processes.some((process, ordinal) => {
    const parent = ordinal === 0 ? undefined : processes[process.parent];
    const counts = process.group === group && process.state.kind !== "reaped" && parent?.state.kind === "live";
    return counts && parent.group !== group && parent.session === process.session;
  });

/** Does the signal stop the process, where that is what it does? */
export const stopsNow = (machine: Machine, { group }: Process, signal: number): boolean =>
  !(terminalStops.includes(signal) && isOrphaned(machine, group));

/** Stop signals and CONT cancel each other. */
const cancelled = (signal: number): readonly number[] => {
  if (signal === signals.CONT) return stops;
  return stops.includes(signal) ? [signals.CONT] : [];
};

/**
 * A signal becomes pending, unless it is ignored by a process whose first live thread does not mask it. STOP and CONT act at
 * once: they need no step of a process that may be unable to take one.
 * @rule SIG-1 post @source POSIX XSH 2.4.1 (signal generation); Linux signal(7)
 */
export const post = (machine: Machine, target: number, signal: number): Machine => {
  const process = machine.processes[target];
  if (process?.state.kind !== "live") return machine;
  const first = machine.threads.find((thread) => thread.process === target && thread.live);
  const others = process.pending.filter((one) => one !== signal && !cancelled(signal).includes(one));
  if (signal === signals.STOP) return withProcess(machine, target, { pending: others, stopped: true });
  const isMasked = first?.mask.includes(signal) === true;
  const vanishes = dispositionOf(process, signal) === "ignore" && !isMasked;
  const pending = vanishes ? others : [...others, signal].toSorted((a, b) => a - b);
  return withProcess(machine, target, { pending, stopped: process.stopped && signal !== signals.CONT });
};
