/** Counts how often functions of rules are evaluated while programs are judged, by what became of the step. */
import { initial } from "../../spec/sfork/machine.js";
import { completeConfig } from "../../spec/sfork/config.js";
import { step as take } from "../../spec/sfork/step.js";
import { specification, type Checker } from "../check/judge.js";
import type { Evaluations } from "../coverage.js";
import { outcomeOf, type Outcome } from "../outcome.js";
import { countable, during, takeCounts } from "./counters.js";

type Column = keyof Evaluations;

const columns: Readonly<Record<Outcome["kind"], Column>> = {
  succeeded: "succeeded",
  failed: "failed",
  trapped: "trapped",
  discarded: "outside",
};

export interface Evaluated {
  readonly checker: Checker;
  readonly result: () => Readonly<Record<string, Evaluations>>;
}

/**
 * The usual checker, counting. A function is evaluated once for a step: what runs beside it, and what looks at it afterwards,
 * evaluates the same functions, and does not count. The rules of the checker itself count where it looks.
 */
export const countEvaluations = (): Evaluated => {
  const none = { succeeded: 0, failed: 0, trapped: 0, outside: 0 };
  const counts = new Map<string, Record<Column, number>>(countable().map((id) => [id, { ...none }]));
  const note = (column: Column): void => {
    takeCounts((id, times) => {
      const one = counts.get(id);
      if (one !== undefined) one[column] += times;
    });
  };
  // Of who had the thread before.
  takeCounts(() => undefined);
  return {
    checker: {
      ...specification,
      start: (config, laws, beside) => {
        during("step", () => {
          completeConfig(config);
          initial(config, laws);
        });
        note("outside");
        return specification.start(config, laws, beside);
      },
      step: (checked, next, by) => {
        const taken = during("judge", () =>
          specification.step(checked, next, (machine, one) => during("step", () => (by ?? take)(machine, one))),
        );
        note(columns[outcomeOf(taken).kind]);
        return taken;
      },
      violations: (transition, form) => {
        const found = during("judge", () => specification.violations(transition, form));
        note(columns[outcomeOf({ ...transition, acted: true, transition }).kind]);
        return found;
      },
    },
    result: () => Object.fromEntries(counts),
  };
};
