/** What the oblivious profile has: steps that show the same wherever regions lie, without a number masked (REF-3). */
import type { Operation, OperationName } from "../../spec/sfork/operation.js";
import { isOblivious } from "../oblivious/flows.js";

/** Operations whose results, or what becomes of them, depend on where a region lies; and channels, which L0 lacks. */
export const addressing: readonly OperationName[] = [
  "csetaddr",
  "cfromptr",
  "csethigh",
  "ccopytype",
  "cbuildcap",
  "csub",
  "ctoptr",
  "cgetbase",
  "cgettop",
  "cgetaddr",
  "cgethigh",
  "channel",
  "sendcap",
  "recvcap",
];

export const isPlaceless = (operation: Operation): boolean =>
  isOblivious(operation) && !addressing.includes(operation.op);
