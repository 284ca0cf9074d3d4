/**
 * Capabilities in place: what the machine asks of one, and does to one, wherever it lies. An index counts halves; the tag
 * is the caller's. Rules CAP-2 to CAP-6, MEM-1, MEM-3; sources are named in the specification of each rule.
 */
import {
  BASE_HI,
  BASE_LO,
  BOUNDS_VALID,
  EXACT,
  OTYPE,
  PERMISSIONS,
  RESERVED_HI,
  RESERVED_LO,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
  WITHIN,
  type Halves,
} from "./codec/types.js";
import type { Machine } from "./machine.js";
import { BOUNDS, PERM_LOAD, PERM_STORE, PERM_STORE_CAP, PERM_STORE_LOCAL, SEAL, TAG } from "./outcome.js";
import { addHi, below } from "./words.js";

export const permits = (decoded: Int32Array, mask: number): boolean => ((decoded[PERMISSIONS] ?? 0) & mask) !== 0;

/** Fills `decoded`. */
export const decode = (machine: Machine, cells: Halves, at: number): Int32Array => {
  machine.codec.decode(cells, at, machine.decoded);
  return machine.decoded;
};

export const isSealed = ({ codec }: Machine, decoded: Int32Array): boolean => decoded[OTYPE] !== codec.unsealed;

/** Its type is one that no authority gives or takes. */
export const hasReservedOtype = ({ codec }: Machine, decoded: Int32Array): boolean => {
  const otype = decoded[OTYPE] ?? 0;
  return otype >= codec.firstReservedOtype && otype <= codec.lastReservedOtype;
};

/** Neither kind of sealing authority: its bounds are addresses. */
export const isMemory = ({ rights }: Machine, decoded: Int32Array): boolean =>
  !permits(decoded, rights.seal | rights.unseal);

/** [lo:hi, + size) lies within the decoded bounds. */
export function inBounds(
  decoded: Int32Array,
  lo: number,
  hi: number,
  sizeLo: number,
  sizeHi: number,
  wide: boolean,
): boolean {
  const topLo = decoded[TOP_LO] ?? 0;
  const topExtra = decoded[TOP_EXTRA] ?? 0;
  if (below(lo, hi, decoded[BASE_LO] ?? 0, decoded[BASE_HI] ?? 0)) return false;
  if (!wide) return (lo >>> 0) + (sizeLo >>> 0) <= topExtra * 0x100000000 + (topLo >>> 0);
  const endLo = (lo + sizeLo) | 0;
  const endHi = addHi(lo, hi, sizeLo, sizeHi);
  // The sum has a bit more where it is less than what was added to.
  const extra = +below(endLo, endHi, lo, hi);
  return extra === topExtra ? !below(topLo, decoded[TOP_HI] ?? 0, endLo, endHi) : extra < topExtra;
}

/** Tag, seal and the right to load or store; what it decodes to is in `decoded` afterwards. The trap, or 0. */
export function authorise(machine: Machine, cells: Halves, at: number, tag: boolean, isStore: boolean): number {
  if (!tag) return TAG;
  const decoded = decode(machine, cells, at);
  if (isSealed(machine, decoded)) return SEAL;
  if (isStore) return permits(decoded, machine.rights.store) ? 0 : PERM_STORE;
  return permits(decoded, machine.rights.load) ? 0 : PERM_LOAD;
}

/** The decoded authority covers `size` bytes from an address on. The trap, or 0. */
export const boundsTrap = (machine: Machine, lo: number, hi: number, sizeLo: number, sizeHi: number): number =>
  inBounds(machine.decoded, lo, hi, sizeLo, sizeHi, machine.wide) ? 0 : BOUNDS;

/** On Morello the top eight bits of an address are flags: the upper half without them, sign-extended. */
export const plainHi = (machine: Machine, hi: number): number =>
  machine.facts.transfer === "morello" ? (hi << 8) >> 8 : hi;

/** The trap of storing the tagged capability in `other` through the authority in `decoded`, or 0: RVY has none. */
export function storedTagTrap(machine: Machine): number {
  const { decoded, other, rights, facts } = machine;
  if (facts.transfer === "rvy") return 0;
  if (!permits(decoded, rights.storeCap)) return PERM_STORE_CAP;
  return permits(other, rights.global) || permits(decoded, rights.storeLocal) ? 0 : PERM_STORE_LOCAL;
}

/** Does the tagged capability in `other` keep its tag when it is stored through the authority in `decoded`? */
export function keepsTagStored({ decoded, other, rights, facts }: Machine): boolean {
  if (facts.transfer !== "rvy") return true;
  return permits(decoded, rights.storeCap) && (permits(other, rights.global) || permits(decoded, rights.storeLocal));
}

/**
 * The rights that a tagged capability with type `otype` loses when it is loaded through an authority with Load-Capability
 * and these permissions: Morello's MutableLoad, RVY's LM and EL.
 */
export function lostByLoad(machine: Machine, permissions: number, otype: number): number {
  const { rights, facts, codec } = machine;
  if (facts.transfer === "v9") return 0;
  const sealed = otype !== codec.unsealed;
  const immutable =
    (permissions & rights.mutableLoad) !== 0 || sealed
      ? 0
      : facts.transfer === "morello"
        ? rights.store | rights.storeCap | rights.storeLocal | rights.mutableLoad
        : rights.store | rights.mutableLoad;
  if (facts.transfer === "morello" || (permissions & rights.elevateLevel) !== 0) return immutable;
  return immutable | rights.global | (sealed ? 0 : rights.elevateLevel);
}

/** Well-formed, as CBuildCap and CTestSubset ask: valid bounds, and on RVY no reserved bit. */
const isWellFormed = ({ facts }: Machine, decoded: Int32Array): boolean =>
  decoded[BOUNDS_VALID] !== 0 &&
  (facts.transfer !== "rvy" || ((decoded[RESERVED_LO] ?? 0) | (decoded[RESERVED_HI] ?? 0)) === 0);

/** a ≤ b for tops, of one bit more. */
const topNotAbove = (a: Int32Array, b: Int32Array): boolean =>
  a[TOP_EXTRA] === b[TOP_EXTRA]
    ? !below(b[TOP_LO] ?? 0, b[TOP_HI] ?? 0, a[TOP_LO] ?? 0, a[TOP_HI] ?? 0)
    : (a[TOP_EXTRA] ?? 0) < (b[TOP_EXTRA] ?? 0);

/** Base above top: only in words that nothing derives. */
export const isUpsideDown = (decoded: Int32Array): boolean =>
  decoded[TOP_EXTRA] === 0 &&
  below(decoded[TOP_LO] ?? 0, decoded[TOP_HI] ?? 0, decoded[BASE_LO] ?? 0, decoded[BASE_HI] ?? 0);

/** Bounds and permissions of `inner` are a subset of those of `outer`. */
export const isWithin = (machine: Machine, outer: Int32Array, inner: Int32Array): boolean =>
  isWellFormed(machine, outer) &&
  isWellFormed(machine, inner) &&
  !below(inner[BASE_LO] ?? 0, inner[BASE_HI] ?? 0, outer[BASE_LO] ?? 0, outer[BASE_HI] ?? 0) &&
  topNotAbove(inner, outer) &&
  ((inner[PERMISSIONS] ?? 0) & ~(outer[PERMISSIONS] ?? 0)) === 0;

/** Moves a capability as it is. */
export function copyCell(machine: Machine, from: Halves, at: number, to: Halves, place: number): void {
  for (let half = 0; half < machine.granuleHalves; half += 1) to[place + half] = from[at + half] ?? 0;
}

/** The null capability with an address. */
export function writeNull(machine: Machine, cells: Halves, at: number, lo: number, hi: number): void {
  const { granuleHalves, facts, wide } = machine;
  for (let half = 0; half < granuleHalves; half += 1) cells[at + half] = 0;
  cells[at + facts.addressAt] = lo;
  if (wide) cells[at + facts.addressAt + 1] = hi;
}

/** A sentry of what is unsealed, in place; anything else loses its tag. Answers whether the tag stays. */
export function sealEntry(machine: Machine, cells: Halves, at: number, tag: boolean): boolean {
  const sealed = isSealed(machine, decode(machine, cells, at));
  machine.codec.setOtype(cells, at, machine.codec.sentry, cells, at);
  return tag && !sealed;
}

/**
 * A new root over `size` bytes from an address on, with the rights of a mask. Where a format has no encoding for them
 * without the right to load capabilities (rvy64: code), that right is added.
 */
export function writeRoot(
  machine: Machine,
  cells: Halves,
  at: number,
  lo: number,
  hi: number,
  sizeLo: number,
  sizeHi: number,
  mask: number,
): boolean {
  const { codec, rights } = machine;
  codec.writeRoot(cells, at);
  const encodable = (codec.andPermissions(cells, at, mask, machine.scratch, 0) & EXACT) !== 0;
  codec.setAddress(cells, at, lo, hi, cells, at);
  const answer = codec.setBounds(cells, at, sizeLo, sizeHi, 0, cells, at);
  codec.andPermissions(cells, at, encodable ? mask : mask | rights.loadCap, cells, at);
  return (answer & WITHIN) !== 0;
}
