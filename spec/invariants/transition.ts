/**
 * A step that was taken, as the invariants look at it: what every process sees before and after, and where that differs.
 *
 * The full form looks at everything. The incremental form looks at what the step touched: what is the same value as before
 * was not touched. A step that begins or ends memory is always looked at in full, for it can make wrong what it left alone.
 */
import { permits, zeroGranule } from "../cheri/index.js";
import type { Capability, Granule, Permission, TaggedMemory } from "../cheri/index.js";
import { regionSize, sharedBase } from "../sfork/config.js";
import { holding, samePlace, type Held, type Place, type Violation } from "./places.js";
import { regionBase, registerCount, type Frame, type Machine, type PageEntry } from "../sfork/machine.js";
import type { Observation } from "../sfork/observation.js";
import type { Operation } from "../sfork/operation.js";
import type { Range } from "../sfork/relocate.js";
import { granuleImage } from "./view.js";
import { flatMap } from "../sfork/lists.js";

/** Foreign memory that a process holds legitimately, by channel (CHAN-2). */
export interface Grant {
  /** The process whose memory it is. */
  readonly owner: number;
  readonly range: Range;
  /** Rights that may be held over it: never to load or store capabilities, so that a grant cannot grant further. */
  readonly permissions: bigint;
}

export interface Grants {
  /** By process. */
  readonly held: readonly (readonly Grant[])[];
  /** By channel, one for each message; undefined where the message needs none. */
  readonly inFlight: readonly (readonly (Grant | undefined)[])[];
}

/** A range of a slot's region: where each process has an address space of its own, the same addresses are in many. */
export interface Extent extends Range {
  readonly slot: number;
}

/** A step that was taken, and what a check needs to know of it. */
export interface Transition {
  readonly before: Machine;
  readonly operation: Operation;
  /** Who took it. */
  readonly thread: number;
  readonly process: number;
  readonly observation: Observation;
  /** Signals that were taken. Their effect is a transition of its own, before that of the operation. */
  readonly signals: readonly number[];
  readonly after: Machine;
  readonly grantsBefore: Grants;
  readonly grants: Grants;
  /** What ended, and what began, with this step. */
  readonly ended: readonly Extent[];
  readonly began: readonly Extent[];
  /** The same program with eager copies, as far as it can be compared. */
  readonly ghostBefore: Machine | undefined;
  readonly ghost: Machine | undefined;
}

/** A step that was taken, and nothing more. */
export type Moved = Omit<Transition, "grants" | "grantsBefore" | "ended" | "began">;

/** A page of a live process; undefined where it is not mapped. */
interface PageSeen extends Omit<Place, "index"> {
  readonly slot: number;
  readonly address: bigint;
  readonly old: PageEntry | undefined;
  readonly now: PageEntry | undefined;
}

/** A granule as its owner sees it, and as it would after eager copies; undefined where it is not mapped. */
interface GranuleSeen extends Place {
  readonly address: bigint;
  readonly old: Granule | undefined;
  readonly now: Granule;
  readonly eager: Granule | undefined;
}

/** A register of a live thread; `old` is undefined where the thread is new. */
interface RegisterSeen extends Place {
  readonly old: Capability | undefined;
  readonly now: Capability;
}

/** What one of the forms looks at. */
export interface Scope extends Transition {
  readonly full: boolean;
  readonly pages: readonly PageSeen[];
  /** Granules that are tagged, or differ. */
  readonly granules: readonly GranuleSeen[];
  readonly registers: readonly RegisterSeen[];
  /** What the kernel keeps for live processes, and in requests. */
  readonly kernel: readonly RegisterSeen[];
  /** Memory capabilities in these. */
  readonly held: readonly Held[];
  /** All messages in flight. */
  readonly inFlight: readonly Held[];
  /** Both. */
  readonly everywhere: readonly Held[];
}

export type Invariant = (scope: Scope) => readonly Violation[];

/** Live processes with their slots. */
export const livingIn = (machine: Machine): readonly { readonly ordinal: number; readonly slot: number }[] =>
  flatMap(machine.processes, ({ slot, state }, ordinal) => (state.kind === "live" ? [{ ordinal, slot }] : []));

export const isLive = (machine: Machine, process: number): boolean => machine.processes[process]?.state.kind === "live";

export const regionOf = ({ config }: Machine, slot: number): Range => {
  const start = regionBase(config, slot);
  return { start, end: start + regionSize(config) };
};

export const boundsOf = ({ base, top }: Capability): Range => ({ start: base, end: top });

export const within = (inner: Range, outer: Range): boolean => inner.start >= outer.start && inner.end <= outer.end;

/** Does an extent lie in the address space of whoever owns a place? */
export const isIn = ({ laws, processes }: Machine, { slot }: Extent, { owner = -1 }: Pick<Place, "owner">): boolean =>
  !laws.separate || processes[owner]?.slot === slot;

export const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;

export const isMemory = ({ format }: Machine, capability: Capability): boolean =>
  !permits(format, capability, "seal") && !permits(format, capability, "unseal");

const rightsToReach: readonly Permission[] = ["load", "store", "execute", "load-cap", "store-cap"];

/** The bytes that a memory capability gives rights over, sealed or not; undefined where it gives none. */
export const reach = (machine: Machine, capability: Capability): Range | undefined =>
  capability.base < capability.top &&
  isMemory(machine, capability) &&
  rightsToReach.some((right) => permits(machine.format, capability, right))
    ? boundsOf(capability)
    : undefined;

/**
 * Do the bounds of a memory capability meet a range? Zero length counts where it stands, the range's ends included.
 * @rule REUSE-1 checked @source Cornucopia Reloaded (ASPLOS 2024), what a sweep revokes
 */
export const pointsInto = (machine: Machine, capability: Capability, range: Range): boolean => {
  const { base, top } = capability;
  const meets = base === top ? base >= range.start && base <= range.end : overlaps({ start: base, end: top }, range);
  return meets && isMemory(machine, capability);
};

export const sameGranule = (a: Granule | undefined, b: Granule | undefined): boolean =>
  a === b || (a?.tag === b?.tag && a?.bits === b?.bits);

export const sameCapability = (a: Capability, b: Capability): boolean =>
  a === b || (a.tag === b.tag && a.metadata === b.metadata && a.address === b.address);

export const sameProtection = (a: PageEntry | undefined, b: PageEntry | undefined): boolean => {
  const [one, two] = [a?.protection, b?.protection];
  return one?.read === two?.read && one?.write === two?.write && one?.execute === two?.execute;
};

export const decoded = ({ format }: Machine, { bits }: Granule): Capability =>
  format.decode(format.fromMemory(bits), true);

export const frameAt = (machine: Machine | undefined, slot: number, index: number) => {
  const entry = machine?.regions[slot]?.[index];
  return entry === undefined ? undefined : machine?.frames[entry.frame];
};

const sameMemory = (a: Machine | undefined, b: Machine | undefined): boolean =>
  a?.regions === b?.regions && a?.frames === b?.frames;

const pagesIn = ({ before, after, began, ghostBefore, ghost }: Transition, full: boolean): readonly PageSeen[] => {
  if (!full && sameMemory(before, after) && sameMemory(ghostBefore, ghost)) return [];
  return flatMap(livingIn(after), ({ ordinal: owner, slot }) => {
    const base = regionBase(after.config, slot);
    const fresh = began.filter((extent) => extent.slot === slot);
    return flatMap(after.regions[slot] ?? [], (now, number): readonly PageSeen[] => {
      const address = base + BigInt(number * after.config.page);
      const isNew = fresh.some((extent) => address >= extent.start && address < extent.end);
      const old = isNew ? undefined : before.regions[slot]?.[number];
      const touched =
        old !== now ||
        frameAt(before, slot, number) !== frameAt(after, slot, number) ||
        frameAt(ghostBefore, slot, number) !== frameAt(ghost, slot, number);
      return full || touched ? [{ owner, kind: "page", number, slot, address, old, now }] : [];
    });
  });
};

/** Where granules are of which `isSeen` holds. */
export const indicesOf = (
  memory: TaggedMemory,
  isSeen: (granule: Granule, index: number) => boolean,
): readonly number[] =>
  memory.map((granule, index) => (isSeen(granule, index) ? index : -1)).filter((index) => index >= 0);

/** Granules of a page that are tagged or differ; in the incremental form, those of which anything was touched. */
const granulesOf = (
  { before, after, ghostBefore, ghost }: Transition,
  full: boolean,
  { owner, number, slot, address, old: was }: PageSeen,
): readonly GranuleSeen[] => {
  const [old, now] = [was && frameAt(before, slot, number), frameAt(after, slot, number)];
  const [eagerBefore, eager] = [frameAt(ghostBefore, slot, number), frameAt(ghost, slot, number)];
  const to = regionBase(after.config, slot);
  const isSeen = (granule: Granule, index: number): boolean => {
    const [previous, beside] = [old?.memory[index], eager?.memory[index]];
    // Left out is what has no tag, and is what it was (zero, where it is new) and what an eager copy shows.
    const plain =
      !granule.tag &&
      sameGranule(previous ?? zeroGranule, granule) &&
      (ghost === undefined || sameGranule(granule, beside));
    const kept = previous === granule && old?.home === now?.home && beside === eagerBefore?.memory[index];
    return !plain && (full || !kept);
  };
  const image = (frame: Frame | undefined, index: number): Granule | undefined => {
    const granule = frame?.memory[index];
    return frame === undefined || granule === undefined ? undefined : granuleImage(after, granule, frame.home, to);
  };
  return indicesOf(now?.memory ?? [], isSeen).map((index) => {
    const seen = image(now, index) ?? zeroGranule;
    const isKept = old?.home === now?.home && old?.memory[index] === now?.memory[index];
    return {
      owner,
      kind: "page",
      number,
      index,
      address: address + BigInt(index) * after.format.granule,
      old: isKept ? seen : image(old, index),
      now: seen,
      eager: image(eager, index),
    };
  });
};

/** Granules of shared segments that are tagged or differ. */
const segmentGranules = ({ before, after }: Transition, full: boolean): readonly GranuleSeen[] =>
  flatMap(full || before.segments !== after.segments ? after.segments : [], (segment, number) =>
    !full && segment === before.segments[number]
      ? []
      : flatMap(segment, (now, index): readonly GranuleSeen[] => {
          const old = before.segments[number]?.[index];
          const address =
            sharedBase(after.config) + BigInt(number * after.config.page) + BigInt(index) * after.format.granule;
          const place = { owner: undefined, kind: "segment", number, index, address } as const;
          return old === now && !now.tag ? [] : [{ ...place, old, now, eager: undefined }];
        }),
  );

/** Registers of live threads; in the incremental form, those that are not the same value as before. */
const registersIn = ({ before, after }: Transition, full: boolean): readonly RegisterSeen[] =>
  flatMap(after.threads, (thread, number) => {
    const old = before.threads[number];
    if (!thread.live || (!full && old === thread)) return [];
    return flatMap([...thread.registers, thread.pcc], (now, index): readonly RegisterSeen[] => {
      const was = index < registerCount ? old?.registers[index] : old?.pcc;
      return !full && was === now ? [] : [{ owner: thread.process, kind: "thread", number, index, old: was, now }];
    });
  });

/** What the kernel keeps of capabilities for live processes: handlers, alternate stack, buffers of calls and requests. */
export const kernelHeld = ({ processes, threads, requests }: Machine): readonly Held[] => [
  ...flatMap(processes, ({ state, actions, alternateStack }, owner): readonly Held[] => {
    const handlers = flatMap(Array.from(actions), ([number, action]): readonly Held[] =>
      action === "ignore"
        ? []
        : [action.code, action.data].map((one, index) => holding({ owner, kind: "handler", number, index }, one)),
    );
    const stack = { owner, kind: "handler", number: 0, index: 0, capability: alternateStack } as const;
    return state.kind === "live" ? [...handlers, stack] : [];
  }),
  ...flatMap(threads, ({ process, live, call }, number): readonly Held[] =>
    live && call !== undefined && "buffers" in call
      ? call.buffers.map(({ capability }, index) => ({ owner: process, kind: "call", number, index, capability }))
      : [],
  ),
  ...requests.map(({ process, number, buffer: { capability } }) => {
    return { owner: process, kind: "request", number, index: 0, capability } as const;
  }),
];

/** Are members the same, but for what is allowed of one that changed? */
export const sameBut = <T>(
  olds: readonly T[],
  nows: readonly T[],
  isAllowed: (old: T, now: T, at: number) => boolean,
): boolean =>
  olds === nows ||
  (olds.length === nows.length && nows.every((now, at) => olds[at] === now || isAllowed(olds[at] as T, now, at)));

/** The kernel keeps the very values that it kept before. */
const keepsAll = (before: Machine, after: Machine): boolean =>
  before.requests === after.requests &&
  sameBut(before.threads, after.threads, (old, now) => old.call === now.call && old.live === now.live) &&
  sameBut(
    before.processes,
    after.processes,
    (old, now) => old.actions === now.actions && old.alternateStack === now.alternateStack && old.state === now.state,
  );

/** What the kernel keeps; in the incremental form, where it keeps anything that is not the same value as before. */
const kernelIn = ({ before, after }: Transition, full: boolean): readonly RegisterSeen[] => {
  if (!full && keepsAll(before, after)) return [];
  const olds = kernelHeld(before);
  return kernelHeld(after).map((held) => {
    const { owner, kind, number, index, capability: now } = held;
    return { owner, kind, number, index, now, old: olds.find((old) => samePlace(old, held))?.capability };
  });
};

/** A transition as one of the forms looks at it. */
export const scopeOf = (transition: Transition, form: "full" | "incremental"): Scope => {
  const { after, began, ended } = transition;
  const full = form === "full" || began.length + ended.length > 0;
  const pages = pagesIn(transition, full);
  const granules = [
    ...flatMap(pages, (page) => granulesOf(transition, full, page)),
    ...segmentGranules(transition, full),
  ];
  const registers = registersIn(transition, full);
  const kernel = kernelIn(transition, full);
  const held = [
    ...kernel.filter(({ now }) => now.tag).map((one) => holding(one, one.now)),
    ...granules.filter(({ now }) => now.tag).map((one) => holding(one, decoded(after, one.now))),
    ...registers.filter(({ now }) => now.tag).map((one) => holding(one, one.now)),
  ].filter(({ capability }) => isMemory(after, capability));
  const inFlight = flatMap(after.channels, ({ messages }, number) =>
    flatMap(messages, (capability, index): readonly Held[] =>
      capability.tag ? [{ owner: undefined, kind: "channel", number, index, capability }] : [],
    ),
  );
  const everywhere = inFlight.length === 0 ? held : [...held, ...inFlight];
  const { before, operation, thread, process, observation, signals, grantsBefore, grants, ghostBefore, ghost } =
    transition;
  // Member by member: a spread that adds members takes longer than the rest of a small step.
  return {
    before,
    operation,
    thread,
    process,
    observation,
    signals,
    after,
    grantsBefore,
    grants,
    ended,
    began,
    ghostBefore,
    ghost,
    full,
    pages,
    granules,
    registers,
    kernel,
    held,
    inFlight,
    everywhere,
  };
};
