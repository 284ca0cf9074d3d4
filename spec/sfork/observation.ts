/** What one step lets the outside see. Traps, errors and the rest are values: a step never throws. */
import type { Capability, Trap } from "../cheri/index.js";

export type ErrorCode = "EAGAIN" | "ENOMEM" | "EINVAL" | "ECHILD" | "EBADF" | "EPERM" | "EMFILE";

/** How a process ended. */
export interface ExitStatus {
  readonly exited: number;
}

export type Observation =
  | { readonly kind: "capability"; readonly capability: Capability }
  | { readonly kind: "integer"; readonly integer: bigint }
  | { readonly kind: "none" }
  /** A fork, in the parent: the child's ordinal. */
  | { readonly kind: "child"; readonly child: number }
  /** A wait: the process that was reaped, and how it had ended. */
  | { readonly kind: "process"; readonly process: number; readonly status: ExitStatus }
  | ({ readonly kind: "trap" } & Trap)
  | { readonly kind: "error"; readonly error: ErrorCode }
  | { readonly kind: "would-block" }
  /** The format does not have the operation. */
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
