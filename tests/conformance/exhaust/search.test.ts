/** What a search counts, beside programs that are enumerated one by one; and what it finds. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createExpand } from "../../../conformance/exhaust/expand.js";
import { createFast } from "../../../impl/fast/index.js";
import { initial, type Machine } from "../../../spec/sfork/machine.js";
import { step } from "../../../spec/sfork/step.js";
import type { Space } from "../../../conformance/exhaust/space.js";
import { searched, spaceWith } from "./support.js";

const tiny = spaceWith(["fork c7", "exit 0", "wait c7", "storecap c1, 0(c1)", "store.b 1, 0x1ff(c1)"], {
  strategy: "eager",
});

/** A machine in full, but for what pages have cost and how often a process ended. */
const told = (machine: Machine): string =>
  inspect(
    {
      ...machine,
      endings: 0,
      format: 0,
      laws: 0,
      processes: machine.processes.map((process) => ({ ...process, counters: 0 })),
      space: 0,
      threads: machine.threads.map((thread) => (thread.live ? thread : thread.process)),
    },
    { depth: Infinity, maxArrayLength: Infinity, breakLength: Infinity },
  );

/** Every program of up to so many steps, each by itself. */
const enumerated = ({ config, operations }: Space, depth: number) => {
  const states = new Set([told(initial(config))]);
  const transitions = new Set<string>();
  let programs = 0;
  const from = (machine: Machine, left: number): void => {
    if (left === 0) return;
    const live = machine.threads.flatMap((thread, ordinal) => (thread.live ? [ordinal] : []));
    for (const actor of live.length === 0 ? [0] : live) {
      for (const [nth, operation] of operations.entries()) {
        programs += 1;
        transitions.add(`${actor} ${nth} ${told(machine)}`);
        const after = step(machine, { actor, operation }).machine;
        states.add(told(after));
        from(after, left - 1);
      }
    }
  };
  from(initial(config), depth);
  return { states: states.size, transitions: transitions.size, programs };
};

describe("a search counts what there is", () => {
  test.for([1, 2, 3, 4])("programs, states and transitions up to depth %i", (depth) => {
    const { states, transitions, programs, depth: reached } = searched(tiny, depth).covered();
    expect({ states, transitions, programs }).toEqual(enumerated(tiny, depth));
    expect(reached).toBe(depth);
  });

  test("it knows when nothing is left", () => {
    // The start, one byte stored, and the end, which has no memory that could be told apart.
    const covered = searched(spaceWith(["exit 0", "store.b 1, 0(c1)"]), Infinity).covered();
    expect(covered).toMatchObject({ closed: true, states: 3, depth: 1, transitions: 6 });
  });

  test("a depth that is not complete is not told as one", () => {
    const search = searched(tiny, 2);
    const { frontier } = search.covered();
    const expand = createExpand(tiny, createFast);
    search.add(expand(search.pathTo(search.next)));
    expect(search.covered()).toMatchObject({ depth: 2, frontier: { ...frontier, done: 1 }, closed: false });
  });
});

describe("an implementation that is wrong", () => {
  test("is found out in the step that shows it, and nothing is looked for behind that", () => {
    const expand = createExpand(tiny, (config) => {
      const fast = createFast(config);
      let forks = 0;
      return {
        ...fast,
        reset: (next) => {
          forks = 0;
          fast.reset(next);
        },
        step: (next) => {
          if (next.operation.op === "fork") forks += 1;
          fast.step(next);
        },
        check: () => (forks > 1 ? ["INV-8: frame 0 is counted twice"] : fast.check()),
      };
    });
    const first = expand([]);
    expect(first.found).toEqual([]);
    const second = expand([0]);
    // Either of two processes forks again.
    expect(second.found).toHaveLength(2);
    expect(second.found[0]?.finding).toMatchObject({ kind: "invariant", rule: "REF-4", where: "INV-8" });
    expect(second.found[0]?.finding.program.steps).toHaveLength(2);
    expect([...second.keys.subarray(0, 16)]).toEqual(Array(16).fill(0));
  });

  test("one that throws is a crash, and others are judged as before", () => {
    const expand = createExpand(tiny, (config) => {
      const fast = createFast(config);
      return {
        ...fast,
        step: (next) => {
          if (next.operation.op === "wait") throw new Error("no children here");
          fast.step(next);
        },
      };
    });
    const { found } = expand([]);
    expect(found.map(({ nth, finding }) => [nth, finding.kind, finding.actual])).toEqual([
      [2, "crash", "Error: no children here"],
    ]);
  });
});
