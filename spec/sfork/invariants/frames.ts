/** The invariants of provenance, frames, fresh memory, failure, guards and commit (INV-7 to INV-11, INV-13). */
import type { Capability, Granule } from "../../cheri/index.js";
import { sharedBase } from "../config.js";
import { register, type Context } from "../context.js";
import type { Machine } from "../machine.js";
import { committed } from "../rules-mapping.js";
import { viewPage } from "../view.js";
import { held, inFlight, livingIn, overlaps, pageChanged, regionOf, within } from "./held.js";
import { sourceGranules, type Invariant, type Transition, type Violation } from "./invariants.js";

/** Every page of every living process, with its views before and after the step. */
const changedGranules = (
  { before, after }: Transition,
  compare: (where: string, old: Granule | undefined, now: Granule) => readonly Violation[],
): readonly Violation[] =>
  livingIn(after).flatMap(({ ordinal, slot }) =>
    (after.regions[slot] ?? []).flatMap((_, index) => {
      if (!pageChanged(before, after, slot, index)) return [];
      const old = viewPage(before, slot, index)?.granules;
      return (viewPage(after, slot, index)?.granules ?? []).flatMap((granule, at) =>
        compare(`P${ordinal.toString()} page ${index.toString()} granule ${at.toString()}`, old?.[at], granule),
      );
    }),
  );

/**
 * A granule that becomes tagged holds the bits of something that was tagged.
 * @rule INV-7 forgery @source CHERI ISAv9 §2 (capability provenance)
 */
export const noForgery: Invariant = (transition) => {
  const { before, operation, thread, process, observation } = transition;
  if (observation.kind === "child") return [];
  const context: Context = { machine: before, format: before.format, thread, process };
  const stored: readonly Capability[] =
    operation.op === "storecap" ? [register(context, operation.cs2)] : sourceGranules(transition);
  const known = stored.filter(({ tag }) => tag);
  return changedGranules(transition, (where, old, { tag, bits }) => {
    const { metadata, address } = before.format.fromMemory(bits);
    const same = tag && old?.tag === true && old.bits === bits;
    // A load or store may have taken rights away, never bounds or the address.
    const copied = known.some(
      (one) => one.address === address && (one.metadata === metadata || operation.op === "cmemcpy"),
    );
    return !tag || same || copied
      ? []
      : [{ rule: "INV-7", where, what: "is tagged, and nothing tagged was stored there" }];
  });
};

/**
 * Reference counts are mappings, nothing is leaked, no frame with several private mappings can be written without a fault,
 * and every page shows what an eager copy shows.
 * @rule INV-8 frames @source SFork design: frames
 */
export const soundFrames: Invariant = ({ after, before, ghost }, since) => {
  const entries = after.regions.flatMap((region, slot) =>
    region.flatMap((entry, index) => (entry === undefined ? [] : [{ entry, slot, index }])),
  );
  const counted = after.frames.flatMap((frame, index) => {
    const mappings = entries.filter(({ entry }) => entry.frame === index).length;
    if ((frame?.references ?? 0) === mappings) return [];
    const what = `counts ${(frame?.references ?? 0).toString()} references, and has ${mappings.toString()} mappings`;
    return [{ rule: "INV-8", where: `frame ${index.toString()}`, what }];
  });
  const writable = entries.flatMap(({ entry, slot, index }) => {
    const shared = (after.frames[entry.frame]?.references ?? 0) > 1;
    const where = `slot ${slot.toString()} page ${index.toString()}`;
    return shared && entry.protection.write && !entry.guard
      ? [{ rule: "INV-8", where, what: "can be written while others map its frame" }]
      : [];
  });
  const unlike =
    ghost === undefined
      ? []
      : entries.flatMap(({ slot, index }) => {
          if (since !== undefined && !pageChanged(before, after, slot, index)) return [];
          const eager = viewPage(ghost, slot, index)?.granules ?? [];
          return (viewPage(after, slot, index)?.granules ?? []).flatMap((granule, at) => {
            const same = granule.tag === eager[at]?.tag && granule.bits === eager[at].bits;
            const where = `slot ${slot.toString()} page ${index.toString()} granule ${at.toString()}`;
            return same ? [] : [{ rule: "INV-8", where, what: "is not what an eager copy shows" }];
          });
        });
  return [...counted, ...writable, ...unlike];
};

/**
 * New memory is zero, and nothing points into it but what the step made.
 * @rule INV-9 fresh @source POSIX mmap; SFork design: reuse of regions
 */
export const freshMemory: Invariant = (transition) => {
  const { before, after, began, observation, operation, process, thread } = transition;
  if (began.length === 0) return [];
  const dirty =
    observation.kind === "child"
      ? []
      : livingIn(after).flatMap(({ slot }) =>
          (after.regions[slot] ?? []).flatMap((_, index) => {
            if (before.regions[slot]?.[index] !== undefined) return [];
            const granules = viewPage(after, slot, index)?.granules ?? [];
            const where = `slot ${slot.toString()} page ${index.toString()}`;
            return granules.some(({ tag, bits }) => tag || bits !== 0n)
              ? [{ rule: "INV-9", where, what: "is new and not zero" }]
              : [];
          }),
        );
  // A capability of zero length at an end of the range may be the neighbour's, and tells nothing.
  const inside = ({ base, top }: Capability): boolean => began.some(({ start, end }) => base < end && top > start);
  const made =
    operation.op === "mmap"
      ? `P${process.toString()} thread ${thread.toString()} c${(operation.cd % 16).toString()}`
      : "";
  const born = observation.kind === "child" ? observation.child : undefined;
  const pointing = [
    ...held(after).filter(({ owner, where }) => owner !== born && where !== made),
    ...inFlight(after).map(({ capability, channel }) => ({ where: `channel ${channel.toString()}`, capability })),
  ]
    .filter(({ capability }) => inside(capability))
    .map(({ where }) => ({ rule: "INV-9", where, what: "points into new memory" }));
  return [...dirty, ...pointing];
};

/**
 * A step that fails leaves the machine as it was.
 * @rule INV-10 failure @source POSIX (errors without effect); CHERI ISAv9 (traps before effect)
 */
export const noTraceOfFailure: Invariant = ({ before, after, observation, process }) => {
  const failed = ["trap", "error", "would-block", "unsupported", "bad-choice", "out-of-frames", "outside-profile"];
  if (!failed.includes(observation.kind) || before === after) return [];
  const keys = Object.keys(before) as readonly (keyof Machine)[];
  return keys.flatMap((key) =>
    before[key] === after[key]
      ? []
      : [{ rule: "INV-10", where: `P${process.toString()}`, what: `failed (${observation.kind}) and changed ${key}` }],
  );
};

/**
 * Bounds of memory capabilities stay within one region: no guard gap is entered. (Sealing authority that lost its rights
 * has bounds too, below all regions; they are nobody's.)
 * @rule INV-11 guards @source SFork design: guard gaps; CHERI ISAv9 §3.5.4 (alignment requirements)
 */
export const guardGaps: Invariant = ({ after }, since) => {
  const regions = after.regions.map((_, slot) => regionOf(after, slot));
  const all = { start: after.config.base, end: sharedBase(after.config) };
  return held(after, since)
    .map(({ where, capability: { base, top } }) => ({ where, bounds: { start: base, end: top } }))
    .filter(({ bounds }) => overlaps(bounds, all) && !regions.some((region) => within(bounds, region)))
    .map(({ where, bounds: { start, end } }) => ({
      rule: "INV-11",
      where,
      what: `leaves its region: 0x${start.toString(16)} to 0x${end.toString(16)}`,
    }));
};

/**
 * Frames in use never exceed what is committed, and that never exceeds the budget.
 * @rule INV-13 commit @source SFork design: commit accounting
 */
export const commitKept: Invariant = ({ after }) => {
  const used = after.frames.filter((frame) => frame !== undefined).length;
  const promised = committed(after);
  const most = after.config.commit === "reserve" ? promised : after.config.frames;
  return used > most || (after.config.commit === "reserve" && promised > after.config.frames)
    ? [
        {
          rule: "INV-13",
          where: "the machine",
          what: `uses ${used.toString()} frames, has committed ${promised.toString()}`,
        },
      ]
    : [];
};
