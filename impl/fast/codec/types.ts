/**
 * The shape of a capability codec over 32-bit halves: what every format offers, and the names of its results.
 * Rules CAP-1 to CAP-5 and CAP-8; the sources are named with each format.
 *
 * A capability is its granule as it lies in memory, in little-endian 32-bit halves at an index of an `Int32Array`
 * (counted in halves). Its tag is kept elsewhere. Nothing here allocates, and no operation looks at a tag:
 * an operation answers what the bits say, and the caller clears the tag where the answer says so.
 *
 * Domain: every bit pattern. Halves are int32 or uint32 numbers; what comes out is int32 (`>>> 0` where its sign matters).
 * Ownership: all arrays belong to the caller. `m` and `dst` may be the same array at the same index.
 */

/** The concrete encodings. */
export type FormatName = "cheri128-v9" | "cheri64-v9" | "morello" | "rvy128" | "rvy64" | "uncompressed256";

/**
 * Halves of memory or of a result. One element type, so that every access site sees one kind of array;
 * memory held as `Uint32Array` is passed as an `Int32Array` over the same buffer.
 */
export type Halves = Int32Array;

// Slots of a decoded capability. `decodeBounds` fills the first block, `decode` all of them.

/** Base; the upper half is 0 where addresses have 32 bits. */
export const BASE_LO = 0;
export const BASE_HI = 1;
/** Top, below its bit 2^(address bits). */
export const TOP_LO = 2;
export const TOP_HI = 3;
/** Bit 2^(address bits) of the top. */
export const TOP_EXTRA = 4;
/** 0 where the bounds are malformed. */
export const BOUNDS_VALID = 5;

export const ADDRESS_LO = 6;
export const ADDRESS_HI = 7;
/** All permissions in the numbering of the format, without the bits that always read as one. */
export const PERMISSIONS = 8;
export const OTYPE = 9;
/** ISAv9: 1 in capability mode. RVY: 1 in integer mode. Morello: the top 8 bits of the address. */
export const FLAGS = 10;
/** As encoded: neither clamped nor wrapped, so it may exceed the largest useful one, or be negative. */
export const EXPONENT = 11;
/** 1 where the exponent is held inside the bounds fields. */
export const INTERNAL_EXPONENT = 12;
/** Reserved bits that are set, in the place where they stand (in word 0 of `uncompressed256`, else in the metadata). */
export const RESERVED_LO = 13;
export const RESERVED_HI = 14;

/** Length of the array that `decode` and `decodeBounds` write to. */
export const DECODED_SIZE = 16;

// Flags of an answer.

/** The result is what was asked for, not rounded (set-bounds) and not legalised (and-permissions). */
export const EXACT = 1;
/** A tagged and unsealed parent keeps its tag. */
export const WITHIN = 2;
/** The set of permissions has an encoding. */
export const ENCODABLE = 4;
/** Moved base, moved top and moved address all decode back. */
export const REPRESENTABLE = 8;
/** The moved bounds encode without rounding, wherever the address lies. */
export const BOUNDS_EXACT = 16;
/** Nothing but the address changed. */
export const SAME_METADATA = 32;

export interface FastCodec {
  readonly format: FormatName;
  readonly addressBits: 32 | 64;
  /** Size of a granule in halves. */
  readonly granuleHalves: 2 | 4 | 8;
  /** Permission bits that read as one in every capability; `PERMISSIONS` leaves them out. */
  readonly alwaysOnePermissions: number;
  readonly unsealed: number;
  readonly sentry: number;
  /** First and last of the otypes with a meaning of their own or set aside for one, `unsealed` among them. */
  readonly firstReservedOtype: number;
  readonly lastReservedOtype: number;

  /** Writes the capability that all others derive from: every permission, the whole address space, address 0. */
  readonly writeRoot: (dst: Halves, j: number) => void;

  /** Everything that the word says. */
  readonly decode: (m: Halves, i: number, out: Halves) => void;

  /** Bounds alone. */
  readonly decodeBounds: (m: Halves, i: number, out: Halves) => void;

  /**
   * New bounds of the given length from the address on, rounded outward; all other fields stay.
   * Answers `EXACT` and `WITHIN`. `lengthExtra` is the length's bit 2^(address bits): 0 for every instruction, 1 only
   * with the rest 0.
   */
  readonly setBounds: (
    m: Halves,
    i: number,
    lengthLo: number,
    lengthHi: number,
    lengthExtra: number,
    dst: Halves,
    j: number,
  ) => number;

  /**
   * Bounds [base, top), rounded outward; address and all other fields stay. No authority is asked.
   * Answers `EXACT`: rounding was not needed. Where the address lies does not matter to that.
   * Domain: base <= top <= 2^(address bits); otherwise the result is a word of the format, and not exact.
   */
  readonly encodeBounds: (
    m: Halves,
    i: number,
    baseLo: number,
    baseHi: number,
    topLo: number,
    topHi: number,
    topExtra: number,
    dst: Halves,
    j: number,
  ) => number;

  /** What hardware asks of a new address: in bounds, or the fast check. RVY: the full check. */
  readonly fastRepresentable: (m: Halves, i: number, newLo: number, newHi: number) => boolean;

  /** In bounds, or the bounds decode the same with the new address. */
  readonly preciseRepresentable: (m: Halves, i: number, newLo: number, newHi: number) => boolean;

  /** Another address, the same metadata, and so perhaps other bounds. */
  readonly setAddress: (m: Halves, i: number, newLo: number, newHi: number, dst: Halves, j: number) => void;

  /** Intersects the permissions with a mask in the numbering of `PERMISSIONS`. Answers `ENCODABLE` and `EXACT`. */
  readonly andPermissions: (m: Halves, i: number, mask: number, dst: Halves, j: number) => number;

  /** Puts an otype in its field; neither authority nor reserved values are looked at. */
  readonly setOtype: (m: Halves, i: number, otype: number, dst: Halves, j: number) => void;

  /** Sets what `FLAGS` shows; RVY: the mode, only where execute permission is held. */
  readonly setFlags: (m: Halves, i: number, flags: number, dst: Halves, j: number) => void;

  /**
   * Moves base, top and address by a distance, given modulo 2^(address bits) and, where `negative`, less that.
   * Bounds that do not encode are rounded outward. Answers `REPRESENTABLE`, `BOUNDS_EXACT` and `SAME_METADATA`.
   * Bounds that are malformed or would leave the address space are not encoded: only the address moves, and the answer
   * has neither of the first two.
   */
  readonly relocate: (
    m: Halves,
    i: number,
    deltaLo: number,
    deltaHi: number,
    negative: boolean,
    dst: Halves,
    j: number,
  ) => number;

  /** The least representable length not below the given one, modulo 2^(address bits), into `out[0]` and `out[1]`. */
  readonly representableLength: (lengthLo: number, lengthHi: number, out: Halves) => void;

  /** The mask that aligns a base for a capability of the given length, into `out[0]` and `out[1]`. */
  readonly alignmentMask: (lengthLo: number, lengthHi: number, out: Halves) => void;
}
