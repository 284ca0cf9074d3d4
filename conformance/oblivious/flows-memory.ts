/** Loads, stores and mappings: where bytes go, with their bits. */
import type { Integer } from "../../spec/sfork/operation.js";
import { from, plain, type FlowLike, type Flows } from "./flow.js";
import type { Look } from "./look.js";
import { anySet } from "./shadow.js";

/** Rungs of MEM-1 that are asked before any number of the access. */
const early = new Set([
  "tag",
  "seal",
  "perm-load",
  "perm-store",
  "perm-load-cap",
  "perm-store-cap",
  "perm-store-local",
]);

/** The authority did not even say where: it traps whatever its address. */
const trapsEarly =
  (operand: string) =>
  ({ observation }: Look): boolean =>
    observation.kind === "trap" && early.has(observation.trap) && observation.operand === operand;

interface Access {
  readonly n: Integer;
  readonly cs1: number;
}

/** Bytes that were the numbers of a tagged capability have the bit, too. */
const loaded = (size: number): FlowLike<"load.b"> => ({
  ...from(
    (look, { n, cs1 }: Access) => anySet(look.bytes(look.address(cs1, n), size)),
    ({ n }) => [n],
  ),
  unless: trapsEarly("cs1"),
});

const stored = (size: number): FlowLike<"store.b"> => ({
  ...plain(
    ({ n }) => [n],
    (look, { value, n, cs1 }) => {
      look.shadow.memory.fill(look.address(cs1, n), size, look.isDerivedInteger(value));
    },
  ),
  unless: trapsEarly("cs1"),
});

const granuleOf = ({ context: { format } }: Look): number => Number(format.granule);

type Names =
  | ("loadcap" | "storecap" | "load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d")
  | ("store.b" | "store.h" | "store.w" | "store.d" | "cmemcpy" | "memset" | "cloadtags")
  | ("mmap" | "munmap" | "mprotect" | "madvise" | "shm");

export const memoryFlows: Pick<Flows, Names> = {
  loadcap: {
    ...from(
      (look, { n, cs1 }: Access) => anySet(look.bytes(look.address(cs1, n), granuleOf(look))),
      ({ n }) => [n],
    ),
    unless: trapsEarly("cs1"),
  },
  storecap: {
    ...plain(
      ({ n }) => [n],
      (look, { cs2, n, cs1 }) => {
        look.shadow.memory.fill(look.address(cs1, n), granuleOf(look), look.isDerived(cs2));
      },
    ),
    unless: trapsEarly("cs1"),
  },
  "load.b": loaded(1),
  "load.bu": loaded(1),
  "load.h": loaded(2),
  "load.hu": loaded(2),
  "load.w": loaded(4),
  "load.wu": loaded(4),
  "load.d": loaded(8),
  "store.b": stored(1),
  "store.h": stored(2),
  "store.w": stored(4),
  "store.d": stored(8),
  // Whether a granule moves as a capability or as bytes, its bits are the same.
  cmemcpy: {
    ...plain(
      ({ n }) => [n],
      (look, { cs1, cs2, n }) => {
        look.shadow.memory.write(look.address(cs1), look.bytes(look.address(cs2), look.integer(n)));
      },
    ),
    unless: trapsEarly("cs2"),
  },
  memset: {
    ...plain(
      ({ n }) => [n],
      (look, { cs1, value, n }) => {
        look.shadow.memory.fill(look.address(cs1), Number(look.integer(n)), look.isDerivedInteger(value));
      },
    ),
    unless: trapsEarly("cs1"),
  },
  // Tags are the same everywhere.
  cloadtags: plain(),

  mmap: plain(({ n }) => [n]),
  munmap: plain(({ n }) => [n]),
  mprotect: plain(({ n }) => [n]),
  madvise: plain(({ n }) => [n]),
  shm: plain(),
};
