/** Corner cases of pages that are shared after a fork: who splits them, who takes them over, in which order. */
import { storing, accessing, type CornerCases } from "./case.js";
import type { Evidence, Touched } from "./evidence.js";

/** Own pages that a store found shared, and left alone. */
const split = (evidence: Evidence): readonly Touched[] =>
  evidence.succeeded
    ? evidence.writes
        .flatMap(({ pages }) => pages)
        .filter(({ frame, slot }) => slot === evidence.slot && (frame?.references ?? 0) > 1)
    : [];

interface Takeover {
  readonly touched: Touched;
  readonly relocated: boolean;
}

/** Pages that kept their frame, which became meant for their own region, or lost their guard. */
const takenOver = (evidence: Evidence): readonly Takeover[] =>
  (evidence.succeeded ? evidence.accesses : [])
    .flatMap(({ pages }) => pages)
    .flatMap((touched) => {
      const { entry, frame, slot, index } = touched;
      const now = evidence.after.regions[slot]?.[index];
      if (entry?.guard !== true || now?.guard !== false || now.frame !== entry.frame) return [];
      const home = evidence.after.frames[now.frame]?.home;
      return [{ touched, relocated: home !== frame?.home }];
    });

type Role = "parent" | "child" | "grandchild";

/** Has the step made three generations store to the same page since the last fork, in this order? */
const writtenInOrder =
  (...order: readonly [Role, Role, Role]) =>
  (evidence: Evidence): boolean => {
    const { history, process } = evidence;
    if (!evidence.succeeded) return false;
    return evidence.writes.some(({ pages }) =>
      pages.some(({ owner, index }) => {
        const earlier = history.writers.get(index) ?? [];
        if (owner !== process || earlier.includes(process)) return false;
        const recent = [...earlier, process].slice(-3);
        const by = (role: Role): number | undefined => recent[order.indexOf(role)];
        const [parent, child, grandchild] = [by("parent"), by("child"), by("grandchild")];
        if (parent === undefined || child === undefined || grandchild === undefined) return false;
        return history.forkedBy.get(child) === parent && history.forkedBy.get(grandchild) === child;
      }),
    );
  };

const order = (...roles: readonly [Role, Role, Role]) => ({
  description: `${roles.join(", then ")} store to the same page, without another fork between`,
  on: storing,
  reached: writtenInOrder(...roles),
});

const mayBeWritten = ({ before, after, operation, slot }: Evidence) =>
  operation.op !== "mprotect"
    ? []
    : (before.regions[slot] ?? []).flatMap((entry, index) => {
        const now = after.regions[slot]?.[index];
        const widened = entry?.protection.write === false && now?.protection.write === true;
        const frame = entry === undefined ? undefined : before.frames[entry.frame];
        return widened && frame !== undefined ? [frame] : [];
      });

export const sharingCases = {
  "split-by-parent": {
    description: "a store by the process for which a shared frame is meant",
    on: storing,
    reached: (evidence) => split(evidence).some(({ unresolved }) => !unresolved),
  },
  "split-by-child": {
    description: "a store by a process for which the shared frame is not meant",
    on: storing,
    reached: (evidence) => split(evidence).some(({ unresolved }) => unresolved),
  },
  "takeover-by-last-owner": {
    description: "a fault on a frame that nobody else maps any more: no copy",
    on: accessing,
    reached: (evidence) => takenOver(evidence).length > 0,
  },
  "takeover-relocates": {
    description: "a takeover that relocates pointers in place",
    on: accessing,
    reached: (evidence) =>
      takenOver(evidence).some(
        ({ touched, relocated }) => relocated && touched.frame?.memory.some(({ tag }) => tag) === true,
      ),
  },
  "resolve-after-home-ended": {
    description: "a page is resolved whose frame is meant for a region that nobody owns any more",
    on: accessing,
    reached: (evidence) =>
      evidence.succeeded &&
      evidence.accesses.some(({ pages }) =>
        pages.some(({ unresolved, frame, slot, index }) => {
          const now = evidence.after.regions[slot]?.[index];
          const { config, processes } = evidence.before;
          const home = frame === undefined ? -1 : Number((frame.home - config.base) / config.stride);
          const isOwned = processes.some((process) => process.state.kind === "live" && process.slot === home);
          const resolved = now !== undefined && evidence.after.frames[now.frame]?.home !== frame?.home;
          return unresolved && resolved && !isOwned;
        }),
      ),
  },
  "writes-parent-child-grandchild": order("parent", "child", "grandchild"),
  "writes-parent-grandchild-child": order("parent", "grandchild", "child"),
  "writes-child-parent-grandchild": order("child", "parent", "grandchild"),
  "writes-child-grandchild-parent": order("child", "grandchild", "parent"),
  "writes-grandchild-parent-child": order("grandchild", "parent", "child"),
  "writes-grandchild-child-parent": order("grandchild", "child", "parent"),
  "mprotect-makes-shared-page-writable": {
    description: "a read-only page whose frame is shared becomes writable",
    on: ["mprotect"],
    reached: (evidence) => mayBeWritten(evidence).some(({ references }) => references > 1),
  },
  "mprotect-makes-unresolved-page-writable": {
    description: "a read-only page that is unresolved becomes writable",
    on: ["mprotect"],
    reached: (evidence) => mayBeWritten(evidence).some(({ home }) => home !== evidence.region.start),
  },
} as const satisfies CornerCases;
