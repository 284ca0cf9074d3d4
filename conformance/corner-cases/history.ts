/** What earlier steps of a program did, as far as a detector has to know. */
import type { Transition } from "../../spec/invariants/transition.js";

/** What is kept of a step. */
export interface Seen {
  readonly transition: Transition;
  /** Of the process that took it. */
  readonly slot: number;
  readonly succeeded: boolean;
  readonly writes: readonly {
    readonly address: bigint;
    readonly size: bigint;
    readonly pages: readonly { readonly owner: number; readonly index: number }[];
  }[];
  readonly segmentAt: (address: bigint) => number | undefined;
}

export class History {
  /** By child: who forked it, whatever became of its parent. */
  readonly forkedBy = new Map<number, number>();
  /** Processes that were handed a grant by a channel themselves. */
  readonly received = new Set<number>();
  /** Pages that were unmapped, as `slot:index`. */
  readonly unmapped = new Set<string>();
  /** By index of a page: who stored there since the last fork, each once, in order. */
  readonly writers = new Map<number, readonly number[]>();
  /** Who stored to a shared segment last. */
  readonly segmentWriters = new Map<number, number>();

  /** Take note of a step. */
  add(seen: Seen): void {
    const { transition } = seen;
    const { before, after, operation, process, observation } = transition;
    if (observation.kind === "child") {
      this.forkedBy.set(observation.child, process);
      this.writers.clear();
    }
    if (operation.op === "recvcap" && transition.grants.held[process] !== transition.grantsBefore.held[process]) {
      this.received.add(process);
    }
    if (operation.op === "munmap" && observation.kind === "none") {
      const { slot } = seen;
      before.regions[slot]?.forEach((entry, index) => {
        if (entry !== undefined && after.regions[slot]?.[index] === undefined) this.unmapped.add(`${slot}:${index}`);
      });
    }
    if (seen.succeeded) for (const write of seen.writes) this.#write(seen, write);
  }

  #write({ transition: { process }, segmentAt }: Seen, { address, size, pages }: Seen["writes"][number]): void {
    const segment = size === 0n ? undefined : segmentAt(address);
    if (segment !== undefined) this.segmentWriters.set(segment, process);
    for (const { owner, index } of pages) {
      const writers = this.writers.get(index) ?? [];
      if (owner === process && !writers.includes(owner)) this.writers.set(index, [...writers, owner]);
    }
  }
}
