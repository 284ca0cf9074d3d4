/** Deriving and reading capabilities in registers (CAP-1 to CAP-4, EXEC-1). Names are ISAv9's. */
import {
  ADDRESS_HI,
  ADDRESS_LO,
  BASE_HI,
  BASE_LO,
  EXACT,
  FLAGS,
  OTYPE,
  PERMISSIONS,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
  WITHIN,
} from "./codec/types.js";
import { copyCell, decode, hasReservedOtype, isSealed, isWithin, writeNull } from "./capability.js";
import type { Handlers } from "./handler.js";
import { pccIndex, type Machine } from "./machine.js";
import { CAPABILITY, INTEGER } from "./outcome.js";
import { CD, CS1, CS2, EXTRA, N, readAddress, readInteger, registerAt } from "./program.js";
import { addHi, below, subHi } from "./words.js";

/** A register that was written, and is observed. */
export function giveCapability(machine: Machine, register: number, tag: boolean): void {
  machine.registerTags[register] = +tag;
  machine.kind = CAPABILITY;
  machine.first = register;
}

/** `cd` becomes a null-derived integer, which is observed. */
export function giveInteger(machine: Machine, code: Int32Array, at: number, lo: number, hi: number): void {
  const register = registerAt(machine, code, at + CD);
  const upper = machine.wide ? hi : 0;
  writeNull(machine, machine.registers, register * machine.granuleHalves, lo, upper);
  machine.registerTags[register] = 0;
  machine.kind = INTEGER;
  machine.first = lo;
  machine.second = upper;
}

export const tagOf = ({ registerTags }: Machine, register: number): boolean => registerTags[register] === 1;

/** Decodes a register. */
export const decoded = (machine: Machine, register: number): Int32Array =>
  decode(machine, machine.registers, register * machine.granuleHalves);

/** Decodes a second one. */
export const decodedOther = (machine: Machine, register: number): Int32Array => {
  machine.codec.decode(machine.registers, register * machine.granuleHalves, machine.other);
  return machine.other;
};

/** New bounds from the address on. */
function setBounds(machine: Machine, code: Int32Array, at: number, exactly: boolean): void {
  const { codec, registers, granuleHalves } = machine;
  const from = registerAt(machine, code, at + CS1);
  const to = registerAt(machine, code, at + CD);
  readInteger(machine, code, at + N);
  const allowed = tagOf(machine, from) && !isSealed(machine, decoded(machine, from));
  const answer = codec.setBounds(
    registers,
    from * granuleHalves,
    machine.lo,
    machine.hi,
    0,
    registers,
    to * granuleHalves,
  );
  const needed = exactly ? WITHIN | EXACT : WITHIN;
  giveCapability(machine, to, allowed && (answer & needed) === needed);
}

/** Another address, checked as precisely as the instruction does. */
export function moveTo(
  machine: Machine,
  from: number,
  to: number,
  lo: number,
  hi: number,
  precisely: boolean,
): boolean {
  const { codec, registers, granuleHalves } = machine;
  const source = from * granuleHalves;
  const upper = machine.wide ? hi : 0;
  const keeps =
    tagOf(machine, from) &&
    !isSealed(machine, decoded(machine, from)) &&
    (precisely
      ? codec.preciseRepresentable(registers, source, lo, upper)
      : codec.fastRepresentable(registers, source, lo, upper));
  codec.setAddress(registers, source, lo, upper, registers, to * granuleHalves);
  return keeps;
}

function giveMoved(machine: Machine, code: Int32Array, at: number, lo: number, hi: number, precisely: boolean): void {
  const to = registerAt(machine, code, at + CD);
  giveCapability(machine, to, moveTo(machine, registerAt(machine, code, at + CS1), to, lo, hi, precisely));
}

/** The address becomes the base and an offset. */
function setOffset(machine: Machine, code: Int32Array, at: number): void {
  const { lo, hi } = machine;
  const now = decoded(machine, registerAt(machine, code, at + CS1));
  const baseLo = now[BASE_LO] ?? 0;
  const baseHi = now[BASE_HI] ?? 0;
  giveMoved(machine, code, at, (baseLo + lo) | 0, addHi(baseLo, baseHi, lo, hi), false);
}

/** The type as CGetType tells it. */
export function readType(machine: Machine, now: Int32Array): void {
  const { signedOtypeBits } = machine.facts;
  const otype = now[OTYPE] ?? 0;
  const isExtended = signedOtypeBits > 0 && hasReservedOtype(machine, now);
  machine.lo = isExtended ? (otype << (32 - signedOtypeBits)) >> (32 - signedOtypeBits) : otype;
  machine.hi = isExtended ? -1 : 0;
}

/** Length and top saturate at the largest integer. */
function giveSaturated(machine: Machine, code: Int32Array, at: number, lo: number, hi: number, extra: number): void {
  if (extra === 0) giveInteger(machine, code, at, lo, hi);
  else giveInteger(machine, code, at, -1, -1);
}

/** Top less base in one bit more than an address has. */
function getLength(machine: Machine, code: Int32Array, at: number): void {
  const now = decoded(machine, registerAt(machine, code, at + CS1));
  const topLo = now[TOP_LO] ?? 0;
  const topHi = now[TOP_HI] ?? 0;
  const baseLo = now[BASE_LO] ?? 0;
  const baseHi = now[BASE_HI] ?? 0;
  const high = subHi(topLo, topHi, baseLo, baseHi);
  const borrow = +below(topLo, topHi, baseLo, baseHi);
  const extra = (now[TOP_EXTRA] ?? 0) ^ borrow;
  giveSaturated(machine, code, at, (topLo - baseLo) | 0, high, extra);
}

export const capabilityHandlers = {
  csetbounds: (machine, code, at) => {
    setBounds(machine, code, at, false);
  },
  csetboundsexact: (machine, code, at) => {
    setBounds(machine, code, at, true);
  },
  csetaddr: (machine, code, at) => {
    readInteger(machine, code, at + N);
    giveMoved(machine, code, at, machine.lo, machine.hi, true);
  },
  cincoffset: (machine, code, at) => {
    readInteger(machine, code, at + N);
    const { lo, hi } = machine;
    readAddress(machine, registerAt(machine, code, at + CS1));
    giveMoved(machine, code, at, (machine.lo + lo) | 0, addHi(machine.lo, machine.hi, lo, hi), false);
  },
  csetoffset: (machine, code, at) => {
    readInteger(machine, code, at + N);
    setOffset(machine, code, at);
  },
  cfromptr: (machine, code, at) => {
    readInteger(machine, code, at + N);
    if ((machine.lo | machine.hi) !== 0) {
      setOffset(machine, code, at);
      return;
    }
    const to = registerAt(machine, code, at + CD);
    writeNull(machine, machine.registers, to * machine.granuleHalves, 0, 0);
    giveCapability(machine, to, false);
  },
  csetflags: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const from = registerAt(machine, code, at + CS1);
    const to = registerAt(machine, code, at + CD);
    readInteger(machine, code, at + N);
    const keeps = tagOf(machine, from) && !isSealed(machine, decoded(machine, from));
    machine.codec.setFlags(registers, from * granuleHalves, machine.lo, registers, to * granuleHalves);
    giveCapability(machine, to, keeps);
  },
  csethigh: (machine, code, at) => {
    const { registers, granuleHalves, facts } = machine;
    const to = registerAt(machine, code, at + CD);
    readInteger(machine, code, at + N);
    const { lo, hi } = machine;
    const place = to * granuleHalves;
    copyCell(machine, registers, registerAt(machine, code, at + CS1) * granuleHalves, registers, place);
    registers[place + facts.highAt] = lo;
    if (machine.wide) registers[place + facts.highAt + 1] = hi;
    giveCapability(machine, to, false);
  },
  candperm: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const from = registerAt(machine, code, at + CS1);
    const to = registerAt(machine, code, at + CD);
    const keeps = tagOf(machine, from) && !isSealed(machine, decoded(machine, from));
    const mask = code[at + EXTRA] ?? 0;
    machine.codec.andPermissions(registers, from * granuleHalves, mask, registers, to * granuleHalves);
    giveCapability(machine, to, keeps);
  },
  ccleartag: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const to = registerAt(machine, code, at + CD);
    copyCell(machine, registers, registerAt(machine, code, at + CS1) * granuleHalves, registers, to * granuleHalves);
    giveCapability(machine, to, false);
  },
  cmove: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const from = registerAt(machine, code, at + CS1);
    const to = registerAt(machine, code, at + CD);
    const tag = tagOf(machine, from);
    copyCell(machine, registers, from * granuleHalves, registers, to * granuleHalves);
    giveCapability(machine, to, tag);
  },
  ctestsubset: (machine, code, at) => {
    const outer = registerAt(machine, code, at + CS1);
    const inner = registerAt(machine, code, at + CS2);
    const holds =
      tagOf(machine, outer) === tagOf(machine, inner) &&
      isWithin(machine, decoded(machine, outer), decodedOther(machine, inner));
    giveInteger(machine, code, at, +holds, 0);
  },
  csetequalexact: (machine, code, at) => {
    const { registers, granuleHalves } = machine;
    const one = registerAt(machine, code, at + CS1);
    const two = registerAt(machine, code, at + CS2);
    let same = tagOf(machine, one) === tagOf(machine, two);
    for (let half = 0; half < granuleHalves; half += 1) {
      if (registers[one * granuleHalves + half] !== registers[two * granuleHalves + half]) same = false;
    }
    giveInteger(machine, code, at, +same, 0);
  },
  csub: (machine, code, at) => {
    readAddress(machine, registerAt(machine, code, at + CS2));
    const { lo, hi } = machine;
    readAddress(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, (machine.lo - lo) | 0, subHi(machine.lo, machine.hi, lo, hi));
  },
  ctoptr: (machine, code, at) => {
    const from = registerAt(machine, code, at + CS1);
    const base = decoded(machine, registerAt(machine, code, at + CS2));
    const lo = base[BASE_LO] ?? 0;
    const hi = base[BASE_HI] ?? 0;
    readAddress(machine, from);
    if (tagOf(machine, from))
      giveInteger(machine, code, at, (machine.lo - lo) | 0, subHi(machine.lo, machine.hi, lo, hi));
    else giveInteger(machine, code, at, 0, 0);
  },
  crrl: (machine, code, at) => {
    readInteger(machine, code, at + N);
    machine.codec.representableLength(machine.lo, machine.hi, machine.decoded);
    giveInteger(machine, code, at, machine.decoded[0] ?? 0, machine.decoded[1] ?? 0);
  },
  cram: (machine, code, at) => {
    readInteger(machine, code, at + N);
    machine.codec.alignmentMask(machine.lo, machine.hi, machine.decoded);
    giveInteger(machine, code, at, machine.decoded[0] ?? 0, machine.decoded[1] ?? 0);
  },
  cgetperm: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, (now[PERMISSIONS] ?? 0) | machine.codec.alwaysOnePermissions, 0);
  },
  cgettype: (machine, code, at) => {
    readType(machine, decoded(machine, registerAt(machine, code, at + CS1)));
    giveInteger(machine, code, at, machine.lo, machine.hi);
  },
  cgetbase: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, now[BASE_LO] ?? 0, now[BASE_HI] ?? 0);
  },
  cgetlen: getLength,
  cgettop: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    giveSaturated(machine, code, at, now[TOP_LO] ?? 0, now[TOP_HI] ?? 0, now[TOP_EXTRA] ?? 0);
  },
  cgettag: (machine, code, at) => {
    giveInteger(machine, code, at, machine.registerTags[registerAt(machine, code, at + CS1)] ?? 0, 0);
  },
  cgetsealed: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, +isSealed(machine, now), 0);
  },
  cgetoffset: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    const lo = now[ADDRESS_LO] ?? 0;
    const hi = now[ADDRESS_HI] ?? 0;
    const baseLo = now[BASE_LO] ?? 0;
    const baseHi = now[BASE_HI] ?? 0;
    giveInteger(machine, code, at, (lo - baseLo) | 0, subHi(lo, hi, baseLo, baseHi));
  },
  cgetflags: (machine, code, at) => {
    const now = decoded(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, now[FLAGS] ?? 0, 0);
  },
  cgetaddr: (machine, code, at) => {
    readAddress(machine, registerAt(machine, code, at + CS1));
    giveInteger(machine, code, at, machine.lo, machine.hi);
  },
  cgethigh: (machine, code, at) => {
    const { registers, granuleHalves, facts } = machine;
    const place = registerAt(machine, code, at + CS1) * granuleHalves + facts.highAt;
    giveInteger(machine, code, at, registers[place] ?? 0, machine.wide ? (registers[place + 1] ?? 0) : 0);
  },
  li: (machine, code, at) => {
    readInteger(machine, code, at + N);
    giveInteger(machine, code, at, machine.lo, machine.hi);
  },
  cgetpcc: (machine, code, at) => {
    const { registers, granuleHalves, thread } = machine;
    const to = registerAt(machine, code, at + CD);
    const pcc = thread.registers + pccIndex;
    copyCell(machine, registers, pcc * granuleHalves, registers, to * granuleHalves);
    giveCapability(machine, to, tagOf(machine, pcc));
  },
} satisfies Partial<Handlers>;
