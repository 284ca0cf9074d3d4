/** What a child is: the image of its parent, granule by granule and register by register (INV-3, INV-4). */
import { zeroGranule, type Capability, type Granule } from "../../cheri/index.js";
import { regionBase, type Machine } from "../machine.js";
import type { Range } from "../relocate.js";
import { granuleImage } from "../view.js";
import {
  boundsOf,
  decoded,
  found,
  frameAt,
  indicesOf,
  isMemory,
  regionOf,
  sameCapability,
  sameGranule,
  sameProtection,
  within,
} from "./transition.js";
import type { Invariant, Place, Scope } from "./transition.js";

/**
 * Is `now` what `old` means `delta` bytes away? Judged by its numbers: those of a memory capability whose bounds lie in
 * the region are the old ones plus the distance, everything else about it is the same; anything else is the same word.
 * @rule INV-3 image @source µFork (SOSP 2025), relocation of tagged pointers; FORK-3
 */
const isImage = (machine: Machine, from: Range, delta: bigint, old: Capability, now: Capability): boolean => {
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

/** A granule of the child, and the parent's before the fork as the parent saw it. */
interface Pair extends Place {
  readonly old: Granule;
  readonly now: Granule;
}

const pairsOf = ({ before, after, process }: Scope, child: number): readonly Pair[] => {
  const [from, to] = [before.processes[process]?.slot ?? 0, after.processes[child]?.slot ?? 0];
  const [fromBase, toBase] = [regionBase(before.config, from), regionBase(after.config, to)];
  return (after.regions[to] ?? []).flatMap((_, number) => {
    const [parents, own] = [frameAt(before, from, number), frameAt(after, to, number)];
    const memory = own?.memory ?? [];
    return indicesOf(memory, (granule, index) => granule.tag || granule !== parents?.memory[index]).map((index) => {
      const [was = zeroGranule, is = zeroGranule] = [parents?.memory[index], memory[index]];
      const old = granuleImage(before, was, parents?.home ?? fromBase, fromBase);
      const now = granuleImage(after, is, own?.home ?? toBase, toBase);
      return { owner: child, kind: "page", number, index, old, now };
    });
  });
};

const isNumber = ({ tag, metadata, address }: Capability, n: number): boolean =>
  !tag && metadata === 0n && address === BigInt(n);

/**
 * At a fork the child's view is the image of the parent's, with the parent's protections, and so are the registers of its
 * only thread, but for `cd`, which says who is the child; the parent's other registers stay.
 * @rule INV-3 relocation @source µFork (SOSP 2025), relocation
 */
export const exactRelocation: Invariant = (scope) => {
  const { before, after, observation, operation, thread, process } = scope;
  if (observation.kind !== "child" || operation.op !== "fork") return [];
  const { child: owner } = observation;
  const parentSlot = before.processes[process]?.slot ?? 0;
  const childSlot = after.processes[owner]?.slot ?? 0;
  const from = regionOf(before, parentSlot);
  const delta = regionOf(after, childSlot).start - from.start;
  const moved = (old: Capability, now: Capability): boolean => isImage(after, from, delta, old, now);
  // 1. Memory.
  const memory = pairsOf(scope, owner).filter(({ old, now }) =>
    old.tag && now.tag ? !moved(decoded(after, old), decoded(after, now)) : !sameGranule(old, now),
  );
  const protections = Array.from({ length: after.config.pages }, (_, number) => number).flatMap((number) =>
    sameProtection(before.regions[parentSlot]?.[number], after.regions[childSlot]?.[number])
      ? []
      : [{ owner, kind: "page", number, index: 0 } as const],
  );
  // 2. The only thread, and the parent's: `cd` tells them apart.
  const parent = before.threads[thread];
  const threads = after.threads.flatMap((one, number) => (one.process === owner && one.live ? [number] : []));
  const registers = [...threads, thread].flatMap((number) => {
    const now = after.threads[number];
    const number0 = number === thread ? (after.processes[owner]?.pid ?? 0) : 0;
    return [...(parent?.registers ?? []), ...(parent === undefined ? [] : [parent.pcc])].flatMap((old, index) => {
      const is = index < (now?.registers.length ?? 0) ? now?.registers[index] : now?.pcc;
      const kept = number === thread ? sameCapability : moved;
      const right = is !== undefined && (index === operation.cd % 16 ? isNumber(is, number0) : kept(old, is));
      return right ? [] : [{ owner: now?.process, kind: "thread", number, index } as const];
    });
  });
  return [
    ...memory.map(found("INV-3", "is not the image of the parent's granule")),
    ...protections.map(found("INV-3", "is not protected as the parent's page")),
    ...registers.map(found("INV-3", "is not what the parent's register becomes")),
    ...(threads.length === 1 ? [] : [{ rule: "INV-3", where: `P${owner.toString()}`, what: "has not one thread" }]),
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
