/** What runs in a worker thread: a task is a batch, or a finding to be made smaller. Piscina gives a task and no more. */
export { judgeBatch as default, minimise } from "./batch.js";
