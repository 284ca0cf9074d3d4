/** The optimised codec behind the codec interface: words in and out of 32-bit halves. */
import { codecs } from "../impl/fast/codec/index.js";
import {
  BASE_LO,
  BOUNDS_EXACT,
  BOUNDS_VALID,
  DECODED_SIZE,
  ENCODABLE,
  EXACT,
  EXPONENT,
  FLAGS,
  INTERNAL_EXPONENT,
  OTYPE,
  PERMISSIONS,
  REPRESENTABLE,
  RESERVED_HI,
  RESERVED_LO,
  TOP_EXTRA,
  TOP_HI,
  TOP_LO,
  WITHIN,
  type FastCodec,
} from "../impl/fast/codec/types.js";
import type { FormatName } from "../spec/cheri/index.js";
import type { Codec, Decoded, Word } from "./codec.js";

const half = (value: bigint, index: number): number => Number(BigInt.asIntN(32, value >> BigInt(32 * index)));

const number = (halves: Int32Array, index: number): bigint => BigInt((halves[index] ?? 0) >>> 0);

const pair = (halves: Int32Array, index: number): bigint => number(halves, index) | (number(halves, index + 1) << 32n);

/** Where the parts of a word lie in its granule: index of the half, and which half of which part. */
const layouts: Readonly<Record<FastCodec["granuleHalves"], readonly (readonly ["address" | "metadata", number])[]>> = {
  2: [
    ["address", 0],
    ["metadata", 0],
  ],
  4: [
    ["address", 0],
    ["address", 1],
    ["metadata", 0],
    ["metadata", 1],
  ],
  8: [
    ["metadata", 0],
    ["metadata", 1],
    ["address", 0],
    ["address", 1],
    ["metadata", 2],
    ["metadata", 3],
    ["metadata", 4],
    ["metadata", 5],
  ],
};

const memory = (codec: FastCodec, word: Pick<Word, "metadata" | "address">): Int32Array =>
  Int32Array.from(layouts[codec.granuleHalves], ([part, index]) => half(word[part], index));

const wordIn = (codec: FastCodec, halves: Int32Array, tag: boolean): Word =>
  layouts[codec.granuleHalves].reduce<Word>(
    (word, [part, index], at) => ({ ...word, [part]: word[part] | (number(halves, at) << BigInt(32 * index)) }),
    { metadata: 0n, address: 0n, tag },
  );

const decode = (codec: FastCodec, word: Word): Decoded => {
  const out = new Int32Array(DECODED_SIZE);
  codec.decode(memory(codec, word), 0, out);
  return {
    base: pair(out, BASE_LO),
    top: number(out, TOP_LO) | (number(out, TOP_HI) << 32n) | (number(out, TOP_EXTRA) << BigInt(codec.addressBits)),
    permissions: number(out, PERMISSIONS),
    otype: number(out, OTYPE),
    flags: number(out, FLAGS),
    reserved: number(out, RESERVED_LO) | (number(out, RESERVED_HI) << 32n),
    exponent: BigInt(out[EXPONENT] ?? 0),
    internalExponent: out[INTERNAL_EXPONENT] === 1,
    boundsValid: out[BOUNDS_VALID] === 1,
  };
};

/** Apply an operation that writes its result; it may be tagged only where the parent is. */
const derive = (
  codec: FastCodec,
  word: Word,
  operation: (from: Int32Array, to: Int32Array) => number,
): { readonly word: Word; readonly answer: number } => {
  const from = memory(codec, word);
  const to = new Int32Array(codec.granuleHalves);
  const answer = operation(from, to);
  return { word: wordIn(codec, to, word.tag), answer };
};

const silently =
  (operation: (from: Int32Array, to: Int32Array) => void) =>
  (from: Int32Array, to: Int32Array): number => {
    operation(from, to);
    return 0;
  };

const isSealed = (codec: FastCodec, word: Word): boolean => decode(codec, word).otype !== BigInt(codec.unsealed);

const root = (format: FormatName): Word => {
  const halves = new Int32Array(codecs[format].granuleHalves);
  codecs[format].writeRoot(halves, 0);
  return wordIn(codecs[format], halves, true);
};

export const fastCodec: Codec = {
  name: "fast",
  root,
  decode: (format, word) => decode(codecs[format], word),
  encode: (format, fields) => {
    const codec = codecs[format];
    const start = { ...root(format), address: fields.address, tag: fields.tag };
    const extra = Number(fields.top >> BigInt(codec.addressBits));
    const { base, top } = fields;
    const upper = codec.addressBits === 32 ? 0n : 1n;
    const bounded = derive(codec, start, (from, to) =>
      codec.encodeBounds(
        from,
        0,
        half(base, 0),
        half(base >> (32n * upper), 0) * Number(upper),
        half(top, 0),
        half(top >> (32n * upper), 0) * Number(upper),
        extra,
        to,
        0,
      ),
    ).word;
    // Flags come before permissions: some can only be set while the permission to execute is there.
    const flagged = derive(
      codec,
      bounded,
      silently((from, to) => {
        codec.setFlags(from, 0, Number(fields.flags), to, 0);
      }),
    ).word;
    const permitted = derive(codec, flagged, (from, to) =>
      codec.andPermissions(from, 0, Number(fields.permissions), to, 0),
    ).word;
    const typed = derive(
      codec,
      permitted,
      silently((from, to) => {
        codec.setOtype(from, 0, Number(fields.otype), to, 0);
      }),
    ).word;
    const says = decode(codec, typed);
    const exact =
      says.base === base &&
      says.top === top &&
      typed.address === fields.address &&
      says.permissions === fields.permissions &&
      says.otype === fields.otype &&
      says.flags === fields.flags;
    return { ...typed, tag: fields.tag && exact, exact };
  },
  setBounds: (format, word, length) => {
    const codec = codecs[format];
    const extra = Number(length >> BigInt(codec.addressBits));
    const { word: result, answer } = derive(codec, word, (from, to) =>
      codec.setBounds(from, 0, half(length, 0), codec.addressBits === 32 ? 0 : half(length, 1), extra, to, 0),
    );
    const keeps = word.tag && (answer & WITHIN) !== 0 && !isSealed(codec, word);
    return { ...result, tag: keeps, exact: (answer & EXACT) !== 0 };
  },
  representable: (format, word, address) => {
    const codec = codecs[format];
    const m = memory(codec, word);
    return {
      fast: codec.fastRepresentable(m, 0, half(address, 0), half(address, 1)),
      precise: codec.preciseRepresentable(m, 0, half(address, 0), half(address, 1)),
    };
  },
  setAddress: (format, word, address, check) => {
    const codec = codecs[format];
    const { word: result } = derive(
      codec,
      word,
      silently((from, to) => {
        codec.setAddress(from, 0, half(address, 0), half(address, 1), to, 0);
      }),
    );
    return {
      ...result,
      tag: word.tag && !isSealed(codec, word) && fastCodec.representable(format, word, address)[check],
    };
  },
  andPermissions: (format, word, mask) => {
    const codec = codecs[format];
    const { word: result, answer } = derive(codec, word, (from, to) =>
      codec.andPermissions(from, 0, half(mask, 0), to, 0),
    );
    return { ...result, tag: word.tag && !isSealed(codec, word), encodable: (answer & ENCODABLE) !== 0 };
  },
  withOtype: (format, word, otype) =>
    derive(
      codecs[format],
      word,
      silently((from, to) => {
        codecs[format].setOtype(from, 0, Number(otype), to, 0);
      }),
    ).word,
  setFlags: (format, word, flags) => {
    const codec = codecs[format];
    const { word: result } = derive(
      codec,
      word,
      silently((from, to) => {
        codec.setFlags(from, 0, half(flags, 0), to, 0);
      }),
    );
    return { ...result, tag: word.tag && !isSealed(codec, word) };
  },
  relocate: (format, word, delta) => {
    const codec = codecs[format];
    const { word: result, answer } = derive(codec, word, (from, to) =>
      codec.relocate(from, 0, half(delta, 0), half(delta, 1), delta < 0n, to, 0),
    );
    const exact = (answer & REPRESENTABLE) !== 0;
    return { ...result, tag: word.tag && exact, exact, boundsExact: (answer & BOUNDS_EXACT) !== 0 };
  },
  representableLength: (format, length) => {
    const out = new Int32Array(2);
    codecs[format].representableLength(half(length, 0), half(length, 1), out);
    return pair(out, 0);
  },
  alignmentMask: (format, length) => {
    const out = new Int32Array(2);
    codecs[format].alignmentMask(half(length, 0), half(length, 1), out);
    return pair(out, 0);
  },
};
