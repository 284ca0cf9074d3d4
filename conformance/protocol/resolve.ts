/**
 * Steps in resolved form: who takes them, and with every number that the machine would reduce into range reduced. Who receives
 * them need not know how that is done, nor which threads are dead.
 */
import { maxDescriptors } from "../../spec/sfork/kernel.js";
import { registerCount, type Machine } from "../../spec/sfork/machine.js";
import type {
  Integer,
  OperandKind,
  Operation,
  OperationName,
  SplitCall,
  Step,
  Target,
} from "../../spec/sfork/operation.js";
import { resolveActor } from "../../spec/sfork/step.js";
import { operandsOf } from "../program/operation-codec.js";

/** A step, and who takes it. */
export interface ResolvedStep {
  /** Creation ordinals over the whole machine; the thread is one of the process's. */
  readonly process: number;
  readonly thread: number;
  readonly operation: Operation;
}

const modulo = (ordinal: number, made: number): number => (made === 0 ? ordinal : ordinal % made);

const isInteger = (value: unknown): value is Integer => typeof value === "object" && value !== null;

const register = (index: number): number => index % registerCount;

const integer = (value: Integer): Integer => ("register" in value ? { register: register(value.register) } : value);

const target = (machine: Machine, value: Target): Target => {
  if (value === "own-group") return value;
  const made = machine.processes.length;
  return "process" in value ? { process: modulo(value.process, made) } : { group: modulo(value.group, made) };
};

/** Ordinals of shared segments and channels have one kind, and each a name of its own. */
const ordinal = (machine: Machine, name: string, value: number): number =>
  modulo(value, name === "segment" ? machine.config.shared : machine.channels.length);

const reduced = (machine: Machine, kind: OperandKind, name: string, value: unknown): unknown => {
  switch (kind) {
    case "register":
      return register(value as number);
    case "integer":
    case "offset":
      return isInteger(value) ? integer(value) : value;
    case "ordinal":
      return ordinal(machine, name, value as number);
    case "optionalOrdinal":
      return value === undefined ? value : modulo(value as number, machine.processes.length);
    case "descriptor":
      return modulo(value as number, maxDescriptors);
    case "target":
      return target(machine, value as Target);
    case "action":
      return typeof value === "object" && value !== null && "code" in value && "data" in value
        ? { code: register(value.code as number), data: register(value.data as number) }
        : value;
    case "call":
      return resolveOperation(machine, value as SplitCall);
    case "permissions":
    case "protection":
    case "path":
    case "openFlags":
    case "signals":
    case "advice":
    case "whence":
    case "resource":
    case "whose":
    case "direction":
      return value;
  }
};

const operandLists = new Map<OperationName, ReturnType<typeof operandsOf>>();

const operandsOfOnce = (name: OperationName): ReturnType<typeof operandsOf> => {
  const known = operandLists.get(name) ?? operandsOf(name);
  operandLists.set(name, known);
  return known;
};

const resolveOperation = (machine: Machine, operation: Operation): Operation => {
  const changed: Record<string, unknown> = { ...operation };
  for (const { name, kind } of operandsOfOnce(operation.op)) {
    changed[name] = reduced(machine, kind, name, changed[name]);
  }
  // Each operand has kept its kind.
  return changed as unknown as Operation;
};

/** A step as it is sent, on the machine before it; undefined where nobody can take it. */
export const resolveStep = (machine: Machine, { actor, operation }: Step): ResolvedStep | undefined => {
  if (machine.processes[0]?.state.kind !== "live") return undefined;
  const thread = resolveActor(machine, actor);
  const process = thread === undefined ? undefined : machine.threads[thread]?.process;
  if (thread === undefined || process === undefined) return undefined;
  return { process, thread, operation: resolveOperation(machine, operation) };
};
