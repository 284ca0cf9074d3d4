/** Corner cases of pointers that are loaded from memory, and then used. */
import { liesWithin } from "../../spec/sfork/relocate.js";
import { accessing, copyingIn, copyingOut, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

/** Was the authority of the access loaded from memory by the same thread? */
const follows = ({ operation, history, transition }: Evidence): boolean =>
  "cs1" in operation && history.loaded.has(`${transition.thread}:${operation.cs1 % 16}`);

const isOwn = (evidence: Evidence): boolean => {
  const { operation, region } = evidence;
  return "cs1" in operation && liesWithin(evidence.register(operation.cs1), region);
};

export const pointerCases = {
  "pointer-followed-in-child": {
    description: "a child uses a pointer that it loaded from memory, into its own region",
    on: accessing,
    reached: (evidence) =>
      evidence.succeeded && follows(evidence) && evidence.history.forkedBy.has(evidence.process) && isOwn(evidence),
  },
  "pointer-chain-followed": {
    description: "a pointer is loaded through a pointer that was loaded itself",
    on: ["loadcap"],
    reached: (evidence) => follows(evidence) && evidence.result?.tag === true,
  },
  "pointer-followed-by-kernel": {
    description: "the kernel moves bytes through a pointer that was loaded from memory",
    on: [...copyingOut, ...copyingIn],
    reached: (evidence) => evidence.succeeded && follows(evidence) && evidence.accesses.some(({ size }) => size > 0n),
  },
} as const satisfies CornerCases;
