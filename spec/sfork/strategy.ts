/** The strategies of a fork in one address space: what a fork does with a page, and which touches resolve it later. */

/** What an access does to a page. `read-tagged`: it delivers, or shows, the tag of a tagged granule there. */
export type Touch = "read" | "read-tagged" | "write" | "write-tag" | "execute";

export interface Strategy {
  /** Every process has an address space of its own, in which its region begins where the first one's does. */
  readonly separate: boolean;
  /** A fork copies and relocates every page at once; or maps the parent's frames, with a guard on both sides or without. */
  readonly atFork: "copy" | "guard" | "share";
  /** Does this touch of a page whose frame is another region's fault? */
  readonly faultsOn: (touch: Touch) => boolean;
  /** Raw reads of tagged granules on such a page deliver what an eager copy would not (REF-2). */
  readonly staleReads: boolean;
}

const never = (): boolean => false;

/**
 * `posix` is L0, where nothing moves. `eager` copies at the fork, so that no page ever needs resolving; `coa` (copy on access) resolves at any access; `copa`
 * (copy on pointer access) where a tagged capability would be seen, and at writes.
 * @rule FORK-8 strategies @source µFork (SOSP 2025), full copy, CoA, CoPA
 */
export const levels: Readonly<Record<"posix" | "eager" | "coa" | "copa", Strategy>> = {
  posix: { separate: true, atFork: "copy", faultsOn: never, staleReads: false },
  eager: { separate: false, atFork: "copy", faultsOn: never, staleReads: false },
  coa: { separate: false, atFork: "guard", faultsOn: (touch) => touch !== "execute", staleReads: false },
  copa: {
    separate: false,
    atFork: "guard",
    faultsOn: (touch) => touch === "write" || touch === "write-tag" || touch === "read-tagged",
    staleReads: true,
  },
};
