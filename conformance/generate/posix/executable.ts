/**
 * What a real kernel can execute, and does as the specification says: the posix profile, as a predicate over the next step.
 * What it leaves out has no counterpart there (capabilities, channels, devices, split calls), is decided by something that
 * the specification has not (who else uses the machine), or differs from kernel to kernel.
 */
import type { Operation, OperationName } from "../../../spec/sfork/operation.js";
import type { Model } from "../model.js";
import type { Thread } from "../model/life.js";
import { callChecks } from "./calls.js";
import type { ExecutableCheck, ExecutableChecks } from "./check.js";
import { memoryChecks } from "./memory.js";
import { processChecks } from "./processes.js";

const checks: ExecutableChecks = { ...memoryChecks, ...callChecks, ...processChecks };

export const executableOperations = Object.keys(checks) as readonly OperationName[];

/** A handler's counter may lie where a pointer is: then only a step that looks at nothing is the same on every machine. */
const disturbs = (model: Model, { life }: Thread): boolean =>
  Array.from(life.actions.values()).some((action) => {
    if (action === "ignore" || typeof action.data !== "object") return false;
    return life.memory?.isPlain(action.data, 0, model.counter) === false;
  });

export const isExecutable = (model: Model, actor: number, operation: Operation): boolean => {
  const thread = model.threadAt(actor);
  const check = checks[operation.op] as ExecutableCheck<typeof operation.op> | undefined;
  if (thread === undefined || check === undefined || !model.isLive(actor)) return false;
  const outlook = model.outlook(thread);
  if (outlook === "handled" && operation.op !== "yield" && disturbs(model, thread)) return false;
  // A thread that will not come to its step is shown what keeps it from it.
  return outlook === "gone" || check(model, thread, operation);
};
