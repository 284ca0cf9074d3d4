/** Where capabilities lead: isolation, no stale pointers, guard gaps, and nothing into new memory (INV-1, 2, 9, 11). */
import { permits, type Capability } from "../cheri/index.js";
import { kernelBase, sharedBase } from "../sfork/config.js";
import { registerCount, type Machine } from "../sfork/machine.js";
import type { Range } from "../sfork/relocate.js";
import { covers } from "./grants.js";
import { found, foundHeld } from "./places.js";
import { boundsOf, isIn, isMemory, livingIn, overlaps, pointsInto, reach, regionOf, within } from "./transition.js";
import type { Held } from "./places.js";
import type { Invariant, Scope } from "./transition.js";

/** A capability that everybody may have: to bytes of one shared segment, or the sentry to all of the kernel's page. */
const isCommon = ({ config, format, segments }: Machine, capability: Capability): boolean => {
  const page = BigInt(config.page);
  const [bounds, kernel] = [boundsOf(capability), kernelBase(config)];
  const inSegment = segments.some((_, index) => {
    const start = sharedBase(config) + BigInt(index) * page;
    return within(bounds, { start, end: start + page });
  });
  const isEntry = capability.otype === format.otypes.sentry && bounds.start === kernel && bounds.end === kernel + page;
  return inSegment || (isEntry && capability.address === kernel && !permits(format, capability, "store"));
};

/**
 * Everything that a process holds reaches its own region, a grant, a shared segment or the kernel's entry; what is in
 * flight lies inside its message's grant. A tag in a shared segment would be everybody's (MEM-7).
 * @rule INV-1 isolation @source SFork poster, goals: isolation of µprocesses
 */
export const isolation: Invariant = ({ after, grants, everywhere }) => {
  const isAllowed = ({ owner = -1, kind, number, index, capability }: Held): boolean => {
    const bytes = reach(after, capability);
    const slot = after.processes[owner]?.slot;
    const given = kind === "channel" ? [grants.inFlight[number]?.[index]] : grants.held[owner];
    return (
      kind !== "segment" &&
      (bytes === undefined ||
        (slot !== undefined && within(bytes, regionOf(after, slot))) ||
        given?.some((grant) => grant !== undefined && covers(after, grant, capability)) === true ||
        isCommon(after, capability))
    );
  };
  return everywhere.filter((one) => !isAllowed(one)).map(foundHeld("INV-1", "reaches memory that is not its own"));
};

/**
 * After a fork nothing in the child reaches another process's region, but for its grants.
 * @rule INV-2 stale @source SFork poster, challenges: pointers to the parent
 */
export const noStalePointer: Invariant = ({ after, observation, grants, held }) => {
  if (observation.kind !== "child") return [];
  const { child } = observation;
  // In address spaces of their own nobody's region is another's.
  const { separate } = after.laws;
  const others = livingIn(after).filter(({ ordinal }) => !separate && ordinal !== child);
  const isStale = ({ owner, capability }: Held): boolean => {
    const bytes = owner === child ? reach(after, capability) : undefined;
    const foreign = bytes !== undefined && others.some(({ slot }) => overlaps(bytes, regionOf(after, slot)));
    return foreign && !(grants.held[child] ?? []).some((grant) => covers(after, grant, capability));
  };
  return held.filter(isStale).map(foundHeld("INV-2", "still points to another process"));
};

/**
 * Bounds of memory capabilities stay within one region: no guard gap is entered. (Sealing authority that lost its rights
 * has bounds too, below all regions; they are nobody's.)
 * @rule INV-11 guards @source SFork design: guard gaps; CHERI ISAv9 §3.5.4 (alignment requirements)
 */
export const guardGaps: Invariant = ({ after, everywhere }) => {
  const all = { start: after.config.base, end: sharedBase(after.config) };
  const isInRegion = (bounds: Range): boolean => after.regions.some((_, slot) => within(bounds, regionOf(after, slot)));
  return everywhere
    .filter(({ capability }) => isMemory(after, capability) && overlaps(boundsOf(capability), all))
    .filter(({ capability }) => !isInRegion(boundsOf(capability)))
    .map(foundHeld("INV-11", "leaves its region"));
};

/** A register of the thread that executes another image: it points into the memory that begins. */
const isImage = ({ operation, thread }: Scope, { kind, number }: Held): boolean =>
  operation.op === "exec" && kind === "thread" && number === thread;

/**
 * Nothing points into memory that ended with the step, wherever it is kept and whatever it permits: the sweep is part of it.
 * @rule REUSE-1 swept @source Cornucopia Reloaded (ASPLOS 2024); SFork design: the sweep is part of the step
 */
export const nothingEnded: Invariant = (scope) => {
  const { after, ended, everywhere } = scope;
  return ended.length === 0
    ? []
    : everywhere
        .filter((one) => !isImage(scope, one))
        .filter((one) => ended.some((range) => isIn(after, range, one) && pointsInto(after, one.capability, range)))
        .map(foundHeld("REUSE-1", "points into memory that ended"));
};

/**
 * New memory is zero, and nothing points into it but what the step made. A capability of zero length at an end of the
 * range may be the neighbour's, and tells nothing.
 * @rule INV-9 fresh @source POSIX mmap; SFork design: reuse of regions
 */
export const freshMemory: Invariant = (scope) => {
  const { after, began, observation, operation, thread, granules, everywhere } = scope;
  const born = observation.kind === "child" ? observation.child : undefined;
  const dirty = granules.filter(
    ({ owner, old, now }) => owner !== born && old === undefined && (now.tag || now.bits !== 0n),
  );
  const made = (one: Held): boolean => {
    if (one.owner === born && born !== undefined) return true;
    const own = one.kind === "thread" && one.number === thread;
    return isImage(scope, one) || (own && operation.op === "mmap" && one.index === operation.cd % registerCount);
  };
  const pointing = (began.length === 0 ? [] : everywhere).filter(
    (one) =>
      !made(one) &&
      isMemory(after, one.capability) &&
      began.some((range) => isIn(after, range, one) && overlaps(boundsOf(one.capability), range)),
  );
  return [
    ...dirty.map(found("INV-9", "is new and not zero")),
    ...pointing.map(foundHeld("INV-9", "points into new memory")),
  ];
};
