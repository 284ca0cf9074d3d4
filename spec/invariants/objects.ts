/** Kernel objects that a step changed although the actor has nothing to do with them: a part of INV-6. */
import type { File } from "../sfork/kernel.js";
import { isLive, type Scope } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

export const isSame = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/** What the actor had descriptors of, or a call on. */
const actorsDescriptions = ({ before, process, thread }: Scope): readonly (number | undefined)[] => {
  const call = before.threads[thread]?.call;
  const called = call !== undefined && "description" in call ? call.description : undefined;
  return [called, ...(before.processes[process]?.descriptors ?? []).map((one) => one?.description)];
};

/** A file is written through a description, or emptied by its name; locks are their owners', and end with them. */
const keepsFile = (scope: Scope, isMine: boolean, old: File, now: File | undefined): boolean => {
  const { before, after, operation, process, thread } = scope;
  const opens = operation.op === "open" || before.threads[thread]?.call?.op === "open";
  const foreign = old.locks.filter(({ owner }) => owner !== process && isLive(after, owner));
  const left = now?.locks.filter(({ owner }) => owner !== process) ?? [];
  return now?.path === old.path && (isMine || opens || now.bytes === old.bytes) && isSame(foreign, left);
};

/**
 * Descriptions, pipes and files of others, and requests, of which only a completion takes the oldest.
 * @rule INV-6 objects @source SFork poster, goals: isolation of µprocesses; POSIX XBD 3.258, fcntl (locks)
 */
export const objectsChanged = (scope: Scope): readonly string[] => {
  const { before, after, operation } = scope;
  const kinds = ["descriptions", "pipes", "files", "requests"] as const;
  if (kinds.every((kind) => before[kind] === after[kind])) return [];
  const mine = actorsDescriptions(scope);
  const isMine = (kind: "file" | "pipe", which: number): boolean =>
    mine.some((index = -1) => {
      const { object } = before.descriptions[index] ?? {};
      return (
        object !== undefined &&
        (kind === "file" ? "file" in object && object.file === which : "pipe" in object && object.pipe === which)
      );
    });
  const descriptions = flatMap(before.descriptions, (old, index) => {
    const now = after.descriptions[index];
    const isKept = now?.object === old?.object && now?.offset === old?.offset && now?.flags === old?.flags;
    return old === undefined || now === undefined || mine.includes(index) || isKept
      ? []
      : [`description ${index.toString()}`];
  });
  const pipes = flatMap(before.pipes, (old, index) => {
    const isKept = after.pipes[index] === undefined || after.pipes[index] === old;
    return old === undefined || isKept || isMine("pipe", index) ? [] : [`pipe ${index.toString()}`];
  });
  const files = flatMap(before.files, (old, index) =>
    keepsFile(scope, isMine("file", index), old, after.files[index]) ? [] : [old.path],
  );
  const completed = operation.op === "virtq_complete" && after.requests.length < before.requests.length ? 1 : 0;
  const requests = flatMap(before.requests.slice(completed), (old, index) => {
    const now = after.requests[index];
    const isKept = now?.number === old.number && now.process === old.process && now.bytes === old.bytes;
    return isKept ? [] : [`request ${old.number.toString()}`];
  });
  return [...descriptions, ...pipes, ...files, ...requests];
};
