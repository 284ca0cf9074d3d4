/** Loads, stores, copies and tags (MEM-1 to MEM-8). */
import { ADDRESS_HI, ADDRESS_LO, OTYPE, PERMISSIONS } from "./codec/types.js";
import {
  authorise,
  boundsTrap,
  copyCell,
  keepsTagStored,
  lostByLoad,
  permits,
  plainHi,
  storedTagTrap,
} from "./capability.js";
import type { HandlerOf, Handlers } from "./handler.js";
import type { Machine } from "./machine.js";
import {
  cellAt,
  copyFrom,
  copyTo,
  fillBytes,
  isTaggedAt,
  putCell,
  readAt,
  readBytes,
  writeAt,
  writeCell,
  writeNumber,
} from "./memory.js";
import { giveCapability, giveInteger, tagOf } from "./operations-capability.js";
import { ALIGN, NONE, PERM_LOAD_CAP, trap } from "./outcome.js";
import {
  beginAccess,
  distanceOf,
  isTagged,
  locate,
  refused,
  settle,
  storeAt,
  storeAtOnce,
  storeToWrite,
  TOUCH_READ,
  TOUCH_TAG,
  TOUCH_WRITE,
  TOUCH_WRITE_TAG,
  touchBytes,
  touchPage,
  trapped,
} from "./pages.js";
import { CD, CS1, CS2, N, readInteger, registerAt, VALUE } from "./program.js";
import { addHi, numberOf } from "./words.js";

/**
 * Where an access through a register goes: its address plus the integer in `lo` and `hi`, into `lo` and `hi`. The register
 * is decoded and may load, or store. The trap, or 0.
 */
function target(machine: Machine, register: number, isStore: boolean): number {
  const { lo, hi, registers, granuleHalves, decoded } = machine;
  const tag = tagOf(machine, register);
  const cause = authorise(machine, registers, register * granuleHalves, tag, isStore);
  if (cause !== 0) return cause;
  const addressLo = decoded[ADDRESS_LO] ?? 0;
  machine.lo = (addressLo + lo) | 0;
  machine.hi = machine.wide ? plainHi(machine, addHi(addressLo, decoded[ADDRESS_HI] ?? 0, lo, hi)) : 0;
  return 0;
}

/** The same for a number of bytes; none of them have no bounds. */
function targetBytes(machine: Machine, register: number, isStore: boolean, sizeLo: number, sizeHi: number): number {
  const cause = target(machine, register, isStore);
  if (cause !== 0 || (sizeLo | sizeHi) === 0) return cause;
  return boundsTrap(machine, machine.lo, machine.hi, sizeLo, sizeHi);
}

const load =
  (size: number, unsigned: boolean): HandlerOf<"load.b"> =>
  (machine, code, at) => {
    readInteger(machine, code, at + N);
    const cause = targetBytes(machine, registerAt(machine, code, at + CS1), false, size, 0);
    if (cause !== 0) {
      trap(machine, cause, 1);
      return;
    }
    const distance = distanceOf(machine, machine.lo, machine.hi);
    const store = storeAtOnce(machine, distance, size, false);
    if (store >= 0) {
      readAt(machine, store * machine.page + machine.offset, size);
    } else {
      beginAccess(machine);
      touchBytes(machine, distance, size, TOUCH_READ, 1);
      if (refused(machine)) return;
      settle(machine);
      readBytes(machine, distance, size);
    }
    const bits = 32 - 8 * Math.min(size, 4);
    const lo = unsigned ? machine.lo : (machine.lo << bits) >> bits;
    giveInteger(machine, code, at, lo, size > 4 ? machine.hi : unsigned ? 0 : lo >> 31);
  };

const store =
  (size: number): HandlerOf<"store.b"> =>
  (machine, code, at) => {
    readInteger(machine, code, at + N);
    const cause = targetBytes(machine, registerAt(machine, code, at + CS1), true, size, 0);
    if (cause !== 0) {
      trap(machine, cause, 1);
      return;
    }
    const distance = distanceOf(machine, machine.lo, machine.hi);
    const open = storeAtOnce(machine, distance, size, true);
    machine.kind = NONE;
    if (open >= 0) {
      readInteger(machine, code, at + VALUE);
      writeAt(machine, open, machine.offset, 0, size, machine.lo, machine.hi);
      return;
    }
    beginAccess(machine);
    touchBytes(machine, distance, size, TOUCH_WRITE, 1);
    if (refused(machine)) return;
    settle(machine);
    readInteger(machine, code, at + VALUE);
    writeNumber(machine, distance, size, machine.lo, machine.hi);
  };

/** A granule is about to be read as a capability: it is seen as one only through Load-Capability. */
function touchGranule(machine: Machine, distance: number, mayLoad: boolean, operand: number): void {
  locate(machine, distance);
  const tag = isTagged(machine, storeAt(machine, machine.entry), machine.offset >> machine.granuleShift);
  touchPage(machine, tag && mayLoad ? TOUCH_TAG : TOUCH_READ, tag && !mayLoad, operand);
}

/**
 * What a load delivers of a granule in `cells`, to a place in `target`, through an authority with `permissions`: the tag it
 * has there.
 */
function deliver(
  machine: Machine,
  from: number,
  tag: boolean,
  permissions: number,
  into: Int32Array,
  place: number,
): boolean {
  copyCell(machine, machine.cells, from, into, place);
  if (!tag || (permissions & machine.rights.loadCap) === 0) return false;
  machine.codec.decode(into, place, machine.other);
  const lost = lostByLoad(machine, permissions, machine.other[OTYPE] ?? 0);
  if (lost !== 0) machine.codec.andPermissions(into, place, ~lost, into, place);
  return true;
}

const loadcap: HandlerOf<"loadcap"> = (machine, code, at) => {
  const { granule, granuleHalves, rights } = machine;
  readInteger(machine, code, at + N);
  const cause = targetBytes(machine, registerAt(machine, code, at + CS1), false, granule, 0);
  if (cause !== 0 || machine.lo % granule !== 0) {
    trap(machine, cause === 0 ? ALIGN : cause, 1);
    return;
  }
  const permissions = machine.decoded[PERMISSIONS] ?? 0;
  const distance = distanceOf(machine, machine.lo, machine.hi);
  let store = storeAtOnce(machine, distance, granule, false);
  if (store < 0) {
    beginAccess(machine);
    touchGranule(machine, distance, (permissions & rights.loadCap) !== 0, 1);
    if (refused(machine)) return;
    settle(machine);
    locate(machine, distance);
    store = storeAt(machine, machine.entry);
  }
  const { offset } = machine;
  const tag = isTagged(machine, store, offset >> machine.granuleShift);
  const to = registerAt(machine, code, at + CD);
  const from = store * machine.pageHalves + (offset >> 2);
  giveCapability(machine, to, deliver(machine, from, tag, permissions, machine.registers, to * granuleHalves));
};

const storecap: HandlerOf<"storecap"> = (machine, code, at) => {
  const { granule, granuleHalves, registers } = machine;
  const from = registerAt(machine, code, at + CS2);
  readInteger(machine, code, at + N);
  let cause = target(machine, registerAt(machine, code, at + CS1), true);
  let tag = tagOf(machine, from);
  if (cause === 0 && tag) {
    machine.codec.decode(registers, from * granuleHalves, machine.other);
    cause = storedTagTrap(machine);
    tag = keepsTagStored(machine);
  }
  if (cause === 0) cause = boundsTrap(machine, machine.lo, machine.hi, granule, 0);
  if (cause === 0 && machine.lo % granule !== 0) cause = ALIGN;
  if (cause !== 0) {
    trap(machine, cause, 1);
    return;
  }
  const distance = distanceOf(machine, machine.lo, machine.hi);
  let store = storeAtOnce(machine, distance, granule, true);
  machine.kind = NONE;
  if (store < 0) {
    beginAccess(machine);
    locate(machine, distance);
    touchPage(machine, tag ? TOUCH_WRITE_TAG : TOUCH_WRITE, false, 1);
    if (refused(machine)) return;
    settle(machine);
    locate(machine, distance);
    store = storeToWrite(machine, machine.entry);
  }
  putCell(machine, store, machine.offset, registers, from * granuleHalves, tag);
};

/** The granules of a copy that move as capabilities: where the first begins, and how many; 0 where ends are not alike. */
const movedGranules = (granule: number, fromLo: number, toLo: number, size: number): readonly [number, number] => {
  const phase = fromLo & (granule - 1);
  const first = phase === 0 ? 0 : granule - phase;
  const isAlike = phase === (toLo & (granule - 1)) && size >= first;
  return [first, isAlike ? Math.floor((size - first) / granule) : 0];
};

/**
 * A copy, as if the whole source were read first. All that is read is put aside: the copy is the one operation that needs
 * memory of its own.
 */
const copy: HandlerOf<"cmemcpy"> = (machine, code, at) => {
  const { granule, granuleHalves, rights, codec } = machine;
  const source = registerAt(machine, code, at + CS2);
  const destination = registerAt(machine, code, at + CS1);
  readInteger(machine, code, at + N);
  const sizeLo = machine.lo;
  const sizeHi = machine.hi;
  machine.lo = 0;
  machine.hi = 0;
  // 1. The source, and its pages.
  const unreadable = targetBytes(machine, source, false, sizeLo, sizeHi);
  if (unreadable !== 0) {
    trap(machine, unreadable, 2);
    return;
  }
  const size = numberOf(sizeLo, sizeHi);
  const fromLo = machine.lo;
  const permissions = machine.decoded[PERMISSIONS] ?? 0;
  const mayLoad = (permissions & rights.loadCap) !== 0;
  const from = distanceOf(machine, machine.lo, machine.hi);
  codec.decode(machine.registers, destination * granuleHalves, machine.decoded);
  const toLo = machine.decoded[ADDRESS_LO] ?? 0;
  const [first, count] = movedGranules(granule, fromLo, toLo, size);
  const head = count === 0 ? size : first;
  const tail = count === 0 ? size : first + count * granule;
  beginAccess(machine);
  touchBytes(machine, from, head, TOUCH_READ, 2);
  for (let index = 0; index < count; index += 1) touchGranule(machine, from + first + index * granule, mayLoad, 2);
  touchBytes(machine, from + tail, size - tail, TOUCH_READ, 2);
  if (trapped(machine)) return;
  // 2. What moves as capabilities, as it will arrive but for relocation, which changes no right.
  const cells = new Int32Array(count * granuleHalves);
  const tags = new Uint8Array(count);
  const deliverAll = (): void => {
    for (let index = 0; index < count; index += 1) {
      const distance = from + first + index * granule;
      const tag = isTaggedAt(machine, distance);
      tags[index] = +deliver(machine, cellAt(machine, distance), tag, permissions, cells, index * granuleHalves);
    }
  };
  deliverAll();
  // 3. The destination, and its pages.
  machine.lo = 0;
  machine.hi = 0;
  let cause = target(machine, destination, true);
  const stores = new Uint8Array(count);
  for (let index = 0; index < count && cause === 0; index += 1) {
    if (tags[index] === 0) continue;
    codec.decode(cells, index * granuleHalves, machine.other);
    cause = storedTagTrap(machine);
    stores[index] = +keepsTagStored(machine);
  }
  if (cause === 0 && size > 0) cause = boundsTrap(machine, machine.lo, machine.hi, sizeLo, sizeHi);
  if (cause !== 0) {
    trap(machine, cause, 1);
    return;
  }
  const to = distanceOf(machine, machine.lo, machine.hi);
  touchBytes(machine, to, head, TOUCH_WRITE, 1);
  for (let index = 0; index < count; index += 1) {
    locate(machine, to + first + index * granule);
    touchPage(machine, stores[index] === 1 ? TOUCH_WRITE_TAG : TOUCH_WRITE, false, 1);
  }
  touchBytes(machine, to + tail, size - tail, TOUCH_WRITE, 1);
  if (refused(machine)) return;
  settle(machine);
  // 4. Everything is read, then written.
  deliverAll();
  const bytes = new Uint8Array(head + size - tail);
  copyFrom(machine, from, head, bytes, 0);
  copyFrom(machine, from + tail, size - tail, bytes, head);
  copyTo(machine, to, head, bytes, 0);
  copyTo(machine, to + tail, size - tail, bytes, head);
  for (let index = 0; index < count; index += 1) {
    const tag = tags[index] === 1 && stores[index] === 1;
    writeCell(machine, to + first + index * granule, cells, index * granuleHalves, tag);
  }
  machine.kind = NONE;
};

const memset: HandlerOf<"memset"> = (machine, code, at) => {
  readInteger(machine, code, at + N);
  const sizeLo = machine.lo;
  const sizeHi = machine.hi;
  machine.lo = 0;
  machine.hi = 0;
  const cause = targetBytes(machine, registerAt(machine, code, at + CS1), true, sizeLo, sizeHi);
  if (cause !== 0) {
    trap(machine, cause, 1);
    return;
  }
  const size = numberOf(sizeLo, sizeHi);
  const distance = distanceOf(machine, machine.lo, machine.hi);
  beginAccess(machine);
  touchBytes(machine, distance, size, TOUCH_WRITE, 1);
  if (refused(machine)) return;
  settle(machine);
  readInteger(machine, code, at + VALUE);
  fillBytes(machine, distance, size, machine.lo & 0xff);
  machine.kind = NONE;
};

/** Granules whose tags CLoadTags reads. */
const group = 4;

const cloadtags: HandlerOf<"cloadtags"> = (machine, code, at) => {
  const size = group * machine.granule;
  machine.lo = 0;
  machine.hi = 0;
  let cause = target(machine, registerAt(machine, code, at + CS1), false);
  if (cause === 0 && !permits(machine.decoded, machine.rights.loadCap)) cause = PERM_LOAD_CAP;
  if (cause === 0) cause = boundsTrap(machine, machine.lo, machine.hi, size, 0);
  if (cause === 0 && machine.lo % size !== 0) cause = ALIGN;
  if (cause !== 0) {
    trap(machine, cause, 1);
    return;
  }
  const distance = distanceOf(machine, machine.lo, machine.hi);
  locate(machine, distance);
  let tags = groupTags(machine);
  beginAccess(machine);
  touchPage(machine, tags === 0 ? TOUCH_READ : TOUCH_TAG, false, 1);
  if (refused(machine)) return;
  settle(machine);
  locate(machine, distance);
  tags = groupTags(machine);
  giveInteger(machine, code, at, tags, 0);
};

/** The tags of the group that `locate` found. A group lies within one word of the bitmap. */
function groupTags(machine: Machine): number {
  const { entry, offset, tags, tagWords } = machine;
  const first = offset >> machine.granuleShift;
  const word = tags[storeAt(machine, entry) * tagWords + (first >> 5)] ?? 0;
  return (word >>> (first & 31)) & 0xf;
}

export const memoryHandlers = {
  loadcap,
  storecap,
  "load.b": load(1, false),
  "load.bu": load(1, true),
  "load.h": load(2, false),
  "load.hu": load(2, true),
  "load.w": load(4, false),
  "load.wu": load(4, true),
  "load.d": load(8, true),
  "store.b": store(1),
  "store.h": store(2),
  "store.w": store(4),
  "store.d": store(8),
  cmemcpy: copy,
  memset,
  cloadtags,
} satisfies Partial<Handlers>;
