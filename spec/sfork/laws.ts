/**
 * What a machine decides that others decide otherwise: other systems (`variants/baselines.ts`), and who believes what is
 * not so of a fork in one address space (`variants/claims.ts`).
 */
import { trap, type Trap } from "../cheri/index.js";
import type { StrategyName } from "./config.js";
import { liesWithin, meets, relocated } from "./relocate.js";
import { levels, type Strategy, type Touch } from "./strategy.js";
import { conforming, knownFalse } from "./variants/baselines.js";

export const strategies: Readonly<Record<StrategyName, Strategy & Partial<Laws>>> = {
  ...levels,
  ...conforming,
  ...knownFalse,
};

export interface Laws extends Strategy {
  /** What a fork, or the resolution of a page, makes of a capability in memory or in a register (FORK-3). */
  readonly image: typeof relocated;
  /** What a fork makes of a capability that the kernel holds (FORK-4). */
  readonly heldImage: typeof relocated;
  /** For which slot is a page resolved that a process touches, which need not be its owner? */
  readonly resolvedFor: (owner: number, running: number) => number;
  readonly checkSegment: typeof checkSegment;
  /** Does a sweep clear a capability for a range that ended (REUSE-1)? */
  readonly isDead: typeof meets;
  /** Does it spare one in a frame, because it means its mapper's memory (REUSE-3)? */
  readonly isSpared: typeof liesWithin;
  /** Pages of a kernel that a fork clones with the process, and how many of them the child's kernel writes at once. */
  readonly kernel: { readonly mapped: number; readonly written: number };
}

/**
 * A fault belongs to the page's owner, whoever runs.
 * @rule MEM-4 owner @source SFork design: a fault belongs to the owner of the page
 */
const itsOwner = (owner: number): number => owner;

/**
 * A shared segment can be read and written, but holds no tags: a private pointer would mean one process's memory to all.
 * @rule MEM-7 segment @source CheriBSD, mmap of shared mappings (stores of capabilities trap)
 */
const checkSegment = (touch: Touch, operand: string): Trap | undefined => {
  if (touch === "execute") return trap("page-exec", operand);
  return touch === "write-tag" ? trap("page-store-cap", operand) : undefined;
};

/** The laws of a machine with a strategy. */
export const lawsOf = (strategy: StrategyName): Laws => ({
  image: relocated,
  heldImage: relocated,
  resolvedFor: itsOwner,
  checkSegment,
  isDead: meets,
  isSpared: liesWithin,
  kernel: { mapped: 0, written: 0 },
  ...strategies[strategy],
});
