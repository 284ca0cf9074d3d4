/** The two forms of the invariants: what the incremental one looks at is all that a step can have made wrong. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { generate } from "../../../conformance/generate/generate.js";
import { checkedStep, start, violations, type Checked } from "../../../spec/invariants/check.js";
import type { Violation } from "../../../spec/invariants/places.js";
import type { Transition } from "../../../spec/invariants/transition.js";
import type { Machine, PageEntry } from "../../../spec/sfork/machine.js";
import { withEntry, withFrame, withGranule, withRegister, withThread } from "./transitions.js";

/** A mistake in the machine after a step: places are numbers, taken modulo what there is. */
type Mistake = (machine: Machine, pick: (count: number) => number) => Machine;

const mapped = (
  machine: Machine,
): readonly { readonly slot: number; readonly index: number; readonly entry: PageEntry }[] =>
  machine.regions.flatMap((region, slot) =>
    region.flatMap((entry, index) => (entry === undefined ? [] : [{ slot, index, entry }])),
  );

const onPage =
  (
    change: (
      machine: Machine,
      slot: number,
      index: number,
      entry: PageEntry,
      pick: (count: number) => number,
    ) => Machine,
  ) =>
  (machine: Machine, pick: (count: number) => number): Machine => {
    const pages = mapped(machine);
    const page = pages[pick(Math.max(1, pages.length))];
    return page === undefined ? machine : change(machine, page.slot, page.index, page.entry, pick);
  };

const granulesOf = (machine: Machine): number => machine.config.page / Number(machine.format.granule);

const bitsSomewhere = (machine: Machine, pick: (count: number) => number): bigint => {
  const thread = machine.threads[pick(machine.threads.length)];
  const capability = thread?.registers[pick(16)];
  return capability === undefined ? 1n : machine.format.toMemory(capability);
};

const mistakes: Readonly<Record<string, Mistake>> = {
  "a tag appears": onPage((machine, slot, index, _, pick) =>
    withGranule(machine, slot, index, pick(granulesOf(machine)), { tag: true, bits: bitsSomewhere(machine, pick) }),
  ),
  "bits change": onPage((machine, slot, index, _, pick) =>
    withGranule(machine, slot, index, pick(granulesOf(machine)), { bits: 1n << BigInt(pick(64)) }),
  ),
  "tags vanish": onPage((machine, _, __, { frame }) =>
    withFrame(machine, frame, {
      memory: machine.frames[frame]?.memory.map(({ bits }) => ({ tag: false, bits })) ?? [],
    }),
  ),
  "a register is another": (machine, pick) => {
    const value = machine.threads[pick(machine.threads.length)]?.registers[pick(16)];
    return value === undefined ? machine : withRegister(machine, pick(machine.threads.length), pick(16), value);
  },
  "a page is open": onPage((machine, slot, index) =>
    withEntry(machine, slot, index, { protection: { read: true, write: true, execute: false } }),
  ),
  "a guard is gone": onPage((machine, slot, index) => withEntry(machine, slot, index, { guard: false })),
  "a page is gone": onPage((machine, slot, index) => ({
    ...machine,
    regions: machine.regions.map((region, at) => (at === slot ? region.with(index, undefined) : region)),
  })),
  "a frame is another": onPage((machine, slot, index, _, pick) =>
    withEntry(machine, slot, index, { frame: pick(machine.frames.length) }),
  ),
  "a count is wrong": onPage((machine, _, __, { frame }, pick) => withFrame(machine, frame, { references: pick(4) })),
  "a home is wrong": onPage((machine, _, __, { frame }, pick) =>
    withFrame(machine, frame, {
      home: machine.config.base + BigInt(pick(machine.config.slots)) * machine.config.stride,
    }),
  ),
  "a segment is tagged": (machine, pick) => ({
    ...machine,
    segments: machine.segments.map((segment) =>
      segment.with(pick(segment.length), { tag: true, bits: bitsSomewhere(machine, pick) }),
    ),
  }),
  "a message is another": (machine, pick) => ({
    ...machine,
    channels: machine.channels.map(() => ({
      messages: machine.threads[pick(machine.threads.length)]?.registers.slice(0, 2) ?? [],
    })),
  }),
  "a thread is dead": (machine, pick) => withThread(machine, pick(machine.threads.length), { live: false }),
  "a process is renamed": (machine, pick) => ({
    ...machine,
    processes: machine.processes.map((one, at) => (at === pick(machine.processes.length) ? { ...one, pid: 777 } : one)),
  }),
};

const names = Object.keys(mistakes);

/** The transition of step number `index` of a generated program, if somebody took it. */
const transitionAt = (seed: number, index: number): Transition | undefined => {
  const { config, steps } = generate(`forms ${seed}`, 0, { steps: 40 });
  let checked: Checked = start(config);
  let transition: Transition | undefined;
  for (const step of steps.slice(0, 1 + (index % steps.length))) ({ checked, transition } = checkedStep(checked, step));
  return transition;
};

const sorted = (list: readonly Violation[]): readonly string[] =>
  list.map(({ rule, where, what }) => `${rule} ${where} ${what}`).sort();

test("both forms find the same mistakes of a step, and nothing in a step without", () => {
  const found = new Map(names.map((name) => [name, 0]));
  const places = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.constantFrom(...names), places, (seed, index, name, numbers) => {
      const transition = transitionAt(seed, index);
      if (transition === undefined) return;
      expect(violations(transition, "full")).toEqual([]);
      expect(violations(transition, "incremental")).toEqual([]);
      let next = 0;
      const pick = (count: number): number => (numbers[next++ % numbers.length] ?? 0) % count;
      const wrong = { ...transition, after: mistakes[name]?.(transition.after, pick) ?? transition.after };
      const [full, incremental] = [violations(wrong, "full"), violations(wrong, "incremental")];
      expect(sorted(incremental)).toEqual(sorted(full));
      if (full.length > 0) found.set(name, (found.get(name) ?? 0) + 1);
    }),
    { numRuns: 700, seed: 7 },
  );
  // None of the mistakes goes unnoticed throughout: the comparison is not one of nothing with nothing.
  expect([...found].filter(([, times]) => times === 0)).toEqual([]);
});
