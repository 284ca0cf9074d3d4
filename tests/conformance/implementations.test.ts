/** The specification as an implementation among others: what it shows is the machine, and it sees what is wrong in one. */
import { describe, expect, test } from "vitest";
import { lockstep } from "../../conformance/check/lockstep.js";
import { generate } from "../../conformance/generate/generate.js";
import { checkMachine, createSpec } from "../../conformance/implementations/spec.js";
import { conformingNames } from "../../conformance/program/config-codec.js";
import { completeConfig } from "../../spec/sfork/config.js";
import type { Machine } from "../../spec/sfork/machine.js";
import type { Step } from "../../spec/sfork/operation.js";

const config = completeConfig({ strategy: "copa" });
if ("illegal" in config) throw new Error(config.illegal);

const steps: readonly Step[] = [
  { actor: 0, operation: { op: "fork", cd: 7 } },
  { actor: 1, operation: { op: "sigmask", signals: [12] } },
  { actor: 1, operation: { op: "thread" } },
];

/** A machine with two processes. */
const forked = (): Machine => {
  const spec = createSpec(config);
  for (const step of steps) spec.step(step);
  return spec.machine();
};

test("a step is told until the next one, and a reset forgets it", () => {
  const spec = createSpec(config);
  expect(spec.observed()).toMatchObject({ observation: { kind: "none" }, thread: undefined });
  for (const step of steps.slice(0, 2)) spec.step(step);
  expect(spec.observed()).toEqual({ observation: { kind: "set", members: [] }, signals: [], thread: 1, process: 1 });
  expect([...spec.view().threads.keys()]).toEqual([0, 1]);
  expect(spec.counters()).toHaveLength(2);
  spec.reset(config);
  expect(spec.observed().thread).toBeUndefined();
  expect([...spec.view().processes.keys()]).toEqual([0]);
});

test.each(conformingNames)("%s agrees with itself, step by step", (strategy) => {
  for (let index = 0; index < 5; index += 1) {
    const program = generate("itself", index, { strategies: [strategy] });
    const both = lockstep(createSpec(program.config), createSpec(program.config), program.steps, { full: index === 0 });
    expect(both).toMatchObject({ steps: program.steps.length, difference: undefined });
  }
});

describe("what it finds wrong in a machine", () => {
  test("nothing, if nothing is", () => {
    expect(checkMachine(forked())).toEqual([]);
  });

  test("a mapping that is not counted, and pages that were not committed", () => {
    const machine = forked();
    const [first, ...frames] = machine.frames;
    if (first === undefined) throw new Error("no frame");
    const miscounted = { ...machine, frames: [{ ...first, references: 1 }, ...frames] };
    expect(checkMachine(miscounted).join()).toMatch(/^INV-8: frame 0 counts 1 references, and has 2 mappings/);
    const poor = { ...machine, config: { ...config, frames: 11 } };
    expect(checkMachine(poor)).toEqual(["INV-13: the machine uses 6 frames, has committed 12 of 11"]);
  });
});
