/**
 * What a codec answers to each kind of vector, in the vectors' own terms. The vectors were made with a C library; where
 * its answer is not the instruction's (the fast check everywhere, the exponent as a byte), the difference lives here.
 */
import { formats, type FormatName } from "../../spec/cheri/index.js";
import type { Codec, Decoded, Word } from "../codec.js";
import type { CodecKind, CodecRowIn } from "./schema.js";

export type Answer = Readonly<Record<string, bigint | boolean>>;

const bitsOf = (word: Word) => ({ pesbt: word.metadata, cursor: word.address });

const wordOf = (row: { readonly pesbt: bigint; readonly cursor: bigint; readonly tag: boolean }): Word => ({
  metadata: row.pesbt,
  address: row.cursor,
  tag: row.tag,
});

/** Software permissions: mask over the numbering, and the shift down to bit 0. */
const software = (format: FormatName): { readonly mask: bigint; readonly shift: bigint } => {
  const bits = formats[format].permissionBits;
  const words = [bits.user0, bits.user1, bits.user2, bits.user3].filter((bit) => bit !== undefined);
  const mask = words.reduce((all, bit) => all | bit, 0n);
  return { mask, shift: mask === 0n ? 0n : BigInt((mask & -mask).toString(2).length - 1) };
};

const permissionParts = (format: FormatName, decoded: Decoded): Answer => {
  const { mask, shift } = software(format);
  return {
    allPerms: decoded.permissions | formats[format].alwaysOnePermissions,
    perms: decoded.permissions & ~mask,
    uperms: (decoded.permissions & mask) >> shift,
    ...(formats[format].transfer === "rvy"
      ? {
          mode: decoded.flags,
          level: (decoded.permissions & (formats[format].permissionBits.global ?? 0n)) === 0n ? 0n : 1n,
        }
      : {}),
  };
};

const isSealed = (format: FormatName, otype: bigint): boolean => otype !== formats[format].otypes.unsealed;

const within = (decoded: Decoded, address: bigint): boolean => decoded.base <= address && address < decoded.top;

/** The library's set-address: the fast check in every format. */
const setAddress = (codec: Codec, format: FormatName, word: Word, address: bigint): Word =>
  codec.setAddress(format, word, address, "fast");

type Answerers = { readonly [Kind in CodecKind]: (codec: Codec, format: FormatName, row: CodecRowIn<Kind>) => Answer };

export const answers: Answerers = {
  decode: (codec, format, row) => {
    const word = wordOf(row);
    const decoded = codec.decode(format, word);
    const { addressBits, plainAddress, transfer, reservedBits } = formats[format];
    return {
      base: decoded.base,
      top: decoded.top,
      length: BigInt.asUintN(Number(addressBits) + 1, decoded.top - decoded.base),
      address: word.address,
      ...permissionParts(format, decoded),
      otype: decoded.otype,
      sealed: isSealed(format, decoded.otype),
      ...(transfer === "v9" ? { flags: decoded.flags } : {}),
      ...(format === "morello" ? { boundsAddress: plainAddress(word.address) } : {}),
      ...(reservedBits(~0n) === 0n ? {} : { reserved: decoded.reserved }),
      exponent: BigInt.asUintN(8, decoded.exponent),
      internalExponent: decoded.internalExponent,
      boundsValid: decoded.boundsValid,
    };
  },
  setbounds: (codec, format, row) => {
    const moved = setAddress(codec, format, wordOf(row), row.base);
    const result = codec.setBounds(format, moved, row.length);
    const { base, top } = codec.decode(format, result);
    return { ...bitsOf(result), base, top, tag: result.tag, exact: result.exact, tagAfterSetAddr: moved.tag };
  },
  setaddr: (codec, format, row) => {
    const word = wordOf(row);
    const { fast, precise } = codec.representable(format, word, row.newAddress);
    const result = setAddress(codec, format, word, row.newAddress);
    const { base, top } = codec.decode(format, result);
    return {
      ...bitsOf(result),
      base,
      top,
      tag: result.tag,
      representable: fast,
      representablePrecise: precise,
      inBounds: within(codec.decode(format, word), formats[format].plainAddress(row.newAddress)),
    };
  },
  crrl: (codec, format, row) => ({
    representableLength: codec.representableLength(format, row.length),
    alignmentMask: codec.alignmentMask(format, row.length),
  }),
  perms: (codec, format, row) => {
    const before = codec.decode(format, wordOf(row));
    const result = codec.andPermissions(format, wordOf(row), row.mask);
    const after = codec.decode(format, result);
    return {
      ...bitsOf(result),
      ...permissionParts(format, after),
      encodable: result.encodable,
      exact: after.permissions === (before.permissions & row.mask),
    };
  },
  seal: (codec, format, row) => {
    const result = codec.withOtype(format, wordOf(row), row.otype);
    const { base, top, otype } = codec.decode(format, result);
    const { first, last } = formats[format].otypes.reserved;
    return {
      ...bitsOf(result),
      base,
      top,
      otype,
      sealed: isSealed(format, otype),
      reserved: otype >= first && otype <= last,
    };
  },
  relocate: (codec, format, row) => {
    const word = wordOf(row);
    const delta = row.negative ? row.delta - (1n << formats[format].addressBits) : row.delta;
    const result = codec.relocate(format, word, delta);
    const { base, top } = codec.decode(format, result);
    return {
      ...bitsOf(result),
      base,
      top,
      representable: result.exact,
      boundsExact: result.boundsExact,
      sameMetadata: result.metadata === word.metadata,
      reachable: reachable(codec, format, row, delta),
    };
  },
};

/** Do instructions get there: root, set-address, set-bounds, set-address, with the tag kept and the bounds asked for? */
const reachable = (codec: Codec, format: FormatName, row: CodecRowIn<"relocate">, delta: bigint): boolean => {
  const to = (number: bigint): bigint => BigInt.asUintN(Number(formats[format].addressBits), number + delta);
  const start = setAddress(codec, format, codec.root(format), to(row.base));
  const bounded = codec.setBounds(format, start, row.top - row.base);
  const arrived = setAddress(codec, format, bounded, to(row.cursor));
  const { base, top } = codec.decode(format, arrived);
  return arrived.tag && base === to(row.base) && top - base === row.top - row.base;
};
