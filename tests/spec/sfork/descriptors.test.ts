/** FILE-1: numbers, open file descriptions, and who shares them. */
import { expect, test } from "vitest";
import {
  blocked,
  bytes,
  close,
  dup,
  dup2,
  enter,
  everywhere,
  fd,
  fds,
  finish,
  getfd,
  getfl,
  lseek,
  open,
  pipe,
  read,
  set,
  setflag,
  setrlimit,
  write,
} from "./calls.js";
import { after, by, cincoffset, error, exit, fork, int, last, nothing, seen, store, thread } from "./programs.js";

/** c1 names four bytes 1, 2, 3, 4, and c8 a place for others. */
const prepare = by(0, store("w", 0x0403_0201n, 0n, 1), cincoffset(8, 1, 0x80n));

test("FILE-1 references: the last reference that goes ends a description, and with both its ends a pipe", () => {
  for (const { name, machine } of everywhere()) {
    // 0 reads, 1 writes, 2 is another name for 1; the child has all three.
    const forked = after(machine, prepare, by(0, pipe, dup(1), fork(7)));
    expect(forked.descriptions, name).toMatchObject([{ references: 2 }, { references: 4 }]);
    expect(last(forked, by(0, close(1), close(2), read(0, 8, 1n))), name).toEqual(blocked);
    const two = after(forked, by(0, close(1), close(2)), by(1, close(1)));
    expect(two.descriptions, name).toMatchObject([{ references: 2 }, { references: 1 }]);
    expect(last(two, by(0, read(0, 8, 1n))), name).toEqual(blocked);
    // End of file, once nobody could write any more: by `close`, or because the last who could has ended.
    expect(last(two, by(1, close(2)), by(0, read(0, 8, 1n))), name).toEqual(bytes());
    expect(last(two, by(1, exit(0n)), by(0, read(0, 8, 1n))), name).toEqual(bytes());
    // What was written before stays to be read.
    expect(seen(after(two, by(1, write(2, 1, 2n), exit(0n))), 0, read(0, 8, 4n), read(0, 8, 4n)), name).toEqual([
      bytes(1, 2),
      bytes(),
    ]);
    const gone = after(two, by(1, close(0), close(2)), by(0, close(0)));
    expect(gone.descriptions, name).toEqual([undefined, undefined]);
    expect(gone.pipes, name).toEqual([undefined]);
    expect(seen(gone, 0, read(0, 8, 1n), pipe), name).toEqual([error("EBADF"), fds(0, 1)]);
    // A call under way refers to its description, whatever becomes of the descriptor.
    const entered = after(machine, prepare, by(0, pipe, thread, enter(read(0, 8, 4n)), close(0)));
    expect(entered.descriptions, name).toMatchObject([{ references: 1 }, { references: 1 }]);
    const served = after(entered, by(1, write(1, 1, 3n)));
    expect(last(served, by(0, finish)), name).toEqual(bytes(1, 2, 3));
    expect(after(served, by(0, finish)).descriptions, name).toMatchObject([undefined, { references: 1 }]);
  }
});

test("the lowest descriptor that is free, in each process's own table", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, pipe, open("/a", "read", "create"), dup(0), close(1), dup(2), dup(2)), name).toEqual([
      fds(0, 1),
      fd(2),
      fd(3),
      nothing,
      fd(1),
      fd(4),
    ]);
    const forked = after(machine, prepare, by(0, pipe, fork(7)));
    expect(seen(forked, 1, close(0), open("/a", "write", "create"), close(1)), name).toEqual([nothing, fd(0), nothing]);
    const apart = after(forked, by(1, close(0), open("/a", "write", "create"), close(1)));
    expect(seen(apart, 0, write(1, 1, 2n), read(0, 8, 2n), close(2)), name).toEqual([
      int(2n),
      bytes(1, 2),
      error("EBADF"),
    ]);
    // Numbers are taken modulo the size of the table.
    expect(seen(apart, 0, write(17, 1, 2n), read(16, 8, 2n)), name).toEqual([int(2n), bytes(1, 2)]);
    // A table has sixteen places, or fewer.
    const full = after(apart, by(0, ...Array.from({ length: 14 }, () => dup(0))));
    expect(seen(full, 0, dup(0), pipe, open("/b", "read", "create"), close(7), pipe, dup(0)), name).toEqual([
      error("EMFILE"),
      error("EMFILE"),
      error("EMFILE"),
      nothing,
      error("EMFILE"),
      fd(7),
    ]);
    expect(last(full, by(0, dup(0))), name).toEqual(error("EMFILE"));
    const limited = after(forked, by(0, setrlimit("nofile", 3n)));
    expect(seen(limited, 0, pipe, dup(0), dup(0), dup2(0, 3), dup2(0, 2)), name).toEqual([
      error("EMFILE"),
      fd(2),
      error("EMFILE"),
      error("EBADF"),
      fd(2),
    ]);
    expect(last(limited, by(1, dup(0), dup(0))), name).toEqual(fd(3));
    // Neither is open, and there is room for none.
    expect(last(limited, by(0, dup(0), dup(9))), name).toEqual(error("EBADF", "EMFILE"));
  }
});

test("a fork and dup share the offset and the status flags; close-on-exec is each descriptor's own", () => {
  for (const { name, machine } of everywhere()) {
    // 0 and 1 are one description, 2 is another of the same file.
    const opened = after(
      machine,
      prepare,
      by(0, open("/a", "read", "write", "create"), write(0, 1, 4n), lseek(0, 0n, "set"), dup(0), open("/a", "read")),
    );
    const forked = after(opened, by(0, fork(7)));
    const reads = after(forked, by(1, read(0, 8, 1n)));
    expect(seen(reads, 0, read(0, 8, 1n), read(1, 8, 1n), read(2, 8, 2n)), name).toEqual([
      bytes(2),
      bytes(3),
      bytes(1, 2),
    ]);
    expect(last(reads, by(0, read(1, 8, 1n)), by(1, read(1, 8, 4n))), name).toEqual(bytes(3, 4));
    expect(last(forked, by(1, lseek(1, 3n, "set")), by(0, read(0, 8, 4n))), name).toEqual(bytes(4));
    // Status flags.
    const flagged = after(forked, by(1, setflag("append", 0, 1n), setflag("nonblock", 1, 1n)));
    expect(seen(flagged, 0, getfl(0), getfl(1), getfl(2)), name).toEqual([
      set("read", "write", "append", "nonblock"),
      set("read", "write", "append", "nonblock"),
      set("read"),
    ]);
    expect(last(flagged, by(0, setflag("append", 1, 0n)), by(1, getfl(0))), name).toEqual(
      set("read", "write", "nonblock"),
    );
    // Descriptor flags: inherited, then apart; neither `dup` nor `dup2` copies them.
    const marked = after(opened, by(0, setflag("cloexec", 1, 1n), dup(1), dup2(1, 5), fork(7)));
    expect(seen(marked, 0, getfd(0), getfd(1), getfd(3), getfd(5)), name).toEqual([
      set(),
      set("cloexec"),
      set(),
      set(),
    ]);
    expect(last(marked, by(1, setflag("cloexec", 1, 0n), getfd(1))), name).toEqual(set());
    expect(last(marked, by(1, getfd(1))), name).toEqual(set("cloexec"));
    expect(last(marked, by(1, setflag("cloexec", 1, 0n)), by(0, getfd(1))), name).toEqual(set("cloexec"));
    expect(seen(machine, 0, open("/a", "read", "create", "cloexec"), getfd(0), getfl(0)), name).toEqual([
      fd(0),
      set("cloexec"),
      set("read"),
    ]);
  }
});

test("dup2 closes what it replaces, and leaves a descriptor that is the same", () => {
  for (const { name, machine } of everywhere()) {
    const piped = after(
      machine,
      prepare,
      by(0, pipe, open("/a", "read", "write", "create"), setflag("cloexec", 1, 1n)),
    );
    // The only end that writes is replaced by the file.
    expect(seen(piped, 0, dup2(2, 1), read(0, 8, 1n), write(1, 1, 4n), lseek(2, 0n, "cur")), name).toEqual([
      fd(1),
      bytes(),
      int(4n),
      int(4n),
    ]);
    expect(seen(piped, 0, dup2(1, 1), getfd(1), read(0, 8, 1n)), name).toEqual([fd(1), set("cloexec"), blocked]);
    expect(seen(piped, 0, dup2(9, 1), write(1, 1, 1n), dup2(9, 9)), name).toEqual([
      error("EBADF"),
      int(1n),
      error("EBADF"),
    ]);
    expect(seen(piped, 0, dup2(2, 9), getfl(9), close(9), close(9)), name).toEqual([
      fd(9),
      set("read", "write"),
      nothing,
      error("EBADF"),
    ]);
    for (const operation of [
      dup(9),
      close(9),
      getfd(9),
      getfl(9),
      setflag("cloexec", 9, 1n),
      setflag("append", 9, 1n),
    ]) {
      expect(last(piped, by(0, operation)), name).toEqual(error("EBADF"));
    }
  }
});
