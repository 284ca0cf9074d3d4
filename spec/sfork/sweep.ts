/** The end of memory: no capability to a range that ended stays tagged anywhere (REUSE-1, REUSE-3). */
import { clearTag, type Capability, type TaggedMemory } from "../cheri/index.js";
import { regionSize } from "./config.js";
import { regionBase, type Frame, type Machine } from "./machine.js";
import { entryOf, fault, faults, frameOf, memoryAt, withMemoryAt, type Page } from "./paging.js";
import { isMemoryCapability, liesWithin, meets, relocated, type Range } from "./relocate.js";

const revoked = (machine: Machine, capability: Capability, range: Range): Capability =>
  meets(machine.format, capability, range) ? clearTag(capability) : capability;

const homeRange = (machine: Machine, frame: Frame): Range => ({
  start: frame.home,
  end: frame.home + regionSize(machine.config),
});

/** Memory with the tags cleared of all capabilities that `dead` names; the same value if there is none. */
const clearTags = (machine: Machine, memory: TaggedMemory, dead: (capability: Capability) => boolean): TaggedMemory => {
  const isDead = (granule: TaggedMemory[number]): boolean =>
    granule.tag && dead(machine.format.decode(machine.format.fromMemory(granule.bits), true));
  return memory.some(isDead)
    ? memory.map((granule) => (isDead(granule) ? { tag: false, bits: granule.bits } : granule))
    : memory;
};

/**
 * In frames of other processes, capabilities inside the frame's home mean their mapper's memory, whoever lived there: they
 * are skipped. All others are compared with the range.
 * @rule REUSE-3 frames @source SFork design: sweeps judge views, not raw frames
 */
const sweepFrames = (machine: Machine, range: Range): Machine => {
  const swept = machine.frames.map((frame) => {
    if (frame === undefined) return undefined;
    const home = homeRange(machine, frame);
    const dead = (capability: Capability): boolean =>
      meets(machine.format, capability, range) &&
      !(isMemoryCapability(machine.format, capability) && liesWithin(capability, home));
    const memory = clearTags(machine, frame.memory, dead);
    return memory === frame.memory ? frame : { ...frame, memory };
  });
  return swept.some((frame, index) => frame !== machine.frames[index]) ? { ...machine, frames: swept } : machine;
};

/** Registers, `pcc` and channels in flight are compared as they are. */
const sweepHeld = (machine: Machine, range: Range): Machine => ({
  ...machine,
  threads: machine.threads.map((thread) =>
    thread.live
      ? {
          ...thread,
          registers: thread.registers.map((capability) => revoked(machine, capability, range)),
          pcc: revoked(machine, thread.pcc, range),
        }
      : thread,
  ),
  channels: machine.channels.map(({ messages }) => ({
    messages: messages.map((capability) => revoked(machine, capability, range)),
  })),
});

/** The mapped pages of a slot, in order. */
export const mappedPages = (machine: Machine, slot: number): readonly Page[] =>
  (machine.regions[slot] ?? []).flatMap((entry, index) => (entry === undefined ? [] : [{ slot, index }]));

/**
 * In pages of the process that unmaps, the image of each capability in its region is compared; a page where one dies is
 * first made its own, as for a write. Undefined where no frame is left for that.
 * @rule REUSE-3 own-pages @source SFork design: sweeps judge views, not raw frames
 */
const sweepOwn = (machine: Machine, slot: number, range: Range): Machine | undefined =>
  mappedPages(machine, slot).reduce<Machine | undefined>((sofar, page) => {
    const entry = sofar === undefined ? undefined : entryOf(sofar, page);
    const frame = sofar === undefined || entry === undefined ? undefined : frameOf(sofar, entry);
    if (sofar === undefined || frame === undefined) return undefined;
    const delta = regionBase(sofar.config, slot) - frame.home;
    const home = homeRange(sofar, frame);
    const dies = (capability: Capability): boolean =>
      meets(sofar.format, relocated(sofar.format, capability, home, delta), range);
    if (clearTags(sofar, frame.memory, dies) === frame.memory) return sofar;
    const own = faults(sofar, page, "write") ? fault(sofar, page) : sofar;
    if (own === undefined) return undefined;
    const where = { kind: "page", page, offset: 0n } as const;
    const memory = clearTags(own, memoryAt(own, where), (capability) => meets(own.format, capability, range));
    return withMemoryAt(own, where, memory);
  }, machine);

/** A region ended, its pages are gone: sweep what other processes, threads and channels hold. */
export const sweepRegion = (machine: Machine, range: Range): Machine => sweepHeld(sweepFrames(machine, range), range);

/**
 * A range of a living process ended: as `sweepRegion`, and its own view.
 * @rule REUSE-1 sweep @source Cornucopia Reloaded (ASPLOS 2024); SFork design: the sweep is part of the step
 */
export const sweepUnmapped = (machine: Machine, slot: number, range: Range): Machine | undefined => {
  const own = sweepOwn(machine, slot, range);
  return own === undefined ? undefined : sweepRegion(own, range);
};
