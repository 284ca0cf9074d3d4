/** Each program notices a machine that does what its requirement forbids. */
import { expect, test } from "vitest";
import { modelled } from "../../conformance/requirements/table.js";
import { step } from "../../spec/sfork/step.js";
import { configOf, failures, programOf } from "./programs.js";
import type { Wrong } from "./wrong/machines.js";
import { wrongCalls, wrongMemory } from "./wrong/memory.js";
import { wrongDescriptors, wrongSignals, wrongTime } from "./wrong/objects.js";
import { wrongAttributes, wrongEnding } from "./wrong/processes.js";

const wrong: Readonly<Record<string, Wrong>> = {
  ...{ ...wrongCalls, ...wrongMemory, ...wrongDescriptors },
  ...{ ...wrongSignals, ...wrongTime, ...wrongAttributes, ...wrongEnding },
};

test("there is a wrong machine for every requirement that is modelled", () => {
  expect(Object.keys(wrong).toSorted()).toEqual(modelled.map(({ id }) => id).toSorted());
});

test.each(Object.entries(wrong).map(([id, machine]) => ({ id, does: machine.does, machine })))(
  "$id notices a machine that $does",
  ({ id, machine }) => {
    const program = programOf(id);
    const config = configOf(program, { strategy: machine.strategy ?? "eager" });
    expect(failures(program, config, step)).toEqual([]);
    expect(failures(program, config, machine.take)).not.toEqual([]);
  },
);
