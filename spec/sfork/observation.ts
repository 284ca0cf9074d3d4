/** What one step lets the outside see. Traps, errors and the rest are values: a step never throws. */
import type { Capability, Trap } from "../cheri/index.js";

/** Errors of system calls, by their POSIX names. */
export type ErrorCode =
  | ("EACCES" | "EAGAIN" | "EBADF" | "ECHILD" | "EEXIST" | "EFAULT" | "EFBIG" | "EINVAL" | "EISDIR" | "EMFILE")
  | ("ENOENT" | "ENOMEM" | "ENOTDIR" | "EPERM" | "EPIPE" | "ESPIPE" | "ESRCH");

/** How a process ended: by itself, with the low eight bits of its status, or by a signal. */
export type ExitStatus = { readonly exited: number } | { readonly signalled: number };

export type Observation =
  | { readonly kind: "capability"; readonly capability: Capability }
  | { readonly kind: "integer"; readonly integer: bigint }
  | { readonly kind: "none" }
  /** What was read. */
  | { readonly kind: "bytes"; readonly bytes: readonly number[] }
  /** A new descriptor, or the two of a pipe. */
  | { readonly kind: "descriptor"; readonly descriptor: number }
  | { readonly kind: "descriptors"; readonly descriptors: readonly [read: number, write: number] }
  /** Signals, or flags, in ascending order. */
  | { readonly kind: "set"; readonly members: readonly (number | string)[] }
  /** A fork, in the parent: the child's ordinal. */
  | { readonly kind: "child"; readonly child: number }
  /** A wait: the process that was reaped, and how it had ended. */
  | { readonly kind: "process"; readonly process: number; readonly status: ExitStatus }
  | ({ readonly kind: "trap" } & Trap)
  /** The first error that applies, and all that do: POSIX leaves open which of them is reported. */
  | { readonly kind: "error"; readonly error: ErrorCode; readonly allowed: readonly ErrorCode[] }
  | { readonly kind: "would-block" }
  /** The format, or the level, does not have the operation. */
  | { readonly kind: "unsupported" }
  /** No thread lives that could take the step. */
  | { readonly kind: "no-actor" }
  /** Process 0 has ended, and the machine with it. */
  | { readonly kind: "halted" }
  /** A choice that the latitude does not allow. */
  | { readonly kind: "bad-choice" }
  /** Overcommitted: a page could not be resolved. */
  | { readonly kind: "out-of-frames" }
  /** A raw read that copy-on-pointer-access does not promise to be like an eager copy (REF-2). */
  | { readonly kind: "outside-profile" };
