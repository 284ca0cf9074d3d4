/** What runs in a worker thread: a task is a batch. */
export { judgeBatch as default } from "./batch.js";
