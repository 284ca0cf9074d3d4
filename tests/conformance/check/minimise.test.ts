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
    expect(minimised.kind).toBe("minimal");
    const { finding } = minimised.kind === "minimal" ? minimised : { finding: first };
    expect(finding.program.steps.map(({ operation: { op } }) => op)).toEqual(["fork"]);
    expect(finding).toMatchObject({ kind: "counters", rule: "REF-4", step: 0, where: "counters of process 1" });
    expect(judge(finding.program)?.key).toBe(finding.key);
  });

  test("comes to the same each time", () => {
    expect(minimise(first, judge)).toEqual(minimised);
  });
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
  expect(minimise(first, () => ({ ...first, rule: "INV-1" }))).toEqual({ kind: "flaky" });
});
