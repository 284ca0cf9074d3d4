/** Bytes of memory, and what they take along: stores, copies, forks, images, the end of memory. */
import { describe } from "vitest";
import { check, legal } from "./marked.js";

const { base } = legal();

describe("bytes of a pointer", () => {
  check(
    "are address-derived as numbers, and as a capability no more than its bounds",
    `same 0: storecap c1, 0(c1)
     same 0: loadcap c8, 0(c1)
     masked 0: load.d c7, 0(c1)
     masked 0: load.h c7, 8(c1)
     masked 0: load.hu c7, 0(c1)
     masked 0: load.w c7, 0(c1)
     masked 0: load.wu c7, 0(c1)
     masked 0: load.bu c7, 1(c1)
     masked 0: load.b c7, 1(c1)
     masked? 0: load.b c7, 0(c1)
     same 0: load.d c7, 16(c1)`,
  );
  check(
    "stay so where a part was overwritten",
    `same 0: storecap c1, 0(c1)
     same 0: store.b 1, 0(c1)
     same 0: load.b c7, 0(c1)
     masked 0: load.b c7, 1(c1)
     masked 0: loadcap c8, 0(c1)
     same 0: store.d 1, 0(c1)
     same 0: load.d c7, 0(c1)
     masked 0: load.d c7, 8(c1)
     same 0: store.d 1, 8(c1)
     same 0: loadcap c8, 0(c1)`,
  );
  check(
    "stay so without the right to load it",
    `same 0: storecap c1, 0(c1)
     same 0: candperm c8, c1, load store
     masked 0: loadcap c9, 0(c8)
     same 0: storecap c4, 0(c1)
     same 0: loadcap c9, 0(c8)`,
  );
  check(
    "stay so without the right to store it",
    `same 0: candperm c8, c1, load store
     same 0: storecap c1, 0(c8)
     masked 0: loadcap c9, 0(c1)`,
    { format: "rvy128" },
  );
  check(
    "stay so when memory that it points to ends",
    `same 0: mmap c8, 256, r w
     same 0: storecap c8, 0(c1)
     same 0: cmove c9, c8
     same 0: munmap c8, 256
     masked 0: cmove c9, c9
     masked 0: loadcap c9, 0(c1)`,
  );
  check(
    "of sealing authority are numbers",
    `same 0: storecap c4, 0(c1)
     same 0: load.d c7, 0(c1)
     same 0: store.b 1, 0(c1)
     same 0: loadcap c8, 0(c1)`,
  );
});

describe("derived bytes", () => {
  check(
    "are stored and loaded",
    `masked 0: cgetaddr c8, c1
     same 0: store.w c8, 0(c1)
     masked 0: load.h c7, 0(c1)
     same 0: load.w c7, 4(c1)
     same 0: store.w c1, 8(c1)
     masked 0: load.h c7, 8(c1)
     same 0: store.h c1, 12(c1)
     masked 0: load.b c7, 13(c1)
     same 0: store.b c1, 14(c1)
     masked? 0: load.b c7, 14(c1)
     same 0: load.b c7, 15(c1)
     same 0: storecap c8, 16(c1)
     masked 0: loadcap c9, 16(c1)
     same 0: storecap c0, 16(c1)
     same 0: loadcap c9, 16(c1)`,
  );
  check(
    "fill memory",
    `same 0: storecap c1, 0(c1)
     masked 0: load.b c8, 1(c1)
     same 0: memset c1, c8, 4
     masked 0: load.b c7, 3(c1)
     same 0: memset c1, 0, 3
     same 0: load.h c7, 0(c1)
     masked 0: load.h c7, 2(c1)`,
  );
  check(
    "are copied, as capabilities and as bytes",
    `same 0: storecap c1, 0(c1)
     same 0: cincoffset c8, c1, 32
     same 0: cmemcpy c8, c1, 16
     same 0: loadcap c9, 32(c1)
     masked 0: load.h c9, 32(c1)
     same 0: cincoffset c8, c1, 72
     same 0: cmemcpy c8, c1, 8
     masked 0: load.h c9, 72(c1)
     same 0: load.d c9, 64(c1)
     same 0: cmemcpy c1, c8, 24
     masked 0: load.h c9, 0(c1)
     same 0: load.d c9, 8(c1)`,
  );
  check(
    "overlap",
    `same 0: storecap c1, 0(c1)
     same 0: cincoffset c8, c1, 8
     same 0: cmemcpy c8, c1, 24
     masked 0: load.h c9, 8(c1)
     masked 0: load.h c9, 16(c1)
     same 0: load.d c9, 24(c1)`,
  );
  check(
    "lie in shared segments, too",
    `same 0: store.d c1, 0(c6)
     same 0: fork c7
     masked 1: load.d c8, 0(c6)
     same 1: store.d 0, 0(c6)
     same 0: load.d c8, 0(c6)`,
  );
  check(
    "cross pages",
    `same 0: store.d c1, 252(c1)
     masked 0: load.h c8, 252(c1)
     same 0: load.h c8, 250(c1)
     masked 0: load.d c8, 250(c1)
     masked? 0: load.w c8, 256(c1)`,
  );
});

describe("tags", () => {
  check(
    "are the same everywhere",
    `same 0: storecap c1, 16(c1)
     same 0: cloadtags c7, c1
     masked 0: ccleartag c8, c1
     same 0: storecap c8, 16(c1)
     same 0: cloadtags c7, c1`,
  );
});

describe("a derived number that decides where", () => {
  /** A number that is 16 here, and far from it elsewhere. */
  const near = `masked 0: cgetaddr c8, c1\n masked 0: cincoffset c8, c8, ${16n - base}`;

  check("a load goes leads outside", `${near}\n outside 0: load.b c7, c8(c1)`);
  check("a store goes leads outside", `${near}\n outside 0: store.b 1, c8(c1)`);
  check("a capability is loaded from leads outside", `${near}\n outside 0: loadcap c7, c8(c1)`);
  check("a capability is stored leads outside", `${near}\n outside 0: storecap c1, c8(c1)`);
  check("a copy ends leads outside", `${near}\n outside 0: cmemcpy c1, c2, c8`);
  check("memory is filled leads outside", `${near}\n outside 0: memset c1, 1, c8`);
  check("memory is mapped leads outside", `${near}\n outside 0: mmap c9, c8, r w`);
  check("memory is unmapped leads outside", `${near}\n outside 0: munmap c1, c8`);
  check("memory is protected leads outside", `${near}\n outside 0: mprotect c1, c8, r`);
  check("memory is advised leads outside", `${near}\n outside 0: madvise c1, c8, dontfork`);

  check(
    "says nothing where the authority may not",
    `${near}
     same 0: load.b c7, c8(c0)
     same 0: load.b c7, c8(c3)
     same 0: store.b 1, c8(c0)
     same 0: candperm c9, c1, none
     same 0: load.b c7, c8(c9)
     same 0: storecap c1, c8(c9)
     same 0: memset c9, 1, c8
     same 0: cmemcpy c1, c9, c8
     same 0: cmemcpy c1, c0, c8
     same 0: candperm c9, c1, store
     same 0: storecap c1, c8(c9)`,
  );
  check("says something if only the destination may not", `${near}\n outside 0: cmemcpy c3, c1, c8`);
  check("says something where the bounds are asked", `${near}\n outside 0: load.d c7, c8(c6)`);
  check(
    "says something where it fails here and not elsewhere",
    `masked 0: cgetaddr c8, c1
     masked 0: cincoffset c8, c8, ${16n - 3n * base}
     outside 0: load.d c7, c8(c1)`,
  );
});

describe("a child", () => {
  check(
    "has the bits of its parent, in registers and in memory, but for the number that tells them apart",
    `masked 0: cgetaddr c8, c1
     masked 0: cgetaddr c9, c1
     same 0: store.d c8, 32(c1)
     same 0: storecap c1, 0(c1)
     same 0: fork c9
     masked 1: cmove c10, c8
     same 1: cmove c10, c9
     same 0: cmove c10, c9
     masked 1: load.d c10, 32(c1)
     masked 1: load.d c10, 0(c1)
     same 1: loadcap c10, 0(c1)
     masked 1: cgetaddr c10, c10
     same 1: store.d 0, 32(c1)
     masked 0: load.d c10, 32(c1)
     same 1: load.d c10, 32(c1)`,
  );
  check(
    "begins with zeros where it was said so, and so does its own",
    `same 0: store.d c1, 0(c1)
     same 0: store.d c1, 256(c1)
     same 0: madvise c1, 256, wipeonfork
     same 0: fork c7
     same 1: load.d c8, 0(c1)
     masked 1: load.d c8, 256(c1)
     same 1: store.d c1, 0(c1)
     same 1: fork c7
     same 2: load.d c8, 0(c1)
     masked 2: load.d c8, 256(c1)
     masked 0: load.d c8, 0(c1)`,
  );
  check(
    "has no tags to what it has not got",
    `same 0: cincoffset c8, c1, 256
     same 0: csetbounds c8, c8, 256
     same 0: csetbounds c10, c1, 256
     same 0: storecap c8, 0(c10)
     same 0: madvise c8, 256, dontfork
     same 0: fork c7
     masked 1: cmove c9, c8
     masked 1: loadcap c9, 0(c10)
     masked 1: cmove c9, c1
     same 0: loadcap c9, 0(c10)`,
  );
  check(
    "has nothing of one that was there before",
    `same 0: fork c7
     same 1: store.d c1, 0(c1)
     same 1: cgetoffset c8, c1
     masked 1: cgetaddr c9, c1
     same 1: exit 0
     same 0: fork c7
     same 2: load.d c8, 0(c1)
     same 2: cmove c10, c9`,
  );
});

describe("a thread", () => {
  check(
    "has the registers of the one that made it, and then its own",
    `masked 0: cgetaddr c8, c1
     same 0: thread
     masked 1: cmove c9, c8
     same 1: li c8, 1
     masked 0: cmove c9, c8
     same 1: cmove c9, c8`,
  );
});

describe("a new image", () => {
  check(
    "starts with new registers and new memory",
    `masked 0: cgetaddr c8, c1
     same 0: store.d c8, 0(c1)
     same 0: exec
     same 0: cmove c9, c8
     same 0: load.d c9, 0(c1)
     masked 0: cgetaddr c9, c1
     same 0: cgetaddr c9, c4`,
  );
});

describe("new memory", () => {
  check(
    "has no bits",
    `same 0: mmap c8, 256, r w
     same 0: store.d c1, 0(c8)
     masked 0: load.d c9, 0(c8)
     same 0: munmap c8, 256
     same 0: mmap c8, 256, r w
     same 0: load.d c9, 0(c8)
     masked 0: cgetaddr c9, c8
     same 0: shm c9, 0
     masked 0: cgetaddr c9, c9`,
  );
});
