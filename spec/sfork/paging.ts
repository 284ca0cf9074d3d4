/**
 * Pages: where an address lies, protections, faults and their resolution (MEM-4), frames and their references.
 *
 * Every function gives a new machine. A step works in three strokes: check every page that it touches, resolve what needs
 * resolving, act.
 */
import { trap, type TaggedMemory, type Trap } from "../cheri/index.js";
import { regionSize, sharedBase } from "./config.js";
import { includes, noAdvice, regionBase } from "./machine.js";
import type { Advice, Counters, Frame, Machine, PageEntry, Pages } from "./machine.js";
import type { Protection } from "./operation.js";
import type { Range } from "./relocate.js";
import type { Touch } from "./strategy.js";
import { flatMap } from "./lists.js";

/** A private page, by slot and index. */
export interface Page {
  readonly slot: number;
  readonly index: number;
}

/** Where an address lies, and how far from the start of its page. */
export type Place =
  | { readonly kind: "page"; readonly page: Page; readonly offset: bigint }
  | { readonly kind: "segment"; readonly segment: number; readonly offset: bigint }
  | { readonly kind: "nowhere"; readonly offset: bigint };

/** A page that an access touches, and how. */
export interface Span {
  readonly place: Place;
  readonly touch: Touch;
}

const nowhere: Place = { kind: "nowhere", offset: 0n };

/** Where an address leads, in the address space that is installed. */
export const place = ({ config, laws, space }: Machine, address: bigint): Place => {
  const page = BigInt(config.page);
  const shared = sharedBase(config);
  if (address < config.base) return nowhere;
  if (address >= shared) {
    const segment = Number((address - shared) / page);
    return segment < config.shared ? { kind: "segment", segment, offset: (address - shared) % page } : nowhere;
  }
  const nth = Number((address - config.base) / config.stride);
  const within = (address - config.base) % config.stride;
  const index = Number(within / page);
  const { separate } = laws;
  if (separate && nth > 0) return nowhere;
  const slot = separate ? space : nth;
  return index < config.pages ? { kind: "page", page: { slot, index }, offset: within % page } : nowhere;
};

/** The addresses of a region that begins at `start`. */
const regionAt = (machine: Machine, start: bigint): Range => ({ start, end: start + regionSize(machine.config) });

export const regionRange = (machine: Machine, slot: number): Range =>
  regionAt(machine, regionBase(machine.config, slot));

/** The region in which a frame's capabilities are valid. */
export const homeRange = (machine: Machine, frame: Frame): Range => regionAt(machine, frame.home);

export interface MappedPage extends Page {
  readonly entry: PageEntry;
  readonly frame: Frame;
}

/** What a page is mapped to, if it is mapped. */
export const mappingOf = (machine: Machine, { slot, index }: Page): MappedPage | undefined => {
  const entry = machine.regions[slot]?.[index];
  const frame = entry === undefined ? undefined : machine.frames[entry.frame];
  return entry === undefined || frame === undefined ? undefined : { slot, index, entry, frame };
};

/** The mapped pages of a slot, in order. */
export const mappedPages = (machine: Machine, slot: number): readonly MappedPage[] =>
  flatMap(machine.regions[slot] ?? [], (_, index) => mappingOf(machine, { slot, index }) ?? []);

/** Add to the counters of the process that lives in a slot. */
export const count = (machine: Machine, slot: number, more: Partial<Counters>): Machine => ({
  ...machine,
  processes: machine.processes.map((process) => {
    if (process.slot !== slot || process.state.kind !== "live") return process;
    const { faults = 0, copies = 0, relocations = 0, pageTableWrites = 0 } = more;
    const counters: Counters = {
      faults: process.counters.faults + faults,
      copies: process.counters.copies + copies,
      relocations: process.counters.relocations + relocations,
      pageTableWrites: process.counters.pageTableWrites + pageTableWrites,
    };
    return { ...process, counters };
  }),
});

const sameProtection = (a: Protection, b: Protection): boolean =>
  a === b || (a.read === b.read && a.write === b.write && a.execute === b.execute);

/** Is this the same in a page table? */
const sameEntry = (a: PageEntry | undefined, b: PageEntry | undefined): boolean =>
  a?.frame === b?.frame &&
  a?.guard === b?.guard &&
  (a === undefined || b === undefined || sameProtection(a.protection, b.protection));

/** Change a region's entries; each whose frame, guard or protection changes counts as one write of the page table. */
export const withEntries = (
  machine: Machine,
  slot: number,
  change: (entry: PageEntry | undefined, index: number) => PageEntry | undefined,
): Machine => {
  const before = machine.regions[slot] ?? [];
  const after = before.map(change);
  const pageTableWrites = after.filter((entry, index) => !sameEntry(entry, before[index])).length;
  const changed = { ...machine, regions: machine.regions.with(slot, after) };
  if (pageTableWrites > 0) return count(changed, slot, { pageTableWrites });
  return after.some((entry, index) => entry?.advice !== before[index]?.advice) ? changed : machine;
};

/** One mapping more, or less, of some frames; a frame that nobody maps any more is free. */
export const withReferences = (machine: Machine, indices: readonly number[], change: 1 | -1): Machine => {
  const chosen = new Set(indices);
  const frames = machine.frames.map((frame, index) => {
    if (frame === undefined || !chosen.has(index)) return frame;
    const references = frame.references + change;
    return references === 0 ? undefined : { ...frame, references };
  });
  return { ...machine, frames };
};

/** What a page is to hold. */
interface Content {
  readonly index: number;
  readonly protection: Protection;
  readonly advice?: Advice;
  readonly memory: TaggedMemory;
}

/**
 * Map pages of a slot to frames of their own, the lowest that are free, with memory that is valid in that slot. Undefined
 * where the budget has too few frames, which commit accounting keeps from ever happening under `reserve`.
 */
export const mapFresh = (machine: Machine, slot: number, contents: readonly Content[]): Machine | undefined => {
  const { length } = machine.frames;
  const home = regionBase(machine.config, slot);
  const holes = flatMap(machine.frames, (frame, index) => (frame === undefined ? [index] : []));
  const needed = Math.max(length, length + contents.length - holes.length);
  if (needed > machine.config.frames) return undefined;
  const frameOf = (nth: number): number => holes[nth] ?? length + nth - holes.length;
  const fresh = new Map(contents.map(({ memory }, nth) => [frameOf(nth), { memory, home, references: 1 }]));
  const entries = new Map(
    contents.map(({ index, protection, advice = noAdvice }, nth) => {
      return [index, { frame: frameOf(nth), protection, guard: false, advice }];
    }),
  );
  const frames = Array.from({ length: needed }, (_, index) => fresh.get(index) ?? machine.frames[index]);
  return withEntries({ ...machine, frames }, slot, (entry, index) => entries.get(index) ?? entry);
};

/** Unmap a run of pages; of those that are not mapped nothing is asked. */
export const unmap = (machine: Machine, slot: number, pages: Pages): Machine => {
  const gone = mappedPages(machine, slot).filter(({ index }) => includes(pages, index));
  const frames = gone.map(({ entry }) => entry.frame);
  const left = withReferences(machine, frames, -1);
  return withEntries(left, slot, (entry, index) => (includes(pages, index) ? undefined : entry));
};

/**
 * A frame's memory with every capability relocated to a region, and how many granules that changed. Untagged data stays
 * what it is, whatever it looks like.
 * @rule FORK-7 untagged @source SFork poster, challenges: pointers are told from data by their tags
 */
export const relocateMemory = (machine: Machine, frame: Frame, slot: number) => {
  const { format } = machine;
  const home = homeRange(machine, frame);
  const delta = regionBase(machine.config, slot) - home.start;
  if (delta === 0n) return { memory: frame.memory, changed: 0 };
  const memory = frame.memory.map((granule) => {
    if (!granule.tag) return granule;
    const before = format.decode(format.fromMemory(granule.bits), true);
    const after = machine.laws.image(format, before, home, delta);
    return after === before ? granule : { tag: after.tag, bits: format.toMemory(after) };
  });
  return { memory, changed: memory.filter((granule, index) => granule !== frame.memory[index]).length };
};

/** The page's frame belongs to another region: its capabilities mean another process's memory. */
export const needsResolving = (machine: Machine, page: Page): boolean => {
  const mapping = mappingOf(machine, page);
  return mapping !== undefined && mapping.frame.home !== regionBase(machine.config, page.slot);
};

const isWrite = (touch: Touch): boolean => touch === "write" || touch === "write-tag";

/** Would this touch fault by the strategy, so that the page must be resolved, split or taken over first? */
export const faults = (machine: Machine, page: Page, touch: Touch): boolean =>
  (isWrite(touch) && mappingOf(machine, page)?.entry.guard === true) ||
  (needsResolving(machine, page) && machine.laws.faultsOn(touch));

/**
 * A page that faults gets a frame of its own, valid in its own region, on behalf of its owner: the sole mapping of a frame
 * takes it over without a copy, any other gets a new frame. Capabilities are relocated if the home differs, the guard is
 * cleared. Undefined where no frame is left for a copy (overcommit).
 * @rule MEM-4 resolve @source µFork (SOSP 2025), CoA and CoPA fault handling
 */
export const resolve = (machine: Machine, page: Page): Machine | undefined => {
  const mapping = mappingOf(machine, page);
  if (mapping === undefined) return machine;
  const { entry, frame } = mapping;
  const { slot, index } = page;
  const { memory, changed } = relocateMemory(machine, frame, machine.laws.resolvedFor(slot, machine.space));
  if (frame.references === 1) {
    const own = { ...frame, memory, home: regionBase(machine.config, slot) };
    const taken = { ...machine, frames: machine.frames.with(entry.frame, own) };
    const open = withEntries(taken, slot, (other, at) => (at === index ? { ...entry, guard: false } : other));
    return count(open, slot, { faults: 1, relocations: changed });
  }
  const left = withReferences(machine, [entry.frame], -1);
  const copied = mapFresh(left, slot, [{ ...entry, index, memory }]);
  return copied === undefined ? undefined : count(copied, slot, { faults: 1, copies: 1, relocations: changed });
};

/**
 * May this page be touched so? A jump needs the right to execute; loads and stores a mapping, and then their right.
 * @rule MEM-1 page @source SFork design: page protection comes after the capability's checks
 */
export const checkPage = (machine: Machine, { place: where, touch }: Span, operand: string): Trap | undefined => {
  if (where.kind === "nowhere") return trap(touch === "execute" ? "page-exec" : "page-unmapped", operand);
  if (where.kind === "segment") return machine.laws.checkSegment(touch, operand);
  const protection = mappingOf(machine, where.page)?.entry.protection;
  if (touch === "execute") return protection?.execute === true ? undefined : trap("page-exec", operand);
  if (protection === undefined) return trap("page-unmapped", operand);
  if (isWrite(touch)) return protection.write ? undefined : trap("page-write", operand);
  return protection.read ? undefined : trap("page-read", operand);
};

/** Memory of a place, as the frame or segment holds it. */
export const memoryAt = (machine: Machine, where: Place): TaggedMemory => {
  if (where.kind === "segment") return machine.segments[where.segment] ?? [];
  return (where.kind === "page" ? mappingOf(machine, where.page)?.frame.memory : undefined) ?? [];
};

export const withMemoryAt = (machine: Machine, where: Place, memory: TaggedMemory): Machine => {
  if (where.kind === "segment") return { ...machine, segments: machine.segments.with(where.segment, memory) };
  const mapping = where.kind === "page" ? mappingOf(machine, where.page) : undefined;
  if (mapping === undefined) return machine;
  return { ...machine, frames: machine.frames.with(mapping.entry.frame, { ...mapping.frame, memory }) };
};
