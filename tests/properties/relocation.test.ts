/** The stated alignment is enough for relocation, and the least that is: by format, exponent, and place of the address. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fastCodec } from "../../conformance/fast-codec.js";
import { specCodec } from "../../conformance/spec-codec.js";
import { formatNames } from "./geometry.js";
import { alignedRelocation, halfAlignedRelocation, halfIsEnough, relocationCases } from "./relocation.js";

const seed = 0x5f10;
const runs = 20;
/** The search ends at the first counterexample, which is mostly one of the first few. */
const searchRuns = 4000;

describe.each([specCodec, fastCodec])("$name", (codec) => {
  describe.each(formatNames)("%s", (format) => {
    const cases = relocationCases(format);

    test(`a multiple of the stated alignment is exact, for every exponent (seed ${seed})`, () => {
      cases.forEach(({ lengths, where }) => {
        fc.assert(alignedRelocation(codec, format, lengths, where), { numRuns: runs, seed });
      });
    });

    test(`an odd multiple of its half is not always, for any exponent (seed ${seed})`, () => {
      const enough = cases
        .filter(({ alignment }) => alignment > 1n)
        .filter(({ lengths, where }) => {
          const { errorInstance } = fc.check(halfAlignedRelocation(codec, format, lengths, where), {
            numRuns: searchRuns,
            seed,
            endOnFailure: true,
          });
          return !(errorInstance instanceof Error && errorInstance.message.includes(halfIsEnough));
        })
        .map(({ name }) => name);
      expect(enough).toEqual([]);
    });
  });
});
