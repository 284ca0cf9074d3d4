/** Where something is, and how a report calls that. */
import type { Capability } from "../cheri/index.js";
import { registerCount } from "../sfork/machine.js";

export interface Violation {
  readonly rule: string;
  /** Granule, register or message, with its owner. */
  readonly where: string;
  readonly place?: Place;
  readonly what: string;
}

/** Where something is. */
export interface Place {
  /** The process whose it is; what is in shared segments and channels is nobody's. */
  readonly owner: number | undefined;
  /** `handler`: what the kernel keeps for a signal (0: the alternate stack); `call`, `request`: buffers that it keeps. */
  readonly kind: "page" | "segment" | "thread" | "channel" | "handler" | "call" | "request";
  /** Which page, segment, thread, channel, signal, thread in a call, or request. */
  readonly number: number;
  /** Which granule, register, message or buffer there; `pcc` counts as the register behind the last. */
  readonly index: number;
}

/** A tagged capability, wherever it is. */
export interface Held extends Place {
  readonly capability: Capability;
}

export const holding = ({ owner, kind, number, index }: Place, capability: Capability): Held => ({
  owner,
  kind,
  number,
  index,
  capability,
});

const nameOf = ({ owner = 0, kind, number, index }: Place): string => {
  if (kind === "segment") return `S${number.toString()} granule ${index.toString()}`;
  if (kind === "handler" || kind === "call" || kind === "request")
    return `P${owner.toString()} ${kind} ${number.toString()} capability ${index.toString()}`;
  if (kind === "channel") return `channel ${number.toString()} message ${index.toString()}`;
  const what = kind === "page" ? `granule ${index.toString()}` : index < registerCount ? `c${index.toString()}` : "pcc";
  return `P${owner.toString()} ${kind} ${number.toString()} ${what}`;
};

/** What an invariant reports of a place. */
export const found =
  (rule: string, what: string) =>
  (place: Place): Violation => ({ rule, where: nameOf(place), place, what });

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The same, of a capability there. */
export const foundHeld =
  (rule: string, what: string) =>
  (held: Held): Violation =>
    found(rule, `${what}: [${hex(held.capability.base)}, ${hex(held.capability.top)})`)(held);

export const samePlace = (a: Place, b: Place): boolean =>
  a.owner === b.owner && a.kind === b.kind && a.number === b.number && a.index === b.index;
