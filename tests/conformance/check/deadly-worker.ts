/** A worker thread that one program ends. */
import process from "node:process";
import { judgeBatch, type Answer, type Batch } from "../../../conformance/check/batch.js";

export default (batch: Batch): Answer => (batch.items.includes(5) ? process.exit(7) : judgeBatch(batch));
