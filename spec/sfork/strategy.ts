/** The strategies of a fork in one address space: what a fork does with a page, and which touches resolve it later. */
import type { StrategyName } from "./config.js";

/** What an access does to a page. `read-tagged`: it delivers, or shows, the tag of a tagged granule there. */
export type Touch = "read" | "read-tagged" | "write" | "write-tag" | "execute";

export interface Strategy {
  /** Every process has an address space of its own, in which its region begins where the first one's does. */
  readonly separate: boolean;
  /** At the fork every page is copied and relocated; otherwise it is shared until it is touched. */
  readonly copiesAtFork: boolean;
  /** Does this touch of a page whose frame is another region's fault? */
  readonly faultsOn: (touch: Touch) => boolean;
  /** Raw reads of tagged granules on such a page deliver what an eager copy would not (REF-2). */
  readonly staleReads: boolean;
}

/**
 * `posix` is L0, where nothing moves. `eager` copies at the fork, so that no page ever needs resolving; `coa` (copy on access) resolves at any access; `copa`
 * (copy on pointer access) where a tagged capability would be seen, and at writes.
 * @rule FORK-8 strategies @source µFork (SOSP 2025), full copy, CoA, CoPA
 */
export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  posix: { separate: true, copiesAtFork: true, faultsOn: () => false, staleReads: false },
  eager: { separate: false, copiesAtFork: true, faultsOn: () => false, staleReads: false },
  coa: { separate: false, copiesAtFork: false, faultsOn: (touch) => touch !== "execute", staleReads: false },
  copa: {
    separate: false,
    copiesAtFork: false,
    faultsOn: (touch) => touch === "write" || touch === "write-tag" || touch === "read-tagged",
    staleReads: true,
  },
};
