/** Reads and writes as steps, whole or split in two (KERN-1, KERN-2). */
import { call, done, doneWith, failed, integer, refuse, register, withThread } from "./context.js";
import type { Context, Outcome } from "./context.js";
import { described, hasEnd, withReference } from "./descriptors.js";
import { withoutCall } from "./ending.js";
import { maxFile, type Buffer, type Call, type Description } from "./kernel.js";
import type { Machine } from "./machine.js";
import type { Integer, SplitCall } from "./operation.js";
import { withDescription, open } from "./rules-file.js";
import type { Rules } from "./rules.js";
import { post, signals } from "./signals.js";
import { copyIn, copyOut, isFaulty, sizeOf } from "./transfer.js";

/** The buffers of a call, by the registers and sizes that it names. */
const buffersOf = (
  context: Context,
  operands: { readonly cs1: number; readonly n: Integer; readonly cs2?: number; readonly n2?: Integer },
): readonly Buffer[] => {
  const { cs1, n, cs2, n2 } = operands;
  const first = { capability: register(context, cs1), size: integer(context, n) };
  if (cs2 === undefined || n2 === undefined) return [first];
  return [first, { capability: register(context, cs2), size: integer(context, n2) }];
};

/**
 * The first half of a call: arguments are taken, once; what is to be written is copied in.
 * @rule KERN-2 enter @source SFork design: arguments are copied in once
 */
const entered = (
  context: Context,
  operation: SplitCall,
  isWhole: boolean,
  act: (machine: Machine, entered: Call) => Outcome,
): Outcome => {
  const { machine, process } = context;
  if (operation.op === "open") return act(machine, operation);
  const buffers = buffersOf(context, operation);
  const reads = operation.op === "read" || operation.op === "readv";
  const found = described(machine, process, operation.d);
  const checks = [
    [!found?.description.flags.includes(reads ? "read" : "write"), "EBADF"],
    // What is to be written to is looked at when it is written, in the second half.
    [(isWhole || !reads) && buffers.some((one) => isFaulty(machine, reads ? "store" : "load", one)), "EFAULT"],
  ] as const;
  return call(context, checks, () => {
    const description = found?.index ?? 0;
    if (reads) return act(machine, { op: operation.op, description, buffers });
    const copied = copyIn(machine, buffers);
    if ("kind" in copied) return refuse(context, copied);
    return act(copied.machine, { op: operation.op, description, bytes: copied.bytes });
  });
};

/** What would block fails at once on a description that says so. */
const blocked = (context: Context, { flags }: Description): Outcome =>
  flags.includes("nonblock") ? failed(context, "EAGAIN") : refuse(context, { kind: "would-block" });

/** The bytes of a file from an offset on, `size` of them at most; a pipe's first ones. */
const available = ({ files, pipes }: Machine, { object, offset }: Description, size: number): readonly number[] =>
  "file" in object
    ? (files[object.file]?.bytes.slice(offset, offset + size) ?? [])
    : (pipes[object.pipe]?.bytes.slice(0, size) ?? []);

/** What was read is behind the offset, or out of the pipe. */
const consumed = (machine: Machine, index: number, description: Description, size: number): Machine => {
  const { object, offset } = description;
  if ("file" in object) return withDescription(machine, index, { offset: offset + size });
  const { bytes = [] } = machine.pipes[object.pipe] ?? {};
  return { ...machine, pipes: machine.pipes.with(object.pipe, { bytes: bytes.slice(size) }) };
};

/**
 * Read: what there is, up to the size of the buffers. An empty pipe blocks while somebody could still write to it.
 * @rule FILE-3 read @source POSIX read
 */
const read = (context: Context, index: number, buffers: readonly Buffer[]): Outcome => {
  const { machine } = context;
  const description = machine.descriptions[index];
  if (description === undefined) return failed(context, "EBADF");
  if (buffers.some((buffer) => isFaulty(machine, "store", buffer))) return failed(context, "EFAULT");
  const size = Number(sizeOf(buffers));
  const bytes = available(machine, description, size);
  const { object } = description;
  const waits = "pipe" in object && size > 0 && bytes.length === 0 && hasEnd(machine, object.pipe, "write");
  if (waits) return blocked(context, description);
  const written = copyOut(machine, buffers, bytes);
  if ("kind" in written) return refuse(context, written);
  return done(consumed(written, index, description, bytes.length), { kind: "bytes", bytes });
};

/**
 * Write to a file at its offset, or at its end; as much as fits.
 * @rule FILE-2 write @source POSIX write
 */
const writeFile = (context: Context, index: number, description: Description, bytes: readonly number[]): Outcome => {
  const { machine } = context;
  const { object } = description;
  const file = "file" in object ? machine.files[object.file] : undefined;
  if (!("file" in object) || file === undefined) return failed(context, "EBADF");
  const start = description.flags.includes("append") ? file.bytes.length : description.offset;
  const fitting = bytes.slice(0, Math.max(0, maxFile - start));
  if (bytes.length === 0) return doneWith(machine, 0);
  if (fitting.length === 0) return failed(context, "EFBIG");
  const end = start + fitting.length;
  const grown = Array.from({ length: Math.max(file.bytes.length, end) }, (_, at) =>
    at >= start && at < end ? (fitting[at - start] ?? 0) : (file.bytes[at] ?? 0),
  );
  const files = machine.files.with(object.file, { ...file, bytes: grown });
  return doneWith(withDescription({ ...machine, files }, index, { offset: end }), fitting.length);
};

/**
 * Write to a pipe: all or nothing where the pipe could hold it, else as much as fits.
 * @rule FILE-3 write @source POSIX write (PIPE_BUF)
 */
const writePipe = (context: Context, pipe: number, description: Description, bytes: readonly number[]): Outcome => {
  const { machine } = context;
  if (bytes.length === 0) return doneWith(machine, 0);
  if (!hasEnd(machine, pipe, "read")) return failed(context, "EPIPE");
  const { bytes: held = [] } = machine.pipes[pipe] ?? {};
  const room = machine.config.pipe - held.length;
  const isWhole = bytes.length <= machine.config.pipe;
  if (room === 0 || (isWhole && bytes.length > room)) return blocked(context, description);
  const fitting = bytes.slice(0, room);
  const pipes = machine.pipes.with(pipe, { bytes: [...held, ...fitting] });
  return doneWith({ ...machine, pipes }, fitting.length);
};

/** The second half of a call: it acts. */
const act = (context: Context, entered: Call): Outcome => {
  if (entered.op === "open") return open(context, entered);
  if ("buffers" in entered) return read(context, entered.description, entered.buffers);
  const { description: index, bytes } = entered;
  const description = context.machine.descriptions[index];
  if (description === undefined) return failed(context, "EBADF");
  return "pipe" in description.object
    ? writePipe(context, description.object.pipe, description, bytes)
    : writeFile(context, index, description, bytes);
};

/**
 * A call that is over. What failed has changed nothing, but for the signal of a pipe that nobody reads.
 * @rule FILE-3 broken @source POSIX write (EPIPE, SIGPIPE)
 */
const ended = ({ process }: Context, { machine, observation }: Outcome): Outcome => {
  const broken = observation.kind === "error" && observation.error === "EPIPE";
  return { machine: broken ? post(machine, process, signals.PIPE) : machine, observation };
};

const succeeded = ({ observation: { kind } }: Outcome): boolean =>
  kind === "bytes" || kind === "integer" || kind === "descriptor";

/** Both halves in one step. */
const whole = (context: Context, operation: SplitCall): Outcome =>
  entered(context, operation, true, (machine, taken) => {
    const outcome = act({ ...context, machine }, taken);
    return succeeded(outcome) ? outcome : ended(context, refuse(context, outcome.observation));
  });

export const transferRules = {
  read: whole,
  readv: whole,
  write: whole,
  writev: whole,
  call_enter: (context, { call: operation }) => {
    if (context.machine.threads[context.thread]?.call !== undefined) return failed(context, "EINVAL");
    return entered(context, operation, false, (machine, taken) => {
      const held = "description" in taken ? withReference(machine, taken.description, 1) : machine;
      return done(withThread(held, context.thread, { call: taken }));
    });
  },
  /** @rule KERN-2 finish @source SFork design: what became of registers and memory in between has no effect */
  call_finish: (context) => {
    const { call: taken } = context.machine.threads[context.thread] ?? {};
    if (taken === undefined) return failed(context, "EINVAL");
    const outcome = act(context, taken);
    const isOver = succeeded(outcome) || outcome.observation.kind === "error";
    return isOver ? ended(context, { ...outcome, machine: withoutCall(outcome.machine, context.thread) }) : outcome;
  },
} satisfies Partial<Rules>;
