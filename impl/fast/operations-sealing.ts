/** Sealing, building from bits, and jumps (CAP-5). Names are ISAv9's. */
import {
  ADDRESS_HI,
  ADDRESS_LO,
  BASE_HI,
  BASE_LO,
  FLAGS,
  OTYPE,
  PERMISSIONS,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
} from "./codec/types.js";
import {
  copyCell,
  hasReservedOtype,
  inBounds,
  isSealed,
  isUpsideDown,
  isWithin,
  permits,
  plainHi,
  sealEntry,
} from "./capability.js";
import type { Handlers } from "./handler.js";
import { pccIndex, type Machine } from "./machine.js";
import { decoded, decodedOther, giveCapability, moveTo, readType, tagOf } from "./operations-capability.js";
import { ALIGN, BOUNDS, PERM_CINVOKE, PERM_EXECUTE, SEAL, TAG, trap, TYPE } from "./outcome.js";
import { distanceOf, jumpTrap, locate } from "./pages.js";
import { CD, CS1, CS2, readAddress, registerAt } from "./program.js";
import { addHi } from "./words.js";

/** The number of a type that authority can give. Domain: an address of the machine. */
const isOrdinary = ({ facts, codec }: Machine, lo: number, hi: number): boolean => {
  const number = lo >>> 0;
  const reserved = number >= codec.firstReservedOtype && number <= codec.lastReservedOtype;
  return hi === 0 && number <= facts.largestOtype && !reserved;
};

/** The decoded authority's address is a type in its bounds, and it is not sealed. Its address is in `lo` and `hi`. */
const mayUse = (machine: Machine, authority: number, right: number): boolean => {
  const now = decoded(machine, authority);
  readAddress(machine, authority);
  return (
    tagOf(machine, authority) &&
    !isSealed(machine, now) &&
    permits(now, right) &&
    inBounds(now, machine.lo, machine.hi, 1, 0, machine.wide)
  );
};

function seal(machine: Machine, code: Int32Array, at: number): void {
  const { codec, registers, granuleHalves } = machine;
  const from = registerAt(machine, code, at + CS1);
  const to = registerAt(machine, code, at + CD);
  const keeps =
    mayUse(machine, registerAt(machine, code, at + CS2), machine.rights.seal) &&
    isOrdinary(machine, machine.lo, machine.hi) &&
    tagOf(machine, from) &&
    !isSealed(machine, decoded(machine, from));
  codec.setOtype(registers, from * granuleHalves, machine.lo, registers, to * granuleHalves);
  giveCapability(machine, to, keeps);
}

/** As it is, where the authority is not meant for it. */
function conditionalSeal(machine: Machine, code: Int32Array, at: number): void {
  const { registers, granuleHalves } = machine;
  const from = registerAt(machine, code, at + CS1);
  const authority = registerAt(machine, code, at + CS2);
  const to = registerAt(machine, code, at + CD);
  const isOpen = !isSealed(machine, decoded(machine, from));
  const now = decoded(machine, authority);
  readAddress(machine, authority);
  const isUnsealed = machine.lo === -1 && (!machine.wide || machine.hi === -1);
  const isMeant =
    tagOf(machine, authority) && isOpen && !isUnsealed && inBounds(now, machine.lo, machine.hi, 1, 0, machine.wide);
  if (isMeant) {
    seal(machine, code, at);
    return;
  }
  const tag = tagOf(machine, from);
  copyCell(machine, registers, from * granuleHalves, registers, to * granuleHalves);
  giveCapability(machine, to, tag);
}

/** Global stays only where both have it. */
function unseal(machine: Machine, code: Int32Array, at: number): void {
  const { codec, registers, granuleHalves, rights } = machine;
  const from = registerAt(machine, code, at + CS1);
  const authority = registerAt(machine, code, at + CS2);
  const to = registerAt(machine, code, at + CD);
  const may = mayUse(machine, authority, rights.unseal);
  const isGlobal = permits(machine.decoded, rights.global);
  const now = decoded(machine, from);
  const fits = !hasReservedOtype(machine, now) && machine.hi === 0 && now[OTYPE] === machine.lo;
  const keeps = may && fits && tagOf(machine, from);
  const place = to * granuleHalves;
  codec.setOtype(registers, from * granuleHalves, codec.unsealed, registers, place);
  codec.andPermissions(registers, place, isGlobal ? -1 : ~rights.global, registers, place);
  giveCapability(machine, to, keeps);
}

/** The type of a sealed one as an address; -1 for an unsealed one. */
function copyType(machine: Machine, code: Int32Array, at: number): void {
  const typed = decoded(machine, registerAt(machine, code, at + CS2));
  const isReserved = hasReservedOtype(machine, typed);
  const sealed = isSealed(machine, typed);
  if (sealed) readType(machine, typed);
  const lo = sealed ? machine.lo : -1;
  const hi = sealed ? machine.hi : -1;
  const to = registerAt(machine, code, at + CD);
  const keeps = moveTo(machine, registerAt(machine, code, at + CS1), to, lo, hi, true);
  giveCapability(machine, to, keeps && !isReserved);
}

/** Bits get a tag if the authority could have derived these very bits. */
function buildCap(machine: Machine, code: Int32Array, at: number): void {
  const { codec, registers, granuleHalves, scratch } = machine;
  const authority = registerAt(machine, code, at + CS1);
  const from = registerAt(machine, code, at + CS2);
  const to = registerAt(machine, code, at + CD);
  const outer = decoded(machine, authority);
  const allowed = tagOf(machine, authority) && !isSealed(machine, outer);
  // 1. A sentry stays one, any other type becomes unsealed; all within the authority.
  const requested = decodedOther(machine, from);
  const otype = requested[OTYPE] === codec.sentry ? codec.sentry : codec.unsealed;
  const place = to * granuleHalves;
  const isSubset = isWithin(machine, outer, requested) && !isUpsideDown(requested);
  codec.setOtype(registers, from * granuleHalves, otype, registers, place);
  // 2. The same from the root on, field by field.
  const wanted = decodedOther(machine, to);
  codec.writeRoot(scratch, 0);
  codec.setAddress(scratch, 0, wanted[ADDRESS_LO] ?? 0, wanted[ADDRESS_HI] ?? 0, scratch, 0);
  codec.encodeBounds(
    scratch,
    0,
    wanted[BASE_LO] ?? 0,
    wanted[BASE_HI] ?? 0,
    wanted[TOP_LO] ?? 0,
    wanted[TOP_HI] ?? 0,
    wanted[TOP_EXTRA] ?? 0,
    scratch,
    0,
  );
  codec.setFlags(scratch, 0, wanted[FLAGS] ?? 0, scratch, 0);
  codec.andPermissions(scratch, 0, wanted[PERMISSIONS] ?? 0, scratch, 0);
  codec.setOtype(scratch, 0, otype, scratch, 0);
  let isDerivable = true;
  for (let half = 0; half < granuleHalves; half += 1) {
    if (scratch[half] !== registers[place + half]) isDerivable = false;
  }
  giveCapability(machine, to, allowed && isSubset && isDerivable);
}

/** A jump goes to a page that may be executed; a fetch never resolves. The address, in `lo` and `hi`, loses bit 0. */
function jumpCause(machine: Machine, target: number): number {
  readAddress(machine, target);
  machine.lo &= ~1;
  if ((machine.lo & 3) !== 0) return ALIGN;
  const high = plainHi(machine, machine.hi);
  if (!inBounds(decoded(machine, target), machine.lo, high, 4, 0, machine.wide)) return BOUNDS;
  locate(machine, distanceOf(machine, machine.lo, high));
  return jumpTrap(machine, machine.entry);
}

/** `pcc` becomes a register's capability, unsealed, at the address in `lo` and `hi`. */
function jump(machine: Machine, target: number): void {
  const { codec, registers, granuleHalves, thread } = machine;
  const pcc = thread.registers + pccIndex;
  const place = pcc * granuleHalves;
  codec.setOtype(registers, target * granuleHalves, codec.unsealed, registers, place);
  codec.setAddress(registers, place, machine.lo, machine.hi, registers, place);
  machine.registerTags[pcc] = 1;
}

function jumpAndLink(machine: Machine, code: Int32Array, at: number): void {
  const { codec, registers, registerTags, granuleHalves, thread, scratch } = machine;
  const target = registerAt(machine, code, at + CS1);
  const to = registerAt(machine, code, at + CD);
  const now = decoded(machine, target);
  const otype = now[OTYPE] ?? 0;
  const cause = !tagOf(machine, target)
    ? TAG
    : otype !== codec.unsealed && otype !== codec.sentry
      ? SEAL
      : !permits(now, machine.rights.execute)
        ? PERM_EXECUTE
        : jumpCause(machine, target);
  if (cause !== 0) {
    trap(machine, cause, 1);
    return;
  }
  // The link is the old pcc's next instruction: it is made before the jump, and put in place behind it.
  const pcc = thread.registers + pccIndex;
  const { lo, hi } = machine;
  readAddress(machine, pcc);
  const nextHi = machine.wide ? addHi(machine.lo, machine.hi, 4, 0) : 0;
  const nextLo = (machine.lo + 4) | 0;
  const isOpen = registerTags[pcc] === 1 && !isSealed(machine, decoded(machine, pcc));
  const keeps = isOpen && codec.preciseRepresentable(registers, pcc * granuleHalves, nextLo, nextHi);
  codec.setAddress(registers, pcc * granuleHalves, nextLo, nextHi, scratch, 0);
  const tag = sealEntry(machine, scratch, 0, keeps);
  machine.lo = lo;
  machine.hi = hi;
  jump(machine, target);
  copyCell(machine, scratch, 0, registers, to * granuleHalves);
  giveCapability(machine, to, tag);
}

/** The register that gets the data capability. */
const invoked = 15;

/** Operands as an answer tells them, beside the cause. */
const OF_CS1 = 0;
const OF_CS2 = 32;

function invokeCause(machine: Machine, codeRegister: number, dataRegister: number): number {
  const { rights } = machine;
  const data = decodedOther(machine, dataRegister);
  const now = decoded(machine, codeRegister);
  if (!tagOf(machine, codeRegister)) return TAG | OF_CS1;
  if (!tagOf(machine, dataRegister)) return TAG | OF_CS2;
  if (hasReservedOtype(machine, now)) return SEAL | OF_CS1;
  if (hasReservedOtype(machine, data)) return SEAL | OF_CS2;
  if (now[OTYPE] !== data[OTYPE]) return TYPE | OF_CS1;
  if (!permits(now, rights.invoke)) return PERM_CINVOKE | OF_CS1;
  if (!permits(data, rights.invoke)) return PERM_CINVOKE | OF_CS2;
  if (!permits(now, rights.execute)) return PERM_EXECUTE | OF_CS1;
  if (permits(data, rights.execute)) return PERM_EXECUTE | OF_CS2;
  return jumpCause(machine, codeRegister) | OF_CS1;
}

export const sealingHandlers = {
  cseal: seal,
  cunseal: unseal,
  ccseal: conditionalSeal,
  ccopytype: copyType,
  cbuildcap: buildCap,
  csealentry: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const from = registerAt(machine, code, at + CS1);
    const to = registerAt(machine, code, at + CD);
    const tag = tagOf(machine, from);
    copyCell(machine, registers, from * granuleHalves, registers, to * granuleHalves);
    giveCapability(machine, to, sealEntry(machine, registers, to * granuleHalves, tag));
  },
  cjalr: jumpAndLink,
  cinvoke: (machine, code, at) => {
    const { registers, granuleHalves, codec } = machine;
    const target = registerAt(machine, code, at + CS1);
    const data = registerAt(machine, code, at + CS2);
    const answer = invokeCause(machine, target, data);
    if (answer !== 0) {
      trap(machine, answer % OF_CS2, answer >= OF_CS2 ? 2 : 1);
      return;
    }
    jump(machine, target);
    const to = machine.thread.registers + invoked;
    codec.setOtype(registers, data * granuleHalves, codec.unsealed, registers, to * granuleHalves);
    giveCapability(machine, to, true);
  },
} satisfies Partial<Handlers>;
