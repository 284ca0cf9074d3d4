/** All operations, and what their form alone says. */
import type { Operation } from "../../spec/sfork/operation.js";
import { capabilityFlows } from "./flows-capability.js";
import { fileFlows } from "./flows-file.js";
import { memoryFlows } from "./flows-memory.js";
import { processFlows } from "./flows-process.js";
import type { Flow, Flows } from "./flow.js";

/** One for each operation: a name without a flow does not compile. */
const flows: Flows = { ...capabilityFlows, ...memoryFlows, ...processFlows, ...fileFlows };

/** The flow takes the operands of the operation's own name, which the record's type says per name. */
export const flowOf = (operation: Operation) => flows[operation.op] as Flow<typeof operation.op>;

/** The form of the operation alone says that it is oblivious: a program of nothing else is never outside (REF-3). */
export const isOblivious = (operation: Operation): boolean => {
  const { oblivious, decides } = flowOf(operation);
  return oblivious === "by-operands" && decides(operation).every((operand) => "immediate" in operand);
};
