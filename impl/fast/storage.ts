/** What of a machine grows and is given back: stores, frames, rows of the page table, register files. */
import { fileSize, type Held, type Machine } from "./machine.js";

export const newHeld = (machine: Pick<Machine, "granuleHalves">): Held => ({
  cells: new Int32Array(machine.granuleHalves),
  tag: false,
});

/** Twice the room, so that growing costs little for each of many. */
const grownInts = (array: Int32Array, length: number): Int32Array => {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
};

const grownBytes = (array: Uint8Array, length: number): Uint8Array => {
  if (length <= array.length) return array;
  const larger = new Uint8Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
};

/** A store of zeros without tags. */
export function takeStore(machine: Machine): number {
  const { pageHalves, tagWords } = machine;
  const free = machine.freeStores.pop();
  if (free !== undefined) {
    machine.cells.fill(0, free * pageHalves, (free + 1) * pageHalves);
    machine.tags.fill(0, free * tagWords, (free + 1) * tagWords);
    return free;
  }
  const store = machine.storeCount;
  machine.storeCount += 1;
  const cells = grownInts(machine.cells, machine.storeCount * pageHalves);
  if (cells !== machine.cells) {
    machine.cells = cells;
    machine.bytes = new Uint8Array(cells.buffer);
  }
  machine.tags = grownInts(machine.tags, machine.storeCount * tagWords);
  return store;
}

/** Room for so many stores in all, and no more: it is not doubled. */
export function reserveStores(machine: Machine, stores: number): void {
  const { cells, tags, pageHalves, tagWords } = machine;
  if (stores * pageHalves <= cells.length) return;
  machine.cells = new Int32Array(stores * pageHalves);
  machine.cells.set(cells);
  machine.bytes = new Uint8Array(machine.cells.buffer);
  machine.tags = new Int32Array(stores * tagWords);
  machine.tags.set(tags);
}

/** The number of a frame that nothing maps yet. */
export function takeFrame(machine: Machine, home: number): number {
  const frame = machine.freeFrames.pop() ?? machine.frameCount;
  if (frame === machine.frameCount) {
    machine.frameCount += 1;
    machine.frameStore = grownInts(machine.frameStore, machine.frameCount);
    machine.frameReferences = grownInts(machine.frameReferences, machine.frameCount);
    machine.frameHome = grownInts(machine.frameHome, machine.frameCount);
  }
  machine.frameStore[frame] = 0;
  machine.frameReferences[frame] = 0;
  machine.frameHome[frame] = home;
  machine.usedFrames += 1;
  return frame;
}

/** One mapping less; a frame that nobody maps any more is free, and its store. */
export function dropReference(machine: Machine, frame: number): void {
  const left = (machine.frameReferences[frame] ?? 0) - 1;
  machine.frameReferences[frame] = left;
  if (left > 0) return;
  const store = machine.frameStore[frame] ?? 0;
  if (store > 0) machine.freeStores.push(store);
  machine.frameStore[frame] = 0;
  machine.freeFrames.push(frame);
  machine.usedFrames -= 1;
}

/** A row without entries. */
export function takeRow(machine: Machine): number {
  const { pages } = machine;
  const row = machine.freeRows.pop() ?? machine.rowCount;
  if (row === machine.rowCount) {
    machine.rowCount += 1;
    machine.entries = grownInts(machine.entries, machine.rowCount * pages);
    machine.flags = grownBytes(machine.flags, machine.rowCount * pages);
  }
  return row;
}

/** Registers of a thread: the index of the first. */
export function takeRegisters(machine: Machine): number {
  const file = machine.freeFiles.pop() ?? machine.fileCount;
  if (file === machine.fileCount) {
    machine.fileCount += 1;
    machine.registers = grownInts(machine.registers, machine.fileCount * fileSize * machine.granuleHalves);
    machine.registerTags = grownBytes(machine.registerTags, machine.fileCount * fileSize);
  }
  return file * fileSize;
}

/** A shared segment's store. */
export const segmentStore = (segment: number): number => segment + 1;

/** A queue of pages with room for one more. */
export function growAccesses(machine: Machine): void {
  const room = machine.accesses + 1;
  machine.accessEntry = grownInts(machine.accessEntry, room);
  machine.accessSlot = grownInts(machine.accessSlot, room);
  machine.accessTouch = grownInts(machine.accessTouch, room);
  machine.accessOperand = grownInts(machine.accessOperand, room);
}
