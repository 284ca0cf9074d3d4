/**
 * Pages: where an address lies, protections, faults and their resolution (MEM-4), frames and their references.
 *
 * Every function gives a new machine. A step works in three strokes: check every page that it touches, resolve what needs
 * resolving, act.
 */
import { trap, type TaggedMemory, type Trap } from "../cheri/index.js";
import { regionSize, sharedBase } from "./config.js";
import { regionBase, type Counters, type Frame, type Machine, type PageEntry } from "./machine.js";
import { relocated, type Range } from "./relocate.js";
import { strategies, type Touch } from "./strategy.js";

/** A private page, by slot and index. */
export interface Page {
  readonly slot: number;
  readonly index: number;
}

/** Where an address lies. */
export type Place =
  | { readonly kind: "page"; readonly page: Page; readonly offset: bigint }
  | { readonly kind: "segment"; readonly segment: number; readonly offset: bigint }
  | { readonly kind: "nowhere" };

/** A page that an access touches, and how. */
export interface Span {
  readonly place: Place;
  readonly touch: Touch;
}

export const place = (machine: Machine, address: bigint): Place => {
  const { config } = machine;
  const page = BigInt(config.page);
  const shared = sharedBase(config);
  if (address >= shared) {
    const segment = Number((address - shared) / page);
    return segment < config.shared
      ? { kind: "segment", segment, offset: (address - shared) % page }
      : { kind: "nowhere" };
  }
  if (address < config.base) return { kind: "nowhere" };
  const slot = Number((address - config.base) / config.stride);
  const within = address - regionBase(config, slot);
  return within < regionSize(config)
    ? { kind: "page", page: { slot, index: Number(within / page) }, offset: within % page }
    : { kind: "nowhere" };
};

export const regionRange = (machine: Machine, slot: number): Range => {
  const start = regionBase(machine.config, slot);
  return { start, end: start + regionSize(machine.config) };
};

export const entryOf = (machine: Machine, page: Page): PageEntry | undefined =>
  machine.regions[page.slot]?.[page.index];

/** The frame of a page that is mapped. */
export const frameOf = (machine: Machine, entry: PageEntry): Frame | undefined => machine.frames[entry.frame];

/** The process that lives in a slot. */
const ownerOf = (machine: Machine, slot: number): number =>
  machine.processes.findIndex((process) => process.slot === slot && process.state.kind === "live");

const withEntry = (machine: Machine, page: Page, entry: PageEntry | undefined): Machine => ({
  ...machine,
  regions: machine.regions.with(page.slot, (machine.regions[page.slot] ?? []).with(page.index, entry)),
});

const withFrame = (machine: Machine, index: number, frame: Frame | undefined): Machine => ({
  ...machine,
  frames: index < machine.frames.length ? machine.frames.with(index, frame) : [...machine.frames, frame],
});

/** Add to the counters of the process that owns a slot. */
export const count = (machine: Machine, slot: number, more: Partial<Counters>): Machine => {
  const owner = ownerOf(machine, slot);
  const process = machine.processes[owner];
  if (process === undefined) return machine;
  const { counters } = process;
  const sum: Counters = {
    faults: counters.faults + (more.faults ?? 0),
    copies: counters.copies + (more.copies ?? 0),
    relocations: counters.relocations + (more.relocations ?? 0),
    pageTableWrites: counters.pageTableWrites + (more.pageTableWrites ?? 0),
  };
  return { ...machine, processes: machine.processes.with(owner, { ...process, counters: sum }) };
};

const sameEntry = (a: PageEntry | undefined, b: PageEntry | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    a.frame === b?.frame &&
    a.guard === b.guard &&
    a.protection.read === b.protection.read &&
    a.protection.write === b.protection.write &&
    a.protection.execute === b.protection.execute);

/** Set an entry of the page table; a change of its frame, guard or protection counts as one write. */
export const setEntry = (machine: Machine, page: Page, entry: PageEntry | undefined): Machine => {
  if (sameEntry(entryOf(machine, page), entry)) return machine;
  return count(withEntry(machine, page, entry), page.slot, { pageTableWrites: 1 });
};

/** The lowest frame that is free. */
const freeFrame = (machine: Machine): number => {
  const index = machine.frames.indexOf(undefined);
  return index === -1 ? machine.frames.length : index;
};

/** Frames in use are limited by the budget; under `reserve` commit accounting keeps this from ever failing. */
export const hasFreeFrame = (machine: Machine): boolean => freeFrame(machine) < machine.config.frames;

/** Map a page to a new frame with the given memory, valid in the page's own region. */
export const mapNew = (
  machine: Machine,
  page: Page,
  memory: TaggedMemory,
  entry: Omit<PageEntry, "frame">,
): Machine => {
  const frame = freeFrame(machine);
  const home = regionBase(machine.config, page.slot);
  return setEntry(withFrame(machine, frame, { memory, home, references: 1 }), page, { ...entry, frame });
};

/** Map a page to a frame that is mapped elsewhere, too. */
export const mapShared = (machine: Machine, page: Page, entry: PageEntry): Machine => {
  const frame = frameOf(machine, entry);
  if (frame === undefined) return machine;
  return setEntry(withFrame(machine, entry.frame, { ...frame, references: frame.references + 1 }), page, entry);
};

/** One mapping of a frame less; without any, the frame is free. */
const release = (machine: Machine, index: number): Machine => {
  const frame = machine.frames[index];
  if (frame === undefined) return machine;
  return withFrame(machine, index, frame.references === 1 ? undefined : { ...frame, references: frame.references - 1 });
};

export const unmap = (machine: Machine, page: Page): Machine => {
  const entry = entryOf(machine, page);
  return entry === undefined ? machine : release(setEntry(machine, page, undefined), entry.frame);
};

/** A frame's memory with every capability relocated to a region, and how many granules that changed. */
export const relocateMemory = (
  machine: Machine,
  frame: Frame,
  slot: number,
): { readonly memory: TaggedMemory; readonly changed: number } => {
  const { format, config } = machine;
  const delta = regionBase(config, slot) - frame.home;
  if (delta === 0n) return { memory: frame.memory, changed: 0 };
  const region: Range = { start: frame.home, end: frame.home + regionSize(config) };
  const moved = frame.memory.map((granule) => {
    if (!granule.tag) return granule;
    const before = format.decode(format.fromMemory(granule.bits), true);
    const after = relocated(format, before, region, delta);
    return after === before ? granule : { tag: after.tag, bits: format.toMemory(after) };
  });
  return { memory: moved, changed: moved.filter((granule, index) => granule !== frame.memory[index]).length };
};

/** The page's frame belongs to another region: its capabilities mean another process's memory. */
export const needsResolving = (machine: Machine, page: Page): boolean => {
  const entry = entryOf(machine, page);
  return entry !== undefined && frameOf(machine, entry)?.home !== regionBase(machine.config, page.slot);
};

const isWrite = (touch: Touch): boolean => touch === "write" || touch === "write-tag";

/** Would this touch fault by the strategy, so that the page must be resolved, split or taken over first? */
export const faults = (machine: Machine, page: Page, touch: Touch): boolean => {
  const entry = entryOf(machine, page);
  if (entry === undefined) return false;
  if (isWrite(touch) && entry.guard) return true;
  return needsResolving(machine, page) && strategies[machine.config.strategy].faultsOn(touch);
};

/**
 * Give a page a frame of its own, valid in its own region: the sole mapping of a frame takes it over without a copy, any
 * other gets a new frame. Capabilities are relocated if the home differs, the guard is cleared.
 * @rule MEM-4 resolve @source µFork (SOSP 2025), CoA and CoPA fault handling
 */
const resolve = (machine: Machine, page: Page): Machine => {
  const entry = entryOf(machine, page);
  const frame = entry === undefined ? undefined : frameOf(machine, entry);
  if (entry === undefined || frame === undefined) return machine;
  const { memory, changed } = relocateMemory(machine, frame, page.slot);
  const open = { protection: entry.protection, guard: false };
  if (frame.references === 1) {
    const taken = withFrame(machine, entry.frame, { ...frame, memory, home: regionBase(machine.config, page.slot) });
    return count(setEntry(taken, page, { ...open, frame: entry.frame }), page.slot, { relocations: changed });
  }
  return count(mapNew(release(machine, entry.frame), page, memory, open), page.slot, {
    copies: 1,
    relocations: changed,
  });
};

/** A copy needs a frame; a takeover does not. */
const copies = (machine: Machine, page: Page): boolean => {
  const entry = entryOf(machine, page);
  return entry !== undefined && (frameOf(machine, entry)?.references ?? 0) > 1;
};

/** Resolve a faulting page on behalf of its owner; undefined where no frame is left (overcommit). */
export const fault = (machine: Machine, page: Page): Machine | undefined =>
  copies(machine, page) && !hasFreeFrame(machine) ? undefined : count(resolve(machine, page), page.slot, { faults: 1 });

/**
 * May this page be touched so? Unmapped first, then the right that the touch needs.
 * @rule MEM-1 page @source SFork design: page protection comes after the capability's checks
 */
export const checkPage = (machine: Machine, { place: where, touch }: Span, operand: string): Trap | undefined => {
  if (where.kind === "nowhere") return trap(touch === "execute" ? "page-exec" : "page-unmapped", operand);
  if (where.kind === "segment") {
    if (touch === "execute") return trap("page-exec", operand);
    return touch === "write-tag" ? trap("page-store-cap", operand) : undefined;
  }
  const entry = entryOf(machine, where.page);
  if (entry === undefined) return trap("page-unmapped", operand);
  if (touch === "execute") return entry.protection.execute ? undefined : trap("page-exec", operand);
  if (isWrite(touch)) return entry.protection.write ? undefined : trap("page-write", operand);
  return entry.protection.read ? undefined : trap("page-read", operand);
};

/** Memory of a place, as the frame or segment holds it. */
export const memoryAt = (machine: Machine, where: Place): TaggedMemory => {
  if (where.kind === "segment") return machine.segments[where.segment] ?? [];
  const entry = where.kind === "page" ? entryOf(machine, where.page) : undefined;
  return (entry === undefined ? undefined : frameOf(machine, entry)?.memory) ?? [];
};

export const withMemoryAt = (machine: Machine, where: Place, memory: TaggedMemory): Machine => {
  if (where.kind === "segment") return { ...machine, segments: machine.segments.with(where.segment, memory) };
  const entry = where.kind === "page" ? entryOf(machine, where.page) : undefined;
  const frame = entry === undefined ? undefined : frameOf(machine, entry);
  return entry === undefined || frame === undefined ? machine : withFrame(machine, entry.frame, { ...frame, memory });
};
