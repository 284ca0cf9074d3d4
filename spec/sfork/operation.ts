/**
 * The operations of a program, as one table. The types of operations, the text and JSON forms, `operations.json` and the
 * reference in `docs/` follow from it; the rules are a record over its names (`step.ts`).
 */
import type { Permission, TrapCause } from "../cheri/index.js";
import type { ErrorCode } from "./observation.js";

/** An integer operand: a number, or the address field of a register. Integers wrap modulo 2^XLEN. */
export type Integer = { readonly immediate: bigint } | { readonly register: number };

export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** What an operand of each kind holds. Registers and ordinals are any non-negative numbers; they are reduced into range. */
export interface OperandValues {
  /** A capability register. */
  readonly register: number;
  readonly integer: Integer;
  /** An integer that is added to the address of the register after it, written `n(cs)`. */
  readonly offset: Integer;
  readonly permissions: readonly Permission[];
  readonly protection: Protection;
  /** A process, channel or shared segment by its ordinal, modulo those made so far. */
  readonly ordinal: number;
  /** The same, or any. */
  readonly optionalOrdinal: number | undefined;
}

export type OperandKind = keyof OperandValues;

/** What an operation observes where it succeeds. */
export type ResultKind = "capability" | "integer" | "none" | "child" | "process";

/** The operation exists only in some formats: those with sealing by authority, those with 64-bit addresses. */
type Requirement = "ordinary-otypes" | "xlen-64";

export interface OperationEntry {
  /** Operands in the order in which they are written; `cd` is the register that is written. */
  readonly operands: Readonly<Record<string, OperandKind>>;
  readonly result: ResultKind;
  /** The register that is written where no operand names it. */
  readonly writes?: number;
  /** The rule that says what it does. */
  readonly rule: string;
  readonly requires?: Requirement;
  /** Choices that the latitude leaves open, as optional operands `name=n`. */
  readonly choices?: readonly string[];
  /** Causes for which it can trap. */
  readonly traps?: readonly TrapCause[];
  readonly errors?: readonly ErrorCode[];
  /** It can observe `would-block`. */
  readonly blocks?: true;
}

// Operands by their usual names, and the kind that goes with each.
const cd = "register";
const cs1 = "register";
const cs2 = "register";
const n = "integer";
const protection = "protection";
const channel = "ordinal";
const process = "optionalOrdinal";

// Causes of traps, roughly in the order of the checks.
const read = ["page-unmapped", "page-read"] as const;
const written = ["page-unmapped", "page-write"] as const;
const tagged = ["perm-store-cap", "perm-store-local"] as const;
const loading = ["tag", "seal", "perm-load", "bounds", ...read] as const;
const loadingCaps = ["tag", "seal", "perm-load", "bounds", "align", ...read] as const;
const loadingTags = ["tag", "seal", "perm-load", "perm-load-cap", "bounds", "align", ...read] as const;
const storing = ["tag", "seal", "perm-store", "bounds", ...written] as const;
const storingCaps = ["tag", "seal", "perm-store", ...tagged, "bounds", "align", ...written, "page-store-cap"] as const;
const copying = [...loading, "perm-store", ...tagged, "page-write", "page-store-cap"] as const;
const jumping = ["perm-execute", "align", "bounds", "page-exec"] as const;

const load = { operands: { cd, n: "offset", cs1 }, result: "integer", rule: "MEM-1", traps: loading } as const;
const store = { operands: { value: n, n: "offset", cs1 }, result: "none", rule: "MEM-1", traps: storing } as const;
const mapping = ["EINVAL", "ENOMEM"] as const;

export const operations = {
  csetbounds: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-2" },
  csetboundsexact: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-2" },
  csetaddr: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  cincoffset: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  csetoffset: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  cfromptr: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  csetflags: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  csethigh: { operands: { cd, cs1, n }, result: "capability", rule: "CAP-3" },
  candperm: { operands: { cd, cs1, words: "permissions" }, result: "capability", rule: "CAP-4" },
  cseal: { operands: { cd, cs1, cs2 }, result: "capability", rule: "CAP-5", requires: "ordinary-otypes" },
  cunseal: { operands: { cd, cs1, cs2 }, result: "capability", rule: "CAP-5", requires: "ordinary-otypes" },
  ccseal: { operands: { cd, cs1, cs2 }, result: "capability", rule: "CAP-5", requires: "ordinary-otypes" },
  ccopytype: { operands: { cd, cs1, cs2 }, result: "capability", rule: "CAP-5", requires: "ordinary-otypes" },
  cbuildcap: { operands: { cd, cs1, cs2 }, result: "capability", rule: "CAP-5" },
  csealentry: { operands: { cd, cs1 }, result: "capability", rule: "CAP-5" },
  ccleartag: { operands: { cd, cs1 }, result: "capability", rule: "CAP-3" },
  cmove: { operands: { cd, cs1 }, result: "capability", rule: "CAP-3" },
  ctestsubset: { operands: { cd, cs1, cs2 }, result: "integer", rule: "CAP-5" },
  csetequalexact: { operands: { cd, cs1, cs2 }, result: "integer", rule: "CAP-1" },
  csub: { operands: { cd, cs1, cs2 }, result: "integer", rule: "CAP-1" },
  ctoptr: { operands: { cd, cs1, cs2 }, result: "integer", rule: "CAP-1" },
  crrl: { operands: { cd, n }, result: "integer", rule: "CAP-2" },
  cram: { operands: { cd, n }, result: "integer", rule: "CAP-2" },
  cgetperm: { operands: { cd, cs1 }, result: "integer", rule: "CAP-4" },
  cgettype: { operands: { cd, cs1 }, result: "integer", rule: "CAP-5" },
  cgetbase: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgetlen: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgettop: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgettag: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgetsealed: { operands: { cd, cs1 }, result: "integer", rule: "CAP-5" },
  cgetoffset: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgetflags: { operands: { cd, cs1 }, result: "integer", rule: "CAP-3" },
  cgetaddr: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cgethigh: { operands: { cd, cs1 }, result: "integer", rule: "CAP-1" },
  cjalr: { operands: { cd, cs1 }, result: "capability", rule: "CAP-5", traps: ["tag", "seal", ...jumping] },
  cinvoke: {
    operands: { cs1, cs2 },
    result: "capability",
    // The last register, as C31 is the last of CHERI-RISC-V: the data capability, unsealed.
    writes: 15,
    rule: "CAP-5",
    requires: "ordinary-otypes",
    traps: ["tag", "seal", "type", "perm-cinvoke", ...jumping],
  },
  li: { operands: { cd, n }, result: "integer", rule: "EXEC-1" },
  cgetpcc: { operands: { cd }, result: "capability", rule: "EXEC-1" },

  loadcap: { operands: { cd, n: "offset", cs1 }, result: "capability", rule: "MEM-3", traps: loadingCaps },
  storecap: { operands: { cs2, n: "offset", cs1 }, result: "none", rule: "MEM-3", traps: storingCaps },
  "load.b": load,
  "load.bu": load,
  "load.h": load,
  "load.hu": load,
  "load.w": load,
  "load.wu": { ...load, requires: "xlen-64" },
  "load.d": { ...load, requires: "xlen-64" },
  "store.b": store,
  "store.h": store,
  "store.w": store,
  "store.d": { ...store, requires: "xlen-64" },
  cmemcpy: { operands: { cs1, cs2, n }, result: "none", rule: "MEM-5", traps: copying },
  memset: { operands: { cs1, value: n, n }, result: "none", rule: "MEM-2", traps: storing },
  cloadtags: { operands: { cd, cs1 }, result: "integer", rule: "MEM-6", traps: loadingTags },

  mmap: { operands: { cd, n, protection }, result: "capability", rule: "LAY-1", errors: mapping },
  munmap: { operands: { cs1, n }, result: "none", rule: "REUSE-1", errors: mapping },
  mprotect: { operands: { cs1, n, protection }, result: "none", rule: "LAY-1", errors: mapping },
  shm: { operands: { cd, segment: "ordinal" }, result: "capability", rule: "MEM-7" },

  fork: { operands: { cd }, result: "child", rule: "FORK-1", choices: ["slot", "pid"], errors: ["EAGAIN", "ENOMEM"] },
  exit: { operands: { n }, result: "none", rule: "EXIT-1" },
  wait: {
    operands: { cd, process },
    result: "process",
    rule: "EXIT-1",
    choices: ["reap"],
    errors: ["ECHILD"],
    blocks: true,
  },
  getpid: { operands: { cd }, result: "integer", rule: "FORK-1" },
  getppid: { operands: { cd }, result: "integer", rule: "EXIT-1" },
  thread: { operands: {}, result: "none", rule: "FORK-5", errors: ["EAGAIN"] },
  thread_exit: { operands: {}, result: "none", rule: "FORK-5" },
  yield: { operands: {}, result: "none", rule: "EXEC-1" },

  channel: { operands: {}, result: "none", rule: "CHAN-1", errors: ["EMFILE"] },
  sendcap: { operands: { channel, cs1 }, result: "none", rule: "CHAN-2", errors: ["EBADF", "EPERM"], blocks: true },
  recvcap: { operands: { cd, channel }, result: "capability", rule: "CHAN-2", errors: ["EBADF"], blocks: true },
} as const satisfies Readonly<Record<string, OperationEntry>>;

export type OperationName = keyof Table;

type Table = typeof operations;

type ValuesOf<Operands> = {
  readonly [Name in keyof Operands]: Operands[Name] extends OperandKind ? OperandValues[Operands[Name]] : never;
};

type ChoicesOf<Entry> = Entry extends { readonly choices: readonly (infer Choice extends string)[] }
  ? Readonly<Partial<Record<Choice, number>>>
  : unknown;

/** An operation of a given name with its operands. */
export type OperationOf<Name extends OperationName> = { readonly op: Name } & ValuesOf<Table[Name]["operands"]> &
  ChoicesOf<Table[Name]>;

export type Operation = { readonly [Name in OperationName]: OperationOf<Name> }[OperationName];

/** One step of a program: a thread, by its creation ordinal, and what it does. */
export interface Step {
  readonly actor: number;
  readonly operation: Operation;
}
