/** Steps as the driver reads them, a line each, and what it says of them. */
import type { Config } from "../../spec/sfork/config.js";
import type { ErrorCode, Observation } from "../../spec/sfork/observation.js";
import type {
  ActionOperand,
  Integer,
  OperationName,
  OperationOf,
  Protection,
  Step,
  Target,
} from "../../spec/sfork/operation.js";

/** What the kernel let be seen of a step. */
export interface Seen {
  /** Creation ordinals; undefined where nobody could take the step. */
  readonly thread: number | undefined;
  readonly process: number | undefined;
  readonly signals: readonly number[];
  readonly result: Result;
}

/**
 * What a step observed, in the kernel's terms. `own`, `segment`: an address, by its distance from the start of the region or
 * of the first shared segment. `pid`: a process, by its ordinal; undefined for one that is not the program's.
 */
export type Result =
  | { readonly kind: "own" | "segment"; readonly offset: bigint }
  | { readonly kind: "pid"; readonly process: number | undefined }
  | { readonly kind: "trap"; readonly trap: "page-unmapped" | "page-read" | "page-write" }
  | { readonly kind: "error"; readonly error: ErrorCode | "EUNKNOWN" }
  /** No answer within four seconds. */
  | { readonly kind: "silent" }
  | Extract<
      Observation,
      {
        readonly kind:
          | "integer"
          | "none"
          | "bytes"
          | "descriptor"
          | "descriptors"
          | "set"
          | "child"
          | "process"
          | "would-block"
          | "no-actor"
          | "halted";
      }
    >;

const integer = (n: Integer): string =>
  "immediate" in n ? BigInt.asUintN(64, n.immediate).toString() : `r${n.register.toString()}`;

const protection = ({ read, write, execute }: Protection): string =>
  `${read ? "r" : ""}${write ? "w" : ""}${execute ? "x" : ""}` || "none";

const action = (one: ActionOperand): string =>
  typeof one === "string" ? one : `handler ${one.code.toString()} ${one.data.toString()}`;

const target = (one: Target): string => {
  if (one === "own-group") return one;
  return "process" in one ? one.process.toString() : `-${one.group.toString()}`;
};

const ordinal = (process: number | undefined): string => process?.toString() ?? "self";

const list = (words: readonly (number | string)[]): string => (words.length === 0 ? "none" : words.join(","));

type Word = string | number;

/** For the operations that a kernel without capabilities has: their operands, in the driver's order. */
type Encoders = { readonly [Name in OperationName]?: (operation: OperationOf<Name>) => readonly Word[] };

type Loads = "load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d";
type Stores = "store.b" | "store.h" | "store.w" | "store.d";

const nothing = (): readonly Word[] => [];
const destination = ({ cd }: { readonly cd: number }): readonly Word[] => [cd];
const amount = ({ n }: { readonly n: Integer }): readonly Word[] => [integer(n)];
const descriptor = ({ d }: { readonly d: number }): readonly Word[] => [d];
const flag = ({ d, n }: { readonly d: number; readonly n: Integer }): readonly Word[] => [d, integer(n)];
const load = ({ cd, n, cs1 }: OperationOf<Loads | "loadcap">): readonly Word[] => [cd, integer(n), cs1];
const store = ({ value, n, cs1 }: OperationOf<Stores>): readonly Word[] => [integer(value), integer(n), cs1];
const lock = ({ d, start, length }: OperationOf<"lock" | "unlock" | "getlk">): readonly Word[] => [
  d,
  integer(start),
  integer(length),
];
const buffer = ({ d, cs1, n }: OperationOf<"read" | "write">): readonly Word[] => [d, cs1, integer(n)];
const buffers = ({ d, cs1, n, cs2, n2 }: OperationOf<"readv" | "writev">): readonly Word[] => [
  d,
  cs1,
  integer(n),
  cs2,
  integer(n2),
];

const encoders: Encoders = {
  li: ({ cd, n }) => [cd, integer(n)],
  cmove: ({ cd, cs1 }) => [cd, cs1],
  cincoffset: ({ cd, cs1, n }) => [cd, cs1, integer(n)],
  loadcap: load,
  storecap: ({ cs2, n, cs1 }) => [cs2, integer(n), cs1],
  "load.b": load,
  "load.bu": load,
  "load.h": load,
  "load.hu": load,
  "load.w": load,
  "load.wu": load,
  "load.d": load,
  "store.b": store,
  "store.h": store,
  "store.w": store,
  "store.d": store,
  memset: ({ cs1, value, n }) => [cs1, integer(value), integer(n)],
  mmap: ({ cd, n, protection: own }) => [cd, integer(n), protection(own)],
  munmap: ({ cs1, n }) => [cs1, integer(n)],
  mprotect: ({ cs1, n, protection: own }) => [cs1, integer(n), protection(own)],
  madvise: ({ cs1, n, advice }) => [cs1, integer(n), advice],
  shm: ({ cd, segment }) => [cd, segment],
  fork: destination,
  exit: amount,
  wait: ({ cd, whom: process }) => [cd, process ?? "any"],
  exec: nothing,
  getpid: destination,
  getppid: destination,
  thread: nothing,
  thread_exit: nothing,
  yield: nothing,
  burn: nothing,
  times: ({ whose }) => [whose],
  alarm: amount,
  pipe: nothing,
  open: ({ path, flags }) => [path, list(flags)],
  close: descriptor,
  dup: descriptor,
  dup2: ({ d, d2 }) => [d, d2],
  read: buffer,
  readv: buffers,
  write: buffer,
  writev: buffers,
  lseek: ({ d, n, whence }) => [d, integer(n), whence],
  fcntl_cloexec: flag,
  fcntl_append: flag,
  fcntl_nonblock: flag,
  fcntl_getfd: descriptor,
  fcntl_getfl: descriptor,
  lock,
  unlock: lock,
  getlk: lock,
  umask: amount,
  chdir: ({ path }) => [path],
  getrlimit: ({ resource }) => [resource],
  setrlimit: ({ resource, n }) => [resource, integer(n)],
  setpgid: ({ whom: process, group }) => [ordinal(process), ordinal(group)],
  getpgid: ({ whom: process }) => [ordinal(process)],
  setsid: nothing,
  getsid: ({ whom: process }) => [ordinal(process)],
  sigaction: ({ signal, action: own }) => [integer(signal), action(own)],
  getaction: ({ signal }) => [integer(signal)],
  sigmask: ({ signals }) => [list(signals)],
  sigpending: nothing,
  kill: ({ target: whom, signal }) => [target(whom), integer(signal)],
  sigaltstack: ({ cs1 }) => [cs1],
  getaltstack: destination,
};

const operandsOf = <Name extends OperationName>(operation: OperationOf<Name>): readonly Word[] | undefined =>
  (encoders[operation.op] as ((one: OperationOf<Name>) => readonly Word[]) | undefined)?.(operation);

export const stepLine = ({ actor, operation }: Step): string =>
  [actor, operation.op, ...(operandsOf(operation) ?? [])].join(" ");

/** A program begins with its measures and the number of its steps. */
export const firstLine = ({ page, pages, shared, processes }: Config, xlen: bigint, steps: number): string =>
  ["program", page, pages, shared, xlen, processes, steps].join(" ");

const number = (text: string | undefined): number | undefined =>
  text === undefined || text === "-" || text === "-1" ? undefined : Number(text);

const bitsOf = (mask: bigint): readonly number[] =>
  Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((mask >> BigInt(bit)) & 1n) === 1n);

const hexBytes = (text = ""): readonly number[] => (text.match(/../g) ?? []).map((one) => parseInt(one, 16));

const resultOf = (kind: string, rest: readonly string[], xlen: bigint): Result | undefined => {
  const [first = "", second = "", third = ""] = rest;
  switch (kind) {
    case "none":
    case "would-block":
    case "no-actor":
    case "halted":
    case "silent":
      return { kind };
    case "int":
      return { kind: "integer", integer: BigInt.asUintN(Number(xlen), BigInt(first)) };
    case "own":
    case "segment":
      return { kind, offset: BigInt(first) };
    case "bytes":
      return { kind, bytes: hexBytes(first) };
    case "fd":
      return { kind: "descriptor", descriptor: Number(first) };
    case "fds":
      return { kind: "descriptors", descriptors: [Number(first), Number(second)] };
    case "signals":
      return { kind: "set", members: bitsOf(BigInt(first)) };
    case "words":
      return { kind: "set", members: first.split(",").filter((one) => one !== "") };
    case "child":
      return { kind, child: Number(first) };
    case "pid":
      return { kind, process: number(first) };
    case "reaped": {
      const status = second === "exited" ? { exited: Number(third) } : { signalled: Number(third) };
      return { kind: "process", process: Number(first), status };
    }
    case "trap":
      return { kind, trap: first as "page-unmapped" };
    case "error":
      return { kind, error: first as ErrorCode };
    default:
      return undefined;
  }
};

/** A line of the driver's; undefined where it makes no sense. */
export const readSeen = (line: string, xlen: bigint): Seen | undefined => {
  const [thread, process, signals = "-", kind = "", ...rest] = line.split(" ");
  const result = resultOf(kind, rest, xlen);
  if (result === undefined) return undefined;
  const taken = signals === "-" ? [] : signals.split(",").map(Number);
  return { thread: number(thread), process: number(process), signals: taken, result };
};
