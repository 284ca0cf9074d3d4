/**
 * The formats as numbers, for generating and judging. They are written down here from the documents and from
 * ../vectors/README.md ("Formats", "Relocation"), not taken from the code under test.
 *
 * N is the width of an address, MW that of a mantissa, L the number of bits that an internal exponent takes from each
 * mantissa, E an exponent.
 */
import type { FormatName } from "../../spec/cheri/index.js";

/** Powers of two, as exponents of 2 on top of E: what a relocation's distance has to be a multiple of. */
interface Alignments {
  /** With an internal exponent. */
  readonly internal: bigint;
  /** Without: E is 0. */
  readonly short: bigint;
}

export interface Geometry {
  readonly addressBits: bigint;
  readonly metadataBits: bigint;
  /** 0 where bounds are not compressed. */
  readonly mantissa: bigint;
  readonly maxExponent: bigint;
  readonly lowBits: bigint;
  /** Lengths from here on have an internal exponent. */
  readonly internalFrom: bigint;
  /** Distance from B to the start of the representable window: up from B's top three bits less one, or a quarter below B. */
  readonly window: "top three bits" | "quarter below" | "everything";
  /** From this exponent on every address is representable. */
  readonly everywhereFrom: bigint;
  readonly fastCheckDiffers: boolean;
  /** What a relocation's distance has to be a multiple of, and no smaller power of two will do. */
  readonly relocation: { readonly inside: Alignments; readonly outside: Alignments };
  readonly permissions: bigint;
  readonly flags: bigint;
  readonly unsealed: bigint;
  readonly sentry: bigint;
  readonly largestOtype: bigint;
  /** Where a stored exponent lies in the metadata, from its lowest bit up; and the bit, with its value, that makes it count. */
  readonly exponentBits: readonly bigint[];
  readonly internal: { readonly bit: bigint; readonly value: bigint };
  readonly nullMask: bigint;
}

const v9Relocation = (outside: bigint) => ({
  inside: { internal: 3n, short: 0n },
  outside: { internal: outside, short: outside },
});

export const geometries: Readonly<Record<FormatName, Geometry>> = {
  "cheri128-v9": {
    addressBits: 64n,
    metadataBits: 64n,
    mantissa: 14n,
    maxExponent: 52n,
    lowBits: 3n,
    internalFrom: 1n << 12n,
    window: "top three bits",
    everywhereFrom: 50n,
    fastCheckDiffers: true,
    relocation: v9Relocation(11n),
    permissions: 0x7_8fffn,
    flags: 1n,
    unsealed: 0x3_ffffn,
    sentry: 0x3_fffen,
    largestOtype: 0x3_ffffn,
    exponentBits: [0n, 1n, 2n, 14n, 15n, 16n],
    internal: { bit: 26n, value: 1n },
    nullMask: 0x1fff_fc01_8004n,
  },
  "cheri64-v9": {
    addressBits: 32n,
    metadataBits: 32n,
    mantissa: 8n,
    maxExponent: 26n,
    lowBits: 3n,
    internalFrom: 1n << 6n,
    window: "top three bits",
    everywhereFrom: 24n,
    fastCheckDiffers: true,
    relocation: v9Relocation(5n),
    permissions: 0xfffn,
    flags: 1n,
    unsealed: 0xfn,
    sentry: 0xen,
    largestOtype: 0xfn,
    exponentBits: [0n, 1n, 2n, 8n, 9n, 10n],
    internal: { bit: 14n, value: 1n },
    nullMask: 0x7_c302n,
  },
  morello: {
    addressBits: 64n,
    metadataBits: 64n,
    mantissa: 16n,
    maxExponent: 50n,
    lowBits: 3n,
    internalFrom: 1n << 14n,
    window: "top three bits",
    everywhereFrom: 48n,
    fastCheckDiffers: true,
    relocation: v9Relocation(13n),
    permissions: 0x3_ffffn,
    flags: 0xffn,
    unsealed: 0n,
    sentry: 1n,
    largestOtype: 0x7fffn,
    exponentBits: [0n, 1n, 2n, 16n, 17n, 18n],
    internal: { bit: 30n, value: 0n },
    nullMask: 0n,
  },
  rvy128: {
    addressBits: 64n,
    metadataBits: 64n,
    mantissa: 14n,
    maxExponent: 52n,
    lowBits: 3n,
    internalFrom: 1n << 12n,
    window: "quarter below",
    everywhereFrom: 50n,
    fastCheckDiffers: false,
    relocation: { inside: { internal: 3n, short: 0n }, outside: { internal: 3n, short: 0n } },
    permissions: 0x7_03ffn,
    flags: 1n,
    unsealed: 0n,
    sentry: 1n,
    largestOtype: 1n,
    exponentBits: [0n, 1n, 2n, 14n, 15n, 16n],
    internal: { bit: 26n, value: 0n },
    nullMask: 0n,
  },
  rvy64: {
    addressBits: 32n,
    metadataBits: 32n,
    mantissa: 10n,
    maxExponent: 24n,
    lowBits: 2n,
    internalFrom: 1n << 9n,
    window: "quarter below",
    everywhereFrom: 22n,
    fastCheckDiffers: false,
    relocation: { inside: { internal: 2n, short: 0n }, outside: { internal: 2n, short: 0n } },
    permissions: 0x7_00ffn,
    flags: 1n,
    unsealed: 0n,
    sentry: 1n,
    largestOtype: 1n,
    exponentBits: [0n, 1n, 10n, 11n, 18n],
    internal: { bit: 19n, value: 0n },
    nullMask: 0n,
  },
  uncompressed256: {
    addressBits: 64n,
    metadataBits: 192n,
    mantissa: 0n,
    maxExponent: 0n,
    lowBits: 0n,
    internalFrom: (1n << 64n) + 1n,
    window: "everything",
    everywhereFrom: 0n,
    fastCheckDiffers: false,
    relocation: { inside: { internal: 0n, short: 0n }, outside: { internal: 0n, short: 0n } },
    permissions: 0x7_8fffn,
    flags: 1n,
    unsealed: 0n,
    sentry: 1n,
    largestOtype: 0xff_ffffn,
    exponentBits: [],
    internal: { bit: 0n, value: 0n },
    nullMask: 0n,
  },
};

export const formatNames = Object.keys(geometries) as readonly FormatName[];

/** Lengths that are encoded with the same exponent. */
export interface LengthClass {
  readonly exponent: bigint;
  readonly internal: boolean;
  readonly least: bigint;
  /** The largest length that is exact with this exponent. */
  readonly most: bigint;
  /** Bounds of these lengths are multiples of this. */
  readonly step: bigint;
}

const bitLength = (value: bigint): bigint => (value === 0n ? 0n : BigInt(value.toString(2).length));

const compressedClasses = (g: Geometry): readonly LengthClass[] => {
  const short = { exponent: 0n, internal: false, least: 0n, most: g.internalFrom - 1n, step: 1n };
  // 2^(E+MW-2) <= length < 2^(E+MW-1), so in rvy64 the first one is 1.
  const first = bitLength(g.internalFrom) - 1n - (g.mantissa - 2n);
  const internal = Array.from({ length: Number(g.maxExponent - first) + 1 }, (_, index) => {
    const exponent = first + BigInt(index);
    const step = 1n << (exponent + g.lowBits);
    const least = 1n << (exponent + g.mantissa - 2n);
    const whole = exponent === g.maxExponent;
    return { exponent, internal: true, least, most: whole ? least : 2n * least - step, step };
  });
  return [short, ...internal];
};

/** Uncompressed lengths, by their number of bits. All ones means the whole space, so that is the next length above 2^64 - 2. */
const uncompressedClasses: readonly LengthClass[] = Array.from({ length: 66 }, (_, bits) => ({
  exponent: 0n,
  internal: false,
  least: bits === 0 ? 0n : 1n << BigInt(bits - 1),
  most: bits === 65 ? 1n << 64n : (1n << BigInt(bits)) - (bits === 64 ? 2n : 1n),
  step: bits === 65 ? 2n : 1n,
}));

const classes = Object.fromEntries(
  formatNames.map((format) => [
    format,
    geometries[format].mantissa === 0n ? uncompressedClasses : compressedClasses(geometries[format]),
  ]),
) as Readonly<Record<FormatName, readonly LengthClass[]>>;

export const lengthClasses = (format: FormatName): readonly LengthClass[] => classes[format];

/** The largest length that is rounded, if at all, to the lengths of this class or the least one of the next. */
export const longestOf = ({ least, most, step }: LengthClass): bigint => (least === most ? most : most + step - 1n);

/** The class of an exactly encoded length. */
export const classOf = (format: FormatName, length: bigint): LengthClass => {
  const found = classes[format].find(({ least, most }) => least <= length && length <= most);
  if (found === undefined) throw new Error(`no bounds of ${format} have the length 0x${length.toString(16)}`);
  return found;
};

export const space = (format: FormatName): bigint => 1n << geometries[format].addressBits;

export const wrap = (format: FormatName, value: bigint): bigint =>
  BigInt.asUintN(Number(geometries[format].addressBits), value);

/** Morello's bounds are relative to the low 56 bits of the address, sign-extended, until they stop depending on it. */
export const ignoresFlagBits = (format: FormatName, { exponent }: LengthClass): boolean =>
  format === "morello" && exponent < 48n;

export const plain = (format: FormatName, address: bigint): bigint =>
  format === "morello" ? BigInt.asUintN(64, BigInt.asIntN(56, address)) : address;

/** Bit 55 of an address. Bounds that ignore the flag bits lie on one side of it, and the address stays there. */
export const side = (address: bigint): bigint => (address >> 55n) & 1n;

export interface Span {
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/**
 * The addresses at which the bounds decode the same, modulo the address space.
 * @source Woodruff et al., CHERI Concentrate, §4.3; RISC-V CHERI, "Representable Range"
 */
export const windowOf = (format: FormatName, base: bigint, { exponent }: Pick<LengthClass, "exponent">): Span => {
  const { window, everywhereFrom, mantissa } = geometries[format];
  if (window === "everything" || exponent >= everywhereFrom) return { from: 0n, to: space(format) };
  const eighth = exponent + mantissa - 3n;
  const from = window === "quarter below" ? base - (2n << eighth) : ((base >> eighth) - 1n) << eighth;
  return { from, to: from + (8n << eighth) };
};

/** Whether an address lies in a span, modulo the address space. */
export const inSpan = (format: FormatName, { from, to }: Span, address: bigint): boolean =>
  wrap(format, address - from) < to - from;

/** What distances have to be multiples of for every capability of a class to relocate exactly. */
export const relocationAlignment = (format: FormatName, lengths: LengthClass, where: "inside" | "outside"): bigint => {
  const { relocation, everywhereFrom, mantissa } = geometries[format];
  if (mantissa === 0n) return 1n;
  const everywhere = lengths.internal && lengths.exponent >= everywhereFrom;
  const { internal, short } = relocation[everywhere ? "inside" : where];
  return 1n << (lengths.internal ? lengths.exponent + internal : short);
};

/** A metadata word with a stored exponent, whatever it means, and the sign that it is to be read. */
export const withStoredExponent = (format: FormatName, metadata: bigint, stored: bigint): bigint => {
  const { exponentBits, internal, nullMask } = geometries[format];
  if (exponentBits.length === 0) return metadata;
  const put = (word: bigint, bit: bigint, value: bigint): bigint => (word & ~(1n << bit)) | (value << bit);
  const raw = exponentBits.reduce(
    (word, bit, index) => put(word, bit, (stored >> BigInt(index)) & 1n),
    metadata ^ nullMask,
  );
  return put(raw, internal.bit, internal.value) ^ nullMask;
};
