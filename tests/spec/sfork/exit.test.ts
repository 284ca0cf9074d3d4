/** EXIT-1: what is left of a process, and who hears of it. */
import { expect, test } from "vitest";
import {
  blocked,
  bytes,
  everywhere,
  exited,
  kill,
  pipe,
  read,
  set,
  sigaction,
  signalled,
  sigmask,
  sigpending,
} from "./calls.js";
import {
  after,
  by,
  channel,
  cgettag,
  error,
  exit,
  fork,
  framesOf,
  getpid,
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

const CHLD = 17;

test("EXIT-1 notify: a parent hears of an end once, by a signal and by wait; one that ignores it keeps no zombies", () => {
  for (const { name, machine } of everywhere()) {
    const forked = after(machine, by(0, sigmask(CHLD), fork(7), fork(7)), by(1, sigmask(CHLD), fork(7)));
    // By whatever end; the parent and nobody else.
    for (const end of [
      by(1, exit(3n)),
      by(1, threadExit),
      by(0, kill(1, 9)),
      by(0, kill(1, 15)).concat(by(1, getpid(8))),
    ]) {
      const ended = after(forked, end);
      expect(last(ended, by(0, sigpending)), name).toEqual(set(CHLD));
      expect(last(ended, by(2, sigmask(CHLD), sigpending)), name).toEqual(set());
    }
    const grandchild = after(forked, by(3, exit(3n)));
    expect([last(grandchild, by(0, sigpending)), last(grandchild, by(1, sigpending))], name).toEqual([
      set(),
      set(CHLD),
    ]);
    // One signal for two ends, and a wait for each of them.
    const both = after(forked, by(1, exit(3n)), by(0, kill(2, 9)));
    expect(seen(both, 0, sigpending, wait(8, 1), wait(8, 1), wait(8), wait(8)).slice(0, 4), name).toEqual([
      set(CHLD),
      exited(1, 3),
      error("ECHILD"),
      signalled(2, 9),
    ]);
    // By default it is ignored, and there is something to wait for.
    const plain = after(machine, by(0, fork(7), fork(7)), by(1, exit(0x1ffn)));
    expect(seen(plain, 0, sigpending, wait(8), wait(8)), name).toEqual([set(), exited(1, 255), blocked]);
    // Who ignores it on purpose waits until all have ended, and then for nobody: no zombie holds a pid.
    const ignoring = after(machine, by(0, sigaction(CHLD, "ignore"), fork(7), fork(7)), by(1, exit(0n)));
    // Nor is anything pending, where it is blocked: so says the running kernel.
    const deaf = after(machine, by(0, sigaction(CHLD, "ignore"), sigmask(CHLD), fork(7)), by(1, exit(0n)));
    expect(last(deaf, by(0, sigpending)), name).toEqual(set());
    expect(seen(ignoring, 0, wait(8), kill(1, 0), fork(8, { pid: 2 })), name).toEqual([
      blocked,
      error("ESRCH"),
      { kind: "child", child: 3 },
    ]);
    expect(last(ignoring, by(0, kill(2, 9), wait(8))), name).toEqual(error("ECHILD"));
    // A handler hears of it, too.
    const heard = after(machine, by(0, sigaction(CHLD, { code: 3, data: 1 }), fork(7)), by(1, exit(0n)));
    expect(seen(heard, 0, load("w", 8, 0n, 1), wait(8)), name).toEqual([int(1n), exited(1, 0)]);
  }
});

test("EXIT-1 orphans: children, and zombies among them, become those of process 0, who hears of the zombies", () => {
  for (const { name, machine } of everywhere()) {
    // 1 has the children 2, 3 and 4, of which 3 has ended.
    const family = after(
      machine,
      by(0, sigmask(CHLD), fork(7)),
      by(1, fork(7), fork(7), fork(7)),
      by(3, exit(33n)),
      by(4, fork(7)),
    );
    // As long as it lives, they are its own.
    expect(last(family, by(0, wait(8, 3))), name).toEqual(error("ECHILD"));
    expect(last(family, by(2, getppid(8))), name).toEqual(int(2n));
    expect(last(family, by(0, sigpending)), name).toEqual(set());
    const left = after(family, by(1, exit(1n)));
    expect(
      [2, 4].map((actor) => last(left, by(actor, getppid(8)))),
      name,
    ).toEqual([int(1n), int(1n)]);
    // Not its grandchildren.
    expect(last(left, by(5, getppid(8))), name).toEqual(int(5n));
    expect(seen(left, 0, sigpending, wait(8, 3), wait(8, 5), wait(8), wait(8)), name).toEqual([
      set(CHLD),
      exited(3, 33),
      error("ECHILD"),
      exited(1, 1),
      blocked,
    ]);
    expect(last(left, by(2, exit(22n)), by(0, wait(8, 2))), name).toEqual(exited(2, 22));
    // Nobody else is the parent of those: not who comes to have the pid of the one that ended.
    const reused = after(left, by(0, wait(8, 1), fork(7, { pid: 2 })));
    expect(seen(reused, 6, getpid(8), wait(8)), name).toEqual([int(2n), error("ECHILD")]);
    expect(last(reused, by(2, getppid(8))), name).toEqual(int(1n));
    // Where process 0 ignores the signal, it reaps what it is left.
    const ignoring = after(family, by(0, sigaction(CHLD, "ignore")), by(1, exit(1n)));
    expect(last(ignoring, by(0, wait(8, 3))), name).toEqual(error("ECHILD"));
    expect(last(ignoring, by(0, wait(8))), name).toEqual(blocked);
    // A pipe that all of them could write to.
    const piped = after(machine, by(0, pipe, { op: "dup2", d: 0, d2: 2 }, fork(7)), by(1, fork(7), exit(0n)));
    expect(last(piped, by(0, { op: "close", d: 1 }, read(0, 1, 1n))), name).toEqual(blocked);
    expect(last(piped, by(0, { op: "close", d: 1 }), by(2, exit(0n)), by(0, read(0, 1, 1n))), name).toEqual(bytes());
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
