/** A worker thread that some programs end, and that nothing can be made smaller in. */
import process from "node:process";
import { judgeBatch, type Answer, type Batch } from "../../../conformance/check/batch.js";
import { forgetfulFork } from "./support.js";

const end = (): never => process.exit(7);

export const minimise = end;

export default (batch: Batch): Answer =>
  [5, 40].some((index) => batch.items.includes(index)) ? end() : judgeBatch(batch, forgetfulFork);
