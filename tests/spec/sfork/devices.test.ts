/** DMA-1: buffers that a device was handed, and what it does with them later. */
import { expect, test } from "vitest";
import { blocked, bytes, complete, everywhere, exec, kill, submit } from "./calls.js";
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
  exit,
  fork,
  int,
  last,
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
  seen,
  sendcap,
  store,
  storecap,
  thread,
  threadExit,
  worlds,
} from "./programs.js";

test("DMA-1 submit: the capability allows it now, or EFAULT; four requests at once; what is to be read is read now", () => {
  for (const { name, machine } of everywhere()) {
    const ready = after(
      machine,
      by(0, store("w", 0x0403_0201n, 0n, 1), candperm(9, 1, "load"), candperm(10, 1, "store")),
    );
    for (const wrong of [[ccleartag(8, 1)], [csealentry(8, 3)], [csetbounds(8, 1, 3n)], [mmap(8, 0x100n, none)]]) {
      for (const direction of ["r", "w"] as const) {
        expect(last(ready, by(0, ...wrong, submit(8, 4n, direction))), name).toEqual(error("EFAULT"));
        expect(last(ready, by(0, ...wrong, submit(8, 4n, direction), complete)), name).toEqual(blocked);
      }
    }
    // The device reads through the right to load, and writes through that to store.
    expect(
      seen(ready, 0, submit(9, 4n, "r"), submit(9, 4n, "w"), submit(10, 4n, "w"), submit(10, 4n, "r")),
      name,
    ).toEqual([nothing, error("EFAULT"), nothing, error("EFAULT")]);
    // Bytes of submission, whatever becomes of memory and register.
    const read = after(ready, by(0, submit(1, 4n, "r"), store("w", 0n, 0n, 1), li(1, 0n)));
    expect(seen(read, 0, complete, complete), name).toEqual([bytes(1, 2, 3, 4), blocked]);
    // A buffer that is only read is as it was.
    const kept = after(ready, by(0, storecap(1, 0n, 1), submit(1, 8n, "r"), complete));
    expect(last(kept, by(0, loadcap(8, 0n, 1))), name).toMatchObject(cap({ tag: true }));
    const four = after(ready, by(0, ...[1, 2, 3, 4].map(() => submit(1, 1n, "w"))));
    expect(seen(four, 0, submit(1, 1n, "r"), submit(0, 1n, "r"), complete, submit(1, 1n, "w")), name).toEqual([
      error("EAGAIN"),
      error("EFAULT", "EAGAIN"),
      bytes(0),
      nothing,
    ]);
  }
});

test("DMA-1 complete: the oldest request, by anybody; written is the page as its owner has it now, and tags go", () => {
  for (const { name, machine, g } of everywhere()) {
    expect(last(machine, by(0, complete)), name).toEqual(blocked);
    // Bytes count up from the number of the request.
    const three = after(
      machine,
      by(0, cincoffset(8, 1, 0x100n), submit(1, 2n, "w"), submit(8, 3n, "w"), submit(1, 1n, "w")),
    );
    expect(seen(three, 0, complete, complete, load("w", 9, 0n, 8), complete, load("w", 9, 0n, 1)), name).toEqual([
      bytes(0, 1),
      bytes(1, 2, 3),
      int(0x0003_0201n),
      bytes(2),
      int(0x0102n),
    ]);
    expect(last(three, by(0, load("w", 9, 0n, 1))), name).toEqual(int(0n));
    // Tags of what it touches.
    const tagged = after(machine, by(0, storecap(1, 0n, 1), storecap(1, g, 1), submit(1, 1n, "w"), complete));
    expect(seen(tagged, 0, loadcap(9, 0n, 1), loadcap(9, g, 1)), name).toMatchObject([
      cap({ tag: false }),
      cap({ tag: true }),
    ]);
    // A child steps; it is the parent's memory nevertheless. The child's is that of the fork, and it has no request of its own.
    const forked = after(machine, by(0, submit(1, 2n, "w"), submit(1, 4n, "w"), fork(7)));
    const done = after(forked, by(1, complete), by(1, complete));
    expect(done.requests, name).toEqual([]);
    expect([last(done, by(0, load("w", 9, 0n, 1))), last(done, by(1, load("w", 9, 0n, 1)))], name).toEqual([
      int(0x0403_0201n),
      int(0n),
    ]);
    // By the other order: first written, then forked.
    const copied = after(forked, by(1, complete), by(0, fork(7)), by(0, complete));
    expect(last(copied, by(2, load("w", 9, 0n, 1))), name).toEqual(int(0x0100n));
    // A page that may not be written by then: it is dropped, and the next is the oldest.
    for (const protection of [r, none]) {
      const closed = after(machine, by(0, submit(1, 1n, "w"), submit(2, 1n, "w"), mprotect(1, 0x100n, protection)));
      expect(seen(closed, 0, complete, complete, complete), name).toEqual([error("EFAULT"), bytes(1), blocked]);
    }
    // So is one that was unmapped, though the same addresses be mapped again; what was read is dropped with it.
    for (const direction of ["r", "w"] as const) {
      const unmapped = after(
        machine,
        by(0, mmap(8, 0x100n), submit(8, 1n, direction), munmap(8, 0x100n), mmap(8, 0x100n)),
      );
      expect(seen(unmapped, 0, complete, complete, load("b", 9, 0n, 8)), name).toEqual([
        error("EFAULT"),
        blocked,
        int(0n),
      ]);
    }
  }
  for (const { name, config, machine } of worlds()) {
    // The fault is the owner's, whoever completes, and into the page that it has by then.
    const forked = after(machine, by(0, submit(1, 1n, "w"), fork(7)), by(0, store("b", 7n, 1n, 1)), by(1, complete));
    expect(last(forked, by(0, load("w", 9, 0n, 1))), name).toEqual(int(0x0700n));
    const faults = [0, 1].map((process) => countersOf(forked, process).faults);
    expect(faults, name).toEqual(config.strategy === "eager" ? [0, 0] : [1, 0]);
    const split = after(machine, by(0, submit(1, 2n, "w"), fork(7)), by(1, complete));
    expect(countersOf(split, 0).faults, name).toBe(config.strategy === "eager" ? 0 : 1);
    expect(last(split, by(1, load("w", 9, 0n, 1))), name).toEqual(int(0n));
  }
});

test("DMA-1 submitter: a request ends with the process, or the image, that made it, and not with its thread", () => {
  for (const { name, machine } of everywhere()) {
    const asked = after(machine, by(0, fork(7)), by(1, submit(1, 1n, "w"), submit(1, 2n, "r")));
    for (const end of [by(1, exit(0n)), by(0, kill(1, 9)), by(1, exec), by(1, threadExit)]) {
      const gone = after(asked, end);
      expect(seen(gone, 0, complete, complete, complete), name).toEqual([error("EFAULT"), error("EFAULT"), blocked]);
      // Whoever has its slot then is not written to.
      const reused = after(gone, by(0, fork(7)), by(0, complete));
      for (const actor of [0, 1, 2]) expect(last(reused, by(actor, load("b", 9, 0n, 1))), name).toEqual(int(0n));
    }
    expect(last(asked, by(1, thread), by(1, threadExit), by(0, complete)), name).toEqual(bytes(0));
    // Somebody else's end is no matter.
    expect(last(asked, by(0, fork(7)), by(2, exit(0n)), by(0, complete)), name).toEqual(bytes(0));
  }
  for (const { name, machine } of worlds()) {
    // Process 1 asks for memory that process 0 granted: it ends with either of them, or with the memory.
    const granted = after(
      machine,
      by(0, channel, mmap(8, 0x100n), fork(7), sendcap(0, 8)),
      by(1, recvcap(9, 0), submit(9, 2n, "w")),
    );
    expect(seen(granted, 0, complete, load("w", 10, 0n, 8)), name).toEqual([bytes(0, 1), int(0x0100n)]);
    expect(last(granted, by(1, load("w", 10, 0n, 8))), name).toEqual(int(0n));
    expect(last(granted, by(1, exit(0n)), by(0, complete)), name).toEqual(error("EFAULT"));
    expect(seen(granted, 0, exec, complete), name).toEqual([nothing, error("EFAULT")]);
    expect(last(granted, by(0, munmap(8, 0x100n)), by(1, complete)), name).toEqual(error("EFAULT"));
  }
});
