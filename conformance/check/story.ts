/**
 * A finding told: the program, what the specification observes in each of its steps, the first difference, and every place
 * that differs after it.
 */
import { createSpec } from "../implementations/spec.js";
import { plural } from "../plural.js";
import { printTextProgram } from "../program/print.js";
import { systemOf } from "../refute/breach.js";
import { stepLines, tell, widthOf } from "../told.js";
import type { Create } from "./campaign.js";
import type { Finding } from "./finding.js";
import { crashMessage } from "./judge.js";
import { differentPlaces, type DifferentPlace } from "./places.js";

/** Places that are shown, of two lines each: about what one looks at. */
const mostPlaces = 10;

const placeLines = (places: readonly DifferentPlace[]): readonly string[] => {
  const shown = places.slice(0, mostPlaces);
  const width = widthOf(shown.map(({ name }) => name));
  return [
    ...shown.flatMap(({ name, expected, actual }) => [
      `  ${name.padEnd(width)}  expected  ${expected}`,
      `  ${" ".repeat(width)}  actual    ${actual}`,
    ]),
    ...(places.length > mostPlaces ? [`  and ${plural(places.length - mostPlaces, "more place")}`] : []),
  ];
};

/** Where both sides differ after the finding's program, which ends with the step that fails. */
const comparison = ({ program: { config, steps }, kind }: Finding, create: Create): readonly string[] => {
  const spec = createSpec(config);
  try {
    const actual = create(config);
    for (const step of steps) {
      spec.step(step);
      actual.step(step);
    }
    const seen = { view: actual.view(), counters: actual.counters() };
    const places = differentPlaces(spec.machine(), { view: spec.view(), counters: spec.counters() }, seen);
    return places.length === 0
      ? ["after it registers, memory and counters are as in the specification"]
      : ["after it there differ", ...placeLines(places)];
  } catch (error) {
    return kind === "crash" ? [] : [`what there is to be seen after it cannot be told: ${crashMessage(error)}`];
  }
};

const headline = ({ kind, rule, where, what, program }: Finding): string => {
  if (kind !== "crash") return `${rule}: ${where} ${what}`;
  return `${rule}: ${program.steps.length === 0 ? "starting the machine" : where} throws ${what}`;
};

/** A specification that fails itself must not hide what was found. */
const specificationLines = ({ program }: Finding): readonly string[] => {
  if (program.steps.length === 0) return [];
  try {
    return ["the specification", ...stepLines(tell(systemOf({}), program).steps), ""];
  } catch (error) {
    return [`the specification fails: ${crashMessage(error)}`, ""];
  }
};

/**
 * Tell a finding, a line an item, always in the same words. `create` makes the implementation that was checked; without
 * it, as for the specification alone, what differs after the step is left out. Does not throw.
 */
export const printStory = (finding: Finding, create?: Create): readonly string[] => {
  const { kind, expected, actual, also, step, program } = finding;
  return [
    headline(finding),
    ...(also.length === 0 ? [] : [`also breaks ${also.join(", ")}`]),
    ...(kind === "flaky" ? ["it did not show again: what is checked depends on more than the program"] : []),
    "",
    ...printTextProgram(program).trimEnd().split("\n"),
    "",
    ...specificationLines(finding),
    program.steps.length === 0 ? "the start is what differs" : `step ${step} is the first that differs`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    ...(create === undefined ? [] : comparison(finding, create)),
  ];
};
