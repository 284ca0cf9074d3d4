/** SIG-1, SIG-2: what makes a signal pending, when it is taken, and what it does. */
import { expect, test } from "vitest";
import { nullCapability } from "../../../spec/cheri/index.js";
import { step } from "../../../spec/sfork/step.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import type { Operation } from "../../../spec/sfork/operation.js";
import {
  blocked,
  everywhere,
  exec,
  getaction,
  getaltstack,
  kill,
  set,
  setpgid,
  setsid,
  sigaction,
  sigaltstack,
  sigmask,
  signalled,
  sigpending,
} from "./calls.js";
import {
  after,
  by,
  candperm,
  cap,
  ccleartag,
  cincoffset,
  csealentry,
  csetbounds,
  error,
  exit,
  fork,
  idle,
  int,
  last,
  lazyStrategies,
  load,
  mmap,
  mprotect,
  munmap,
  none,
  nothing,
  r,
  registerOf,
  seen,
  store,
  thread,
  threadExit,
  wait,
  worldOf,
} from "./programs.js";

const HUP = 1;
const KILL = 9;
const USR1 = 10;
const SEGV = 11;
const USR2 = 12;
const TERM = 15;
const CHLD = 17;
const CONT = 18;
const STOP = 19;
const TSTP = 20;
const URG = 23;
const WINCH = 28;

/** A handler of a signal: c3 for its code, and c1 for its counter. */
const handle = (signal: number, data = 1): Operation => sigaction(signal, { code: 3, data });

/** Signals that a step took, and what it observed. */
const taken = (machine: Machine, actor: number, operation: Operation = idle) => {
  const { signals, observation } = step(machine, { actor, operation });
  return { signals, observation };
};

test("SIG-1 post: pending once, for one process; ignored ones vanish, unless the first thread masks them", () => {
  for (const { name, machine } of everywhere()) {
    const masked = after(machine, by(0, sigmask(USR1, TERM, HUP), fork(7)));
    expect(seen(masked, 0, kill(0, USR1), kill(0, HUP), kill(0, USR1), sigpending), name).toEqual([
      nothing,
      nothing,
      nothing,
      set(HUP, USR1),
    ]);
    // Its target's, nobody else's; what is pending stays behind at a fork.
    const sent = after(masked, by(0, kill(1, TERM)));
    expect([last(sent, by(0, sigpending)), last(sent, by(1, sigpending))], name).toEqual([set(), set(TERM)]);
    expect(last(sent, by(1, fork(7)), by(2, sigpending)), name).toEqual(set());
    expect(last(sent, by(1, fork(7), sigpending)), name).toEqual(set(TERM));
    // Ignored.
    const ignoring = by(1, sigaction(TERM, "ignore"));
    expect(last(masked, by(1, sigmask()), ignoring, by(0, kill(1, TERM)), by(1, sigpending)), name).toEqual(set());
    expect(last(masked, ignoring, by(0, kill(1, TERM)), by(1, sigpending)), name).toEqual(set(TERM));
    expect(last(masked, by(0, kill(1, CHLD)), by(1, sigpending)), name).toEqual(set());
    // It is the first thread's mask that counts.
    const threads = after(machine, by(0, thread, sigaction(USR1, "ignore")));
    expect(last(threads, by(1, sigmask(USR1)), by(0, kill(0, USR1)), by(1, sigpending)), name).toEqual(set());
    expect(last(threads, by(0, sigmask(USR1)), by(1, kill(0, USR1)), by(0, sigpending)), name).toEqual(set(USR1));
    // STOP stops at once, and CONT lets go on, whatever is done about them. Each takes back what was pending of the other.
    const child = after(machine, by(0, fork(7)), by(1, setpgid(), sigmask(TSTP, CONT, USR1)));
    expect(last(child, by(0, kill(1, STOP)), by(1, idle)), name).toEqual(blocked);
    expect(last(child, by(0, kill(1, STOP), kill(1, CONT)), by(1, idle)), name).toEqual(nothing);
    expect(last(child, by(0, kill(1, TSTP), kill(1, USR1), kill(1, CONT)), by(1, sigpending)), name).toEqual(
      set(USR1, CONT),
    );
    for (const stop of [TSTP, 21, 22]) {
      expect(
        last(child, by(1, sigmask(CONT, stop)), by(0, kill(1, CONT), kill(1, stop)), by(1, sigpending)),
        name,
      ).toEqual(set(stop));
    }
    expect(last(child, by(0, kill(1, CONT), kill(1, STOP), kill(1, USR1)), by(1, idle)), name).toEqual(blocked);
    const continued = after(child, by(1, handle(CONT)), by(0, kill(1, CONT), kill(1, STOP), kill(1, CONT)));
    expect(last(continued, by(1, sigpending)), name).toEqual(set(CONT));
  }
});

test("SIG-1 take: before a step, what its thread does not mask, in ascending order; a stopped process takes nothing", () => {
  for (const { name, machine } of everywhere()) {
    const handling = after(machine, by(0, fork(7)), by(1, setpgid(), handle(USR1), handle(USR2), handle(HUP)));
    const sent = after(handling, by(0, kill(1, USR2), kill(1, HUP), kill(1, USR1)));
    expect(taken(sent, 1, getaction(1)), name).toEqual({ signals: [HUP, USR1, USR2], observation: set("handler") });
    // Before the step: it sees the counter.
    expect(last(sent, by(1, load("w", 8, 0n, 1))), name).toEqual(int(3n));
    expect(taken(after(sent, by(1, idle)), 1), name).toEqual({ signals: [], observation: nothing });
    // Masked until it is not any more.
    const masked = after(handling, by(1, sigmask(USR1)), by(0, kill(1, USR1), kill(1, HUP)));
    expect(taken(masked, 1, sigpending), name).toEqual({ signals: [HUP], observation: set(USR1) });
    expect(taken(after(masked, by(1, sigmask())), 1), name).toEqual({ signals: [USR1], observation: nothing });
    // By whichever thread does not mask it.
    const threads = after(handling, by(1, thread, sigmask(USR1)), by(0, kill(1, USR1)));
    expect(taken(threads, 1).signals, name).toEqual([]);
    expect(taken(after(threads, by(1, idle)), 2).signals, name).toEqual([USR1]);
    // The default is the end; what was higher is never taken.
    const ends = after(handling, by(0, kill(1, TERM), kill(1, HUP), kill(1, 16)));
    expect(taken(ends, 1), name).toEqual({ signals: [HUP, TERM], observation: { kind: "no-actor" } });
    expect(last(ends, by(1, idle), by(0, wait(8))), name).toEqual(signalled(1, TERM));
    expect(taken(after(machine, by(0, kill(0, TERM))), 0), name).toEqual({
      signals: [TERM],
      observation: { kind: "halted" },
    });
    // A stop. What came after it waits for CONT, which takes back what would stop it again.
    const stops = after(handling, by(0, kill(1, TSTP), kill(1, USR1), kill(1, URG)));
    expect(taken(stops, 1), name).toEqual({ signals: [USR1, TSTP], observation: blocked });
    const stopped = after(stops, by(1, idle), by(0, kill(1, USR1), kill(1, TERM)));
    expect(taken(stopped, 1), name).toEqual({ signals: [], observation: blocked });
    expect(last(stopped, by(0, wait(8))), name).toEqual(blocked);
    const later = after(stopped, by(0, kill(1, CONT)));
    expect(taken(later, 1), name).toEqual({ signals: [USR1, TERM], observation: { kind: "no-actor" } });
    // What is ignored by then is not taken.
    const vanished = after(handling, by(1, sigmask(USR1), sigaction(USR1, "ignore")), by(0, kill(1, USR1)));
    expect(taken(after(vanished, by(1, sigmask())), 1), name).toEqual({ signals: [], observation: nothing });
    expect(last(vanished, by(1, sigmask(), sigpending)), name).toEqual(set());
  }
  // Without a frame for the counter nothing is taken.
  for (const strategy of lazyStrategies) {
    const { machine } = worldOf({ strategy, frames: 6, commit: "overcommit" });
    const tight = after(machine, by(0, handle(HUP), handle(USR1), fork(7)), by(1, kill(0, USR1), kill(0, HUP)));
    expect(taken(tight, 0), strategy).toEqual({ signals: [], observation: { kind: "out-of-frames" } });
    expect(taken(after(tight, by(0, idle), by(1, exit(0n))), 0), strategy).toEqual({
      signals: [HUP, USR1],
      observation: nothing,
    });
  }
});

test("SIG-1 handler: one more in the counter, through the handler's own capability, or the end by SEGV", () => {
  for (const { name, machine } of everywhere()) {
    const size = machine.format.addressBits / 8n;
    const twice = after(
      machine,
      by(0, cincoffset(8, 1, 0x41n), handle(USR1, 8), ccleartag(8, 8)),
      by(0, kill(0, USR1), idle),
    );
    expect(last(twice, by(0, kill(0, USR1)), by(0, load("bu", 9, 0x41n, 1))), name).toEqual(int(2n));
    // It carries over the whole of its width, and no further.
    const full = Array.from({ length: Number(size) }, (_, at) => store("b", -1n, BigInt(at), 1));
    const wrapped = after(machine, by(0, store("b", 5n, size, 1), ...full, handle(USR1), kill(0, USR1), idle));
    expect(seen(wrapped, 0, load("bu", 9, 0n, 1), load("bu", 9, size - 1n, 1), load("bu", 9, size, 1)), name).toEqual([
      int(0n),
      int(0n),
      int(5n),
    ]);
    // In the receiver's own memory, at a child's image of it, and only there.
    const forked = after(machine, by(0, handle(USR1), fork(7)), by(0, kill(1, USR1)), by(1, idle));
    expect(last(forked, by(1, load("w", 9, 0n, 1))), name).toEqual(int(1n));
    expect(last(forked, by(0, load("w", 9, 0n, 1))), name).toEqual(int(0n));
    // By no other authority than the capability's, of both kinds, over all of the counter.
    const child = after(machine, by(0, fork(7)), by(1, mmap(8, 0x100n)));
    const wrong: readonly (readonly Operation[])[] = [
      [ccleartag(9, 1), handle(USR1, 9)],
      [candperm(9, 1, "load"), handle(USR1, 9)],
      [candperm(9, 1, "store"), handle(USR1, 9)],
      [csetbounds(9, 1, size - 1n), handle(USR1, 9)],
      [csealentry(9, 3), handle(USR1, 9)],
      [handle(USR1, 8), mprotect(8, 0x100n, r)],
      [handle(USR1, 8), mprotect(8, 0x100n, none)],
      [handle(USR1, 8), munmap(8, 0x100n), mmap(8, 0x100n)],
      [ccleartag(9, 3), sigaction(USR1, { code: 9, data: 1 })],
    ];
    for (const program of wrong) {
      const killed = after(child, by(1, ...program), by(0, kill(1, USR1)));
      expect(taken(killed, 1).observation, name).toEqual({ kind: "no-actor" });
      expect(last(killed, by(1, idle), by(0, wait(9))), name).toEqual(signalled(1, SEGV));
    }
  }
});

test("SIG-1 kill: a process or the members of a group; none is an error; KILL ends at once", () => {
  for (const { name, machine } of everywhere()) {
    // 1 and 2 in the group of 1, 3 in the group of 0; all mask USR1.
    const family = after(machine, by(0, sigmask(USR1), fork(7), fork(7), fork(7), setpgid(1), setpgid(2, 1)));
    const pending = (now: Machine) => [0, 1, 2, 3].map((actor) => last(now, by(actor, sigpending)));
    const [some, no] = [set(USR1), set()];
    expect(pending(after(family, by(0, kill(2, USR1)))), name).toEqual([no, no, some, no]);
    expect(pending(after(family, by(0, kill({ group: 1 }, USR1)))), name).toEqual([no, some, some, no]);
    expect(pending(after(family, by(3, kill("own-group", USR1)))), name).toEqual([some, no, no, some]);
    expect(pending(after(family, by(2, kill("own-group", USR1)))), name).toEqual([no, some, some, no]);
    expect(pending(after(family, by(0, kill(5, USR1)))), name).toEqual([no, some, no, no]);
    // 0 asks who is there: zombies are, until they are waited for.
    expect(seen(family, 0, kill(1, 0), kill(1, 32), kill({ group: 2 }, 0), kill({ group: 3 }, 40)), name).toEqual([
      nothing,
      error("EINVAL"),
      error("ESRCH"),
      error("EINVAL", "ESRCH"),
    ]);
    const zombie = after(family, by(1, exit(0n)));
    expect(seen(zombie, 0, kill(1, 0), kill(1, USR1), wait(8, 1), kill(1, 0), kill({ group: 1 }, 0)), name).toEqual([
      nothing,
      nothing,
      { kind: "process", process: 1, status: { exited: 0 } },
      error("ESRCH"),
      nothing,
    ]);
    // KILL: masked, stopped, or with its threads.
    const stopped = after(family, by(1, thread, sigmask(KILL, USR1)), by(0, kill(1, STOP)));
    for (const before of [family, stopped]) {
      expect(seen(before, 0, kill(1, KILL), wait(8, 1)), name).toEqual([nothing, signalled(1, KILL)]);
      expect(after(before, by(0, kill(1, KILL))).threads.filter(({ live, process }) => live && process === 1)).toEqual(
        [],
      );
    }
    expect(seen(family, 0, kill({ group: 1 }, KILL), wait(8), wait(8), wait(8)), name).toEqual([
      nothing,
      signalled(1, KILL),
      signalled(2, KILL),
      blocked,
    ]);
    // Killed and ended by itself are told apart.
    expect(last(family, by(1, exit(9n)), by(0, wait(8))), name).toEqual({
      kind: "process",
      process: 1,
      status: { exited: 9 },
    });
    expect(last(family, by(1, kill(0, KILL), idle)), name).toEqual({ kind: "halted" });
    expect(last(family, by(1, kill(1, KILL))), name).toEqual(nothing);
  }
});

test("SIG-1 orphaned: a stop from the terminal stops nobody whose group no parent outside could continue", () => {
  for (const { name, machine } of everywhere()) {
    const family = after(machine, by(0, fork(7)));
    const stops = (now: Machine, signal: number) => last(now, by(0, kill(1, signal)), by(1, idle));
    const own = after(family, by(1, setpgid()));
    for (const signal of [TSTP, 21, 22]) {
      // In the group of its parent, it is orphaned; in its own, it has a parent outside; in another session, it has not.
      expect(stops(family, signal), name).toEqual(nothing);
      expect(stops(own, signal), name).toEqual(blocked);
      expect(stops(after(family, by(1, setsid)), signal), name).toEqual(nothing);
    }
    // It is gone, not pending; and STOP is no stop from the terminal.
    expect(taken(after(family, by(0, kill(1, TSTP))), 1, sigpending), name).toEqual({
      signals: [],
      observation: set(),
    });
    expect(stops(family, STOP), name).toEqual(blocked);
    // One such parent is enough for all of the group; a parent in it does not count, and 0 has none.
    const pair = after(own, by(1, fork(7)));
    expect(last(pair, by(0, kill(2, TSTP)), by(2, idle)), name).toEqual(blocked);
    const session = after(family, by(1, setsid, fork(7)), by(2, setpgid(), fork(7)));
    expect(last(session, by(0, kill(3, TSTP)), by(3, idle)), name).toEqual(blocked);
    // The end of the parent outside makes it one: process 0, who is the parent now, is of another session.
    expect(last(session, by(1, exit(0n)), by(0, kill(3, TSTP)), by(3, idle)), name).toEqual(nothing);
    expect(last(machine, by(0, kill(0, TSTP), idle)), name).toEqual(nothing);
  }
});

test("SIG-2 default: CHLD, CONT, URG and WINCH are ignored, four stop, all others are the end", () => {
  for (const { name, machine } of everywhere()) {
    const child = after(machine, by(0, fork(7)), by(1, setpgid()));
    for (const signal of Array.from({ length: 31 }, (_, nth) => nth + 1)) {
      const { processes } = after(child, by(0, kill(1, signal)), by(1, idle));
      const expected = [CHLD, CONT, URG, WINCH].includes(signal)
        ? { state: { kind: "live" }, stopped: false }
        : [STOP, TSTP, 21, 22].includes(signal)
          ? { state: { kind: "live" }, stopped: true }
          : { state: { kind: "zombie", status: { signalled: signal } } };
      expect(processes[1], `${name} ${signal.toString()}`).toMatchObject(expected);
    }
  }
});

test("SIG-2 action: default, ignore or a handler, inherited and then apart; KILL and STOP have none", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, getaction(USR1), sigaction(USR1, "ignore"), getaction(USR1), handle(USR1)), name).toEqual([
      set("default"),
      nothing,
      set("ignore"),
      nothing,
    ]);
    for (const signal of [0, KILL, STOP, 32]) {
      expect(last(machine, by(0, handle(signal))), name).toEqual(error("EINVAL"));
      expect(last(machine, by(0, sigaction(signal, "default"))), name).toEqual(error("EINVAL"));
    }
    expect(seen(machine, 0, getaction(KILL), getaction(0), getaction(32)), name).toEqual([
      set("default"),
      error("EINVAL"),
      error("EINVAL"),
    ]);
    const handling = after(machine, by(0, handle(USR1), sigaction(USR2, "ignore"), fork(7)));
    expect(seen(handling, 1, getaction(USR1), getaction(USR2), getaction(TERM)), name).toEqual([
      set("handler"),
      set("ignore"),
      set("default"),
    ]);
    expect(last(handling, by(1, sigaction(USR1, "default")), by(0, getaction(USR1))), name).toEqual(set("handler"));
    expect(last(handling, by(0, sigaction(USR1, "default")), by(1, getaction(USR1))), name).toEqual(set("handler"));
    // The capabilities are those of then, whatever becomes of the registers; another signal has others.
    const two = by(0, cincoffset(8, 1, 0x40n), handle(USR2, 8), ccleartag(8, 8), ccleartag(1, 1));
    const counted = after(machine, by(0, cincoffset(9, 1, 0n), handle(USR1, 9)), two, by(0, kill(0, USR1), idle));
    expect(seen(counted, 0, load("w", 10, 0n, 9), load("w", 10, 0x40n, 9)), name).toEqual([int(1n), int(0n)]);
    expect(last(counted, by(0, kill(0, USR2), load("w", 10, 0x40n, 9))), name).toEqual(int(1n));
    // What is pending vanishes where it is ignored now, masked or not; otherwise it waits.
    const pending = after(machine, by(0, sigmask(USR1, CHLD), kill(0, USR1), kill(0, CHLD)));
    expect(seen(pending, 0, sigpending, sigaction(USR1, "ignore"), sigpending), name).toEqual([
      set(USR1, CHLD),
      nothing,
      set(CHLD),
    ]);
    expect(seen(pending, 0, handle(USR1), sigpending, sigaction(CHLD, "default"), sigpending), name).toEqual([
      nothing,
      set(USR1, CHLD),
      nothing,
      set(USR1),
    ]);
  }
});

test("SIG-2 mask: the old one is told; each thread has its own; a child has the caller's; KILL and STOP cannot be masked", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, sigmask(TERM, HUP, HUP, KILL, STOP, 0, 32), sigmask(USR1), sigmask()), name).toEqual([
      set(),
      set(HUP, TERM),
      set(USR1),
    ]);
    const threads = after(machine, by(0, sigmask(USR1), thread), by(1, sigmask(USR2)));
    expect([last(threads, by(0, sigmask())), last(threads, by(1, sigmask()))], name).toEqual([set(USR1), set(USR2)]);
    // A new thread has its maker's.
    expect(last(threads, by(0, thread), by(2, sigmask())), name).toEqual(set(USR1));
    const forked = after(threads, by(1, fork(7)));
    expect(last(forked, by(2, sigmask())), name).toEqual(set(USR2));
    expect(last(forked, by(2, sigmask()), by(1, sigmask())), name).toEqual(set(USR2));
    // It holds what comes.
    expect(last(forked, by(0, kill(1, USR2)), by(2, sigpending)), name).toEqual(set(USR2));
    expect(last(forked, by(0, kill(1, USR1)), by(2, idle)), name).toEqual({ kind: "no-actor" });
    expect(last(threads, by(1, threadExit), by(0, sigmask())), name).toEqual(set(USR1));
  }
});

test("SIG-2 stack: memory that can be written to, or EFAULT; a child has its image", () => {
  for (const { name, machine, at } of everywhere()) {
    expect(registerOf(after(machine, by(0, getaltstack(8))), 0, 8), name).toEqual(nullCapability(machine.format));
    const own = after(machine, by(0, sigaltstack(2), ccleartag(2, 2), fork(7)));
    expect(last(own, by(0, getaltstack(8))), name).toMatchObject(
      cap({ tag: true, base: at(0, 0x600n), top: at(0, 0x700n) }),
    );
    expect(last(own, by(1, getaltstack(8))), name).toMatchObject(
      cap({ tag: true, base: at(1, 0x600n), top: at(1, 0x700n) }),
    );
    // Each its own.
    const apart = after(own, by(1, sigaltstack(1)));
    expect(last(apart, by(0, getaltstack(8))), name).toMatchObject(cap({ base: at(0, 0x600n) }));
    expect(last(apart, by(1, getaltstack(8))), name).toMatchObject(cap({ base: at(1), top: at(1, 0x400n) }));
    // An untagged one, a sealed one, code, authority over object types; all leave what was there.
    for (const wrong of [[ccleartag(9, 1)], [csealentry(9, 3)], [candperm(9, 1, "load")], [candperm(9, 4, "seal")]]) {
      expect(last(own, by(0, ...wrong, sigaltstack(9))), name).toEqual(error("EFAULT"));
      expect(last(own, by(0, ...wrong, sigaltstack(9), getaltstack(8))), name).toMatchObject(
        cap({ base: at(0, 0x600n) }),
      );
    }
    // It ends with its memory, and with the image.
    const unmapped = after(machine, by(0, mmap(8, 0x100n), sigaltstack(8), munmap(8, 0x100n)));
    expect(last(unmapped, by(0, getaltstack(8))), name).toMatchObject(cap({ tag: false }));
    expect(last(own, by(0, exec, getaltstack(8))), name).toMatchObject(cap({ tag: false }));
  }
});
