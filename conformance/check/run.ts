/** A campaign from its first program to its last, or to a limit, on some workers. */
import { setImmediate as turn } from "node:timers/promises";
import { addCoverage, type CoverageResult } from "../coverage.js";
import { epoch, Guide } from "../guide/guide.js";
import type { Answer, Item } from "./batch.js";
import {
  createTally,
  optionsOf,
  type CampaignSettings,
  type FileProgram,
  type Found,
  type Totals,
} from "./campaign.js";
import { answers, type Until, type Workers } from "./workers.js";

/** One of some parts of a campaign, from 1. */
export interface Shard {
  readonly part: number;
  readonly of: number;
}

export interface Limits {
  /** Programs of the seed, all parts together. */
  readonly runs: number;
  /** Milliseconds. */
  readonly time: number;
  /** Different findings. */
  readonly findings: number;
}

export interface Plan {
  readonly settings: CampaignSettings;
  /** Programs are made from those that showed something new, too. */
  readonly guided: boolean;
  readonly shard: Shard;
  /** Programs that are judged before those of the seed. */
  readonly corpus: readonly FileProgram[];
  readonly limits: Limits;
  /** Keys of earlier findings that still show: they are not found again. */
  readonly known: readonly string[];
}

/** How far it has come. */
export interface Progress {
  /** Of the seed, and of files. */
  readonly programs: number;
  readonly generated: number;
  readonly steps: number;
  readonly findings: number;
  readonly milliseconds: number;
  readonly coverage: CoverageResult | undefined;
}

export interface Listener {
  /** At once when a finding is unlike all before, in the order of programs. */
  readonly found: (found: Found) => void;
  readonly progress: (progress: Progress) => void;
}

export interface Result {
  readonly totals: Totals;
  /** Why it ended early: what is checked cannot be started any more. */
  readonly gone?: string;
  readonly coverage: CoverageResult | undefined;
  readonly seconds: number;
}

/** The programs of a part: the parts of a campaign together have each program once, files' programs, too. */
function* itemsOf({ shard: { part, of }, corpus, limits: { runs } }: Plan): Generator<Item, void, void> {
  yield* corpus.filter(({ index }) => index % of === part - 1);
  for (let index = part - 1; index < runs; index += of) yield index;
}

/**
 * The same where programs are made from others: epoch by epoch, because what one is made from is what all of the earlier ones
 * have shown. Parts of a campaign learn by themselves.
 */
async function* guidedAnswers(plan: Plan, workers: Workers, until: Until): AsyncGenerator<Answer, void, void> {
  const { settings, limits, shard } = plan;
  const guide = new Guide(settings.seed, optionsOf(settings));
  yield* answers(workers, settings, itemsOf({ ...plan, limits: { ...limits, runs: 0 } }), until);
  const first = (nth: number): number => shard.part - 1 + nth * shard.of;
  for (let begun = 0; first(begun) < limits.runs; begun += epoch) {
    const numbers = Array.from({ length: epoch }, (_, nth) => first(begun + nth)).filter((one) => one < limits.runs);
    const programs = numbers.map((index) => ({ index, ...guide.program(index) }));
    const items = programs.map(({ index, mutant, program: { version, config, steps: some } }): Item =>
      mutant ? { index, program: { version, config, steps: some } } : index,
    );
    let at = 0;
    for await (const answer of answers(workers, settings, items, { ...until, guided: true })) {
      yield answer;
      for (const { features = [] } of answer.judged) {
        const program = programs[at];
        if (program !== undefined) guide.learn(program, features);
        at += 1;
      }
      if (answer.gone !== undefined) return;
    }
    if (at < items.length) return;
    guide.next();
  }
}

/** Rules of the corpus count, too, whatever its strategies. */
const tallyOf = ({ settings, corpus, known }: Plan) => {
  const { impl, strategies } = settings;
  const all = [...strategies, ...corpus.map(({ program }) => program.config.strategy)];
  return createTally({ impl, strategies: all }, known);
};

export const runCampaign = async (
  plan: Plan,
  workers: Workers,
  listener: Listener,
  until: Until = {},
): Promise<Result> => {
  const { settings, limits } = plan;
  const tally = tallyOf(plan);
  const started = performance.now();
  const passed = (): number => performance.now() - started;
  let coverage: CoverageResult | undefined;
  let gone: string | undefined;
  let [programs, generated, steps, findings] = [0, 0, 0, 0];
  const all = plan.guided ? guidedAnswers(plan, workers, until) : answers(workers, settings, itemsOf(plan), until);
  for await (const answer of all) {
    for (const judged of answer.judged) {
      const found = tally.add(judged);
      programs += 1;
      if (judged.file === undefined) generated += 1;
      steps += judged.verdict.steps;
      if (found === undefined) continue;
      findings += 1;
      listener.found(found);
      if (findings >= limits.findings) break;
    }
    gone ??= answer.gone;
    if (answer.coverage !== undefined) {
      coverage = coverage === undefined ? answer.coverage : addCoverage(coverage, answer.coverage);
    }
    listener.progress({ programs, generated, steps, findings, milliseconds: passed(), coverage });
    // A signal is looked for between answers.
    await turn();
    if (findings >= limits.findings) break;
  }
  const result = { totals: tally.totals(), coverage, seconds: passed() / 1000 };
  return gone === undefined ? result : { ...result, gone };
};
