/** Memory that is there from the start, without steps; and pages as their process sees them, without values. */
import type { Area, StartMemory, StartRegister } from "../start.js";
import { BASE_HI, BASE_LO, TOP_HI, TOP_LO } from "./codec/types.js";
import { decode, writeNull, writeRoot } from "./capability.js";
import { maskOf } from "./facts.js";
import { EXECUTE, PROTECTION, READ, registerCount, WRITE, type Machine, type Thread } from "./machine.js";
import { seenFrom } from "./observe.js";
import { isTagged, mapFresh, relocateCell, setTag, unmap } from "./pages.js";
import { newThread } from "./processes.js";
import { reserveStores, takeStore } from "./storage.js";
import { rangeOf } from "./sweep.js";
import { addHi, hiOf } from "./words.js";

const flagsOf = ({ protection: { read, write, execute } }: Area): number =>
  (read ? READ : 0) | (write ? WRITE : 0) | (execute ? EXECUTE : 0);

/** Rights of a capability to an area, after what the area's pages allow. */
const rightsOf = ({ facts }: Machine, { protection: { read, write, execute } }: Area): number =>
  maskOf(facts, ["global", "mutable-load", "elevate-level"]) |
  (read ? maskOf(facts, ["load", "load-cap"]) : 0) |
  (write ? maskOf(facts, ["store", "store-cap"]) : 0) |
  (execute ? maskOf(facts, ["execute"]) : 0);

/** A root for each area, in a row. */
function rootsOf(machine: Machine, areas: readonly Area[]): Int32Array {
  const { granuleHalves, page } = machine;
  const roots = new Int32Array(areas.length * granuleHalves);
  areas.forEach((area, index) => {
    const { lo, hi, endLo, endHi } = rangeOf(machine, 0, area.first, area.count);
    const size = area.count * page;
    const at = index * granuleHalves;
    writeRoot(machine, roots, at, lo, hi, size | 0, hiOf(size), rightsOf(machine, area));
    const now = decode(machine, roots, at);
    const exact = now[BASE_LO] === lo && now[BASE_HI] === hi && now[TOP_LO] === endLo && now[TOP_HI] === endHi;
    if (!exact)
      throw new RangeError(`impl/fast: no capability covers pages ${area.first} to ${area.first + area.count}`);
  });
  return roots;
}

/** A capability to an area, its address given as a distance from the region's start. */
function writePointer(
  machine: Machine,
  roots: Int32Array,
  area: number,
  lo: number,
  hi: number,
  to: Int32Array,
  at: number,
): void {
  const startLo = machine.startLo[0] ?? 0;
  const high = addHi(startLo, machine.startHi[0] ?? 0, lo, hi);
  machine.codec.setAddress(roots, area * machine.granuleHalves, (startLo + lo) | 0, high, to, at);
}

/** The granules of a store that is zero. */
function fill(machine: Machine, roots: Int32Array, words: Int32Array, leads: Int32Array, store: number): void {
  const { granuleHalves, pageHalves, cells } = machine;
  for (let one = 0; one < leads.length; one += 1) {
    const lo = words[one * 2] ?? 0;
    const hi = words[one * 2 + 1] ?? 0;
    const lead = leads[one] ?? 0;
    const at = store * pageHalves + one * granuleHalves;
    if (lead === 0) {
      cells[at] = lo;
      cells[at + 1] = hi;
    } else {
      writePointer(machine, roots, lead - 1, lo, hi, cells, at);
      setTag(machine, store, one);
    }
  }
}

function placePages(machine: Machine, { areas, pages, read }: StartMemory, roots: Int32Array): void {
  const { granule, page } = machine;
  const granules = page / granule;
  const words = new Int32Array(granules * 2);
  const leads = new Int32Array(granules);
  reserveStores(machine, machine.storeCount + pages.length * (machine.strategy.lazy ? 1 : 2));
  let area = 0;
  for (let nth = 0; nth < pages.length; nth += 1) {
    const index = pages[nth] ?? 0;
    while (index >= (areas[area]?.first ?? 0) + (areas[area]?.count ?? 0)) area += 1;
    const own = areas[area];
    if (own === undefined || index < own.first) throw new RangeError(`impl/fast: page ${index} lies in no area`);
    read(nth, words, leads);
    // What is zero has no store.
    const store = words.some((half) => half !== 0) || leads.some((lead) => lead !== 0) ? takeStore(machine) : 0;
    if (store > 0) fill(machine, roots, words, leads, store);
    mapFresh(machine, 0, index, flagsOf(own), store);
  }
}

function placeRegisters(machine: Machine, thread: Thread, values: readonly StartRegister[], roots: Int32Array): void {
  const { registers, registerTags, granuleHalves } = machine;
  for (let index = 0; index <= registerCount; index += 1) {
    const { value, area } = values[index] ?? { value: 0n, area: undefined };
    const [lo, hi] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
    const register = thread.registers + index;
    registerTags[register] = +(area !== undefined);
    if (area === undefined) writeNull(machine, registers, register * granuleHalves, lo, hi);
    else writePointer(machine, roots, area, lo, hi, registers, register * granuleHalves);
  }
}

/** The machine at its start gets other memory and registers. */
export function place(machine: Machine, memory: StartMemory): void {
  const [first] = machine.processes;
  const [thread] = machine.liveThreads;
  if (first === undefined || thread === undefined) return;
  unmap(machine, 0, 0, machine.pages);
  const roots = rootsOf(machine, memory.areas);
  placePages(machine, memory, roots);
  memory.threads.forEach((values, index) => {
    placeRegisters(machine, index === 0 ? thread : newThread(machine, first, 0), values, roots);
  });
  first.pageTableWrites = 0;
}

/**
 * A page as its process sees it: its granules into `cells`, and a byte for each tag into `tags`. Answers its protection as
 * bits (1 read, 2 write, 4 execute), or -1 where nothing is mapped.
 */
export function look(machine: Machine, process: number, index: number, cells: Int32Array, tags: Uint8Array): number {
  const { slot = 0, state } = machine.processes[process] ?? {};
  const entry = (machine.rowOf[slot] ?? 0) * machine.pages + index;
  const frame = state === "live" ? (machine.entries[entry] ?? 0) - 1 : -1;
  if (frame < 0) return -1;
  const { granuleHalves, pageHalves } = machine;
  const store = machine.frameStore[frame] ?? 0;
  const from = seenFrom(machine, frame, slot);
  const start = store * pageHalves;
  cells.set(machine.cells.subarray(start, start + pageHalves));
  for (let granule = 0; granule * granuleHalves < pageHalves; granule += 1) {
    const at = granule * granuleHalves;
    const tag = isTagged(machine, store, granule);
    tags[granule] = +(tag && relocateCell(machine, cells, at, from, slot) !== 2);
  }
  return (machine.flags[entry] ?? 0) & PROTECTION;
}
