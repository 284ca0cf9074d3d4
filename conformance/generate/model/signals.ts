/** What signals do, as far as the generator keeps track of it. */
import { lastSignal } from "../../../spec/sfork/kernel.js";
import type { Action, Life } from "./life.js";

export const KILL = 9;
export const PIPE = 13;
export const CHLD = 17;
const CONT = 18;
const STOP = 19;

const terminalStops: readonly number[] = [20, 21, 22];
export const stopSignals: readonly number[] = [STOP, ...terminalStops];
const ignoredByDefault: readonly number[] = [CHLD, CONT, 23, 28];

export const isSignal = (signal: number): boolean => signal >= 1 && signal <= lastSignal;

/** It cannot be caught, ignored or masked. */
export const isCertain = (signal: number): boolean => signal === KILL || signal === STOP;

export type Disposition = "terminate" | "stop" | "ignore" | Exclude<Action, "ignore">;

export const dispositionOf = ({ actions }: Pick<Life, "actions">, signal: number): Disposition => {
  const action = actions.get(signal);
  if (action !== undefined) return action;
  if (ignoredByDefault.includes(signal)) return "ignore";
  return stopSignals.includes(signal) ? "stop" : "terminate";
};

/** Does nobody outside a group, but in its session, have a child in it? */
const isOrphaned = (lives: readonly Life[], group: number): boolean =>
  !lives.some((life) => {
    const parent = life.ordinal === 0 ? undefined : lives[life.parent];
    const counts = life.group === group && life.state !== "reaped" && parent?.state === "live";
    return counts && parent.group !== group && parent.session === life.session;
  });

export const stopsNow = (lives: readonly Life[], { group }: Life, signal: number): boolean =>
  !(terminalStops.includes(signal) && isOrphaned(lives, group));

const cancelled = (signal: number): readonly number[] =>
  signal === CONT ? stopSignals : stopSignals.includes(signal) ? [CONT] : [];

/** A signal for a process, whose first thread has a mask. */
export const post = (life: Life, signal: number, mask: readonly number[]): void => {
  if (life.state !== "live") return;
  const others = life.pending.filter((one) => one !== signal && !cancelled(signal).includes(one));
  life.pending = others;
  if (signal === STOP) {
    life.stopped = true;
    return;
  }
  if (signal === CONT) life.stopped = false;
  const vanishes = dispositionOf(life, signal) === "ignore" && !mask.includes(signal);
  if (!vanishes) life.pending = [...others, signal].sort((a, b) => a - b);
};
