/** Who expands states: worker threads that are watched, or this one. */
import { loadDefect } from "../defects/load.js";
import { lostFinding, type Lost } from "../check/lost.js";
import { crashMessage } from "../check/judge.js";
import { createPulse, readPulse, type Pulse } from "../check/pulse.js";
import { patience, poolOf, tick, waitBeforeOptimising } from "../check/workers.js";
import { implementations } from "../implementations/index.js";
import { createExpand, stateAt, type Expand, type Expansion, type FoundAt } from "./expand.js";
import { programOf, stepsFrom, type Space, type SpaceName } from "./space.js";

/** States, by the paths to them. */
export interface Task {
  readonly space: SpaceName;
  readonly defect: string | undefined;
  readonly paths: readonly (readonly number[])[];
  /** Steps in which a thread was lost: they are not asked for again. */
  readonly lost: readonly Lost[];
  readonly pulse: Pulse;
}

export interface Expanders {
  /** How many tasks are at work at a time. */
  readonly count: number;
  readonly expand: (space: Space, paths: Task["paths"]) => Promise<readonly Expansion[]>;
  readonly close: () => Promise<void>;
}

/** From source or built: the worker lies beside this file. */
const worker = new URL(`worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

type Pool = ReturnType<typeof poolOf<Task>>;

/** The expansions of a task, or what is known of the thread that gave none. */
const watched = async (pool: Pool, task: Omit<Task, "pulse">): Promise<readonly Expansion[] | Lost> => {
  const pulse = createPulse();
  const abort = new AbortController();
  let [before, unchanged] = [0, 0];
  const watch = setInterval(() => {
    const { beats } = readPulse(pulse);
    unchanged = beats > 0 && beats === before ? unchanged + 1 : 0;
    before = beats;
    if (unchanged >= patience.judging) abort.abort();
  }, tick);
  try {
    return (await pool.run({ ...task, pulse }, { signal: abort.signal })) as readonly Expansion[];
  } catch (error) {
    const { nth, step } = readPulse(pulse);
    const isHang = unchanged >= patience.judging;
    // Before the first step it is not the implementation that is to blame.
    if (step < 0) throw error;
    return { kind: isHang ? "hang" : "worker", nth, step, message: isHang ? "no answer" : crashMessage(error) };
  } finally {
    clearInterval(watch);
  }
};

const isLost = (answer: readonly Expansion[] | Lost): answer is Lost => "message" in answer;

/** What the loss of a thread is, as what was found in a step. */
const foundIn = (space: Space, path: readonly number[], lost: Lost): FoundAt => {
  const last = stepsFrom(stateAt(space, path).machine, space)[lost.step] ?? 0;
  const program = programOf(space, [...path, last]);
  return { nth: lost.step, finding: lostFinding("fast", program, { ...lost, step: path.length }) };
};

const expandOn = async (
  pool: Pool,
  task: Omit<Task, "pulse" | "lost">,
  space: Space,
): Promise<readonly Expansion[]> => {
  const lost: Lost[] = [];
  for (;;) {
    const answer = await watched(pool, { ...task, lost });
    if (isLost(answer)) {
      lost.push(answer);
      continue;
    }
    return answer.map((expansion, nth) => {
      const own = lost.filter((one) => one.nth === nth).map((one) => foundIn(space, task.paths[nth] ?? [], one));
      return own.length === 0 ? expansion : { ...expansion, found: [...expansion.found, ...own] };
    });
  }
};

/** Threads of their own; `defect`: that variant is judged in the place of the optimised implementation. */
export const threads = (count: number, defect?: string): Expanders => {
  waitBeforeOptimising();
  const pool = poolOf<Task>(count, worker);
  return {
    count,
    expand: (space, paths) => expandOn(pool, { space: space.name, defect, paths }, space),
    close: () => pool.destroy(),
  };
};

/** This thread. */
export const thisThread = async (defect?: string): Promise<Expanders> => {
  const create = defect === undefined ? implementations.fast : await loadDefect(defect);
  let last: { readonly space: Space; readonly expand: Expand } | undefined;
  return {
    count: 1,
    expand: (space, paths) => {
      if (last?.space !== space) last = { space, expand: createExpand(space, create) };
      const { expand } = last;
      return Promise.resolve(paths.map((path) => expand(path)));
    },
    close: () => Promise.resolve(),
  };
};
