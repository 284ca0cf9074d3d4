/** Chains of operations, of which none may add authority. */
import fc from "fast-check";
import type { AddressCheck, Codec, Decoded, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import { anyCheck, anyNumber, anySpot, anyTarget, at, targetAddress, type Spot, type Target } from "./arbitraries.js";
import { claim, isSealed, numbers, subset } from "./claim.js";
import { geometries, plain, space, wrap } from "./geometry.js";

interface Step {
  readonly kind: "set-bounds" | "set-address" | "and-permissions" | "seal-entry" | "set-flags";
  readonly place: Target;
  readonly spot: Spot;
  readonly number: bigint;
  readonly check: AddressCheck;
  /** Go on from an untagged result; otherwise the next step starts from the same capability again. */
  readonly goOn: boolean;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("set-bounds", "set-address") },
    { weight: 2, arbitrary: fc.constantFrom("and-permissions", "set-flags") },
    { weight: 1, arbitrary: fc.constant("seal-entry") },
  ),
  place: anyTarget,
  spot: anySpot,
  number: anyNumber,
  check: anyCheck,
  goOn: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
});

const carryOut = (codec: Codec, format: FormatName, word: Word, step: Step): Word => {
  const decoded = codec.decode(format, word);
  const { sentry, flags } = geometries[format];
  switch (step.kind) {
    case "set-bounds": {
      // As much as is left, or less; one request in four is for any length at all.
      const left = decoded.top - plain(format, word.address);
      const free = step.place === "edge" || step.place === "anywhere" || left < 0n;
      return codec.setBounds(format, word, free ? step.number % (space(format) + 1n) : at(step.spot, 0n, left));
    }
    case "set-address":
      return codec.setAddress(
        format,
        word,
        word.tag ? targetAddress(format, decoded, step.place, step.spot) : wrap(format, step.number),
        step.check,
      );
    case "and-permissions":
      return codec.andPermissions(format, word, ~step.number & 0xffff_ffffn);
    case "seal-entry": {
      const sealed = codec.withOtype(format, word, sentry);
      return { ...sealed, tag: word.tag && sealed.tag && !isSealed(format, decoded) };
    }
    case "set-flags":
      return codec.setFlags(format, word, step.number & flags);
  }
};

/** Bounds and permissions of a tagged capability are within those of another. */
const within = (inner: Decoded, outer: Decoded): boolean =>
  inner.base >= outer.base && inner.top <= outer.top && subset(inner.permissions, outer.permissions);

/** How far a chain got; for counting. */
export interface ChainEnd {
  readonly tagged: boolean;
  readonly shrunk: boolean;
}

/** Carry out a chain and check it after every step. */
export const runChain = (codec: Codec, format: FormatName, start: Word, steps: readonly Step[]): ChainEnd => {
  const first = codec.decode(format, start);
  const last = steps.reduce((word, step) => {
    const before = codec.decode(format, word);
    const result = carryOut(codec, format, word, step);
    const after = codec.decode(format, result);
    const shown = () => ({
      step: step.kind,
      ...numbers("before", codec, format, word),
      ...numbers("after", codec, format, result),
      "before.permissions": before.permissions,
      "after.permissions": after.permissions,
    });
    claim("a lost tag never comes back", word.tag || !result.tag, shown);
    if (result.tag) {
      claim("authority is within that of the step before", within(after, before), shown);
      claim("authority is within that of the start", within(after, first), shown);
      claim("a tagged capability has valid bounds", after.boundsValid && after.base <= after.top, shown);
      claim(
        "a sealed capability that keeps its tag is unchanged",
        !isSealed(format, before) || (result.metadata === word.metadata && result.address === word.address),
        shown,
      );
    }
    return result.tag || step.goOn ? result : word;
  }, start);
  const end = codec.decode(format, last);
  return { tagged: last.tag, shrunk: end.top - end.base < first.top - first.base };
};

/** The length of every chain. */
export const chainLength = 20;

export const anyChain: fc.Arbitrary<readonly Step[]> = fc.array(anyStep, {
  minLength: chainLength,
  maxLength: chainLength,
});
