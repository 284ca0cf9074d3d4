/** Stories as text. */
import type { Config } from "../../spec/sfork/config.js";
import { plural } from "../plural.js";
import { stepLines, widthOf } from "../told.js";
import type { Shown, Story } from "./story.js";

/** Where the prototype's functions stand. */
const prototypeFile = "unikraft/lib/sassy-fork/sfork.c";

export const prototypeNote = (name: string): string =>
  `The published research prototype of µFork (${prototypeFile}, ${name}), rough by its authors' own words, reads as if it did the same.`;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

export const machineOf = ({ format, strategy, page, pages, processes, base, stride }: Config): string =>
  `${format}, strategy ${strategy}, ${plural(processes, "process", "processes")}; regions of ${pages} pages of ${page} bytes, ` +
  `from ${hex(base)} on, ${hex(stride)} apart`;

/** Of two machines only what is not the same is of interest. */
export const shownLines = ({ byClaim, byTruth, truly }: Story): readonly (readonly [by: string, what: string])[] => {
  const sameObservation = byClaim.observation === byTruth.observation;
  const line = ({ observation, holds }: Shown): string =>
    [
      ...(holds === undefined ? [] : [holds]),
      ...(holds === undefined || !sameObservation ? [`observed: ${observation}`] : []),
    ].join("; ");
  return [
    ["by the claim", line(byClaim)],
    [truly === undefined ? "by the true rule" : `by the true rule, ${truly}`, line(byTruth)],
  ];
};

/** A story for a terminal. */
export const printStory = (story: Story): string => {
  const { claim, belief, breach, program, steps, what, truth, because, prototype } = story;
  const shown = shownLines(story);
  const width = widthOf(shown.map(([by]) => by));
  return [
    `${claim}: ${belief}`,
    `refuted in ${plural(steps.length, "step")}, by ${breach.rule}`,
    "",
    machineOf(program.config),
    ...stepLines(steps),
    "",
    `${breach.rule} breaks in step ${breach.step}: ${what}`,
    ...shown.map(([by, line]) => `  ${by.padEnd(width)}  ${line}`),
    "",
    `${truth}: ${because}.`,
    ...(prototype === undefined ? [] : [prototypeNote(prototype)]),
    "",
  ].join("\n");
};
