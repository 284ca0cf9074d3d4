/** System calls for small programs, and what they observe. Expected values stand in the tests. */
import type { StrategyName } from "../../../spec/sfork/config.js";
import type { ExitStatus, Observation } from "../../../spec/sfork/observation.js";
import type {
  ActionOperand,
  Integer,
  OpenFlag,
  Operation,
  OperationOf,
  SplitCall,
  Target,
} from "../../../spec/sfork/operation.js";
import { strategyNames, worlds, type World } from "./programs.js";

/** L0, and the strategies of one address space. */
const levels: readonly StrategyName[] = ["posix", ...strategyNames];

/** Every format on every level. */
export const everywhere = (given: Parameters<typeof worlds>[0] = {}): readonly World[] => worlds(given, levels);

const integer = (n: bigint): Integer => ({ immediate: n });

export const pipe: Operation = { op: "pipe" };
export const open = (path: string, ...flags: readonly OpenFlag[]): SplitCall => ({ op: "open", path, flags });
export const close = (d: number): Operation => ({ op: "close", d });
export const dup = (d: number): Operation => ({ op: "dup", d });
export const dup2 = (d: number, d2: number): Operation => ({ op: "dup2", d, d2 });
export const read = (d: number, cs1: number, n: bigint): SplitCall => ({ op: "read", d, cs1, n: integer(n) });
export const write = (d: number, cs1: number, n: bigint): SplitCall => ({ op: "write", d, cs1, n: integer(n) });
export const readv = (d: number, cs1: number, n: bigint, cs2: number, n2: bigint): SplitCall => ({
  op: "readv",
  d,
  cs1,
  n: integer(n),
  cs2,
  n2: integer(n2),
});
export const writev = (d: number, cs1: number, n: bigint, cs2: number, n2: bigint): SplitCall => ({
  op: "writev",
  d,
  cs1,
  n: integer(n),
  cs2,
  n2: integer(n2),
});
export const lseek = (d: number, n: bigint, whence: OperationOf<"lseek">["whence"]): Operation => ({
  op: "lseek",
  d,
  n: integer(n),
  whence,
});
export const setflag = (flag: "cloexec" | "append" | "nonblock", d: number, n: bigint): Operation => ({
  op: `fcntl_${flag}`,
  d,
  n: integer(n),
});
export const getfd = (d: number): Operation => ({ op: "fcntl_getfd", d });
export const getfl = (d: number): Operation => ({ op: "fcntl_getfl", d });
const ranged =
  <Name extends "lock" | "unlock" | "getlk">(op: Name) =>
  (d: number, start: bigint, length: bigint) =>
    ({ op, d, start: integer(start), length: integer(length) }) as const;
export const lock = ranged("lock");
export const unlock = ranged("unlock");
export const getlk = ranged("getlk");
export const enter = (call: SplitCall): Operation => ({ op: "call_enter", call });
export const finish: Operation = { op: "call_finish" };

export const umask = (n: bigint): Operation => ({ op: "umask", n: integer(n) });
export const chdir = (path: string): Operation => ({ op: "chdir", path });
export const getrlimit = (resource: "nofile" | "nproc"): Operation => ({ op: "getrlimit", resource });
export const setrlimit = (resource: "nofile" | "nproc", n: bigint): Operation => ({
  op: "setrlimit",
  resource,
  n: integer(n),
});
export const setpgid = (process?: number, group?: number): Operation => ({ op: "setpgid", whom: process, group });
export const getpgid = (process?: number): Operation => ({ op: "getpgid", whom: process });
export const getsid = (process?: number): Operation => ({ op: "getsid", whom: process });
export const setsid: Operation = { op: "setsid" };

export const sigaction = (signal: number, action: ActionOperand): Operation => ({
  op: "sigaction",
  signal: integer(BigInt(signal)),
  action,
});
export const getaction = (signal: number): Operation => ({ op: "getaction", signal: integer(BigInt(signal)) });
export const sigmask = (...signals: readonly number[]): Operation => ({ op: "sigmask", signals });
export const sigpending: Operation = { op: "sigpending" };
export const kill = (target: Target | number, signal: number): Operation => ({
  op: "kill",
  target: typeof target === "number" ? { process: target } : target,
  signal: integer(BigInt(signal)),
});
export const sigaltstack = (cs1: number): Operation => ({ op: "sigaltstack", cs1 });
export const getaltstack = (cd: number): Operation => ({ op: "getaltstack", cd });

export const submit = (cs1: number, n: bigint, direction: "r" | "w"): Operation => ({
  op: "virtq_submit",
  cs1,
  n: integer(n),
  direction,
});
export const complete: Operation = { op: "virtq_complete" };

export const exec: Operation = { op: "exec" };
export const burn: Operation = { op: "burn" };
export const times = (whose: "self" | "children"): Operation => ({ op: "times", whose });
export const alarm = (n: bigint): Operation => ({ op: "alarm", n: integer(n) });
export const madvise = (cs1: number, n: bigint, advice: OperationOf<"madvise">["advice"]): Operation => ({
  op: "madvise",
  cs1,
  n: integer(n),
  advice,
});

export const blocked: Observation = { kind: "would-block" };
export const bytes = (...list: readonly number[]): Observation => ({ kind: "bytes", bytes: list });
export const fd = (descriptor: number): Observation => ({ kind: "descriptor", descriptor });
export const fds = (first: number, second: number): Observation => ({
  kind: "descriptors",
  descriptors: [first, second],
});
export const set = (...members: readonly (number | string)[]): Observation => ({ kind: "set", members });
const reaped = (process: number, status: ExitStatus): Observation => ({ kind: "process", process, status });
export const exited = (process: number, status: number): Observation => reaped(process, { exited: status });
export const signalled = (process: number, signal: number): Observation => reaped(process, { signalled: signal });
