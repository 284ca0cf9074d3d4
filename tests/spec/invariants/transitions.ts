/** Transitions for the invariants: the last step of a program, and what it would look like if the machine were wrong. */
import { expect } from "vitest";
import type { Capability, Granule } from "../../../spec/cheri/index.js";
import { checkedStep, start, type CheckedStep } from "../../../spec/invariants/check.js";
import { scopeOf, type Invariant, type Transition } from "../../../spec/invariants/transition.js";
import type { Frame, Machine, PageEntry, Thread } from "../../../spec/sfork/machine.js";
import type { Step } from "../../../spec/sfork/operation.js";
import type { World } from "../sfork/programs.js";

const lastOf = ({ config }: World, program: readonly (readonly Step[])[]): CheckedStep | undefined =>
  program
    .flat()
    .reduce<readonly CheckedStep[]>(([sofar], next) => [checkedStep(sofar?.checked ?? start(config), next)], [])[0];

/** What the signals did that the last step of a program took. */
export const deliveryOf = (world: World, ...program: readonly (readonly Step[])[]): Transition => {
  const last = lastOf(world, program);
  if (last?.delivery === undefined) throw new Error("the last step of the program takes no signals");
  return last.delivery;
};

export const transitionOf = (world: World, ...program: readonly (readonly Step[])[]): Transition => {
  const last = lastOf(world, program);
  if (last?.transition === undefined) throw new Error("the program has no last step that somebody took");
  return last.transition;
};

/** The transition with another machine after it. */
export const corrupted = (transition: Transition, mistake: (machine: Machine) => Machine): Transition => ({
  ...transition,
  after: mistake(transition.after),
});

/** Where an invariant finds something: the same in both forms, or the test fails. */
export const findings = (invariant: Invariant, transition: Transition): readonly string[] => {
  const [full, incremental] = (["full", "incremental"] as const).map((form) => invariant(scopeOf(transition, form)));
  expect(incremental).toEqual(full);
  return (full ?? []).map(({ rule, where }) => `${rule} ${where}`);
};

export const withThread = (machine: Machine, thread: number, change: Partial<Thread>): Machine => ({
  ...machine,
  threads: machine.threads.map((one, at) => (at === thread ? { ...one, ...change } : one)),
});

export const withRegister = (machine: Machine, thread: number, index: number, value: Capability): Machine => ({
  ...machine,
  threads: machine.threads.map((one, at) =>
    at === thread ? { ...one, registers: one.registers.with(index, value) } : one,
  ),
});

/** The machine with one register copied to another. */
export const withCopy = (
  machine: Machine,
  [fromThread, from]: readonly [thread: number, index: number],
  [toThread, to]: readonly [thread: number, index: number],
): Machine => {
  const value = machine.threads[fromThread]?.registers[from];
  return value === undefined ? machine : withRegister(machine, toThread, to, value);
};

export const withEntry = (machine: Machine, slot: number, page: number, change: Partial<PageEntry>): Machine => ({
  ...machine,
  regions: machine.regions.map((region, at) =>
    at === slot
      ? region.map((entry, index) => (index === page && entry !== undefined ? { ...entry, ...change } : entry))
      : region,
  ),
});

export const withFrame = (machine: Machine, index: number, change: Partial<Frame>): Machine => ({
  ...machine,
  frames: machine.frames.map((frame, at) => (at === index && frame !== undefined ? { ...frame, ...change } : frame)),
});

/** The machine with a granule of a page's frame changed, whoever else maps it. */
export const withGranule = (
  machine: Machine,
  slot: number,
  page: number,
  index: number,
  change: Partial<Granule>,
): Machine => {
  const frame = machine.regions[slot]?.[page]?.frame ?? -1;
  const memory = machine.frames[frame]?.memory ?? [];
  return withFrame(machine, frame, {
    memory: memory.map((granule, at) => (at === index ? { ...granule, ...change } : granule)),
  });
};

/** The bits of a register, as they would lie in memory. */
export const bitsOf = (machine: Machine, thread: number, index: number): bigint => {
  const capability = machine.threads[thread]?.registers[index];
  return capability === undefined ? 0n : machine.format.toMemory(capability);
};
