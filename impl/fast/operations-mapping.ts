/** Memory that is mapped, unmapped and protected (LAY-1, REUSE-1, REUSE-2, MEM-7). */
import { ADDRESS_HI, ADDRESS_LO } from "./codec/types.js";
import { decode, inBounds, isSealed, plainHi, writeRoot } from "./capability.js";
import { maskOf, type Facts } from "./facts.js";
import type { HandlerOf, Handlers } from "./handler.js";
import { DONTFORK, EXECUTE, WIPEONFORK, WRITE, type Machine } from "./machine.js";
import { giveCapability } from "./operations-capability.js";
import { failed, NONE, OUT_OF_FRAMES } from "./outcome.js";
import { hasCommit, mapFresh, protect, unmap } from "./pages.js";
import { CD, CS1, EXTRA, N, readInteger, registerAt } from "./program.js";
import { rangeOf, sweepOwn, sweepRange } from "./sweep.js";
import { addHi, hiOf, numberOf, subHi } from "./words.js";

/** Rights of what the kernel hands out; loaded capabilities stay as they are, where formats have a right for that. */
export const dataRights = (facts: Facts): number =>
  maskOf(facts, ["load", "store", "load-cap", "store-cap", "global", "mutable-load", "elevate-level"]);
export const codeRights = (facts: Facts): number =>
  maskOf(facts, ["execute", "load", "global", "mutable-load", "elevate-level"]);

/** A register becomes a root over a run of pages of a slot. */
export function writePagesRoot(
  machine: Machine,
  register: number,
  slot: number,
  first: number,
  count: number,
  mask: number,
): boolean {
  const { registers, granuleHalves } = machine;
  const { lo, hi } = rangeOf(machine, slot, first, count);
  const size = count * machine.page;
  return writeRoot(machine, registers, register * granuleHalves, lo, hi, size | 0, hiOf(size), mask);
}

/** A register becomes the root over a shared segment. */
export function writeSegmentRoot(machine: Machine, register: number, segment: number): boolean {
  const { registers, granuleHalves, sharedLo, sharedHi, page, rights, facts } = machine;
  const distance = segment * page;
  const hi = addHi(sharedLo, sharedHi, distance | 0, hiOf(distance));
  const mask = dataRights(facts) | rights.invoke;
  const at = register * granuleHalves;
  return writeRoot(machine, registers, at, (sharedLo + distance) | 0, hi, page, 0, mask);
}

/** The first page of the first run of free ones, from the data part to the stack, that begins at a multiple. */
function freeRun(machine: Machine, slot: number, count: number, maskLo: number, maskHi: number): number {
  const { pages, entries, page, startLo, startHi } = machine;
  const row = (machine.rowOf[slot] ?? 0) * pages;
  const end = pages - 2;
  let first = Math.floor(pages / 2);
  for (let index = first; index < end; index += 1) {
    if (index === first) {
      const distance = first * page;
      const lo = ((startLo[slot] ?? 0) + distance) | 0;
      const hi = addHi(startLo[slot] ?? 0, startHi[slot] ?? 0, distance | 0, hiOf(distance));
      if (((lo & ~maskLo) | (hi & ~maskHi)) !== 0) {
        first += 1;
        continue;
      }
    }
    if (entries[row + index] !== 0) {
      // A run cannot contain this page.
      first = index + 1;
      continue;
    }
    if (index - first + 1 === count) return first;
  }
  return -1;
}

const mmap: HandlerOf<"mmap"> = (machine, code, at) => {
  const { codec, page, process, facts, decoded, wide } = machine;
  const protection = code[at + EXTRA] ?? 0;
  readInteger(machine, code, at + N);
  const asked = Math.ceil(numberOf(machine.lo, machine.hi) / page) * page;
  if (asked === 0 || (protection & (WRITE | EXECUTE)) === (WRITE | EXECUTE)) {
    failed(machine, "EINVAL");
    return;
  }
  if (asked > machine.region) {
    failed(machine, "ENOMEM");
    return;
  }
  // 1. The length that a capability can have, and the mask that its base must obey.
  codec.representableLength(asked | 0, hiOf(asked), decoded);
  const lengthLo = decoded[0] ?? 0;
  const lengthHi = wide ? (decoded[1] ?? 0) : 0;
  const count = numberOf(lengthLo, lengthHi) / page;
  codec.alignmentMask(lengthLo, lengthHi, decoded);
  // 2. The lowest run, if it can be committed.
  const first = freeRun(machine, process.slot, count, decoded[0] ?? 0, wide ? (decoded[1] ?? 0) : -1);
  if (first < 0 || !hasCommit(machine, count, count)) {
    failed(machine, "ENOMEM");
    return;
  }
  for (let index = first; index < first + count; index += 1) mapFresh(machine, process.slot, index, protection, 0);
  const to = registerAt(machine, code, at + CD);
  const mask = (protection & EXECUTE) === 0 ? dataRights(facts) : codeRights(facts);
  giveCapability(machine, to, writePagesRoot(machine, to, process.slot, first, count, mask));
};

/**
 * The pages that a register and a size name, of the caller's own: the first one into `entry`, answered is how many. 0 where
 * the call fails, which is then the outcome.
 */
function namedPages(machine: Machine, code: Int32Array, at: number): number {
  const { page, region, registers, granuleHalves, startLo, startHi, process, wide } = machine;
  const register = registerAt(machine, code, at + CS1);
  readInteger(machine, code, at + N);
  // 1. Whole pages from the capability's address on, within its bounds and the region.
  const size = Math.ceil(numberOf(machine.lo, machine.hi) / page) * page;
  const decoded = decode(machine, registers, register * granuleHalves);
  const lo = decoded[ADDRESS_LO] ?? 0;
  const hi = wide ? plainHi(machine, decoded[ADDRESS_HI] ?? 0) : 0;
  const [fromLo, fromHi] = [startLo[process.slot] ?? 0, startHi[process.slot] ?? 0];
  const offset = numberOf((lo - fromLo) | 0, subHi(lo, hi, fromLo, fromHi));
  const isOwn = size > 0 && offset % page === 0 && offset + size <= region;
  const isNamed =
    isOwn &&
    machine.registerTags[register] === 1 &&
    !isSealed(machine, decoded) &&
    inBounds(decoded, lo, hi, size | 0, hiOf(size), wide);
  if (!isNamed) {
    failed(machine, "EINVAL");
    return 0;
  }
  // 2. All of them mapped.
  machine.entry = (machine.rowOf[process.slot] ?? 0) * machine.pages + offset / page;
  const count = size / page;
  for (let entry = machine.entry; entry < machine.entry + count; entry += 1) {
    if (machine.entries[entry] !== 0) continue;
    failed(machine, "ENOMEM");
    return 0;
  }
  return count;
}

const munmap: HandlerOf<"munmap"> = (machine, code, at) => {
  const count = namedPages(machine, code, at);
  if (count === 0) return;
  const { slot } = machine.process;
  const first = machine.entry - (machine.rowOf[slot] ?? 0) * machine.pages;
  const range = rangeOf(machine, slot, first, count);
  if (!sweepOwn(machine, slot, range, first, count)) {
    machine.kind = OUT_OF_FRAMES;
    return;
  }
  unmap(machine, slot, first, count);
  sweepRange(machine, slot, range);
  machine.kind = NONE;
};

/** What each advice says of a fork. */
const advised = {
  dontfork: [DONTFORK, true],
  dofork: [DONTFORK, false],
  wipeonfork: [WIPEONFORK, true],
  keeponfork: [WIPEONFORK, false],
} as const;

export const mappingHandlers = {
  mmap,
  munmap,
  mprotect: (machine, code, at) => {
    const protection = code[at + EXTRA] ?? 0;
    if ((protection & (WRITE | EXECUTE)) === (WRITE | EXECUTE)) {
      failed(machine, "EINVAL");
      return;
    }
    const count = namedPages(machine, code, at);
    if (count === 0) return;
    for (let entry = machine.entry; entry < machine.entry + count; entry += 1) protect(machine, entry, protection);
    machine.kind = NONE;
  },
  madvise: (machine, code, at, { advice }) => {
    machine.kind = NONE;
    readInteger(machine, code, at + N);
    if ((machine.lo | machine.hi) === 0) return;
    const count = namedPages(machine, code, at);
    if (count === 0) return;
    const [bit, on] = advised[advice];
    for (let entry = machine.entry; entry < machine.entry + count; entry += 1) {
      const old = machine.flags[entry] ?? 0;
      machine.flags[entry] = on ? old | bit : old & ~bit;
    }
    machine.kind = NONE;
  },
  shm: (machine, code, at, { segment }) => {
    const to = registerAt(machine, code, at + CD);
    giveCapability(machine, to, writeSegmentRoot(machine, to, segment % machine.config.shared));
  },
} satisfies Partial<Handlers>;
