/** Buffers of calls, and what a transfer through them comes to. */
import type { Integer, OperationOf } from "../../../spec/sfork/operation.js";
import type { Thread } from "./life.js";
import { isPointer, type Pointer, type Prospect, type Touch, type Value } from "./memory.js";

/** An operand as a number; a register's is not known. */
export const amount = (n: Integer): number => ("immediate" in n ? Number(n.immediate) : 0);

export interface Buffer {
  /** What the register holds; undefined where nobody keeps track. */
  readonly value: Value | undefined;
  readonly size: number;
}

export const valueIn = ({ registers }: Thread, register: number): Value | undefined => registers?.[register % 16];

type Moving = OperationOf<"read"> | OperationOf<"readv"> | OperationOf<"write"> | OperationOf<"writev">;

export const buffersOf = (thread: Thread, operation: Moving): readonly Buffer[] => {
  const first = { value: valueIn(thread, operation.cs1), size: amount(operation.n) };
  return "cs2" in operation ? [first, { value: valueIn(thread, operation.cs2), size: amount(operation.n2) }] : [first];
};

/** What it comes to when the kernel touches the buffers, all of them first. */
export const bufferProspect = ({ life: { memory } }: Thread, buffers: readonly Buffer[], touch: Touch): Prospect => {
  if (memory === undefined) return "fine";
  const all = buffers.map(({ value, size }): Prospect => {
    if (!isPointer(value) || size < 0) return "unclear";
    // Nothing is touched; but the capability has to be one.
    if (size === 0) return value.live && (touch === "read" || value.writable) ? "fine" : "unclear";
    const found = memory.prospect(value, 0, size, touch);
    return found === "fine" && touch === "read" && !memory.isPlain(value, 0, size) ? "unclear" : found;
  });
  if (all.includes("unclear")) return "unclear";
  const touched = buffers.flatMap(({ size }, index) => (size > 0 ? [all[index] ?? "fine"] : []));
  if (!touched.includes("fault")) return "fine";
  // A real kernel has transferred the first buffer before it finds out about the second.
  return touched[0] === "fault" ? "fault" : "unclear";
};

/** Bytes that were read are spread over the buffers. */
export const overwriteBuffers = ({ life: { memory } }: Thread, buffers: readonly Buffer[], total: number): void => {
  let left = total;
  for (const { value, size } of buffers) {
    const here = Math.min(left, size);
    if (isPointer(value) && here > 0) memory?.overwrite(value, 0, here);
    left -= here;
  }
};

export const sizeOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { size }) => sum + size, 0);

/** A register that holds a pointer. */
export const pointerIn = (thread: Thread, register: number): Pointer | undefined => {
  const value = valueIn(thread, register);
  return isPointer(value) ? value : undefined;
};
