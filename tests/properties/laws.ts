/**
 * The properties, as functions of a codec and a format, so that they can be asked of both implementations and also of
 * codecs with a mistake (bites.test.ts). What is expected follows from geometry.ts or from other answers of the same codec
 * by plain arithmetic, never from the function that is judged.
 */
import fc from "fast-check";
import type { Codec, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import {
  anyCheck,
  anyNumber,
  anyRecipe,
  anySpot,
  anyTarget,
  anyWord,
  at,
  derive,
  targetAddress,
  wordOf,
} from "./arbitraries.js";
import { anyChain, chainLength, runChain } from "./chains.js";
import { claim, isSealed, numbers, subset, type Law, type Property } from "./claim.js";
import {
  classOf,
  geometries,
  ignoresFlagBits,
  inSpan,
  lengthClasses,
  longestOf,
  plain,
  side,
  space,
  windowOf,
  wrap,
} from "./geometry.js";
import { relocationTellsTheTruth } from "./relocation.js";

/** A length up to that of the address space, anywhere or around the switches of the exponent. */
const anyLength = (format: FormatName): fc.Arbitrary<bigint> =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .record({ lengths: fc.constantFrom(...lengthClasses(format)), spot: anySpot })
        .map(({ lengths, spot }) => at(spot, lengths.least, longestOf(lengths))),
    },
    // One byte less than everything: no capability of uncompressed256 has that length.
    { weight: 1, arbitrary: fc.constant(space(format) - 1n) },
  );

// Encoding

const identity = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), (recipe) => {
    const word = derive(codec, format, recipe);
    const shown = () => numbers("word", codec, format, word);
    claim("a derived capability is tagged", word.tag, shown);
    const decoded = codec.decode(format, word);
    claim("a derived capability has valid bounds", decoded.boundsValid, shown);
    claim("a derived capability has no reserved bits", decoded.reserved === 0n, shown);
    const { address, tag, metadata } = word;
    const again = codec.encode(format, { ...decoded, address, tag });
    claim("fields of a legal capability encode exactly", again.exact, () => ({ ...shown(), ...again }));
    claim(
      "they encode to the word that they came from",
      again.metadata === metadata && again.address === address && again.tag,
      () => ({ ...shown(), ...again }),
    );
  });

const leastExponent = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), (recipe) => {
    const word = derive(codec, format, recipe);
    const { base, top, exponent, internalExponent } = codec.decode(format, word);
    const expected = classOf(format, top - base);
    claim(
      "the exponent is the least for the length",
      exponent === expected.exponent && internalExponent === expected.internal,
      () => ({ ...numbers("word", codec, format, word), exponent, expected: expected.exponent }),
    );
    claim("bounds are multiples of the exponent's step", (base | top) % expected.step === 0n, () => ({ base, top }));
  });

/** Numbers stay within their fields, and no tag comes from nowhere. */
const wellFormed = (codec: Codec, format: FormatName, before: Word, what: string, after: Word): void => {
  const { metadataBits, addressBits } = geometries[format];
  const fits = (value: bigint, width: bigint): boolean => value >= 0n && value >> width === 0n;
  const shown = () => ({ ...numbers("before", codec, format, before), ...numbers("after", codec, format, after) });
  claim(`${what} gives a word`, fits(after.metadata, metadataBits) && fits(after.address, addressBits), shown);
  claim(`${what} makes no tag`, before.tag || !after.tag, shown);
};

const total = (codec: Codec, format: FormatName): Property =>
  fc.property(
    anyWord(format),
    anyNumber,
    anyNumber,
    fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
    anyCheck,
    (from, number, other, mask, check) => {
      const word = wordOf(codec, format, from);
      const { addressBits, permissions, flags, largestOtype } = geometries[format];
      const length = number % (space(format) + 1n);
      const address = wrap(format, other);
      const decoded = codec.decode(format, word);
      const fits =
        decoded.base >= 0n &&
        decoded.base >> addressBits === 0n &&
        decoded.top >= 0n &&
        decoded.top >> (addressBits + 1n) === 0n &&
        subset(decoded.permissions, permissions) &&
        decoded.flags <= flags &&
        decoded.otype <= largestOtype;
      claim("every part of a decoded word lies in its range", fits, () => ({ ...word, ...decoded }));
      const results = {
        "set-bounds": codec.setBounds(format, word, length),
        "set-address": codec.setAddress(format, word, address, check),
        "and-permissions": codec.andPermissions(format, word, mask),
        "set-flags": codec.setFlags(format, word, mask & flags),
        otype: codec.withOtype(format, word, mask % (largestOtype + 1n)),
        relocate: codec.relocate(format, word, wrap(format, other)),
        encode: codec.encode(format, { ...decoded, address, tag: word.tag }),
      };
      Object.entries(results).forEach(([what, result]) => {
        wellFormed(codec, format, word, what, result);
      });
      codec.representable(format, word, address);
    },
  );

const encodesOrSaysNot = (codec: Codec, format: FormatName): Property =>
  fc.property(
    anyLength(format),
    anySpot,
    anyNumber,
    fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
    (length, start, number, mask) => {
      const { permissions, flags, largestOtype } = geometries[format];
      const base = at(start, 0n, space(format) - length) % space(format);
      const fields = {
        base,
        top: base + length,
        address: wrap(format, number % 2n === 0n ? base + number : number),
        permissions: mask & permissions,
        otype: (mask >> 3n) % (largestOtype + 1n),
        flags: (mask >> 5n) & flags,
        tag: true,
      };
      const word = codec.encode(format, fields);
      const read = codec.decode(format, word);
      const same =
        read.base === fields.base &&
        read.top === fields.top &&
        read.permissions === fields.permissions &&
        read.otype === fields.otype &&
        read.flags === fields.flags &&
        word.address === fields.address;
      claim("an encoding is exact where it reads back as asked", word.exact === same, () => ({ ...fields, ...word }));
      claim("an encoding is tagged where it is exact", word.tag === same, () => ({ ...fields, ...word }));
    },
  );

// Derivation

const requestFromRoot = (codec: Codec, format: FormatName, base: bigint, length: bigint) => {
  const result = codec.setBounds(format, codec.setAddress(format, codec.root(format), base, "precise"), length);
  return { result, decoded: codec.decode(format, result) };
};

const setBounds = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), anySpot, anySpot, fc.boolean(), (recipe, start, size, root) => {
    const parent = root ? codec.root(format) : derive(codec, format, recipe);
    const outer = codec.decode(format, parent);
    const inside = at(start, outer.base, outer.top === outer.base ? outer.base : outer.top - 1n);
    const moved = codec.setAddress(format, parent, wrap(format, inside), "precise");
    const rest = at(size, 0n, outer.top - inside);
    const result = codec.setBounds(format, moved, rest);
    const inner = codec.decode(format, result);
    const shown = () => ({
      length: rest,
      exact: result.exact,
      ...numbers("parent", codec, format, moved),
      ...numbers("result", codec, format, result),
    });
    claim("set-bounds tags nothing without a tagged, unsealed parent", moved.tag || !result.tag, shown);
    if (!result.tag) return;
    const ignored = ignoresFlagBits(format, classOf(format, outer.top - outer.base));
    const base = ignored ? plain(format, inside) : inside;
    const top = base + rest;
    claim("set-bounds rounds outward", inner.base <= base && inner.top >= top, shown);
    claim("set-bounds stays within the parent", inner.base >= outer.base && inner.top <= outer.top, shown);
    claim(
      "set-bounds is exact where it does not round",
      result.exact === (inner.base === base && inner.top === top),
      shown,
    );
    const { step } = classOf(format, inner.top - inner.base);
    claim("set-bounds rounds by less than a step", base - inner.base < step && inner.top - top < step, shown);
  });

const inRootBounds = (codec: Codec, format: FormatName): Property =>
  fc.property(anyLength(format), anySpot, fc.integer({ min: -1, max: 1 }), (length, start, over) => {
    // Around the end of the address space: the request fits, or ends one byte too far.
    const base = wrap(format, at(start, 0n, space(format) - length) + BigInt(over));
    const { result, decoded } = requestFromRoot(codec, format, base, length);
    const shown = () => ({ length, ...numbers("result", codec, format, result) });
    claim("the root gives no bounds beyond the address space", !result.tag || decoded.top <= space(format), shown);
    // Morello: bounds that ignore the flag bits are given only where those extend bit 55.
    const ignored = lengthClasses(format).some((lengths) => length <= lengths.most && ignoresFlagBits(format, lengths));
    if (ignored && plain(format, base) !== base) return;
    claim("the root gives bounds exactly where they fit", result.tag === base + length <= space(format), shown);
  });

const representable = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), anyTarget, anySpot, (recipe, place, spot) => {
    const word = derive(codec, format, recipe);
    const decoded = codec.decode(format, word);
    const address = targetAddress(format, decoded, place, spot);
    const answer = codec.representable(format, word, address);
    const shown = () => ({ to: address, ...answer, ...numbers("word", codec, format, word) });
    // 1. The fast check implies the precise one.
    claim("the fast check implies the precise one", !answer.fast || answer.precise, shown);
    // 2. The precise one says yes within the window, on the same side of Morello's bit 55, and nowhere else.
    const lengths = classOf(format, decoded.top - decoded.base);
    const window = windowOf(format, decoded.base, lengths);
    const sameSide = !ignoresFlagBits(format, lengths) || side(address) === side(word.address);
    const within = sameSide && inSpan(format, window, plain(format, address));
    claim("the precise check is the representable window", answer.precise === within, shown);
    // 3. The fast one may say no in the lowest and in the highest unit of the window.
    const { everywhereFrom, fastCheckDiffers } = geometries[format];
    const lost = fastCheckDiffers && lengths.exponent < everywhereFrom ? 1n << lengths.exponent : 0n;
    const surely =
      sameSide && inSpan(format, { from: window.from + lost, to: window.to - lost }, plain(format, address));
    claim("the fast check is the window but for a unit at each end", answer.fast || !surely, shown);
  });

const fastImpliesPrecise = (codec: Codec, format: FormatName): Property =>
  fc.property(anyWord(format), anyNumber, fc.boolean(), (from, number, near) => {
    const word = wordOf(codec, format, from);
    const address = wrap(format, near ? word.address + number : number);
    const { fast, precise } = codec.representable(format, word, address);
    claim("the fast check implies the precise one", !fast || precise, () => ({
      to: address,
      ...numbers("word", codec, format, word),
    }));
  });

const setAddress = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), anyTarget, anySpot, anyCheck, (recipe, place, spot, check) => {
    const word = derive(codec, format, recipe);
    const before = codec.decode(format, word);
    const address = targetAddress(format, before, place, spot);
    const result = codec.setAddress(format, word, address, check);
    const after = codec.decode(format, result);
    const shown = () => ({
      check,
      ...numbers("word", codec, format, word),
      ...numbers("result", codec, format, result),
    });
    const allowed = !isSealed(format, before) && codec.representable(format, word, address)[check];
    claim("set-address keeps the tag where unsealed and representable", result.tag === allowed, shown);
    claim(
      "set-address changes the address alone",
      result.address === address && result.metadata === word.metadata,
      shown,
    );
    claim(
      "a tag that set-address keeps is for the same bounds",
      !result.tag || (after.base === before.base && after.top === before.top),
      shown,
    );
  });

const authority = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), fc.boolean(), anyChain, (recipe, root, steps) => {
    runChain(codec, format, root ? codec.root(format) : derive(codec, format, recipe), steps);
  });

// CRRL and CRAM

/** Where a base may lie for a length, Morello's bit 55 apart. */
const basesOf = (format: FormatName, length: bigint): bigint => {
  const room = space(format) - length;
  return format === "morello" && length <= 1n << 62n ? (1n << 55n) - 1n : room;
};

const roundedLength = (codec: Codec, format: FormatName): Property =>
  fc.property(anyLength(format), anySpot, anySpot, (length, start, lesser) => {
    const answer = codec.representableLength(format, length);
    const rounded = answer === 0n && length > 0n ? space(format) : answer;
    const mask = codec.alignmentMask(format, length);
    const shown = () => ({ length, rounded, mask });
    claim("the representable length is not less", rounded >= length, shown);
    // 1. Exact at an aligned base, and what set-bounds makes of the length there.
    const base = at(start, 0n, basesOf(format, rounded)) & mask;
    const exact = requestFromRoot(codec, format, base, rounded);
    claim(
      "the representable length is exact at an aligned base",
      exact.result.exact && exact.result.tag && exact.decoded.base === base && exact.decoded.top === base + rounded,
      () => ({ ...shown(), ...numbers("result", codec, format, exact.result) }),
    );
    const asked = requestFromRoot(codec, format, base, length);
    claim("set-bounds at an aligned base gives the representable length", asked.decoded.top === base + rounded, () => ({
      ...shown(),
      ...numbers("result", codec, format, asked.result),
    }));
    // 2. No length in between is exact, at any base.
    if (rounded === length) return;
    const between = at(lesser, length, rounded - 1n);
    [0n, base, at(start, 0n, basesOf(format, rounded))].forEach((from) => {
      const { result, decoded } = requestFromRoot(codec, format, from, between);
      claim(
        "no length between is exact",
        !result.exact && (decoded.base !== from || decoded.top !== from + between),
        () => ({ ...shown(), between, from, ...numbers("result", codec, format, result) }),
      );
    });
  });

const weakestMask = (codec: Codec, format: FormatName): Property =>
  fc.property(anyLength(format), anySpot, (length, start) => {
    const mask = codec.alignmentMask(format, length);
    const alignment = space(format) - mask;
    const shown = () => ({ length, mask });
    claim("the mask is a run of ones above a run of zeros", (alignment & (alignment - 1n)) === 0n, shown);
    const answer = codec.representableLength(format, length);
    const rounded = answer === 0n && length > 0n ? space(format) : answer;
    // An odd multiple of half the alignment is a base that the mask changes: no bounds of this length are exact there.
    const half = alignment / 2n;
    const odd = at(start, 0n, basesOf(format, rounded)) & mask;
    const base = odd + half;
    if (half === 0n || base + rounded > space(format)) return;
    const { result, decoded } = requestFromRoot(codec, format, base, rounded);
    claim("a base that is aligned one bit less is not exact", !result.exact && decoded.base !== base, () => ({
      ...shown(),
      ...numbers("result", codec, format, result),
    }));
  });

/** All properties but those of relocation by exponent, which are functions of more than a format. */
export const laws = {
  identity: {
    title: "decoding and encoding a legal capability gives the same word",
    runs: 400,
    seed: 0x5f01,
    property: identity,
  },
  leastExponent: {
    title: "a legal capability has the least exponent for its length",
    runs: 400,
    seed: 0x5f02,
    property: leastExponent,
  },
  total: { title: "every function is total on all bit patterns", runs: 400, seed: 0x5f03, property: total },
  encodesOrSaysNot: {
    title: "fields are encoded exactly, or the tag is lost",
    runs: 400,
    seed: 0x5f04,
    property: encodesOrSaysNot,
  },
  setBounds: {
    title: "set-bounds rounds outward, by less than a step, within the parent",
    runs: 400,
    seed: 0x5f05,
    property: setBounds,
  },
  inRootBounds: {
    title: "the root gives bounds exactly where they end within the address space",
    runs: 300,
    seed: 0x5f06,
    property: inRootBounds,
  },
  representable: {
    title: "the precise check is the representable window, the fast one nearly",
    runs: 600,
    seed: 0x5f07,
    property: representable,
  },
  fastImpliesPrecise: {
    title: "the fast check implies the precise one on all bit patterns",
    runs: 400,
    seed: 0x5f08,
    property: fastImpliesPrecise,
  },
  setAddress: {
    title: "set-address keeps the tag only for the same bounds",
    runs: 400,
    seed: 0x5f09,
    property: setAddress,
  },
  authority: {
    title: `authority never grows in ${chainLength} operations`,
    runs: 200,
    seed: 0x5f0a,
    property: authority,
  },
  roundedLength: {
    title: "the representable length is exact at an aligned base, and the least",
    runs: 400,
    seed: 0x5f0b,
    property: roundedLength,
  },
  weakestMask: {
    title: "the alignment mask is the weakest",
    runs: 300,
    seed: 0x5f0c,
    property: weakestMask,
  },
  relocationTellsTheTruth: {
    title: "relocation is exact where base, top and address moved, and can be undone",
    runs: 400,
    seed: 0x5f0d,
    property: relocationTellsTheTruth,
  },
} satisfies Readonly<Record<string, Law>>;
