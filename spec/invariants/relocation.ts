/** What a child is: the image of its parent, granule by granule and register by register (INV-3, INV-4). */
import { zeroGranule, type Capability, type Granule } from "../cheri/index.js";
import { regionBase, registerCount, type Machine } from "../sfork/machine.js";
import type { Range } from "../sfork/relocate.js";
import { granuleImage, imageOf } from "./view.js";
import { found, samePlace } from "./places.js";
import {
  boundsOf,
  decoded,
  frameAt,
  indicesOf,
  isMemory,
  kernelHeld,
  pointsInto,
  regionOf,
  sameCapability,
  sameGranule,
  sameProtection,
  within,
} from "./transition.js";
import type { Place } from "./places.js";
import type { Invariant, Scope } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

/**
 * Is `now` what `old` means `delta` bytes away? Judged by its numbers: those of a memory capability whose bounds lie in
 * the region are the old ones plus the distance, everything else about it is the same; anything else is the same word.
 * @rule INV-3 image @source µFork (SOSP 2025), relocation of tagged pointers; FORK-3
 */
export const isImage = (machine: Machine, from: Range, delta: bigint, old: Capability, now: Capability): boolean => {
  if (!old.tag || !isMemory(machine, old) || !within(boundsOf(old), from)) return sameCapability(old, now);
  return (
    now.tag &&
    now.base === old.base + delta &&
    now.top === old.top + delta &&
    now.address === BigInt.asUintN(Number(machine.format.addressBits), old.address + delta) &&
    now.permissions === old.permissions &&
    now.otype === old.otype &&
    now.flags === old.flags
  );
};

/** A granule of the child, and what it should be the image of: the parent's, before the fork, as the parent saw it. */
interface Pair extends Place {
  readonly old: Granule;
  readonly now: Granule;
}

/** Pages of the parent that the child does not get, as ranges of the parent's region. */
const absentIn = ({ config, regions }: Machine, slot: number): readonly Range[] =>
  flatMap(regions[slot] ?? [], (entry, number) => {
    const start = regionBase(config, slot) + BigInt(number * config.page);
    return entry?.advice.dontFork === true ? [{ start, end: start + BigInt(config.page) }] : [];
  });

/** What takes the tag of a capability away that points into what the child has not got. */
export const withoutAbsent = (machine: Machine, slot: number): ((old: Capability) => Capability) => {
  const absent = absentIn(machine, slot);
  return (old) => (absent.some((range) => pointsInto(machine, old, range)) ? { ...old, tag: false } : old);
};

const pairsOf = ({ before, after, process }: Scope, child: number): readonly Pair[] => {
  const [from, to] = [before.processes[process]?.slot ?? 0, after.processes[child]?.slot ?? 0];
  const [fromBase, toBase] = [regionBase(before.config, from), regionBase(after.config, to)];
  const left = withoutAbsent(before, from);
  return flatMap(after.regions[to] ?? [], (_, number) => {
    const wiped = before.regions[from]?.[number]?.advice.wipeOnFork === true;
    const [parents, own] = [wiped ? undefined : frameAt(before, from, number), frameAt(after, to, number)];
    const memory = own?.memory ?? [];
    return indicesOf(memory, (granule, index) => granule.tag || granule !== parents?.memory[index]).map((index) => {
      const [was = zeroGranule, is = zeroGranule] = [parents?.memory[index], memory[index]];
      const seen = granuleImage(before, was, parents?.home ?? fromBase, fromBase);
      const isAbsent = seen.tag && !left(decoded(before, seen)).tag;
      const old = isAbsent ? { ...granuleImage(before, seen, fromBase, toBase), tag: false } : seen;
      const now = granuleImage(after, is, own?.home ?? toBase, toBase);
      return { owner: child, kind: "page", number, index, old, now };
    });
  });
};

const isNumber = ({ tag, metadata, address }: Capability, n: number): boolean =>
  !tag && metadata === 0n && address === BigInt(n);

const registersOf = (machine: Machine, number: number): readonly Capability[] => {
  const thread = machine.threads[number];
  return thread === undefined ? [] : [...thread.registers, thread.pcc];
};

/**
 * At a fork the child's view is the image of the parent's, with the parent's protections, and so are the registers of its
 * only thread, but for `cd`, which says who is the child; the parent's other registers stay. The child's pid is its own.
 * @rule INV-3 relocation @source µFork (SOSP 2025), relocation
 */
export const exactRelocation: Invariant = (scope) => {
  const { before, after, observation, operation, thread, process } = scope;
  if (observation.kind !== "child" || operation.op !== "fork") return [];
  const { child: owner } = observation;
  const [from, to] = [before.processes[process]?.slot ?? 0, after.processes[owner]?.slot ?? 0];
  const region = regionOf(before, from);
  const delta = regionOf(after, to).start - region.start;
  const left = withoutAbsent(before, from);
  const moved = (old: Capability, now: Capability): boolean => {
    if (!old.tag || left(old).tag) return isImage(after, region, delta, old, now);
    const image = imageOf(after.format, old, region.start, region.start + delta, region.end - region.start);
    return sameCapability({ ...image, tag: false }, now);
  };
  // 1. Memory.
  const memory = pairsOf(scope, owner).filter(({ old, now }) =>
    old.tag && now.tag ? !moved(decoded(after, old), decoded(after, now)) : !sameGranule(old, now),
  );
  const pages = Array.from({ length: after.config.pages }, (_, number): Place => {
    return { owner, kind: "page", number, index: 0 };
  }).filter(({ number }) => {
    const parents = before.regions[from]?.[number];
    const expected = parents?.advice.dontFork === true ? undefined : parents;
    const own = after.regions[to]?.[number];
    return !sameProtection(expected, own) || expected?.advice.wipeOnFork !== own?.advice.wipeOnFork;
  });
  // 2. Registers, of the child's thread and of the parent's: `cd` tells them apart.
  const { pid = 0 } = after.processes[owner] ?? {};
  const threads = flatMap(after.threads, (one, number) => (one.process === owner && one.live ? [number] : []));
  const changed = (number: number, told: number, kept: typeof moved): readonly Place[] => {
    const nows = registersOf(after, number);
    return flatMap(registersOf(before, thread), (old, index) => {
      const now = nows[index];
      const right =
        now !== undefined && (index === operation.cd % registerCount ? isNumber(now, told) : kept(old, now));
      return right ? [] : [{ owner: after.threads[number]?.process, kind: "thread", number, index }];
    });
  };
  const registers = [
    ...flatMap(threads, (number) => changed(number, 0, moved)),
    ...changed(thread, pid, sameCapability),
  ];
  const kept = kernelHeld(before).filter((one) => one.owner === process && one.kind === "handler");
  const keeps = kernelHeld(after).filter((one) => one.owner === owner);
  const kernel = kept.filter(
    (one) => !keeps.some((own) => samePlace({ ...one, owner }, own) && moved(one.capability, own.capability)),
  );
  // 3. Who it is.
  const where = `P${owner.toString()}`;
  const namesakes = after.processes.filter((one) => one.pid === pid && one.state.kind !== "reaped");
  return [
    ...memory.map(found("INV-3", "is not the image of the parent's granule")),
    ...pages.map(found("INV-3", "is not protected as the parent's page")),
    ...registers.map(found("INV-3", "is not what the parent's register becomes")),
    ...kernel.map(found("INV-3", "has no image that the kernel keeps for the child")),
    ...(kept.length === keeps.length ? [] : [{ rule: "INV-3", where, what: "has more that the kernel keeps" }]),
    ...(threads.length === 1 ? [] : [{ rule: "INV-3", where, what: "has not one thread" }]),
    ...(namesakes.length === 1 ? [] : [{ rule: "FORK-1", where, what: "has somebody else's pid" }]),
  ];
};

/**
 * At a fork the child has as many tags as the parent, in the same places.
 * @rule INV-4 tags @source SFork poster: tags survive the copy
 */
export const tagConservation: Invariant = (scope) =>
  scope.observation.kind !== "child"
    ? []
    : pairsOf(scope, scope.observation.child)
        .filter(({ old, now }) => old.tag !== now.tag)
        .map(found("INV-4", "gained or lost its tag"));
