/** The end of memory: no capability to a range that ended stays tagged anywhere (REUSE-1, REUSE-3). */
import { clearTag, type Capability, type TaggedMemory } from "../cheri/index.js";
import { withBuffers, withCapability, withHeld } from "./kernel.js";
import { regionBase, type Machine } from "./machine.js";
import { faults, homeRange, mappedPages, mappingOf, memoryAt, resolve, withMemoryAt } from "./paging.js";
import type { Range } from "./relocate.js";

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
      machine.laws.isDead(machine.format, capability, range) && !machine.laws.isSpared(capability, home);
    const memory = clearTags(machine, frame.memory, dead);
    return memory === frame.memory ? frame : { ...frame, memory };
  });
  return { ...machine, frames };
};

/** Registers, channels in flight and what the kernel holds are compared as they are. */
const sweepHeld = (machine: Machine, range: Range, reached: (process: number) => boolean): Machine => {
  const revoked = (capability: Capability): Capability =>
    machine.laws.isDead(machine.format, capability, range) ? clearTag(capability) : capability;
  return {
    ...machine,
    threads: machine.threads.map((thread) =>
      thread.live && reached(thread.process)
        ? {
            ...thread,
            registers: thread.registers.map(revoked),
            pcc: revoked(thread.pcc),
            call: thread.call && withBuffers(thread.call, revoked),
          }
        : thread,
    ),
    processes: machine.processes.map((process, ordinal) =>
      process.state.kind === "live" && reached(ordinal) ? { ...process, ...withHeld(process, revoked) } : process,
    ),
    channels: machine.channels.map(({ messages }) => ({ messages: messages.map(revoked) })),
    requests: machine.requests.map((request) =>
      reached(request.process) ? { ...request, buffer: withCapability(request.buffer, revoked) } : request,
    ),
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
      sofar.laws.image(sofar.format, capability, homeRange(sofar, frame), delta);
    const swept = clearTags(sofar, frame.memory, (capability) =>
      sofar.laws.isDead(sofar.format, image(capability), range),
    );
    if (swept === frame.memory) return sofar;
    const own = faults(sofar, page, "write") ? resolve(sofar, page) : sofar;
    if (own === undefined) return undefined;
    const where = { kind: "page", page, offset: 0n } as const;
    const dead = (capability: Capability): boolean => own.laws.isDead(own.format, capability, range);
    return withMemoryAt(own, where, clearTags(own, memoryAt(own, where), dead));
  }, machine);

/**
 * Memory of a slot ended, its pages are gone: sweep what other pages, threads, channels and the kernel hold. Addresses of
 * one address space mean nothing in another: there the sweep is the slot's own matter.
 */
export const sweepRange = (machine: Machine, slot: number, range: Range): Machine => {
  const { separate } = machine.laws;
  const reached = (process: number): boolean => !separate || machine.processes[process]?.slot === slot;
  return sweepHeld(separate ? machine : sweepFrames(machine, range), range, reached);
};

/**
 * A range of a living process ended: as `sweepRange`, and its own view.
 * @rule REUSE-1 sweep @source Cornucopia Reloaded (ASPLOS 2024); SFork design: the sweep is part of the step
 */
export const sweepUnmapped = (machine: Machine, slot: number, range: Range): Machine | undefined => {
  const own = sweepOwn(machine, slot, range);
  return own === undefined ? undefined : sweepRange(own, slot, range);
};
