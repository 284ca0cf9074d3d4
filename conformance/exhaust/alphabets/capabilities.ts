import { processOperations, type Alphabet } from "../alphabet.js";

/** Where windows of small capabilities begin and end, from the start of the data, and one byte beyond. */
const windows = [64, 256, 2048, 4096, 8192, 14336].flatMap((size) => [size - 1, size, -size, -size - 1]);

export const derivation: Alphabet = {
  name: "derivation",
  what: "bounds that must be rounded, addresses at the edges of the representable window, and what stays of them in a child",
  operations: ({ granule, page, start, end }) => [
    ...processOperations,
    ...[0, 1, granule, page - 1, page, 127, 2 * page + 1, -1].map((length) => `csetbounds c8, c1, ${length}`),
    `csetboundsexact c8, c1, ${page - 1}`,
    "csetbounds c9, c8, 0",
    `csetaddr c8, c1, ${end}`,
    `csetaddr c9, c8, ${start}`,
    `csetaddr c8, c1, -1`,
    `csetaddr c8, c1, 0`,
    `cincoffset c8, c8, ${page}`,
    ...windows.map((by) => `cincoffset c8, c1, ${by}`),
    "csetoffset c8, c3, 0",
    "csetoffset c8, c2, 1",
    "cgetpcc c8",
    `csetoffset c8, c8, ${page}`,
    "cfromptr c8, c1, 1",
    "storecap c8, 0(c1)",
    "loadcap c9, 0(c1)",
  ],
};

export const rights: Alphabet = {
  name: "rights",
  what: "permissions, seals, flags, metadata without a tag, null, and what memory and children make of them",
  operations: ({ granule }) => [
    ...processOperations,
    ...[
      "load",
      "load store load-cap store-cap",
      "load store load-cap store-cap global",
      "none",
      "user0 user1",
      "load user1",
    ].flatMap((words) => [`candperm c8, c1, ${words}`, `candperm c9, c8, ${words}`]),
    "candperm c8, c3, execute load system global",
    ...[
      "cseal c8, c1, c4",
      "cseal c9, c8, c4",
      "cunseal c9, c8, c4",
      "ccseal c8, c1, c4",
      "cbuildcap c9, c1, c8",
      "cbuildcap c9, c8, c1",
    ],
    ...[
      "csealentry c8, c8",
      "cincoffset c4, c4, 1",
      "cincoffset c4, c4, 4",
      "cincoffset c8, c8, 1",
      "ccopytype c9, c4, c8",
    ],
    ...[
      "csetflags c8, c1, 1",
      "csethigh c8, c1, -1",
      "ccleartag c8, c1",
      "cmove c15, c1",
      "cmove c8, c0",
      "cgettype c9, c8",
    ],
    ...["cgetpcc c8", "cjalr c7, c3", "cinvoke c8, c9", "ctestsubset c9, c1, c8", "csetequalexact c9, c1, c8"],
    ...["storecap c8, 0(c1)", "storecap c1, 0(c8)", "storecap c5, 0(c1)", "storecap c4, 0(c1)", "storecap c0, 0(c1)"],
    ...[
      "loadcap c9, 0(c1)",
      "loadcap c9, 0(c8)",
      "load.w c9, 0(c8)",
      "store.b 1, 0(c8)",
      `storecap c8, ${granule}(c8)`,
    ],
  ],
};
