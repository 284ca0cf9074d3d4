/** What runs in the threads of `sfork coverage`: a batch is judged in the copy that this file was loaded from, and counted. */
import { judgeBatch, type Answer, type Batch } from "../check/batch.js";
import { countEvaluations } from "./evaluated.js";

export { minimise } from "../check/worker.js";

export default (batch: Batch): Answer => {
  const { checker, result } = countEvaluations();
  const answer = judgeBatch(batch, checker);
  return answer.coverage === undefined
    ? answer
    : { ...answer, coverage: { ...answer.coverage, evaluations: result() } };
};
