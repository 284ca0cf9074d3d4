/** The end of memory: no capability to a range that ended stays tagged anywhere (REUSE-1, REUSE-3). */
import { clearTag, type Capability, type TaggedMemory } from "../cheri/index.js";
import { regionBase, type Machine } from "./machine.js";
import { faults, homeRange, mappedPages, mappingOf, memoryAt, resolve, withMemoryAt } from "./paging.js";
import { liesWithin, meets, relocated, type Range } from "./relocate.js";

/** Memory with the tags cleared of all capabilities that are `dead`; the same value if there is none. */
const clearTags = ({ format }: Machine, memory: TaggedMemory, dead: (one: Capability) => boolean): TaggedMemory => {
  const swept = memory.map((granule) =>
    granule.tag && dead(format.decode(format.fromMemory(granule.bits), true))
      ? { tag: false, bits: granule.bits }
      : granule,
  );
  return swept.some((granule, index) => granule !== memory[index]) ? swept : memory;
};

/**
 * In frames of other processes, capabilities inside the frame's home mean their mapper's memory, whoever lived there: they
 * are skipped. All others are compared with the range.
 * @rule REUSE-3 frames @source SFork design: sweeps judge views, not raw frames
 */
const sweepFrames = (machine: Machine, range: Range): Machine => {
  const frames = machine.frames.map((frame) => {
    if (frame === undefined) return undefined;
    const home = homeRange(machine, frame);
    const dead = (capability: Capability): boolean =>
      meets(machine.format, capability, range) && !liesWithin(capability, home);
    const memory = clearTags(machine, frame.memory, dead);
    return memory === frame.memory ? frame : { ...frame, memory };
  });
  return { ...machine, frames };
};

/** Registers, `pcc` and channels in flight are compared as they are. */
const sweepHeld = (machine: Machine, range: Range): Machine => {
  const revoked = (capability: Capability): Capability =>
    meets(machine.format, capability, range) ? clearTag(capability) : capability;
  return {
    ...machine,
    threads: machine.threads.map((thread) =>
      thread.live ? { ...thread, registers: thread.registers.map(revoked), pcc: revoked(thread.pcc) } : thread,
    ),
    channels: machine.channels.map(({ messages }) => ({ messages: messages.map(revoked) })),
  };
};

/**
 * In pages of the process that unmaps, the image of each capability in its region is compared; a page where one dies is
 * first made its own, as for a write. Undefined where no frame is left for that.
 * @rule REUSE-3 own-pages @source SFork design: sweeps judge views, not raw frames
 */
const sweepOwn = (machine: Machine, slot: number, range: Range): Machine | undefined =>
  mappedPages(machine, slot).reduce<Machine | undefined>((sofar, page) => {
    const frame = sofar === undefined ? undefined : mappingOf(sofar, page)?.frame;
    if (sofar === undefined || frame === undefined) return undefined;
    const delta = regionBase(sofar.config, slot) - frame.home;
    const image = (capability: Capability): Capability =>
      relocated(sofar.format, capability, homeRange(sofar, frame), delta);
    const swept = clearTags(sofar, frame.memory, (capability) => meets(sofar.format, image(capability), range));
    if (swept === frame.memory) return sofar;
    const own = faults(sofar, page, "write") ? resolve(sofar, page) : sofar;
    if (own === undefined) return undefined;
    const where = { kind: "page", page, offset: 0n } as const;
    const dead = (capability: Capability): boolean => meets(own.format, capability, range);
    return withMemoryAt(own, where, clearTags(own, memoryAt(own, where), dead));
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
