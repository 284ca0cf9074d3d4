/** Descriptors, files and record locks as steps (FILE-1, FILE-2, FILE-3, LOCK-1). Reads and writes: rules-transfer. */
import { call, done, doneWith, failed, integer, withProcess, type Context, type Outcome } from "./context.js";
import { closed, described, descriptorAt, firstHole, install, lowestFree, placed, unlocked } from "./descriptors.js";
import { maxDescriptors, type Description, type File, type RecordLock } from "./kernel.js";
import type { Machine } from "./machine.js";
import { openFlags, type OpenFlag, type OperationOf } from "./operation.js";
import type { RuleLike, Rules } from "./rules.js";

/** Offsets and ends of locks are less than this. */
const offsetLimit = 2 ** 31;

/** The directories; there are no others, and none can be made. */
const directories = ["/", "/d", "/e"];

/**
 * What a path names: from the root, or from the working directory.
 * @rule FILE-2 path @source POSIX XBD 4.16 (pathname resolution)
 */
export const absolute = (context: Context, path: string): string => {
  const { directory = "/" } = context.machine.processes[context.process] ?? {};
  return path.startsWith("/") ? path : `${directory === "/" ? "" : directory}/${path}`;
};

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));

export const isDirectory = (path: string): boolean => directories.includes(path);

/** A part of the path before the last is a file. */
export const throughFile = ({ files }: Machine, path: string): boolean =>
  files.some((file) => path.startsWith(`${file.path}/`));

/** A new descriptor, the lowest that is free, for a new description. */
const opened = (
  context: Context,
  machine: Machine,
  description: Omit<Description, "references" | "offset">,
  cloexec: boolean,
): { readonly machine: Machine; readonly d: number } => {
  const index = firstHole(machine.descriptions);
  const descriptions = placed(machine.descriptions, index, { ...description, offset: 0, references: 0 });
  const d = lowestFree(machine, context.process) ?? maxDescriptors;
  return { machine: install({ ...machine, descriptions }, context.process, d, { description: index, cloexec }), d };
};

/**
 * Open a file, or make it.
 * @rule FILE-2 open @source POSIX open
 */
export const open = (context: Context, operands: Omit<OperationOf<"open">, "op">): Outcome => {
  const { machine } = context;
  const path = absolute(context, operands.path);
  const has = (flag: OpenFlag): boolean => operands.flags.includes(flag);
  const found = machine.files.findIndex((file) => file.path === path);
  const exists = found !== -1 || isDirectory(path);
  const checks = [
    [!has("read") && !has("write"), "EINVAL"],
    [lowestFree(machine, context.process) === undefined, "EMFILE"],
    [throughFile(machine, path), "ENOTDIR"],
    [!throughFile(machine, path) && !isDirectory(parentOf(path)), "ENOENT"],
    [exists && has("create") && has("exclusive"), "EEXIST"],
    [isDirectory(path), "EISDIR"],
    [!exists && !has("create"), "ENOENT"],
  ] as const;
  return call(context, checks, () => {
    const file = found === -1 ? machine.files.length : found;
    const old: File = machine.files[file] ?? { path, bytes: [], locks: [] };
    const emptied = has("truncate") && has("write") ? { ...old, bytes: [] } : old;
    const files = found === -1 ? [...machine.files, emptied] : machine.files.with(file, emptied);
    const flags = operands.flags.filter((flag) => ["read", "write", "append", "nonblock"].includes(flag));
    const { machine: next, d } = opened(context, { ...machine, files }, { object: { file }, flags }, has("cloexec"));
    return done(next, { kind: "descriptor", descriptor: d });
  });
};

/** A rule about a descriptor that is open; EBADF otherwise. */
const withOpen = (context: Context, d: number, act: (index: number, description: Description) => Outcome): Outcome => {
  const found = described(context.machine, context.process, d);
  return found === undefined ? failed(context, "EBADF") : act(found.index, found.description);
};

/** The machine with a description changed. */
export const withDescription = (machine: Machine, index: number, change: Partial<Description>): Machine => {
  const old = machine.descriptions[index];
  return old === undefined
    ? machine
    : { ...machine, descriptions: machine.descriptions.with(index, { ...old, ...change }) };
};

/** Status flags belong to the description: whoever shares it sees the change. */
const changeFlag =
  (flag: OpenFlag): RuleLike<"fcntl_append"> =>
  (context, { d, n }) =>
    withOpen(context, d, (index, description) => {
      const others = description.flags.filter((one) => one !== flag);
      const flags = integer(context, n) === 0n ? others : [...others, flag];
      return done(withDescription(context.machine, index, { flags }));
    });

type Range = Pick<RecordLock, "start" | "end">;

/** A rule about a range of an open file: without length it goes on to the end, wherever that comes to be. */
const withRange = (
  context: Context,
  operands: Omit<OperationOf<"lock">, "op">,
  mustWrite: boolean,
  act: (file: number, range: Range, old: File) => Outcome,
): Outcome => {
  const { description } = described(context.machine, context.process, operands.d) ?? {};
  const [start = 0, size = 0] = [operands.start, operands.length].map((one) => Number(integer(context, one)));
  const range = { start, end: size === 0 ? offsetLimit : start + size };
  const file = description !== undefined && "file" in description.object ? description.object.file : -1;
  const old = context.machine.files[file];
  const checks = [
    [description === undefined || (mustWrite && !description.flags.includes("write")), "EBADF"],
    [(description !== undefined && old === undefined) || range.end > offsetLimit, "EINVAL"],
    [range.start >= range.end, "EINVAL"],
  ] as const;
  return call(context, checks, () => (old === undefined ? failed(context, "EINVAL") : act(file, range, old)));
};

const withLocks = (machine: Machine, index: number, file: File, locks: File["locks"]): Machine => ({
  ...machine,
  files: machine.files.with(index, { ...file, locks }),
});

/** The first lock of another process that overlaps a range. */
const conflict = ({ locks }: File, owner: number, range: Range) =>
  locks
    .filter((lock) => lock.owner !== owner && lock.start < range.end && range.start < lock.end)
    .toSorted((a, b) => a.start - b.start || a.owner - b.owner)[0];

export const fileRules = {
  open,
  /** @rule FILE-3 pipe @source POSIX pipe */
  pipe: (context) => {
    const first = lowestFree(context.machine, context.process);
    const second = first === undefined ? undefined : lowestFree(context.machine, context.process, first);
    if (first === undefined || second === undefined) return failed(context, "EMFILE");
    const pipe = firstHole(context.machine.pipes);
    const made = { ...context.machine, pipes: placed(context.machine.pipes, pipe, { bytes: [] }) };
    const read = opened(context, made, { object: { pipe }, flags: ["read"] }, false);
    const write = opened(context, read.machine, { object: { pipe }, flags: ["write"] }, false);
    return done(write.machine, { kind: "descriptors", descriptors: [read.d, write.d] });
  },
  close: (context, { d }) => withOpen(context, d, () => done(closed(context.machine, context.process, d))),
  dup: (context, { d }) => {
    const { machine, process } = context;
    const free = lowestFree(machine, process);
    const old = descriptorAt(machine, process, d);
    const checks = [[old === undefined, "EBADF"] as const, [free === undefined, "EMFILE"] as const];
    return call(context, checks, () => {
      const { description = 0 } = old ?? {};
      const copy = install(machine, process, free ?? 0, { description, cloexec: false });
      return done(copy, { kind: "descriptor", descriptor: free ?? 0 });
    });
  },
  /** Onto itself it only asks whether the descriptor is open, be it above the limit. */
  dup2: (context, { d, d2 }) => {
    const { machine, process } = context;
    const target = d2 % maxDescriptors;
    const isSame = d % maxDescriptors === target;
    const { nofile } = machine.processes[process]?.limits ?? { nofile: 0 };
    if (target >= nofile && !isSame) return failed(context, "EBADF");
    return withOpen(context, d, (description) => {
      const free = isSame ? machine : closed(machine, process, target);
      const copy = isSame ? machine : install(free, process, target, { description, cloexec: false });
      return done(copy, { kind: "descriptor", descriptor: target });
    });
  },
  /** @rule FILE-2 lseek @source POSIX lseek */
  lseek: (context, { d, n, whence }) => {
    const { index, description } = described(context.machine, context.process, d) ?? {};
    const file = description !== undefined && "file" in description.object ? description.object.file : undefined;
    const { length } = context.machine.files[file ?? -1]?.bytes ?? [];
    const origin = { set: 0, cur: description?.offset ?? 0, end: length }[whence];
    const offset = origin + Number(BigInt.asIntN(Number(context.format.addressBits), integer(context, n)));
    const checks = [
      [description === undefined, "EBADF"],
      [description !== undefined && file === undefined, "ESPIPE"],
      [offset < 0 || offset >= offsetLimit, "EINVAL"],
    ] as const;
    return call(context, checks, () => doneWith(withDescription(context.machine, index ?? 0, { offset }), offset));
  },
  fcntl_append: changeFlag("append"),
  fcntl_nonblock: changeFlag("nonblock"),
  fcntl_cloexec: (context, { d, n }) =>
    withOpen(context, d, (description) => {
      const { machine, process } = context;
      const changed = { description, cloexec: integer(context, n) !== 0n };
      const descriptors = machine.processes[process]?.descriptors.with(d % maxDescriptors, changed) ?? [];
      return done(withProcess(machine, process, { descriptors }));
    }),
  fcntl_getfd: (context, { d }) =>
    withOpen(context, d, () => {
      const members = descriptorAt(context.machine, context.process, d)?.cloexec === true ? ["cloexec"] : [];
      return done(context.machine, { kind: "set", members });
    }),
  fcntl_getfl: (context, { d }) =>
    withOpen(context, d, (_, { flags }) =>
      done(context.machine, { kind: "set", members: openFlags.filter((flag) => flags.includes(flag)) }),
    ),
  /** @rule LOCK-1 lock @source POSIX fcntl (F_SETLK of a write lock) */
  lock: (context, operands) =>
    withRange(context, operands, true, (index, range, file) => {
      const { machine, process: owner } = context;
      if (conflict(file, owner, range) !== undefined) return failed(context, "EAGAIN", ["EACCES"]);
      const others = unlocked(file.locks, owner, range.start, range.end);
      return done(withLocks(machine, index, file, [...others, { owner, ...range }]));
    }),
  unlock: (context, operands) =>
    withRange(context, operands, false, (index, { start, end }, file) =>
      done(withLocks(context.machine, index, file, unlocked(file.locks, context.process, start, end))),
    ),
  /** @rule LOCK-1 getlk @source POSIX fcntl (F_GETLK) */
  getlk: (context, operands) =>
    withRange(context, operands, false, (_, range, file) => {
      const holder = context.machine.processes[conflict(file, context.process, range)?.owner ?? -1];
      return doneWith(context.machine, holder?.pid ?? 0);
    }),
} satisfies Partial<Rules>;
