/** What a step may not touch: other processes' views (INV-6), and, where it fails, anything at all (INV-10). */
import { inBounds, isSealed, permits } from "../cheri/index.js";
import { integer, register, type Context } from "../sfork/context.js";
import type { Machine } from "../sfork/machine.js";
import type { OperationName } from "../sfork/operation.js";
import type { Range } from "../sfork/relocate.js";
import { decoded, found, isLive, pointsInto, sameCapability, sameGranule, sameProtection } from "./transition.js";
import type { Invariant, Place, Scope, Transition } from "./transition.js";

/** Bytes that an operation stores, where that does not depend on its operands. */
const sizes = { "store.b": 1n, "store.h": 2n, "store.w": 4n, "store.d": 8n } as const;
const storedBytes: Readonly<Partial<Record<OperationName, bigint>>> = sizes;

/** The bytes that a step was told to store to, if the capability for it authorises them. */
const storedTo = ({ before, operation, thread, process, observation }: Transition): Range | undefined => {
  const context: Context = { machine: before, format: before.format, thread, process };
  if (observation.kind !== "none" || !("cs1" in operation)) return undefined;
  const isRun = operation.op === "memset" || operation.op === "cmemcpy";
  const single = operation.op === "storecap" ? before.format.granule : storedBytes[operation.op];
  const size = isRun ? integer(context, operation.n) : (single ?? 0n);
  const authority = register(context, operation.cs1);
  const offset = operation.op.startsWith("store") && "n" in operation ? integer(context, operation.n) : 0n;
  const bits = Number(before.format.addressBits);
  const start = before.format.plainAddress(BigInt.asUintN(bits, authority.address + offset));
  const allowed =
    size > 0n &&
    authority.tag &&
    !isSealed(before.format, authority) &&
    permits(before.format, authority, "store") &&
    inBounds(authority, start, size);
  return allowed ? { start, end: start + size } : undefined;
};

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The bits of a granule that bytes of a range make up. */
const bitsWithin = (address: bigint, granule: bigint, range: Range): bigint => {
  const from = most(range.start - address, 0n);
  const to = least(range.end - address, granule);
  return from < to ? ((1n << (8n * (to - from))) - 1n) << (8n * from) : 0n;
};

const memoryChanged = (scope: Scope): readonly Place[] => {
  const { after, ended, granules } = scope;
  const stored = storedTo(scope);
  return granules.filter(({ address, old, now }) => {
    if (old === undefined || sameGranule(old, now)) return false;
    const mine = stored === undefined ? 0n : bitsWithin(address, after.format.granule, stored);
    const swept = old.tag && !now.tag && ended.some((range) => pointsInto(after, decoded(after, old), range));
    return ((old.bits ^ now.bits) & ~mine) !== 0n || (old.tag !== now.tag && mine === 0n && !swept);
  });
};

/** Registers of threads other than the one that took the step lose tags in a sweep, and are otherwise left alone. */
const registersChanged = ({ after, thread, ended, registers }: Scope): readonly Place[] =>
  registers.filter(({ number, old, now }) => {
    if (number === thread || old === undefined || sameCapability(old, now)) return false;
    const cleared = sameCapability({ ...old, tag: false }, now);
    return !cleared || !ended.some((range) => pointsInto(after, old, range));
  });

/** Who lives, where, by what name, and with which threads. */
const othersChanged = ({ before, after, process, observation }: Scope): readonly string[] => {
  const waited = observation.kind === "process" ? observation.process : process;
  const processes = before.processes.flatMap((old, ordinal) => {
    const now = after.processes[ordinal];
    const same = now?.pid === old.pid && now.slot === old.slot && now.state === old.state;
    return same || ordinal === process || ordinal === waited ? [] : [`P${ordinal.toString()}`];
  });
  const threads = before.threads.flatMap((old, ordinal) =>
    old.process === process || after.threads[ordinal]?.live === old.live
      ? []
      : [`P${old.process.toString()} thread ${ordinal.toString()}`],
  );
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
    ...[...memoryChanged(scope), ...registersChanged(scope)].map(found("INV-6", `changed ${by}`)),
    ...mapped.map((page) => found("INV-6", `mapped otherwise ${by}`)({ ...page, index: 0 })),
    ...othersChanged(scope).map((where) => ({ rule: "INV-6", where, what: `begun, ended or renamed ${by}` })),
  ];
};

/**
 * A step that fails leaves the machine as it was.
 * @rule INV-10 failure @source POSIX (errors without effect); CHERI ISAv9 (traps before effect)
 */
export const noTraceOfFailure: Invariant = ({ before, after, observation, process }) => {
  const failed = ["trap", "error", "would-block", "unsupported", "bad-choice", "out-of-frames", "outside-profile"];
  if (!failed.includes(observation.kind) || before === after) return [];
  return (Object.keys(before) as readonly (keyof Machine)[])
    .filter((key) => before[key] !== after[key])
    .map((key) => ({
      rule: "INV-10",
      where: `P${process.toString()}`,
      what: `failed (${observation.kind}) and changed ${key}`,
    }));
};
