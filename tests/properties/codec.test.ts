/** The properties of laws.ts, of the specification and of the optimised codec, in every format. */
import fc from "fast-check";
import { describe, test } from "vitest";
import { fastCodec } from "../../conformance/fast-codec.js";
import { specCodec } from "../../conformance/spec-codec.js";
import type { Law } from "./claim.js";
import { formatNames } from "./geometry.js";
import { laws } from "./laws.js";

describe.each([specCodec, fastCodec])("$name", (codec) => {
  describe.each(formatNames)("%s", (format) => {
    test.each<Law>(Object.values(laws))("$title (seed $seed)", ({ property, runs, seed }) => {
      fc.assert(property(codec, format), { numRuns: runs, seed });
    });
  });
});
