/** Fewer steps and fewer threads. Every list of steps is a program, so that any part may be left out. */
import type { Step } from "../../spec/sfork/operation.js";
import type { CompleteProgram } from "../check/finding.js";
import { settle, type Shows } from "./shows.js";

const without = (steps: readonly Step[], first: number, count: number): readonly Step[] => [
  ...steps.slice(0, first),
  ...steps.slice(first + count),
];

/** Leave out runs of steps: halves of the program first, single ones last. What comes last goes first. */
export const fewerSteps = (program: CompleteProgram, shows: Shows): CompleteProgram => {
  let smallest = program;
  for (let size = Math.ceil(program.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let first = smallest.steps.length - size; first >= 0; first -= 1) {
      const smaller = { ...smallest, steps: without(smallest.steps, first, size) };
      if (shows(smaller)) smallest = smaller;
    }
  }
  return smallest;
};

/** The program without a thread: its steps go, and threads that were made later are called by one less. */
const withoutThread = (steps: readonly Step[], thread: number): readonly Step[] =>
  steps
    .filter(({ actor }) => actor !== thread)
    .map((step) => (step.actor > thread ? { ...step, actor: step.actor - 1 } : step));

/** The program with one thread in the place of another's: what that did, this does. */
const instead = (steps: readonly Step[], thread: number, by: number): readonly Step[] =>
  steps.map((step) => {
    const actor = step.actor === thread ? by : step.actor;
    return { ...step, actor: actor > thread ? actor - 1 : actor };
  });

/** Leave out a step that makes a thread, and the thread with it; or let who makes it do what it did. */
export const fewerThreads = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  settle(program, shows, (now) => {
    const { steps } = now;
    const makers = steps.flatMap(({ operation: { op } }, index) => (op === "fork" || op === "thread" ? [index] : []));
    const last = Math.max(0, ...steps.map(({ actor }) => actor), makers.length);
    const threads = Array.from({ length: last }, (_, nth) => last - nth);
    return makers.flatMap((index) => {
      const left = without(steps, index, 1);
      const maker = steps[index]?.actor ?? 0;
      return threads.flatMap((thread) =>
        [withoutThread(left, thread), instead(left, thread, maker)].map((fewer) => ({ ...now, steps: fewer })),
      );
    });
  });
