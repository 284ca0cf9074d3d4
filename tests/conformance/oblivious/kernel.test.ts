/** What the kernel keeps or moves: pipes, files, split calls, devices, handlers, stacks; numbers that decide in calls. */
import { describe } from "vitest";
import { check, legal } from "./marked.js";

const { base } = legal();

describe("a pipe", () => {
  check(
    "holds the bits of its bytes, in their order",
    `same 0: pipe
     same 0: storecap c1, 0(c1)
     same 0: write 1, c2, 8
     same 0: write 1, c1, 16
     same 0: write 1, c2, 8
     same 0: read 0, c2, 8
     masked 0: read 0, c2, 16
     masked 0: load.d c7, 0(c2)
     same 0: read 0, c2, 8
     same 0: load.d c7, 0(c2)
     masked 0: load.d c7, 8(c2)`,
  );
  check(
    "carries them to another process",
    `same 0: pipe
     same 0: fork c7
     same 1: store.d c1, 0(c1)
     same 1: write 1, c1, 8
     masked 0: read 0, c2, 64
     masked 0: load.d c8, 0(c2)
     same 0: load.d c8, 8(c2)`,
  );
  check(
    "is filled from several buffers, and fills several",
    `same 0: pipe
     same 0: store.d c1, 0(c1)
     same 0: writev 1, c2, 4, c1, 8
     same 0: candperm c8, c1, load store
     same 0: cincoffset c8, c8, 64
     masked 0: readv 0, c2, 6, c8, 16
     same 0: load.w c7, 0(c2)
     masked 0: load.h c7, 4(c2)
     same 0: load.h c7, 6(c2)
     masked? 0: load.h c7, 64(c1)
     same 0: load.d c7, 72(c1)`,
  );
  check(
    "that was closed leaves nothing to the next",
    `same 0: pipe
     same 0: store.d c1, 0(c1)
     same 0: write 1, c1, 8
     same 0: close 0
     same 0: close 1
     same 0: pipe
     same 0: write 1, c2, 8
     same 0: read 0, c2, 8`,
  );
});

describe("a file", () => {
  check(
    "holds the bits of its bytes, where they are",
    `same 0: open a, read write create
     same 0: store.d c1, 0(c1)
     same 0: lseek 0, 4, set
     same 0: write 0, c1, 8
     same 0: write 0, c2, 4
     same 0: lseek 0, 0, set
     same 0: read 0, c2, 4
     masked 0: read 0, c2, 8
     same 0: read 0, c2, 8
     same 0: lseek 0, 6, set
     same 0: write 0, c6, 2
     same 0: lseek 0, 4, set
     masked 0: read 0, c2, 2
     same 0: read 0, c2, 2`,
  );
  check(
    "grows at its end",
    `same 0: open a, read write create append
     same 0: store.d c1, 0(c1)
     same 0: write 0, c2, 8
     same 0: lseek 0, 0, set
     same 0: write 0, c1, 8
     same 0: open a, read
     same 0: read 1, c2, 8
     masked 0: read 1, c2, 8`,
  );
  check(
    "that was emptied has no bits",
    `same 0: open a, read write create
     same 0: store.d c1, 0(c1)
     same 0: write 0, c1, 8
     same 0: open a, write truncate
     same 0: lseek 1, 8, set
     same 0: write 1, c2, 8
     same 0: lseek 0, 0, set
     same 0: read 0, c2, 16`,
  );
  check(
    "is the same from another process",
    `same 0: open a, read write create
     same 0: fork c7
     same 1: store.d c1, 0(c1)
     same 1: write 0, c1, 8
     same 0: open a, read
     masked 0: read 1, c2, 8`,
  );
});

describe("a split call", () => {
  check(
    "writes what was there when it was entered",
    `same 0: pipe
     same 0: store.d c1, 0(c1)
     same 0: call_enter write 1, c1, 8
     same 0: store.d 0, 0(c1)
     same 0: call_finish
     masked 0: read 0, c2, 8`,
  );
  check(
    "writes nothing else",
    `same 0: pipe
     same 0: call_enter writev 1, c1, 8, c1, 8
     same 0: store.d c1, 0(c1)
     same 0: call_finish
     same 0: read 0, c2, 16`,
  );
  check(
    "reads to where its buffer was, what there is when it is finished",
    `same 0: pipe
     same 0: store.d c1, 0(c1)
     same 0: cincoffset c8, c2, 8
     same 0: call_enter read 0, c8, 8
     same 0: li c8, 0
     same 0: write 1, c1, 8
     masked 0: call_finish
     masked 0: load.d c8, 8(c2)
     same 0: load.d c8, 0(c2)`,
  );
  check(
    "opens a file",
    `same 0: call_enter open a, read write create
     same 0: call_finish`,
  );
});

describe("a device", () => {
  check(
    "reads what was there at submission",
    `same 0: store.d c1, 0(c1)
     same 0: virtq_submit c1, 8, r
     same 0: virtq_submit c2, 8, r
     same 0: store.d 0, 0(c1)
     same 0: store.d c1, 0(c2)
     masked 0: virtq_complete
     same 0: virtq_complete`,
  );
  check(
    "writes what is its own",
    `same 0: store.d c1, 0(c1)
     same 0: virtq_submit c1, 4, w
     masked 0: load.d c7, 0(c1)
     same 0: virtq_complete
     same 0: load.w c7, 0(c1)
     masked 0: load.d c7, 0(c1)`,
    { base: (3n << 32n) + base },
  );
  check(
    "writes to the memory of who submitted, whoever sees to it",
    `same 0: fork c7
     same 1: storecap c1, 0(c1)
     same 0: storecap c1, 0(c1)
     same 1: virtq_submit c1, 8, w
     same 0: virtq_complete
     same 1: load.d c7, 0(c1)
     masked 1: load.d c7, 8(c1)
     masked 0: load.d c7, 0(c1)`,
  );
});

describe("a handler", () => {
  check(
    "counts in bytes as they are",
    `same 0: cincoffset c8, c1, 64
     same 0: sigaction 10, handler c3, c8
     same 0: kill P0, 10
     same 0: load.d c7, 64(c1)
     same 0: store.b c1, 64(c1)
     same 0: kill P0, 10
     masked? 0: load.b c7, 71(c1)
     same 0: load.b c7, 72(c1)`,
  );
  check(
    "counts in what was a pointer",
    `same 0: storecap c1, 64(c1)
     same 0: cincoffset c8, c1, 64
     same 0: sigaction 10, handler c3, c8
     same 0: kill P0, 10
     masked 0: loadcap c7, 64(c1)`,
  );
  check(
    "counts in the receiver's memory",
    `same 0: sigaction 10, handler c3, c1
     same 0: fork c7
     same 1: store.h c1, 0(c1)
     same 0: kill P1, 10
     masked 1: load.w c8, 0(c1)
     same 0: load.d c8, 0(c1)`,
  );
  check(
    "that is gone ends its process",
    `same 0: fork c7
     same 1: mmap c8, 256, r w
     same 1: sigaction 10, handler c3, c8
     same 1: munmap c8, 256
     same 0: kill P1, 10
     same 1: yield
     same 0: wait c7`,
  );
});

describe("an alternate stack", () => {
  check(
    "is a capability, or none",
    `same 0: getaltstack c8
     same 0: sigaltstack c2
     same 0: getaltstack c8
     masked 0: cgetaddr c8, c8
     same 0: fork c7
     same 0: munmap c2, 256
     masked 0: getaltstack c8
     same 1: getaltstack c8
     same 1: munmap c2, 256
     masked 1: getaltstack c8
     same 1: exec
     same 1: getaltstack c8`,
  );
  check(
    "of a child is that of its parent",
    `same 0: sigaltstack c2
     same 0: fork c7
     same 1: exit 0
     same 0: munmap c2, 256
     same 0: exec
     same 0: fork c7
     same 2: getaltstack c8`,
  );
});

describe("a derived number that decides", () => {
  /** Numbers that are 0 and 16 here, and something else elsewhere; and a byte that is something else. */
  const near = `masked 0: cgetaddr c9, c1
     masked 0: cincoffset c8, c9, ${-base}
     masked 0: cincoffset c9, c9, ${16n - base}
     same 0: store.d c9, 0(c1)
     masked 0: load.bu c10, 1(c1)
     same 0: pipe
     same 0: open a, read write create
     same 0: write 2, c2, 32`;

  check(
    "a status leads outside",
    `same 0: fork c7\n${near.replaceAll(" 0:", " 1:")}\n outside 1: exit c10\n then 0: wait c7`,
  );
  check("an alarm leads outside", `${near}\n outside 0: alarm c8\n then 0: alarm 0`);
  check("a mask of files leads outside", `${near}\n outside 0: umask c10\n then 0: umask 0`);
  check("a limit leads outside", `${near}\n outside 0: setrlimit nofile, c9`);
  check("an offset leads outside", `${near}\n outside 0: lseek 2, c9, set`);
  check("how much is read leads outside", `${near}\n same 0: lseek 2, 0, set\n outside 0: read 2, c2, c9`);
  check("how much is read at last leads outside", `${near}\n outside 0: readv 2, c2, 8, c1, c9`);
  check("how much is written leads outside", `${near}\n outside 0: write 1, c1, c9`);
  check("how much is written at last leads outside", `${near}\n outside 0: writev 1, c1, 8, c1, c9`);
  check("how much will be written leads outside", `${near}\n outside 0: call_enter write 1, c1, c9`);
  check(
    "how much will be read leads outside",
    `${near}\n outside 0: call_enter readv 0, c1, c9, c1, 8\n then 0: write 1, c1, 40\n then 0: call_finish`,
  );
  check("what a device gets leads outside", `${near}\n outside 0: virtq_submit c1, c9, r`);
  check("a flag leads outside", `${near}\n outside 0: fcntl_nonblock 0, c8\n then 0: fcntl_getfl 0`);
  check("another flag leads outside", `${near}\n outside 0: fcntl_append 2, c8\n then 0: fcntl_getfl 2`);
  check("a third flag leads outside", `${near}\n outside 0: fcntl_cloexec 2, c8\n then 0: fcntl_getfd 2`);
  check(
    "where a lock begins leads outside",
    `${near}\n outside 0: lock 2, c9, 1\n then 0: fork c7\n then 1: lock 2, 16, 1`,
  );
  check(
    "where a lock ends leads outside",
    `${near}\n outside 0: lock 2, 0, c9\n then 0: fork c7\n then 1: lock 2, 16, 1`,
  );
  check(
    "what is unlocked leads outside",
    `${near}\n same 0: lock 2, 0, 64\n outside 0: unlock 2, 16, c9\n then 0: fork c7\n then 1: lock 2, 60, 1`,
  );
  check(
    "what is asked for leads outside",
    `${near}\n same 0: lock 2, 16, 16\n same 0: fork c7\n outside 1: getlk 2, 0, c9`,
  );
  check("a signal leads outside", `${near}\n same 0: sigmask 16\n outside 0: kill P0, c9\n then 0: sigpending`);
  check("a signal's action leads outside", `${near}\n outside 0: sigaction c9, ignore`);
  check("whose action is asked for leads outside", `${near}\n outside 0: getaction c9`);
});

describe("channels", () => {
  check("lead outside, for there are none between address spaces", "outside? 0: channel");
  check("lead outside with what they take", "outside? 0: sendcap 0, c1");
  check("lead outside with what they give", "outside? 0: recvcap c8, 0");
});
