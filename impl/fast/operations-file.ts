/** Descriptors, files and record locks (FILE-1, FILE-2, FILE-3, LOCK-1). Reads and writes: operations-transfer. */
import type { OpenFlag, OperationOf } from "../../spec/sfork/operation.js";
import {
  APPEND,
  close,
  flagBit,
  flagNames,
  install,
  lowestFree,
  newDescription,
  NONBLOCK,
  READS,
  unlock,
  WRITES,
} from "./descriptors.js";
import type { HandlerOf, Handlers } from "./handler.js";
import { maxDescriptors, type Description, type File, type Lock, type Machine, type Process } from "./machine.js";
import { DESCRIPTOR, DESCRIPTORS, failed, fails, integer, NONE, set } from "./outcome.js";
import { EXTRA, N, readInteger, VALUE } from "./program.js";
import { numberOf } from "./words.js";

/** Offsets and ends of locks are less than this. */
const offsetLimit = 2 ** 31;

const directories: readonly string[] = ["/", "/d", "/e"];

export const isDirectory = (path: string): boolean => directories.includes(path);

export const absolute = ({ directory }: Process, path: string): string => {
  if (path.startsWith("/")) return path;
  return directory === "/" ? `/${path}` : `${directory}/${path}`;
};

/** A part of the path before the last is a file. */
export const throughFile = ({ files }: Machine, path: string): boolean =>
  files.some((file) => path.startsWith(`${file.path}/`));

export const fileAt = ({ files }: Machine, path: string): File | undefined => files.find((file) => file.path === path);

/** What the descriptor of the step refers to. */
export const described = (machine: Machine, d: number): Description | undefined =>
  machine.process.descriptors[d]?.description;

/** Opens a file, or makes it. */
export function open(machine: Machine, operands: Omit<OperationOf<"open">, "op">): void {
  const { process } = machine;
  const path = absolute(process, operands.path);
  const has = (flag: OpenFlag): boolean => operands.flags.includes(flag);
  const found = fileAt(machine, path);
  const exists = found !== undefined || isDirectory(path);
  const through = throughFile(machine, path);
  const parent = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  const isWrong = fails(
    machine,
    [!has("read") && !has("write"), "EINVAL"],
    [lowestFree(process) < 0, "EMFILE"],
    [through, "ENOTDIR"],
    [!through && !isDirectory(parent), "ENOENT"],
    [exists && has("create") && has("exclusive"), "EEXIST"],
    [isDirectory(path), "EISDIR"],
    [!exists && !has("create"), "ENOENT"],
  );
  if (isWrong) return;
  const file = found ?? { path, bytes: new Uint8Array(), locks: [] };
  if (found === undefined) machine.files.push(file);
  if (has("truncate") && has("write")) file.bytes = new Uint8Array();
  const bits = operands.flags.reduce((all, flag) => all | flagBit(flag), 0) & (READS | WRITES | APPEND | NONBLOCK);
  const d = lowestFree(process);
  install(process, d, newDescription({ file, pipe: undefined }, bits), has("cloexec"));
  machine.kind = DESCRIPTOR;
  machine.first = d;
}

/** Status flags belong to the description: whoever shares it sees the change. */
const changeFlag =
  (flag: number): HandlerOf<"fcntl_append"> =>
  (machine, code, at) => {
    const description = described(machine, code[at + EXTRA] ?? 0);
    if (description === undefined) {
      failed(machine, "EBADF");
      return;
    }
    readInteger(machine, code, at + N);
    const on = (machine.lo | machine.hi) !== 0;
    description.flags = on ? description.flags | flag : description.flags & ~flag;
    machine.kind = NONE;
  };

interface LockRange {
  readonly file: File;
  readonly start: number;
  readonly end: number;
}

/** The range of a file that a lock is about; undefined where the call fails. Without length it goes on to the end. */
function lockRange(machine: Machine, code: Int32Array, at: number, mustWrite: boolean): LockRange | undefined {
  const description = described(machine, code[at + EXTRA] ?? 0);
  readInteger(machine, code, at + VALUE);
  const start = numberOf(machine.lo, machine.hi);
  readInteger(machine, code, at + N);
  const size = numberOf(machine.lo, machine.hi);
  const end = size === 0 ? offsetLimit : start + size;
  const file = description?.file;
  const isWrong = fails(
    machine,
    [description === undefined || (mustWrite && (description.flags & WRITES) === 0), "EBADF"],
    [(description !== undefined && file === undefined) || end > offsetLimit, "EINVAL"],
    [start >= end, "EINVAL"],
  );
  return isWrong || file === undefined ? undefined : { file, start, end };
}

/** The first lock of another process that overlaps a range. */
function conflict({ file, start, end }: LockRange, owner: number): Lock | undefined {
  let first: Lock | undefined;
  for (const lock of file.locks) {
    if (lock.owner === owner || lock.start >= end || start >= lock.end) continue;
    const isEarlier =
      first === undefined || lock.start < first.start || (lock.start === first.start && lock.owner < first.owner);
    if (isEarlier) first = lock;
  }
  return first;
}

/** The halves of an integer as a signed number of the machine's width. */
const signed = ({ wide, lo, hi }: Machine): number => (wide ? hi * 0x100000000 + (lo >>> 0) : lo);

export const fileHandlers = {
  open: (machine, _code, _at, operation) => {
    open(machine, operation);
  },
  pipe: (machine) => {
    const { process } = machine;
    const read = lowestFree(process);
    const write = read < 0 ? -1 : lowestFree(process, read);
    if (write < 0) {
      failed(machine, "EMFILE");
      return;
    }
    const pipe = { bytes: [], readers: 0, writers: 0 };
    install(process, read, newDescription({ file: undefined, pipe }, READS), false);
    install(process, write, newDescription({ file: undefined, pipe }, WRITES), false);
    machine.kind = DESCRIPTORS;
    machine.first = read;
    machine.second = write;
  },
  close: (machine, code, at) => {
    const d = code[at + EXTRA] ?? 0;
    if (described(machine, d) === undefined) {
      failed(machine, "EBADF");
      return;
    }
    close(machine.process, d);
    machine.kind = NONE;
  },
  dup: (machine, code, at) => {
    const { process } = machine;
    const description = described(machine, code[at + EXTRA] ?? 0);
    const free = lowestFree(process);
    const isWrong = fails(machine, [description === undefined, "EBADF"], [free < 0, "EMFILE"]);
    if (isWrong || description === undefined) return;
    install(process, free, description, false);
    machine.kind = DESCRIPTOR;
    machine.first = free;
  },
  dup2: (machine, code, at, { d2 }) => {
    const { process } = machine;
    const from = code[at + EXTRA] ?? 0;
    const target = d2 % maxDescriptors;
    const description = described(machine, from);
    if ((target >= process.nofile && from !== target) || description === undefined) {
      failed(machine, "EBADF");
      return;
    }
    if (from !== target) {
      close(process, target);
      install(process, target, description, false);
    }
    machine.kind = DESCRIPTOR;
    machine.first = target;
  },
  lseek: (machine, code, at, { whence }) => {
    const description = described(machine, code[at + EXTRA] ?? 0);
    readInteger(machine, code, at + N);
    const origin = { set: 0, cur: description?.offset ?? 0, end: description?.file?.bytes.length ?? 0 }[whence];
    const offset = origin + signed(machine);
    const isWrong = fails(
      machine,
      [description === undefined, "EBADF"],
      [description !== undefined && description.file === undefined, "ESPIPE"],
      [offset < 0 || offset >= offsetLimit, "EINVAL"],
    );
    if (isWrong || description === undefined) return;
    description.offset = offset;
    integer(machine, offset);
  },
  fcntl_append: changeFlag(APPEND),
  fcntl_nonblock: changeFlag(NONBLOCK),
  fcntl_cloexec: (machine, code, at) => {
    const descriptor = machine.process.descriptors[code[at + EXTRA] ?? 0];
    if (descriptor === undefined) {
      failed(machine, "EBADF");
      return;
    }
    readInteger(machine, code, at + N);
    descriptor.cloexec = (machine.lo | machine.hi) !== 0;
    machine.kind = NONE;
  },
  fcntl_getfd: (machine, code, at) => {
    const descriptor = machine.process.descriptors[code[at + EXTRA] ?? 0];
    if (descriptor === undefined) failed(machine, "EBADF");
    else set(machine, descriptor.cloexec ? ["cloexec"] : []);
  },
  fcntl_getfl: (machine, code, at) => {
    const description = described(machine, code[at + EXTRA] ?? 0);
    if (description === undefined) {
      failed(machine, "EBADF");
      return;
    }
    const { flags } = description;
    set(
      machine,
      flagNames.filter((flag) => (flags & flagBit(flag)) !== 0),
    );
  },
  lock: (machine, code, at) => {
    const range = lockRange(machine, code, at, true);
    if (range === undefined) return;
    const owner = machine.process.ordinal;
    const { file, start, end } = range;
    if (conflict(range, owner) !== undefined) {
      failed(machine, "EAGAIN", "EACCES");
      return;
    }
    unlock(file, owner, start, end);
    file.locks = [...file.locks, { owner, start, end }];
    machine.kind = NONE;
  },
  unlock: (machine, code, at) => {
    const range = lockRange(machine, code, at, false);
    if (range === undefined) return;
    unlock(range.file, machine.process.ordinal, range.start, range.end);
    machine.kind = NONE;
  },
  getlk: (machine, code, at) => {
    const range = lockRange(machine, code, at, false);
    if (range === undefined) return;
    const holder = machine.processes[conflict(range, machine.process.ordinal)?.owner ?? -1];
    integer(machine, holder?.pid ?? 0);
  },
} satisfies Partial<Handlers>;
