/** States with the same key have the same future; what has another future has another key. */
import { describe, expect, test } from "vitest";
import { stateKey, stateText } from "../../../conformance/exhaust/canonical.js";
import { stateAt } from "../../../conformance/exhaust/expand.js";
import { spaceOf, stepOf, stepsFrom, type Space } from "../../../conformance/exhaust/space.js";
import type { Checked } from "../../../spec/invariants/check.js";
import { step } from "../../../spec/sfork/step.js";
import { spaceWith } from "./support.js";

const keyOf = (state: Checked): string => stateKey(state).toString("hex");

/** What every step from a state comes to: observation, who took it, after which signals, and the key behind it. */
const futures = (space: Space, path: readonly number[]): readonly unknown[] => {
  const { machine } = stateAt(space, path);
  return stepsFrom(machine, space).map((number) => {
    const { observation, thread, process, signals } = step(machine, stepOf(space, number));
    return { number, observation, thread, process, signals, next: keyOf(stateAt(space, [...path, number])) };
  });
};

/** All paths of so many steps. */
const pathsOf = (space: Space, length: number): readonly (readonly number[])[] =>
  length === 0
    ? [[]]
    : pathsOf(space, length - 1).flatMap((path) =>
        stepsFrom(stateAt(space, path).machine, space).map((number) => [...path, number]),
      );

/** So many of a list, evenly spread. */
const every = <Item>(items: readonly Item[], most: number): readonly Item[] => {
  const distance = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, nth) => items[Math.floor(nth * distance)]).filter(
    (item) => item !== undefined,
  );
};

describe("programs that lead to the same key go on alike", () => {
  test.for([
    ["memory", "copa", 2],
    ["pages", "coa", 2],
    ["signals", "eager", 2],
    ["channels", "copa", 3],
  ] as const)("%s, %s, up to %i processes", ([alphabet, strategy, processes]) => {
    const space = spaceOf({ alphabet, format: "cheri128-v9", strategy, processes });
    const byKey = new Map<string, (readonly number[])[]>();
    for (const path of pathsOf(space, 2)) {
      const key = keyOf(stateAt(space, path));
      byKey.set(key, [...(byKey.get(key) ?? []), path]);
    }
    const shared = [...byKey.values()].filter((paths) => paths.length > 1);
    expect(shared.length).toBeGreaterThan(10);
    // A few groups, and a few of each: what is dropped from a key merges states all over.
    for (const paths of every(shared, 8)) {
      const [one = [], ...others] = every(paths, 5);
      for (const other of others) expect(futures(space, other)).toEqual(futures(space, one));
    }
  });
});

/** The state after a program, each step by actor and place in the list. */
const after = (space: Space, ...steps: readonly (readonly [actor: number, nth: number])[]): Checked =>
  stateAt(
    space,
    steps.map(([actor, nth]) => actor * space.operations.length + nth),
  );

describe("what a key does not see", () => {
  const writes = spaceWith(["fork c7", "store.b 1, 0(c1)", "store.b 1, 0x100(c1)", "exit 0", "load.b c8, 0(c1)"], {
    ...{ strategy: "coa", processes: 3, slots: 3, frames: 12 },
  });

  test("which frame was taken first", () => {
    const one = after(writes, [0, 0], [1, 1], [1, 2]);
    const other = after(writes, [0, 0], [1, 2], [1, 1]);
    const frameOf = ({ machine }: Checked) => machine.regions[1]?.[0]?.frame;
    expect(frameOf(one)).not.toBe(frameOf(other));
    expect(keyOf(one)).toBe(keyOf(other));
  });

  test("when a process ended, as long as no other did in between", () => {
    const one = after(writes, [0, 0], [1, 3]);
    const later = {
      ...one.machine,
      processes: one.machine.processes.map((process) => ({
        ...process,
        state: process.state.kind === "zombie" ? { ...process.state, ended: 7 } : process.state,
      })),
    };
    expect(keyOf({ ...one, machine: { ...later, endings: 8 } })).toBe(keyOf(one));
  });

  test("what pages have cost", () => {
    const { machine, grants, ghost } = after(writes, [0, 0]);
    const processes = machine.processes.map((process) => ({
      ...process,
      counters: { faults: 9, copies: 9, relocations: 9, pageTableWrites: 9 },
    }));
    expect(keyOf({ machine: { ...machine, processes }, grants, ghost })).toBe(keyOf({ machine, grants, ghost }));
  });
});

describe("what a key sees", () => {
  test("the order in which two processes ended", () => {
    const space = spaceWith(["fork c7", "exit 0"], { strategy: "coa", processes: 3, slots: 3, frames: 12 });
    const one = after(space, [0, 0], [0, 0], [1, 1], [2, 1]);
    const other = after(space, [0, 0], [0, 0], [2, 1], [1, 1]);
    expect(keyOf(one)).not.toBe(keyOf(other));
  });

  test("who shares a frame with whom", () => {
    const space = spaceWith(["fork c7", "store.b 0, 0(c1)"], { strategy: "coa", processes: 3, slots: 3, frames: 12 });
    // The same bytes everywhere, but for the first child they are in a frame of its own.
    expect(keyOf(after(space, [0, 0], [1, 1]))).not.toBe(keyOf(after(space, [0, 0])));
  });

  test("the machine, whatever it is made of: each member changes the text", () => {
    const space = spaceWith(["fork c7"], { strategy: "coa" });
    const state = after(space, [0, 0]);
    const { machine } = state;
    const text = stateText(state);
    // One change in everything that a machine has beside its constants.
    const changed: readonly Partial<Checked["machine"]>[] = [
      { regions: machine.regions.map((region, slot) => (slot === 1 ? region.with(0, undefined) : region)) },
      { frames: machine.frames.map((frame, nth) => frame && (nth === 0 ? { ...frame, references: 9 } : frame)) },
      { frames: machine.frames.map((frame, nth) => frame && (nth === 0 ? { ...frame, home: 1n } : frame)) },
      { segments: machine.segments.map((granules) => granules.with(0, { tag: false, bits: 1n })) },
      { processes: machine.processes.map((process) => ({ ...process, umask: 1 })) },
      { threads: machine.threads.map((thread) => ({ ...thread, mask: [3] })) },
      { channels: [{ messages: [] }] },
      { usedSlots: new Set([0]) },
      { descriptions: [undefined] },
      { pipes: [undefined] },
      { files: [{ path: "/a", bytes: [], locks: [] }] },
      { submitted: 1 },
    ];
    for (const change of changed) {
      expect(stateText({ ...state, machine: { ...machine, ...change } }), Object.keys(change).join()).not.toBe(text);
    }
    expect(stateText({ ...state, grants: { held: [[], []], inFlight: [[]] } })).not.toBe(text);
  });
});
