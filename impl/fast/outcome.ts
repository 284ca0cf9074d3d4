/** What a step observed, in small numbers; `observe.ts` makes values of them when they are asked for. */
import type { TrapCause } from "../../spec/cheri/index.js";
import type { ErrorCode } from "../../spec/sfork/observation.js";
import type { Machine } from "./machine.js";

export const NONE = 0;
/** In a register, whose index is `first`. */
export const CAPABILITY = 1;
/** In halves, `first` and `second`. */
export const INTEGER = 2;
/** The cause and the operand. */
export const TRAP = 3;
export const WOULD_BLOCK = 4;
export const UNSUPPORTED = 5;
export const NO_ACTOR = 6;
export const HALTED = 7;
export const BAD_CHOICE = 8;
export const OUT_OF_FRAMES = 9;
export const OUTSIDE_PROFILE = 10;
/** `seen` is the list of errors that apply. */
export const ERROR = 11;
/** `seen` is what was read. */
export const BYTES = 12;
export const DESCRIPTOR = 13;
export const DESCRIPTORS = 14;
/** `seen` is the list of members. */
export const SET = 15;
export const CHILD = 16;
/** `first` is the process, `seen` how it ended. */
export const PROCESS = 17;

/** Causes of traps, from 1 on; 0 is none. */
export const causes: readonly TrapCause[] = [
  ...(["tag", "seal", "type", "perm-load", "perm-store", "perm-execute", "perm-load-cap", "perm-store-cap"] as const),
  ...(["perm-store-local", "perm-cinvoke", "bounds", "align"] as const),
  ...(["page-unmapped", "page-read", "page-write", "page-exec", "page-store-cap"] as const),
];

export const TAG = 1;
export const SEAL = 2;
export const TYPE = 3;
export const PERM_LOAD = 4;
export const PERM_STORE = 5;
export const PERM_EXECUTE = 6;
export const PERM_LOAD_CAP = 7;
export const PERM_STORE_CAP = 8;
export const PERM_STORE_LOCAL = 9;
export const PERM_CINVOKE = 10;
export const BOUNDS = 11;
export const ALIGN = 12;
export const PAGE_UNMAPPED = 13;
export const PAGE_READ = 14;
export const PAGE_WRITE = 15;
export const PAGE_EXEC = 16;
export const PAGE_STORE_CAP = 17;

export function trap(machine: Machine, cause: number, operand: number): void {
  machine.kind = TRAP;
  machine.first = cause;
  machine.second = operand;
}

export function integer(machine: Machine, value: number): void {
  machine.kind = INTEGER;
  machine.first = value;
  machine.second = 0;
}

/** The first error that applies, and all others that do. */
export function failed(machine: Machine, ...errors: readonly ErrorCode[]): void {
  machine.kind = ERROR;
  machine.seen = errors;
}

/** Errors of checks that fail, each once; false if there are none, and the call may act. */
export function fails(machine: Machine, ...checks: readonly (readonly [boolean, ErrorCode])[]): boolean {
  const errors = new Set<ErrorCode>();
  for (const [wrong, error] of checks) if (wrong) errors.add(error);
  if (errors.size === 0) return false;
  failed(machine, ...errors);
  return true;
}

export function set(machine: Machine, members: readonly (number | string)[]): void {
  machine.kind = SET;
  machine.seen = members;
}
