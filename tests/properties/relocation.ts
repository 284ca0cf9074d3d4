/**
 * Properties of relocation: where the numbers say that it is exact, and the least alignment that is always enough.
 *
 * The alignments are those of ../vectors/README.md, "Relocation", in geometry.ts.
 */
import fc from "fast-check";
import type { Codec, Decoded, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import { anyNumber, anyRecipe, anySpot, at, derive, exactRecipe, placesOf, type Spot } from "./arbitraries.js";
import { claim, numbers, type Property } from "./claim.js";
import {
  classOf,
  ignoresFlagBits,
  lengthClasses,
  plain,
  relocationAlignment,
  side,
  space,
  wrap,
  type LengthClass,
} from "./geometry.js";

/** Distances that keep bounds and, for Morello's sake, the address where they may be. */
const distances = (
  format: FormatName,
  word: Word,
  { base, top }: Decoded,
): { readonly low: bigint; readonly high: bigint } => {
  const empty = base === top ? 1n : 0n;
  const lengths = classOf(format, top - base);
  if (!ignoresFlagBits(format, lengths)) return { low: -base, high: space(format) - top - empty };
  const half = 1n << 55n;
  const floor = side(word.address) === 0n ? 0n : space(format) - half;
  const address = plain(format, word.address);
  const least = base < address ? base : address;
  const past = (top > address ? top : address + 1n) + (top > address ? empty : 0n);
  return { low: floor - least, high: floor + half - past };
};

const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

/** A multiple of `unit` in a range, odd if asked for; undefined if there is none but 0. */
const multiple = (
  unit: bigint,
  { low, high }: { readonly low: bigint; readonly high: bigint },
  spot: Spot,
  odd: boolean,
): bigint | undefined => {
  const stride = odd ? 2n * unit : unit;
  const offset = odd ? unit : 0n;
  const first = -floorDivide(-(low - offset), stride);
  const last = floorDivide(high - offset, stride);
  const chosen = at(spot, first, last) * stride + offset;
  return first > last || chosen === 0n ? undefined : chosen;
};

const movedExactly = (format: FormatName, before: Decoded, after: Decoded, delta: bigint): boolean =>
  after.base === before.base + delta && after.top === before.top + delta && after.top <= space(format);

/** Where the address really is: the place that is asked for is not always representable. */
const liesWhere = (format: FormatName, { base, top }: Decoded, address: bigint): "inside" | "outside" =>
  (base <= plain(format, address) && plain(format, address) <= top) || wrap(format, top) === plain(format, address)
    ? "inside"
    : "outside";

/** Bounds on one side of bit 55, of which alone the table speaks on Morello. */
const onOneSide = (format: FormatName, { base, top }: Decoded, address: bigint): boolean =>
  !ignoresFlagBits(format, classOf(format, top - base)) ||
  (side(base) === side(address) && (top === base || side(top - 1n) === side(address)));

/** Distances that are multiples of the stated alignment. */
export const alignedRelocation = (
  codec: Codec,
  format: FormatName,
  lengths: LengthClass,
  where: "inside" | "outside",
): Property => {
  const unit = relocationAlignment(format, lengths, where);
  return fc.property(exactRecipe(format, lengths, placesOf[where]), anySpot, (recipe, spot) => {
    const word = derive(codec, format, recipe);
    const before = codec.decode(format, word);
    fc.pre(liesWhere(format, before, word.address) === where && onOneSide(format, before, word.address));
    const delta = multiple(unit, distances(format, word, before), spot, false);
    fc.pre(delta !== undefined);
    const result = codec.relocate(format, word, delta);
    const after = codec.decode(format, result);
    const shown = () => ({
      delta,
      unit,
      ...numbers("before", codec, format, word),
      ...numbers("after", codec, format, result),
    });
    claim("relocation by an aligned distance says that it is exact", result.exact && result.boundsExact, shown);
    claim("it keeps the tag", result.tag === word.tag, shown);
    claim("it moves bounds", movedExactly(format, before, after, delta), shown);
    claim("it moves the address", result.address === wrap(format, word.address + delta), shown);
    claim(
      "it keeps permissions and type",
      after.permissions === before.permissions && after.otype === before.otype,
      shown,
    );
    const flagsKept = after.flags === before.flags || (format === "morello" && !ignoresFlagBits(format, lengths));
    claim("it keeps flags", flagsKept, shown);
  });
};

export const halfIsEnough = "half of the stated alignment is enough";

/** What is *not* so, and has to fail: that half of the stated alignment is enough, too. */
export const halfAlignedRelocation = (
  codec: Codec,
  format: FormatName,
  lengths: LengthClass,
  where: "inside" | "outside",
): Property => {
  const unit = relocationAlignment(format, lengths, where);
  // The shortest length leaves the most room, and a base at a few halves from an end is where a window's start is passed.
  const recipes = fc
    .tuple(
      exactRecipe(format, lengths, placesOf[where]),
      fc.boolean(),
      fc.option(fc.bigInt({ min: 0n, max: 8n }), { nil: undefined }),
    )
    .map(([recipe, shortest, halves]) => ({
      ...recipe,
      length: shortest ? { fromEnd: false, distance: 0n } : recipe.length,
      base: halves === undefined ? recipe.base : { ...recipe.base, distance: (halves * unit) / 2n },
    }));
  return fc.property(recipes, anySpot, (recipe, spot) => {
    const word = derive(codec, format, recipe);
    const before = codec.decode(format, word);
    fc.pre(liesWhere(format, before, word.address) === where && onOneSide(format, before, word.address));
    const delta = multiple(unit / 2n, distances(format, word, before), spot, true);
    fc.pre(delta !== undefined);
    claim(halfIsEnough, codec.relocate(format, word, delta).exact, () => ({
      delta,
      ...numbers("word", codec, format, word),
    }));
  });
};

/** The cases of relocation, by exponent and place of the address, where the capabilities have room to move. */
export const relocationCases = (format: FormatName) =>
  lengthClasses(format).flatMap((lengths) =>
    (["inside", "outside"] as const)
      .filter(() => {
        // The whole address space cannot move; on Morello nor can what fills its side of bit 55.
        const whole = lengths.least === space(format);
        const fillsSide = ignoresFlagBits(format, lengths) && lengths.exponent >= 41n;
        return !whole && !fillsSide;
      })
      .map((where) => ({
        name: `${lengths.internal ? `exponent ${String(lengths.exponent)}` : "no internal exponent"}, ${where}`,
        lengths,
        where,
        alignment: relocationAlignment(format, lengths, where),
      })),
  );

export const relocationTellsTheTruth = (codec: Codec, format: FormatName): Property =>
  fc.property(anyRecipe(format), anySpot, anyNumber, fc.boolean(), (recipe, spot, number, near) => {
    const word = derive(codec, format, recipe);
    const before = codec.decode(format, word);
    const { low, high } = distances(format, word, before);
    const delta = near ? at(spot, low, high) : wrap(format, number);
    const result = codec.relocate(format, word, delta);
    const after = codec.decode(format, result);
    const shown = () => ({
      delta,
      ...numbers("before", codec, format, word),
      ...numbers("after", codec, format, result),
    });
    claim("the address moves", result.address === wrap(format, word.address + delta), shown);
    claim(
      "relocation is exact where the numbers are",
      result.exact === movedExactly(format, before, after, delta),
      shown,
    );
    claim("relocation keeps the tag where it is exact", result.tag === result.exact, shown);
    if (!result.exact) return;
    const back = codec.relocate(format, result, -delta);
    claim(
      "an exact relocation can be undone",
      back.tag && back.metadata === word.metadata && back.address === word.address,
      shown,
    );
  });
