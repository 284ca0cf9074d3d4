/** Corner cases of channels: what they refuse, foreign memory, and its end. */
import { isSealed, type Capability } from "../../spec/cheri/index.js";
import { overlaps } from "../../spec/invariants/transition.js";
import { kernelBase, sharedBase } from "../../spec/sfork/config.js";
import { isMemoryCapability, liesWithin, meets } from "../../spec/sfork/relocate.js";
import { viewPage } from "../../spec/invariants/view.js";
import { accessing, ending, type CornerCases } from "./case.js";
import type { Evidence, Touched } from "./evidence.js";

const sending = ["sendcap"] as const;

const sent = (evidence: Evidence): Capability | undefined =>
  evidence.operation.op === "sendcap" ? evidence.register(evidence.operation.cs1) : undefined;

/** Refused for what it is. */
const refuses = (evidence: Evidence, like: (capability: Capability) => boolean): boolean => {
  const capability = sent(evidence);
  return capability !== undefined && evidence.failedWith("EPERM") && like(capability);
};

const takes = (evidence: Evidence, like: (capability: Capability) => boolean): boolean => {
  const capability = sent(evidence);
  return capability !== undefined && evidence.succeeded && like(capability);
};

/** Pages of other processes that the step touched in this way. */
const foreign = (evidence: Evidence, kind?: "read" | "write"): readonly Touched[] =>
  evidence.succeeded
    ? evidence.accesses
        .filter((access) => kind === undefined || access.kind === kind)
        .flatMap(({ pages }) => pages)
        .filter(({ slot, owner }) => slot !== evidence.slot && owner !== -1)
    : [];

const isForked = ({ history, before }: Evidence, parent: number): boolean =>
  [...history.forkedBy].some(([child, by]) => by === parent && before.processes[child]?.state.kind === "live");

/** Grants of others than their owners that the step cut, with what is left of each holder's. */
const cut = (evidence: Evidence) => {
  const { grantsBefore, grants, ended } = evidence.transition;
  return grantsBefore.held.flatMap((held, holder) =>
    evidence.after.processes[holder]?.state.kind === "live"
      ? held
          .filter(({ range }) => ended.some((one) => overlaps(range, one)))
          .map((grant) => ({
            left: (grants.held[holder] ?? []).some(
              ({ owner, range }) =>
                owner === grant.owner && range.start >= grant.range.start && range.end <= grant.range.end,
            ),
          }))
      : [],
  );
};

export const grantCases = {
  "sendcap-sealed": {
    description: "a sealed capability is refused by a channel",
    on: sending,
    reached: (evidence) => {
      const { format } = evidence.before;
      return refuses(evidence, (one) => one.tag && isMemoryCapability(format, one) && isSealed(format, one));
    },
  },
  "sendcap-sealing-authority": {
    description: "sealing authority is refused by a channel",
    on: sending,
    reached: (evidence) => refuses(evidence, (one) => one.tag && !isMemoryCapability(evidence.before.format, one)),
  },
  "sendcap-untagged": {
    description: "an untagged value is refused by a channel",
    on: sending,
    reached: (evidence) => refuses(evidence, (one) => !one.tag),
  },
  "sendcap-sentry": {
    description: "a sentry goes into a channel",
    on: sending,
    reached: (evidence) =>
      takes(evidence, (one) => isSealed(evidence.before.format, one) && liesWithin(one, evidence.region)),
  },
  "sendcap-kernel-entry": {
    description: "a kernel entry goes into a channel",
    on: sending,
    reached: (evidence) => takes(evidence, (one) => one.base === kernelBase(evidence.before.config)),
  },
  "sendcap-of-foreign": {
    description: "a capability into another process's memory goes into a channel",
    on: sending,
    reached: (evidence) =>
      takes(
        evidence,
        (one) =>
          one.base < one.top &&
          one.base >= evidence.before.config.base &&
          one.top <= sharedBase(evidence.before.config) &&
          !liesWithin(one, evidence.region),
      ),
  },
  "recvcap-of-own": {
    description: "a process gets back a capability into its own memory",
    on: ["recvcap"],
    reached: (evidence) => evidence.result?.tag === true && liesWithin(evidence.result, evidence.region),
  },
  "recvcap-of-foreign": {
    description: "a process gets a capability into another's memory",
    on: ["recvcap"],
    reached: ({ transition: { grants, grantsBefore }, process }) =>
      (grants.held[process] ?? []).length > (grantsBefore.held[process] ?? []).length,
  },
  "channel-refused": {
    description: "the machine has as many channels as it may have",
    on: ["channel"],
    reached: (evidence) => evidence.failedWith("EMFILE"),
  },
  "channel-full": {
    description: "a channel that is full would block",
    on: sending,
    reached: ({ transition: { observation } }) => observation.kind === "would-block",
  },
  "channel-empty": {
    description: "a channel that is empty would block",
    on: ["recvcap"],
    reached: ({ transition: { observation } }) => observation.kind === "would-block",
  },
  "grant-write": {
    description: "a store through a grant into another process's memory",
    on: accessing,
    reached: (evidence) => foreign(evidence, "write").length > 0,
  },
  "grant-write-after-owner-fork": {
    description: "such a store when the owner has a child: it goes to the owner's page alone",
    on: accessing,
    reached: (evidence) => foreign(evidence, "write").some(({ owner }) => isForked(evidence, owner)),
  },
  "grant-write-after-receiver-fork": {
    description: "such a store when the receiver has a child, or by that child",
    on: accessing,
    reached: (evidence) =>
      foreign(evidence, "write").length > 0 &&
      (isForked(evidence, evidence.process) || !evidence.history.received.has(evidence.process)),
  },
  "grant-read": {
    description: "a load through a grant from another process's memory",
    on: accessing,
    reached: (evidence) => foreign(evidence, "read").length > 0,
  },
  "grant-access-resolves-for-owner": {
    description: "an access through a grant resolves, splits or takes over a page of another process",
    on: accessing,
    reached: (evidence) =>
      foreign(evidence).some(({ slot, index, entry }) => {
        const now = evidence.after.regions[slot]?.[index];
        return entry?.guard === true && now?.guard === false;
      }),
  },
  "grant-ended-by-munmap": {
    description: "memory that was granted is unmapped",
    on: ["munmap"],
    reached: (evidence) => evidence.succeeded && cut(evidence).length > 0,
  },
  "grant-ended-by-exit": {
    description: "the owner of memory that was granted ends",
    on: ending,
    reached: (evidence) => evidence.ending !== undefined && cut(evidence).length > 0,
  },
  "grant-cut-in-part": {
    description: "part of what was granted ends, the rest of the grant stays",
    on: ["munmap"],
    reached: (evidence) => evidence.succeeded && cut(evidence).some(({ left }) => left),
  },
  "message-ended-in-flight": {
    description: "memory ends to which a message in a channel points",
    on: ["munmap", ...ending],
    reached: ({ before, after }) =>
      before.channels.some(({ messages }, channel) =>
        messages.some(({ tag }, index) => tag && after.channels[channel]?.messages[index]?.tag === false),
      ),
  },
  "sweep-clears-foreign-memory": {
    description: "the end of memory clears a pointer to it that another process had stored",
    on: ["munmap", ...ending],
    reached: (evidence) => {
      const { before, after, transition } = evidence;
      if (transition.ended.length === 0) return false;
      return evidence.others(evidence.process).some((ordinal) => {
        const slot = before.processes[ordinal]?.slot ?? 0;
        return (before.regions[slot] ?? []).some((entry, index) => {
          if (entry === undefined || before.frames[entry.frame] === after.frames[entry.frame]) return false;
          const seen = viewPage(after, slot, index)?.granules ?? [];
          return (viewPage(before, slot, index)?.granules ?? []).some(({ tag, bits }, at) => {
            const one =
              tag && seen[at]?.tag === false ? before.format.decode(before.format.fromMemory(bits), true) : undefined;
            return one !== undefined && transition.ended.some((range) => meets(before.format, one, range));
          });
        });
      });
    },
  },
} as const satisfies CornerCases;
