/** What is known of descriptors, pipes, files and locks: enough to say what a call will come to. */
import { maxDescriptors, maxFile } from "../../../spec/sfork/kernel.js";
import type { OpenFlag } from "../../../spec/sfork/operation.js";

interface Pipe {
  readonly kind: "pipe";
  /** Bytes in it. */
  held: number;
  /** Descriptions of either end. */
  readers: number;
  writers: number;
}

export interface Lock {
  readonly owner: number;
  readonly start: number;
  readonly end: number;
}

export interface File {
  readonly kind: "file";
  readonly path: string;
  size: number;
  locks: readonly Lock[];
}

export interface Description {
  readonly object: Pipe | File;
  readonly reads: boolean;
  readonly writes: boolean;
  append: boolean;
  nonblock: boolean;
  offset: number;
  references: number;
}

export interface Descriptor {
  readonly description: Description;
  readonly cloexec: boolean;
}

/** The part of a process that this is about. */
export interface Holder {
  readonly ordinal: number;
  descriptors: readonly (Descriptor | undefined)[];
  nofile: number;
  directory: string;
}

export const directories: readonly string[] = ["/", "/d", "/e"];

export const descriptorAt = ({ descriptors }: Holder, d: number): Descriptor | undefined =>
  descriptors[d % maxDescriptors];

/** The lowest descriptor from one on that is free, and within the limit. */
export const lowestFree = ({ descriptors, nofile }: Holder, from = 0): number | undefined => {
  for (let d = from; d < nofile; d += 1) if (descriptors[d] === undefined) return d;
  return undefined;
};

/** How many are. */
export const countFree = ({ descriptors, nofile }: Holder): number => {
  let free = 0;
  for (let d = 0; d < nofile; d += 1) if (descriptors[d] === undefined) free += 1;
  return free;
};

const replaced = (holder: Holder, d: number, descriptor: Descriptor | undefined): void => {
  const copy = [...holder.descriptors];
  while (copy.length < d) copy.push(undefined);
  copy[d] = descriptor;
  holder.descriptors = copy;
};

export const retain = (description: Description): void => {
  description.references += 1;
};

export const release = (description: Description): void => {
  description.references -= 1;
  const { object, references, reads } = description;
  if (references > 0 || object.kind === "file") return;
  if (reads) object.readers -= 1;
  else object.writers -= 1;
};

const install = (holder: Holder, d: number, description: Description, cloexec: boolean): void => {
  retain(description);
  replaced(holder, d, { description, cloexec });
};

/** What is left of locks when a process gives up `[start, end)`. */
export const unlocked = (
  locks: readonly Lock[],
  owner: number,
  start = 0,
  end = Number.MAX_SAFE_INTEGER,
): readonly Lock[] =>
  locks.flatMap((lock) =>
    lock.owner !== owner
      ? [lock]
      : [
          { ...lock, end: Math.min(lock.end, start) },
          { ...lock, start: Math.max(lock.start, end) },
        ].filter((rest) => rest.start < rest.end),
  );

/** Locks of others that overlap a range. */
export const conflicts = ({ locks }: File, owner: number, start: number, end: number): readonly Lock[] =>
  locks.filter((lock) => lock.owner !== owner && lock.start < end && start < lock.end);

export const close = (holder: Holder, d: number): void => {
  const found = descriptorAt(holder, d);
  if (found === undefined) return;
  const { object } = found.description;
  if (object.kind === "file" && object.locks.length > 0) object.locks = unlocked(object.locks, holder.ordinal);
  replaced(holder, d % maxDescriptors, undefined);
  release(found.description);
};

export const closeWhere = (holder: Holder, isSo: (one: Descriptor) => boolean): void => {
  for (const [d, one] of holder.descriptors.entries()) if (one !== undefined && isSo(one)) close(holder, d);
};

export const setCloexec = (holder: Holder, d: number, cloexec: boolean): void => {
  const found = descriptorAt(holder, d);
  if (found !== undefined) replaced(holder, d % maxDescriptors, { ...found, cloexec });
};

export const makePipe = (holder: Holder): void => {
  const first = lowestFree(holder);
  const second = first === undefined ? undefined : lowestFree(holder, first + 1);
  if (first === undefined || second === undefined) return;
  const object: Pipe = { kind: "pipe", held: 0, readers: 1, writers: 1 };
  const end = (reads: boolean): Description => {
    return { object, reads, writes: !reads, append: false, nonblock: false, offset: 0, references: 0 };
  };
  install(holder, first, end(true), false);
  install(holder, second, end(false), false);
};

export const duplicate = (holder: Holder, d: number): void => {
  const free = lowestFree(holder);
  const old = descriptorAt(holder, d);
  if (old !== undefined && free !== undefined) install(holder, free, old.description, false);
};

export const duplicateTo = (holder: Holder, d: number, target: number): void => {
  const old = descriptorAt(holder, d);
  const to = target % maxDescriptors;
  if (old === undefined || to >= holder.nofile || d % maxDescriptors === to) return;
  close(holder, to);
  install(holder, to, old.description, false);
};

/** A path from the root. */
export const absolute = ({ directory }: Pick<Holder, "directory">, path: string): string => {
  if (path.startsWith("/")) return path;
  return directory === "/" ? `/${path}` : `${directory}/${path}`;
};

/** Bytes that a read of `size` would get; undefined where it would wait. */
export const readable = ({ object, offset }: Description, size: number): number | undefined => {
  if (object.kind === "file") return Math.min(size, Math.max(0, object.size - offset));
  return size > 0 && object.held === 0 && object.writers > 0 ? undefined : Math.min(size, object.held);
};

/** What a write of `size` bytes would come to: how many are taken, or why none are. */
export const writable = (
  { object, offset, append }: Description,
  size: number,
  capacity: number,
): number | "waits" | "broken" | "too-big" => {
  if (size === 0) return 0;
  if (object.kind === "file") {
    const fits = Math.min(size, maxFile - (append ? object.size : offset));
    return fits <= 0 ? "too-big" : fits;
  }
  if (object.readers === 0) return "broken";
  const room = capacity - object.held;
  return room === 0 || (size <= capacity && size > room) ? "waits" : Math.min(size, room);
};

export const consume = (description: Description, size: number): void => {
  if (description.object.kind === "file") description.offset += size;
  else description.object.held -= size;
};

export const produce = (description: Description, size: number): void => {
  const { object, append } = description;
  if (object.kind === "pipe") object.held += size;
  else if (size > 0) {
    description.offset = (append ? object.size : description.offset) + size;
    object.size = Math.max(object.size, description.offset);
  }
};

export class Files {
  readonly #list: File[] = [];

  get list(): readonly File[] {
    return this.#list;
  }

  /** Why a path cannot be opened; `missing` where it could be made. */
  #refused(path: string): "refused" | "missing" | undefined {
    if (directories.includes(path) || this.isThroughFile(path)) return "refused";
    if (this.#list.some((file) => file.path === path)) return undefined;
    return directories.includes(path.slice(0, Math.max(1, path.lastIndexOf("/")))) ? "missing" : "refused";
  }

  isThroughFile(path: string): boolean {
    return this.#list.some((file) => path.startsWith(`${file.path}/`));
  }

  /** The new descriptor's description, where it is opened. */
  open(holder: Holder, name: string, flags: readonly OpenFlag[]): Description | undefined {
    const has = (flag: OpenFlag): boolean => flags.includes(flag);
    const path = absolute(holder, name);
    const refused = this.#refused(path);
    const d = lowestFree(holder);
    if (refused === "refused" || d === undefined || (!has("read") && !has("write"))) return undefined;
    if (has("create") ? has("exclusive") && refused === undefined : refused === "missing") return undefined;
    const file = this.#list.find((one) => one.path === path) ?? this.#make(path);
    if (has("truncate") && has("write")) file.size = 0;
    const [reads, writes, append, nonblock] = [has("read"), has("write"), has("append"), has("nonblock")];
    const description = { object: file, reads, writes, append, nonblock, offset: 0, references: 0 };
    install(holder, d, description, has("cloexec"));
    return description;
  }

  #make(path: string): File {
    const file: File = { kind: "file", path, size: 0, locks: [] };
    this.#list.push(file);
    return file;
  }
}
