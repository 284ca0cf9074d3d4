/** What became of the operation of one step, as coverage counts it. */
import { register } from "../spec/sfork/context.js";
import type { CheckedStep } from "../spec/invariants/check.js";
import type { Transition } from "../spec/invariants/transition.js";
import { operations, type OperationEntry } from "../spec/sfork/operation.js";

/**
 * `as`: the error, `would-block`, `bad-choice`, or `untagged` where a capability lost its tag; the cause of the trap; the
 * kind of observation of a step that says nothing of the operation (`unsupported`, `outside-profile`, …).
 */
export type Outcome =
  { readonly kind: "succeeded" } | { readonly kind: "failed" | "trapped" | "discarded"; readonly as: string };

/** Of a transition, what says whether a capability lost its tag. */
type Derivation = Pick<Transition, "before" | "operation" | "observation" | "thread" | "process">;

/** Capability operations do not trap: what is not authorised makes an untagged result of a tagged operand. */
const losesTag = ({ before, operation, observation, thread, process }: Derivation): boolean => {
  if (observation.kind !== "capability" || observation.capability.tag || !("cs1" in operation)) return false;
  const { rule }: OperationEntry = operations[operation.op];
  const operand = register({ machine: before, format: before.format, thread, process }, operation.cs1);
  return rule.startsWith("CAP-") && operation.op !== "ccleartag" && operand.tag;
};

/** Of a step that was not taken (`acted`), nothing is said: nobody could take it, or signals ended or stopped who would have. */
export const outcomeOf = ({
  observation,
  acted,
  transition,
}: Pick<CheckedStep, "observation" | "acted"> & { readonly transition: Derivation | undefined }): Outcome => {
  if (!acted) return { kind: "discarded", as: observation.kind };
  switch (observation.kind) {
    case "capability":
      return transition !== undefined && losesTag(transition)
        ? { kind: "failed", as: "untagged" }
        : { kind: "succeeded" };
    case "integer":
    case "none":
    case "bytes":
    case "descriptor":
    case "descriptors":
    case "set":
    case "child":
    case "process":
      return { kind: "succeeded" };
    case "error":
      return { kind: "failed", as: observation.error };
    case "would-block":
    case "bad-choice":
      return { kind: "failed", as: observation.kind };
    case "trap":
      return { kind: "trapped", as: observation.trap };
    case "unsupported":
    case "no-actor":
    case "halted":
    case "out-of-frames":
    case "outside-profile":
      return { kind: "discarded", as: observation.kind };
  }
};
