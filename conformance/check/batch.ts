/** Batches of a campaign's programs, judged one after the other: what a worker is given, and what it answers. */
import { createCoverage, type CoverageResult, type Recorder } from "../coverage.js";
import { createFeatures } from "../guide/features.js";
import { Connected, Gone, isExternal, shortLimit } from "./external.js";
import { Asking, type Link } from "./link.js";
import { Unavailable } from "../../impl/linux/index.js";
import {
  judgeAs,
  judgeFile,
  judgeProgram,
  looksAtEverything,
  programOf,
  type AnySettings,
  type FileProgram,
  type Found,
  type Judged,
  type Mutant,
  type ProgramOptions,
  type Subject,
} from "./campaign.js";
import type { CompleteProgram, Finding } from "./finding.js";
import type { Checker } from "./judge.js";
import { lostFinding, type Lost } from "./lost.js";
import { minimise as smallest, type Minimised } from "./minimise.js";
import { noteProgram, noteStep, type Pulse } from "./pulse.js";

/** A program of the seed, by its number; one that was read from a file; or one that was made from others. */
export type Item = number | FileProgram | Mutant;

export interface Batch {
  /** Functions do not go to other threads. */
  readonly settings: AnySettings;
  readonly items: readonly Item[];
  /** Items of other batches before these. */
  readonly after: number;
  /** It is asked what each program shows. */
  readonly guided?: boolean;
  /** Where it is noted what is begun. */
  readonly pulse?: Pulse;
  /** To what is checked, where that is another process. */
  readonly link?: Link;
}

export interface Answer {
  readonly judged: readonly Judged[];
  /** Why there are no more: what is checked cannot be started. */
  readonly gone?: string;
  /** What some of them reached: `countedEvery`. */
  readonly coverage: CoverageResult | undefined;
}

/**
 * Beside an implementation coverage is counted in one program of so many: counting takes half as long as a step; and several times
 * as long where nothing else asks what the specification's step touched.
 */
const countedEvery = (impl: Subject): number => {
  if (impl === "spec-lazy") return 1;
  return isExternal(impl) ? 32 : 8;
};

const connected = (impl: Subject, link: Link | undefined, limit?: number): Subject =>
  link !== undefined && isExternal(impl) ? new Connected(impl, new Asking(link), limit) : impl;

/** Both are told of each step. */
const both = (coverage: Recorder | undefined, features: Recorder | undefined): Recorder | undefined => {
  if (coverage === undefined || features === undefined) return coverage ?? features;
  return {
    begin: (format) => {
      coverage.begin(format);
      features.begin(format);
    },
    step: (name, step) => {
      coverage.step(name, step);
      features.step(name, step);
    },
  };
};

const judgedAs = (settings: AnySettings, item: Item, options: ProgramOptions, program?: CompleteProgram): Judged => {
  if (typeof item === "number") return judgeProgram(settings, item, options, program);
  if ("file" in item) return judgeFile(settings, item, options);
  return { ...judgeProgram(settings, item.index, options, item.program), mutant: true };
};

export const judgeBatch = (batch: Batch, checker?: Checker): Answer => {
  const { items, after, pulse } = batch;
  const settings = { ...batch.settings, impl: connected(batch.settings.impl, batch.link) };
  const coverage = createCoverage();
  const every = countedEvery(settings.impl);
  const begun = (step: number): void => {
    noteStep(pulse, step);
  };
  // All are generated before the first is judged: taking turns, each would find the other's data in the processor's caches.
  const programs = items.map((item, nth) => {
    noteProgram(pulse, nth);
    return typeof item === "number" ? programOf(settings, item) : item.program;
  });
  if (settings.impl instanceof Connected) settings.impl.prepare(programs);
  const judged: Judged[] = [];
  const judgeItem = (item: Item, nth: number): Judged => {
    noteProgram(pulse, nth);
    const features = batch.guided === true ? createFeatures() : undefined;
    const counted = both((after + nth) % every === 0 ? coverage : undefined, features);
    const options = { ...(checker && { checker }), ...(counted && { coverage: counted }), begun };
    const judged = judgedAs(settings, item, options, programs[nth]);
    return features === undefined ? judged : { ...judged, features: features.seen() };
  };
  try {
    for (const [nth, item] of items.entries()) judged.push(judgeItem(item, nth));
  } catch (error) {
    if (!(error instanceof Gone || error instanceof Unavailable)) throw error;
    return { judged, gone: error.message, coverage: coverage.result() };
  }
  return { judged, coverage: coverage.result() };
};

/** A finding that is to be made smaller. */
export interface Minimisation {
  readonly settings: AnySettings;
  readonly found: Found;
  /** When what there is then is small enough: milliseconds, of `Date.now`; never, by default. */
  readonly until?: number;
  /** Candidates that other threads were lost in, by their numbers. They are the same, and in the same order, each time. */
  readonly lost?: readonly Lost[];
  readonly pulse?: Pulse;
  readonly link?: Link;
}

/** Most candidates that threads are lost in: each costs a thread, and some seconds where it hangs. */
const mostLost = 40;

export const minimise = (task: Minimisation, checker?: Checker): Minimised => {
  const { settings, found, until = Infinity, lost = [], pulse, link } = task;
  const impl = connected(settings.impl, link, found.finding.kind === "hang" ? shortLimit : undefined);
  const full = looksAtEverything(found.finding);
  const begun = (step: number): void => {
    noteStep(pulse, step);
  };
  let nth = -1;
  const judge = (program: CompleteProgram): Finding | undefined => {
    nth += 1;
    noteProgram(pulse, nth);
    const known = lost.find((one) => one.nth === nth);
    if (known !== undefined) return lostFinding(impl, program, known);
    return judgeAs(impl, program, { ...(checker && { checker }), full, begun }).finding;
  };
  // Up to the last one known nothing is new: what other threads came to is come to again first.
  const lastKnown = lost.at(-1)?.nth ?? -1;
  const enough = (): boolean => nth >= lastKnown && (lost.length >= mostLost || Date.now() >= until);
  return smallest(found.finding, judge, { enough });
};
