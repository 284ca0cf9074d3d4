/** EXIT-1: what is left of a process, and who hears of it. */
import { expect, test } from "vitest";
import {
  after,
  by,
  channel,
  cgettag,
  error,
  exit,
  fork,
  framesOf,
  getppid,
  int,
  last,
  load,
  nothing,
  recvcap,
  registerOf,
  seen,
  sendcap,
  storecap,
  thread,
  threadExit,
  trap,
  wait,
  worlds,
} from "./programs.js";

test("EXIT-1 exit: a zombie with a status; its frames, threads and children are let go, pointers to it are cleared", () => {
  for (const { name, machine, at } of worlds()) {
    // Process 1 has a child, two threads, a page of its own, and has sent its data to process 0.
    const alive = after(
      machine,
      by(0, channel, fork(7)),
      by(1, storecap(1, 0n, 1), fork(7), thread, sendcap(0, 1)),
      by(0, recvcap(8, 0)),
    );
    expect(registerOf(alive, 0, 8), name).toMatchObject({ tag: true, base: at(1) });
    expect(last(alive, by(1, exit(0x103n))), name).toEqual(nothing);
    const ended = after(alive, by(1, exit(0x103n)));
    expect(ended.processes, name).toMatchObject([
      { parent: 0, state: { kind: "live" } },
      { parent: 0, pid: 2, state: { kind: "zombie", status: { exited: 3 } } },
      { parent: 0, pid: 3, state: { kind: "live" } },
    ]);
    // Threads 1 and 3 were its own.
    expect(
      ended.threads.map(({ live }) => live),
      name,
    ).toEqual([true, false, true, false]);
    expect(ended.regions[1], name).toEqual([]);
    expect(last(ended, by(2, getppid(9))), name).toEqual(int(1n));
    expect(seen(ended, 0, cgettag(9, 8), load("b", 9, 0n, 8)), name).toEqual([int(0n), trap("tag")]);
    // What the other two map is all that is in use: their own, or shared between them and process 1's last child.
    const references = ended.frames.reduce((sum, frame) => sum + (frame?.references ?? 0), 0);
    expect(references, name).toBe(12);
    expect(framesOf(after(ended, by(2, exit(0n)))), name).toBe(6);
    // The slot is free at once, the pid is not.
    expect(after(ended, by(0, fork(9))).processes[3], name).toMatchObject({ slot: 1, pid: 4 });
    expect(last(ended, by(0, fork(9, { pid: 2 }))), name).toEqual({ kind: "bad-choice" });
    // The end of the last thread is the end of the process.
    const threads = after(alive, by(1, threadExit));
    expect(threads.processes[1], name).toMatchObject({ state: { kind: "live" } });
    expect(after(threads, by(3, threadExit)).processes[1], name).toMatchObject({
      state: { kind: "zombie", status: { exited: 0 } },
    });
  }
});

test("EXIT-1 wait: zombies in the order in which they ended, or the one that is chosen or named", () => {
  const reaped = (process: number, exited: number) => ({ kind: "process", process, status: { exited } });
  for (const { name, machine } of worlds()) {
    expect(last(machine, by(0, wait(8))), name).toEqual(error("ECHILD"));
    const children = after(machine, by(0, fork(7), fork(7), fork(7)));
    expect(last(children, by(0, wait(8))), name).toEqual({ kind: "would-block" });
    expect(after(children, by(0, wait(8))), name).toBe(children);
    expect(last(children, by(1, wait(8))), name).toEqual(error("ECHILD"));
    const ended = after(children, by(3, exit(33n)), by(2, exit(22n)));
    expect(seen(ended, 0, wait(8), wait(8), wait(8)), name).toEqual([
      reaped(3, 33),
      reaped(2, 22),
      { kind: "would-block" },
    ]);
    expect(registerOf(after(ended, by(0, wait(8))), 0, 8), name).toMatchObject({ tag: false, address: 4n });
    // Another may be chosen, but no live one, and not twice.
    expect(seen(ended, 0, wait(8, undefined, { reap: 1 }), wait(8, undefined, { reap: 2 })), name).toEqual([
      { kind: "bad-choice" },
      reaped(2, 22),
    ]);
    const once = after(ended, by(0, wait(8, undefined, { reap: 2 })));
    expect(seen(once, 0, wait(8, undefined, { reap: 2 }), wait(8)), name).toEqual([
      { kind: "bad-choice" },
      reaped(3, 33),
    ]);
    // Named, by its ordinal modulo the processes made so far; not oneself, not somebody else's child.
    expect(seen(ended, 0, wait(8, 2), wait(8, 2), wait(8, 1), wait(8, 7), wait(8, 0)), name).toEqual([
      reaped(2, 22),
      error("ECHILD"),
      { kind: "would-block" },
      reaped(3, 33),
      error("ECHILD"),
    ]);
  }
});

test("a process has eight threads at once, a machine eight channels; those that ended make room", () => {
  for (const { name, machine } of worlds({}, ["eager"])) {
    const seven = Array.from({ length: 7 }, () => thread);
    const full = after(machine, by(0, ...seven));
    expect(last(full, by(0, thread)), name).toEqual(error("EAGAIN"));
    expect(last(full, by(3, threadExit), by(0, thread)), name).toEqual(nothing);
    // Another process has its own.
    expect(last(full, by(0, fork(7)), by(8, thread)), name).toEqual(nothing);
    const channels = Array.from({ length: 8 }, () => channel);
    expect(seen(machine, 0, ...channels, channel), name).toEqual([...channels.map(() => nothing), error("EMFILE")]);
  }
});
