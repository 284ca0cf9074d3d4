/**
 * Do two codecs give the same answers? A seeded loop over random words, each asked of every function of the interface.
 * Used by scripts/agree.ts for as many words as one likes, and by agree.test.ts for some.
 */
import type { AddressCheck, Codec, Decoded, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import { print } from "./claim.js";
import { formatNames, geometries, space, windowOf, withStoredExponent, wrap } from "./geometry.js";
import { seededRandom, type Random } from "./random.js";

/** The first question to which the answers differ. */
export interface Disagreement {
  readonly format: FormatName;
  /** Which word of the run, from 0. */
  readonly pattern: number;
  readonly word: Word;
  readonly method: string;
  readonly arguments: readonly unknown[];
  readonly answers: readonly (readonly [codec: string, answer: unknown])[];
}

export interface Agreement {
  readonly patterns: number;
  /** Questions that were asked of both. */
  readonly compared: number;
  readonly disagreement: Disagreement | undefined;
}

/** A number around 0, a power of two or the end of the address space, or anything of any length. */
const number = (random: Random, width: number): bigint => {
  switch (random.below(4)) {
    case 0:
      return BigInt.asUintN(width, (1n << BigInt(random.below(width + 1))) + BigInt(random.below(5) - 2));
    case 1:
      return BigInt.asUintN(width, BigInt(random.below(16) - 8));
    case 2:
      return random.bits(1 + random.below(width));
    default:
      return random.bits(width);
  }
};

const width = (format: FormatName): number => Number(geometries[format].addressBits);

/** An address near something that matters to a capability, an end of its window above all, or anywhere. */
const addressFor = (random: Random, format: FormatName, word: Word, { base, top, exponent }: Decoded): bigint => {
  const { maxExponent } = geometries[format];
  const E = exponent < 0n ? 0n : exponent > maxExponent ? maxExponent : exponent;
  const window = windowOf(format, base, { exponent: E });
  const places = [base, top, word.address, window.from, window.to] as const;
  const place = random.chance(3) ? undefined : places[random.below(places.length)];
  if (place === undefined) return number(random, width(format));
  const units = BigInt(random.below(5) - 2) << E;
  return wrap(format, place + units + BigInt(random.below(3) - 1));
};

const lengthFor = (random: Random, format: FormatName, word: Word, { top }: Decoded): bigint => {
  switch (random.below(6)) {
    case 0:
      return wrap(format, top - word.address + (random.chance(2) ? 0n : BigInt(random.below(3) - 1)));
    case 1:
      return space(format) - (random.chance(2) ? 0n : number(random, width(format)));
    default:
      return number(random, width(format));
  }
};

/** A distance, also one that takes bounds to the very ends of the address space or past them. */
const distanceFor = (random: Random, format: FormatName, { base, top }: Decoded): bigint => {
  switch (random.below(4)) {
    case 0: {
      const most = BigInt.asUintN(width(format), random.bits(64) << BigInt(random.below(width(format))));
      return random.chance(2) ? most : -most;
    }
    case 1: {
      const edge = random.chance(2) ? -base : space(format) - top;
      const off = random.chance(2) ? 0n : number(random, width(format));
      return (random.chance(2) ? edge + off : edge - off) % space(format);
    }
    default:
      return random.chance(2) ? number(random, width(format)) : -number(random, width(format));
  }
};

/** Fill a stretch of bits with zeros, ones or noise. */
const scribble = (random: Random, word: bigint, bits: number): bigint => {
  const from = BigInt(random.below(bits));
  const mask = BigInt.asUintN(bits, ((1n << BigInt(1 + random.below(24))) - 1n) << from);
  const fill = random.below(3);
  return (word & ~mask) | (fill === 0 ? 0n : fill === 1 ? mask : random.bits(bits) & mask);
};

/** A capability that the codec makes from its root by instructions, whatever comes out. */
const derived = (random: Random, codec: Codec, format: FormatName): Word => {
  const start = { ...codec.root(format), address: number(random, width(format)) };
  if (random.chance(6)) return start;
  const { metadata, address, tag } = codec.setBounds(format, start, number(random, width(format)));
  const bounded = { metadata, address, tag };
  const moved = codec.setAddress(
    format,
    bounded,
    addressFor(random, format, bounded, codec.decode(format, bounded)),
    "precise",
  );
  return random.chance(3) ? codec.withOtype(format, moved, random.bits(24) % geometries[format].largestOtype) : moved;
};

const randomWord = (random: Random, codec: Codec, format: FormatName): Word => {
  const bits = Number(geometries[format].metadataBits);
  const metadata = random.bits(bits);
  const address = random.chance(2) ? random.bits(width(format)) : number(random, width(format));
  const tag = random.chance(2);
  switch (random.below(5)) {
    case 0:
      return { metadata: withStoredExponent(format, metadata, random.bits(6)), address, tag };
    case 1:
      return { metadata: scribble(random, random.chance(2) ? 0n : metadata, bits), address, tag };
    case 2: {
      const word = derived(random, codec, format);
      return { ...word, metadata: scribble(random, word.metadata, bits) };
    }
    case 3:
      return derived(random, codec, format);
    default:
      return { metadata, address, tag };
  }
};

type Question = readonly [method: string, args: readonly unknown[], ask: (codec: Codec) => unknown];

/** One question to each function, where the interface says what the answer is. */
const questions = (random: Random, codec: Codec, format: FormatName, word: Word): readonly Question[] => {
  const decoded = codec.decode(format, word);
  const { flags: largestFlags, largestOtype } = geometries[format];
  const length = lengthFor(random, format, word, decoded);
  const address = addressFor(random, format, word, decoded);
  const check: AddressCheck = random.chance(2) ? "fast" : "precise";
  const mask = random.bits(32) | (random.chance(2) ? random.bits(32) | random.bits(32) : 0n);
  const otype = random.bits(24) % (largestOtype + 1n);
  const flags = random.bits(8) & largestFlags;
  const delta = distanceFor(random, format, decoded);
  const other = number(random, width(format));
  const fields = { ...decoded, address: word.address, tag: word.tag };
  // Only bounds that a capability could have are encoded or moved: [base, top) within the address space.
  const upright = decoded.base <= decoded.top && decoded.top <= space(format);
  return [
    ["decode", [], (c) => c.decode(format, word)],
    ["setBounds", [length], (c) => c.setBounds(format, word, length)],
    ["representable", [address], (c) => c.representable(format, word, address)],
    ["setAddress", [address, check], (c) => c.setAddress(format, word, address, check)],
    ["andPermissions", [mask], (c) => c.andPermissions(format, word, mask)],
    ["withOtype", [otype], (c) => c.withOtype(format, word, otype)],
    ["setFlags", [flags], (c) => c.setFlags(format, word, flags)],
    ["representableLength", [other], (c) => c.representableLength(format, other)],
    ["alignmentMask", [other], (c) => c.alignmentMask(format, other)],
    ...(upright ? [["encode", [fields], (c) => c.encode(format, fields)] satisfies Question] : []),
    ...(upright ? [["relocate", [delta], (c) => c.relocate(format, word, delta)] satisfies Question] : []),
  ];
};

const same = (left: unknown, right: unknown): boolean => {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return left === right;
  const a = new Map<string, unknown>(Object.entries(left));
  const b = new Map<string, unknown>(Object.entries(right));
  return a.size === b.size && [...a].every(([key, value]) => b.has(key) && b.get(key) === value);
};

/** Called after each word with how many there were; `false` ends the run. */
export type Watch = (patterns: number) => boolean;

/** Ask `patterns` words of both codecs, until they disagree. Derived words are made with the first. */
export const agree = (
  [left, right]: readonly [Codec, Codec],
  format: FormatName,
  { patterns, seed }: { readonly patterns: number; readonly seed: number },
  watch: Watch = () => true,
): Agreement => {
  const random = seededRandom(seed, formatNames.indexOf(format));
  let compared = 0;
  for (let pattern = 0; pattern < patterns; pattern += 1) {
    const word = randomWord(random, left, format);
    for (const [method, args, ask] of questions(random, left, format, word)) {
      const answers = [ask(left), ask(right)] as const;
      compared += 1;
      if (!same(...answers)) {
        const named = [
          [left.name, answers[0]],
          [right.name, answers[1]],
        ] as const;
        const disagreement = { format, pattern, word, method, arguments: args, answers: named };
        return { patterns: pattern + 1, compared, disagreement };
      }
    }
    if (!watch(pattern + 1)) return { patterns: pattern + 1, compared, disagreement: undefined };
  }
  return { patterns, compared, disagreement: undefined };
};

/** A disagreement on a few lines, with what is needed to see it again. */
export const describeDisagreement = (at: Disagreement, seed: number): string =>
  [
    `${at.format}: ${at.answers.map(([name]) => name).join(" and ")} differ in ${at.method}`,
    `  seed       ${seed}, pattern ${at.pattern}`,
    `  word       ${print(at.word)}`,
    `  arguments  ${at.arguments.map(print).join(", ")}`,
    ...at.answers.map(([name, answer]) => `  ${name.padEnd(9)}  ${print(answer)}`),
  ].join("\n");
