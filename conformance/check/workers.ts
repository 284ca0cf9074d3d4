/**
 * Who judges batches: worker threads, or this one. Answers come in the order of programs, whoever was quicker, so that what
 * a campaign finds does not depend on how many work on it.
 */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { judgeBatch, type Answer, type Batch } from "./batch.js";
import type { CampaignSettings } from "./campaign.js";
import { generate } from "../generate/generate.js";
import type { Finding } from "./finding.js";
import { crashMessage, noVerdict, type Checker } from "./judge.js";

export interface Workers {
  /** How many batches are judged at a time. */
  readonly count: number;
  readonly judge: (batch: Batch) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

/** This thread, and a checker that a test has broken: functions do not go to others. */
export const thisThread = (checker?: Checker): Workers => ({
  count: 1,
  judge: (batch) => Promise.resolve(judgeBatch(batch, checker)),
  close: () => Promise.resolve(),
});

/** Threads of their own: one that dies is replaced by another. */
export const threads = (count: number): Workers => {
  // From source or built: the worker lies beside this file, and is called as it is.
  const suffix = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const pool = new Piscina<Batch, Answer>({
    // From source a worker needs what its parent may have got otherwise.
    ...(suffix === "ts" ? { execArgv: ["--import", "tsx"] } : {}),
    filename: fileURLToPath(new URL(`worker.${suffix}`, import.meta.url)),
    minThreads: count,
    maxThreads: count,
    idleTimeout: Infinity,
    resourceLimits: { maxYoungGenerationSizeMb: 192 },
  });
  return { count, judge: (batch) => pool.run(batch), close: () => pool.destroy() };
};

/** Programs of a batch: enough that handing them over costs little, few enough that a summary is not waited for. */
const batchSize = 16;

/** A program that ended the worker that judged it. */
const lost = (settings: CampaignSettings, index: number, error: unknown): Answer => {
  const { seed, impl, ...choice } = settings;
  const { version, config, steps } = generate(seed, index, choice);
  const program = { version, config, steps };
  const rule = impl === "spec-lazy" ? "EXEC-1" : "REF-4";
  const actual = crashMessage(error);
  const finding: Finding = {
    ...{ kind: "worker", rule, where: "the worker", what: "ended without an answer", expected: "an answer", actual },
    ...{ step: Math.max(0, steps.length - 1), key: `${rule} worker`, also: [], program },
  };
  const verdict = { ...noVerdict, steps: steps.length, finding };
  return { judged: [{ index, strategy: config.strategy, verdict }], coverage: undefined };
};

/** A batch whose worker died, a program at a time: some of them die again. */
async function* oneByOne({ judge }: Workers, { settings, from, to }: Batch): AsyncGenerator<Answer, void, void> {
  for (let index = from; index < to; index += 1) {
    const one = { settings, from: index, to: index + 1 };
    yield await judge(one).catch((error: unknown) => lost(settings, index, error));
  }
}

/** Answers of a campaign in the order of its programs, up to `runs` of them or until it is asked for no more. */
export async function* answers(
  workers: Workers,
  settings: CampaignSettings,
  runs: number,
): AsyncGenerator<Answer, void, void> {
  let from = 0;
  const ahead: { readonly batch: Batch; readonly answer: Promise<Answer | undefined> }[] = [];
  const more = (): void => {
    while (ahead.length < 2 * workers.count && from < runs) {
      const batch = { settings, from, to: Math.min(runs, from + batchSize) };
      from = batch.to;
      // A failure is looked at when it is this batch's turn.
      ahead.push({ batch, answer: workers.judge(batch).catch(() => undefined) });
    }
  };
  for (;;) {
    more();
    const next = ahead.shift();
    if (next === undefined) return;
    const answer = await next.answer;
    if (answer === undefined) yield* oneByOne(workers, next.batch);
    else yield answer;
  }
}
