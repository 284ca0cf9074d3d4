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

/** Operands that name a process, or a group by its leader. */
const naming: ReadonlySet<string> = new Set(["whom", "group", "process"]);

/** The same where names of processes above `gone` are one less: most programs have a process for each thread. */
const renamed = <Named extends object>(named: Named, gone: number): Named => {
  const entries = Object.entries(named).map(([key, value]: [string, unknown]): [string, unknown] => {
    if (key === "target" && typeof value === "object" && value !== null) return [key, renamed(value, gone)];
    return [key, naming.has(key) && typeof value === "number" && value > gone ? value - 1 : value];
  });
  return { ...named, ...Object.fromEntries(entries) };
};

/** The program without a thread: its steps go, and what was made later is called by one less. */
const withoutThread = (steps: readonly Step[], thread: number): readonly Step[] =>
  steps
    .filter(({ actor }) => actor !== thread)
    .map(({ actor, operation }) => ({
      actor: actor > thread ? actor - 1 : actor,
      operation: renamed(operation, thread),
    }));

/** The program with one thread in the place of another's: what that did, this does. */
const instead = (steps: readonly Step[], thread: number, by: number): readonly Step[] =>
  steps.map((step) => {
    const actor = step.actor === thread ? by : step.actor;
    return { actor: actor > thread ? actor - 1 : actor, operation: renamed(step.operation, thread) };
  });

/** Programs without a step that makes a thread, and without the thread; or in which who makes it does what it did. */
const withoutMaker = (steps: readonly Step[]): readonly (readonly Step[])[] => {
  const makers = steps.flatMap(({ operation: { op } }, index) => (op === "fork" || op === "thread" ? [index] : []));
  const last = Math.max(0, ...steps.map(({ actor }) => actor), makers.length);
  const threads = Array.from({ length: last }, (_, nth) => last - nth);
  return makers.flatMap((index) => {
    const left = without(steps, index, 1);
    const maker = steps[index]?.actor ?? 0;
    return threads.flatMap((thread) => [withoutThread(left, thread), instead(left, thread, maker)]);
  });
};

/** Leave out a step that makes a thread, and the thread with it; or let who makes it do what it did. */
export const fewerThreads = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  settle(program, shows, (now) => withoutMaker(now.steps).map((steps) => ({ ...now, steps })));

/** Programs of so many steps are read at a glance; for longer ones it pays to try pairs. */
const glance = 6;

/**
 * Leave out two steps at once, or a thread and a step: an end and the wait for it, a descriptor made and closed. Neither can
 * go by itself.
 */
export const fewerTogether = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  settle(program, shows, (now) => {
    if (now.steps.length <= glance) return [];
    const singles = (steps: readonly Step[]): readonly (readonly Step[])[] =>
      steps.map((_, index) => without(steps, index, 1));
    const pairs = singles(now.steps).flatMap((left, index) => singles(left).slice(index));
    return [...pairs, ...withoutMaker(now.steps).flatMap(singles)].map((steps) => ({ ...now, steps }));
  });
