/** Corner cases of forks: what is inherited, by whom, into which slot, and what is refused. */
import { isSealed, permits, type Capability } from "../../spec/cheri/index.js";
import { regionBase } from "../../spec/sfork/machine.js";
import { isMemoryCapability, liesWithin } from "../../spec/sfork/relocate.js";
import { committed } from "../../spec/sfork/rules-mapping.js";
import { mappedPages } from "../../spec/sfork/paging.js";
import type { CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const on = ["fork"] as const;

/** A capability into the own region, in a register or in memory, that a child inherits. */
const inherits = (evidence: Evidence, like: (capability: Capability) => boolean): boolean => {
  if (childOf(evidence) === undefined) return false;
  const { region, before } = evidence;
  const own = (capability: Capability): boolean =>
    capability.tag && isMemoryCapability(before.format, capability) && liesWithin(capability, region);
  return [...evidence.inheritedRegisters, ...evidence.inheritedCapabilities].some((one) => own(one) && like(one));
};

/** Any tagged capability in memory that a child inherits. */
const inheritsInMemory = (evidence: Evidence, like: (capability: Capability) => boolean): boolean =>
  childOf(evidence) !== undefined && evidence.inheritedCapabilities.some(like);

const childOf = ({ transition: { observation } }: Evidence): number | undefined =>
  observation.kind === "child" ? observation.child : undefined;

const childSlot = (evidence: Evidence): number | undefined => {
  const child = childOf(evidence);
  return child === undefined ? undefined : evidence.after.processes[child]?.slot;
};

/** Bases of regions for which the frames of a slot's pages are meant. */
const homes = ({ after }: Evidence, slot: number): readonly (bigint | undefined)[] =>
  (after.regions[slot] ?? []).flatMap((entry) => (entry === undefined ? [] : [after.frames[entry.frame]?.home]));

const present = ({ before }: Evidence): number =>
  before.processes.filter(({ state }) => state.kind !== "reaped").length;

export const forkCases = {
  "fork-cursor-past-end": {
    description: "a child inherits a capability whose cursor is at its end or beyond",
    on,
    reached: (evidence) => inherits(evidence, ({ address, base, top }) => base < top && address >= top),
  },
  "fork-cursor-below-base": {
    description: "a child inherits a capability whose cursor is below its base",
    on,
    reached: (evidence) => inherits(evidence, ({ address, base }) => address < base),
  },
  "fork-zero-length-at-region-start": {
    description: "a child inherits a capability of no bytes at its parent's first byte",
    on,
    reached: (evidence) => {
      const { start } = evidence.region;
      return inherits(evidence, ({ base, top }) => base === start && top === start);
    },
  },
  "fork-zero-length-at-region-end": {
    description: "a child inherits a capability of no bytes one past its parent's last byte",
    on,
    reached: (evidence) => {
      const { end } = evidence.region;
      return inherits(evidence, ({ base, top }) => base === end && top === end);
    },
  },
  "fork-sealed": {
    description: "a child inherits a capability that was sealed by authority",
    on,
    reached: (evidence) => {
      const { format } = evidence.before;
      return inherits(evidence, (one) => isSealed(format, one) && one.otype !== format.otypes.sentry);
    },
  },
  "fork-sentry-in-memory": {
    description: "a child inherits a sentry in memory",
    on,
    reached: (evidence) => {
      const { format } = evidence.before;
      const { region } = evidence;
      return inheritsInMemory(evidence, (one) => one.otype === format.otypes.sentry && liesWithin(one, region));
    },
  },
  "fork-kernel-entry-in-memory": {
    description: "a child inherits a kernel entry in memory",
    on,
    reached: (evidence) => {
      const { format, config } = evidence.before;
      const end = regionBase(config, config.slots);
      return inheritsInMemory(evidence, (one) => one.otype === format.otypes.sentry && one.base >= end);
    },
  },
  "fork-sealing-authority-in-memory": {
    description: "a child inherits sealing authority in memory",
    on,
    reached: (evidence) => inheritsInMemory(evidence, (one) => !isMemoryCapability(evidence.before.format, one)),
  },
  "fork-number-like-pointer": {
    description: "a child inherits an untagged granule whose address field lies in its parent's region",
    on,
    reached: (evidence) => {
      const { format } = evidence.before;
      const { start, end } = evidence.region;
      return evidence.inherited.some((page) =>
        page.some(({ tag, bits }) => {
          const address = tag || bits === 0n ? undefined : format.fromMemory(bits).address;
          return address !== undefined && address >= start && address < end;
        }),
      );
    },
  },
  "fork-local-capability": {
    description: "a child inherits a local capability",
    on,
    reached: (evidence) => inherits(evidence, (one) => !permits(evidence.before.format, one, "global")),
  },
  "fork-page-full-of-pointers": {
    description: "a child inherits a page of which every granule is tagged",
    on,
    reached: (evidence) => evidence.inherited.some((page) => page.length > 0 && page.every(({ tag }) => tag)),
  },
  "fork-unreadable-pointers": {
    description: "a fork inherits pointers in a page that may not be read",
    on: ["fork"],
    reached: ({ inherited, before, slot }) =>
      inherited.some(
        (page, index) => before.regions[slot]?.[index]?.protection.read === false && page.some(({ tag }) => tag),
      ),
  },
  "fork-of-threads": {
    description: "a process with several threads forks: the child has one",
    on,
    reached: (evidence) =>
      childOf(evidence) !== undefined &&
      evidence.before.threads.filter(({ live, process }) => live && process === evidence.process).length > 1,
  },
  "fork-before-resolving": {
    description: "a child forks while pages that it got from its parent are unresolved",
    on,
    reached: (evidence) => {
      const own = regionBase(evidence.before.config, evidence.slot);
      return childOf(evidence) !== undefined && homes(evidence, evidence.slot).some((home) => home !== own);
    },
  },
  "fork-siblings": {
    description: "a process forks while an earlier child of its own lives",
    on,
    reached: (evidence) => {
      const { before, process } = evidence;
      return (
        childOf(evidence) !== undefined &&
        before.processes.some(
          ({ parent, state }, ordinal) => ordinal !== 0 && parent === process && state.kind === "live",
        )
      );
    },
  },
  "fork-into-home-slot": {
    description: "a child's region is the one for which a frame that it maps is meant: nothing to relocate",
    on,
    reached: (evidence) => {
      const slot = childSlot(evidence);
      const base = slot === undefined ? undefined : regionBase(evidence.after.config, slot);
      const isLazy = evidence.before.config.strategy !== "eager";
      return isLazy && slot !== undefined && homes(evidence, slot).includes(base);
    },
  },
  "fork-into-slot-below": {
    description: "a child's region lies below its parent's",
    on,
    reached: (evidence) => (childSlot(evidence) ?? evidence.slot) < evidence.slot,
  },
  "fork-reuses-slot-of-survivors": {
    description: "a child gets the slot of an ended process for which frames of others are still meant",
    on,
    reached: (evidence) => {
      const { before } = evidence;
      const slot = childSlot(evidence);
      const base = slot === undefined ? undefined : regionBase(before.config, slot);
      return before.frames.some((frame) => frame?.home === base && (frame?.references ?? 0) > 0);
    },
  },
  "fork-into-chosen-slot": {
    description: "a child gets a free slot that is not the lowest",
    on,
    reached: (evidence) => {
      const slot = childSlot(evidence);
      const { before, operation } = evidence;
      if (slot === undefined || operation.op !== "fork" || operation.slot === undefined) return false;
      const taken = before.processes.flatMap((one) => (one.state.kind === "live" ? [one.slot] : []));
      return before.regions.some((_, lower) => lower < slot && !taken.includes(lower) && !before.usedSlots.has(lower));
    },
  },
  "fork-fails-without-process": {
    description: "a fork fails because there are as many processes as there may be",
    on,
    reached: (evidence) => evidence.failedWith("EAGAIN") && present(evidence) >= evidence.before.config.processes,
  },
  "fork-fails-without-slot": {
    description: "a fork fails because every slot is taken, or was once and is not reused",
    on,
    reached: (evidence) => evidence.failedWith("EAGAIN") && present(evidence) < evidence.before.config.processes,
  },
  "fork-fails-without-commit": {
    description: "a fork fails because the frames would not suffice",
    on,
    reached: (evidence) => {
      const { before } = evidence;
      const needed = committed(before) + mappedPages(before, evidence.slot).length;
      return evidence.failedWith("ENOMEM") && needed > before.config.frames;
    },
  },
  "fork-with-grant": {
    description: "a child inherits its parent's right to foreign memory",
    on,
    reached: (evidence) => {
      const child = childOf(evidence);
      return child !== undefined && (evidence.transition.grants.held[child] ?? []).length > 0;
    },
  },
  "fork-with-message-in-flight": {
    description: "a fork while a capability into the parent's region is in a channel",
    on,
    reached: (evidence) => {
      const { region, before } = evidence;
      const flying = before.channels.flatMap(({ messages }) => messages);
      return childOf(evidence) !== undefined && flying.some((one) => one.tag && liesWithin(one, region));
    },
  },
} as const satisfies CornerCases;
