/** A corner case: a name, what it is, and how a step that was taken shows that it was reached. */
import type { OperationName } from "../../spec/sfork/operation.js";
import type { Evidence } from "./evidence.js";

export interface CornerCase {
  readonly description: string;
  /** Operations that can reach it. */
  readonly on: readonly OperationName[];
  readonly reached: (evidence: Evidence) => boolean;
}

export const storing = ["storecap", "store.b", "store.h", "store.w", "store.d", "memset", "cmemcpy"] as const;

/** Everything that touches memory through a capability. */
export const accessing = [
  ...storing,
  "loadcap",
  "load.b",
  "load.bu",
  "load.h",
  "load.hu",
  "load.w",
  "load.wu",
  "load.d",
  "cloadtags",
] as const;

/** What can end a process, but for signals. */
export const ending = ["exit", "thread_exit"] as const;

/** Signals that are taken before a step are a transition of their own, which bears this name. */
export const delivering = ["yield"] as const;

/** What copies out, and in, for a process. */
export const copyingOut = ["read", "readv", "call_finish", "virtq_complete"] as const;
export const copyingIn = ["write", "writev", "call_enter", "virtq_submit"] as const;

export type CornerCases = Readonly<Record<string, CornerCase>>;
