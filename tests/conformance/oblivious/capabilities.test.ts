/** Which numbers of capabilities depend on where things lie, and where they go. */
import { describe } from "vitest";
import type { Config } from "../../../spec/sfork/config.js";
import { initial } from "../../../spec/sfork/machine.js";
import { check, legal, moved } from "./marked.js";

const config = legal();
const { base } = config;

/** The word of a register at the start, as constants that a program can have. */
const word = (at: Config, register: number): string => {
  const { address = 0n, metadata = 0n } = initial(at).threads[0]?.registers[register] ?? {};
  return `same 0: li c9, ${address}\n same 0: csethigh c9, c9, ${metadata}`;
};

describe("numbers of a capability", () => {
  check(
    "are address-derived where they tell where it is",
    `masked 0: cgetaddr c8, c1
     masked 0: cgetbase c8, c1
     masked 0: cgettop c8, c1
     masked 0: cgethigh c8, c1
     masked 0: cgetaddr c8, c5
     masked 0: cgetaddr c8, c6`,
  );
  check(
    "are not where they tell something else",
    `same 0: cgetlen c8, c1
     same 0: cgetoffset c8, c1
     same 0: cgetperm c8, c1
     same 0: cgettype c8, c3
     same 0: cgettag c8, c1
     same 0: cgetsealed c8, c3
     same 0: cgetflags c8, c1`,
  );
  check(
    "are object types in sealing authority",
    `same 0: cgetaddr c8, c4
     same 0: cgetbase c8, c4
     same 0: cgethigh c8, c4
     same 0: cincoffset c8, c4, 1
     same 0: cseal c9, c1, c8
     same 0: ccleartag c8, c4
     same 0: csetbounds c8, c1, c4`,
  );
  check(
    "are all address-derived once the tag is lost",
    `masked 0: ccleartag c8, c1
     masked 0: cgetaddr c9, c8
     masked 0: cgetbase c9, c8
     masked? 0: cgetlen c9, c8
     same 0: cgettag c9, c8
     masked 0: csetbounds c8, c1, 0x10000
     masked 0: csetboundsexact c8, c1, 0x10000
     masked 0: cincoffset c8, c1, 0x100000
     masked 0: csetoffset c8, c1, 0x100000
     masked 0: cincoffset c8, c3, 0
     masked 0: candperm c8, c3, none
     masked 0: csetflags c8, c3, 0`,
  );
});

describe("derived numbers", () => {
  check(
    "stay so in registers, until something else is put there",
    `masked 0: cgetaddr c8, c1
     masked 0: cmove c9, c8
     masked 0: li c10, c9
     masked 0: cincoffset c10, c10, 1
     masked 0: csetaddr c11, c0, c8
     masked? 0: csethigh c11, c0, c8
     masked 0: cgethigh c11, c11
     masked 0: csethigh c11, c8, 0
     masked 0: csetflags c11, c8, 0
     masked 0: candperm c11, c8, load
     masked 0: csealentry c11, c8
     masked 0: crrl c11, c8
     masked 0: cfromptr c11, c0, c8
     same 0: li c8, 1
     same 0: cmove c9, c8
     same 0: csetbounds c10, c1, c9`,
  );
  check(
    "of a tagged capability lead outside where they decide its tag or its bounds",
    `masked 0: cgetaddr c8, c1
     outside 0: csetbounds c9, c2, c8`,
    { format: "uncompressed256" },
  );
  check("lead outside as a distance, even that of a capability that moves alike", "outside 0: cincoffset c8, c1, c1");
  check("lead outside as flags", "masked 0: cgethigh c8, c1\n outside? 0: csetflags c9, c1, c8");
  check(
    "decide nothing of what has no tag, or a seal",
    `masked 0: cgetaddr c8, c1
     masked 0: csetbounds c9, c3, c8
     masked 0: cincoffset c9, c3, c8
     masked 0: cfromptr c9, c3, c8
     masked 0: csetaddr c9, c3, c8
     masked 0: cincoffset c9, c0, c8`,
  );
});

describe("a difference", () => {
  check(
    "is the same between two that move alike",
    `same 0: csub c8, c1, c2
     same 0: csub c8, c6, c6
     same 0: csub c8, c4, c0
     same 0: ctoptr c8, c2, c1
     same 0: ctoptr c8, c4, c0`,
  );
  check(
    "is address-derived between others",
    `masked 0: csub c8, c1, c6
     masked 0: csub c8, c1, c0
     masked 0: csub c8, c4, c1
     masked 0: ctoptr c8, c1, c6
     masked 0: ctoptr c8, c1, c4
     masked 0: cgetaddr c9, c1
     masked? 0: csub c8, c9, c1
     masked 0: csub c8, c9, c6`,
  );
  check(
    "of a register from itself is 0, as is the pointer of what has no tag",
    `masked 0: cgetaddr c9, c1
     same 0: csub c8, c9, c9
     same 0: ctoptr c8, c9, c1`,
  );
});

describe("a comparison", () => {
  check(
    "of tagged capabilities is the same, and so is one with a tag and one without",
    `same 0: ctestsubset c8, c1, c2
     same 0: csetbounds c9, c1, 64
     same 0: ctestsubset c8, c1, c9
     same 0: ctestsubset c8, c6, c9
     same 0: csetequalexact c8, c1, c9
     masked 0: ccleartag c9, c1
     same 0: ctestsubset c8, c1, c9
     same 0: csetequalexact c8, c9, c1
     same 0: csetequalexact c8, c9, c9`,
  );
  check(
    "of numbers is address-derived",
    `masked 0: ccleartag c8, c1
     ${word(config, 1)}
     masked 0: ctestsubset c10, c8, c9
     masked 0: csetequalexact c10, c8, c9
     masked 0: csetequalexact c10, c9, c8`,
  );
});

describe("seals", () => {
  check(
    "go by object types, which are the same everywhere",
    `same 0: cseal c8, c1, c4
     same 0: cgettype c9, c8
     same 0: cunseal c9, c8, c4
     same 0: ccseal c9, c1, c4
     same 0: ccopytype c9, c4, c8
     same 0: csealentry c10, c1
     same 0: ccseal c9, c8, c4`,
  );
  check(
    "that are not authorised leave numbers, those of the authority among them",
    `masked 0: cseal c8, c1, c2
     masked 0: cunseal c8, c3, c4
     masked 0: cseal c8, c0, c1
     masked 0: ccseal c8, c0, c1
     masked 0: ccseal c8, c1, c1
     same 0: ccseal c8, c1, c0`,
    { base: (1n << 20n) + base },
  );
  check(
    "as an address lead outside only where it could have a tag",
    `same 0: cseal c8, c1, c4
     masked 0: ccopytype c9, c1, c1
     masked 0: ccopytype c9, c3, c8
     masked 0: ccopytype c9, c1, c8`,
    { base: (1n << 20n) + base },
  );
  check(
    "as an address of memory lead outside",
    `same 0: cseal c8, c1, c4
     outside 0: ccopytype c9, c1, c8`,
    { format: "uncompressed256" },
  );
  check(
    "of what has no tag may be anything",
    `same 0: cseal c8, c1, c4
     masked 0: ccleartag c8, c8
     outside? 0: ccopytype c9, c4, c8`,
  );
});

describe("an address", () => {
  check(
    "of one that moves alike moves alike",
    `same 0: csetaddr c8, c1, c2
     masked 0: csetbounds c9, c1, 0x10000
     masked 0: csetaddr c8, c3, c1`,
  );
  check(
    "that is a number is none of memory",
    `masked 0: csetaddr c8, c1, 0x7fffffff0000
     masked 0: csetaddr c8, c1, c6
     masked 0: csetaddr c8, c4, c1
     same 0: csetaddr c8, c4, 5
     same 0: csetaddr c8, c0, 5`,
    { base: (1n << 20n) + base },
  );
  check("leads outside where it is one here", `outside 0: csetaddr c8, c1, ${base + 16n}`, { stride: 1n << 20n });
  check("leads outside where it is one elsewhere", `outside 0: csetaddr c8, c1, ${3n * (base + 0x40000n)}`, {
    base: base + 0x40000n,
  });
  check("that came from one leads outside", "masked 0: cgetaddr c8, c2\n outside? 0: csetaddr c9, c1, c8");
  check("in another space leads outside where every address will do", "outside 0: csetaddr c8, c4, c1", {
    format: "uncompressed256",
  });
});

describe("a pointer", () => {
  check(
    "from an integer leads outside, though it is an offset",
    `same 0: cfromptr c8, c1, 0
     same 0: cfromptr c8, c4, 1
     masked 0: cfromptr c8, c1, 0x100000
     same 0: cfromptr c8, c0, 5
     outside? 0: cfromptr c8, c1, 16`,
  );
  check("from a derived integer leads outside", "masked 0: cgetaddr c8, c1\n outside 0: cfromptr c9, c1, c8");
});

describe("building", () => {
  check(
    "from a tagged capability takes nothing from a number",
    `same 0: csetbounds c8, c1, 64
     same 0: cbuildcap c9, c1, c8
     masked 0: cbuildcap c9, c8, c1
     masked 0: cbuildcap c9, c3, c8
     masked 0: cbuildcap c9, c0, c8
     same 0: cbuildcap c9, c1, c0
     same 0: cbuildcap c9, c1, c4
     same 0: ccleartag c8, c4
     same 0: cbuildcap c9, c4, c8`,
  );
  check(
    "from a derived number leads outside, even if it is nothing like a capability",
    "masked 0: cgetaddr c8, c1\n outside 0: cbuildcap c9, c1, c8",
  );
  check("from an untagged one leads outside", "masked 0: ccleartag c8, c1\n outside? 0: cbuildcap c9, c1, c8");
  check("from constants leads outside where they fit here", `${word(config, 1)}\n outside 0: cbuildcap c10, c1, c9`);
  check(
    "from constants leads outside where they fit elsewhere",
    `${word(moved(config), 1)}\n outside 0: cbuildcap c10, c1, c9`,
  );
});

describe("jumps", () => {
  check(
    "give capabilities",
    `same 0: cjalr c8, c3
     masked 0: cgetaddr c9, c8
     same 0: cgetpcc c9
     same 0: cseal c10, c9, c4
     same 0: cseal c11, c6, c4
     same 0: cinvoke c10, c11
     masked 0: cgetaddr c8, c15
     same 0: cjalr c8, c1`,
  );
  check(
    "start from nowhere once the code is gone",
    `same 0: cgetpcc c9
     same 0: munmap c9, 256
     masked 0: cgetpcc c8`,
  );
});
