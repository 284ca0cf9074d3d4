/** Calls on descriptors in the posix profile: whatever they come to, they come to it on a real kernel, too. */
import type { Integer, OperationOf } from "../../../spec/sfork/operation.js";
import { lockRange } from "../model/effects-file.js";
import * as files from "../model/files.js";
import type { Description } from "../model/files.js";
import type { Thread } from "../model/life.js";
import { amount, bufferProspect, buffersOf, sizeOf } from "../model/transfers.js";
import type { Model } from "../model.js";
import type { ExecutableChecks } from "./check.js";

const isSmall = (n: Integer, least = 0, most = 1 << 20): boolean =>
  "immediate" in n && amount(n) >= least && amount(n) <= most;

const described = ({ life }: Thread, d: number): Description | undefined => files.descriptorAt(life, d)?.description;

/** Buffers that do as a whole, or not from their first byte on. */
const read = (_: Model, thread: Thread, operation: OperationOf<"read"> | OperationOf<"readv">): boolean => {
  const buffers = buffersOf(thread, operation);
  const description = described(thread, operation.d);
  if (!isSmall(operation.n) || ("n2" in operation && !isSmall(operation.n2))) return false;
  if (description?.reads !== true) return true;
  const prospect = bufferProspect(thread, buffers, "write");
  if (prospect === "unclear") return false;
  // A real kernel finds out only where there is something to transfer.
  return prospect === "fine" || (files.readable(description, sizeOf(buffers)) ?? 0) > 0;
};

const write = (model: Model, thread: Thread, operation: OperationOf<"write"> | OperationOf<"writev">): boolean => {
  const buffers = buffersOf(thread, operation);
  const description = described(thread, operation.d);
  if (!isSmall(operation.n) || ("n2" in operation && !isSmall(operation.n2))) return false;
  if (description?.writes !== true) return true;
  const prospect = bufferProspect(thread, buffers, "read");
  const taken = files.writable(description, sizeOf(buffers), model.config.pipe);
  // No pipe is filled: how much one holds is not for the program to say.
  const isWhole = taken === sizeOf(buffers) || (description.object.kind === "file" && typeof taken === "number");
  // The signal of a broken pipe is for the thread that wrote.
  const isBroken = taken === "broken" && thread.life.threads.length === 1;
  if (prospect === "fine") return isWhole || taken === "too-big" || isBroken;
  // Some file systems leave a gap where the first byte behind it cannot be read.
  return prospect === "fault" && isWhole && !isBeyondEnd(description);
};

const isBeyondEnd = ({ object, offset, append }: Description): boolean =>
  object.kind === "file" && !append && offset > object.size;

const opens = (_: Model, { life }: Thread, { path, flags }: OperationOf<"open">): boolean => {
  const has = (flag: (typeof flags)[number]): boolean => flags.includes(flag);
  const isUsual =
    (has("read") || has("write")) && (!has("truncate") || has("write")) && (!has("exclusive") || has("create"));
  const name = files.absolute(life, path);
  return isUsual && !files.directories.includes(name);
};

/** Locks are for files; a range begins before the file or within reason. */
const isLockable = (thread: Thread, operation: Omit<OperationOf<"lock">, "op">): boolean =>
  described(thread, operation.d)?.object.kind !== "pipe" &&
  isSmall(operation.start, -1) &&
  isSmall(operation.length) &&
  amount(operation.start) + amount(operation.length) >= -1;

export const callChecks: ExecutableChecks = {
  pipe: () => true,
  open: opens,
  close: () => true,
  dup: () => true,
  dup2: () => true,
  read,
  readv: read,
  write,
  writev: write,
  lseek: (_, __, { n }) => isSmall(n, -(1 << 20)),
  fcntl_cloexec: (_, __, { n }) => isSmall(n),
  fcntl_append: (_, __, { n }) => isSmall(n),
  fcntl_nonblock: (_, __, { n }) => isSmall(n),
  fcntl_getfd: () => true,
  fcntl_getfl: () => true,
  lock: (_, thread, operation) => isLockable(thread, operation),
  unlock: (_, thread, operation) => isLockable(thread, operation),
  /** Which of several holders is named is not for the program to say. */
  getlk: (_, thread, operation) => {
    const { object } = described(thread, operation.d) ?? {};
    const { start, end } = lockRange(operation);
    const held = object?.kind === "file" ? files.conflicts(object, thread.life.ordinal, start, end) : [];
    return isLockable(thread, operation) && new Set(held.map(({ owner }) => owner)).size <= 1;
  },
  chdir: () => true,
  /** Bits that would keep the owner from a file stay clear. */
  umask: (_, __, { n }) => isSmall(n) && (amount(n) & 0o700) === 0,
};
