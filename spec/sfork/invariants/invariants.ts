/**
 * The invariants that hold after every step, each as a function that lists violations (INV-1 to INV-11, INV-13).
 *
 * `since` given, a function looks only at what the step touched; without it, at everything. Steps that begin or end
 * memory, or a process, are always looked at in full.
 */
import { isSealed, type Capability, type Granule } from "../../cheri/index.js";
import { kernelBase, sharedBase } from "../config.js";
import type { Context } from "../context.js";
import { integer, register, threadOf } from "../context.js";
import type { Machine } from "../machine.js";
import { effective, readGranule } from "../memory-access.js";
import type { Observation } from "../observation.js";
import type { Operation } from "../operation.js";
import { place } from "../paging.js";
import { meets, type Range } from "../relocate.js";
import { granuleImage, imageOf, viewPage, viewRegion } from "../view.js";
import { covers, type Grants } from "./grants.js";
import { held, inFlight, livingIn, overlaps, pageChanged, reach, regionOf, within, type Held } from "./held.js";

export interface Violation {
  readonly rule: string;
  /** Granule or register, with its owner. */
  readonly where: string;
  readonly what: string;
}

/** A step that was taken, and what a check needs to know of it. */
export interface Transition {
  readonly before: Machine;
  readonly operation: Operation;
  /** Who took it. */
  readonly thread: number;
  readonly process: number;
  readonly observation: Observation;
  readonly after: Machine;
  readonly grantsBefore: Grants;
  readonly grants: Grants;
  /** Ranges that ended, and ranges that began, with this step. */
  readonly ended: readonly Range[];
  readonly began: readonly Range[];
  /** The same program with eager copies, as far as it can be compared. */
  readonly ghost: Machine | undefined;
}

export type Invariant = (transition: Transition, since: Machine | undefined) => readonly Violation[];

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const print = ({ base, top }: Capability): string => `[${hex(base)}, ${hex(top)})`;

const violation =
  (rule: string, what: string) =>
  ({ where, capability }: Held): Violation => ({ rule, where, what: `${what}: ${print(capability)}` });

const segments = ({ config }: Machine): Range => ({ start: sharedBase(config), end: kernelBase(config) });

const isKernelEntry = ({ config }: Machine, capability: Capability): boolean => capability.base === kernelBase(config);

/**
 * Everything that a process holds reaches its own region, a grant, a shared segment or a kernel entry; what is in flight
 * lies inside its message's grant.
 * @rule INV-1 isolation @source SFork poster, goals: isolation of µprocesses
 */
export const isolation: Invariant = ({ after, grants }, since) => {
  const allowed = ({ owner, capability }: Held): boolean => {
    const bytes = reach(after, capability);
    const process = owner === undefined ? undefined : after.processes[owner];
    return (
      bytes === undefined ||
      (process !== undefined && within(bytes, regionOf(after, process.slot))) ||
      within(bytes, segments(after)) ||
      isKernelEntry(after, capability) ||
      (owner !== undefined && (grants.held[owner] ?? []).some((grant) => covers(after, grant, capability)))
    );
  };
  const flying = inFlight(after).filter(({ channel, position, capability }) => {
    const grant = grants.inFlight[channel]?.[position];
    const bytes = reach(after, capability);
    if (bytes === undefined || within(bytes, segments(after)) || isKernelEntry(after, capability)) return false;
    return grant === undefined || !covers(after, grant, capability);
  });
  return [
    ...held(after, since)
      .filter((one) => !allowed(one))
      .map(violation("INV-1", "reaches memory that is not its own")),
    ...flying.map(({ channel, position, capability }) => ({
      rule: "INV-1",
      where: `channel ${channel.toString()} message ${position.toString()}`,
      what: `is outside its grant: ${print(capability)}`,
    })),
  ];
};

/**
 * After a fork nothing in the child reaches another process's region, but for its grants.
 * @rule INV-2 stale @source SFork poster, challenges: pointers to the parent
 */
export const noStalePointer: Invariant = ({ after, observation, grants }) => {
  if (observation.kind !== "child") return [];
  const { child } = observation;
  const others = livingIn(after).filter(({ ordinal }) => ordinal !== child);
  const stale = ({ capability }: Held): boolean => {
    const bytes = reach(after, capability);
    const foreign = bytes !== undefined && others.some(({ slot }) => overlaps(bytes, regionOf(after, slot)));
    return foreign && !(grants.held[child] ?? []).some((grant) => covers(after, grant, capability));
  };
  return held(after)
    .filter(({ owner }) => owner === child)
    .filter(stale)
    .map(violation("INV-2", "still points to another process"));
};

const sameGranule = (a: Granule | undefined, b: Granule | undefined): boolean =>
  a?.tag === b?.tag && a?.bits === b?.bits;

/**
 * At a fork the child's view is the image of the parent's, granule by granule and register by register.
 * @rule INV-3 relocation @source µFork (SOSP 2025), relocation
 */
export const exactRelocation: Invariant = ({ before, after, observation, operation, thread, process }) => {
  if (observation.kind !== "child" || operation.op !== "fork") return [];
  const parentSlot = before.processes[process]?.slot ?? 0;
  const childSlot = after.processes[observation.child]?.slot ?? 0;
  const [from, to] = [regionOf(after, parentSlot), regionOf(after, childSlot)];
  const child = viewRegion(after, childSlot);
  const memory = viewRegion(before, parentSlot).flatMap((page, index) =>
    (page?.granules ?? []).flatMap((granule, at) => {
      const expected = granuleImage(after, granule, from.start, to.start);
      if (sameGranule(expected, child[index]?.granules[at])) return [];
      const where = `P${observation.child.toString()} page ${index.toString()} granule ${at.toString()}`;
      return [{ rule: "INV-3", where, what: "is not the image of the parent's granule" }];
    }),
  );
  const registers = (before.threads[thread]?.registers ?? []).flatMap((capability, index) => {
    const expected = imageOf(after.format, capability, from.start, to.start, from.end - from.start);
    const actual = after.threads.at(-1)?.registers[index];
    const same =
      actual?.tag === expected.tag && actual.metadata === expected.metadata && actual.address === expected.address;
    if (same || index === operation.cd % 16) return [];
    const where = `P${observation.child.toString()} c${index.toString()}`;
    return [{ rule: "INV-3", where, what: `is not the image of the parent's ${print(capability)}` }];
  });
  return [...memory, ...registers];
};

/**
 * At a fork the child has as many tags as the parent, in the same places.
 * @rule INV-4 tags @source SFork poster: tags survive the copy
 */
export const tagConservation: Invariant = ({ before, after, observation, process }) => {
  if (observation.kind !== "child") return [];
  const child = viewRegion(after, after.processes[observation.child]?.slot ?? 0);
  return viewRegion(before, before.processes[process]?.slot ?? 0).flatMap((page, index) =>
    (page?.granules ?? []).flatMap((granule, at) => {
      if (granule.tag === child[index]?.granules[at]?.tag) return [];
      const where = `P${observation.child.toString()} page ${index.toString()} granule ${at.toString()}`;
      return [{ rule: "INV-4", where, what: granule.tag ? "lost its tag" : "gained a tag" }];
    }),
  );
};

/** Operations that may unseal, by the authority that their rule demands. */
const unsealing: readonly Operation["op"][] = ["cunseal", "cinvoke", "cjalr"];

/** `derived` gives no more than `source`: reach, permissions, sealing. */
const isDerivable = (machine: Machine, operation: Operation, derived: Capability, source: Capability): boolean =>
  source.tag &&
  derived.base >= source.base &&
  derived.top <= source.top &&
  (derived.permissions & ~source.permissions) === 0n &&
  (!isSealed(machine.format, source) ||
    unsealing.includes(operation.op) ||
    (derived.otype === source.otype && derived.base === source.base && derived.top === source.top));

/** The granule at an address as the owner of its page sees it. */
const seenAt = (machine: Machine, address: bigint): Capability => {
  const where = place(machine, address);
  const raw = readGranule(machine, address);
  const entry = where.kind === "page" ? machine.regions[where.page.slot]?.[where.page.index] : undefined;
  const frame = entry === undefined ? undefined : machine.frames[entry.frame];
  if (where.kind !== "page" || frame === undefined) return raw;
  const own = regionOf(machine, where.page.slot);
  return imageOf(machine.format, raw, frame.home, own.start, own.end - own.start);
};

/** Capabilities that a step read from memory or a channel. */
const readBy = ({ before, operation, thread, process }: Transition): readonly Capability[] => {
  const context: Context = { machine: before, format: before.format, thread, process };
  if (operation.op === "loadcap") {
    const address = effective(before.format, register(context, operation.cs1), integer(context, operation.n));
    return [seenAt(before, address)];
  }
  return operation.op === "recvcap" ? inFlight(before).map(({ capability }) => capability) : [];
};

/**
 * Every tagged capability that a step writes to a register is no more than something tagged that it read; new roots come
 * only from mmap and shm.
 * @rule INV-5 monotonicity @source CHERI ISAv9 §2 (capability monotonicity)
 */
export const monotonicity: Invariant = (transition) => {
  const { before, after, operation, thread, process, observation } = transition;
  if (operation.op === "mmap" || operation.op === "shm" || observation.kind === "child") return [];
  const context: Context = { machine: before, format: before.format, thread, process };
  const old = threadOf(context);
  const now = after.threads[thread];
  if (now === undefined || now === old) return [];
  const sources = [...old.registers, old.pcc, ...readBy(transition)];
  return [...now.registers, now.pcc].flatMap((capability, index) => {
    if (!capability.tag || capability === [...old.registers, old.pcc][index]) return [];
    if (sources.some((source) => isDerivable(before, operation, capability, source))) return [];
    const where = `P${process.toString()} ${index < now.registers.length ? `c${index.toString()}` : "pcc"}`;
    return [{ rule: "INV-5", where, what: `derives from nothing that the step read: ${print(capability)}` }];
  });
};

/** Bytes that the step may have changed in other processes' memory: the reach of what it stored through. */
const storedThrough = ({ before, operation, thread, process }: Transition): Range | undefined => {
  const context: Context = { machine: before, format: before.format, thread, process };
  if (!("cs1" in operation) || !/^(store|memset|cmemcpy)/.test(operation.op)) return undefined;
  return reach(before, register(context, operation.cs1));
};

/**
 * A step changes nobody else's view but through a grant, and tags of what the step ended.
 * @rule INV-6 interference @source SFork poster, goals: isolation of µprocesses
 */
export const nonInterference: Invariant = (transition, since) => {
  const { before, after, process, ended } = transition;
  const reached = storedThrough(transition);
  return livingIn(after)
    .filter(({ ordinal }) => ordinal !== process && before.processes[ordinal]?.state.kind === "live")
    .flatMap(({ ordinal, slot }) =>
      (after.regions[slot] ?? []).flatMap((_, index) => {
        if (since !== undefined && !pageChanged(before, after, slot, index)) return [];
        const [old, now] = [viewPage(before, slot, index), viewPage(after, slot, index)];
        const start = regionOf(after, slot).start + BigInt(index * after.config.page);
        return (old?.granules ?? []).flatMap((granule, at) => {
          const seen = now?.granules[at];
          if (sameGranule(granule, seen)) return [];
          const range = {
            start: start + BigInt(at) * after.format.granule,
            end: start + BigInt(at + 1) * after.format.granule,
          };
          const granted = reached !== undefined && overlaps(reached, range);
          const capability = after.format.decode(after.format.fromMemory(granule.bits), true);
          const swept =
            seen?.bits === granule.bits && !seen.tag && ended.some((one) => meets(after.format, capability, one));
          const where = `P${ordinal.toString()} granule ${hex(range.start)}`;
          return granted || swept
            ? []
            : [{ rule: "INV-6", where, what: `changed by a step of P${process.toString()}` }];
        });
      }),
    );
};

/** The granules that a copy may have read, as their owners see them. */
export const sourceGranules = ({
  before,
  operation,
  thread,
  process,
  observation,
}: Transition): readonly Capability[] => {
  if (operation.op !== "cmemcpy" || observation.kind !== "none") return [];
  const context: Context = { machine: before, format: before.format, thread, process };
  const source = register(context, operation.cs2);
  const size = integer(context, operation.n);
  const first = before.format.plainAddress(source.address) / before.format.granule;
  const count = size > 0n && size <= source.top - source.base ? Number(size / before.format.granule) + 2 : 0;
  return Array.from({ length: count }, (_, index) => seenAt(before, (first + BigInt(index)) * before.format.granule));
};
