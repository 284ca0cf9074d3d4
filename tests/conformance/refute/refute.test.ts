/** Every claim is refuted from any seed, by a program that the true rules have no trouble with; those survive the search. */
import { describe, expect, test } from "vitest";
import { breachOf } from "../../../conformance/refute/breach.js";
import { claimNames, refute, search, trueConfig, type Refutation } from "../../../conformance/refute/refute.js";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import type { Claim } from "../../../spec/sfork/variants/claim.js";
import { claims, type ClaimName } from "../../../spec/sfork/variants/claims.js";

test("there are sixteen", () => {
  expect(claimNames).toEqual(Array.from({ length: 16 }, (_, index) => `CLAIM-${index + 1}`));
});

const found = (name: ClaimName, seed: string): Refutation => {
  const refutation = refute(name, seed);
  if (refutation === undefined) throw new Error(`${name} stands`);
  return refutation;
};

const breaks = (name: ClaimName, program: CompleteProgram) => breachOf(claims[name], program);

const without = (program: CompleteProgram, index: number): CompleteProgram => ({
  ...program,
  steps: program.steps.filter((_, nth) => nth !== index),
});

describe.each(claimNames)("%s", (name) => {
  const claim: Claim = claims[name];
  const refutations = ["one", "a-seed-of-another-kind", "3141592653"].map((seed) => found(name, seed));

  test("is refuted from three seeds, in at most twelve steps, by the rule that it is said to break", () => {
    for (const { program, breach } of refutations) {
      expect(program.steps.length).toBeLessThanOrEqual(12);
      expect(breach).toMatchObject({ rule: claim.breaks[0], step: program.steps.length - 1 });
      expect(claim.strategies).toContain(program.config.strategy);
    }
  });

  test("by programs of which no step can be left out", () => {
    for (const { program } of refutations) {
      const fewer = program.steps.map((_, index) => breaks(name, without(program, index)));
      expect(fewer.filter((breach) => breach !== undefined)).toEqual([]);
    }
  });

  test("which break nothing under the true rules", () => {
    for (const { program } of refutations) {
      const truly = { ...program, config: trueConfig(claim, program.config) };
      expect(breachOf({ breaks: claim.breaks }, truly, false)).toBeUndefined();
    }
  });

  test("and these survive the search", () => {
    expect(search(name, "one", { side: "true", budget: 40 })).toBeUndefined();
  });
});

test("a seed comes to the same program again, another seed need not", () => {
  const programs = ["a", "a", "b"].map((seed) => found("CLAIM-10", seed));
  expect(programs[1]).toEqual(programs[0]);
  expect(programs[2]?.tried).not.toBe(programs[0]?.tried);
});

test("a search that gives up gives nothing", () => {
  expect(refute("CLAIM-6", "one", { budget: 1, side: "true" })).toBeUndefined();
});
