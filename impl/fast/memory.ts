/** Bytes and granules of memory whose pages have been checked and resolved (MEM-2, MEM-8). Distances: see `pages`. */
import type { Halves } from "./codec/types.js";
import { copyCell } from "./capability.js";
import type { Machine } from "./machine.js";
import { clearTag, isTagged, locate, setTag, storeAt, storeToWrite } from "./pages.js";

/** Bytes `first` to `end` of a number of eight at most, from index `at` of `bytes` on, are added to `lo` and `hi`. */
function readPart(machine: Machine, at: number, first: number, end: number): void {
  const { bytes } = machine;
  let { lo, hi } = machine;
  for (let index = first; index < end; index += 1) {
    const byte = bytes[at + index - first] ?? 0;
    if (index < 4) lo |= byte << (8 * index);
    else hi |= byte << (8 * (index - 4));
  }
  machine.lo = lo;
  machine.hi = hi;
}

/** Eight bytes at most of one page, from index `at` of `bytes` on, as a little-endian number into `lo` and `hi`. */
export function readAt(machine: Machine, at: number, size: number): void {
  machine.lo = 0;
  machine.hi = 0;
  readPart(machine, at, 0, size);
}

/** The same over the end of a page. */
export function readBytes(machine: Machine, distance: number, size: number): void {
  locate(machine, distance);
  const { page, offset } = machine;
  const first = Math.min(size, page - offset);
  readAt(machine, storeAt(machine, machine.entry) * page + offset, first);
  if (first === size) return;
  locate(machine, distance + first);
  readPart(machine, storeAt(machine, machine.entry) * page, first, size);
}

/** Bytes `first` to `end` of a number in halves, into one page from `offset` on; tags of their granules go. */
export function writeAt(
  machine: Machine,
  store: number,
  offset: number,
  first: number,
  end: number,
  lo: number,
  hi: number,
): void {
  const { bytes } = machine;
  const at = store * machine.page + offset - first;
  clearTags(machine, store, offset, end - first);
  for (let index = first; index < end; index += 1) {
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

/** Eight bytes at most of a number in halves, over the end of a page. */
export function writeNumber(machine: Machine, distance: number, size: number, lo: number, hi: number): void {
  for (let first = 0; first < size;) {
    locate(machine, distance + first);
    const { offset, page } = machine;
    const end = Math.min(size, first + page - offset);
    writeAt(machine, storeToWrite(machine, machine.entry), offset, first, end, lo, hi);
    first = end;
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
