/** Signals: what makes them pending, and what each does (SIG-1, SIG-2). Sets of signals are bits of a number. */
import type { Handler, Machine, Process } from "./machine.js";

export const KILL = 9;
export const SEGV = 11;
export const PIPE = 13;
export const CHLD = 17;
const CONT = 18;
const STOP = 19;
export const lastSignal = 31;

const setOf = (...signals: readonly number[]): number => signals.reduce((set, signal) => set | (1 << signal), 0);

/** TSTP, TTIN and TTOU do not stop an orphaned group. */
const terminalStops = setOf(20, 21, 22);
const stops = setOf(STOP) | terminalStops;
/** CHLD, CONT, URG, WINCH. */
const ignoredByDefault = setOf(CHLD, CONT, 23, 28);
/** Neither can be caught, ignored or masked. */
const certain = setOf(KILL, STOP);

export const has = (set: number, signal: number): boolean => ((set >>> signal) & 1) === 1;

/** A number of a signal. Domain: int32 or a larger number. */
export const isSignal = (number: number): boolean => number >= 1 && number <= lastSignal;

export const isCertain = (signal: number): boolean => has(certain, signal);

/** Members in ascending order. */
export const membersOf = (set: number): readonly number[] =>
  Array.from({ length: lastSignal }, (_, index) => index + 1).filter((signal) => has(set, signal));

/** The signals of a list that can be masked. */
export const maskable = (signals: readonly number[]): number => setOf(...signals.filter(isSignal)) & ~certain;

export type Disposition = "terminate" | "stop" | "ignore" | Handler;

export const dispositionOf = ({ actions }: Process, signal: number): Disposition => {
  const action = actions.get(signal);
  if (action !== undefined) return action;
  if (has(ignoredByDefault, signal)) return "ignore";
  return has(stops, signal) ? "stop" : "terminate";
};

/** Nobody outside a group, but in its session, is a parent of one in it. */
const isOrphaned = ({ processes }: Machine, group: number): boolean =>
  !processes.some((process) => {
    if (process.ordinal === 0 || process.group !== group || process.state === "reaped") return false;
    const parent = processes[process.parent];
    return parent?.state === "live" && parent.group !== group && parent.session === process.session;
  });

export const stopsNow = (machine: Machine, { group }: Process, signal: number): boolean =>
  !(has(terminalStops, signal) && isOrphaned(machine, group));

/** A signal becomes pending, unless it is ignored and not masked by the first thread. STOP and CONT act at once. */
export function post(machine: Machine, target: Process, signal: number): void {
  if (target.state !== "live") return;
  const cancels = signal === CONT ? stops : has(stops, signal) ? setOf(CONT) : 0;
  target.pending &= ~(cancels | setOf(signal));
  if (signal === STOP) {
    target.stopped = true;
    return;
  }
  if (signal === CONT) target.stopped = false;
  const first = machine.liveThreads.find((thread) => thread.process === target);
  const isMasked = first !== undefined && has(first.mask, signal);
  if (dispositionOf(target, signal) !== "ignore" || isMasked) target.pending |= 1 << signal;
}
