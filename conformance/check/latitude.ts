/** What a conforming implementation may choose, as data; nothing else may differ (design: semantics §8). */
import type { Observed, View } from "../../impl/implementation.js";
import type { Observation } from "../../spec/sfork/observation.js";
import type { Operation, Step } from "../../spec/sfork/operation.js";
import { choicesOf } from "../program/operation-codec.js";

/** What an implementation showed after a step. */
interface Shown {
  readonly operation: Operation;
  readonly observed: Observed;
  readonly view: () => View;
}

interface Choice {
  /** What it may be. */
  readonly among: string;
  /** What the implementation has chosen, where it has; a machine that chooses otherwise does the same from there on. */
  readonly made: (shown: Shown) => number | undefined;
}

const childOf = ({ observed: { observation } }: Shown): number | undefined =>
  observation.kind === "child" ? observation.child : undefined;

/** Choices that change what later steps observe: the specification is asked to choose the same, and refuses a wrong one. */
const choices: Readonly<Record<string, Choice>> = {
  slot: {
    among: "slots that are free, and were not used before where none is reused",
    made: (shown) => {
      const child = childOf(shown);
      return child === undefined ? undefined : shown.view().processes.get(child)?.slot;
    },
  },
  pid: {
    among: "numbers that no process, zombie, group or session has",
    made: (shown) => {
      const { operation, observed } = shown;
      if (childOf(shown) === undefined || operation.op !== "fork" || observed.thread === undefined) return undefined;
      const registers = shown.view().threads.get(observed.thread) ?? [];
      // The last is `pcc`, which no operation names.
      const told = registers[operation.cd % (registers.length - 1)];
      return told && Number(told.address);
    },
  },
  reap: {
    among: "zombies that the wait asks for",
    made: ({ observed: { observation } }) => (observation.kind === "process" ? observation.process : undefined),
  },
};

/** Choices that nothing depends on later: where the two differ in these alone, they agree. */
const indifferent = {
  errno: "any error that applies to the call",
  copying: "when a lazy copy is made, and who gets the new frame: views show what is resolved",
  sweeping: "the order in which a sweep clears tags",
  text: "the texts of messages",
} as const;

export const latitude = { choices, indifferent } as const;

/** A step with the choices that an implementation made in it. */
export const asChosen = (step: Step, observed: Observed, view: () => View): Step => {
  const { operation } = step;
  const made = choicesOf(operation.op).flatMap((name): readonly (readonly [string, number])[] => {
    const value = choices[name]?.made({ operation, observed, view });
    return value === undefined ? [] : [[name, value]];
  });
  return made.length === 0 ? step : { ...step, operation: { ...operation, ...Object.fromEntries(made) } };
};

/** Two errors of which the second is among those that apply. */
export const isAllowedError = (expected: Observation, actual: Observation): boolean =>
  expected.kind === "error" && actual.kind === "error" && expected.allowed.includes(actual.error);
