/** Descriptors and what they refer to (FILE-1, FILE-3, LOCK-1): ordinary objects, with references counted. */
import type { OpenFlag } from "../../spec/sfork/operation.js";
import type { Description, Descriptor, File, Lock, Process } from "./machine.js";

/** Flags, in the order in which they are told. */
export const flagNames: readonly OpenFlag[] = [
  ...(["read", "write", "append", "create", "exclusive", "truncate", "nonblock", "cloexec"] as const),
];

export const flagBit = (flag: OpenFlag): number => 1 << flagNames.indexOf(flag);

export const READS = flagBit("read");
export const WRITES = flagBit("write");
export const APPEND = flagBit("append");
export const NONBLOCK = flagBit("nonblock");

export const newDescription = (object: Pick<Description, "file" | "pipe">, flags: number): Description => {
  if (object.pipe !== undefined) {
    if ((flags & READS) !== 0) object.pipe.readers += 1;
    else object.pipe.writers += 1;
  }
  return { ...object, flags, offset: 0, references: 0 };
};

/** One reference less. The last one closes an end of a pipe. */
export function dropDescription(description: Description): void {
  description.references -= 1;
  const { pipe, references, flags } = description;
  if (pipe === undefined || references > 0) return;
  if ((flags & READS) !== 0) pipe.readers -= 1;
  else pipe.writers -= 1;
}

/** The lowest number that is free within the limit; -1 if none is. */
export function lowestFree({ descriptors, nofile }: Process, except = -1): number {
  for (let d = 0; d < nofile; d += 1) if (d !== except && descriptors[d] === undefined) return d;
  return -1;
}

export function install(process: Process, d: number, description: Description, cloexec: boolean): void {
  description.references += 1;
  process.descriptors[d] = { description, cloexec };
}

/** Locks without those of a process on [start, end); what remains of each on either side stays. */
export function unlock(file: File, owner: number, start: number, end: number): void {
  const left: Lock[] = [];
  for (const lock of file.locks) {
    if (lock.owner !== owner) {
      left.push(lock);
      continue;
    }
    if (lock.start < Math.min(lock.end, start)) left.push({ ...lock, end: Math.min(lock.end, start) });
    if (Math.max(lock.start, end) < lock.end) left.push({ ...lock, start: Math.max(lock.start, end) });
  }
  file.locks = left;
}

/** The process loses its locks on a file with any descriptor of it. */
export function close(process: Process, d: number): void {
  const descriptor = process.descriptors[d];
  if (descriptor === undefined) return;
  const { file } = descriptor.description;
  if (file !== undefined) unlock(file, process.ordinal, 0, Infinity);
  process.descriptors[d] = undefined;
  dropDescription(descriptor.description);
}

export function closeWhere(process: Process, isSo: (one: Descriptor) => boolean): void {
  process.descriptors.forEach((descriptor, d) => {
    if (descriptor !== undefined && isSo(descriptor)) close(process, d);
  });
}
