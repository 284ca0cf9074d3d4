/**
 * What a program showed that others may not have: outcomes of operations, by themselves and with the state of each page that
 * the step touched. As numbers, of 32 bits: that two are the same by chance costs one program, and no more.
 */
import type { Transition } from "../../spec/invariants/transition.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { Evidence, type Touched } from "../corner-cases/evidence.js";
import { History } from "../corner-cases/history.js";
import type { Recorder } from "../coverage.js";

/** FNV-1a over the UTF-16 units of a text. */
const numberOf = (text: string): number => {
  let sum = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x0100_0193);
  return sum >>> 0;
};

const outcomeOf = (observation: Observation): string => {
  if (observation.kind === "trap") return observation.trap;
  if (observation.kind === "error") return observation.error;
  if (observation.kind === "capability") return observation.capability.tag ? "tagged" : "untagged";
  return observation.kind;
};

/** Whose page it is, what it permits, how it is shared. */
const stateOf = ({ owner, entry, frame, unresolved }: Touched, process: number): string => {
  if (entry === undefined) return "unmapped";
  const { read, write, execute } = entry.protection;
  const holds = frame?.memory.some(({ tag }) => tag) === true ? "tags" : "bytes";
  return [
    owner === process ? "own" : "other",
    `${+read}${+write}${+execute}`,
    entry.guard ? "guarded" : "open",
    unresolved ? "unresolved" : "home",
    Math.min(3, frame?.references ?? 0),
    holds,
  ].join(" ");
};

const featuresOf = (transition: Transition, history: History): readonly string[] => {
  const evidence = new Evidence(transition, history);
  const outcome = `${transition.operation.op}/${outcomeOf(transition.observation)}`;
  const states = evidence.accesses.flatMap(({ kind, pages }) =>
    pages.slice(0, 2).map((page) => `${outcome} ${kind} ${stateOf(page, transition.process)}`),
  );
  history.add(evidence);
  return [outcome, ...states];
};

export interface Features extends Recorder {
  /** Those of the program so far, each once. */
  readonly seen: () => readonly number[];
}

/** For one program. */
export const createFeatures = (): Features => {
  const seen = new Set<number>();
  let history = new History();
  return {
    begin: () => {
      history = new History();
    },
    step: (_, { delivery, transition }) => {
      for (const made of [delivery, transition]) {
        if (made !== undefined) for (const one of featuresOf(made, history)) seen.add(numberOf(one));
      }
    },
    seen: () => [...seen],
  };
};
