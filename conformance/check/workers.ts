/**
 * Who judges batches: worker threads, or this one. Answers come in the order of programs, whoever was quicker, so that what
 * a campaign finds does not depend on how many work on it.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Piscina } from "piscina";
import { judgeBatch, minimise, type Answer, type Batch, type Item, type Minimisation } from "./batch.js";
import { programOf, type AnySettings, type CampaignSettings, type Judged } from "./campaign.js";
import { crashMessage, noVerdict, type Checker } from "./judge.js";
import { isExternal } from "./external.js";
import type { Externals } from "./externals.js";
import { isLost, lostFinding, type Lost } from "./lost.js";
import type { Minimised } from "./minimise.js";
import { createPulse, readPulse, type Pulse } from "./pulse.js";

export interface Workers {
  /** How many batches are judged at a time. */
  readonly count: number;
  /**
   * The answer, or what is known where there is none. Undefined if the deadline (milliseconds, of `Date.now`) passed before:
   * then only what hangs is waited for, until that is certain.
   */
  readonly judge: (batch: Batch, deadline: number) => Promise<Answer | Lost | undefined>;
  readonly minimise: (task: Minimisation) => Promise<Minimised>;
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

/** Milliseconds between two looks at what a thread is at. */
export const tick = 100;

/**
 * A step, which takes a few milliseconds, hangs if it is still there after so many looks. Looks, not time: while a machine
 * is asleep or too busy for anything, there are none. Each step that hangs costs this: shrinking begins many of them.
 */
export const patience = { judging: 50, shrinking: 5 } as const;

interface Limits {
  readonly looks: number;
  readonly deadline: number;
}

type Pool = ReturnType<typeof poolOf<(Batch | Minimisation) & { readonly pulse: Pulse }>>;

/** A task's answer, from a thread that is watched: one that hangs is ended, and another takes its place. */
const watched = <Result extends object>(
  pool: Pool,
  name: "default" | "minimise",
  task: Batch | Minimisation,
  { looks, deadline }: Limits,
  externals?: Externals,
): Promise<Result | Lost | undefined> => {
  const lent = isExternal(task.settings.impl) ? externals?.lend() : undefined;
  const pulse = createPulse();
  const abort = new AbortController();
  let [before, unchanged] = [0, 0];
  const lost = (error: unknown): Lost => {
    const { nth, step } = readPulse(pulse);
    const isHang = unchanged >= looks;
    return { kind: isHang ? "hang" : "worker", nth, step, message: isHang ? "no answer" : crashMessage(error) };
  };
  return new Promise((resolve) => {
    const look = (): void => {
      const { beats } = readPulse(pulse);
      // Before the first it waits for a thread, or for that to start.
      unchanged = beats > 0 && beats === before ? unchanged + 1 : 0;
      before = beats;
      const isLate = unchanged === 0 && Date.now() >= deadline;
      if (isLate) resolve(undefined);
      // What is under way is nearly done: it costs less than another thread.
      if (unchanged >= looks || (isLate && beats === 0)) abort.abort();
    };
    const watch = setInterval(look, tick);
    const answer = pool.run(
      { ...task, pulse, ...(lent && { link: lent.link }) },
      { name, signal: abort.signal, ...(lent && { transferList: [lent.port] }) },
    ) as Promise<Result>;
    answer
      .then(
        (result) => {
          lent?.done(true);
          resolve(result);
        },
        (error: unknown) => {
          lent?.done(false);
          resolve(lost(error));
        },
      )
      .finally(() => {
        clearInterval(watch);
      });
  });
};

/** A finding made smaller by threads, each of which judges candidates up to the first that it is lost in. */
const minimiseOn = async (pool: Pool, task: Minimisation, externals?: Externals): Promise<Minimised> => {
  const looks = task.found.finding.kind === "hang" ? patience.shrinking : patience.judging;
  const known: Lost[] = [];
  for (;;) {
    const asked = { ...task, lost: known };
    const result = await watched<Minimised>(pool, "minimise", asked, { looks, deadline: Infinity }, externals);
    if (result === undefined) throw new Error("late without a deadline");
    if (!isLost(result)) return result;
    // It was not lost there before.
    if (result.nth <= (known.at(-1)?.nth ?? -1)) return { kind: "flaky" };
    known.push(result);
  }
};

/**
 * The V8 of Node 20 has no compiler between a baseline and the one that optimises, and asks that one before it knows what
 * it should optimise for: the first thousands of programs would be judged while the same functions are compiled again and
 * again. Told to wait longer, two workers judged the first 2,000 programs half again as fast. Later ones do without.
 */
export const waitBeforeOptimising = (): void => {
  if (process.versions.v8.startsWith("11.")) setFlagsFromString("--always-sparkplug --interrupt-budget=1000000");
};

/** Megabytes of objects: several times what judging takes. An implementation that takes more ends its thread, and no more. */
const mostMemory = 256;

/** Threads for tasks of one kind. */
export const poolOf = <Task>(count: number, worker: URL): Piscina<Task, unknown> => {
  const pool = new Piscina<Task, unknown>({
    // From source a worker needs what its parent may have got otherwise.
    ...(worker.pathname.endsWith(".ts") ? { execArgv: ["--import", import.meta.resolve("tsx")] } : {}),
    filename: fileURLToPath(worker),
    minThreads: count,
    maxThreads: count,
    idleTimeout: Infinity,
    resourceLimits: { maxYoungGenerationSizeMb: 192, maxOldGenerationSizeMb: mostMemory },
  });
  // Of a thread without a task: one that hung, was ended for that, and ran out of memory before it was.
  pool.on("error", () => undefined);
  return pool;
};

/**
 * Threads of their own: one that dies is replaced by another. `worker` exports what `worker.ts` does; `externals` are the
 * processes of the implementation, where it has some.
 */
export const threads = (count: number, worker = usualWorker, externals?: Externals): Workers => {
  waitBeforeOptimising();
  const judges = poolOf(count, worker);
  // Findings do not wait for batches, which may hang; where one thread is lost, another is there. Most runs find nothing.
  let shrinkers: Pool | undefined;
  return {
    count,
    judge: (batch, deadline) =>
      watched<Answer>(judges, "default", batch, { looks: patience.judging, deadline }, externals),
    minimise: (task) => {
      shrinkers ??= poolOf(Math.max(2, count), worker);
      return minimiseOn(shrinkers, task, externals);
    },
    close: async () => {
      await Promise.all([judges.destroy(), shrinkers?.destroy()]);
    },
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

/** Programs of a batch, and steps of all of them: enough that handing them over costs little, and no more than that. */
const most = { programs: 16, steps: 800 } as const;

/** What is the same for all batches. */
type Asked = Pick<Batch, "guided"> & { readonly settings: CampaignSettings };

/** The first batches are small, so that the first answers come at once. */
function* batchesOf(asked: Asked, programs: Iterable<Item>): Generator<Batch, void, void> {
  const { settings } = asked;
  const largest = Math.min(most.programs, Math.max(1, Math.floor(most.steps / settings.steps)));
  let [size, after] = [1, 0];
  let items: Item[] = [];
  for (const item of programs) {
    items.push(item);
    if (items.length < size) continue;
    yield { ...asked, items, after };
    after += items.length;
    items = [];
    size = Math.min(2 * size, largest);
  }
  if (items.length > 0) yield { ...asked, items, after };
}

const originOf = (item: Item): Pick<Judged, "index" | "file" | "mutant"> => {
  if (typeof item === "number") return { index: item };
  return "file" in item ? { index: item.index, file: item.file } : { index: item.index, mutant: true };
};

/** The answer for a program that a thread was lost in. */
const lostAnswer = (settings: AnySettings, item: Item, lost: Lost): Answer => {
  const program = typeof item === "number" ? programOf(settings, item) : item.program;
  const finding = lostFinding(settings.impl, program, lost);
  const verdict = { ...noVerdict, steps: finding.program.steps.length, finding };
  const origin = originOf(item);
  return { judged: [{ ...origin, strategy: program.config.strategy, verdict }], coverage: undefined };
};

/** When answers are asked for no more. */
export interface Until {
  readonly signal?: AbortSignal;
  /** Milliseconds, of `Date.now`. The first batch is waited for all the same. */
  readonly deadline?: number;
}

/** A batch that a thread was lost in: what comes before that program, its finding, and what comes after it. */
async function* around(
  workers: Workers,
  { settings, items, after, guided }: Batch,
  lost: Lost,
  until: Until,
): AsyncGenerator<Answer, void, void> {
  const { nth } = lost;
  const part = (first: number, end?: number): readonly Batch[] => {
    const some = items.slice(first, end);
    return some.length === 0 ? [] : [{ settings, items: some, after: after + first, ...(guided && { guided }) }];
  };
  yield* answersTo(workers, part(0, nth), until);
  for (const item of items.slice(nth, nth + 1)) yield lostAnswer(settings, item, lost);
  if (Date.now() < (until.deadline ?? Infinity)) yield* answersTo(workers, part(nth + 1), until);
}

async function* answersTo(
  workers: Workers,
  batches: Iterable<Batch>,
  until: Until,
): AsyncGenerator<Answer, void, void> {
  const { signal, deadline = Infinity } = until;
  const left = batches[Symbol.iterator]();
  const ahead: { readonly batch: Batch; readonly answer: ReturnType<Workers["judge"]> }[] = [];
  let isFirst = true;
  const more = (): void => {
    while (ahead.length < 2 * workers.count && (isFirst || Date.now() < deadline)) {
      const next = left.next();
      if (next.done === true) return;
      ahead.push({ batch: next.value, answer: workers.judge(next.value, isFirst ? Infinity : deadline) });
      isFirst = false;
    }
  };
  for (;;) {
    more();
    const next = ahead.shift();
    if (next === undefined) return;
    const answer = await unlessAborted(next.answer, signal);
    if (answer === undefined) return;
    if (isLost(answer)) yield* around(workers, next.batch, answer, until);
    else yield answer;
    if (!isLost(answer) && answer.gone !== undefined) return;
  }
}

/** Answers of a campaign in the order of its programs, up to the last of them or until it is asked for no more. */
export const answers = (
  workers: Workers,
  settings: CampaignSettings,
  programs: Iterable<Item>,
  until: Until & Pick<Batch, "guided"> = {},
): AsyncGenerator<Answer, void, void> => {
  const { guided } = until;
  return answersTo(workers, batchesOf({ settings, ...(guided && { guided }) }, programs), until);
};

/** A program by itself. */
export const judgeAlone = async (workers: Workers, settings: CampaignSettings, item: Item): Promise<Judged> => {
  for await (const { judged } of answers(workers, settings, [item])) {
    for (const one of judged) return one;
  }
  throw new Error("a program without an answer");
};
