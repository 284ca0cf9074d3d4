/** Corner cases of accesses to memory: overlaps, page borders, protection, shared segments. */
import { liesWithin } from "../../spec/sfork/relocate.js";
import { storing, accessing, type CornerCases } from "./case.js";
import type { Evidence, Touched } from "./evidence.js";

const isMapped = ({ entry }: Touched): boolean => entry !== undefined;

/** The copy's ranges overlap, and it succeeded. */
const overlaps = (evidence: Evidence): boolean => {
  const [source, target] = evidence.accesses;
  if (!evidence.succeeded || source === undefined || target === undefined || source.size === 0n) return false;
  const distance = source.address - target.address;
  return distance !== 0n && distance < source.size && -distance < source.size;
};

/** The page that a store into a read-only page was refused for. */
const refusedWrite = (evidence: Evidence): Touched | undefined =>
  evidence.trappedBy("page-write")
    ? evidence.writes.flatMap(({ pages }) => pages).find(({ entry }) => entry?.protection.write === false)
    : undefined;

export const accessCases = {
  "cmemcpy-overlap": {
    description: "a copy whose source and destination overlap",
    on: ["cmemcpy"],
    reached: overlaps,
  },
  "cmemcpy-overlap-pointers": {
    description: "such a copy that moves a tagged granule",
    on: ["cmemcpy"],
    reached: (evidence) => {
      const [source, target] = evidence.accesses;
      const { granule } = evidence.before.format;
      if (!overlaps(evidence) || source === undefined || target === undefined) return false;
      const first = ((source.address + granule - 1n) / granule) * granule;
      for (let at = first; at + granule <= source.address + source.size; at += granule) {
        const to = target.address + (at - source.address);
        const wasTagged = evidence.granuleAt(evidence.before, at)?.tag === true;
        if (wasTagged && evidence.granuleAt(evidence.after, to)?.tag === true) return true;
      }
      return false;
    },
  },
  "cmemcpy-shifts-pointers": {
    description: "a copy of a tagged granule to a place that is none: its bytes move without the tag",
    on: ["cmemcpy"],
    reached: (evidence) => {
      const [source, target] = evidence.accesses;
      const { granule } = evidence.before.format;
      if (!evidence.succeeded || source === undefined || target === undefined || source.size < granule) return false;
      const shifted = (source.address - target.address) % granule !== 0n;
      const at = ((source.address + granule - 1n) / granule) * granule;
      return shifted && evidence.granuleAt(evidence.before, at)?.tag === true;
    },
  },
  "access-across-resolved-and-unresolved": {
    description: "one access touches a page that is resolved and one that is not",
    on: accessing,
    reached: (evidence) =>
      evidence.succeeded &&
      evidence.accesses.some(
        ({ pages }) =>
          pages.length > 1 && pages.some(({ unresolved }) => unresolved) && pages.some((one) => !one.unresolved),
      ),
  },
  "access-across-permitted-and-forbidden": {
    description: "one access begins on a page where it is allowed and ends on one where it is not",
    on: accessing,
    reached: (evidence) => {
      const { observation } = evidence.transition;
      if (observation.kind !== "trap" || !observation.trap.startsWith("page-")) return false;
      return evidence.accesses.some(({ kind, pages }) => {
        const first = pages[0]?.entry?.protection;
        const last = pages.at(-1)?.entry?.protection;
        const right = kind === "read" ? "read" : "write";
        return pages.length > 1 && first?.[right] === true && last?.[right] !== true;
      });
    },
  },
  "store-crosses-into-read-only-page": {
    description: "a store begins on a page that may be written and ends on one that may not: nothing is stored",
    on: storing,
    reached: (evidence) =>
      refusedWrite(evidence) !== undefined &&
      evidence.writes.some(
        ({ pages }) =>
          pages.length > 1 &&
          pages[0]?.entry?.protection.write === true &&
          pages.some(({ entry }) => entry?.protection.write === false),
      ),
  },
  "store-to-shared-read-only-page": {
    description: "a store to a read-only page whose frame is shared traps, and copies nothing",
    on: storing,
    reached: (evidence) => (refusedWrite(evidence)?.frame?.references ?? 0) > 1,
  },
  "access-without-protection": {
    description: "a load from a page that is mapped and may not be read",
    on: accessing,
    reached: (evidence) =>
      evidence.trappedBy("page-read") && evidence.accesses.some(({ pages }) => pages.some(isMapped)),
  },
  "jump-without-protection": {
    description: "a jump to a page that is mapped and may not be executed",
    on: ["cjalr"],
    reached: (evidence) => {
      const { operation } = evidence;
      const address = operation.op === "cjalr" ? evidence.register(operation.cs1).address : undefined;
      return evidence.trappedBy("page-exec") && address !== undefined && evidence.touched(address)?.entry !== undefined;
    },
  },
  "store-capability-to-segment": {
    description: "a tagged capability is refused by a shared segment",
    on: ["storecap", "cmemcpy"],
    reached: (evidence) => evidence.trappedBy("page-store-cap"),
  },
  "segment-seen-by-another": {
    description: "a process loads from a shared segment that another stored to last",
    on: accessing,
    reached: (evidence) => {
      const seen = evidence.succeeded ? evidence.accesses.filter(({ kind, size }) => kind === "read" && size > 0n) : [];
      return seen.some(({ address }) => {
        const segment = evidence.segmentAt(address);
        const writer = segment === undefined ? undefined : evidence.history.segmentWriters.get(segment);
        return writer !== undefined && writer !== evidence.process;
      });
    },
  },
  "loadcap-from-unresolved": {
    description: "a pointer is loaded from an unresolved page, into the own region",
    on: ["loadcap"],
    reached: (evidence) => {
      const { result } = evidence;
      const unresolved = evidence.accesses.some(({ pages }) => pages.some((page) => page.unresolved));
      return unresolved && result?.tag === true && liesWithin(result, evidence.region);
    },
  },
  "raw-read-of-unresolved": {
    description: "bytes of a pointer are read on an unresolved page",
    on: ["load.b", "load.bu", "load.h", "load.hu", "load.w", "load.wu", "load.d", "cmemcpy"],
    reached: (evidence) => {
      const { observation } = evidence.transition;
      const [read, written] = evidence.accesses;
      if (read === undefined || (!evidence.succeeded && observation.kind !== "outside-profile")) return false;
      // A copy between places that are alike modulo the granule moves capabilities.
      const asBytes = ((written?.address ?? read.address + 1n) - read.address) % evidence.before.format.granule !== 0n;
      const tagged = evidence.granuleAt(evidence.before, read.address)?.tag === true;
      return asBytes && tagged && read.size > 0n && read.pages[0]?.unresolved === true;
    },
  },
  "untagged-load-leaves-unresolved": {
    description: "a load that needs no pointer leaves its page unresolved",
    on: accessing,
    reached: (evidence) => {
      const { before, after } = evidence;
      const same = before.regions === after.regions && before.frames === after.frames;
      if (!evidence.succeeded || !same) return false;
      return evidence.accesses.some(({ kind, pages }) => kind === "read" && pages.some(({ unresolved }) => unresolved));
    },
  },
  "cloadtags-without-load-cap": {
    description: "tags are asked for through a capability without Load-Capability",
    on: ["cloadtags"],
    reached: (evidence) => evidence.trappedBy("perm-load-cap"),
  },
  "cloadtags-of-unresolved": {
    description: "tags are loaded from an unresolved page",
    on: ["cloadtags"],
    reached: (evidence) =>
      evidence.succeeded && evidence.accesses.some(({ pages }) => pages.some(({ unresolved }) => unresolved)),
  },
} as const satisfies CornerCases;
