/**
 * Kernel objects: what processes share beside memory, and what each has of its own. Descriptors over open file
 * descriptions, pipes and files; signals; attributes; what the kernel keeps of capabilities.
 */
import type { Capability } from "../cheri/index.js";
import type { OpenFlag, SplitCall } from "./operation.js";

/** Descriptors of a process are numbers below this, and below its own limit. */
export const maxDescriptors = 16;

/** Bytes of a file, at most. */
export const maxFile = 4096;

/** Requests that a device holds. */
export const maxRequests = 4;

/** Signals are numbers from 1 to this. */
export const lastSignal = 31;

/** One entry of a process's table of descriptors. */
export interface Descriptor {
  readonly description: number;
  readonly cloexec: boolean;
}

export type Descriptors = readonly (Descriptor | undefined)[];

/** An open file description: what a fork and `dup` share. An end of a pipe is one that reads, or one that writes. */
export interface Description {
  readonly object: { readonly file: number } | { readonly pipe: number };
  readonly flags: readonly OpenFlag[];
  /** Where the next read or write of a file begins. */
  readonly offset: number;
  /** Descriptors that refer to it, and split calls that are under way on it. */
  readonly references: number;
}

/** A record lock: bytes `[start, end)` of a file, held by a process. */
export interface RecordLock {
  readonly owner: number;
  readonly start: number;
  readonly end: number;
}

export interface File {
  /** From the root. */
  readonly path: string;
  readonly bytes: readonly number[];
  readonly locks: readonly RecordLock[];
}

/** What a signal does where it is not the default; the capabilities of a handler are the kernel's (FORK-4). */
export type Action = "ignore" | { readonly code: Capability; readonly data: Capability };

/** A buffer, by the capability that was passed for it. */
export interface Buffer {
  readonly capability: Capability;
  readonly size: bigint;
}

/** A call between its two halves (KERN-2): what was copied in when it was entered. */
export type Call =
  | { readonly op: "read" | "readv"; readonly description: number; readonly buffers: readonly Buffer[] }
  | { readonly op: "write" | "writev"; readonly description: number; readonly bytes: readonly number[] }
  | Extract<SplitCall, { readonly op: "open" }>;

/** A buffer that a device was handed (DMA-1); `bytes` are what it is to read, undefined where it is to write. */
export interface Request {
  readonly process: number;
  readonly buffer: Buffer;
  readonly bytes: readonly number[] | undefined;
  /** How many were submitted before it. */
  readonly number: number;
}

/** What a child has as its parent has it, until one of them changes it. */
interface Inherited {
  /** Process group and session, by the process that leads them. */
  readonly group: number;
  readonly session: number;
  readonly descriptors: Descriptors;
  readonly actions: ReadonlyMap<number, Action>;
  readonly alternateStack: Capability;
  readonly umask: number;
  readonly directory: string;
  readonly limits: { readonly nofile: number; readonly nproc: number };
}

/**
 * What a child starts without: pending signals, alarm, CPU time of its own and of children; it has not executed another
 * image, and is not stopped.
 * @rule PROC-3 fresh @source POSIX fork (pending signals, alarms and times of the child)
 */
export const fresh = {
  pending: [] as readonly number[],
  alarm: false,
  ran: false,
  childrenRan: false,
  executed: false,
  stopped: false,
} as const;

type Fresh = {
  readonly [Key in keyof typeof fresh]: (typeof fresh)[Key] extends boolean ? boolean : readonly number[];
};

/** The part of a process that is not memory. */
export interface Kernel extends Inherited, Fresh {}

/** The objects that are nobody's own. */
export interface Objects {
  readonly descriptions: readonly (Description | undefined)[];
  /** Bytes that were written and not read yet. */
  readonly pipes: readonly (Pick<File, "bytes"> | undefined)[];
  readonly files: readonly File[];
  readonly requests: readonly Request[];
  /** Requests that were submitted so far. */
  readonly submitted: number;
}

export const noObjects: Objects = { descriptions: [], pipes: [], files: [], requests: [], submitted: 0 };

export const withCapability = (buffer: Buffer, change: (one: Capability) => Capability): Buffer => ({
  ...buffer,
  capability: change(buffer.capability),
});

/** A call with the capabilities that the kernel holds for it changed. */
export const withBuffers = (call: Call, change: (one: Capability) => Capability): Call =>
  "buffers" in call ? { ...call, buffers: call.buffers.map((buffer) => withCapability(buffer, change)) } : call;

/**
 * Kernel-held capabilities of a process: its handlers' and its alternate stack.
 * @rule FORK-4 kernel-held @source SFork design: registers and kernel-held capabilities follow the process
 */
export const withHeld = (
  { actions, alternateStack }: Pick<Kernel, "actions" | "alternateStack">,
  change: (one: Capability) => Capability,
): Pick<Kernel, "actions" | "alternateStack"> => ({
  actions: new Map(
    Array.from(actions, ([signal, action]) => [
      signal,
      action === "ignore" ? action : { code: change(action.code), data: change(action.data) },
    ]),
  ),
  alternateStack: change(alternateStack),
});
