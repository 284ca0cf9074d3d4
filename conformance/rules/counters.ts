/**
 * Counters that the functions of rules are given in an instrumented copy of the specification (`instrumented.ts`). They
 * belong to the thread that loads it.
 */

/** Who evaluates a function: the step, or whoever judges it. Evaluations by others do not count. */
export type Evaluator = "step" | "judge";

interface Counter {
  readonly id: string;
  readonly by: Evaluator;
  times: number;
}

const counters: Counter[] = [];

const open: Record<Evaluator, boolean> = { step: false, judge: false };

type Callable = (...args: readonly unknown[]) => unknown;

const isCallable = (value: unknown): value is Callable => typeof value === "function";

const counting = (counter: Counter, value: Callable): Callable => {
  return (...args) => {
    const result = value(...args);
    // What a function made is the rule, if that is a function.
    if (isCallable(result)) return counting(counter, result);
    if (open[counter.by]) counter.times += 1;
    return result;
  };
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** The same function with a counter, or functions in an object with one for all. Anything else comes back as it is. */
export const counted = (id: string, by: Evaluator, value: unknown): unknown => {
  const members = isRecord(value) ? Object.entries(value) : [];
  const isFunctions = members.length > 0 && members.every(([, one]) => isCallable(one));
  if (!isCallable(value) && !isFunctions) return value;
  const counter: Counter = { id, by, times: 0 };
  counters.push(counter);
  if (isCallable(value)) return counting(counter, value);
  return Object.fromEntries(members.map(([name, one]) => [name, isCallable(one) ? counting(counter, one) : one]));
};

/** Count while this is done. */
export const during = <T>(by: Evaluator, work: () => T): T => {
  const before = open[by];
  open[by] = true;
  try {
    return work();
  } finally {
    open[by] = before;
  }
};

/** All that have a counter. */
export const countable = (): readonly string[] => counters.map(({ id }) => id);

/** What was counted since it was last asked for. */
export const takeCounts = (each: (id: string, times: number) => void): void => {
  for (const counter of counters) {
    if (counter.times > 0) each(counter.id, counter.times);
    counter.times = 0;
  }
};
