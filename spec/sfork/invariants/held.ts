/** Everything that holds capabilities, as a list: views of pages, registers, messages in flight. */
import { isMemoryCapability, type Range } from "../relocate.js";
import { permits, type Capability, type Granule, type Permission } from "../../cheri/index.js";
import { regionSize } from "../config.js";
import { regionBase, type Machine } from "../machine.js";
import { viewPage } from "../view.js";

/** A tagged capability, where it is and whose it is; `owner` is undefined for what is in flight. */
export interface Held {
  readonly owner: number | undefined;
  readonly where: string;
  readonly capability: Capability;
}

/** Live processes with their slots. */
export const livingIn = (machine: Machine): readonly { readonly ordinal: number; readonly slot: number }[] =>
  machine.processes.flatMap(({ slot, state }, ordinal) => (state.kind === "live" ? [{ ordinal, slot }] : []));

/** Did anything about this page change, as far as its view goes? Values that are the same are the same objects. */
export const pageChanged = (before: Machine, after: Machine, slot: number, index: number): boolean => {
  const [old, now] = [before.regions[slot]?.[index], after.regions[slot]?.[index]];
  return old !== now || (old !== undefined && before.frames[old.frame] !== after.frames[old.frame]);
};

const taggedIn = (
  machine: Machine,
  granules: readonly Granule[],
): readonly { readonly index: number; readonly capability: Capability }[] =>
  granules.flatMap((granule, index) =>
    granule.tag ? [{ index, capability: machine.format.decode(machine.format.fromMemory(granule.bits), true) }] : [],
  );

/** What pages hold, as their process would see it; `since` leaves out pages that did not change since then. */
const inPages = (machine: Machine, since: Machine | undefined): readonly Held[] =>
  livingIn(machine).flatMap(({ ordinal, slot }) =>
    (machine.regions[slot] ?? []).flatMap((entry, index) => {
      if (entry === undefined || (since !== undefined && !pageChanged(since, machine, slot, index))) return [];
      const base = regionBase(machine.config, slot) + BigInt(index * machine.config.page);
      return taggedIn(machine, viewPage(machine, slot, index)?.granules ?? []).map(({ index: at, capability }) => ({
        owner: ordinal,
        where: `P${ordinal.toString()} granule 0x${(base + BigInt(at) * machine.format.granule).toString(16)}`,
        capability,
      }));
    }),
  );

const inThreads = (machine: Machine, since: Machine | undefined): readonly Held[] =>
  machine.threads.flatMap((thread, index) =>
    !thread.live || since?.threads[index] === thread
      ? []
      : [...thread.registers, thread.pcc].flatMap((capability, at) => {
          const name = at < thread.registers.length ? `c${at.toString()}` : "pcc";
          const where = `P${thread.process.toString()} thread ${index.toString()} ${name}`;
          return capability.tag ? [{ owner: thread.process, where, capability }] : [];
        }),
  );

const inSegments = (machine: Machine): readonly Held[] =>
  machine.segments.flatMap((segment, index) =>
    taggedIn(machine, segment).map(({ index: at, capability }) => ({
      owner: undefined,
      where: `S${index.toString()} granule ${at.toString()}`,
      capability,
    })),
  );

/** Messages in flight, by channel. */
export const inFlight = (
  machine: Machine,
): readonly { readonly channel: number; readonly position: number; readonly capability: Capability }[] =>
  machine.channels.flatMap(({ messages }, channel) =>
    messages.flatMap((capability, position) => (capability.tag ? [{ channel, position, capability }] : [])),
  );

/** All memory capabilities that processes hold, or those in what changed `since` then. */
export const held = (machine: Machine, since?: Machine): readonly Held[] =>
  [...inPages(machine, since), ...inThreads(machine, since), ...inSegments(machine)].filter(({ capability }) =>
    isMemoryCapability(machine.format, capability),
  );

const rightsToReach: readonly Permission[] = ["load", "store", "execute", "load-cap", "store-cap"];

/** The bytes that a capability gives rights over, sealed or not; undefined where it gives none. */
export const reach = (machine: Machine, capability: Capability): Range | undefined =>
  capability.base < capability.top && rightsToReach.some((right) => permits(machine.format, capability, right))
    ? { start: capability.base, end: capability.top }
    : undefined;

export const within = (inner: Range, outer: Range): boolean => inner.start >= outer.start && inner.end <= outer.end;

export const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;

export const regionOf = (machine: Machine, slot: number): Range => {
  const start = regionBase(machine.config, slot);
  return { start, end: start + regionSize(machine.config) };
};
