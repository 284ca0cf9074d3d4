/** From a finding to the smallest program: of the same cause, with no step too many; what does not show again is flaky. */
import { describe, expect, test } from "vitest";
import { judgeBeside } from "../../../conformance/check/beside.js";
import type { CompleteProgram, Finding } from "../../../conformance/check/finding.js";
import { minimise } from "../../../conformance/check/minimise.js";
import { generate } from "../../../conformance/generate/generate.js";
import { createFast, fastStrategies } from "../../../impl/fast/index.js";
import type { Implementation } from "../../../impl/implementation.js";
import type { Config } from "../../../spec/sfork/config.js";

/** A fork whose child's counters are one too high, seen only when counters are looked at; and a wrong `getppid`. */
const wrong = (config: Config): Implementation => {
  const right = createFast(config);
  return {
    ...right,
    counters: () => right.counters().map((one, ordinal) => (ordinal === 0 ? one : { ...one, faults: one.faults + 1 })),
  };
};

const judge = (program: CompleteProgram): Finding | undefined => judgeBeside(program, wrong, { full: true }).finding;

/** The first finding of a seed, judged as a campaign does: everything is looked at in the end. */
const found = (): Finding => {
  for (let index = 0; ; index += 1) {
    const { version, config, steps } = generate("minimise", index, { strategies: fastStrategies });
    const { finding } = judgeBeside({ version, config, steps }, wrong);
    if (finding !== undefined && finding.program.steps.length > 20) return finding;
  }
};

describe("a finding", () => {
  const first = found();
  const minimised = minimise(first, judge);

  test("comes to the step that it takes", () => {
    expect(first.kind).toBe("counters");
    if (minimised.kind === "flaky") throw new Error("flaky");
    const { finding, minimal } = minimised;
    expect(minimal).toBe(true);
    expect(finding.program.steps.map(({ operation: { op } }) => op)).toEqual(["fork"]);
    expect(finding).toMatchObject({ kind: "counters", rule: "REF-4", step: 0, where: "P1 faults" });
    expect(judge(finding.program)?.key).toBe(finding.key);
  });

  test("comes to the same each time", () => {
    expect(minimise(first, judge)).toEqual(minimised);
  });
});

test("what is found earlier where everything is looked at, is what the program comes to", () => {
  // As it was found, a process is there too many; looked at after each step, its counters were wrong before.
  const other: Finding = { ...found(), kind: "invariant", rule: "INV-8", key: "INV-8 exit" };
  expect(minimise(other, judge)).toMatchObject({ kind: "small", finding: { kind: "counters", rule: "REF-4" } });
});

test("a budget of steps that ends first leaves what was found until then", () => {
  const first = found();
  const spent: number[] = [];
  const counting = (program: CompleteProgram): Finding | undefined => {
    spent.push(program.steps.length + 1);
    return judge(program);
  };
  const budget = 12;
  const result = minimise(first, counting, { budget });
  expect(result).toMatchObject({ kind: "small", minimal: false, finding: { rule: "REF-4" } });
  // It shows twice before anything is left out.
  const steps = spent.slice(2);
  expect(result).toMatchObject({ judged: steps.length });
  const sum = (some: readonly number[]): number => some.reduce((total, one) => total + one, 0);
  expect(sum(steps)).toBeGreaterThanOrEqual(budget);
  expect(sum(steps.slice(0, -1))).toBeLessThan(budget);
});

test("what is small enough is left as it is then", () => {
  let asked = 0;
  const enough = (): boolean => (asked += 1) > 5;
  expect(minimise(found(), judge, { enough })).toMatchObject({ kind: "small", judged: 5, minimal: false });
});

test("what does not show twice is flaky", () => {
  const first = found();
  let times = 0;
  const once = (program: CompleteProgram): Finding | undefined => {
    times += 1;
    return times === 1 ? judge(program) : undefined;
  };
  expect(minimise(first, once)).toEqual({ kind: "flaky" });
  expect(minimise(first, () => undefined)).toEqual({ kind: "flaky" });
  const changing = (): Finding => ({ ...first, key: `${(times += 1)}` });
  expect(minimise(first, changing)).toEqual({ kind: "flaky" });
});
