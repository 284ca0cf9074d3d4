/** Programs of the generator for fast-check: legal, of what was asked for, and made smaller by leaving out steps. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completeProgram, programs, type CompleteProgram } from "../../../conformance/index.js";
import { formatNames } from "../../../conformance/program/config-codec.js";
import { operations } from "../../../spec/sfork/operation.js";

const sample = (...options: Parameters<typeof programs>): readonly CompleteProgram[] =>
  fc.sample(programs(...options), { numRuns: 60, seed: 1 });

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)].sort();

test("are complete, and of all formats and usual strategies", () => {
  const all = sample();
  for (const program of all) expect(completeProgram(program)).toEqual(program);
  expect(distinct(all.map(({ config }) => config.format))).toEqual([...formatNames].sort());
  expect(distinct(all.map(({ config }) => config.strategy))).toEqual(["coa", "copa", "eager"]);
  expect(Math.max(...all.map(({ steps }) => steps.length))).toBe(50);
  const ops = new Set(all.flatMap(({ steps }) => steps.map(({ operation }) => operation.op)));
  expect(ops.size).toBeGreaterThan(Object.keys(operations).length / 2);
});

test("are of what is asked for", () => {
  const some = sample({ formats: ["morello"], strategies: ["multi-as-cow"], steps: 7, profile: "posix" });
  expect(distinct(some.map(({ config }) => `${config.format} ${config.strategy}`))).toEqual(["morello multi-as-cow"]);
  expect(Math.max(...some.map(({ steps }) => steps.length))).toBeLessThanOrEqual(7);
  expect(distinct(sample({ profile: "posix" }).map(({ config }) => config.strategy))).toEqual(["posix"]);
});

test("are the same for the same seed of fast-check, and others for another", () => {
  expect(sample()).toEqual(sample());
  expect(fc.sample(programs(), { numRuns: 60, seed: 2 })).not.toEqual(sample());
});

describe("become smaller", () => {
  const forks = ({ steps }: CompleteProgram): number => steps.filter(({ operation }) => operation.op === "fork").length;

  test("until no step can be left out", () => {
    const result = fc.check(
      fc.property(programs(), (program) => forks(program) < 2),
      { seed: 1, numRuns: 500 },
    );
    const [smallest] = result.counterexample ?? expect.fail("no program forks twice");
    expect(smallest.steps.map(({ operation }) => operation.op)).toEqual(["fork", "fork"]);
  });

  test("and so does one that was given as an example", () => {
    const given = sample().find((program) => forks(program) > 0) ?? expect.fail("no program forks");
    const result = fc.check(
      fc.property(programs(), (program) => forks(program) === 0),
      { examples: [[given]], numRuns: 1 },
    );
    expect(result.counterexample?.[0]?.steps.map(({ operation }) => operation.op)).toEqual(["fork"]);
  });
});

test("are refused in one line", () => {
  expect(() => programs({ formats: [] })).toThrow("programs: formats: give a list of some of cheri128-v9, ");
  expect(() => programs({ runs: 3 } as never)).toThrow(
    "programs: runs: is no option; there are formats, strategies, profile, steps",
  );
});
