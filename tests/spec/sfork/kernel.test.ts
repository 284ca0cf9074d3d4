/** KERN-1 to KERN-3, MEM-1: what a call checks, takes and does, and the kernel at a process's memory. */
import { expect, test } from "vitest";
import { checkBytes } from "../../../spec/sfork/memory-access.js";
import { formats } from "../../../spec/cheri/index.js";
import { capability, sealedType } from "../cheri/rules/capabilities.js";
import {
  blocked,
  bytes,
  close,
  dup,
  enter,
  everywhere,
  exec,
  fd,
  finish,
  lseek,
  open,
  pipe,
  read,
  readv,
  set,
  setflag,
  setpgid,
  setsid,
  sigmask,
  sigpending,
  write,
  writev,
} from "./calls.js";
import {
  after,
  by,
  candperm,
  cap,
  ccleartag,
  channel,
  cincoffset,
  countersOf,
  csealentry,
  csetbounds,
  error,
  fork,
  idle,
  int,
  last,
  lazyStrategies,
  li,
  load,
  loadcap,
  mmap,
  mprotect,
  munmap,
  none,
  nothing,
  r,
  recvcap,
  registerOf,
  seen,
  sendcap,
  store,
  storecap,
  thread,
  threadExit,
  worlds,
  type World,
} from "./programs.js";

/** c1 names eight bytes 1 to 8; 0 reads a pipe, 1 writes to it; c8 names the second page of data. */
const prepare = by(0, store("w", 0x0403_0201n, 0n, 1), store("w", 0x0807_0605n, 4n, 1), pipe, cincoffset(8, 1, 0x100n));

test("MEM-1 bytes: all of them must be allowed; where there are none, the authority must", () => {
  for (const format of Object.values(formats)) {
    const of = (allow: readonly ("load" | "store")[]) =>
      capability(format, { base: 0x10000n, top: 0x10010n, address: 0x10000n, allow });
    const both = of(["load", "store"]);
    const check = (right: "load" | "store", authority: typeof both, address: bigint, size: bigint) =>
      checkBytes(format, right, authority, { address, size });
    for (const right of ["load", "store"] as const) {
      const other = of([right === "load" ? "store" : "load"]);
      for (const size of [0n, 1n, 16n]) {
        expect(check(right, both, 0x10000n, size), format.name).toBeUndefined();
        expect(check(right, other, 0x10000n, size), format.name).toMatchObject({ trap: `perm-${right}` });
        expect(check(right, { ...both, tag: false }, 0x10000n, size), format.name).toMatchObject({ trap: "tag" });
        const sealed = { ...both, otype: sealedType(format) };
        expect(check(right, sealed, 0x10000n, size), format.name).toMatchObject({ trap: "seal" });
      }
      expect(check(right, both, 0x10001n, 16n), format.name).toMatchObject({ trap: "bounds" });
      expect(check(right, both, 0xffffn, 2n), format.name).toMatchObject({ trap: "bounds" });
      // No bytes are within all bounds.
      expect(check(right, both, 0x20000n, 0n), format.name).toBeUndefined();
    }
  }
});

test("KERN-1 checks: the first error that applies is the one, every other that does is allowed, and nothing changes", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(machine, prepare, by(0, ccleartag(9, 1)));
    // Neither open, nor a buffer.
    expect(last(ready, by(0, read(5, 9, 1n))), name).toEqual(error("EBADF", "EFAULT"));
    expect(last(ready, by(0, read(5, 1, 1n))), name).toEqual(error("EBADF"));
    expect(last(ready, by(0, write(1, 9, 1n))), name).toEqual(error("EFAULT"));
    // The same error twice is one.
    expect(last(ready, by(0, open("/x/y", "read"))), name).toEqual(error("ENOENT"));
    expect(last(ready, by(0, open("/x/y"))), name).toEqual(error("EINVAL", "ENOENT"));
    const full = after(ready, by(0, ...Array.from({ length: 14 }, () => dup(0))));
    expect(last(full, by(0, open("/d", "read"))), name).toEqual(error("EMFILE", "EISDIR"));
    // A child that leads a session, and has executed another image.
    const child = after(ready, by(0, fork(7)), by(1, setsid, exec));
    expect(last(child, by(0, setpgid(1, 0))), name).toEqual(error("EPERM", "EACCES"));
    for (const failing of [read(5, 9, 1n), open("/x/y"), setpgid(1, 0)]) {
      expect(after(child, by(0, idle, failing)), name).toEqual(after(child, by(0, idle)));
    }
    // What would block is asked last: a bad buffer fails at once, a good one waits.
    expect(seen(ready, 0, read(0, 9, 1n), read(0, 1, 1n)), name).toEqual([error("EFAULT"), blocked]);
    expect(last(ready, by(0, setflag("nonblock", 0, 1n), read(0, 9, 1n))), name).toEqual(error("EFAULT"));
  }
});

test("KERN-2 enter: registers and bytes are taken then, once; what is to be filled is not looked at", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(machine, prepare);
    // What is to be written is of now: not of when it is written, and not of the register by then.
    const writing = after(ready, by(0, enter(write(1, 1, 4n)), store("w", 0n, 0n, 1), li(1, 0n), finish));
    expect(last(writing, by(0, read(0, 8, 9n))), name).toEqual(bytes(1, 2, 3, 4));
    expect(last(ready, by(0, enter(write(1, 1, 4n)), read(0, 8, 9n))), name).toEqual(blocked);
    // All of the buffers.
    const both = by(0, cincoffset(9, 1, 6n), enter(writev(1, 9, 2n, 1, 3n)), store("b", 0n, 6n, 1), finish);
    expect(last(after(ready, both), by(0, read(0, 8, 9n))), name).toEqual(bytes(7, 8, 1, 2, 3));
    // Size and capability of what is to be filled, and a path.
    const sizes = by(0, li(9, 3n), write(1, 1, 8n), {
      op: "call_enter",
      call: { op: "read", d: 0, cs1: 8, n: { register: 9 } },
    });
    expect(seen(after(ready, sizes, by(0, li(9, 8n), li(8, 0n))), 0, finish, read(0, 1, 9n)), name).toEqual([
      bytes(1, 2, 3),
      bytes(4, 5, 6, 7, 8),
    ]);
    // Errors: of the descriptor and of what is read, at once; one call a thread.
    expect(
      seen(ready, 0, ccleartag(9, 1), enter(write(1, 9, 1n)), enter(read(1, 1, 1n)), finish).slice(1),
      name,
    ).toEqual([error("EFAULT"), error("EBADF"), error("EINVAL")]);
    expect(seen(ready, 0, ccleartag(9, 1), enter(read(0, 9, 1n)), write(1, 1, 1n), finish).slice(1), name).toEqual([
      nothing,
      int(1n),
      error("EFAULT"),
    ]);
    expect(seen(ready, 0, enter(read(0, 8, 1n)), enter(read(0, 8, 1n)), close(0)), name).toEqual([
      nothing,
      error("EINVAL"),
      nothing,
    ]);
    const two = after(ready, by(0, thread, enter(read(0, 8, 1n))), by(1, enter(write(1, 1, 2n))));
    expect(last(two, by(1, finish), by(0, finish)), name).toEqual(bytes(1));
  }
});

test("KERN-2 finish: the call acts as it was entered; it waits as long as it must, and ends with its thread or image", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(machine, prepare);
    expect(last(ready, by(0, finish)), name).toEqual(error("EINVAL"));
    // It acts when it finishes.
    const entered = after(ready, by(0, thread, enter(read(0, 8, 4n))));
    expect(seen(entered, 0, finish, finish, write(1, 1, 2n), finish, finish), name).toEqual([
      blocked,
      blocked,
      int(2n),
      bytes(1, 2),
      error("EINVAL"),
    ]);
    // The buffer is checked now, its capability is the one that was passed.
    const gone = after(ready, by(0, mmap(9, 0x100n), enter(read(0, 9, 1n)), write(1, 1, 1n), munmap(9, 0x100n)));
    expect(seen(gone, 0, mmap(9, 0x100n), finish, load("b", 10, 0n, 9), read(0, 8, 1n)).slice(1), name).toEqual([
      error("EFAULT"),
      int(0n),
      bytes(1),
    ]);
    const closed = after(ready, by(0, enter(read(0, 8, 1n)), write(1, 1, 1n), mprotect(8, 0x100n, r)));
    expect(seen(closed, 0, finish, read(0, 1, 1n)), name).toEqual([error("EFAULT"), bytes(1)]);
    // An open descriptor is not needed any more, a path is resolved now.
    expect(seen(after(ready, by(0, enter(write(1, 1, 1n)), close(1))), 0, finish, read(0, 8, 2n)), name).toEqual([
      int(1n),
      bytes(1),
    ]);
    const opening = after(ready, by(0, enter(open("/a", "read"))));
    expect(seen(opening, 0, finish, finish), name).toEqual([error("ENOENT"), error("EINVAL")]);
    expect(seen(opening, 0, open("/a", "write", "create"), finish), name).toEqual([fd(2), fd(3)]);
    // Nobody reads any more, which is heard when it finishes.
    const broken = after(ready, by(0, sigmask(13), enter(write(1, 1, 1n)), close(0)));
    expect(seen(broken, 0, sigpending, finish, sigpending, finish), name).toEqual([
      set(),
      error("EPIPE"),
      set(13),
      error("EINVAL"),
    ]);
    // The child has no call; the parent's goes on, and so its description.
    const forked = after(ready, by(0, enter(write(1, 1, 1n)), close(1), fork(7)));
    expect(last(forked, by(1, finish)), name).toEqual(error("EINVAL"));
    expect(seen(forked, 0, read(0, 8, 1n), finish, read(0, 8, 1n), read(0, 8, 1n)), name).toEqual([
      blocked,
      int(1n),
      bytes(1),
      bytes(),
    ]);
    // It ends with its thread, or with the image: nobody could write then.
    const held = after(ready, by(0, thread), by(1, enter(write(1, 1, 1n)), close(1)));
    expect(last(held, by(0, read(0, 8, 1n))), name).toEqual(blocked);
    expect(last(held, by(1, threadExit), by(0, read(0, 8, 1n))), name).toEqual(bytes());
    expect(seen(held, 1, exec, finish, read(0, 1, 1n)), name).toEqual([nothing, error("EINVAL"), bytes()]);
    expect(seen(held, 0, exec, read(0, 1, 1n)), name).toEqual([nothing, bytes()]);
  }
});

/** Registers 9 to 14 are capabilities that must not be used for four bytes: of data, its second page, and beyond. */
const faulty = [
  by(0, ccleartag(9, 1), csealentry(10, 3), csetbounds(11, 1, 3n), cincoffset(12, 1, 0x3fen), mmap(13, 0x100n, none)),
];

test("KERN-3 buffer: the capability that was passed allows all of it, or EFAULT and nothing", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(machine, prepare, ...faulty, by(0, open("/a", "read", "write", "create"), write(2, 1, 8n)));
    const start = after(ready, by(0, lseek(2, 0n, "set"), write(1, 1, 8n)));
    const wrong = [9, 10, 11, 12, 13];
    for (const cs of wrong) {
      expect(last(start, by(0, write(1, cs, 4n))), name).toEqual(error("EFAULT"));
      expect(last(start, by(0, read(0, cs, 4n))), name).toEqual(error("EFAULT"));
      // Also where it is not the first, and what it would not have come to; nothing is read, no offset moves.
      for (const operation of [readv(2, 1, 8n, cs, 4n), readv(2, cs, 4n, 1, 8n), writev(2, 1, 1n, cs, 4n)]) {
        expect(seen(start, 0, operation, lseek(2, 0n, "cur"), read(2, 8, 9n)), name).toEqual([
          error("EFAULT"),
          int(0n),
          bytes(1, 2, 3, 4, 5, 6, 7, 8),
        ]);
      }
      expect(seen(start, 0, read(0, cs, 4n), readv(0, 8, 1n, cs, 4n), read(0, 8, 9n)), name).toEqual([
        error("EFAULT"),
        error("EFAULT"),
        bytes(1, 2, 3, 4, 5, 6, 7, 8),
      ]);
    }
    // Rights: to write from it is to load, to read into it to store.
    const rights = after(start, by(0, candperm(9, 1, "load"), candperm(10, 8, "store")));
    expect(seen(rights, 0, write(2, 9, 1n), read(0, 9, 1n), write(2, 10, 1n), read(0, 10, 1n)), name).toEqual([
      int(1n),
      error("EFAULT"),
      error("EFAULT"),
      bytes(1),
    ]);
    // The whole range, though there be less to read; and pages, though the capability allows it.
    const few = after(start, by(0, read(0, 8, 7n)));
    expect(seen(few, 0, read(0, 11, 4n), read(0, 11, 3n)), name).toEqual([error("EFAULT"), bytes(8)]);
    const shut = after(start, by(0, mprotect(8, 0x100n, r), cincoffset(9, 1, 0xfen)));
    expect(seen(shut, 0, read(0, 9, 4n), write(2, 9, 4n), read(0, 9, 2n)), name).toEqual([
      error("EFAULT"),
      int(4n),
      bytes(1, 2),
    ]);
    expect(last(after(shut, by(0, mprotect(8, 0x100n, none))), by(0, write(2, 9, 4n))), name).toEqual(error("EFAULT"));
    // No bytes need an authority still.
    expect(seen(start, 0, ccleartag(9, 1), read(2, 9, 0n), read(2, 11, 0n)).slice(1), name).toEqual([
      error("EFAULT"),
      bytes(),
    ]);
  }
});

/** Pages 0 and 1 of process 1 are still shared; it has a pointer at the end of page 0. */
const shared = ({ machine, g }: World) =>
  after(machine, by(0, store("b", 1n, 0n, 1), storecap(1, 0x100n - g, 1), store("b", 2n, 0x100n, 1), fork(7), pipe));

test("KERN-3 copy-in: a load of all buffers in turn, with the faults of one, of the page as its owner has it", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(
      machine,
      prepare,
      by(0, cincoffset(9, 1, 6n), store("b", 9n, 0xffn, 1), store("b", 8n, 0x100n, 1)),
    );
    expect(seen(ready, 0, writev(1, 9, 2n, 1, 3n), read(0, 8, 9n)), name).toEqual([int(5n), bytes(7, 8, 1, 2, 3)]);
    expect(seen(ready, 0, writev(1, 9, 0n, 1, 3n), read(0, 8, 9n)), name).toEqual([int(3n), bytes(1, 2, 3)]);
    // Across pages.
    const across = by(0, cincoffset(9, 1, 0xffn), write(1, 9, 2n));
    expect(last(after(ready, across), by(0, read(0, 1, 9n))), name).toEqual(bytes(9, 8));
    // A buffer that the kernel reads is as it was, tags and all.
    const tagged = after(ready, by(0, storecap(1, 0n, 8), write(1, 8, 9n), loadcap(9, 0n, 8)));
    expect(registerOf(tagged, 0, 9), name).toEqual(registerOf(tagged, 0, 1));
  }
  for (const world of worlds({}, lazyStrategies)) {
    const { name, config } = world;
    const child = after(shared(world), by(1, pipe));
    // Plain bytes: under copa they stay shared.
    const read0 = after(child, by(1, write(1, 1, 4n)));
    expect(last(read0, by(1, read(0, 2, 9n))), name).toEqual(bytes(1, 0, 0, 0));
    expect(countersOf(read0, 1).faults, name).toBe(config.strategy === "coa" ? 1 : 0);
    expect(countersOf(read0, 0).faults, name).toBe(0);
    // Raw bytes of a pointer are its relocated ones, or not promised.
    const raw = by(1, cincoffset(8, 1, 0xf8n), write(1, 8, 8n));
    expect(last(child, raw), name).toEqual(config.strategy === "coa" ? int(8n) : { kind: "outside-profile" });
  }
});

test("KERN-3 copy-out: a store to all buffers in turn, into the owner's own page; tags that it touches go", () => {
  for (const { name, machine, g } of everywhere()) {
    const ready = after(machine, prepare, by(0, cincoffset(9, 8, 0x40n), write(1, 1, 8n)));
    const filled = after(ready, by(0, readv(0, 9, 2n, 8, 9n)));
    expect(last(ready, by(0, readv(0, 9, 2n, 8, 9n))), name).toEqual(bytes(1, 2, 3, 4, 5, 6, 7, 8));
    expect(seen(filled, 0, load("w", 10, 0n, 9), load("w", 10, 0n, 8), load("w", 10, 4n, 8)), name).toEqual([
      int(0x0201n),
      int(0x0605_0403n),
      int(0x0807n),
    ]);
    // Bytes that do not come change nothing, and no tag beside them goes.
    const tagged = after(
      ready,
      by(0, storecap(1, 0n, 8), storecap(1, g, 8), storecap(1, 2n * g, 8), cincoffset(9, 8, g)),
    );
    const hit = after(tagged, by(0, read(0, 9, 8n)));
    expect(seen(hit, 0, loadcap(10, 0n, 8), loadcap(10, g, 8), loadcap(10, 2n * g, 8)), name).toMatchObject([
      cap({ tag: true }),
      cap({ tag: false }),
      cap({ tag: true }),
    ]);
    // Across pages.
    const across = after(ready, by(0, cincoffset(9, 1, 0xfen), read(0, 9, 4n)));
    expect(seen(across, 0, load("bu", 10, 0xffn, 1), load("bu", 10, 0x100n, 1)), name).toEqual([int(2n), int(3n)]);
  }
  for (const world of worlds()) {
    const { name, config } = world;
    // The parent reads into a page that the child shares: the child's stays, and the other way round.
    const ready = after(shared(world), by(0, li(9, 0n), write(1, 1, 1n)));
    const parents = after(ready, by(0, cincoffset(8, 1, 0x100n), read(0, 8, 1n)));
    expect(last(parents, by(0, load("b", 9, 0x100n, 1))), name).toEqual(int(1n));
    expect(last(parents, by(1, load("b", 9, 0x100n, 1))), name).toEqual(int(2n));
    expect(countersOf(parents, 0).faults, name).toBe(config.strategy === "eager" ? 0 : 1);
    const childs = after(shared(world), by(1, pipe, write(1, 2, 3n), cincoffset(8, 1, 0x100n), read(0, 8, 3n)));
    expect(last(childs, by(1, load("b", 9, 0x100n, 1))), name).toEqual(int(0n));
    expect(last(childs, by(0, load("b", 9, 0x100n, 1))), name).toEqual(int(2n));
    // By a grant: the page is its owner's, whoever asks.
    const granted = after(
      ready,
      by(0, channel, cincoffset(8, 1, 0x100n), csetbounds(8, 8, 0x40n), sendcap(0, 8), fork(7)),
      by(1, recvcap(9, 0), pipe, write(1, 2, 3n), read(0, 9, 3n)),
    );
    expect(last(granted, by(0, load("b", 9, 0x100n, 1))), name).toEqual(int(0n));
    for (const process of [1, 2]) expect(last(granted, by(process, load("b", 9, 0x100n, 1))), name).toEqual(int(2n));
    expect(countersOf(granted, 0).faults, name).toBe(config.strategy === "eager" ? 0 : 1);
  }
});
