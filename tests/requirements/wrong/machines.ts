/** Machines that do what a requirement forbids: the specification, with each step's outcome changed. */
import { withProcess, withThread } from "../../../spec/sfork/context.js";
import { zeroPage, type Machine, type Process, type Thread } from "../../../spec/sfork/machine.js";
import type { OperationName, Step } from "../../../spec/sfork/operation.js";
import { step, type Taken } from "../../../spec/sfork/step.js";
import type { Stepper } from "../programs.js";

export interface Wrong {
  /** What it does, as opposed to what is required. */
  readonly does: string;
  readonly take: Stepper;
  /** The machine on which it is wrong; `eager`, if that is left out. */
  readonly strategy?: "copa";
}

/** A step, and the machine before it. */
export interface Change {
  readonly before: Machine;
  readonly next: Step;
  readonly taken: Taken;
  /** Who took it. */
  readonly process: number;
}

/** Steps of these operations that act have another outcome. */
export const wrongly =
  (names: readonly OperationName[], change: (one: Change) => Partial<Taken>): Stepper =>
  (before, next) => {
    const taken = step(before, next);
    const { process } = taken;
    if (process === undefined || !taken.acted || !names.includes(next.operation.op)) return taken;
    return { ...taken, ...change({ before, next, taken, process }) };
  };

/** After such a step, if it succeeded, the machine is another. */
export const afterwards = (names: readonly OperationName[], change: (one: Change) => Machine): Stepper =>
  wrongly(names, (one) => (one.taken.observation.kind === "error" ? {} : { machine: change(one) }));

/** A fork: who is born, and of whom. */
export interface Birth extends Change {
  readonly machine: Machine;
  readonly parent: number;
  readonly child: number;
  readonly slots: { readonly parent: number; readonly child: number };
}

/** After a fork the machine is another. */
export const atFork = (change: (birth: Birth) => Machine): Stepper =>
  wrongly(["fork"], (one) => {
    const { observation, machine } = one.taken;
    if (observation.kind !== "child") return {};
    const { child } = observation;
    const slotOf = (process: number): number => machine.processes[process]?.slot ?? 0;
    const slots = { parent: slotOf(one.process), child: slotOf(child) };
    return { machine: change({ ...one, machine, parent: one.process, child, slots }) };
  });

/** The child is another than it should be. */
export const bornWith = (change: (child: Process, birth: Birth) => Partial<Process>): Stepper =>
  atFork((birth) => {
    const { machine, child } = birth;
    const process = machine.processes[child];
    return process === undefined ? machine : withProcess(machine, child, change(process, birth));
  });

/** The child's first thread is another than it should be. */
export const threadWith = (change: (own: Thread, birth: Birth, parents: Thread) => Partial<Thread>): Stepper =>
  atFork((birth) => {
    const { machine, child, taken } = birth;
    const index = machine.threads.findIndex(({ process }) => process === child);
    const [own, parents] = [machine.threads[index], machine.threads[taken.thread ?? -1]];
    return own === undefined || parents === undefined
      ? machine
      : withThread(machine, index, change(own, birth, parents));
  });

/** Whatever ends processes: the machine after it is another. `ended`: who did. */
export const atEnd =
  (change: (machine: Machine, ended: readonly number[], before: Machine) => Machine): Stepper =>
  (before, next) => {
    const taken = step(before, next);
    const ended = before.processes.flatMap(({ state }, process) =>
      state.kind === "live" && taken.machine.processes[process]?.state.kind !== "live" ? [process] : [],
    );
    return ended.length === 0 ? taken : { ...taken, machine: change(taken.machine, ended, before) };
  };

/** The step is taken on another machine than it should be. */
export const insteadOf =
  (name: OperationName, change: (machine: Machine, next: Step, taken: Taken) => Machine): Stepper =>
  (before, next) => {
    const taken = step(before, next);
    return next.operation.op === name ? step(change(before, next, taken), next) : taken;
  };

/** All processes that pass, changed. */
export const eachProcess = (
  machine: Machine,
  change: (process: Process, ordinal: number) => Partial<Process>,
): Machine => ({
  ...machine,
  processes: machine.processes.map((process, ordinal) => ({ ...process, ...change(process, ordinal) })),
});

/** The frames of one slot's pages with other memory: that of another slot's pages, or zeros. */
export const withMemoryOf = (machine: Machine, slot: number, from: number | "zeros"): Machine => {
  const sources = new Map(
    (machine.regions[slot] ?? []).flatMap((entry, index) => {
      const source = from === "zeros" ? undefined : machine.frames[machine.regions[from]?.[index]?.frame ?? -1];
      return entry === undefined ? [] : [[entry.frame, source?.memory ?? zeroPage(machine.config)] as const];
    }),
  );
  const frames = machine.frames.map((frame, index) => {
    const memory = sources.get(index);
    return frame === undefined || memory === undefined ? frame : { ...frame, memory };
  });
  return { ...machine, frames };
};
