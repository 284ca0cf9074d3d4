/** Descriptors and what they refer to: open file descriptions, counted, shared by forks and `dup` (FILE-1, FILE-3). */
import { withProcess } from "./context.js";
import { maxDescriptors, type Description, type Descriptor, type Descriptors, type RecordLock } from "./kernel.js";
import type { Machine } from "./machine.js";
import { flatMap } from "./lists.js";

export const descriptorAt = (machine: Machine, process: number, d: number): Descriptor | undefined =>
  machine.processes[process]?.descriptors[d % maxDescriptors];

/** What an open descriptor refers to, with its ordinal. */
export const described = (
  machine: Machine,
  process: number,
  d: number,
): { readonly index: number; readonly description: Description } | undefined => {
  const index = descriptorAt(machine, process, d)?.description;
  const description = index === undefined ? undefined : machine.descriptions[index];
  return index === undefined || description === undefined ? undefined : { index, description };
};

/** Is this end of a pipe open anywhere? The last one that closes is what the other side waits for. */
export const hasEnd = (machine: Machine, pipe: number, end: "read" | "write"): boolean =>
  machine.descriptions.some(
    (one) => one !== undefined && "pipe" in one.object && one.object.pipe === pipe && one.flags.includes(end),
  );

/**
 * One reference more or less to a description. Without any it is gone, and with both its ends a pipe.
 * @rule FILE-1 references @source POSIX XBD 3.258 (open file description), close
 */
export const withReference = (machine: Machine, index: number, change: 1 | -1): Machine => {
  const description = machine.descriptions[index];
  if (description === undefined) return machine;
  const references = description.references + change;
  const kept = references === 0 ? undefined : { ...description, references };
  const counted = { ...machine, descriptions: machine.descriptions.with(index, kept) };
  if (kept !== undefined || !("pipe" in description.object)) return counted;
  const { pipe } = description.object;
  const open = hasEnd(counted, pipe, "read") || hasEnd(counted, pipe, "write");
  return open ? counted : { ...counted, pipes: machine.pipes.with(pipe, undefined) };
};

/** The lowest descriptor that is free within the process's limit. */
export const lowestFree = (machine: Machine, process: number, except?: number): number | undefined => {
  const { descriptors = [], limits = { nofile: 0 } } = machine.processes[process] ?? {};
  const d = descriptors.findIndex((one, index) => one === undefined && index !== except);
  const lowest = d !== -1 ? d : descriptors.length === except ? except + 1 : descriptors.length;
  return lowest < limits.nofile ? lowest : undefined;
};

/** The first place that is free in a list of objects. */
export const firstHole = (objects: readonly unknown[]): number => {
  const hole = objects.indexOf(undefined);
  return hole === -1 ? objects.length : hole;
};

/** A list with one place set, which may lie behind its end. */
export const placed = <Item>(items: readonly (Item | undefined)[], at: number, item: Item | undefined) =>
  at < items.length
    ? items.with(at, item)
    : [...items, ...Array.from({ length: at - items.length }, () => undefined), item];

/** Descriptor `d` of a process, which was free, refers to a description. */
export const install = (machine: Machine, process: number, d: number, descriptor: Descriptor): Machine => {
  const { descriptors = [] } = machine.processes[process] ?? {};
  const counted = withReference(machine, descriptor.description, 1);
  return withProcess(counted, process, { descriptors: placed(descriptors, d, descriptor) });
};

/** Locks without those of a process on `[start, end)`; what remains of each on either side stays. */
export const unlocked = (
  locks: readonly RecordLock[],
  owner: number,
  start = 0,
  end = Number.MAX_SAFE_INTEGER,
): readonly RecordLock[] =>
  flatMap(locks, (lock) =>
    lock.owner === owner
      ? [
          { ...lock, end: Math.min(lock.end, start) },
          { ...lock, start: Math.max(lock.start, end) },
        ].filter((rest) => rest.start < rest.end)
      : [lock],
  );

/**
 * Close a descriptor. The process loses its record locks on the file, whichever descriptor it locked through.
 * @rule LOCK-1 close @source POSIX fcntl (record locks are removed when any descriptor of the file is closed)
 */
export const closed = (machine: Machine, process: number, d: number): Machine => {
  const found = described(machine, process, d);
  if (found === undefined) return machine;
  const { object } = found.description;
  const files = machine.files.map((file, index) =>
    "file" in object && object.file === index ? { ...file, locks: unlocked(file.locks, process) } : file,
  );
  const { descriptors = [] } = machine.processes[process] ?? {};
  const left = { descriptors: placed(descriptors, d % maxDescriptors, undefined) };
  return withReference(withProcess({ ...machine, files }, process, left), found.index, -1);
};

/** Close all descriptors of a process that are so. */
export const closedWhere = (machine: Machine, process: number, isSo: (one: Descriptor) => boolean): Machine =>
  (machine.processes[process]?.descriptors ?? []).reduce<Machine>(
    (sofar, descriptor, d) => (descriptor !== undefined && isSo(descriptor) ? closed(sofar, process, d) : sofar),
    machine,
  );

/** A child's descriptors refer to what its parent's do: one reference more for each. */
export const shared = (machine: Machine, descriptors: Descriptors): Machine =>
  descriptors.reduce<Machine>(
    (sofar, descriptor) => (descriptor === undefined ? sofar : withReference(sofar, descriptor.description, 1)),
    machine,
  );
