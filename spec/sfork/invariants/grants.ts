/**
 * Grants: foreign memory that a process holds legitimately, by channel (CHAN-2, CHAN-3). The checker keeps them itself, from
 * the steps and the ranges that ended; the machine knows nothing of them.
 */
import type { Capability } from "../../cheri/index.js";
import type { Machine } from "../machine.js";
import type { Observation } from "../observation.js";
import type { Step } from "../operation.js";
import type { Range } from "../relocate.js";
import { livingIn, reach, regionOf, within } from "./held.js";

export interface Grant {
  /** The process whose memory it is. */
  readonly owner: number;
  readonly range: Range;
  /** Rights that the delivered capability had. */
  readonly permissions: bigint;
}

export interface Grants {
  /** By process. */
  readonly held: readonly (readonly Grant[])[];
  /** By channel, one for each message; undefined where the message needs none. */
  readonly inFlight: readonly (readonly (Grant | undefined)[])[];
}

export const noGrants: Grants = { held: [[]], inFlight: [] };

/** The grant covers everything that the capability reaches, with all its rights. */
export const covers = (machine: Machine, grant: Grant, capability: Capability): boolean => {
  const bytes = reach(machine, capability);
  return bytes !== undefined && within(bytes, grant.range) && (capability.permissions & ~grant.permissions) === 0n;
};

/** The grant that a message carries: in the name of the region's owner, or of whom the sender's own grant names. */
const granted = (machine: Machine, grants: Grants, sender: number, sent: Capability): Grant | undefined => {
  const bytes = reach(machine, sent);
  if (bytes === undefined) return undefined;
  const foreign = grants.held[sender]?.find((grant) => within(bytes, grant.range));
  const owner = livingIn(machine).find(({ slot }) => within(bytes, regionOf(machine, slot)))?.ordinal;
  const named = owner === sender ? sender : (foreign?.owner ?? owner);
  return named === undefined ? undefined : { owner: named, range: bytes, permissions: sent.permissions };
};

/** A grant without a range that ended: what remains on either side stays one. */
const cut = (grant: Grant, ended: Range): readonly Grant[] =>
  [
    { start: grant.range.start, end: grant.range.end < ended.start ? grant.range.end : ended.start },
    { start: grant.range.start > ended.end ? grant.range.start : ended.end, end: grant.range.end },
  ].flatMap((range) => (range.start < range.end ? [{ ...grant, range }] : []));

const cutAll = (grants: Grants, ended: readonly Range[]): Grants => {
  if (ended.length === 0) return grants;
  const without = (grant: Grant): readonly Grant[] =>
    ended.reduce<readonly Grant[]>((left, range) => left.flatMap((one) => cut(one, range)), [grant]);
  return {
    held: grants.held.map((own) => own.flatMap(without)),
    // A message is one capability: what is left of its grant is the largest piece, for it dies with the range anyway.
    inFlight: grants.inFlight.map((messages) =>
      messages.map((one) => (one === undefined ? undefined : without(one)[0])),
    ),
  };
};

/** The grants after a step that was taken by `process`. */
export const stepGrants = (
  grants: Grants,
  before: Machine,
  { operation }: Step,
  process: number | undefined,
  observation: Observation,
  after: Machine,
  ended: readonly Range[],
): Grants => {
  if (process === undefined || after === before) return grants;
  const list = <T>(lists: readonly (readonly T[])[], index: number): readonly T[] => lists[index] ?? [];
  const grown: Grants = {
    held: after.processes.map((one, index) => (one.state.kind === "live" ? list(grants.held, index) : [])),
    inFlight: after.channels.map((_, index) => list(grants.inFlight, index)),
  };
  const remaining = cutAll(grown, ended);
  if (observation.kind === "child") {
    const inherited = list(remaining.held, process).filter((grant) => grant.owner !== process);
    return { ...remaining, held: remaining.held.with(observation.child, inherited) };
  }
  if (operation.op === "sendcap" && observation.kind === "none") {
    const channel = operation.channel % after.channels.length;
    const sent = after.channels[channel]?.messages.at(-1);
    const grant = sent === undefined ? undefined : granted(before, grants, process, sent);
    return { ...remaining, inFlight: remaining.inFlight.with(channel, [...list(remaining.inFlight, channel), grant]) };
  }
  if (operation.op === "recvcap" && observation.kind === "capability") {
    const channel = operation.channel % after.channels.length;
    const [first, ...rest] = list(remaining.inFlight, channel);
    const own = first === undefined || first.owner === process ? [] : [first];
    return {
      held: remaining.held.with(process, [...list(remaining.held, process), ...own]),
      inFlight: remaining.inFlight.with(channel, rest),
    };
  }
  return remaining;
};
