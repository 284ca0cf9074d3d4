import { processOperations, type Alphabet } from "../alphabet.js";

/** First and last granule of the data, and the two at the edge between its pages. */
export const granules = ({ granule, page }: { readonly granule: number; readonly page: number }): readonly number[] => [
  0,
  page - granule,
  page,
  2 * page - granule,
];

export const memory: Alphabet = {
  name: "memory",
  what: "loads and stores of capabilities, bytes and integers at the edges of two pages, bounds, protection",
  operations: (places) => {
    const { granule, page, end } = places;
    const [first, edge, next, last] = [0, page - granule, page, 2 * page - granule];
    return [
      ...processOperations,
      "wait c7, 1",
      ...granules(places).flatMap((at) => [
        `loadcap c8, ${at}(c1)`,
        `storecap c1, ${at}(c1)`,
        `storecap c8, ${at}(c1)`,
      ]),
      ...[first, edge].flatMap((at) => [`loadcap c9, ${at}(c8)`, `storecap c9, ${at}(c8)`]),
      `storecap c3, ${next}(c1)`,
      `storecap c5, ${last}(c1)`,
      ...[first, page - 1, page, 2 * page - 1].map((at) => `store.b 1, ${at}(c1)`),
      ...[first, edge, page - 2, 2 * page - 1].map((at) => `load.w c9, ${at}(c1)`),
      "load.w c9, 0(c8)",
      `csetaddr c8, c1, ${end}`,
      `csetaddr c8, c8, c1`,
      `csetoffset c8, c1, ${page}`,
      `csetbounds c8, c1, ${granule}`,
      `csetbounds c8, c1, ${page}`,
      `csetbounds c9, c8, ${granule}`,
      "csetbounds c9, c8, 0",
      `mprotect c1, ${page}, r`,
      `mprotect c1, ${page}, w`,
      `mprotect c1, ${2 * page}, rw`,
      `mprotect c1, ${page}, none`,
    ];
  },
};
