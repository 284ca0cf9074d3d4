/** An implementation of one's own in another process, in any language. */
export { External, type Outcome } from "./external.js";
export { LineReader } from "./lines.js";
export { endMarked } from "./sweep.js";
