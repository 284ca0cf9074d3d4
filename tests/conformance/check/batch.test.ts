/** Minimisation as a worker does it: until a time, and past candidates that other threads were lost in. */
import { expect, test } from "vitest";
import { minimise, type Minimisation } from "../../../conformance/check/batch.js";
import { judgeAs, type Found } from "../../../conformance/check/campaign.js";
import { createPulse, readPulse } from "../../../conformance/check/pulse.js";
import { program, settings, wrongNumber } from "./support.js";

const given = settings({ strategies: ["copa"] });

const found = (): Found => {
  const long = program("config strategy=copa", "0: yield", "0: fork c7", "0: yield", "0: li c9, 5", "0: yield");
  const { finding } = judgeAs("spec-lazy", long, { checker: wrongNumber });
  if (finding === undefined) throw new Error("nothing was found");
  return { index: 0, finding };
};

const task: Minimisation = { settings: given, found: found() };

const opsOf = (more: Partial<Minimisation>) => {
  const result = minimise({ ...task, ...more }, wrongNumber);
  if (result.kind === "flaky") throw new Error("flaky");
  const { finding, judged, minimal } = result;
  return { ops: finding.program.steps.map(({ operation: { op } }) => op), judged, minimal };
};

test("when the time is up, what was found until then is small enough, and said not to be minimal", () => {
  expect(opsOf({})).toMatchObject({ ops: ["li"], minimal: true });
  expect(opsOf({ until: Date.now() - 1 })).toEqual({
    ops: ["yield", "fork", "yield", "li"],
    judged: 0,
    minimal: false,
  });
});

test("the time is looked at where there is something new: what other threads came to is come to again", () => {
  // The first two show it once more; then candidates are counted on.
  const lost = [{ kind: "worker", nth: 5, step: 0, message: "Error: out of memory" }] as const;
  expect(opsOf({ until: Date.now() - 1, lost }).judged).toBe(4);
});

test("a candidate that a thread was lost in shows something else, and is not judged again", () => {
  const pulse = createPulse();
  const all = opsOf({ pulse });
  const { nth } = readPulse(pulse);
  expect(nth).toBe(all.judged + 1);
  // Where no candidate answers, nothing becomes smaller, up to the most that may be lost.
  const lost = Array.from({ length: 40 }, (_, at) => ({ kind: "hang", nth: 2 + at, step: 0, message: "" }) as const);
  expect(opsOf({ lost })).toMatchObject({ ops: ["yield", "fork", "yield", "li"] });
});
