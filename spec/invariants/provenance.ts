/** Where capabilities come from: monotonicity and no forgery (INV-5, INV-7). */
import { isSealed, permissionMask, permits, type Capability, type Permission } from "../cheri/index.js";
import { sharedBase } from "../sfork/config.js";
import { integer, register, type Context } from "../sfork/context.js";
import type { OperationName } from "../sfork/operation.js";
import { initial } from "../sfork/machine.js";
import { imageOf, viewGranule } from "./view.js";
import { foundHeld, holding } from "./places.js";
import { boundsOf, decoded, regionOf, sameCapability, sameGranule, within } from "./transition.js";
import type { Held } from "./places.js";
import type { Invariant, Scope, Transition } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

const contextOf = ({ before, thread, process }: Transition): Context => ({
  machine: before,
  format: before.format,
  thread,
  process,
});

/** The tagged granules that lie wholly in `[address, address + size)`, as the owners of their pages see them. */
const granulesIn = ({ before }: Transition, address: bigint, size: bigint): readonly Capability[] => {
  const { granule } = before.format;
  const first = (address + granule - 1n) / granule;
  const count = Number((address + size) / granule - first);
  return flatMap(
    Array.from({ length: Math.max(0, count) }, (_, index) => viewGranule(before, (first + BigInt(index)) * granule)),
    (seen) => (seen?.tag === true ? [decoded(before, seen)] : []),
  );
};

/** The capability has the right, or its format does not know it. */
const allows = ({ before: { format } }: Transition, capability: Capability | undefined, right: Permission): boolean =>
  capability !== undefined && (format.permissionBits[right] === undefined || permits(format, capability, right));

/** The capabilities in `cs1` and `cs2`, where the operation has them. */
const operandsOf = (transition: Transition): readonly [cs1?: Capability, cs2?: Capability] => {
  const { operation } = transition;
  const context = contextOf(transition);
  if (!("cs1" in operation)) return [];
  const cs1 = register(context, operation.cs1);
  return "cs2" in operation ? [cs1, register(context, operation.cs2)] : [cs1];
};

/** The registers of process 0 at the start, as they are in the region of the process that executes another image. */
const startImage = ({ before, process }: Transition): readonly Capability[] => {
  const { config, format } = before;
  const [first] = initial(config).threads;
  const [from, to] = [regionOf(before, 0), regionOf(before, before.processes[process]?.slot ?? 0)];
  return [...(first?.registers ?? []), ...(first === undefined ? [] : [first.pcc])].map((capability) =>
    imageOf(format, capability, from.start, to.start, from.end - from.start),
  );
};

/** Operations that store, and store no capability; what they are given is authority for bytes. */
const storesBytes = /^(store\.|memset|read|write)/;

/** What a step that succeeded may pass on: its operands, and what it read from memory or from a channel. */
const sourcesOf = (transition: Transition): readonly (Capability | undefined)[] => {
  const { before, operation, thread, observation } = transition;
  const { format, channels } = before;
  const own = before.threads[thread];
  const [cs1, cs2] = operandsOf(transition);
  const at = (capability: Capability | undefined, n = 0n): bigint =>
    format.plainAddress(BigInt.asUintN(Number(format.addressBits), (capability?.address ?? 0n) + n));
  const loaded = (authority: Capability | undefined, n: bigint, size: bigint): readonly Capability[] =>
    allows(transition, authority, "load-cap") ? granulesIn(transition, at(authority, n), size) : [];
  // A capability is stored as one only through the right to store it, and a local one through another (MEM-3).
  const storable = (capability: Capability | undefined): boolean =>
    allows(transition, cs1, "store-cap") &&
    (allows(transition, capability, "global") || allows(transition, cs1, "store-local"));
  if (operation.op === "loadcap") return loaded(cs1, integer(contextOf(transition), operation.n), format.granule);
  if (operation.op === "storecap") return [cs2].filter(storable);
  if (operation.op === "cmemcpy") {
    const congruent = observation.kind === "none" && (at(cs1) - at(cs2)) % format.granule === 0n;
    return congruent ? loaded(cs2, 0n, integer(contextOf(transition), operation.n)).filter(storable) : [];
  }
  if (operation.op === "recvcap") return [channels[operation.channel % channels.length]?.messages[0]];
  if (operation.op === "getaltstack") return [before.processes[transition.process]?.alternateStack];
  if (operation.op === "exec") return startImage(transition);
  if (operation.op === "sigaction" && typeof operation.action === "object")
    return [operation.action.code, operation.action.data].map((index) => register(contextOf(transition), index));
  if (operation.op === "call_enter") return operandsOf({ ...transition, operation: operation.call });
  if (operation.op === "cinvoke") return [cs1, cs2];
  if (operation.op === "thread") return [...(own?.registers ?? []), own?.pcc];
  if (operation.op === "cgetpcc" || operation.op === "cjalr") return [own?.pcc, cs1];
  return storesBytes.test(operation.op) ? [] : [cs1];
};

const makesSentries: readonly OperationName[] = ["csealentry", "cbuildcap", "cjalr"];

/** May the step change the seal of `source` to that of `derived`, by the authority that its rule demands? */
const maySeal = (transition: Transition, derived: Capability, source: Capability): boolean => {
  const { operation, before } = transition;
  const { format } = before;
  const [cs1, cs2] = operandsOf(transition);
  const authorised = (right: Permission, otype: bigint): boolean =>
    cs2?.tag === true &&
    !isSealed(format, cs2) &&
    permits(format, cs2, right) &&
    cs2.address === otype &&
    within({ start: otype, end: otype + 1n }, boundsOf(cs2));
  if (isSealed(format, derived)) {
    if (isSealed(format, source)) return false;
    if (derived.otype === format.otypes.sentry) return makesSentries.includes(operation.op);
    return (operation.op === "cseal" || operation.op === "ccseal") && authorised("seal", derived.otype);
  }
  if (operation.op === "cunseal") return authorised("unseal", source.otype);
  if (operation.op === "cjalr") return source.otype === format.otypes.sentry;
  return operation.op === "cinvoke" && cs1?.otype === cs2?.otype && permits(format, source, "invoke");
};

/** `derived` gives no more than `source`: bounds, permissions, seal. What is sealed stays as it is. */
const isDerivable = (transition: Transition, derived: Capability, source: Capability | undefined): boolean => {
  if (source?.tag !== true || derived.base < source.base || derived.top > source.top) return false;
  if ((derived.permissions & ~source.permissions) !== 0n) return false;
  if (derived.otype !== source.otype) return maySeal(transition, derived, source);
  return !isSealed(transition.before.format, source) || isMoved(derived, source);
};

/** The same capability, but perhaps with fewer rights: what loads, stores and channels make of it. */
const isMoved = (derived: Capability, source: Capability | undefined): boolean =>
  source?.tag === true &&
  derived.base === source.base &&
  derived.top === source.top &&
  derived.address === source.address &&
  derived.otype === source.otype;

/** What the kernel's capabilities to new memory, and to segments, may permit: to read and write, or to execute. */
const rootRights: readonly (readonly Permission[])[] = [
  ["load", "store", "load-cap", "store-cap", "global", "invoke", "mutable-load", "elevate-level"],
  ["load", "execute", "load-cap", "store-cap", "store-local", "global", "invoke", "mutable-load", "elevate-level"],
];

/** A root is new authority: over memory that the step made, or a whole segment, and over nothing else. */
const isRoot = ({ before, began, operation }: Transition, made: Capability): boolean => {
  const { format, config, segments } = before;
  const shared = segments.map((_, index) => {
    const start = sharedBase(config) + BigInt(index * config.page);
    return { start, end: start + BigInt(config.page) };
  });
  // New pages of one mapping lie side by side.
  const mapped = { start: began[0]?.start ?? 0n, end: began.at(-1)?.end ?? 0n };
  const ranges = operation.op === "mmap" ? [mapped] : operation.op === "shm" ? shared : [];
  return (
    !isSealed(format, made) &&
    ranges.some((range) => within(boundsOf(made), range)) &&
    rootRights.some((words) => (made.permissions & ~permissionMask(format.permissionBits, words)) === 0n)
  );
};

/** Tagged capabilities that the step wrote, wherever; a child's are the image of its parent's (INV-3). */
const writtenIn = ({ before, after, observation, granules, registers, kernel, inFlight }: Scope): readonly Held[] => {
  const child = observation.kind === "child" ? observation.child : -1;
  return [
    ...granules
      .filter(({ owner, old, now }) => now.tag && owner !== child && !sameGranule(old, now))
      .map((one) => holding(one, decoded(after, one.now))),
    ...[...registers, ...kernel]
      .filter(({ owner, old, now }) => now.tag && owner !== child && (old === undefined || !sameCapability(old, now)))
      .map((one) => holding(one, one.now)),
    ...inFlight.filter(
      ({ number, capability }) =>
        before.channels[number]?.messages.some((old) => sameCapability(old, capability)) !== true,
    ),
  ];
};

/**
 * Every tagged capability that a step writes gives no more than one that it was given or read; new roots come only from
 * mmap and shm.
 * @rule INV-5 monotonicity @source CHERI ISAv9 §2 (capability monotonicity)
 */
export const monotonicity: Invariant = (scope) => {
  const written = writtenIn(scope);
  const sources = written.length === 0 ? [] : sourcesOf(scope);
  return written
    .filter(({ capability }) => !sources.some((source) => isDerivable(scope, capability, source)))
    .filter(({ capability }) => !isRoot(scope, capability))
    .map(foundHeld("INV-5", "derives from nothing that the step read"));
};

/**
 * What is tagged comes from something tagged. In memory and in channels it is that very capability, but perhaps with fewer
 * rights.
 * @rule INV-7 forgery @source CHERI ISAv9 §2 (capability provenance)
 */
export const noForgery: Invariant = (scope) => {
  const written = writtenIn(scope);
  const sources = written.length === 0 ? [] : sourcesOf(scope).filter((source) => source?.tag === true);
  return written
    .filter(({ kind, capability }) =>
      kind === "thread"
        ? sources.length === 0 && !isRoot(scope, capability)
        : !sources.some((source) => isMoved(capability, source)),
    )
    .map(foundHeld("INV-7", "is tagged, and comes from nothing tagged"));
};
