/**
 * A capability codec seen from outside: words in, words and what they mean out. The specification and the optimised
 * implementation are judged through this one interface, by the same vectors and the same properties.
 */
import type { FormatName } from "../spec/cheri/index.js";

/** A capability as bits: its two parts as they lie in memory, and its tag. */
export interface Word {
  readonly metadata: bigint;
  readonly address: bigint;
  readonly tag: boolean;
}

/** Everything that a word says. Numbers are unsigned but for `exponent`. */
export interface Decoded {
  readonly base: bigint;
  readonly top: bigint;
  /** In the format's numbering, without bits that always read as one. */
  readonly permissions: bigint;
  readonly otype: bigint;
  readonly flags: bigint;
  readonly reserved: bigint;
  readonly exponent: bigint;
  readonly internalExponent: boolean;
  readonly boundsValid: boolean;
}

/** Which check decides whether a moved address keeps the tag (CAP-3). */
export type AddressCheck = "fast" | "precise";

export interface Codec {
  readonly name: "spec" | "fast";
  readonly root: (format: FormatName) => Word;
  readonly decode: (format: FormatName, word: Word) => Decoded;
  /** A word from its fields, bounds rounded outward; `exact` where they are what was asked for. */
  readonly encode: (
    format: FormatName,
    fields: Pick<Decoded, "base" | "top" | "permissions" | "otype" | "flags"> & Pick<Word, "address" | "tag">,
  ) => Word & { readonly exact: boolean };
  readonly setBounds: (format: FormatName, word: Word, length: bigint) => Word & { readonly exact: boolean };
  readonly representable: (format: FormatName, word: Word, address: bigint) => Readonly<Record<AddressCheck, boolean>>;
  readonly setAddress: (format: FormatName, word: Word, address: bigint, check: AddressCheck) => Word;
  readonly andPermissions: (format: FormatName, word: Word, mask: bigint) => Word & { readonly encodable: boolean };
  /** Replace the object type field; no authority is asked, the tag stays. */
  readonly withOtype: (format: FormatName, word: Word, otype: bigint) => Word;
  readonly setFlags: (format: FormatName, word: Word, flags: bigint) => Word;
  /** `exact` and the tag say whether base, top and address all moved by `delta`, a signed distance. */
  readonly relocate: (
    format: FormatName,
    word: Word,
    delta: bigint,
  ) => Word & { readonly exact: boolean; readonly boundsExact: boolean };
  readonly representableLength: (format: FormatName, length: bigint) => bigint;
  readonly alignmentMask: (format: FormatName, length: bigint) => bigint;
}
