/** FILE-2, LOCK-1: paths, bytes and offsets of files, and record locks on them. */
import { expect, test } from "vitest";
import {
  bytes,
  chdir,
  close,
  dup,
  everywhere,
  exec,
  fd,
  getlk,
  lock,
  lseek,
  open,
  pipe,
  read,
  setflag,
  unlock,
  write,
} from "./calls.js";
import { after, by, cincoffset, error, exit, fork, int, last, nothing, seen, store, thread, wait } from "./programs.js";

/** c1 names four bytes 1, 2, 3, 4, and c8 a place for others. */
const prepare = by(0, store("w", 0x0403_0201n, 0n, 1), cincoffset(8, 1, 0x80n));

test("FILE-2 path: from the root, or from where the process is", () => {
  for (const { name, machine } of everywhere()) {
    const made = after(machine, prepare, by(0, open("d/a", "write", "create"), write(0, 1, 1n), chdir("/d")));
    expect(seen(made, 0, open("a", "read"), read(1, 8, 4n), open("/d/a", "read"), open("/a", "read")), name).toEqual([
      fd(1),
      bytes(1),
      fd(2),
      error("ENOENT"),
    ]);
    // A directory is inherited, and then each process's own.
    const apart = after(made, by(0, fork(7)), by(1, chdir("/e")));
    expect(last(apart, by(1, open("a", "read"))), name).toEqual(error("ENOENT"));
    expect(last(apart, by(0, open("a", "read"))), name).toEqual(fd(1));
    expect(last(made, by(0, fork(7)), by(1, open("a", "read"))), name).toEqual(fd(1));
    // What is made there is nowhere else.
    const there = after(apart, by(1, open("b", "write", "create")));
    expect(seen(there, 0, open("/e/b", "read"), open("/d/b", "read")), name).toEqual([fd(1), error("ENOENT")]);
    expect(there.files, name).toMatchObject([{ path: "/d/a" }, { path: "/e/b" }]);
  }
});

test("FILE-2 open: what is there, or a new file where it says so; directories are not opened", () => {
  for (const { name, machine } of everywhere()) {
    const made = after(machine, prepare, by(0, open("/a", "read", "write", "create"), write(0, 1, 4n)));
    expect(machine.files, name).toEqual([]);
    const cases = [
      [open("/a", "read"), fd(1)],
      [open("/a", "read", "create"), fd(1)],
      [open("/a", "read", "exclusive"), fd(1)],
      [open("/a", "read", "create", "exclusive"), error("EEXIST")],
      [open("/b", "read"), error("ENOENT")],
      [open("/b", "read", "create", "exclusive"), fd(1)],
      [open("/c/b", "read", "create"), error("ENOENT")],
      [open("/a", "create"), error("EINVAL")],
      [open("/d", "read"), error("EISDIR")],
      [open("/", "read", "write"), error("EISDIR")],
      [open("/d", "read", "create", "exclusive"), error("EEXIST", "EISDIR")],
      [open("/a/b", "read", "create"), error("ENOTDIR")],
    ] as const;
    for (const [operation, expected] of cases) expect(last(made, by(0, operation)), name).toEqual(expected);
    // A new description begins at the start, and truncation empties for all; only who writes can truncate.
    expect(seen(made, 0, open("/a", "read"), read(1, 8, 9n), read(0, 8, 9n)), name).toEqual([
      fd(1),
      bytes(1, 2, 3, 4),
      bytes(),
    ]);
    expect(seen(made, 0, open("/a", "write", "truncate"), lseek(0, 0n, "end"), read(1, 8, 1n)), name).toEqual([
      fd(1),
      int(0n),
      error("EBADF"),
    ]);
    expect(seen(made, 0, open("/a", "read"), lseek(1, 0n, "end"), write(1, 1, 1n)), name).toEqual([
      fd(1),
      int(4n),
      error("EBADF"),
    ]);
    // A file outlives those who made and opened it.
    const left = after(made, by(0, fork(7)), by(1, open("/b", "write", "create"), write(1, 1, 2n), exit(0n)));
    expect(seen(left, 0, open("/b", "read"), read(1, 8, 4n)), name).toEqual([fd(1), bytes(1, 2)]);
  }
});

test("FILE-2 write: at the offset or at the end, with zeros in between, and no further than a file can go", () => {
  for (const { name, machine } of everywhere()) {
    const made = after(machine, prepare, by(0, open("/a", "read", "write", "create"), write(0, 1, 4n)));
    expect(seen(made, 0, lseek(0, 1n, "set"), write(0, 1, 2n), lseek(0, 0n, "set"), read(0, 8, 9n)), name).toEqual([
      int(1n),
      int(2n),
      int(0n),
      bytes(1, 1, 2, 4),
    ]);
    const hole = after(made, by(0, lseek(0, 6n, "set"), write(0, 1, 1n), lseek(0, 0n, "set")));
    expect(last(hole, by(0, read(0, 8, 9n))), name).toEqual(bytes(1, 2, 3, 4, 0, 0, 1));
    // To append is to write at the end, wherever that is by then; the offset follows.
    const append = [lseek(0, 0n, "set"), setflag("append", 0, 1n), write(0, 1, 1n), lseek(0, 0n, "cur")];
    expect(seen(made, 0, ...append, lseek(0, 3n, "set"), read(0, 8, 9n)), name).toEqual([
      int(0n),
      nothing,
      int(1n),
      int(5n),
      int(3n),
      bytes(4, 1),
    ]);
    const both = after(made, by(0, open("/a", "write", "append"), fork(7)), by(1, write(0, 1, 2n)));
    expect(seen(both, 0, write(1, 1, 1n), lseek(0, 4n, "set"), read(0, 8, 9n)), name).toEqual([
      int(1n),
      int(4n),
      bytes(1, 2, 1),
    ]);
    // The end of what a file can be.
    const far = after(made, by(0, lseek(0, 4094n, "set")));
    expect(seen(far, 0, write(0, 1, 4n), write(0, 1, 1n), write(0, 1, 0n), lseek(0, 0n, "end")), name).toEqual([
      int(2n),
      error("EFBIG"),
      int(0n),
      int(4096n),
    ]);
    // To write nothing makes no file longer.
    expect(seen(made, 0, lseek(0, 9n, "set"), write(0, 1, 0n), lseek(0, 0n, "end")), name).toEqual([
      int(9n),
      int(0n),
      int(4n),
    ]);
  }
});

test("FILE-2 lseek: from the start, from where it is, from the end; never before the start", () => {
  for (const { name, machine } of everywhere()) {
    const made = after(machine, prepare, by(0, open("/a", "read", "write", "create"), write(0, 1, 4n), pipe));
    const moves = [lseek(0, 3n, "set"), lseek(0, -2n, "cur"), lseek(0, -1n, "end"), lseek(0, 5n, "end")];
    expect(seen(made, 0, ...moves, read(0, 8, 1n)), name).toEqual([int(3n), int(1n), int(3n), int(9n), bytes()]);
    expect(seen(made, 0, lseek(0, 1n, "set"), read(0, 8, 2n), lseek(0, 0n, "cur")), name).toEqual([
      int(1n),
      bytes(2, 3),
      int(3n),
    ]);
    // What fails moves nothing.
    for (const wrong of [lseek(0, -1n, "set"), lseek(0, -5n, "cur"), lseek(0, -5n, "end")]) {
      expect(seen(made, 0, wrong, lseek(0, 0n, "cur")), name).toEqual([error("EINVAL"), int(4n)]);
    }
    expect(last(made, by(0, lseek(1, 0n, "cur"))), name).toEqual(error("ESPIPE"));
    expect(last(made, by(0, lseek(9, 0n, "cur"))), name).toEqual(error("EBADF"));
  }
});

/** 0 is the file, and locked from 10 to 19 by process 0. */
const locked = [by(0, open("/a", "read", "write", "create"), lock(0, 10n, 10n))];

test("LOCK-1 lock: of others none may overlap; what is one's own is replaced; a fork inherits none", () => {
  for (const { name, machine } of everywhere()) {
    const holds = after(machine, ...locked, by(0, fork(7)));
    for (const [start, length] of [
      [10n, 10n],
      [19n, 1n],
      [0n, 11n],
      [0n, 0n],
      [12n, 2n],
    ] as const) {
      expect(last(holds, by(1, lock(0, start, length))), name).toEqual(error("EAGAIN", "EACCES"));
      // The parent has it still, and may lock it again.
      expect(last(holds, by(0, lock(0, start, length))), name).toEqual(nothing);
    }
    for (const [start, length] of [
      [0n, 10n],
      [20n, 0n],
    ] as const) {
      expect(last(holds, by(1, lock(0, start, length))), name).toEqual(nothing);
    }
    // An unlocked piece leaves what is on either side.
    const pieces = after(holds, by(0, unlock(0, 12n, 4n)));
    expect(last(pieces, by(1, lock(0, 12n, 4n))), name).toEqual(nothing);
    for (const at of [11n, 16n]) expect(last(pieces, by(1, lock(0, at, 1n))), name).toEqual(error("EAGAIN", "EACCES"));
    // What one does not hold, one cannot unlock; threads of a process are one owner.
    expect(last(holds, by(1, unlock(0, 0n, 0n), lock(0, 10n, 1n))), name).toEqual(error("EAGAIN", "EACCES"));
    expect(last(holds, by(0, thread), by(2, unlock(0, 0n, 0n)), by(1, lock(0, 10n, 1n))), name).toEqual(nothing);
    expect(last(holds, by(0, lock(0, 2n ** 31n, 0n))), name).toEqual(error("EINVAL"));
    expect(last(holds, by(0, pipe, lock(1, 0n, 0n))), name).toEqual(error("EBADF", "EINVAL"));
    expect(seen(holds, 0, pipe, lock(2, 0n, 0n), unlock(9, 0n, 0n)).slice(1), name).toEqual([
      error("EINVAL"),
      error("EBADF"),
    ]);
    expect(seen(holds, 0, open("/a", "read"), lock(1, 0n, 1n), unlock(1, 10n, 10n)), name).toEqual([
      fd(1),
      error("EBADF"),
      nothing,
    ]);
    // Another file, the same bytes.
    expect(seen(holds, 1, open("/b", "write", "create"), lock(1, 10n, 10n)), name).toEqual([fd(1), nothing]);
  }
});

test("LOCK-1 getlk: the pid of who stands in the way, 0 where nobody does", () => {
  for (const { name, machine } of everywhere()) {
    const holds = after(machine, ...locked, by(0, fork(7)), by(1, lock(0, 30n, 0n)));
    expect(seen(holds, 1, getlk(0, 0n, 0n), getlk(0, 19n, 1n), getlk(0, 20n, 9n)), name).toEqual([
      int(1n),
      int(1n),
      int(0n),
    ]);
    expect(seen(holds, 0, getlk(0, 0n, 0n), getlk(0, 10n, 10n), getlk(0, 1000n, 1n)), name).toEqual([
      int(2n),
      int(0n),
      int(2n),
    ]);
    // Of two that stand in the way it is the first.
    expect(last(holds, by(0, fork(7)), by(2, getlk(0, 0n, 0n))), name).toEqual(int(1n));
    expect(last(holds, by(0, fork(7), unlock(0, 0n, 0n)), by(2, getlk(0, 0n, 0n))), name).toEqual(int(2n));
  }
});

test("LOCK-1 close: any descriptor of the file that a process closes ends the locks of that process, and no other's", () => {
  for (const { name, machine } of everywhere()) {
    const holds = after(machine, ...locked, by(0, dup(0), open("/a", "read"), fork(7)));
    const free = int(0n);
    for (const d of [0, 1, 2]) expect(last(holds, by(0, close(d)), by(1, getlk(0, 0n, 0n))), name).toEqual(free);
    expect(last(holds, by(1, close(0), close(1), getlk(2, 0n, 0n))), name).toEqual(int(1n));
    const other = [open("/b", "read", "create"), close(3)];
    expect(last(holds, by(0, ...other), by(1, getlk(0, 0n, 0n))), name).toEqual(int(1n));
    // Ends, too: of the process, but not of its image.
    const child = after(machine, by(0, open("/a", "read", "write", "create"), fork(7)), by(1, lock(0, 0n, 0n)));
    expect(last(child, by(0, getlk(0, 0n, 0n))), name).toEqual(int(2n));
    expect(last(child, by(1, exec), by(0, getlk(0, 0n, 0n))), name).toEqual(int(2n));
    expect(last(child, by(1, exit(0n)), by(0, lock(0, 0n, 0n))), name).toEqual(nothing);
    expect(last(child, by(1, setflag("cloexec", 0, 1n), exec), by(0, lock(0, 0n, 0n))), name).toEqual(nothing);
    expect(last(child, by(1, exit(0n)), by(0, wait(9), fork(7)), by(2, getlk(0, 0n, 0n))), name).toEqual(free);
  }
});
