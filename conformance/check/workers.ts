/**
 * Who judges batches: worker threads, or this one. Answers come in the order of programs, whoever was quicker, so that what
 * a campaign finds does not depend on how many work on it.
 */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { judgeBatch, minimise, type Answer, type Batch, type Item, type Minimisation } from "./batch.js";
import type { CampaignSettings, Found } from "./campaign.js";
import { generate } from "../generate/generate.js";
import type { CompleteProgram, Finding } from "./finding.js";
import { crashMessage, noVerdict, type Checker } from "./judge.js";

export interface Workers {
  /** How many batches are judged at a time. */
  readonly count: number;
  readonly judge: (batch: Batch) => Promise<Answer>;
  readonly minimise: (task: Minimisation) => Promise<Found>;
  readonly close: () => Promise<void>;
}

/** This thread, and a checker that a test has broken: functions do not go to others. */
export const thisThread = (checker?: Checker): Workers => ({
  count: 1,
  judge: (batch) => Promise.resolve(judgeBatch(batch, checker)),
  minimise: (task) => Promise.resolve(minimise(task, checker)),
  close: () => Promise.resolve(),
});

/** From source or built: the worker lies beside this file, and is called as it is. */
const usualWorker = new URL(`worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

/** Threads of their own: one that dies is replaced by another. `worker` exports what `worker.ts` does. */
export const threads = (count: number, worker = usualWorker): Workers => {
  const pool = new Piscina<Batch | Minimisation, unknown>({
    // From source a worker needs what its parent may have got otherwise.
    ...(worker.pathname.endsWith(".ts") ? { execArgv: ["--import", "tsx"] } : {}),
    filename: fileURLToPath(worker),
    minThreads: count,
    maxThreads: count,
    idleTimeout: Infinity,
    resourceLimits: { maxYoungGenerationSizeMb: 192 },
  });
  return {
    count,
    judge: async (batch) => (await pool.run(batch)) as Answer,
    minimise: async (task) => (await pool.run(task, { name: "minimise" })) as Found,
    close: () => pool.destroy(),
  };
};

/** What a promise comes to; undefined as soon as nobody wants it any longer. */
export const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> => {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      resolve(undefined);
    };
    if (signal.aborted) stop();
    // Not a race with one promise that never settles: that would remember every answer of a campaign.
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
};

/** Programs of a batch: enough that handing them over costs little, few enough that a summary is not waited for. */
const batchSize = 16;

function* batchesOf(settings: CampaignSettings, programs: Iterable<Item>): Generator<Batch, void, void> {
  let items: Item[] = [];
  for (const item of programs) {
    items.push(item);
    if (items.length < batchSize) continue;
    yield { settings, items };
    items = [];
  }
  if (items.length > 0) yield { settings, items };
}

const programOf = (settings: CampaignSettings, item: Item): CompleteProgram => {
  if (typeof item !== "number") return item.program;
  const { formats, strategies, profile, steps: most } = settings;
  const { version, config, steps } = generate(settings.seed, item, { formats, strategies, profile, steps: most });
  return { version, config, steps };
};

/** A program that ended the worker that judged it. */
const lost = (settings: CampaignSettings, item: Item, error: unknown): Answer => {
  const program = programOf(settings, item);
  const { config, steps } = program;
  const rule = settings.impl === "spec-lazy" ? "EXEC-1" : "REF-4";
  const actual = crashMessage(error);
  const finding: Finding = {
    ...{ kind: "worker", rule, where: "the worker", what: "ended without an answer", expected: "an answer", actual },
    ...{ step: Math.max(0, steps.length - 1), key: `${rule} worker`, also: [], program },
  };
  const verdict = { ...noVerdict, steps: steps.length, finding };
  const origin = typeof item === "number" ? { index: item } : { index: item.index, file: item.file };
  return { judged: [{ ...origin, strategy: config.strategy, verdict }], coverage: undefined };
};

/** A batch whose worker died, a program at a time: some of them die again. */
async function* oneByOne(
  { judge }: Workers,
  { settings, items }: Batch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Answer, void, void> {
  for (const item of items) {
    const answer = judge({ settings, items: [item] }).catch((error: unknown) => lost(settings, item, error));
    const one = await unlessAborted(answer, signal);
    if (one === undefined) return;
    yield one;
  }
}

/** Answers of a campaign in the order of its programs, up to the last of them or until it is asked for no more. */
export async function* answers(
  workers: Workers,
  settings: CampaignSettings,
  programs: Iterable<Item>,
  signal?: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  const batches = batchesOf(settings, programs);
  const ahead: { readonly batch: Batch; readonly answer: Promise<Answer | "died"> }[] = [];
  const more = (): void => {
    while (ahead.length < 2 * workers.count) {
      const next = batches.next();
      if (next.done === true) return;
      // A failure is looked at when it is this batch's turn.
      ahead.push({ batch: next.value, answer: workers.judge(next.value).catch(() => "died" as const) });
    }
  };
  for (;;) {
    more();
    const next = ahead.shift();
    if (next === undefined) return;
    const answer = await unlessAborted(next.answer, signal);
    if (answer === undefined) return;
    if (answer === "died") yield* oneByOne(workers, next.batch, signal);
    else yield answer;
  }
}
