/** The generators reach what they are there for: counted, with fixed seeds. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { specCodec as codec } from "../../conformance/spec-codec.js";
import type { Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import { anyRecipe, anyWord, derive, wordOf } from "./arbitraries.js";
import {
  formatNames,
  geometries,
  ignoresFlagBits,
  classOf,
  lengthClasses,
  plain,
  side,
  space,
  windowOf,
} from "./geometry.js";
import { anyChain, chainLength, runChain } from "./chains.js";

const seed = 0x5f20;

const legal = (format: FormatName, count: number): readonly Word[] =>
  fc.sample(anyRecipe(format), { numRuns: count, seed }).map((recipe) => derive(codec, format, recipe));

/** The names of what a legal capability is an example of. */
const features = (format: FormatName, word: Word): readonly string[] => {
  const { base, top, otype, permissions, flags } = codec.decode(format, word);
  const { unsealed, sentry } = geometries[format];
  const lengths = classOf(format, top - base);
  const address = plain(format, word.address);
  const length = top - base;
  const power = length > 1n && (length & (length - 1n)) === 0n;
  const window = windowOf(format, base, lengths);
  const all: Readonly<Record<string, boolean>> = {
    "address at base": address === base,
    "address inside": address > base && address < top - 1n,
    "address at the last byte": top > base && address === top - 1n,
    "address at top": address === top,
    "address below": address < base,
    "address above": address > top,
    "address wrapped to 0": top === space(format) && address === 0n && base > 0n,
    "lowest address of the window": window.to - window.from < space(format) && address === window.from,
    "highest address of the window": window.to - window.from < space(format) && address === window.to - 1n,
    "base 0": base === 0n,
    "top at the end": top === space(format),
    empty: length === 0n,
    "one byte": length === 1n,
    "a power of two": power,
    sealed: otype !== unsealed,
    sentry: otype === sentry,
    "no permissions": permissions === 0n,
    "some flags": flags !== 0n,
    "above bit 55": ignoresFlagBits(format, lengths) && side(base) === 1n,
    "flag bits other than bit 55 says":
      ignoresFlagBits(format, lengths) && plain(format, word.address) !== word.address,
    "bounds across bit 55": ignoresFlagBits(format, lengths) && top > base && side(base) !== side(top - 1n),
  };
  return Object.keys(all).filter((name) => all[name] === true);
};

const names = [
  ...["address at base", "address inside", "address at the last byte", "address at top", "address below"],
  ...["address above", "address wrapped to 0", "lowest address of the window", "highest address of the window"],
  ...["base 0", "top at the end", "empty", "one byte", "a power of two", "sealed", "sentry", "no permissions"],
  ...["some flags", "above bit 55", "flag bits other than bit 55 says", "bounds across bit 55"],
];

/** What a format has no examples of: flag bits are Morello's, and without compression there is no window. */
const absent = (format: FormatName): readonly string[] => [
  ...(format === "morello" ? [] : names.slice(-3)),
  ...(format === "uncompressed256" ? names.filter((name) => name.endsWith("of the window")) : []),
];

describe.each(formatNames)("%s", (format) => {
  let sample: readonly Word[] = [];
  beforeAll(() => {
    sample = legal(format, 3000);
  });

  test(`legal capabilities have every exponent (seed ${seed})`, () => {
    const counts = new Map(lengthClasses(format).map((lengths) => [lengths, 0]));
    sample.forEach((word) => {
      const { base, top } = codec.decode(format, word);
      const lengths = classOf(format, top - base);
      counts.set(lengths, (counts.get(lengths) ?? 0) + 1);
    });
    const rare = [...counts]
      .filter(([, count]) => count < 5)
      .map(([lengths, count]) => `exponent ${String(lengths.exponent)}: ${count}`);
    expect(rare).toEqual([]);
  });

  test(`legal capabilities are tagged, and of every kind (seed ${seed})`, () => {
    expect(sample.filter((word) => !word.tag)).toEqual([]);
    const counts = new Map<string, number>();
    sample.flatMap((word) => features(format, word)).forEach((name) => counts.set(name, (counts.get(name) ?? 0) + 1));
    const rare = names.filter((name) => !counts.has(name));
    expect(rare).toEqual(names.filter((name) => absent(format).includes(name)));
  });

  test(`words have every stored exponent, and many are not legal (seed ${seed})`, () => {
    const words = fc.sample(anyWord(format), { numRuns: 3000, seed }).map((from) => wordOf(codec, format, from));
    const { exponentBits } = geometries[format];
    const decoded = words.map((word) => codec.decode(format, word));
    const exponents = new Set(decoded.filter((d) => d.internalExponent).map((d) => d.exponent));
    expect(exponents.size).toBe(exponentBits.length === 0 ? 0 : 2 ** exponentBits.length);
    const strange = decoded.filter(
      (d) => !d.boundsValid || d.base > d.top || d.top > space(format) || d.reserved !== 0n,
    );
    expect(strange.length).toBeGreaterThan(50);
    const again = words.filter((word, index) => {
      const fields = decoded[index];
      return fields !== undefined && codec.encode(format, { ...fields, ...word }).metadata === word.metadata;
    });
    expect(words.length - again.length).toBeGreaterThan(500);
    expect(words.some((word) => word.tag)).toBe(true);
    expect(words.some((word) => word.metadata === 0n)).toBe(true);
  });

  test(`chains of ${chainLength} operations often keep a tag and often shrink (seed ${seed})`, () => {
    const chains = fc.sample(fc.tuple(anyRecipe(format), anyChain), { numRuns: 200, seed });
    const ends = chains.map(([recipe, steps]) =>
      runChain(codec, format, derive(codec, format, { ...recipe, otype: undefined }), steps),
    );
    expect(ends.filter((end) => end.tagged).length).toBeGreaterThan(40);
    expect(ends.filter((end) => !end.tagged).length).toBeGreaterThan(10);
    expect(ends.filter((end) => end.shrunk).length).toBeGreaterThan(40);
  });
});
