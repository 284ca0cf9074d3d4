/**
 * A small run beside the large one that docs/checking.md describes: programs of up to 60 steps, 1,000 for cheri128-v9 and
 * 200 for every other format, shared out over three seeds.
 */
import { describe, expect, test } from "vitest";
import { createTally, judgeProgram } from "../../../conformance/check/campaign.js";
import { formatNames } from "../../../conformance/program/config-codec.js";
import { settings } from "./support.js";

/** Programs of each seed: 1,000 and 200 in all. */
const shares = [
  ["1", { most: 334, other: 67 }],
  ["2", { most: 333, other: 67 }],
  ["3", { most: 333, other: 66 }],
] as const;

/** Milliseconds for each seed and format; a busy machine takes a while. */
const patience = 600_000;

describe.each(shares)("seed %s", (seed, { most, other }) => {
  test.each(formatNames)(
    "%s: no findings",
    (format) => {
      const given = settings({ seed, formats: [format], steps: 60 });
      const runs = format === "cheri128-v9" ? most : other;
      const tally = createTally(given);
      for (let index = 0; index < runs; index += 1) tally.add(judgeProgram(given, index));
      const { programs, checks, findings } = tally.totals();
      expect(findings).toEqual([]);
      expect(programs).toBe(runs);
      // It was not empty: tens of steps of each program were under all invariants, a sixth of them compared by each rule.
      expect(checks.filter(({ checked }) => checked < runs * 4)).toEqual([]);
    },
    patience,
  );
});
