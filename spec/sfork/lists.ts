/** Lists as the machine and its invariants go through them, at every step. */

/** `list.flatMap(f)`. The method of lists takes several times as long, and most of a step's time (V8 of Node 20). */
export const flatMap = <T, R>(list: readonly T[], f: (item: T, index: number) => R | readonly R[]): readonly R[] => {
  const none: readonly R[] = [];
  return none.concat(...list.map(f).filter((found) => !Array.isArray(found) || found.length > 0));
};
