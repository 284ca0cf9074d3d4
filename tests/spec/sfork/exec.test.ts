/** EXEC-2: another image in the same process. */
import { expect, test } from "vitest";
import {
  alarm,
  burn,
  bytes,
  everywhere,
  exec,
  fd,
  getaction,
  getaltstack,
  getfd,
  getpgid,
  getsid,
  kill,
  lseek,
  madvise,
  open,
  pipe,
  read,
  set,
  setflag,
  setpgid,
  sigaction,
  sigaltstack,
  sigmask,
  sigpending,
  times,
  write,
} from "./calls.js";
import {
  after,
  by,
  cap,
  ccleartag,
  cgettag,
  channel,
  cincoffset,
  csetbounds,
  error,
  exit,
  fork,
  framesOf,
  getpid,
  getppid,
  idle,
  int,
  last,
  load,
  mmap,
  mprotect,
  nothing,
  r,
  recvcap,
  registerOf,
  seen,
  sendcap,
  store,
  storecap,
  thread,
  trap,
  wait,
  worldOf,
  worlds,
  expectUnchanged,
} from "./programs.js";

test("EXEC-2 exec: a fresh image in the same process; of what the kernel keeps, what POSIX says stays", () => {
  for (const { name, machine, at } of everywhere()) {
    const start = registersOf(machine, 0);
    // 1. Memory, registers and threads are those of a start, in the region that it has.
    const used = after(
      machine,
      by(0, fork(7)),
      by(1, store("b", 5n, 0n, 1), store("b", 6n, 0n, 2), mmap(8, 0x100n), thread, cincoffset(9, 1, 0x100n)),
      by(1, mprotect(9, 0x100n, r), ccleartag(3, 3), ccleartag(4, 4)),
    );
    const fresh = after(used, by(1, exec));
    expect(last(used, by(1, exec)), name).toEqual(nothing);
    for (const index of [1, 2]) {
      expect(last(fresh, by(1, load("b", 10, 0n, index))), name).toEqual(int(0n));
      expect(last(fresh, by(1, store("b", 1n, 0n, index))), name).toEqual(nothing);
    }
    expect(last(fresh, by(1, store("b", 1n, 0x100n, 1))), name).toEqual(nothing);
    expect(registersOf(fresh, 1), name).toMatchObject([
      { tag: false },
      { tag: true, base: at(1), top: at(1, 0x400n) },
      { tag: true, base: at(1, 0x600n), top: at(1, 0x700n) },
      { tag: true, base: at(1, 0x700n), top: at(1, 0x800n) },
      ...start.slice(4, 7),
      ...Array.from({ length: 9 }, () => ({ tag: false, address: 0n })),
    ]);
    expect(fresh.threads[1]?.pcc, name).toMatchObject({ tag: true, base: at(1, 0x700n), top: at(1, 0x800n) });
    expect(
      fresh.threads.filter(({ process, live }) => process === 1 && live),
      name,
    ).toHaveLength(1);
    expect(
      fresh.regions[1]?.map((entry) => entry !== undefined),
      name,
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((page) => page < 4 || page > 5));
    // Whichever thread calls it is the one that is left.
    expect(
      after(used, by(2, exec)).threads.map(({ live }) => live),
      name,
    ).toEqual([true, false, true]);
    // 2. The same process: pid, relatives, group; its parent's memory is as it was.
    expect(seen(fresh, 1, getpid(8), getppid(8), getpgid(), getsid()), name).toEqual([2n, 1n, 1n, 1n].map(int));
    expect(last(used, by(1, fork(7), exec), by(3, exit(7n)), by(1, wait(8))), name).toEqual({
      kind: "process",
      process: 2,
      status: { exited: 7 },
    });
    expect(
      last(after(machine, by(0, store("b", 5n, 0n, 1), fork(7)), by(1, exec)), by(0, load("b", 8, 0n, 1))),
      name,
    ).toEqual(int(5n));
    // 3. Descriptors: those that do not say otherwise.
    const opened = after(
      machine,
      by(0, pipe, open("/a", "read", "write", "create", "cloexec"), setflag("cloexec", 0, 1n)),
    );
    expect(
      seen(opened, 0, store("b", 3n, 0n, 1), write(2, 1, 1n), exec, getfd(0), getfd(1), getfd(2)).slice(2),
      name,
    ).toEqual([nothing, error("EBADF"), set(), error("EBADF")]);
    const shared = after(opened, by(0, fork(7)), by(1, exec));
    expect(seen(shared, 0, getfd(0), write(1, 1, 1n), read(0, 1, 1n), lseek(2, 0n, "cur")), name).toEqual([
      set("cloexec"),
      int(1n),
      bytes(0),
      int(0n),
    ]);
    // 4. Signals: handlers are no more, ignored ones stay so; so do mask and what is pending.
    const handling = [sigaction(10, { code: 3, data: 1 }), sigaction(12, "ignore"), sigmask(15, 10), sigaltstack(2)];
    const signals = after(machine, by(0, ...handling, kill(0, 15), alarm(9n), burn, exec));
    expect(
      seen(signals, 0, getaction(10), getaction(12), sigpending, sigmask(15, 10), alarm(0n), times("self")),
      name,
    ).toEqual([set("default"), set("ignore"), set(15), set(10, 15), int(1n), int(1n)]);
    expect(last(signals, by(0, getaltstack(8))), name).toMatchObject(cap({ tag: false, address: 0n }));
    // Not because it was swept: a segment does not end.
    const segment = by(0, sigaltstack(6), exec, getaltstack(8));
    expect(last(machine, segment), name).toMatchObject(cap({ tag: false, address: 0n }));
    // No handler of the old image runs in the new one.
    const killed = after(machine, by(0, fork(7)), by(1, sigaction(10, { code: 3, data: 1 }), exec), by(0, kill(1, 10)));
    expect(last(killed, by(1, idle)), name).toEqual({ kind: "no-actor" });
    // 5. What was said of its pages is forgotten with them.
    const advised = after(machine, by(0, madvise(1, 0x100n, "dontfork"), exec, store("b", 4n, 0n, 1), fork(7)));
    expect(last(advised, by(1, load("b", 8, 0n, 1))), name).toEqual(int(4n));
  }
});

const registersOf = (machine: Parameters<typeof registerOf>[0], thread0: number) =>
  machine.threads[thread0]?.registers ?? [];

test("what pointed into the old image is swept, wherever it is; the frames are given back", () => {
  for (const { name, machine } of worlds()) {
    // Process 0 and a channel have 0x40 bytes of process 1.
    const granted = after(
      machine,
      by(0, channel, fork(7)),
      by(1, csetbounds(8, 1, 0x40n), sendcap(0, 8), sendcap(0, 8)),
      by(0, recvcap(9, 0), storecap(9, 0n, 1)),
    );
    const gone = after(granted, by(1, exec));
    expect(
      seen(gone, 0, cgettag(10, 9), { op: "loadcap", cd: 10, n: { immediate: 0n }, cs1: 1 }, recvcap(11, 0)),
      name,
    ).toMatchObject([int(0n), cap({ tag: false }), cap({ tag: false })]);
    expect(last(gone, by(0, load("b", 10, 0n, 9))), name).toEqual(trap("tag"));
    // The other way round it holds nothing of others any more.
    const held = after(machine, by(0, channel, csetbounds(8, 1, 0x40n), fork(7), sendcap(0, 8)), by(1, recvcap(9, 0)));
    expect(registerOf(after(held, by(1, exec)), 1, 9), name).toMatchObject({ tag: false, address: 0n });
    // Its own pages were six, and are six again, whatever it shared.
    expect(framesOf(after(held, by(1, exec))), name).toBe(12);
    expect(framesOf(after(held, by(1, exec, exec, exit(0n)))), name).toBe(6);
  }
});

test("exec needs what its own pages do not give back; it fails without effect", () => {
  for (const { name, config } of worlds()) {
    const { format, strategy } = config;
    // Six pages each; with twelve frames it is enough, whatever is shared, and mmap does not take it away.
    const full = after(worldOf({ format, strategy, frames: 12 }).machine, by(0, fork(7)));
    expect(last(full, by(1, exec)), name).toEqual(nothing);
  }
  // Overcommitted, all frames in use but one, and the image's shared with a child.
  for (const strategy of ["coa", "copa"] as const) {
    const tight = after(
      worldOf({ strategy, frames: 7, commit: "overcommit" }).machine,
      by(0, open("/a", "read", "create"), fork(7)),
    );
    expect(last(tight, by(1, exec)), strategy).toEqual(error("ENOMEM"));
    expectUnchanged(tight, by(1, exec), strategy);
    expect(seen(tight, 1, exec, getfd(0), setpgid()), strategy).toEqual([error("ENOMEM"), set(), nothing]);
  }
  // A child of it may be put in a group by its parent still, for it has executed nothing.
  const tight = after(
    worldOf({ strategy: "coa", frames: 7, commit: "overcommit" }).machine,
    by(0, fork(7)),
    by(1, exec),
  );
  expect(last(tight, by(0, setpgid(1)))).toEqual(nothing);
  expect(last(tight, by(0, open("/a", "read", "create")))).toEqual(fd(0));
});
