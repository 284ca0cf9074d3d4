/** A worker thread whose specification is broken: functions do not go to other threads, files do. */
import { judgeBatch, minimise as smaller, type Answer, type Batch } from "../../../conformance/check/batch.js";
import type { Found } from "../../../conformance/check/campaign.js";
import { forgetfulFork } from "./support.js";

export const minimise = (task: Parameters<typeof smaller>[0]): Found => smaller(task, forgetfulFork);

export default (batch: Batch): Answer => judgeBatch(batch, forgetfulFork);
