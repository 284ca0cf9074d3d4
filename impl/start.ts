/**
 * Memory to start with in place of an empty image: what a process of another system held, in no format of capabilities. Each
 * side makes its own capabilities of it. Shapes only.
 */
import type { Protection } from "../spec/sfork/operation.js";

/** Pages to which capabilities lead: each has the bounds of its area, and rights after the area's protection. */
export interface Area {
  readonly first: number;
  readonly count: number;
  readonly protection: Protection;
}

export interface StartRegister {
  /** An integer, or the address as a distance from the region's start. */
  readonly value: bigint;
  /** Index of the area that it is a capability to. */
  readonly area: number | undefined;
}

export interface StartMemory {
  /** Ascending, without overlap. */
  readonly areas: readonly Area[];
  /** Indices of the pages that are mapped, ascending, each in an area, whose protection it has. */
  readonly pages: Uint32Array;
  /**
   * The nth of these pages. For each granule `words` gets two 32-bit halves, and `areas` 0 where they are the lowest bytes
   * of data (the others are zero), or one more than the index of an area: they are then the address of a capability to it, as
   * a distance from the region's start. Both arrays are written in full.
   */
  readonly read: (nth: number, words: Int32Array, areas: Int32Array) => void;
  /** Of each thread the general registers and, behind the last, `pcc`. One thread at least. */
  readonly threads: readonly (readonly StartRegister[])[];
}
