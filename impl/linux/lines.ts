/** Steps as the driver reads them, a line each, and what it says of them. */
import type { Config } from "../../spec/sfork/config.js";
import type { ErrorCode, Observation } from "../../spec/sfork/observation.js";
import type { ActionOperand, Integer, Operation, Protection, Step, Target } from "../../spec/sfork/operation.js";

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
  /** No answer within ten seconds. */
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

/** The operands of an operation in the driver's order; undefined for one that a kernel without capabilities has not. */
const operandsOf = (operation: Operation): readonly Word[] | undefined => {
  switch (operation.op) {
    case "li":
      return [operation.cd, integer(operation.n)];
    case "cmove":
      return [operation.cd, operation.cs1];
    case "cincoffset":
      return [operation.cd, operation.cs1, integer(operation.n)];
    case "loadcap":
    case "load.b":
    case "load.bu":
    case "load.h":
    case "load.hu":
    case "load.w":
    case "load.wu":
    case "load.d":
      return [operation.cd, integer(operation.n), operation.cs1];
    case "storecap":
      return [operation.cs2, integer(operation.n), operation.cs1];
    case "store.b":
    case "store.h":
    case "store.w":
    case "store.d":
      return [integer(operation.value), integer(operation.n), operation.cs1];
    case "memset":
      return [operation.cs1, integer(operation.value), integer(operation.n)];
    case "mmap":
      return [operation.cd, integer(operation.n), protection(operation.protection)];
    case "munmap":
      return [operation.cs1, integer(operation.n)];
    case "mprotect":
      return [operation.cs1, integer(operation.n), protection(operation.protection)];
    case "madvise":
      return [operation.cs1, integer(operation.n), operation.advice];
    case "shm":
      return [operation.cd, operation.segment];
    case "fork":
    case "getpid":
    case "getppid":
    case "getaltstack":
      return [operation.cd];
    case "exit":
    case "alarm":
    case "umask":
      return [integer(operation.n)];
    case "wait":
      return [operation.cd, operation.process ?? "any"];
    case "exec":
    case "thread":
    case "thread_exit":
    case "yield":
    case "burn":
    case "pipe":
    case "setsid":
    case "sigpending":
      return [];
    case "times":
      return [operation.whose];
    case "open":
      return [operation.path, list(operation.flags)];
    case "close":
    case "dup":
    case "fcntl_getfd":
    case "fcntl_getfl":
      return [operation.d];
    case "dup2":
      return [operation.d, operation.d2];
    case "read":
    case "write":
      return [operation.d, operation.cs1, integer(operation.n)];
    case "readv":
    case "writev":
      return [operation.d, operation.cs1, integer(operation.n), operation.cs2, integer(operation.n2)];
    case "lseek":
      return [operation.d, integer(operation.n), operation.whence];
    case "fcntl_cloexec":
    case "fcntl_append":
    case "fcntl_nonblock":
      return [operation.d, integer(operation.n)];
    case "lock":
    case "unlock":
    case "getlk":
      return [operation.d, integer(operation.start), integer(operation.length)];
    case "chdir":
      return [operation.path];
    case "getrlimit":
      return [operation.resource];
    case "setrlimit":
      return [operation.resource, integer(operation.n)];
    case "setpgid":
      return [ordinal(operation.process), ordinal(operation.group)];
    case "getpgid":
    case "getsid":
      return [ordinal(operation.process)];
    case "sigaction":
      return [integer(operation.signal), action(operation.action)];
    case "getaction":
      return [integer(operation.signal)];
    case "sigmask":
      return [list(operation.signals)];
    case "kill":
      return [target(operation.target), integer(operation.signal)];
    case "sigaltstack":
      return [operation.cs1];
    default:
      return undefined;
  }
};

/** Does the driver have the operation? */
export const isKnown = (operation: Operation): boolean => operandsOf(operation) !== undefined;

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
