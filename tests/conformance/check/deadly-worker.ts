/** A worker thread that some steps end, or keep for ever: those that load certain numbers. */
import process from "node:process";
import { resourceLimits } from "node:worker_threads";
import { judgeBatch, minimise as smaller, type Answer, type Batch } from "../../../conformance/check/batch.js";
import { specification, type Checker } from "../../../conformance/check/judge.js";
import type { Minimised } from "../../../conformance/check/minimise.js";
import type { Operation } from "../../../spec/sfork/operation.js";

/** Of an `li`. */
const numberOf = (operation: Operation): bigint | undefined =>
  operation.op === "li" && "immediate" in operation.n ? operation.n.immediate : undefined;

const forEver = (use: () => void): never => {
  for (;;) use();
};

const eatMemory = (): never => {
  const eaten: object[] = [];
  return forEver(() => {
    // Little at a time: where V8 finds no room for much at once it ends the process, and not the thread.
    eaten.push(new Array<number>(50_000).fill(0));
  });
};

const deadly: Checker = {
  ...specification,
  step: (checked, next) => {
    const number = numberOf(next.operation);
    if (number === 7701n) process.exit(7);
    if (number === 7702n) forEver(() => undefined);
    if (number === 7703n) eatMemory();
    if (number === 7704n) process.exit(resourceLimits.maxOldGenerationSizeMb);
    return specification.step(checked, next);
  },
};

export const minimise = (task: Parameters<typeof smaller>[0]): Minimised => smaller(task, deadly);

export default (batch: Batch): Answer => judgeBatch(batch, deadly);
