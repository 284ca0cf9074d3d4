/** Each property fails for a codec with a mistake that it is there to find, and says so in its own words. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Codec, Word } from "../../conformance/codec.js";
import { specCodec as right } from "../../conformance/spec-codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import type { Property } from "./claim.js";
import { classOf, formatNames, geometries, lengthClasses, space, windowOf, wrap } from "./geometry.js";
import { laws } from "./laws.js";
import { alignedRelocation, halfAlignedRelocation, halfIsEnough, relocationCases } from "./relocation.js";

const seed = 0x5f40;
const runs = 3000;

const broken = (mistake: Partial<Codec>): Codec => ({ ...right, ...mistake });

/** The failure of a property, as text; undefined where it holds. */
const failure = (property: Property, numRuns = runs): string | undefined => {
  const { failed, errorInstance } = fc.check(property, { numRuns, seed, endOnFailure: true });
  if (!failed) return undefined;
  return errorInstance instanceof Error ? errorInstance.message : "given up";
};

const step = (format: FormatName, word: Word): bigint => {
  const { base, top } = right.decode(format, word);
  return classOf(format, top - base).step;
};

const sealed = (format: FormatName, word: Word): boolean =>
  right.decode(format, word).otype !== geometries[format].unsealed;

interface Mistake {
  readonly name: string;
  readonly law: keyof typeof laws;
  /** How the failure begins. "No bounds of" a format have a length that is not one of its classes. */
  readonly finds: string;
  readonly formats?: readonly FormatName[];
  readonly codec: Codec;
}

const compressed = formatNames.filter((format) => lengthClasses(format).some(({ internal }) => internal));
const withFastCheck = compressed.filter((format) => geometries[format].fastCheckDiffers);
const with64Bits = formatNames.filter((format) => geometries[format].addressBits === 64n);

const mistakes: readonly Mistake[] = [
  {
    name: "encode forgets the flags",
    law: "identity",
    finds: "fields of a legal capability encode exactly",
    // Morello's flags lie in the address.
    formats: formatNames.filter((format) => format !== "morello"),
    codec: broken({
      encode: (f, fields) => {
        const word = right.encode(f, { ...fields, flags: 0n });
        return { ...word, exact: word.exact && fields.flags === 0n };
      },
    }),
  },
  {
    name: "encode changes a bit now and then",
    law: "identity",
    finds: "they encode to the word that they came from",
    codec: broken({
      encode: (f, fields) => {
        const word = right.encode(f, fields);
        return { ...word, metadata: word.metadata ^ (fields.top === space(f) && fields.base !== 0n ? 1n : 0n) };
      },
    }),
  },
  {
    name: "set-bounds loses the tag of what reaches the end of the address space",
    law: "inRootBounds",
    finds: "the root gives bounds exactly where they fit",
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        return { ...result, tag: result.tag && (w.address + length < space(f) || w.address === 0n) };
      },
    }),
  },
  {
    name: "set-bounds allows one byte past the end of the address space",
    law: "inRootBounds",
    finds: "the root gives (no bounds beyond the address space|bounds exactly where they fit)",
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        return { ...result, tag: w.tag && (result.tag || w.address + length === space(f) + 1n) };
      },
    }),
  },
  {
    name: "the exponent is one too many in one place",
    law: "leastExponent",
    finds: "the exponent is the least for the length",
    codec: broken({
      decode: (f, w) => {
        const decoded = right.decode(f, w);
        return { ...decoded, exponent: decoded.top - decoded.base === 1n ? 1n : decoded.exponent };
      },
    }),
  },
  {
    name: "decoding the largest stored exponent fails",
    law: "total",
    finds: "no such exponent",
    formats: compressed,
    codec: broken({
      decode: (f, w) => {
        const decoded = right.decode(f, w);
        if (decoded.exponent > geometries[f].maxExponent || decoded.exponent < 0n) throw new Error("no such exponent");
        return decoded;
      },
    }),
  },
  {
    name: "a decoded base has a bit too many",
    law: "total",
    finds: "every part of a decoded word lies in its range",
    codec: broken({
      decode: (f, w) => {
        const decoded = right.decode(f, w);
        return { ...decoded, base: decoded.base + (decoded.base > decoded.top ? space(f) : 0n) };
      },
    }),
    formats: withFastCheck,
  },
  {
    name: "and-permissions makes a tag",
    law: "total",
    finds: "and-permissions makes no tag",
    codec: broken({ andPermissions: (f, w, mask) => ({ ...right.andPermissions(f, w, mask), tag: true }) }),
  },
  {
    name: "encode says exact where it rounded",
    law: "encodesOrSaysNot",
    finds: "an encoding is exact where it reads back as asked",
    codec: broken({ encode: (f, fields) => ({ ...right.encode(f, fields), exact: true }) }),
  },
  {
    name: "encode keeps the tag where it rounded",
    law: "encodesOrSaysNot",
    finds: "an encoding is tagged where it is exact",
    codec: broken({ encode: (f, fields) => ({ ...right.encode(f, fields), tag: fields.tag }) }),
  },
  {
    name: "set-bounds rounds inward",
    law: "setBounds",
    finds: "set-bounds rounds outward",
    formats: compressed,
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        const fields = { ...right.decode(f, result), address: result.address, tag: result.tag };
        const less = step(f, result);
        if (result.exact || fields.top - fields.base <= less) return result;
        return { ...right.encode(f, { ...fields, top: fields.top - less }), exact: false };
      },
    }),
  },
  {
    name: "set-bounds rounds by a step too many",
    law: "setBounds",
    finds: "set-bounds rounds by less than a step",
    formats: compressed,
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        const fields = { ...right.decode(f, result), address: result.address, tag: result.tag };
        const outer = right.decode(f, w);
        const wider = right.encode(f, { ...fields, top: fields.top + step(f, result) });
        return result.exact || fields.top + step(f, result) > outer.top || !wider.tag
          ? result
          : { ...wider, exact: false };
      },
    }),
  },
  {
    name: "set-bounds rounds past the parent's top",
    law: "setBounds",
    finds: "(set-bounds stays within the parent|no bounds of)",
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        const { address, tag } = result;
        const fields = { ...right.decode(f, result), address, tag };
        const wider = right.encode(f, { ...fields, top: fields.top + step(f, result) });
        return wider.exact && fields.top === right.decode(f, w).top ? { ...wider, exact: false } : result;
      },
    }),
  },
  {
    name: "set-bounds always says exact",
    law: "setBounds",
    finds: "set-bounds is exact where it does not round",
    formats: compressed,
    codec: broken({ setBounds: (f, w, length) => ({ ...right.setBounds(f, w, length), exact: true }) }),
  },
  {
    name: "set-bounds makes a tag",
    law: "setBounds",
    finds: "set-bounds tags nothing without a tagged, unsealed parent",
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        return { ...result, tag: result.tag || !w.tag };
      },
    }),
  },
  {
    name: "the top loses its bit 2^64",
    law: "setBounds",
    finds: "(set-bounds rounds outward|no bounds of)",
    formats: with64Bits,
    codec: broken({
      decode: (f, w) => {
        const decoded = right.decode(f, w);
        return { ...decoded, top: decoded.top === space(f) && decoded.base !== 0n ? 0n : decoded.top };
      },
    }),
  },
  {
    name: "the fast check reaches one unit below the window",
    law: "representable",
    finds: "the fast check implies the precise one",
    formats: withFastCheck,
    codec: broken({
      representable: (f, w, address) => {
        const answer = right.representable(f, w, address);
        const { base, top } = right.decode(f, w);
        const below = windowOf(f, base, classOf(f, top - base)).from - 1n;
        return { ...answer, fast: answer.fast || address === wrap(f, below) };
      },
    }),
  },
  {
    name: "the fast check loses the second unit of the window as well",
    law: "representable",
    finds: "the fast check is the window but for a unit at each end",
    formats: withFastCheck,
    codec: broken({
      representable: (f, w, address) => {
        const { base, top } = right.decode(f, w);
        const lengths = classOf(f, top - base);
        const second = windowOf(f, base, lengths).from + (1n << lengths.exponent);
        const answer = right.representable(f, w, address);
        return { ...answer, fast: answer.fast && address !== wrap(f, second) };
      },
    }),
  },
  {
    name: "the precise check is that of the bounds",
    law: "representable",
    finds: "the precise check is the representable window",
    codec: broken({
      representable: (f, w, address) => {
        const { base, top } = right.decode(f, w);
        const inside = base <= address && address < top;
        return { fast: inside && right.representable(f, w, address).fast, precise: inside };
      },
    }),
  },
  {
    name: "the fast check says yes to what is malformed or far away",
    law: "fastImpliesPrecise",
    finds: "the fast check implies the precise one",
    formats: compressed,
    codec: broken({
      representable: (f, w, address) => ({
        ...right.representable(f, w, address),
        fast: right.representable(f, w, address).fast || right.decode(f, w).exponent < 3n,
      }),
    }),
  },
  {
    name: "set-address keeps the tag of sealed capabilities",
    law: "setAddress",
    finds: "set-address keeps the tag where unsealed and representable",
    codec: broken({
      setAddress: (f, w, address, check) => {
        const result = right.setAddress(f, w, address, check);
        return { ...result, tag: w.tag && right.representable(f, w, address)[check] };
      },
    }),
  },
  {
    name: "set-address asks nothing",
    law: "setAddress",
    finds: "set-address keeps the tag where unsealed and representable",
    formats: compressed,
    codec: broken({ setAddress: (_format, w, address) => ({ ...w, address }) }),
  },
  {
    name: "both checks, and so set-address, are too generous",
    law: "setAddress",
    finds: "a tag that set-address keeps is for the same bounds",
    formats: compressed,
    codec: broken({
      representable: () => ({ fast: true, precise: true }),
      setAddress: (f, w, address) => ({ ...w, address, tag: w.tag && !sealed(f, w) }),
    }),
  },
  {
    name: "set-address clears a bit of the metadata",
    law: "setAddress",
    finds: "set-address changes the address alone",
    codec: broken({
      setAddress: (f, w, address, check) => {
        const result = right.setAddress(f, w, address, check);
        return result.tag ? result : { ...result, metadata: result.metadata & ~(1n << 8n) };
      },
    }),
  },
  {
    name: "and-permissions adds load for some masks",
    law: "authority",
    finds: "authority is within that of the step before",
    codec: broken({
      andPermissions: (f, w, mask) => {
        const decoded = right.decode(f, w);
        const { address, tag } = w;
        const load = f === "morello" ? 1n << 17n : f.startsWith("rvy") ? 1n << 18n : 1n << 2n;
        const less = right.decode(f, right.andPermissions(f, w, mask)).permissions;
        const more = right.encode(f, {
          ...decoded,
          address,
          tag,
          permissions: (mask & 1n) === 0n ? less | load : less,
        });
        return { ...(sealed(f, w) ? right.andPermissions(f, w, mask) : more), encodable: true };
      },
    }),
  },
  {
    name: "set-bounds trusts the request",
    law: "authority",
    finds: "authority is within that of the step before",
    codec: broken({
      setBounds: (f, w, length) => {
        const result = right.setBounds(f, w, length);
        const { base, top, boundsValid } = right.decode(f, result);
        return { ...result, tag: w.tag && !sealed(f, w) && boundsValid && base <= top && top <= space(f) };
      },
    }),
  },
  {
    name: "set-flags gives back the tag",
    law: "authority",
    finds: "a lost tag never comes back",
    codec: broken({
      setFlags: (f, w, flags) => {
        const result = right.setFlags(f, w, flags);
        return { ...result, tag: result.tag || !w.tag };
      },
    }),
  },
  {
    name: "set-flags changes sealed capabilities",
    law: "authority",
    finds: "a sealed capability that keeps its tag is unchanged",
    // Flags need execute permission there; chains seal rarely.
    formats: ["cheri128-v9", "cheri64-v9", "morello", "uncompressed256"],
    codec: broken({ setFlags: (f, w, flags) => ({ ...right.setFlags(f, w, flags), tag: w.tag }) }),
  },
  {
    name: "the representable length is one step too large",
    law: "roundedLength",
    finds: "set-bounds at an aligned base gives the representable length",
    formats: compressed,
    codec: broken({
      representableLength: (f, length) => {
        const rounded = right.representableLength(f, length);
        return rounded === length || rounded === 0n ? rounded : rounded + classOf(f, rounded).step;
      },
    }),
  },
  {
    name: "the representable length is the least power of two",
    law: "roundedLength",
    finds: "(set-bounds at|the representable length is exact at) an aligned base",
    formats: compressed,
    codec: broken({
      representableLength: (f, length) =>
        length <= 1n ? length : wrap(f, 1n << BigInt((length - 1n).toString(2).length)),
    }),
  },
  {
    name: "set-bounds and the representable length round up by a step too many, where they round",
    law: "roundedLength",
    finds: "no length between is exact",
    formats: compressed,
    codec: ((): Codec => {
      const more = (f: FormatName, length: bigint): bigint => {
        const found = lengthClasses(f).find(({ least, most }) => least < length && length < most);
        return found === undefined || length % found.step === 0n || length + found.step > found.most
          ? length
          : length + found.step;
      };
      return broken({
        representableLength: (f, length) => right.representableLength(f, more(f, length)),
        setBounds: (f, w, length) => right.setBounds(f, w, more(f, length)),
      });
    })(),
  },
  {
    name: "the representable length is rounded down",
    law: "roundedLength",
    finds: "the representable length is not less",
    formats: compressed,
    codec: broken({
      representableLength: (f, length) => {
        const rounded = right.representableLength(f, length);
        return rounded === length || rounded === 0n ? rounded : rounded - classOf(f, rounded).step;
      },
    }),
  },
  {
    name: "the mask has a one too many",
    law: "roundedLength",
    finds: "the representable length is exact at an aligned base",
    formats: compressed,
    codec: broken({
      alignmentMask: (f, length) => {
        const mask = right.alignmentMask(f, length);
        return mask === 0n ? 0n : wrap(f, mask | (mask >> 1n));
      },
    }),
  },
  {
    name: "the mask has a zero too many",
    law: "weakestMask",
    finds: "a base that is aligned one bit less is not exact",
    codec: broken({ alignmentMask: (f, length) => wrap(f, right.alignmentMask(f, length) << 1n) }),
  },
  {
    name: "the mask has a hole",
    law: "weakestMask",
    finds: "(the mask is a run of ones above a run of zeros|a base that is aligned one bit less)",
    codec: broken({ alignmentMask: (f, length) => right.alignmentMask(f, length) & ~(1n << 30n) }),
  },
  {
    name: "an inexact relocation keeps the tag",
    law: "relocationTellsTheTruth",
    finds: "relocation keeps the tag where it is exact",
    codec: broken({ relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), tag: w.tag }) }),
  },
  {
    name: "relocation says exact where it is not",
    law: "relocationTellsTheTruth",
    finds: "relocation is exact where the numbers are",
    codec: broken({ relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), exact: true, tag: true }) }),
  },
  {
    name: "relocation moves the address alone",
    law: "relocationTellsTheTruth",
    finds: "relocation is exact where the numbers are",
    codec: broken({
      relocate: (f, w, delta) => ({ ...w, address: wrap(f, w.address + delta), exact: true, boundsExact: true }),
    }),
  },
  {
    name: "relocation leaves the address",
    law: "relocationTellsTheTruth",
    finds: "the address moves",
    codec: broken({ relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), address: w.address }) }),
  },
  {
    name: "relocation unseals",
    law: "relocationTellsTheTruth",
    finds: "an exact relocation can be undone",
    codec: broken({
      relocate: (f, w, delta) => ({
        ...right.relocate(f, w, delta),
        metadata: right.withOtype(f, right.relocate(f, w, delta), geometries[f].unsealed).metadata,
      }),
    }),
  },
];

test("there is a mistake for every property", () => {
  expect(new Set(mistakes.map(({ law }) => law))).toEqual(new Set(Object.keys(laws)));
});

describe.each(mistakes)("$name ($law, seed 24384)", ({ law, finds, formats = formatNames, codec }) => {
  test.each(formats)("is found in %s", (format) => {
    expect(failure(laws[law].property(codec, format))).toMatch(new RegExp(`^(not so: )?${finds}`));
  });
});

describe("mistakes in relocation by exponent", () => {
  const cases = compressed.flatMap((format) =>
    relocationCases(format)
      .filter(({ alignment, lengths }) => alignment > 1n && [0n, 7n, 20n].includes(lengths.exponent))
      .map((one) => ({ ...one, format })),
  );

  test.each(cases)("$format, $name: refusing odd multiples is found", ({ format, lengths, where, alignment }) => {
    const strict = broken({
      relocate: (f, w, delta) => {
        const result = right.relocate(f, w, delta);
        const exact = result.exact && delta % (2n * alignment) === 0n;
        return { ...result, exact, tag: w.tag && exact };
      },
    });
    expect(failure(alignedRelocation(strict, format, lengths, where))).toMatch(/says that it is exact/);
  });

  test.each(cases)("$format, $name: with every distance exact, half is enough", ({ format, lengths, where }) => {
    const lax = broken({ relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), exact: true }) });
    expect(failure(halfAlignedRelocation(lax, format, lengths, where), 200)).toBeUndefined();
    expect(failure(halfAlignedRelocation(right, format, lengths, where))).toContain(halfIsEnough);
  });

  /** Mistakes in what an exact relocation keeps. */
  const kept: readonly (readonly [what: RegExp, mistake: Partial<Codec>])[] = [
    [/it keeps the tag/, { relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), tag: false }) }],
    [/it moves bounds/, { relocate: (f, w, delta) => ({ ...right.relocate(f, w, delta), metadata: w.metadata }) }],
    [
      /it moves the address/,
      {
        relocate: (f, w, delta) => {
          const result = right.relocate(f, w, delta);
          return { ...result, address: result.address ^ 1n };
        },
      },
    ],
    [
      /it keeps permissions and type/,
      {
        relocate: (f, w, delta) => {
          const result = right.relocate(f, w, delta);
          return { ...result, metadata: right.andPermissions(f, result, ~4n & 0xffff_ffffn).metadata };
        },
      },
    ],
    [
      /it keeps flags/,
      {
        relocate: (f, w, delta) => {
          const result = right.relocate(f, w, delta);
          return { ...result, metadata: right.setFlags(f, result, 0n).metadata };
        },
      },
    ],
  ];

  test.each(kept)("%s is found", (what, mistake) => {
    const lengths = lengthClasses("cheri128-v9")[8];
    if (lengths === undefined) throw new Error("no such class");
    expect(failure(alignedRelocation(broken(mistake), "cheri128-v9", lengths, "inside"))).toMatch(what);
  });
});
