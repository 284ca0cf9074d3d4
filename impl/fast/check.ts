/** What the machine can find wrong in its own structures: INV-8, INV-13, and what the other modules take for granted. */
import { GUARD, WRITE, type Machine } from "./machine.js";

/** How often each frame is mapped, counted from the page tables of live processes. */
const mappingsOf = (machine: Machine): { readonly counts: Int32Array; readonly pages: number } => {
  const counts = new Int32Array(machine.frameCount);
  let pages = 0;
  for (const { state, slot } of machine.processes) {
    if (state !== "live") continue;
    const row = (machine.rowOf[slot] ?? 0) * machine.pages;
    for (let entry = row; entry < row + machine.pages; entry += 1) {
      const frame = (machine.entries[entry] ?? 0) - 1;
      if (frame < 0) continue;
      counts[frame] = (counts[frame] ?? 0) + 1;
      pages += 1;
    }
  }
  return { counts, pages };
};

function* wrongFrames(machine: Machine, counts: Int32Array): Generator<string> {
  let used = 0;
  const stores = new Set<number>();
  for (let frame = 0; frame < machine.frameCount; frame += 1) {
    const references = machine.frameReferences[frame] ?? 0;
    const mapped = counts[frame] ?? 0;
    if (references > 0) used += 1;
    if (references !== mapped) yield `INV-8: frame ${frame} counts ${references} mappings, and has ${mapped}`;
    const store = machine.frameStore[frame] ?? 0;
    if (store === 0) continue;
    if (references === 0) yield `INV-8: frame ${frame} is free, and keeps store ${store}`;
    if (stores.has(store)) yield `INV-8: store ${store} belongs to two frames, ${frame} among them`;
    stores.add(store);
  }
  if (used !== machine.usedFrames) yield `INV-8: ${used} frames are in use, and ${machine.usedFrames} counted`;
  for (const store of machine.freeStores) if (stores.has(store)) yield `INV-8: store ${store} is free and in use`;
  const known = 1 + machine.config.shared + stores.size + machine.freeStores.length;
  if (known !== machine.storeCount) yield `INV-8: ${machine.storeCount - known} stores are lost`;
}

/** A frame that is mapped twice must not be writable by anybody without a fault, but where that is the strategy. */
function* wrongEntries(machine: Machine): Generator<string> {
  if (!machine.strategy.lazy || !machine.strategy.guards) return;
  for (const { state, slot, ordinal } of machine.processes) {
    if (state !== "live") continue;
    const row = (machine.rowOf[slot] ?? 0) * machine.pages;
    for (let index = 0; index < machine.pages; index += 1) {
      const frame = (machine.entries[row + index] ?? 0) - 1;
      const flags = machine.flags[row + index] ?? 0;
      const isOpen = (flags & WRITE) !== 0 && (flags & GUARD) === 0;
      if (frame >= 0 && isOpen && (machine.frameReferences[frame] ?? 0) > 1) {
        yield `INV-8: page ${index} of P${ordinal} is written to frame ${frame}, which others map`;
      }
    }
  }
}

function* wrongSizes(machine: Machine, pages: number): Generator<string> {
  if (pages !== machine.committed) {
    yield `INV-13: ${pages} pages are mapped, and ${machine.committed} committed`;
  }
  if (machine.config.commit === "reserve" && machine.committed > machine.config.frames) {
    yield `INV-13: ${machine.committed} pages are committed of ${machine.config.frames} frames`;
  }
  if (machine.usedFrames > machine.config.frames) {
    yield `INV-8: ${machine.usedFrames} frames are in use of ${machine.config.frames}`;
  }
  if (machine.cells.subarray(0, machine.pageHalves).some((half) => half !== 0))
    yield "INV-8: the zero store is not zero";
  const live = machine.processes.filter(({ state }) => state === "live").length;
  if (machine.rowCount - machine.freeRows.length !== live) yield `INV-8: ${live} processes do not have a row each`;
}

export const check = (machine: Machine): readonly string[] => {
  const { counts, pages } = mappingsOf(machine);
  return [...wrongFrames(machine, counts), ...wrongEntries(machine), ...wrongSizes(machine, pages)];
};
