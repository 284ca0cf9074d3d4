/** Reads and writes, whole or split in two (KERN-1 to KERN-3, FILE-2, FILE-3). */
import { copyCell } from "./capability.js";
import { APPEND, NONBLOCK, READS, WRITES } from "./descriptors.js";
import type { HandlerOf, Handlers } from "./handler.js";
import type { Buffer, Call, Description, Held, Machine } from "./machine.js";
import { newHeld } from "./storage.js";
import { described, open } from "./operations-file.js";
import { BYTES, DESCRIPTOR, ERROR, failed, fails, INTEGER, integer, NONE, WOULD_BLOCK } from "./outcome.js";
import { refused } from "./pages.js";
import { dropCall } from "./processes.js";
import { CS1, CS2, EXTRA, N, readInteger, registerAt, VALUE } from "./program.js";
import { PIPE, post } from "./signals.js";
import { copyIn, copyOut, isFaulty, totalOf, touchBuffers } from "./transfer.js";

/** Bytes of a file, at most. */
const maxFile = 4096;

/** A capability as the kernel keeps it: a copy. */
export const heldRegister = (machine: Machine, register: number): Held => {
  const held = newHeld(machine);
  copyCell(machine, machine.registers, register * machine.granuleHalves, held.cells, 0);
  held.tag = machine.registerTags[register] === 1;
  return held;
};

/** The buffer that a register and an integer name. */
export const bufferOf = (machine: Machine, code: Int32Array, register: number, size: number): Buffer => {
  readInteger(machine, code, size);
  const capability = heldRegister(machine, registerAt(machine, code, register));
  return { capability, sizeLo: machine.lo, sizeHi: machine.hi };
};

const buffersOf = (machine: Machine, code: Int32Array, at: number, operands: object): readonly Buffer[] => {
  const first = bufferOf(machine, code, at + CS1, at + N);
  return "cs2" in operands ? [first, bufferOf(machine, code, at + CS2, at + VALUE)] : [first];
};

/** What would block fails at once on a description that says so. */
function blocked(machine: Machine, { flags }: Description): void {
  if ((flags & NONBLOCK) === 0) machine.kind = WOULD_BLOCK;
  else failed(machine, "EAGAIN");
}

/** Reads what there is, up to the size of the buffers. */
function read(machine: Machine, description: Description, buffers: readonly Buffer[]): void {
  if (buffers.some((buffer) => isFaulty(machine, true, buffer))) {
    failed(machine, "EFAULT");
    return;
  }
  const size = totalOf(buffers);
  const { file, pipe, offset } = description;
  const bytes = file?.bytes.slice(offset, offset + size) ?? pipe?.bytes.slice(0, size) ?? [];
  if (pipe !== undefined && size > 0 && bytes.length === 0 && pipe.writers > 0) {
    blocked(machine, description);
    return;
  }
  touchBuffers(machine, buffers, bytes.length, true);
  if (refused(machine)) return;
  copyOut(machine, buffers, bytes);
  if (pipe === undefined) description.offset = offset + bytes.length;
  else pipe.bytes = pipe.bytes.slice(bytes.length);
  machine.kind = BYTES;
  machine.seen = bytes;
}

/**
 * How many of `size` bytes a write takes now. -1 where it does not act at all, which is then the outcome: nothing that is
 * not transferred may leave a trace.
 */
function roomFor(machine: Machine, description: Description, size: number): number {
  const { file, pipe } = description;
  if (size === 0) return 0;
  if (pipe === undefined) {
    const room = maxFile - startIn(description, file?.bytes.length ?? 0);
    if (room > 0) return Math.min(size, room);
    failed(machine, "EFBIG");
    return -1;
  }
  if (pipe.readers === 0) {
    failed(machine, "EPIPE");
    return -1;
  }
  const room = machine.config.pipe - pipe.bytes.length;
  const isWhole = size <= machine.config.pipe;
  if (room > 0 && (!isWhole || size <= room)) return Math.min(size, room);
  blocked(machine, description);
  return -1;
}

/** Where a write to a file begins. */
const startIn = ({ flags, offset }: Description, length: number): number => ((flags & APPEND) === 0 ? offset : length);

/** Puts what fits behind the offset, or into the pipe. */
function write(machine: Machine, description: Description, bytes: Uint8Array, count: number): void {
  const { file, pipe } = description;
  integer(machine, count);
  if (count === 0) return;
  if (pipe !== undefined) {
    pipe.bytes = [...pipe.bytes, ...bytes.subarray(0, count)];
    return;
  }
  if (file === undefined) return;
  const start = startIn(description, file.bytes.length);
  const grown = new Uint8Array(Math.max(file.bytes.length, start + count));
  grown.set(file.bytes);
  grown.set(bytes.subarray(0, count), start);
  file.bytes = grown;
  description.offset = start + count;
}

/** What failed has changed nothing, but for the signal of a pipe that nobody reads. */
function afterwards(machine: Machine): void {
  const { kind, seen, process } = machine;
  if (kind === ERROR && Array.isArray(seen) && seen[0] === "EPIPE") post(machine, process, PIPE);
}

/** The description of a call that may go on; undefined where it fails. */
function checked(
  machine: Machine,
  code: Int32Array,
  at: number,
  buffers: readonly Buffer[],
  reads: boolean,
  isWhole: boolean,
): Description | undefined {
  const description = described(machine, code[at + EXTRA] ?? 0);
  const flag = reads ? READS : WRITES;
  const isWrong = fails(
    machine,
    [((description?.flags ?? 0) & flag) === 0, "EBADF"],
    // What is to be written to is looked at when it is written, in the second half.
    [(isWhole || !reads) && buffers.some((buffer) => isFaulty(machine, reads, buffer)), "EFAULT"],
  );
  return isWrong ? undefined : description;
}

/** Both halves in one step. */
const wholeRead: HandlerOf<"read"> = (machine, code, at, operands) => {
  const buffers = buffersOf(machine, code, at, operands);
  const description = checked(machine, code, at, buffers, true, true);
  if (description !== undefined) read(machine, description, buffers);
};

const wholeWrite: HandlerOf<"write"> = (machine, code, at, operands) => {
  const buffers = buffersOf(machine, code, at, operands);
  const description = checked(machine, code, at, buffers, false, true);
  if (description === undefined) return;
  const size = totalOf(buffers);
  touchBuffers(machine, buffers, size, false);
  if (refused(machine)) return;
  const count = roomFor(machine, description, size);
  if (count < 0) afterwards(machine);
  else write(machine, description, copyIn(machine, buffers), count);
};

/** The first half: arguments are taken, once; what is to be written is copied in. */
const enter: HandlerOf<"call_enter"> = (machine, code, at, { call: operation }) => {
  const { thread } = machine;
  if (thread.call !== undefined) {
    failed(machine, "EINVAL");
    return;
  }
  if (operation.op === "open") {
    thread.call = { kind: "open", operands: operation };
    machine.kind = NONE;
    return;
  }
  const buffers = buffersOf(machine, code, at, operation);
  const reads = operation.op === "read" || operation.op === "readv";
  const description = checked(machine, code, at, buffers, reads, false);
  if (description === undefined) return;
  if (reads) {
    thread.call = { kind: "read", description, buffers };
  } else {
    touchBuffers(machine, buffers, totalOf(buffers), false);
    if (refused(machine)) return;
    thread.call = { kind: "write", description, bytes: copyIn(machine, buffers) };
  }
  description.references += 1;
  machine.kind = NONE;
};

function act(machine: Machine, call: Call): void {
  if (call.kind === "open") {
    open(machine, call.operands);
    return;
  }
  if (call.kind === "read") {
    read(machine, call.description, call.buffers);
    return;
  }
  const count = roomFor(machine, call.description, call.bytes.length);
  if (count >= 0) write(machine, call.description, call.bytes, count);
}

/** The second half: what became of registers and memory in between has no effect. */
const finish: HandlerOf<"call_finish"> = (machine) => {
  const { thread } = machine;
  if (thread.call === undefined) {
    failed(machine, "EINVAL");
    return;
  }
  act(machine, thread.call);
  const { kind } = machine;
  if (![BYTES, INTEGER, DESCRIPTOR, ERROR].includes(kind)) return;
  dropCall(thread);
  afterwards(machine);
};

export const transferHandlers = {
  read: wholeRead,
  readv: wholeRead,
  write: wholeWrite,
  writev: wholeWrite,
  call_enter: enter,
  call_finish: finish,
} satisfies Partial<Handlers>;
