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

/** Operands that are one word of a few. */
export const wordOperands = {
  advice: ["dontfork", "dofork", "wipeonfork", "keeponfork"],
  whence: ["set", "cur", "end"],
  /** Limits: one more than the highest descriptor; processes of the machine, zombies included. */
  resource: ["nofile", "nproc"],
  /** The caller, or its children that were waited for. */
  whose: ["self", "children"],
  /** What a device does with a buffer. */
  direction: ["r", "w"],
} as const;

export type WordOperand = keyof typeof wordOperands;

type Word<Kind extends WordOperand> = (typeof wordOperands)[Kind][number];

/** How a file is opened: for reading, writing or both, and with which flags. */
const transferFlags = ["read", "write", "append"] as const;
export const openFlags = [...transferFlags, "create", "exclusive", "truncate", "nonblock", "cloexec"] as const;

export type OpenFlag = (typeof openFlags)[number];

/** What a signal does: a handler is two registers, whose capabilities the kernel keeps. */
export type ActionOperand = "default" | "ignore" | { readonly code: number; readonly data: number };

/** Whom a signal is for: a process, the group that is named by its leader, or the caller's group. */
export type Target = { readonly process: number } | { readonly group: number } | "own-group";

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
  readonly advice: Word<"advice">;
  readonly whence: Word<"whence">;
  readonly resource: Word<"resource">;
  readonly whose: Word<"whose">;
  readonly direction: Word<"direction">;
  /** A descriptor, modulo the size of the table. */
  readonly descriptor: number;
  /** `a`, `d/a`, `/e`: names of lower-case letters behind slashes. */
  readonly path: string;
  readonly openFlags: readonly OpenFlag[];
  readonly action: ActionOperand;
  /** Signal numbers; those that do not exist are ignored. */
  readonly signals: readonly number[];
  readonly target: Target;
  /** A call that may be split: an operation of its own. */
  readonly call: SplitCall;
}

export type OperandKind = keyof OperandValues;

/** What an operation observes where it succeeds. */
export type ResultKind =
  ("capability" | "integer" | "none" | "child" | "process") | ("bytes" | "descriptor" | "descriptors" | "set");

/**
 * The operation exists only in some formats (those with sealing by authority, those with 64-bit addresses), or only in one
 * address space (channels: a capability means nothing in another).
 */
type Requirement = "ordinary-otypes" | "xlen-64" | "one-address-space";

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
const whom = "optionalOrdinal";
const d = "descriptor";
const path = "path";

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

const invoked = ["tag", "seal", "type", "perm-cinvoke", ...jumping] as const;
const invoking = { requires: "ordinary-otypes", traps: invoked } as const;

const load = { operands: { cd, n: "offset", cs1 }, result: "integer", rule: "MEM-1", traps: loading } as const;
const store = { operands: { value: n, n: "offset", cs1 }, result: "none", rule: "MEM-1", traps: storing } as const;
const mapping = ["EINVAL", "ENOMEM"] as const;
const reading = ["EBADF", "EFAULT", "EAGAIN"] as const;
const writing = ["EBADF", "EFAULT", "EAGAIN", "EPIPE", "EFBIG"] as const;
const opening = ["EINVAL", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "EMFILE"] as const;
const locking = ["EBADF", "EINVAL"] as const;
const seeking = ["EBADF", "ESPIPE", "EINVAL"] as const;
const grouping = ["ESRCH", "EPERM", "EACCES"] as const;
const finishing = ["EBADF", "EAGAIN", "EFBIG", ...opening, "EFAULT", "EPIPE"] as const;
const submitting = ["EFAULT", "EAGAIN"] as const;
const oneSpace = { requires: "one-address-space" } as const;
const sending = { errors: ["EBADF", "EPERM"], blocks: true, ...oneSpace } as const;
const receiving = { errors: ["EBADF"], blocks: true, ...oneSpace } as const;
const waiting = { choices: ["reap"], errors: ["ECHILD"], blocks: true } as const;
const vector = { cs1, n, cs2, n2: n } as const;

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
  // The last register, as C31 is the last of CHERI-RISC-V, gets the data capability, unsealed.
  cinvoke: { operands: { cs1, cs2 }, result: "capability", writes: 15, rule: "CAP-5", ...invoking },
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
  madvise: { operands: { cs1, n, advice: "advice" }, result: "none", rule: "FORK-2", errors: mapping },
  shm: { operands: { cd, segment: "ordinal" }, result: "capability", rule: "MEM-7" },

  fork: { operands: { cd }, result: "child", rule: "FORK-1", choices: ["slot", "pid"], errors: ["EAGAIN", "ENOMEM"] },
  exit: { operands: { n }, result: "none", rule: "EXIT-1" },
  wait: { operands: { cd, whom }, result: "process", rule: "EXIT-1", ...waiting },
  getpid: { operands: { cd }, result: "integer", rule: "FORK-1" },
  getppid: { operands: { cd }, result: "integer", rule: "EXIT-1" },
  thread: { operands: {}, result: "none", rule: "FORK-5", errors: ["EAGAIN"] },
  thread_exit: { operands: {}, result: "none", rule: "FORK-5" },
  yield: { operands: {}, result: "none", rule: "EXEC-1" },
  exec: { operands: {}, result: "none", rule: "EXEC-2", errors: ["ENOMEM"] },
  burn: { operands: {}, result: "none", rule: "TIME-1" },
  times: { operands: { whose: "whose" }, result: "integer", rule: "TIME-1" },
  alarm: { operands: { n }, result: "integer", rule: "TIME-1" },

  pipe: { operands: {}, result: "descriptors", rule: "FILE-3", errors: ["EMFILE"] },
  open: { operands: { path, flags: "openFlags" }, result: "descriptor", rule: "FILE-2", errors: opening },
  close: { operands: { d }, result: "none", rule: "FILE-1", errors: ["EBADF"] },
  dup: { operands: { d }, result: "descriptor", rule: "FILE-1", errors: ["EBADF", "EMFILE"] },
  dup2: { operands: { d, d2: d }, result: "descriptor", rule: "FILE-1", errors: ["EBADF"] },
  read: { operands: { d, cs1, n }, result: "bytes", rule: "KERN-3", errors: reading, blocks: true },
  readv: { operands: { d, ...vector }, result: "bytes", rule: "KERN-3", errors: reading, blocks: true },
  write: { operands: { d, cs1, n }, result: "integer", rule: "KERN-3", errors: writing, blocks: true },
  writev: { operands: { d, ...vector }, result: "integer", rule: "KERN-3", errors: writing, blocks: true },
  lseek: { operands: { d, n, whence: "whence" }, result: "integer", rule: "FILE-2", errors: seeking },
  fcntl_cloexec: { operands: { d, n }, result: "none", rule: "FILE-1", errors: ["EBADF"] },
  fcntl_append: { operands: { d, n }, result: "none", rule: "FILE-2", errors: ["EBADF"] },
  fcntl_nonblock: { operands: { d, n }, result: "none", rule: "FILE-2", errors: ["EBADF"] },
  fcntl_getfd: { operands: { d }, result: "set", rule: "FILE-1", errors: ["EBADF"] },
  fcntl_getfl: { operands: { d }, result: "set", rule: "FILE-2", errors: ["EBADF"] },
  lock: { operands: { d, start: n, length: n }, result: "none", rule: "LOCK-1", errors: [...locking, "EAGAIN"] },
  unlock: { operands: { d, start: n, length: n }, result: "none", rule: "LOCK-1", errors: locking },
  getlk: { operands: { d, start: n, length: n }, result: "integer", rule: "LOCK-1", errors: locking },
  call_enter: { operands: { call: "call" }, result: "none", rule: "KERN-2", errors: ["EBADF", "EFAULT", "EINVAL"] },
  call_finish: { operands: {}, result: "bytes", rule: "KERN-2", errors: finishing, blocks: true },

  umask: { operands: { n }, result: "integer", rule: "PROC-2" },
  chdir: { operands: { path }, result: "none", rule: "PROC-2", errors: ["ENOENT", "ENOTDIR"] },
  getrlimit: { operands: { resource: "resource" }, result: "integer", rule: "PROC-2" },
  setrlimit: { operands: { resource: "resource", n }, result: "none", rule: "PROC-2", errors: ["EINVAL"] },
  setpgid: { operands: { whom, group: whom }, result: "none", rule: "PROC-1", errors: grouping },
  getpgid: { operands: { whom }, result: "integer", rule: "PROC-1", errors: ["ESRCH"] },
  setsid: { operands: {}, result: "integer", rule: "PROC-1", errors: ["EPERM"] },
  getsid: { operands: { whom }, result: "integer", rule: "PROC-1", errors: ["ESRCH"] },

  sigaction: { operands: { signal: n, action: "action" }, result: "none", rule: "SIG-2", errors: ["EINVAL"] },
  getaction: { operands: { signal: n }, result: "set", rule: "SIG-2", errors: ["EINVAL"] },
  sigmask: { operands: { signals: "signals" }, result: "set", rule: "SIG-2" },
  sigpending: { operands: {}, result: "set", rule: "SIG-1" },
  kill: { operands: { target: "target", signal: n }, result: "none", rule: "SIG-1", errors: ["EINVAL", "ESRCH"] },
  sigaltstack: { operands: { cs1 }, result: "none", rule: "SIG-2", errors: ["EFAULT"] },
  getaltstack: { operands: { cd }, result: "capability", rule: "SIG-2" },

  virtq_submit: { operands: { cs1, n, direction: "direction" }, result: "none", rule: "DMA-1", errors: submitting },
  virtq_complete: { operands: {}, result: "bytes", rule: "DMA-1", errors: ["EFAULT"], blocks: true },

  channel: { operands: {}, result: "none", rule: "CHAN-1", errors: ["EMFILE"], ...oneSpace },
  sendcap: { operands: { channel, cs1 }, result: "none", rule: "CHAN-2", ...sending },
  recvcap: { operands: { cd, channel }, result: "capability", rule: "CHAN-2", ...receiving },
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

/** The calls that can be split in two: in between, others take steps. */
export const splitCalls = ["read", "readv", "write", "writev", "open"] as const;

export type SplitCall = {
  readonly [Name in (typeof splitCalls)[number]]: OperationOf<Name>;
}[(typeof splitCalls)[number]];

export type Operation = { readonly [Name in OperationName]: OperationOf<Name> }[OperationName];

/** One step of a program: a thread, by its creation ordinal, and what it does. */
export interface Step {
  readonly actor: number;
  readonly operation: Operation;
}
