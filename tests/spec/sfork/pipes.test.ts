/** FILE-3: one queue of bytes, its ends, and what becomes of a writer without readers. */
import { expect, test } from "vitest";
import {
  blocked,
  bytes,
  close,
  everywhere,
  fds,
  lseek,
  open,
  pipe,
  read,
  set,
  setflag,
  sigaction,
  sigmask,
  signalled,
  sigpending,
  write,
} from "./calls.js";
import {
  after,
  by,
  cincoffset,
  error,
  exit,
  fork,
  idle,
  int,
  last,
  loadcap,
  nothing,
  seen,
  store,
  storecap,
  thread,
  threadExit,
  wait,
} from "./programs.js";

/** c1 names eight bytes 1 to 8, and c8 a place for others; 0 reads, 1 writes. */
const prepare = by(0, store("w", 0x0403_0201n, 0n, 1), store("w", 0x0807_0605n, 4n, 1), cincoffset(8, 1, 0x80n), pipe);

test("FILE-3 pipe: two descriptors, the lowest that are free; one end reads, the other writes", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, open("/a", "read", "create"), pipe, pipe, close(1), pipe), name).toEqual([
      { kind: "descriptor", descriptor: 0 },
      fds(1, 2),
      fds(3, 4),
      nothing,
      fds(1, 5),
    ]);
    const piped = after(machine, prepare);
    expect(seen(piped, 0, read(1, 8, 1n), write(0, 1, 1n), lseek(0, 0n, "set"), lseek(1, 0n, "end")), name).toEqual([
      error("EBADF"),
      error("EBADF"),
      error("ESPIPE"),
      error("ESPIPE"),
    ]);
    // Two pipes are two queues.
    expect(seen(piped, 0, pipe, write(3, 1, 2n), read(0, 8, 1n), read(2, 8, 2n)), name).toEqual([
      fds(2, 3),
      int(2n),
      blocked,
      bytes(1, 2),
    ]);
  }
});

test("FILE-3 read: what there is, once, in order; it waits while somebody could write, and then it is the end", () => {
  for (const { name, machine, g } of everywhere()) {
    const forked = after(machine, prepare, by(0, fork(7)));
    const filled = after(forked, by(1, write(1, 1, 3n), write(1, 1, 2n)));
    // Boundaries between writes are not kept; what one process read is gone for the other.
    expect(seen(filled, 0, read(0, 8, 4n), read(0, 8, 4n), read(0, 8, 4n)), name).toEqual([
      bytes(1, 2, 3, 1),
      bytes(2),
      blocked,
    ]);
    expect(last(filled, by(0, read(0, 8, 4n)), by(1, read(0, 1, 4n))), name).toEqual(bytes(2));
    // To wait changes nothing; to ask for nothing is no reason to wait.
    expect(seen(forked, 0, read(0, 8, 1n), read(0, 8, 0n)), name).toEqual([blocked, bytes()]);
    const kept = ({ processes, threads, frames, descriptions, pipes }: typeof machine) => {
      return { processes, threads, frames, descriptions, pipes };
    };
    expect(kept(after(forked, by(0, read(0, 8, 1n)))), name).toEqual(kept(forked));
    expect(last(forked, by(0, setflag("nonblock", 0, 1n), read(0, 8, 1n))), name).toEqual(error("EAGAIN"));
    // The end, when the last of the writers has closed: each of them counts, in whichever process.
    const one = after(forked, by(0, close(1)));
    expect(last(one, by(0, read(0, 8, 1n))), name).toEqual(blocked);
    expect(seen(after(one, by(1, close(1))), 0, read(0, 8, 1n), read(0, 8, 1n)), name).toEqual([bytes(), bytes()]);
    expect(seen(after(one, by(1, write(1, 1, 1n), close(1))), 0, read(0, 8, 9n), read(0, 8, 9n)), name).toEqual([
      bytes(1),
      bytes(),
    ]);
    // Bytes go through, tags do not.
    const sent = after(
      machine,
      by(0, storecap(1, 0n, 1), cincoffset(8, 1, 0x80n), pipe, write(1, 1, g), read(0, 8, g)),
    );
    expect(last(sent, by(0, loadcap(9, 0n, 8))), name).toMatchObject({
      kind: "capability",
      capability: { tag: false, address: sent.threads[0]?.registers[1]?.address },
    });
  }
});

test("FILE-3 write: up to the size of the pipe all or nothing, beyond it what fits", () => {
  for (const { name, machine } of everywhere({ pipe: 6 })) {
    const piped = after(machine, prepare);
    expect(seen(piped, 0, write(1, 1, 4n), write(1, 1, 3n), write(1, 1, 2n), write(1, 1, 1n)), name).toEqual([
      int(4n),
      blocked,
      int(2n),
      blocked,
    ]);
    expect(seen(piped, 0, write(1, 1, 8n), read(0, 8, 8n)), name).toEqual([int(6n), bytes(1, 2, 3, 4, 5, 6)]);
    const part = after(piped, by(0, write(1, 1, 4n)));
    expect(seen(part, 0, write(1, 1, 8n), read(0, 8, 8n)), name).toEqual([int(2n), bytes(1, 2, 3, 4, 1, 2)]);
    expect(seen(part, 0, write(1, 1, 3n), read(0, 8, 8n)), name).toEqual([blocked, bytes(1, 2, 3, 4)]);
    // A full one takes nothing, and none is no reason to wait.
    const full = after(piped, by(0, write(1, 1, 6n)));
    expect(seen(full, 0, write(1, 1, 8n), write(1, 1, 0n), setflag("nonblock", 1, 1n), write(1, 1, 8n)), name).toEqual([
      blocked,
      int(0n),
      nothing,
      error("EAGAIN"),
    ]);
    // The other end has flags of its own.
    expect(seen(full, 0, setflag("nonblock", 0, 1n), write(1, 1, 1n)), name).toEqual([nothing, blocked]);
    expect(seen(full, 0, read(0, 8, 3n), write(1, 1, 3n), read(0, 8, 8n)), name).toEqual([
      bytes(1, 2, 3),
      int(3n),
      bytes(4, 5, 6, 1, 2, 3),
    ]);
  }
});

test("FILE-3 broken: without a reader a write fails, and is a signal to the process that wrote", () => {
  for (const { name, machine } of everywhere()) {
    const forked = after(machine, prepare, by(0, fork(7)));
    const left = after(forked, by(0, close(0)));
    expect(last(left, by(0, write(1, 1, 1n))), name).toEqual(int(1n));
    const alone = after(left, by(1, close(0)));
    // Nothing to write is nothing that fails.
    expect(seen(alone, 1, sigmask(13), write(1, 1, 0n), sigpending, write(1, 1, 1n), sigpending), name).toEqual([
      set(),
      int(0n),
      set(),
      error("EPIPE"),
      set(13),
    ]);
    expect(last(alone, by(1, sigmask(13), write(1, 1, 1n)), by(0, sigpending)), name).toEqual(set());
    // It ends the process, before its next step.
    expect(seen(alone, 1, write(1, 1, 1n), idle), name).toEqual([error("EPIPE"), { kind: "no-actor" }]);
    expect(last(alone, by(1, write(1, 1, 1n), idle), by(0, wait(9))), name).toEqual(signalled(1, 13));
    expect(seen(alone, 1, sigaction(13, "ignore"), write(1, 1, 1n), idle), name).toEqual([
      nothing,
      error("EPIPE"),
      nothing,
    ]);
    // A reader that has ended is none.
    expect(last(left, by(1, exit(0n)), by(0, write(1, 1, 1n))), name).toEqual(error("EPIPE"));
    expect(last(left, by(1, thread, threadExit), by(0, write(1, 1, 1n))), name).toEqual(int(1n));
  }
});
