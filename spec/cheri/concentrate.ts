/**
 * CHERI Concentrate: bounds as two mantissas B and T and an exponent E, relative to the address (CAP-1).
 *
 * The five compressed formats differ in widths and in a few rules; `BoundsEncoding` holds all of the difference.
 * N is the width of an address and MW the width of a mantissa. T is stored without its top two bits. An exponent that
 * is not zero takes the low L bits of both mantissas ("internal exponent").
 *
 * @source Woodruff et al., CHERI Concentrate, IEEE ToC 2019; CHERI ISAv9 §3.5.4; sail-cheri-riscv
 *   cheri_cap_common.sail; Arm DDI0606 (CapGetBounds, CapSetBounds); RISC-V CHERI, "Capability Bounds"
 */
import { ceilShift, deposit, extract, mostSignificantBit, ones, signed, truncate, type Field } from "./bits.js";
import type { Bounds, Encoded } from "./capability.js";

/** The mantissas and the exponent of a word. */
export interface Mantissas {
  readonly B: bigint;
  readonly T: bigint;
  readonly exponent: bigint;
  readonly internalExponent: boolean;
}

export interface BoundsEncoding {
  /** N */
  readonly addressBits: bigint;
  /** MW */
  readonly mantissa: bigint;
  /** L: low bits of each mantissa that an internal exponent takes. */
  readonly lowBits: bigint;
  /** The largest exponent that any length needs. */
  readonly maxExponent: bigint;
  /** Lengths from here on have an internal exponent. */
  readonly internalFrom: bigint;
  /** The bit that tells an internal exponent, and its value for one. */
  readonly internalFlag: { readonly field: Field; readonly value: bigint };
  /** Where B lies; T, without its top two bits, lies directly above. */
  readonly B: Field;
  readonly T: Field;
  /** RVY with 32-bit addresses: the length's top bit, or the exponent's when that is internal. */
  readonly lengthBit: Field | undefined;
  readonly storeExponent: (exponent: bigint) => bigint;
  readonly loadExponent: (stored: bigint) => bigint;
  /** The bounds are relative to the window of 2^(E+MW) bytes that begins `below` units under B's top `bits` bits. */
  readonly window: { readonly bits: bigint; readonly below: bigint };
  /** Words whose bounds do not follow from the mantissas, and what they say instead. */
  readonly exception: (mantissas: Mantissas) => Pick<Bounds, "base" | "top" | "valid"> | undefined;
  /** Adding to an address asks the fast check; RVY has only the full one. */
  readonly hasFastCheck: boolean;
  /** The address that the bounds are relative to. */
  readonly plainAddress: (address: bigint) => bigint;
}

/** Width of the exponent's part that is stored in the mantissas: L bits in each. */
const exponentField = (e: BoundsEncoding): Field => ({ low: 0n, mask: ones(e.lowBits) });

/**
 * Take the mantissas and the exponent out of a raw word; T's top two bits are inferred.
 * @rule CAP-1 mantissas @source CHERI Concentrate, decoding of T
 */
export const unpack = (e: BoundsEncoding, raw: bigint): Mantissas => {
  const low = exponentField(e);
  const internalExponent = extract(e.internalFlag.field, raw) === e.internalFlag.value;
  const storedB = extract(e.B, raw);
  const storedT = extract(e.T, raw);
  const lengthBit = e.lengthBit === undefined ? 0n : extract(e.lengthBit, raw);
  // 1. The exponent's high part lies in T, its low part in B; both read as zero in the mantissas.
  const stored = (lengthBit << (2n * e.lowBits)) | (extract(low, storedT) << e.lowBits) | extract(low, storedB);
  const B = internalExponent ? deposit(low, storedB, 0n) : storedB;
  const T = internalExponent ? deposit(low, storedT, 0n) : storedT;
  // 2. T = B + length: the top bits of the length are known, and T's low bits below B's tell of a carry.
  const lengthTop = internalExponent ? 1n : lengthBit;
  const carry = T < truncate(e.mantissa - 2n, B) ? 1n : 0n;
  const topBits = truncate(2n, (B >> (e.mantissa - 2n)) + lengthTop + carry);
  return {
    B,
    T: (topBits << (e.mantissa - 2n)) | T,
    exponent: internalExponent ? e.loadExponent(stored) : 0n,
    internalExponent,
  };
};

/** Put mantissas and exponent into a raw word. */
const pack = (e: BoundsEncoding, raw: bigint, m: Mantissas): bigint => {
  const low = exponentField(e);
  const stored = e.storeExponent(m.exponent);
  const B = m.internalExponent ? deposit(low, m.B, stored) : m.B;
  const T = m.internalExponent ? deposit(low, m.T, stored >> e.lowBits) : m.T;
  const flag = m.internalExponent ? e.internalFlag.value : 1n - e.internalFlag.value;
  const word = deposit(e.internalFlag.field, deposit(e.T, deposit(e.B, raw, B), T), flag);
  if (e.lengthBit === undefined) return word;
  const lengthTop = truncate(e.mantissa, m.T - m.B) >> (e.mantissa - 2n);
  return deposit(e.lengthBit, word, m.internalExponent ? stored >> (2n * e.lowBits) : lengthTop);
};

/**
 * The bounds that a raw word says at an address; total on all words and addresses.
 * @rule CAP-1 bounds @source CHERI Concentrate, decoding; CHERI ISAv9 §3.5.4; sail getCapBoundsBits, CapGetBounds
 */
export const decodeBounds = (e: BoundsEncoding, raw: bigint, address: bigint): Bounds => {
  const m = unpack(e, raw);
  const { exponent, internalExponent } = m;
  const exception = e.exception(m);
  if (exception !== undefined) return { exponent, internalExponent, ...exception };
  // 1. An exponent that is larger than any length needs is read as the largest one.
  const E = exponent < e.maxExponent ? exponent : e.maxExponent;
  const a = e.plainAddress(address);
  // 2. The address, B and T by their top bits: do they lie in the upper part of the window, past a wrap of the mantissa?
  const drop = e.mantissa - e.window.bits;
  const R = truncate(e.window.bits, (m.B >> drop) - e.window.below);
  const aHigh = truncate(e.window.bits, a >> (E + drop)) < R ? 1n : 0n;
  const bHigh = m.B >> drop < R ? 1n : 0n;
  const tHigh = m.T >> drop < R ? 1n : 0n;
  // 3. Base and top get the address's upper bits, corrected by one where they lie on the other side of the wrap.
  const upper = a >> (E + e.mantissa);
  const place = (correction: bigint, mantissa: bigint): bigint =>
    truncate(e.addressBits + 1n, (((upper + correction) << e.mantissa) + mantissa) << E);
  const base = truncate(e.addressBits, place(bHigh - aHigh, m.B));
  const top = place(tHigh - aHigh, m.T);
  // 4. Top has one bit more than an address: where the window wraps around the address space that bit is wrong if the
  //    two would lie more than one address space apart.
  const apart = truncate(2n, (top >> (e.addressBits - 1n)) - (base >> (e.addressBits - 1n)));
  const wrong = E < e.maxExponent - 1n && apart > 1n;
  return { exponent, internalExponent, base, top: wrong ? top ^ (1n << e.addressBits) : top, valid: true };
};

/**
 * The raw word with the tightest bounds around `[base, top)`: the least exponent that fits, base rounded down and top
 * rounded up to its units.
 * @rule CAP-2 rounding @source CHERI Concentrate, encoding; sail setCapBounds; Arm DDI0606 CapSetBounds
 */
export const encodeBounds = (e: BoundsEncoding, raw: bigint, base: bigint, top: bigint): Encoded => {
  const length = top - base;
  const mantissa = (units: bigint): bigint => truncate(e.mantissa, units);
  // 1. Short lengths need no exponent and are always exact.
  if (length < e.internalFrom) {
    const m = { B: mantissa(base), T: mantissa(top), exponent: 0n, internalExponent: false };
    return { metadata: pack(e, raw, m), exact: true };
  }
  // 2. The exponent puts the length's most significant bit second from the top of the mantissa.
  const position = mostSignificantBit(length) - (e.mantissa - 2n);
  const least = position > 0n ? position : 0n;
  // 3. Rounding outward to units of 2^(E+L) may lengthen it into the top bit: then the next exponent is needed.
  const units = (shift: bigint): bigint => ceilShift(top, shift) - (base >> shift);
  const grown = units(least + e.lowBits) >> (e.mantissa - e.lowBits - 1n) !== 0n;
  const exponent = grown ? least + 1n : least;
  const shift = exponent + e.lowBits;
  const m = {
    B: mantissa((base >> shift) << e.lowBits),
    T: mantissa(ceilShift(top, shift) << e.lowBits),
    exponent,
    internalExponent: true,
  };
  return { metadata: pack(e, raw, m), exact: truncate(shift, base | top) === 0n };
};

/**
 * Would moving the address keep the bounds? Decided from the distance and one mantissa instead of by decoding again.
 * Its deliberate false negatives lie within the lowest and the highest 2^E bytes of the window.
 * @rule CAP-3 fast-check @source CHERI ISAv9 §3.5.4 (fast representable limit checking); sail fastRepCheck; Arm DDI0606 CapIsRepresentableFast
 */
export const fastCheck = (e: BoundsEncoding, raw: bigint, from: bigint, to: bigint): boolean => {
  if (!e.hasFastCheck) return sameBounds(decodeBounds(e, raw, from), decodeBounds(e, raw, to));
  const { B, exponent } = unpack(e, raw);
  // 1. The window of the largest exponents is the whole address space.
  if (exponent >= e.maxExponent - 2n) return true;
  const increment = signed(e.addressBits, e.plainAddress(truncate(e.addressBits, to - from)));
  const upper = increment >> (exponent + e.mantissa);
  const middle = truncate(e.mantissa, increment >> exponent);
  const position = truncate(e.mantissa, e.plainAddress(from) >> exponent);
  // 2. From the address to the end of the window, in units of 2^E.
  const R = truncate(e.mantissa, ((B >> (e.mantissa - 3n)) - 1n) << (e.mantissa - 3n));
  const room = truncate(e.mantissa, R - position);
  // 3. An increment shorter than the window has upper bits 0 (forwards) or -1 (backwards).
  if (upper === 0n) return middle < truncate(e.mantissa, room - 1n);
  if (upper === -1n) return middle >= room && position !== R;
  return false;
};

/** The bits of an address that a base must leave zero for bounds of `length` to be exact, as a mask of ones. */
export const alignmentMask = (e: BoundsEncoding, length: bigint): bigint => {
  const m = unpack(e, encodeBounds(e, 0n, 0n, length).metadata);
  const zeros = m.internalExponent ? m.exponent + e.lowBits : 0n;
  return truncate(e.addressBits, ~ones(zeros));
};

/**
 * The distance by whose multiples every capability no longer than `length` relocates exactly, wherever its address lies:
 * the unit of its bounds, and the step in which the window moves.
 * @rule FORK-6 alignment @source tests/vectors/README.md, "Relocation"
 */
export const relocationAlignment = (e: BoundsEncoding, length: bigint): bigint => {
  const m = unpack(e, encodeBounds(e, 0n, 0n, length).metadata);
  const unit = m.internalExponent ? e.lowBits : 0n;
  const windowStep = e.mantissa - e.window.bits;
  return 1n << (m.exponent + (unit > windowStep ? unit : windowStep));
};

/** Are two decodings valid and the same? */
export const sameBounds = (a: Bounds, b: Bounds): boolean => a.valid && b.valid && a.base === b.base && a.top === b.top;
