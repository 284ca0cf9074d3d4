/** An implementation of one's own in another process, in any language. */
export { External, type ExternalOptions, type Outcome } from "./external.js";
export { LineReader, longestLine, type Line } from "./lines.js";
export { endMarked } from "./sweep.js";
