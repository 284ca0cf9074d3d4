/** Bytes and granules of memory whose pages have been checked and resolved (MEM-2, MEM-8). Distances: see `pages`. */
import type { Halves } from "./codec/types.js";
import { copyCell } from "./capability.js";
import type { Machine } from "./machine.js";
import { clearTag, isTagged, locate, setTag, storeAt, storeToWrite } from "./pages.js";

/** Eight bytes at most of one page, from index `at` of `bytes` on, as a little-endian number into `lo` and `hi`. */
export function readAt(machine: Machine, at: number, size: number): void {
  const { bytes } = machine;
  let lo = 0;
  let hi = 0;
  for (let index = 0; index < size; index += 1) {
    const byte = bytes[at + index] ?? 0;
    if (index < 4) lo |= byte << (8 * index);
    else hi |= byte << (8 * (index - 4));
  }
  machine.lo = lo;
  machine.hi = hi;
}

/** The same over the end of a page. */
export function readBytes(machine: Machine, distance: number, size: number): void {
  locate(machine, distance);
  const { page, offset } = machine;
  const at = storeAt(machine, machine.entry) * page + offset;
  const first = Math.min(size, page - offset);
  readAt(machine, at, first);
  if (first === size) return;
  let { lo, hi } = machine;
  locate(machine, distance + first);
  const next = storeAt(machine, machine.entry) * page;
  for (let index = first; index < size; index += 1) {
    const byte = machine.bytes[next + index - first] ?? 0;
    if (index < 4) lo |= byte << (8 * index);
    else hi |= byte << (8 * (index - 4));
  }
  machine.lo = lo;
  machine.hi = hi;
}

/** Eight bytes at most of a number in halves, into one page from `offset` on; tags of their granules go. */
export function writeAt(machine: Machine, store: number, offset: number, size: number, lo: number, hi: number): void {
  const { bytes } = machine;
  const at = store * machine.page + offset;
  clearTags(machine, store, offset, size);
  for (let index = 0; index < size; index += 1) {
    bytes[at + index] = index < 4 ? lo >>> (8 * index) : hi >>> (8 * (index - 4));
  }
}

/** Tags of the granules that bytes of one page touch go. */
function clearTags(machine: Machine, store: number, offset: number, size: number): void {
  const last = (offset + size - 1) >> machine.granuleShift;
  for (let granule = offset >> machine.granuleShift; granule <= last; granule += 1) {
    clearTag(machine, store, granule);
  }
}

/** Where `size` bytes can be written from a distance on: index of the first byte; tags go. `size` becomes what one page has. */
function openBytes(machine: Machine, distance: number, size: number): number {
  locate(machine, distance);
  const { entry, offset, page } = machine;
  const store = storeToWrite(machine, entry);
  machine.lo = Math.min(size, page - offset);
  clearTags(machine, store, offset, machine.lo);
  return store * page + offset;
}

/** Eight bytes at most, of a number in halves. */
export function writeNumber(machine: Machine, distance: number, size: number, lo: number, hi: number): void {
  let index = 0;
  while (index < size) {
    let at = openBytes(machine, distance + index, size - index);
    const end = at + machine.lo;
    const { bytes } = machine;
    for (; at < end; at += 1, index += 1) {
      bytes[at] = index < 4 ? lo >>> (8 * index) : hi >>> (8 * (index - 4));
    }
  }
}

/** One byte, many times. */
export function fillBytes(machine: Machine, distance: number, size: number, byte: number): void {
  let done = 0;
  while (done < size) {
    const at = openBytes(machine, distance + done, size - done);
    machine.bytes.fill(byte, at, at + machine.lo);
    done += machine.lo;
  }
}

/** Bytes of memory into an array, from its index `to` on. */
export function copyFrom(machine: Machine, distance: number, size: number, target: Uint8Array, to: number): void {
  const { page } = machine;
  let done = 0;
  while (done < size) {
    locate(machine, distance + done);
    const { offset } = machine;
    const here = Math.min(size - done, page - offset);
    const at = storeAt(machine, machine.entry) * page + offset;
    target.set(machine.bytes.subarray(at, at + here), to + done);
    done += here;
  }
}

/** Bytes of an array into memory, from its index `from` on. */
export function copyTo(
  machine: Machine,
  distance: number,
  size: number,
  source: Uint8Array | readonly number[],
  from: number,
): void {
  let done = 0;
  while (done < size) {
    const at = openBytes(machine, distance + done, size - done);
    const here = machine.lo;
    for (let index = 0; index < here; index += 1) machine.bytes[at + index] = source[from + done + index] ?? 0;
    done += here;
  }
}

/** Is the granule at a distance tagged? */
export function isTaggedAt(machine: Machine, distance: number): boolean {
  locate(machine, distance);
  return isTagged(machine, storeAt(machine, machine.entry), machine.offset >> machine.granuleShift);
}

/** Where the granule at a distance begins, in `cells`. */
export function cellAt(machine: Machine, distance: number): number {
  locate(machine, distance);
  return storeAt(machine, machine.entry) * machine.pageHalves + (machine.offset >> 2);
}

/** A capability into the granule at a distance, with its tag. */
export function writeCell(machine: Machine, distance: number, from: Halves, at: number, tag: boolean): void {
  locate(machine, distance);
  putCell(machine, storeToWrite(machine, machine.entry), machine.offset, from, at, tag);
}

/** The same, into a store. */
export function putCell(machine: Machine, store: number, offset: number, from: Halves, at: number, tag: boolean): void {
  copyCell(machine, from, at, machine.cells, store * machine.pageHalves + (offset >> 2));
  const granule = offset >> machine.granuleShift;
  if (tag) setTag(machine, store, granule);
  else clearTag(machine, store, granule);
}
