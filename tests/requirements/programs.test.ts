/** The programs of requirements hold, in every format and at every level, and show what they are about. */
import { describe, expect, test } from "vitest";
import { canonical, printObservation } from "../../conformance/canon.js";
import { formatNames, conformingNames } from "../../conformance/program/config-codec.js";
import { meetsExpectation } from "../../conformance/program/expectation-codec.js";
import { modelled } from "../../conformance/requirements/table.js";
import { exercisedBy } from "../../conformance/requirements/witness.js";
import { formats } from "../../spec/cheri/index.js";
import { checkedStep, start, violations } from "../../spec/invariants/check.js";
import type { Config } from "../../spec/sfork/config.js";
import { isSupported } from "../../spec/sfork/step.js";
import { configOf, programOf, programs, type Written } from "./programs.js";

const ids = modelled.map(({ id }) => ({ id }));

test("there is one for every requirement that is modelled, and no other", () => {
  expect([...programs.keys()].toSorted()).toEqual(ids.map(({ id }) => id).toSorted());
});

/** Formats that have every operation of a program. */
const formatsOf = ({ program: { steps } }: Written): readonly Config["format"][] =>
  formatNames.filter((name) =>
    steps.every(({ operation: { op } }) => conformingNames.every((level) => isSupported(formats[name], op, level))),
  );

/** What does not hold in a run: expectations, and all invariants after every step. */
const problems = ({ program: { steps }, lineOf }: Written, config: Config): readonly string[] => {
  const found: string[] = [];
  let checked = start(config);
  for (const [index, next] of steps.entries()) {
    const { checked: after, observation, signals, delivery, transition } = checkedStep(checked, next);
    const seen = canonical(observation, after.machine, transition?.process, signals);
    if (next.expect !== undefined && !meetsExpectation(next.expect, seen)) {
      found.push(`line ${lineOf(index)}: ${printObservation(next.expect)}, but was ${printObservation(seen)}`);
    }
    const form = index === steps.length - 1 ? "full" : "incremental";
    for (const one of [delivery, transition].flatMap((made) => (made === undefined ? [] : violations(made, form)))) {
      found.push(`line ${lineOf(index)}: ${one.rule} ${one.where} ${one.what}`);
    }
    checked = after;
  }
  return found;
};

describe.each(ids)("$id", ({ id }) => {
  const program = programOf(id);

  test("begins with the requirement, and says what to expect", () => {
    expect(program.text).toMatch(new RegExp(`^sfork 1\n# ${id}: .+\n`));
    expect(program.program.steps.filter(({ expect: expected }) => expected !== undefined).length).toBeGreaterThan(1);
  });

  test("uses the operations that the table names", () => {
    const used = new Set<string>(program.program.steps.map(({ operation: { op } }) => op));
    const row = modelled.find((one) => one.id === id);
    expect(row?.operations.filter((name) => !used.has(name))).toEqual([]);
  });

  test("exercises the requirement", () => {
    const { steps } = program.program;
    expect(exercisedBy(configOf(program), steps)).toContain(id);
  });

  test("holds in every format, at every level", () => {
    expect(formatsOf(program)).toEqual(formatNames);
    for (const format of formatNames) {
      for (const strategy of conformingNames) {
        const config = configOf(program, { format, strategy });
        expect(problems(program, config), `${format} ${strategy}`).toEqual([]);
      }
    }
  });
});
