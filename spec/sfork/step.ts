/** One step of the machine, and a run of many. */
import type { CapabilityFormat } from "../cheri/index.js";
import { completeConfig, type Config, type IllegalConfig } from "./config.js";
import type { Context, Outcome } from "./context.js";
import { initial, type Machine } from "./machine.js";
import type { Observation } from "./observation.js";
import { operations, type Operation, type OperationEntry, type OperationName, type Step } from "./operation.js";
import { capabilityRules } from "./rules-capability.js";
import { channelRules } from "./rules-channel.js";
import { mappingRules } from "./rules-mapping.js";
import { memoryRules } from "./rules-memory.js";
import { processRules } from "./rules-process.js";
import type { Rule, Rules } from "./rules.js";

/** One rule for each operation: a name without a rule does not compile. */
const rules: Rules = { ...capabilityRules, ...memoryRules, ...mappingRules, ...processRules, ...channelRules };

/** The format has the operation. */
export const isSupported = (format: CapabilityFormat, name: OperationName): boolean => {
  const entry: OperationEntry = operations[name];
  if (entry.requires === "ordinary-otypes") return format.otypes.ordinary;
  if (entry.requires === "xlen-64") return format.addressBits === 64n;
  return true;
};

/**
 * The thread that takes a step: an ordinal that is dead or was never made is taken modulo the live threads.
 * @rule EXEC-1 actor @source SFork design: every list of steps is a legal program
 */
export const resolveActor = (machine: Machine, actor: number): number | undefined => {
  if (machine.threads[actor]?.live === true) return actor;
  const live = machine.threads.flatMap((thread, index) => (thread.live ? [index] : []));
  return live.length === 0 ? undefined : live[actor % live.length];
};

/** The rule of an operation. Its operands are those of the operation's own name, which the record's type says per name. */
const apply = (context: Context, operation: Operation): Outcome =>
  (rules[operation.op] as Rule<typeof operation.op>)(context, operation);

/** What a step did, and who took it: undefined where nobody could. */
export interface Taken extends Outcome {
  readonly thread: number | undefined;
}

const nobody = (machine: Machine, observation: Observation): Taken => ({ machine, observation, thread: undefined });

/**
 * Take one step. Total: every step of every program gives an observation, and a step that fails gives the machine it was
 * given.
 * @rule EXEC-1 step @source SFork design: programs
 */
export const step = (machine: Machine, { actor, operation }: Step): Taken => {
  if (machine.processes[0]?.state.kind !== "live") return nobody(machine, { kind: "halted" });
  const thread = resolveActor(machine, actor);
  const process = thread === undefined ? undefined : machine.threads[thread]?.process;
  if (thread === undefined || process === undefined) return nobody(machine, { kind: "no-actor" });
  if (!isSupported(machine.format, operation.op)) return { machine, observation: { kind: "unsupported" }, thread };
  return { thread, ...apply({ machine, format: machine.format, thread, process }, operation) };
};

interface Run {
  readonly machine: Machine;
  readonly observations: readonly Observation[];
}

/** All steps in a row, from a machine on: what each observed, and the machine at the end. */
export const runFrom = (start: Machine, steps: readonly Step[]): Run =>
  steps.reduce<Run>(
    ({ machine, observations }, next) => {
      const taken = step(machine, next);
      return { machine: taken.machine, observations: [...observations, taken.observation] };
    },
    { machine: start, observations: [] },
  );

/** A program from its start; what its configuration leaves out has its default, and an illegal one is refused (CFG-1). */
export const run = (program: {
  readonly config?: Partial<Config>;
  readonly steps: readonly Step[];
}): Run | IllegalConfig => {
  const config = completeConfig(program.config ?? {});
  return "illegal" in config ? config : runFrom(initial(config), program.steps);
};
