/**
 * The end of memory: no capability to a range that ended stays tagged (REUSE-1, REUSE-3).
 *
 * A sweep visits tagged granules only: bitmaps say where they are.
 */
import { BASE_HI, BASE_LO, TOP_EXTRA, TOP_HI, TOP_LO, type Halves } from "./codec/types.js";
import { copyCell, decode, isMemory } from "./capability.js";
import { fileSize, type Held, type Machine } from "./machine.js";
import { clearTag, faults, liesWithin, relocateCell, resolve, someTagged, TOUCH_WRITE } from "./pages.js";
import { addHi, below, hiOf } from "./words.js";

/** A range of addresses, its end not included. */
interface Range {
  readonly lo: number;
  readonly hi: number;
  readonly endLo: number;
  readonly endHi: number;
}

/** Pages of a slot's region, as addresses. */
export const rangeOf = (machine: Machine, slot: number, first: number, count: number): Range => {
  const { page, startLo, startHi } = machine;
  const [fromLo, fromHi] = [startLo[slot] ?? 0, startHi[slot] ?? 0];
  const [start, end] = [first * page, (first + count) * page];
  return {
    lo: (fromLo + start) | 0,
    hi: addHi(fromLo, fromHi, start | 0, hiOf(start)),
    endLo: (fromLo + end) | 0,
    endHi: addHi(fromLo, fromHi, end | 0, hiOf(end)),
  };
};

/** Does the tagged capability at a place point into the range? Empty ones count where they stand, ends included. */
function isDead(machine: Machine, cells: Halves, at: number, { lo, hi, endLo, endHi }: Range): boolean {
  const now = decode(machine, cells, at);
  if (!isMemory(machine, now)) return false;
  const baseLo = now[BASE_LO] ?? 0;
  const baseHi = now[BASE_HI] ?? 0;
  const topLo = now[TOP_LO] ?? 0;
  const topHi = now[TOP_HI] ?? 0;
  const topExtra = now[TOP_EXTRA] !== 0;
  if (!topExtra && baseLo === topLo && baseHi === topHi) {
    return !below(baseLo, baseHi, lo, hi) && !below(endLo, endHi, baseLo, baseHi);
  }
  return below(baseLo, baseHi, endLo, endHi) && (topExtra || below(lo, hi, topLo, topHi));
}

/** Capabilities inside a frame's home mean their mapper's memory, whoever lived there: they are passed over. */
function sweepFrames(machine: Machine, range: Range): void {
  for (let frame = 0; frame < machine.frameCount; frame += 1) {
    if (machine.frameReferences[frame] === 0) continue;
    const home = machine.frameHome[frame] ?? 0;
    const store = machine.frameStore[frame] ?? 0;
    someTagged(machine, store, (granule, cell) => {
      if (isDead(machine, machine.cells, cell, range) && !liesWithin(machine, machine.decoded, home)) {
        clearTag(machine, store, granule);
      }
      return false;
    });
  }
}

function sweepOne(machine: Machine, held: Held, range: Range): void {
  if (held.tag && isDead(machine, held.cells, 0, range)) held.tag = false;
}

/** Registers, channels in flight and what the kernel holds. Addresses of one address space mean nothing in another. */
function sweepHeld(machine: Machine, slot: number, range: Range): void {
  const { separate } = machine.strategy;
  const { registers, registerTags, granuleHalves } = machine;
  for (const { process, registers: first, call } of machine.liveThreads) {
    if (separate && process.slot !== slot) continue;
    for (let register = first; register < first + fileSize; register += 1) {
      if (registerTags[register] === 1 && isDead(machine, registers, register * granuleHalves, range)) {
        registerTags[register] = 0;
      }
    }
    if (call?.kind === "read") for (const { capability } of call.buffers) sweepOne(machine, capability, range);
  }
  for (const process of machine.processes) {
    if (process.state !== "live" || (separate && process.slot !== slot)) continue;
    for (const action of process.actions.values()) {
      if (action === "ignore") continue;
      sweepOne(machine, action.code, range);
      sweepOne(machine, action.data, range);
    }
    sweepOne(machine, process.stack, range);
  }
  for (const messages of machine.channels) for (const message of messages) sweepOne(machine, message, range);
  for (const { process, buffer } of machine.requests) {
    if (!separate || machine.processes[process]?.slot === slot) sweepOne(machine, buffer.capability, range);
  }
}

/** Pages of a slot ended, and are unmapped. */
export function sweepRange(machine: Machine, slot: number, range: Range): void {
  if (!machine.strategy.separate) sweepFrames(machine, range);
  sweepHeld(machine, slot, range);
}

/** Does a page hold, as its process sees it, a capability that dies with the range? */
export function holdsDead(machine: Machine, frame: number, slot: number, range: Range): boolean {
  const home = machine.strategy.separate ? slot : (machine.frameHome[frame] ?? 0);
  const { scratch } = machine;
  return someTagged(machine, machine.frameStore[frame] ?? 0, (_, cell) => {
    copyCell(machine, machine.cells, cell, scratch, 0);
    return relocateCell(machine, scratch, 0, home, slot) !== 2 && isDead(machine, scratch, 0, range);
  });
}

/**
 * In pages of the process itself images are compared, and a page where one dies is first made its own. The `count` pages
 * from `first` on, which end, are left alone. False, and nothing changed, where there are too few frames for that.
 */
export function sweepOwn(machine: Machine, slot: number, range: Range, first: number, count: number): boolean {
  const { pages, frameReferences } = machine;
  const row = (machine.rowOf[slot] ?? 0) * pages;
  // 1. Pages to clear, and frames that they need; those that end give theirs back.
  const marked: number[] = [];
  let needed = 0;
  for (let index = 0; index < pages; index += 1) {
    const frame = (machine.entries[row + index] ?? 0) - 1;
    if (frame < 0) continue;
    const isSole = frameReferences[frame] === 1;
    if (index >= first && index < first + count) {
      if (isSole) needed -= 1;
    } else if (holdsDead(machine, frame, slot, range)) {
      marked.push(row + index);
      if (!isSole && faults(machine, row + index, slot, TOUCH_WRITE)) needed += 1;
    }
  }
  if (machine.usedFrames + needed > machine.config.frames) return false;
  // 2. Each becomes its process's own, and loses the tags.
  for (const entry of marked) {
    if (faults(machine, entry, slot, TOUCH_WRITE)) resolve(machine, entry, slot);
    const store = machine.frameStore[(machine.entries[entry] ?? 0) - 1] ?? 0;
    someTagged(machine, store, (granule, cell) => {
      if (isDead(machine, machine.cells, cell, range)) clearTag(machine, store, granule);
      return false;
    });
  }
  return true;
}
