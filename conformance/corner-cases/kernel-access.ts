/** Buffers through which the kernel, or a device, touches memory in a step. */
import type { Capability } from "../../spec/cheri/index.js";
import type { Integer, Operation, SplitCall } from "../../spec/sfork/operation.js";
import type { Transition } from "../../spec/invariants/transition.js";
import type { Machine } from "../../spec/sfork/machine.js";

/** What has to be known of a step. */
interface Operands {
  readonly before: Machine;
  readonly transition: Transition;
  readonly register: (index: number) => Capability;
  readonly integer: (operand: Integer) => bigint;
}

const names = [
  "read",
  "readv",
  "write",
  "writev",
  "call_enter",
  "call_finish",
  "virtq_submit",
  "virtq_complete",
] as const;

export type KernelAccess = Extract<Operation, { readonly op: (typeof names)[number] }>;

export const isKernelAccess = (operation: Operation): operation is KernelAccess =>
  names.some((name) => name === operation.op);

interface Touching {
  readonly kind: "read" | "write";
  readonly capability: Capability;
  readonly size: bigint;
}

/** Buffers of a call by the registers and sizes that it names. */
const named = (evidence: Operands, call: Exclude<SplitCall, { readonly op: "open" }>): readonly Touching[] => {
  const kind = call.op === "read" || call.op === "readv" ? "write" : "read";
  const first = { kind, capability: evidence.register(call.cs1), size: evidence.integer(call.n) } as const;
  if (!("cs2" in call)) return [first];
  return [first, { kind, capability: evidence.register(call.cs2), size: evidence.integer(call.n2) }];
};

/** Buffers that the kernel kept when a call was entered. */
const kept = ({ before, transition }: Operands): readonly Touching[] => {
  const call = before.threads[transition.thread]?.call;
  return call !== undefined && "buffers" in call ? call.buffers.map((one) => ({ kind: "write", ...one })) : [];
};

export const buffersOf = (evidence: Operands, operation: KernelAccess): readonly Touching[] => {
  switch (operation.op) {
    case "call_enter":
      return operation.call.op === "write" || operation.call.op === "writev" ? named(evidence, operation.call) : [];
    case "call_finish":
      return kept(evidence);
    case "virtq_submit": {
      const capability = evidence.register(operation.cs1);
      return operation.direction === "r" ? [{ kind: "read", capability, size: evidence.integer(operation.n) }] : [];
    }
    case "virtq_complete": {
      const [request] = evidence.before.requests;
      return request?.bytes === undefined && request !== undefined ? [{ kind: "write", ...request.buffer }] : [];
    }
    case "read":
    case "readv":
    case "write":
    case "writev":
      return named(evidence, operation);
  }
};
