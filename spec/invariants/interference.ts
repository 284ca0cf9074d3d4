/** What a step may not touch: other processes' views (INV-6), and, where it fails, anything at all (INV-10). */
import { inBounds, isSealed, permits, type Capability } from "../cheri/index.js";
import { integer, register, type Context } from "../sfork/context.js";
import type { Buffer } from "../sfork/kernel.js";
import type { Machine, Process } from "../sfork/machine.js";
import type { Integer, OperationName } from "../sfork/operation.js";
import type { Range } from "../sfork/relocate.js";
import { isSame, objectsChanged } from "./objects.js";
import { found } from "./places.js";
import {
  decoded,
  isIn,
  isLive,
  pointsInto,
  sameBut,
  sameCapability,
  sameGranule,
  sameProtection,
} from "./transition.js";
import type { Place } from "./places.js";
import type { Invariant, Scope, Transition } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

/** Bytes that an operation stores, where that does not depend on its operands. */
const sizes = { "store.b": 1n, "store.h": 2n, "store.w": 4n, "store.d": 8n } as const;
const storedBytes: Readonly<Partial<Record<OperationName, bigint>>> = sizes;

/** The range that a capability authorises to be stored to, `size` bytes from `offset` on; none where it does not. */
const authorised = (
  { before }: Transition,
  authority: Capability | undefined,
  size: bigint,
  offset = 0n,
): readonly Range[] => {
  const { format } = before;
  const bits = Number(format.addressBits);
  const start = format.plainAddress(BigInt.asUintN(bits, (authority?.address ?? 0n) + offset));
  const allowed =
    size > 0n &&
    authority?.tag === true &&
    !isSealed(format, authority) &&
    permits(format, authority, "store") &&
    inBounds(authority, start, size);
  return allowed ? [{ start, end: start + size }] : [];
};

/** What a read wrote: `total` bytes, into one buffer after the other. */
const filled = (transition: Transition, buffers: readonly Buffer[], total: bigint): readonly Range[] => {
  const [first, ...others] = buffers;
  if (first === undefined) return [];
  const size = least(first.size, total);
  return [...authorised(transition, first.capability, size), ...filled(transition, others, total - size)];
};

/** The bytes that a step was told to store to, by itself or by the kernel, as far as the capabilities for it authorise them. */
const storedTo = (transition: Transition): readonly Range[] => {
  const { before, operation, thread, process, observation, signals } = transition;
  const context: Context = { machine: before, format: before.format, thread, process };
  const size = before.format.addressBits / 8n;
  const counters = flatMap(signals, (signal) => {
    const action = before.processes[process]?.actions.get(signal);
    return typeof action === "object" ? authorised(transition, action.data, size) : [];
  });
  if (observation.kind === "bytes") {
    const total = BigInt(observation.bytes.length);
    const buffer = (cs: number, n: Integer): Buffer => ({
      capability: register(context, cs),
      size: integer(context, n),
    });
    const [oldest] = before.requests;
    const { call } = before.threads[thread] ?? {};
    if (operation.op === "read") return filled(transition, [buffer(operation.cs1, operation.n)], total);
    if (operation.op === "readv")
      return filled(transition, [buffer(operation.cs1, operation.n), buffer(operation.cs2, operation.n2)], total);
    if (operation.op === "call_finish" && call !== undefined && "buffers" in call)
      return filled(transition, call.buffers, total);
    return oldest !== undefined && oldest.bytes === undefined ? filled(transition, [oldest.buffer], total) : [];
  }
  if (observation.kind !== "none" || !("cs1" in operation)) return counters;
  const isRun = operation.op === "memset" || operation.op === "cmemcpy";
  const single = operation.op === "storecap" ? before.format.granule : storedBytes[operation.op];
  const offset = operation.op.startsWith("store") && "n" in operation ? integer(context, operation.n) : 0n;
  const stored = isRun ? integer(context, operation.n) : (single ?? 0n);
  return authorised(transition, register(context, operation.cs1), stored, offset);
};

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The bits of a granule that bytes of a range make up. */
const bitsWithin = (address: bigint, granule: bigint, range: Range): bigint => {
  const from = most(range.start - address, 0n);
  const to = least(range.end - address, granule);
  return from < to ? ((1n << (8n * (to - from))) - 1n) << (8n * from) : 0n;
};

/** Whose address space a step stores in, where each process has its own: the actor's, or that of who gave the buffer. */
const storesFor = ({ before, operation, process }: Transition): number =>
  operation.op === "virtq_complete" ? (before.requests[0]?.process ?? process) : process;

const memoryChanged = (scope: Scope): readonly Place[] => {
  const { after, ended, granules } = scope;
  if (granules.length === 0) return [];
  const stored = storedTo(scope);
  const slot = after.processes[storesFor(scope)]?.slot ?? 0;
  return granules.filter((place) => {
    const { address, old, now, kind } = place;
    if (old === undefined || sameGranule(old, now)) return false;
    const ranges = stored.filter((range) => kind === "segment" || isIn(after, { ...range, slot }, place));
    const mine = ranges.reduce((bits, range) => bits | bitsWithin(address, after.format.granule, range), 0n);
    const isEnded = ended.some((range) => isIn(after, range, place) && pointsInto(after, decoded(after, old), range));
    const swept = old.tag && !now.tag && isEnded;
    return ((old.bits ^ now.bits) & ~mine) !== 0n || (old.tag !== now.tag && mine === 0n && !swept);
  });
};

/** Registers of other threads, and what the kernel keeps for other processes, lose tags in a sweep, and nothing else. */
const heldChanged = ({ after, thread, process, ended, registers, kernel }: Scope): readonly Place[] =>
  [...registers, ...kernel.filter(({ owner }) => owner !== process)].filter((place) => {
    const { kind, number, old, now } = place;
    if ((kind === "thread" && number === thread) || old === undefined || sameCapability(old, now)) return false;
    const isEnded = ended.some((range) => isIn(after, range, place) && pointsInto(after, old, range));
    const isDropped = kind === "request" && !isLive(after, place.owner ?? -1);
    return !sameCapability({ ...old, tag: false }, now) || !(isEnded || isDropped);
  });

/** What of a process only its own steps change. */
const ownFields = [
  "pid",
  "slot",
  "session",
  "executed",
  "descriptors",
  "umask",
  "directory",
  "limits",
  "alarm",
  "ran",
  "childrenRan",
] as const satisfies readonly (keyof Process)[];

/** Which signals another process handles or ignores; what its handlers are is judged as capabilities. */
const sameActions = ({ actions: a }: Process, { actions: b }: Process): boolean =>
  a.size === b.size && Array.from(a).every(([signal, action]) => typeof b.get(signal) === typeof action);

/** Parent, pending signals and stops are others' business where somebody ends or sends a signal, groups where one is set. */
const sameRelations = ({ operation, after, process }: Scope, old: Process, now: Process): boolean =>
  operation.op === "kill" || !isLive(after, process)
    ? true
    : old.parent === now.parent &&
      old.pending === now.pending &&
      old.stopped === now.stopped &&
      (operation.op === "setpgid" || old.group === now.group);

/** May another process come to this state by the step? By being killed, waited for, or reaped with nobody waiting. */
const mayBecome = ({ operation, after, process, observation }: Scope, ordinal: number, now: Process): boolean => {
  if (now.state.kind === "zombie") return operation.op === "kill";
  if (observation.kind === "process") return observation.process === ordinal;
  return operation.op === "kill" || !isLive(after, process);
};

/** Who lives, where, by what name, with which threads, descriptors and attributes. */
const othersChanged = (scope: Scope): readonly string[] => {
  const { before, after, process } = scope;
  const processes = flatMap(before.processes, (old, ordinal) => {
    const now = after.processes[ordinal];
    if (now === undefined || now === old || ordinal === process) return [];
    const sameState = now.state === old.state || mayBecome(scope, ordinal, now);
    const own = isLive(after, ordinal) ? ownFields : (["pid", "slot"] as const);
    const same = sameState && own.every((field) => now[field] === old[field]) && sameRelations(scope, old, now);
    return same && (!isLive(after, ordinal) || sameActions(old, now)) ? [] : [`P${ordinal.toString()}`];
  });
  const threads = flatMap(before.threads, (old, ordinal) => {
    const now = after.threads[ordinal];
    const same = now?.live === old.live && now.mask === old.mask && now.call?.op === old.call?.op;
    return old.process === process || !isLive(after, old.process) || same
      ? []
      : [`P${old.process.toString()} thread ${ordinal.toString()}`];
  });
  return [...processes, ...threads];
};

/**
 * A step changes memory, its own or anybody's, only by bytes that it stores through a capability that allows it, and by
 * tags of what it ended; and of others nothing else.
 * @rule INV-6 interference @source SFork poster, goals: isolation of µprocesses
 */
export const nonInterference: Invariant = (scope) => {
  const { before, pages, process } = scope;
  const by = `by a step of P${process.toString()}`;
  const mapped = pages.filter(
    ({ owner = -1, old, now }) => owner !== process && isLive(before, owner) && !sameProtection(old, now),
  );
  return [
    ...[...memoryChanged(scope), ...heldChanged(scope)].map(found("INV-6", `changed ${by}`)),
    ...mapped.map((page) => found("INV-6", `mapped otherwise ${by}`)({ ...page, index: 0 })),
    ...othersChanged(scope).map((where) => ({ rule: "INV-6", where, what: `begun, ended or renamed ${by}` })),
    ...objectsChanged(scope).map((where) => ({ rule: "INV-6", where, what: `changed ${by}` })),
  ];
};

const isLike = <T extends object>(now: T, old: T): boolean => isSame(Object.values(now), Object.values(old));

/**
 * Is this what a step may leave behind although it failed? The signal of a broken pipe, the end of a split call with its
 * reference, a request that was dropped.
 */
const isLeftBehind = (
  { operation, observation, before, after, process, thread }: Scope,
  key: keyof Machine,
): boolean => {
  if (observation.kind !== "error") return false;
  const broken = observation.error === "EPIPE";
  const finished = operation.op === "call_finish";
  const allowed: Readonly<Partial<Record<keyof Machine, boolean>>> = {
    processes:
      broken &&
      sameBut(
        before.processes,
        after.processes,
        (old, now, at) => at === process && isLike(now, { ...old, pending: now.pending }),
      ),
    threads:
      finished &&
      sameBut(
        before.threads,
        after.threads,
        (old, now, at) => at === thread && isLike(now, { ...old, call: undefined }),
      ),
    descriptions:
      finished &&
      sameBut(
        before.descriptions,
        after.descriptions,
        (old, now) =>
          now === undefined || (old !== undefined && isLike(now, { ...old, references: old.references - 1 })),
      ),
    pipes: finished && sameBut(before.pipes, after.pipes, (_, now) => now === undefined),
    requests: operation.op === "virtq_complete" && isSame(after.requests, before.requests.slice(1)),
  };
  return allowed[key] === true;
};

/**
 * A step that fails leaves the machine as it was.
 * @rule INV-10 failure @source POSIX (errors without effect); CHERI ISAv9 (traps before effect)
 */
export const noTraceOfFailure: Invariant = (scope) => {
  const { before, after, observation, process } = scope;
  const failed = ["trap", "error", "would-block", "unsupported", "bad-choice", "out-of-frames", "outside-profile"];
  if (!failed.includes(observation.kind) || before === after) return [];
  return (Object.keys(before) as readonly (keyof Machine)[])
    .filter((key) => before[key] !== after[key] && !isLeftBehind(scope, key))
    .map((key) => ({
      rule: "INV-10",
      where: `P${process.toString()}`,
      what: `failed (${observation.kind}) and changed ${key}`,
    }));
};
