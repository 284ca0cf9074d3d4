/**
 * The operations of a program, as one table. The types of operations, the text and JSON forms, `operations.json` and the
 * reference in `docs/` follow from it; the rules are a record over its names (`step.ts`).
 */
import type { Permission } from "../cheri/index.js";

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
  /** The rule that says what it does. */
  readonly rule: string;
  readonly requires?: Requirement;
  /** Choices that the latitude leaves open, as optional operands `name=n`. */
  readonly choices?: readonly string[];
  readonly errors?: readonly string[];
}

const derive = <Rule extends string>(rule: Rule) =>
  ({ operands: { cd: "register", cs1: "register", n: "integer" }, result: "capability", rule }) as const;
const combine = <Rule extends string>(rule: Rule) =>
  ({ operands: { cd: "register", cs1: "register", cs2: "register" }, result: "capability", rule }) as const;
const compare = <Rule extends string>(rule: Rule) =>
  ({ operands: { cd: "register", cs1: "register", cs2: "register" }, result: "integer", rule }) as const;
const copy = <Rule extends string>(rule: Rule) =>
  ({ operands: { cd: "register", cs1: "register" }, result: "capability", rule }) as const;
const get = <Rule extends string>(rule: Rule) =>
  ({ operands: { cd: "register", cs1: "register" }, result: "integer", rule }) as const;
const load = {
  operands: { cd: "register", n: "offset", cs1: "register" },
  result: "integer",
  rule: "MEM-1",
} as const;
const store = {
  operands: { value: "integer", n: "offset", cs1: "register" },
  result: "none",
  rule: "MEM-1",
} as const;
const sealing = { requires: "ordinary-otypes" } as const;
const wide = { requires: "xlen-64" } as const;

export const operations = {
  csetbounds: derive("CAP-2"),
  csetboundsexact: derive("CAP-2"),
  csetaddr: derive("CAP-3"),
  cincoffset: derive("CAP-3"),
  csetoffset: derive("CAP-3"),
  cfromptr: derive("CAP-3"),
  csetflags: derive("CAP-3"),
  csethigh: derive("CAP-3"),
  candperm: {
    operands: { cd: "register", cs1: "register", words: "permissions" },
    result: "capability",
    rule: "CAP-4",
  },
  cseal: { ...combine("CAP-5"), ...sealing },
  cunseal: { ...combine("CAP-5"), ...sealing },
  ccseal: { ...combine("CAP-5"), ...sealing },
  ccopytype: { ...combine("CAP-5"), ...sealing },
  cbuildcap: combine("CAP-5"),
  csealentry: copy("CAP-5"),
  ccleartag: copy("CAP-3"),
  cmove: copy("CAP-3"),
  ctestsubset: compare("CAP-5"),
  csetequalexact: compare("CAP-1"),
  csub: compare("CAP-1"),
  ctoptr: compare("CAP-1"),
  crrl: { operands: { cd: "register", n: "integer" }, result: "integer", rule: "CAP-2" },
  cram: { operands: { cd: "register", n: "integer" }, result: "integer", rule: "CAP-2" },
  cgetperm: get("CAP-4"),
  cgettype: get("CAP-5"),
  cgetbase: get("CAP-1"),
  cgetlen: get("CAP-1"),
  cgettop: get("CAP-1"),
  cgettag: get("CAP-1"),
  cgetsealed: get("CAP-5"),
  cgetoffset: get("CAP-1"),
  cgetflags: get("CAP-3"),
  cgetaddr: get("CAP-1"),
  cgethigh: get("CAP-1"),
  cjalr: { ...copy("CAP-5") },
  cinvoke: { operands: { cs1: "register", cs2: "register" }, result: "capability", rule: "CAP-5", ...sealing },
  li: { operands: { cd: "register", n: "integer" }, result: "integer", rule: "EXEC-1" },
  cgetpcc: { operands: { cd: "register" }, result: "capability", rule: "EXEC-1" },

  loadcap: { operands: { cd: "register", n: "offset", cs1: "register" }, result: "capability", rule: "MEM-3" },
  storecap: { operands: { cs2: "register", n: "offset", cs1: "register" }, result: "none", rule: "MEM-3" },
  "load.b": load,
  "load.bu": load,
  "load.h": load,
  "load.hu": load,
  "load.w": load,
  "load.wu": { ...load, ...wide },
  "load.d": { ...load, ...wide },
  "store.b": store,
  "store.h": store,
  "store.w": store,
  "store.d": { ...store, ...wide },
  cmemcpy: { operands: { cs1: "register", cs2: "register", n: "integer" }, result: "none", rule: "MEM-5" },
  memset: { operands: { cs1: "register", value: "integer", n: "integer" }, result: "none", rule: "MEM-2" },
  cloadtags: { operands: { cd: "register", cs1: "register" }, result: "integer", rule: "MEM-6" },

  mmap: {
    operands: { cd: "register", n: "integer", protection: "protection" },
    result: "capability",
    rule: "LAY-1",
    errors: ["EINVAL", "ENOMEM"],
  },
  munmap: {
    operands: { cs1: "register", n: "integer" },
    result: "none",
    rule: "REUSE-1",
    errors: ["EINVAL", "ENOMEM"],
  },
  mprotect: {
    operands: { cs1: "register", n: "integer", protection: "protection" },
    result: "none",
    rule: "LAY-1",
    errors: ["EINVAL", "ENOMEM"],
  },
  shm: { operands: { cd: "register", segment: "ordinal" }, result: "capability", rule: "MEM-7" },

  fork: {
    operands: { cd: "register" },
    result: "child",
    rule: "FORK-1",
    choices: ["slot", "pid"],
    errors: ["EAGAIN", "ENOMEM"],
  },
  exit: { operands: { n: "integer" }, result: "none", rule: "EXIT-1" },
  wait: {
    operands: { cd: "register", process: "optionalOrdinal" },
    result: "process",
    rule: "EXIT-1",
    choices: ["reap"],
    errors: ["ECHILD"],
  },
  getpid: { operands: { cd: "register" }, result: "integer", rule: "FORK-1" },
  getppid: { operands: { cd: "register" }, result: "integer", rule: "EXIT-1" },
  thread: { operands: {}, result: "none", rule: "FORK-5", errors: ["EAGAIN"] },
  thread_exit: { operands: {}, result: "none", rule: "FORK-5" },
  yield: { operands: {}, result: "none", rule: "EXEC-1" },

  channel: { operands: {}, result: "none", rule: "CHAN-1", errors: ["EMFILE"] },
  sendcap: {
    operands: { channel: "ordinal", cs1: "register" },
    result: "none",
    rule: "CHAN-2",
    errors: ["EBADF", "EPERM"],
  },
  recvcap: {
    operands: { cd: "register", channel: "ordinal" },
    result: "capability",
    rule: "CHAN-2",
    errors: ["EBADF"],
  },
} as const satisfies Readonly<Record<string, OperationEntry>>;

export type OperationName = keyof typeof operations;

type OperandsOf<Name extends OperationName> = {
  readonly [
    Key in keyof (typeof operations)[Name]["operands"]
  ]: (typeof operations)[Name]["operands"][Key] extends OperandKind
    ? OperandValues[(typeof operations)[Name]["operands"][Key]]
    : never;
};

type ChoicesOf<Name extends OperationName> = (typeof operations)[Name] extends {
  readonly choices: readonly (infer Choice)[];
}
  ? Readonly<Partial<Record<Extract<Choice, string>, number>>>
  : unknown;

/** An operation of a given name with its operands. */
export type OperationOf<Name extends OperationName> = { readonly op: Name } & OperandsOf<Name> & ChoicesOf<Name>;

export type Operation = { readonly [Name in OperationName]: OperationOf<Name> }[OperationName];

/** One step of a program: a thread, by its creation ordinal, and what it does. */
export interface Step {
  readonly actor: number;
  readonly operation: Operation;
}
