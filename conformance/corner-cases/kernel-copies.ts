/** Corner cases of the kernel at a process's memory: bytes in and out through the capability that was passed. */
import { copyingIn, copyingOut, type CornerCases } from "./case.js";
import type { Access, Evidence, Touched } from "./evidence.js";

const touchedBy = (evidence: Evidence, kind: Access["kind"]): readonly Touched[] =>
  evidence.succeeded ? evidence.accesses.filter((one) => one.kind === kind).flatMap(({ pages }) => pages) : [];

const own = (evidence: Evidence, kind: Access["kind"]): readonly Touched[] =>
  touchedBy(evidence, kind).filter(({ slot }) => slot === evidence.slot);

/** Buffers are refused because of a page that may not be touched so. */
const refused = (evidence: Evidence, kind: Access["kind"]): readonly Access[] =>
  evidence.failedWith("EFAULT")
    ? evidence.accesses.filter(
        ({ authority, pages }) =>
          authority.tag && pages.some(({ entry }) => entry?.protection[kind === "read" ? "read" : "write"] === false),
      )
    : [];

/** A granule that an access touches is tagged. */
const touchesTag = (evidence: Evidence, kind: Access["kind"]): boolean =>
  evidence.accesses.some(({ kind: one, address, size }) => {
    const { granule } = evidence.before.format;
    const ends = [address, address + size - 1n];
    return one === kind && ends.some((at) => evidence.granuleAt(evidence.before, at - (at % granule))?.tag === true);
  });

const split = ({ frame }: Touched): boolean => (frame?.references ?? 0) > 1;

const vectors = ["readv", "writev"] as const;

export const kernelCopyCases = {
  "copy-out-to-shared": {
    description: "the kernel writes to an own page whose frame is shared",
    on: copyingOut,
    reached: (evidence) => own(evidence, "write").some(split),
  },
  "copy-out-to-unresolved": {
    description: "the kernel writes to an own page that is unresolved",
    on: copyingOut,
    reached: (evidence) => own(evidence, "write").some(({ unresolved }) => unresolved),
  },
  "copy-out-takes-over": {
    description: "the kernel writes to a guarded page that nobody else maps any more",
    on: copyingOut,
    reached: (evidence) =>
      own(evidence, "write").some(({ entry, frame }) => entry?.guard === true && frame?.references === 1),
  },
  "copy-out-to-read-only": {
    description: "the kernel refuses to write to a page that its process may not write to",
    on: ["read", "readv", "call_finish"],
    reached: (evidence) => refused(evidence, "write").length > 0,
  },
  "copy-out-crosses-into-read-only": {
    description: "a buffer begins on a page that may be written and ends on one that may not: nothing is transferred",
    on: ["read", "readv", "call_finish"],
    reached: (evidence) =>
      refused(evidence, "write").some(({ pages }) => pages[0]?.entry?.protection.write === true && pages.length > 1),
  },
  "copy-out-over-pointer": {
    description: "the kernel overwrites a pointer, or part of one, with bytes",
    on: copyingOut,
    reached: (evidence) => evidence.succeeded && touchesTag(evidence, "write"),
  },
  "copy-out-after-fork": {
    description: "bytes that were in a pipe at a fork are read into a frame that is shared since",
    on: ["read", "readv"],
    reached: (evidence) => {
      const { operation, process, history, before } = evidence;
      const object = "d" in operation ? evidence.described(operation.d)?.description.object : undefined;
      if (object === undefined || !("pipe" in object) || !own(evidence, "write").some(split)) return false;
      return before.processes.some(
        (_, child) =>
          history.inheritedPipes.has(`${child}:${object.pipe}`) &&
          (child === process || history.forkedBy.get(child) === process),
      );
    },
  },
  "copy-out-to-foreign": {
    description: "the kernel writes to memory of another process through a grant",
    on: copyingOut,
    reached: (evidence) =>
      touchedBy(evidence, "write").some(({ slot, owner }) => slot !== evidence.slot && owner !== -1),
  },
  "copy-in-from-unresolved": {
    description: "the kernel reads bytes of an own page that is unresolved",
    on: copyingIn,
    reached: (evidence) => own(evidence, "read").some(({ unresolved }) => unresolved),
  },
  "copy-in-unreadable": {
    description: "the kernel refuses to read a page that its process may not read",
    on: copyingIn,
    reached: (evidence) => refused(evidence, "read").length > 0,
  },
  "copy-in-of-pointer": {
    description: "the kernel reads the bytes of a pointer",
    on: copyingIn,
    reached: (evidence) =>
      (evidence.succeeded || evidence.transition.observation.kind === "outside-profile") &&
      touchesTag(evidence, "read"),
  },
  "copy-of-two-pages": {
    description: "one buffer lies on two pages, of which one is shared",
    on: [...copyingOut, ...copyingIn],
    reached: (evidence) =>
      evidence.succeeded && evidence.accesses.some(({ pages }) => pages.length > 1 && pages.some(split)),
  },
  "vector-of-two-pages": {
    description: "two buffers of a call lie on different pages",
    on: vectors,
    reached: (evidence) => {
      const [first, second] = evidence.succeeded ? evidence.accesses : [];
      const [one, other] = [first?.pages[0], second?.pages[0]];
      return one !== undefined && other !== undefined && (one.index !== other.index || one.slot !== other.slot);
    },
  },
  "vector-refused-by-second": {
    description: "the first buffer of a call would do, the second does not: nothing is transferred",
    on: vectors,
    reached: (evidence) => {
      const kind = evidence.operation.op === "readv" ? "write" : "read";
      const [first, second] = evidence.accesses;
      const found = refused(evidence, kind);
      return first !== undefined && second !== undefined && found.length === 1 && found[0] === second;
    },
  },
  "vector-overlap": {
    description: "two buffers of a call that reads overlap: the second overwrites the first",
    on: ["readv"],
    reached: (evidence) => {
      const [first, second] = evidence.succeeded ? evidence.accesses : [];
      return (
        first !== undefined &&
        second !== undefined &&
        first.address < second.address + second.size &&
        second.address < first.address + first.size
      );
    },
  },
} as const satisfies CornerCases;
