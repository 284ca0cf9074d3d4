/**
 * Defects: mistakes that the suite must find. Each is the optimised implementation with a few lines put another way when it is
 * loaded; nothing of it is in the product.
 */

/** A place in a file of `impl/fast` as it is built, which is there just once, and what is put there. */
export interface Edit {
  /** `pages`, `codec/compressed`: without its ending. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

export interface Defect {
  /** As in the catalogue: `R7`. */
  readonly id: string;
  /** What is wrong, in a sentence. */
  readonly mistake: string;
  /** The function of the published prototype in which it was read, if it was. */
  readonly origin?: string;
  readonly edits: readonly [Edit, ...Edit[]];
}

/** An entry of the catalogue that this machine has no place for. */
export interface NotModelled {
  readonly id: string;
  readonly mistake: string;
  readonly reason: string;
}
