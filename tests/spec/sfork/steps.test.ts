/** EXEC-1: every list of steps is a program. */
import { expect, test } from "vitest";
import { resolveActor, run, step } from "../../../spec/sfork/step.js";
import type { Operation } from "../../../spec/sfork/operation.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import {
  after,
  by,
  candperm,
  cseal,
  error,
  exit,
  fork,
  getpid,
  idle,
  int,
  last,
  li,
  loadcap,
  mmap,
  nothing,
  recvcap,
  thread,
  threadExit,
  trap,
  wait,
  worlds,
  worldOf,
} from "./programs.js";

test("EXEC-1 actor: a thread that lives, or modulo those that do", () => {
  // Threads 0 and 1 are process 0's, 2 is the child's.
  const three = after(worldOf().machine, by(0, thread, fork(7)));
  const actors = (machine: Machine) => [0, 1, 2, 3, 4, 5, 6].map((actor) => resolveActor(machine, actor));
  expect(actors(three)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  // Without thread 1, 0 and 2 are left; a dead ordinal counts in the order of those that live.
  const two = after(three, by(1, threadExit));
  expect(actors(two)).toEqual([0, 2, 2, 2, 0, 2, 0]);
  const one = after(two, by(2, exit(0n)));
  expect(actors(one)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(actors({ ...one, threads: [] })).toEqual(Array.from({ length: 7 }, () => undefined));
  // A step is taken by the thread that was found.
  expect(last(two, by(5, getpid(8)))).toEqual(int(2n));
  expect(last(one, by(5, getpid(8)))).toEqual(int(1n));
});

test("EXEC-1 step: every step observes something, and one that fails changes nothing", () => {
  for (const { name, machine } of worlds()) {
    const failing: readonly (readonly [operation: Operation, observation: object])[] = [
      [loadcap(8, 0x0n, 0), trap("tag")],
      [loadcap(8, 0x400n, 1), trap("bounds")],
      [mmap(8, 0n), error("EINVAL")],
      [mmap(8, 0x100n, { read: true, write: true, execute: true }), error("EINVAL")],
      [wait(8), error("ECHILD")],
      [recvcap(8, 0), error("EBADF")],
      [fork(8, { slot: 99 }), { kind: "bad-choice" }],
    ];
    for (const [operation, observation] of failing) {
      const taken = step(machine, { actor: 0, operation });
      expect(taken.observation, name).toEqual(observation);
      expect(taken.machine, name).toBe(machine);
      expect(taken.thread, name).toBe(0);
    }
    // What a format does not have.
    const sealed = step(machine, { actor: 0, operation: cseal(8, 1, 4) }).observation;
    expect(sealed, name).toMatchObject({ kind: machine.format.otypes.ordinary ? "capability" : "unsupported" });
    // Register numbers are reduced into range, integers to the width of an address.
    const one = (1n << machine.format.addressBits) + 1n;
    expect(step(machine, { actor: 3, operation: li(24, one) }), name).toMatchObject({
      observation: int(1n),
      machine: { threads: [{ registers: { 8: { tag: false, address: 1n } } }] },
      thread: 0,
    });
    expect(step(machine, { actor: 0, operation: candperm(8, 1, "load", "set-cid") }).observation).toMatchObject({
      kind: "capability",
    });
    // The end of process 0 is the end, also with others alive.
    const halted = after(machine, by(0, fork(7)), by(0, exit(0n)));
    const nobody = { machine: halted, observation: { kind: "halted" }, thread: undefined, signals: [] };
    expect(step(halted, { actor: 1, operation: idle }), name).toMatchObject(nobody);
    expect(last(machine, by(0, idle)), name).toEqual(nothing);
  }
});

test("a program runs from its configuration, or is refused with the clause that it breaks", () => {
  const steps = by(0, fork(7), getpid(8));
  expect(run({ config: { strategy: "copa" }, steps })).toMatchObject({
    machine: { config: { strategy: "copa", pages: 8 }, processes: [{ pid: 1 }, { pid: 2 }] },
    observations: [{ kind: "child", child: 1 }, int(1n)],
  });
  expect(run({ steps: [] })).toMatchObject({ machine: { config: { strategy: "eager" } }, observations: [] });
  expect(run({ config: { pages: 3 }, steps })).toEqual({ illegal: "a region has at least 4 pages" });
});
