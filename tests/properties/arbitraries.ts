/**
 * Random words and random legal capabilities.
 *
 * A legal capability is a recipe, numbers only, which a codec carries out from its root by instructions; so both
 * implementations see the same recipes, and what is shrunk is the recipe.
 */
import fc from "fast-check";
import type { AddressCheck, Codec, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import {
  classOf,
  geometries,
  ignoresFlagBits,
  lengthClasses,
  longestOf,
  space,
  windowOf,
  withStoredExponent,
  wrap,
  type LengthClass,
} from "./geometry.js";

/** A place in a range: so far from its low or from its high end. */
export interface Spot {
  readonly fromEnd: boolean;
  readonly distance: bigint;
}

/** The number at a spot of `low`…`high`, both included; `low` if the range is empty. */
export const at = ({ fromEnd, distance }: Spot, low: bigint, high: bigint): bigint => {
  if (high <= low) return low;
  const off = distance % (high - low + 1n);
  return fromEnd ? high - off : low + off;
};

const uniform = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });

const nearPowerOfTwo = fc
  .record({ power: fc.bigInt({ min: 0n, max: 64n }), plus: fc.bigInt({ min: -1n, max: 1n }) })
  .map(({ power, plus }) => (1n << power) + plus);

/** A number of up to 65 bits: small, a power of two or next to one, or anything. */
export const anyNumber: fc.Arbitrary<bigint> = fc.oneof(fc.bigInt({ min: 0n, max: 4n }), nearPowerOfTwo, uniform(64n));

export const anySpot: fc.Arbitrary<Spot> = fc.record({ fromEnd: fc.boolean(), distance: anyNumber });

export const anyCheck: fc.Arbitrary<AddressCheck> = fc.constantFrom("fast", "precise");

const places = ["base", "inside", "last", "top", "below", "above"] as const;

/** Where an address lies, relative to bounds. `below` and `above` are out of bounds, within the window if possible. */
export type Place = (typeof places)[number];

/** The places of the two cases of relocation. */
export const placesOf: Readonly<Record<"inside" | "outside", readonly Place[]>> = {
  inside: ["base", "inside", "last", "top"],
  outside: ["below", "above"],
};

interface Bounds {
  readonly base: bigint;
  readonly top: bigint;
}

/** An address at a place of exact bounds, possibly below 0 or above the end of the address space. */
const addressAt = (format: FormatName, { base, top }: Bounds, place: Place, spot: Spot): bigint => {
  const window = windowOf(format, base, classOf(format, top - base));
  switch (place) {
    case "base":
      return base;
    case "inside":
      return at(spot, base, top - 1n);
    case "last":
      return top > base ? top - 1n : base;
    case "top":
      return top;
    case "below":
      return base > window.from ? at(spot, window.from, base - 1n) : base - 1n;
    case "above":
      return at(spot, top + 1n, window.to - 1n);
  }
};

/** Where to move an address. `edge` is around an end of the window, in or out of it. */
export type Target = Place | "edge" | "anywhere";

/** An address to move to; modulo the address space. */
export const targetAddress = (format: FormatName, bounds: Bounds, place: Target, spot: Spot): bigint => {
  if (place === "anywhere") return wrap(format, spot.distance);
  if (place !== "edge") return wrap(format, addressAt(format, bounds, place, spot));
  const lengths = classOf(format, bounds.top - bounds.base);
  const window = windowOf(format, bounds.base, lengths);
  const off = spot.distance % ((4n << lengths.exponent) + 1n);
  return wrap(format, (spot.fromEnd ? window.to : window.from) + off - (2n << lengths.exponent));
};

export const anyTarget: fc.Arbitrary<Target> = fc.constantFrom(...places, "edge", "anywhere");

export interface Recipe {
  readonly lengths: LengthClass;
  readonly length: Spot;
  /** Length and base are multiples of the class's step, so that set-bounds does not round. */
  readonly exact: boolean;
  readonly base: Spot;
  /** Morello: bounds above bit 55. */
  readonly high: boolean;
  /** Then bounds within these bounds. */
  readonly narrower: { readonly base: Spot; readonly length: Spot } | undefined;
  readonly permissions: bigint;
  readonly place: Place;
  readonly address: Spot;
  readonly check: AddressCheck;
  readonly flags: bigint;
  /** Flags before permissions: on RVY they can be set only while there is permission to execute. */
  readonly flagsFirst: boolean;
  readonly otype: bigint | undefined;
}

/** Where bounds of a length may begin. Morello: so that they do not cross bit 55, if they are short enough for that. */
const basesFor = (format: FormatName, lengths: LengthClass, length: bigint, high: boolean): Bounds => {
  const end = space(format);
  if (!ignoresFlagBits(format, lengths)) return { base: 0n, top: end - length };
  const half = 1n << 55n;
  if (length > half) return { base: 0n, top: half - 1n };
  return high ? { base: end - half, top: end - length } : { base: 0n, top: half - length };
};

const keep = (before: Word, after: Word): Word => (after.tag ? after : before);

const pick = ({ metadata, address, tag }: Word): Word => ({ metadata, address, tag });

/** Carry out a recipe. Whatever would lose the tag is left out. */
export const derive = (codec: Codec, format: FormatName, recipe: Recipe): Word => {
  const { lengths, exact } = recipe;
  const round = (value: bigint): bigint => (exact ? value - (value % lengths.step) : value);
  // 1. Bounds from the root.
  const length = round(at(recipe.length, lengths.least, exact ? lengths.most : longestOf(lengths)));
  const bases = basesFor(format, lengths, length, recipe.high);
  const base = wrap(format, round(at(recipe.base, bases.base, bases.top)));
  const root = codec.root(format);
  const bounded = keep(root, pick(codec.setBounds(format, codec.setAddress(format, root, base, "fast"), length)));
  // 2. Bounds within those.
  const outer = codec.decode(format, bounded);
  const narrowed = ((): Word => {
    if (recipe.narrower === undefined) return bounded;
    const start = at(recipe.narrower.base, outer.base, outer.top - 1n);
    const moved = keep(bounded, codec.setAddress(format, bounded, wrap(format, start), recipe.check));
    const rest = at(recipe.narrower.length, 0n, outer.top - start);
    return keep(bounded, pick(codec.setBounds(format, moved, rest)));
  })();
  // 3. Flags and permissions, in either order; address; Morello's flags, which are part of it; type.
  const early = recipe.flagsFirst ? keep(narrowed, codec.setFlags(format, narrowed, recipe.flags)) : narrowed;
  const permitted = keep(early, pick(codec.andPermissions(format, early, recipe.permissions)));
  const address = wrap(format, addressAt(format, codec.decode(format, permitted), recipe.place, recipe.address));
  const moved = keep(permitted, codec.setAddress(format, permitted, address, recipe.check));
  const late = !recipe.flagsFirst || format === "morello";
  const flagged = late ? keep(moved, codec.setFlags(format, moved, recipe.flags)) : moved;
  return recipe.otype === undefined ? flagged : codec.withOtype(format, flagged, recipe.otype);
};

const anyMask: fc.Arbitrary<bigint> = fc.oneof(
  fc.constant(0xffff_ffffn),
  fc.bigInt({ min: 0n, max: 31n }).map((bit) => 0xffff_ffffn ^ (1n << bit)),
  uniform(32n),
);

/** Flags of a format: clear half of the time, so that Morello's capabilities are not all special. */
const anyFlags = (format: FormatName): fc.Arbitrary<bigint> =>
  fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: geometries[format].flags }));

/** Sealed by a sentry, by any type that has no meaning of its own, or, mostly, not. */
const anySealing = (format: FormatName): fc.Arbitrary<bigint | undefined> => {
  const { sentry, largestOtype } = geometries[format];
  const ordinary = largestOtype === 1n ? fc.constant(sentry) : fc.bigInt({ min: 4n, max: largestOtype - 4n });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(sentry) },
    { weight: 1, arbitrary: ordinary },
  );
};

export const anyRecipe = (format: FormatName): fc.Arbitrary<Recipe> =>
  fc.record({
    lengths: fc.constantFrom(...lengthClasses(format)),
    length: anySpot,
    exact: fc.boolean(),
    base: anySpot,
    high: fc.boolean(),
    narrower: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.record({ base: anySpot, length: anySpot }) },
    ),
    permissions: anyMask,
    place: fc.constantFrom(...places),
    address: anySpot,
    check: anyCheck,
    flags: anyFlags(format),
    flagsFirst: fc.boolean(),
    otype: anySealing(format),
  });

/** Recipes whose bounds are exact, of one class of lengths, with the address at some places. */
export const exactRecipe = (format: FormatName, lengths: LengthClass, places: readonly Place[]): fc.Arbitrary<Recipe> =>
  fc
    .tuple(anyRecipe(format), fc.constantFrom(...places))
    .map(([recipe, place]) => ({ ...recipe, lengths, exact: true, narrower: undefined, place }));

/** A word as it is, or a legal capability with some of its metadata flipped. */
export type WordRecipe =
  | { readonly kind: "word"; readonly word: Word }
  | { readonly kind: "flipped"; readonly recipe: Recipe; readonly flips: bigint };

export const wordOf = (codec: Codec, format: FormatName, from: WordRecipe): Word => {
  if (from.kind === "word") return from.word;
  const word = derive(codec, format, from.recipe);
  return { ...word, metadata: word.metadata ^ from.flips };
};

/**
 * Any word at all. Besides uniform ones: all bits of a stretch zero or one, any stored exponent, and legal capabilities
 * with some bits flipped.
 */
export const anyWord = (format: FormatName): fc.Arbitrary<WordRecipe> => {
  const { addressBits, metadataBits, exponentBits } = geometries[format];
  const metadata = uniform(metadataBits);
  const stretch = fc
    .record({ from: fc.bigInt({ min: 0n, max: metadataBits - 1n }), width: fc.bigInt({ min: 1n, max: 32n }) })
    .map(({ from, width }) => BigInt.asUintN(Number(metadataBits), ((1n << width) - 1n) << from));
  const address = fc.oneof(
    uniform(addressBits),
    anySpot.map((spot) => at(spot, 0n, space(format) - 1n)),
  );
  const withMetadata = (from: fc.Arbitrary<bigint>): fc.Arbitrary<WordRecipe> =>
    fc.record({ metadata: from, address, tag: fc.boolean() }).map((word) => ({ kind: "word", word }));
  return fc.oneof(
    withMetadata(metadata),
    withMetadata(
      fc.oneof(
        fc.tuple(metadata, stretch).map(([word, mask]) => word | mask),
        fc.tuple(metadata, stretch).map(([word, mask]) => word & ~mask),
        fc.constantFrom(0n, (1n << metadataBits) - 1n),
      ),
    ),
    withMetadata(
      fc
        .tuple(metadata, uniform(BigInt(exponentBits.length)))
        .map(([word, stored]) => withStoredExponent(format, word, stored)),
    ),
    fc
      .tuple(anyRecipe(format), stretch, metadata)
      .map<WordRecipe>(([recipe, mask, bits]) => ({ kind: "flipped", recipe, flips: mask & bits })),
  );
};
