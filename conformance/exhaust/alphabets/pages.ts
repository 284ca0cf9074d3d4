import { processOperations, type Alphabet } from "../alphabet.js";
import { granules } from "./memory.js";

/** A fifth page, which is free: there is one for mmap. */
const roomForOne = { pages: 5 } as const;

export const pages: Alphabet = {
  name: "pages",
  what: "mapping, unmapping, protection and advice, new images, and pointers into the pages concerned",
  config: roomForOne,
  operations: ({ page }) => [
    ...processOperations,
    "exec",
    ...["rw", "r", "none"].map((protection) => `mmap c8, ${page}, ${protection}`),
    `mmap c8, ${2 * page}, rw`,
    ...["c1", "c8"].flatMap((cs) => [`munmap ${cs}, ${page}`, `munmap ${cs}, ${2 * page}`]),
    "munmap c2, 1",
    ...["rw", "r", "w", "none"].map((protection) => `mprotect c1, ${page}, ${protection}`),
    "mprotect c8, 1, r",
    `mprotect c1, ${2 * page}, r`,
    ...["dontfork", "dofork", "wipeonfork", "keeponfork"].map((advice) => `madvise c1, ${page}, ${advice}`),
    "madvise c8, 1, wipeonfork",
    ...["storecap c1, 0(c1)", "storecap c8, 0(c1)", "storecap c8, 0(c8)", "storecap c1, 0(c2)", "storecap c8, 0(c2)"],
    ...["loadcap c9, 0(c1)", "loadcap c9, 0(c8)", "load.w c9, 0(c8)", "store.w 1, 0(c8)", "store.w 1, 0(c1)"],
    "csetbounds c9, c1, 0",
  ],
};

export const copies: Alphabet = {
  name: "copies",
  what: "copies, fills and tags of memory, aligned and not, within a page and across its edge",
  // More granules than a word of tags has bits.
  config: { page: 1024 },
  operations: (places) => {
    const { granule, page } = places;
    return [
      ...processOperations,
      ...granules(places)
        .slice(0, 3)
        .map((at) => `storecap c1, ${at}(c1)`),
      "storecap c1, 0(c2)",
      ...[1, granule, 2 * granule, page - granule, page].map((by) => `cincoffset c8, c1, ${by}`),
      ...[1, granule, 2 * granule, page].flatMap((size) => [`cmemcpy c8, c1, ${size}`, `cmemcpy c1, c8, ${size}`]),
      `cmemcpy c2, c1, ${granule}`,
      `cmemcpy c1, c1, ${granule}`,
      ...[1, granule, page + 1].map((size) => `memset c1, 0xa5, ${size}`),
      "memset c8, 0, 1",
      "memset c2, 1, 1",
      "cloadtags c9, c1",
      "cloadtags c9, c8",
      ...["store.b 1, 0(c1)", "store.h 0, 0(c1)", `store.w 1, ${page - 2}(c1)`, `load.w c9, ${page - 2}(c1)`],
      "loadcap c9, 0(c1)",
      "loadcap c9, 0(c8)",
    ];
  },
};
