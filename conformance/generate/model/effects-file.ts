/** What operations on descriptors do to the world. */
import type { OperationOf } from "../../../spec/sfork/operation.js";
import type { Effects } from "./effect.js";
import * as files from "./files.js";
import type { Description } from "./files.js";
import type { Thread } from "./life.js";
import { PIPE } from "./signals.js";
import { amount, bufferProspect, buffersOf, overwriteBuffers, sizeOf, type Buffer } from "./transfers.js";
import type { World } from "./world.js";

type Reading = OperationOf<"read"> | OperationOf<"readv">;
type Writing = OperationOf<"write"> | OperationOf<"writev">;

const lockLimit = 2 ** 31;

const described = ({ life }: Thread, d: number): Description | undefined => files.descriptorAt(life, d)?.description;

const take = (thread: Thread, description: Description, buffers: readonly Buffer[]): void => {
  const size = files.readable(description, sizeOf(buffers));
  if (size === undefined) return;
  files.consume(description, size);
  overwriteBuffers(thread, buffers, size);
};

const give = (world: World, { life }: Thread, description: Description, size: number): void => {
  const taken = files.writable(description, size, world.config.pipe);
  if (taken === "broken") world.post(life, PIPE);
  if (typeof taken === "number") files.produce(description, taken);
};

const read = (_: World, thread: Thread, operation: Reading): void => {
  const description = described(thread, operation.d);
  const buffers = buffersOf(thread, operation);
  if (description?.reads !== true || bufferProspect(thread, buffers, "write") !== "fine") return;
  take(thread, description, buffers);
};

const write = (world: World, thread: Thread, operation: Writing): void => {
  const description = described(thread, operation.d);
  const buffers = buffersOf(thread, operation);
  if (description?.writes !== true || bufferProspect(thread, buffers, "read") !== "fine") return;
  give(world, thread, description, sizeOf(buffers));
};

/** The bytes of a lock. */
export const lockRange = ({ start, length }: Pick<OperationOf<"lock">, "start" | "length">) => {
  const from = amount(start);
  const size = amount(length);
  return { start: from, end: size === 0 ? lockLimit : from + size };
};

const changeLocks = (
  thread: Thread,
  operation: Omit<OperationOf<"lock">, "op">,
  change: (file: files.File, start: number, end: number) => void,
): void => {
  const description = described(thread, operation.d);
  const { start, end } = lockRange(operation);
  const valid = start >= 0 && start < end && end <= lockLimit;
  if (description?.object.kind === "file" && valid) change(description.object, start, end);
};

export const fileEffects: Effects = {
  pipe: (_, { life }) => {
    files.makePipe(life);
  },
  open: (world, { life }, { path, flags }) => {
    world.files.open(life, path, flags);
  },
  close: (_, { life }, { d }) => {
    files.close(life, d);
  },
  dup: (_, { life }, { d }) => {
    files.duplicate(life, d);
  },
  dup2: (_, { life }, { d, d2 }) => {
    files.duplicateTo(life, d, d2);
  },
  read,
  readv: read,
  write,
  writev: write,
  lseek: (_, thread, { d, n, whence }) => {
    const description = described(thread, d);
    if (description?.object.kind !== "file") return;
    const origin = { set: 0, cur: description.offset, end: description.object.size }[whence];
    const offset = origin + amount(n);
    if (offset >= 0 && offset < lockLimit) description.offset = offset;
  },
  fcntl_cloexec: (_, { life }, { d, n }) => {
    files.setCloexec(life, d, amount(n) !== 0);
  },
  fcntl_append: (_, thread, { d, n }) => {
    const description = described(thread, d);
    if (description !== undefined) description.append = amount(n) !== 0;
  },
  fcntl_nonblock: (_, thread, { d, n }) => {
    const description = described(thread, d);
    if (description !== undefined) description.nonblock = amount(n) !== 0;
  },
  lock: (_, thread, operation) => {
    const owner = thread.life.ordinal;
    if (described(thread, operation.d)?.writes !== true) return;
    changeLocks(thread, operation, (file, start, end) => {
      if (files.conflicts(file, owner, start, end).length > 0) return;
      file.locks = [...files.unlocked(file.locks, owner, start, end), { owner, start, end }];
    });
  },
  unlock: (_, thread, operation) => {
    changeLocks(thread, operation, (file, start, end) => {
      file.locks = files.unlocked(file.locks, thread.life.ordinal, start, end);
    });
  },
  call_enter: (_, thread, { call: operation }) => {
    if (thread.call !== undefined) return;
    const description = operation.op === "open" ? undefined : described(thread, operation.d);
    const reads = operation.op === "read" || operation.op === "readv";
    if (operation.op !== "open" && description?.[reads ? "reads" : "writes"] !== true) return;
    if (description !== undefined) files.retain(description);
    thread.call = { operation, description };
  },
  call_finish: (world, thread) => {
    const { operation, description } = thread.call ?? {};
    if (operation === undefined) return;
    if (operation.op === "open") world.files.open(thread.life, operation.path, operation.flags);
    else if (description !== undefined) {
      const buffers = buffersOf(thread, operation);
      const reads = operation.op === "read" || operation.op === "readv";
      const size = sizeOf(buffers);
      if (reads && files.readable(description, size) === undefined) return;
      if (!reads && files.writable(description, size, world.config.pipe) === "waits") return;
      if (reads) take(thread, description, buffers);
      else give(world, thread, description, size);
    }
    world.endCall(thread);
  },
  chdir: (world, { life }, { path }) => {
    const directory = files.absolute(life, path);
    if (files.directories.includes(directory) && !world.files.isThroughFile(directory)) life.directory = directory;
  },
};
