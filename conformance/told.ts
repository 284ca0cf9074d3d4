/** Programs told: what each step does, and which capabilities it leaves where. */
import type { Capability, Granule } from "../spec/cheri/index.js";
import { checkedStep, type Checked } from "../spec/invariants/check.js";
import { decoded, sameCapability, scopeOf } from "../spec/invariants/transition.js";
import type { Place } from "../spec/invariants/places.js";
import type { Scope, Transition } from "../spec/invariants/transition.js";
import { registerCount, type Machine } from "../spec/sfork/machine.js";
import type { Step } from "../spec/sfork/operation.js";
import { canonical, canonicalCapability, printObservation } from "./canon.js";
import type { CompleteProgram } from "./check/finding.js";
import { printOperation } from "./program/print.js";
import type { System } from "./refute/breach.js";

/** A step as it is told. */
export interface Told {
  /** `P1`, or `P1.t1` for a thread that is not its first; `-` where nobody could take the step. */
  readonly actor: string;
  readonly operation: string;
  readonly observation: string;
  /** Capabilities that the step left somewhere, `P0 c8 holds [P0+0x0, P0+0x10)`. */
  readonly left: readonly string[];
}

export const nameOf = ({ owner, kind, number, index }: Place): string => {
  const whose = owner === undefined ? "" : `P${owner} `;
  if (kind === "page") return `${whose}page ${number} granule ${index}`;
  if (kind === "segment") return `segment ${number} granule ${index}`;
  if (kind === "thread") return `${whose}${index < registerCount ? `c${index}` : "pcc"}`;
  if (kind === "channel") return `channel ${number} message ${index}`;
  if (kind === "request") return `${whose}request ${number}`;
  if (kind === "call") return `${whose}call buffer ${index}`;
  return number === 0 ? `${whose}alternate stack` : `${whose}handler ${number} ${index === 0 ? "code" : "data"}`;
};

/** Bounds, and what is not as one would expect from them. */
const brief = (capability: Capability, machine: Machine, process: number | undefined): string => {
  const { base, top, address, otype } = canonicalCapability(capability, machine, process);
  const at = address === base ? "" : ` at ${address}`;
  return `[${base}, ${top})${at}${otype === "unsealed" ? "" : ` sealed ${otype}`}`;
};

/** The same with its permissions. */
export const full = (capability: Capability, machine: Machine, process: number | undefined): string => {
  const { permissions } = canonicalCapability(capability, machine, process);
  const tag = capability.tag ? "" : "untagged ";
  return `${tag}${brief(capability, machine, process)} ${permissions.length === 0 ? "no rights" : permissions.join(",")}`;
};

export const granuleText = (machine: Machine, granule: Granule, owner: number | undefined): string => {
  if (granule.tag) return full(decoded(machine, granule), machine, owner);
  return `no capability, bytes 0x${granule.bits.toString(16)}`;
};

/** Tagged capabilities that a step left where there was something else; a child's registers are its parent's, moved. */
const leftIn = (scope: Scope): readonly string[] => {
  const { after, before, granules, registers, kernel, inFlight, observation } = scope;
  const child = observation.kind === "child" ? observation.child : undefined;
  const line = (place: Place, capability: Capability): string =>
    `${nameOf(place)} holds ${brief(capability, after, place.owner)}`;
  const isNew = (old: Capability | undefined, now: Capability): boolean =>
    now.tag && (old === undefined || !sameCapability(old, now));
  return [
    ...granules
      .filter(({ old, now }) => now.tag && (old?.tag !== true || old.bits !== now.bits))
      .map((one) => line(one, decoded(after, one.now))),
    ...registers
      .filter(({ owner, old, now }) => (child === undefined || owner !== child) && isNew(old, now))
      .map((one) => line(one, one.now)),
    ...kernel.filter(({ old, now }) => isNew(old, now)).map((one) => line(one, one.now)),
    ...inFlight
      .filter(({ number, index, capability }) => {
        const old = before.channels[number]?.messages[index];
        return old === undefined || !sameCapability(old, capability);
      })
      .map((one) => line(one, one.capability)),
  ];
};

/** `P1`, or `P1.t1` for a thread that is not its first; `-` where there is none. */
export const actorOf = ({ threads }: Machine, thread: number | undefined): string => {
  const process = threads[thread ?? -1]?.process;
  if (thread === undefined || process === undefined) return "-";
  const nth = threads.slice(0, thread).filter((other) => other.process === process).length;
  return nth === 0 ? `P${process}` : `P${process}.t${nth}`;
};

/** A program that was told, and the machine after it. */
export interface Run {
  readonly steps: readonly Told[];
  readonly checked: Checked;
}

/** The steps on a machine, one after the other. */
export const tell = (system: System, { config, steps }: CompleteProgram): Run => {
  let checked = system.start(config);
  const told = steps.map((next: Step): Told => {
    const taken = checkedStep(checked, next, system.step);
    const { machine } = taken.checked;
    const made = [taken.delivery, taken.transition].filter((one): one is Transition => one !== undefined);
    checked = taken.checked;
    return {
      actor: actorOf(machine, taken.thread),
      operation: printOperation(next.operation),
      observation: printObservation(canonical(taken.observation, machine, taken.transition?.process, taken.signals)),
      left: made.flatMap((transition) => leftIn(scopeOf(transition, "incremental"))),
    };
  });
  return { steps: told, checked };
};

export const widthOf = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));

export const stepLines = (steps: readonly Told[]): readonly string[] => {
  const width = widthOf(steps.map(({ operation }) => operation));
  const actors = widthOf(steps.map(({ actor }) => actor));
  const indent = " ".repeat(actors + 6);
  return steps.flatMap(({ actor, operation, observation, left }, index) => [
    `${String(index).padStart(2)}  ${actor.padEnd(actors)}  ${operation.padEnd(width)}  -> ${observation}`,
    ...left.map((line) => `${indent}${line}`),
  ]);
};
