/**
 * A worker thread whose specification is broken: functions do not go to other threads, files do. It is loaded without
 * vitest, so that it imports nothing that needs that.
 */
import { judgeBatch, minimise as smaller, type Answer, type Batch } from "../../../conformance/check/batch.js";
import { specification, type Checker } from "../../../conformance/check/judge.js";
import type { Minimised } from "../../../conformance/check/minimise.js";

/** Every number that a lazy machine observes is one more than it should be: a finding of each operation that has one. */
export const wrongNumbers: Checker = {
  ...specification,
  step: (checked, next) => {
    const taken = specification.step(checked, next);
    const { observation } = taken;
    if (observation.kind !== "integer" || taken.checked.ghost === undefined) return taken;
    return { ...taken, observation: { kind: "integer", integer: observation.integer + 1n } };
  },
};

export const minimise = (task: Parameters<typeof smaller>[0]): Minimised => smaller(task, wrongNumbers);

export default (batch: Batch): Answer => judgeBatch(batch, wrongNumbers);
