/** What shrinking asks of each smaller program, and how it takes the first one that shows it. */
import type { CompleteProgram } from "../check/finding.js";

/** Does a program still show it? */
export type Shows = (program: CompleteProgram) => boolean;

/** The first candidate that shows it takes the program's place, over and over until none of them does. */
export const settle = (
  program: CompleteProgram,
  shows: Shows,
  candidates: (program: CompleteProgram) => readonly CompleteProgram[],
): CompleteProgram => {
  let smallest = program;
  for (;;) {
    const found = candidates(smallest).find((candidate) => shows(candidate));
    if (found === undefined) return smallest;
    smallest = found;
  }
};
