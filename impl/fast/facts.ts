/** What the machine has to know of a format beyond its codec: which permission is which bit, and how memory treats rights. */
import type { Permission } from "../../spec/cheri/index.js";
import type { FormatName } from "./codec/types.js";

type Bits = Readonly<Partial<Record<Permission, number>>>;

export interface Facts {
  /** Bits of permissions, in the numbering that CGetPerm reads. */
  readonly words: Bits;
  /** Loads and stores of capabilities without the rights for them (MEM-3). */
  readonly transfer: "v9" | "morello" | "rvy";
  readonly largestOtype: number;
  /** CGetType extends the sign of reserved types from this width; 0 where it does not. */
  readonly signedOtypeBits: number;
  /** There are types that authority seals with. */
  readonly ordinaryOtypes: boolean;
  /** Where in a granule the address lies, and the word that CGetHigh reads, in halves. */
  readonly addressAt: number;
  readonly highAt: number;
}

const inOrder = (first: number, ...names: readonly Permission[]): Bits =>
  Object.fromEntries(names.map((name, index) => [name, 1 << (first + index)]));

const v9: Bits = {
  ...inOrder(0, "global", "execute", "load", "store", "load-cap", "store-cap", "store-local"),
  ...inOrder(7, "seal", "invoke", "unseal", "system", "set-cid"),
};
const v9Software = inOrder(15, "user0", "user1", "user2", "user3");

/** One bit covers loads and stores of capabilities. */
const rvy: Bits = {
  ...inOrder(0, "store", "mutable-load", "elevate-level", "store-local", "global", "load-cap", "user0", "user1"),
  ...inOrder(5, "store-cap"),
  ...inOrder(16, "system", "execute", "load"),
};

const morello: Bits = {
  ...inOrder(0, "global", "executive", "user0", "user1", "user2", "user3", "mutable-load", "set-cid", "invoke"),
  ...inOrder(9, "system", "unseal", "seal", "store-local", "store-cap", "load-cap", "execute", "store", "load"),
};

const compressed128 = { signedOtypeBits: 0, ordinaryOtypes: true, addressAt: 0, highAt: 2 } as const;
const risc = { transfer: "rvy", largestOtype: 1, signedOtypeBits: 0, ordinaryOtypes: false, addressAt: 0 } as const;

export const factsOf: Readonly<Record<FormatName, Facts>> = {
  "cheri128-v9": {
    ...compressed128,
    words: { ...v9, ...v9Software },
    transfer: "v9",
    largestOtype: 0x3ffff,
    signedOtypeBits: 18,
  },
  "cheri64-v9": {
    words: v9,
    transfer: "v9",
    largestOtype: 0xf,
    signedOtypeBits: 4,
    ordinaryOtypes: true,
    addressAt: 0,
    highAt: 1,
  },
  morello: { ...compressed128, words: morello, transfer: "morello", largestOtype: 0x7fff },
  rvy128: { ...risc, words: { ...rvy, ...inOrder(8, "user2", "user3") }, highAt: 2 },
  rvy64: { ...risc, words: rvy, highAt: 1 },
  uncompressed256: {
    words: { ...v9, ...v9Software },
    transfer: "v9",
    largestOtype: 0xffffff,
    signedOtypeBits: 0,
    ordinaryOtypes: true,
    addressAt: 2,
    highAt: 0,
  },
};

/** The bits of some permissions; those that the format lacks have none. */
export const maskOf = ({ words }: Facts, names: readonly Permission[]): number =>
  names.reduce((mask, name) => mask | (words[name] ?? 0), 0);
