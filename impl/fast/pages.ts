/**
 * Pages: where an address lies, what may be done there, and how a page gets a frame of its own (MEM-4, FORK-3, FORK-7).
 *
 * An access names the pages that it touches, in order (`touchPage`); `refused` then says whether one of them may not be
 * touched so, or is not promised to be what an eager copy is, or would need a frame that there is none for. Only then
 * `settle` changes anything. All of it is free of allocation but for a queue that grows.
 */
import { BASE_HI, BASE_LO, REPRESENTABLE, TOP_EXTRA, TOP_HI, TOP_LO, type Halves } from "./codec/types.js";
import { EXECUTE, GUARD, PROTECTION, READ, WRITE, type Machine } from "./machine.js";
import { dropReference, growAccesses, segmentStore, takeFrame, takeStore } from "./storage.js";
import {
  OUT_OF_FRAMES,
  OUTSIDE_PROFILE,
  PAGE_EXEC,
  PAGE_READ,
  PAGE_STORE_CAP,
  PAGE_UNMAPPED,
  PAGE_WRITE,
  trap,
} from "./outcome.js";
import { isMemory } from "./capability.js";
import { below, subHi } from "./words.js";

// What an access does to a page.
export const TOUCH_READ = 0;
/** It delivers, or shows, a tag. */
export const TOUCH_TAG = 1;
export const TOUCH_WRITE = 2;
export const TOUCH_WRITE_TAG = 3;

/** Stands for an address in no region and no segment. */
const NOWHERE = -1;

/**
 * An address as its distance from the first region's base, or -1 below it, or far away. Where distances between regions
 * exceed 2^53, regions are taken to lie closer: no access reaches from one into the next.
 */
export function distanceOf(machine: Machine, lo: number, hi: number): number {
  const { startLo, startHi, far } = machine;
  if (far) return farDistanceOf(machine, lo, hi);
  const baseLo = startLo[0] ?? 0;
  const high = subHi(lo, hi, baseLo, startHi[0] ?? 0) >>> 0;
  return high >= 0x200000 ? -1 : high * 0x100000000 + ((lo - baseLo) >>> 0);
}

function farDistanceOf(machine: Machine, lo: number, hi: number): number {
  const { startLo, startHi, region, stride, config } = machine;
  const slots = machine.strategy.separate ? 1 : config.slots;
  for (let slot = 0; slot < slots; slot += 1) {
    const high = subHi(lo, hi, startLo[slot] ?? 0, startHi[slot] ?? 0) >>> 0;
    const within = high * 0x100000000 + ((lo - (startLo[slot] ?? 0)) >>> 0);
    if (within < region) return slot * stride + within;
  }
  const high = subHi(lo, hi, machine.sharedLo, machine.sharedHi) >>> 0;
  const within = high * 0x100000000 + ((lo - machine.sharedLo) >>> 0);
  return within < config.shared * machine.page ? config.slots * stride + within : -1;
}

/** Finds the page at a distance: sets `entry`, `slot` and `offset`. */
export function locate(machine: Machine, distance: number): void {
  const { stride, sharedAt } = machine;
  machine.entry = NOWHERE;
  if (distance < 0) return;
  if (distance >= sharedAt) {
    locateSegment(machine, distance - sharedAt);
    return;
  }
  const slot = (distance / stride) | 0;
  const within = distance - slot * stride;
  if (within >= machine.region) return;
  const index = (within * machine.perPage) | 0;
  machine.offset = (within - index * machine.page) | 0;
  const { separate } = machine.strategy;
  if (separate && slot > 0) return;
  const owner = separate ? machine.space : slot;
  const row = machine.rowOf[owner] ?? -1;
  machine.slot = owner;
  if (row >= 0) machine.entry = row * machine.pages + index;
}

function locateSegment(machine: Machine, within: number): void {
  const { page } = machine;
  const segment = Math.floor(within * machine.perPage);
  machine.offset = (within - segment * page) | 0;
  if (segment < machine.config.shared) machine.entry = -2 - segment;
}

/**
 * The short way of an access that lies in one page, is allowed there, and causes no fault: the store to act on, with
 * `offset` set. -1 where it has to go the long way, which finds out why.
 */
export function storeAtOnce(machine: Machine, distance: number, size: number, isWrite: boolean): number {
  locate(machine, distance);
  const { entry, strategy } = machine;
  if (entry < 0 || machine.offset + size > machine.page) return -1;
  const frame = (machine.entries[entry] ?? 0) - 1;
  if (frame < 0) return -1;
  const flags = machine.flags[entry] ?? 0;
  if (isWrite ? (flags & (WRITE | GUARD)) !== WRITE : (flags & READ) === 0) return -1;
  if (strategy.lazy && !strategy.separate && machine.frameHome[frame] !== machine.slot) return -1;
  const store = machine.frameStore[frame] ?? 0;
  return store === 0 && isWrite ? storeToWrite(machine, entry) : store;
}

/** The store in which the bytes at `entry` lie: a segment's, or that of the frame which is mapped there. */
export function storeAt(machine: Machine, entry: number): number {
  if (entry < NOWHERE) return segmentStore(-2 - entry);
  if (entry === NOWHERE) return 0;
  const frame = (machine.entries[entry] ?? 0) - 1;
  return frame < 0 ? 0 : (machine.frameStore[frame] ?? 0);
}

/** The same to write to: a frame that was zero gets a store. */
export function storeToWrite(machine: Machine, entry: number): number {
  if (entry < NOWHERE) return segmentStore(-2 - entry);
  const frame = (machine.entries[entry] ?? 0) - 1;
  const store = machine.frameStore[frame] ?? 0;
  if (store > 0) return store;
  const fresh = takeStore(machine);
  machine.frameStore[frame] = fresh;
  return fresh;
}

export const isTagged = ({ tags, tagWords }: Machine, store: number, granule: number): boolean =>
  (((tags[store * tagWords + (granule >> 5)] ?? 0) >>> (granule & 31)) & 1) === 1;

export function setTag({ tags, tagWords }: Machine, store: number, granule: number): void {
  const word = store * tagWords + (granule >> 5);
  tags[word] = (tags[word] ?? 0) | (1 << (granule & 31));
}

export function clearTag({ tags, tagWords }: Machine, store: number, granule: number): void {
  const word = store * tagWords + (granule >> 5);
  tags[word] = (tags[word] ?? 0) & ~(1 << (granule & 31));
}

/** Is any granule from `first` to `last` tagged? */
function anyTag(machine: Machine, store: number, first: number, last: number): boolean {
  if (store === 0) return false;
  const { tags, tagWords } = machine;
  const words = store * tagWords;
  for (let word = first >> 5; word <= last >> 5; word += 1) {
    const from = Math.max(first - word * 32, 0);
    const to = Math.min(last - word * 32, 31);
    const mask = (-1 << from) & (-1 >>> (31 - to));
    if (((tags[words + word] ?? 0) & mask) !== 0) return true;
  }
  return false;
}

/** The trap of a touch of the page at `entry`, or 0. Loads and stores ask for a mapping, and then for their right. */
export function pageTrap(machine: Machine, entry: number, touch: number): number {
  if (entry < NOWHERE) return touch === TOUCH_WRITE_TAG ? PAGE_STORE_CAP : 0;
  if (entry === NOWHERE || machine.entries[entry] === 0) return PAGE_UNMAPPED;
  const flags = machine.flags[entry] ?? 0;
  if (touch >= TOUCH_WRITE) return (flags & WRITE) === 0 ? PAGE_WRITE : 0;
  return (flags & READ) === 0 ? PAGE_READ : 0;
}

/** May a jump go to the page at `entry`? */
export const jumpTrap = (machine: Machine, entry: number): number =>
  entry >= 0 && machine.entries[entry] !== 0 && ((machine.flags[entry] ?? 0) & EXECUTE) !== 0 ? 0 : PAGE_EXEC;

/** The frame at a mapped entry holds another region's capabilities. */
const needsResolving = (machine: Machine, entry: number, slot: number): boolean =>
  !machine.strategy.separate && machine.frameHome[(machine.entries[entry] ?? 0) - 1] !== slot;

/** Would this touch fault by the strategy? */
export function faults(machine: Machine, entry: number, slot: number, touch: number): boolean {
  const { lazy, readFaults, tagFaults, guards } = machine.strategy;
  if (!lazy) return false;
  if (touch >= TOUCH_WRITE && ((machine.flags[entry] ?? 0) & GUARD) !== 0) return true;
  if (!needsResolving(machine, entry, slot)) return false;
  if (touch >= TOUCH_WRITE) return guards;
  return touch === TOUCH_TAG ? tagFaults : readFaults;
}

/** No page yet. */
export function beginAccess(machine: Machine): void {
  machine.accesses = 0;
  machine.stale = false;
}

/** The page that `locate` found is touched so. `raw`: bytes of a tagged granule are delivered. */
export function touchPage(machine: Machine, touch: number, raw: boolean, operand: number): void {
  const at = machine.accesses;
  if (at === machine.accessEntry.length) growAccesses(machine);
  const { entry, slot } = machine;
  machine.accessEntry[at] = entry;
  machine.accessSlot[at] = slot;
  machine.accessTouch[at] = touch;
  machine.accessOperand[at] = operand;
  machine.accesses = at + 1;
  if (raw && entry >= 0 && machine.entries[entry] !== 0 && needsResolving(machine, entry, slot)) machine.stale = true;
}

/** Pages of `size` bytes, from a distance on. Domain: size ≥ 0. */
export function touchBytes(machine: Machine, distance: number, size: number, touch: number, operand: number): void {
  const { page, granuleShift } = machine;
  let at = distance;
  let left = size;
  while (left > 0) {
    locate(machine, at);
    const { offset, entry } = machine;
    const here = entry === NOWHERE ? left : Math.min(left, page - offset);
    const raw =
      touch === TOUCH_READ &&
      anyTag(machine, storeAt(machine, entry), offset >> granuleShift, (offset + here - 1) >> granuleShift);
    touchPage(machine, touch, raw, operand);
    at += here;
    left -= here;
  }
}

/** The first trap among the pages of the access, told as the step's outcome. */
export function trapped(machine: Machine): boolean {
  for (let at = 0; at < machine.accesses; at += 1) {
    const cause = pageTrap(machine, machine.accessEntry[at] ?? 0, machine.accessTouch[at] ?? 0);
    if (cause === 0) continue;
    trap(machine, cause, machine.accessOperand[at] ?? 0);
    return true;
  }
  return false;
}

/** Frames that the faults of the access need, each page once, in their order: the last mapping of a frame takes it over. */
function framesNeeded(machine: Machine): number {
  const { accessEntry, accessSlot, accessTouch, accesses, entries, frameReferences } = machine;
  const split = new Set<number>();
  const left = new Map<number, number>();
  for (let at = 0; at < accesses; at += 1) {
    const entry = accessEntry[at] ?? 0;
    if (entry < 0 || split.has(entry) || !faults(machine, entry, accessSlot[at] ?? 0, accessTouch[at] ?? 0)) continue;
    const frame = (entries[entry] ?? 0) - 1;
    const references = left.get(frame) ?? frameReferences[frame] ?? 0;
    // A page that was taken over keeps its frame, and does not fault again.
    if (references > 1) left.set(frame, references - 1);
    split.add(entry);
  }
  let needed = 0;
  for (const [frame, references] of left) needed += (frameReferences[frame] ?? 0) - references;
  return needed;
}

/** Is there a frame for every fault of the access? */
export const hasFrames = (machine: Machine): boolean => {
  const free = machine.config.frames - machine.usedFrames;
  return machine.accesses <= free || !machine.strategy.lazy || framesNeeded(machine) <= free;
};

/** Is the access not to be? Traps come first, then what REF-2 leaves open, then the want of frames. */
export function refused(machine: Machine): boolean {
  if (trapped(machine)) return true;
  if (machine.stale && machine.strategy.staleReads) {
    machine.kind = OUTSIDE_PROFILE;
    return true;
  }
  if (hasFrames(machine)) return false;
  machine.kind = OUT_OF_FRAMES;
  return true;
}

/** Resolves what the access touches, page by page; a page that was resolved does not fault again. */
export function settle(machine: Machine): void {
  if (!machine.strategy.lazy) return;
  const { accessEntry, accessSlot, accessTouch, accesses } = machine;
  for (let at = 0; at < accesses; at += 1) {
    const entry = accessEntry[at] ?? 0;
    const slot = accessSlot[at] ?? 0;
    if (entry >= 0 && faults(machine, entry, slot, accessTouch[at] ?? 0)) resolve(machine, entry, slot);
  }
}

/** Do the decoded bounds lie in the region of a slot? */
export function liesWithin(machine: Machine, decoded: Int32Array, slot: number): boolean {
  const baseLo = decoded[BASE_LO] ?? 0;
  const baseHi = decoded[BASE_HI] ?? 0;
  const topLo = decoded[TOP_LO] ?? 0;
  const topHi = decoded[TOP_HI] ?? 0;
  return (
    decoded[TOP_EXTRA] === 0 &&
    !below(baseLo, baseHi, machine.startLo[slot] ?? 0, machine.startHi[slot] ?? 0) &&
    !below(machine.endLo[slot] ?? 0, machine.endHi[slot] ?? 0, topLo, topHi) &&
    !below(topLo, topHi, baseLo, baseHi)
  );
}

/**
 * A tagged capability from one slot's region to another's, in place (FORK-3): bounds decide whether it moves. Answers 0
 * where it stays as it is, 1 where it moved, 2 where it moved and lost its tag.
 */
export function relocateCell(machine: Machine, cells: Halves, at: number, from: number, to: number): number {
  const { codec, decoded, startLo, startHi } = machine;
  if (from === to || machine.strategy.separate) return 0;
  codec.decode(cells, at, decoded);
  if (!isMemory(machine, decoded) || !liesWithin(machine, decoded, from)) return 0;
  const fromLo = startLo[from] ?? 0;
  const toLo = startLo[to] ?? 0;
  const deltaHi = subHi(toLo, startHi[to] ?? 0, fromLo, startHi[from] ?? 0);
  const answer = codec.relocate(cells, at, (toLo - fromLo) | 0, deltaHi, to < from, cells, at);
  return (answer & REPRESENTABLE) !== 0 ? 1 : 2;
}

/**
 * Visits the tagged granules of a store, until one answers true: words of the bitmap that are zero are passed over. A visit
 * may clear the tag of what it is given.
 */
export function someTagged(
  { tags, tagWords, pageHalves, granuleHalves }: Machine,
  store: number,
  visit: (granule: number, cell: number) => boolean,
): boolean {
  if (store === 0) return false;
  for (let word = 0; word < tagWords; word += 1) {
    let left = tags[store * tagWords + word] ?? 0;
    while (left !== 0) {
      const granule = word * 32 + 31 - Math.clz32(left & -left);
      left &= left - 1;
      if (visit(granule, store * pageHalves + granule * granuleHalves)) return true;
    }
  }
  return false;
}

/** Relocates a store in place, found by its tags. Counts what moved. */
export function relocateStore(machine: Machine, store: number, from: number, to: number): number {
  if (from === to || machine.strategy.separate) return 0;
  let moved = 0;
  someTagged(machine, store, (granule, cell) => {
    const answer = relocateCell(machine, machine.cells, cell, from, to);
    if (answer > 0) moved += 1;
    if (answer === 2) clearTag(machine, store, granule);
    return false;
  });
  return moved;
}

/** The store of a copy: of zeros nothing is copied. */
export function copyStore(machine: Machine, store: number): number {
  if (store === 0) return 0;
  const copy = takeStore(machine);
  const { pageHalves, tagWords } = machine;
  machine.cells.copyWithin(copy * pageHalves, store * pageHalves, (store + 1) * pageHalves);
  machine.tags.copyWithin(copy * tagWords, store * tagWords, (store + 1) * tagWords);
  return copy;
}

/**
 * A page that faults gets a frame that is its own and valid in its region, on behalf of its owner. The sole mapping of a
 * frame takes it over as it lies.
 */
export function resolve(machine: Machine, entry: number, slot: number): void {
  const owner = machine.processes[machine.ownerOf[slot] ?? -1];
  if (owner === undefined) return;
  const { entries, flags, frameReferences, frameHome } = machine;
  const frame = (entries[entry] ?? 0) - 1;
  const home = machine.strategy.separate ? slot : (frameHome[frame] ?? 0);
  const guarded = ((flags[entry] ?? 0) & GUARD) !== 0;
  owner.faults += 1;
  flags[entry] = (flags[entry] ?? 0) & ~GUARD;
  if (frameReferences[frame] === 1) {
    owner.relocations += relocateStore(machine, machine.frameStore[frame] ?? 0, home, slot);
    frameHome[frame] = slot;
    if (guarded) owner.pageTableWrites += 1;
    return;
  }
  const own = takeFrame(machine, slot);
  const store = copyStore(machine, machine.frameStore[frame] ?? 0);
  machine.frameStore[own] = store;
  machine.frameReferences[own] = 1;
  dropReference(machine, frame);
  entries[entry] = own + 1;
  owner.relocations += relocateStore(machine, store, home, slot);
  owner.copies += 1;
  owner.pageTableWrites += 1;
}

/** Maps a page that was not mapped to a frame of its own. */
export function mapFresh(machine: Machine, slot: number, index: number, flags: number, store: number): void {
  const entry = (machine.rowOf[slot] ?? 0) * machine.pages + index;
  const frame = takeFrame(machine, slot);
  machine.frameStore[frame] = store;
  machine.frameReferences[frame] = 1;
  machine.entries[entry] = frame + 1;
  machine.flags[entry] = flags;
  machine.committed += 1;
  const owner = machine.processes[machine.ownerOf[slot] ?? -1];
  if (owner !== undefined) owner.pageTableWrites += 1;
}

/** Unmaps what is mapped of a run of pages. */
export function unmap(machine: Machine, slot: number, first: number, count: number): void {
  const start = (machine.rowOf[slot] ?? 0) * machine.pages + first;
  const owner = machine.processes[machine.ownerOf[slot] ?? -1];
  for (let entry = start; entry < start + count; entry += 1) {
    const frame = (machine.entries[entry] ?? 0) - 1;
    if (frame < 0) continue;
    dropReference(machine, frame);
    machine.entries[entry] = 0;
    machine.flags[entry] = 0;
    machine.committed -= 1;
    if (owner !== undefined) owner.pageTableWrites += 1;
  }
}

/** Does a change of protection change the entry? Then it counts. */
export function protect(machine: Machine, entry: number, protection: number): void {
  const old = machine.flags[entry] ?? 0;
  machine.flags[entry] = (old & ~PROTECTION) | protection;
  if ((old & PROTECTION) !== protection) machine.process.pageTableWrites += 1;
}

/** Is there room for more pages that are committed, and for frames that are needed at once (FORK-1)? */
export const hasCommit = (machine: Machine, pages: number, atOnce: number): boolean =>
  machine.config.commit === "overcommit"
    ? machine.usedFrames + atOnce <= machine.config.frames
    : machine.committed + pages <= machine.config.frames;
