/** One step of the machine, and a run of many. */
import type { CapabilityFormat } from "../cheri/index.js";
import { completeConfig, type Config, type IllegalConfig, type StrategyName } from "./config.js";
import type { Outcome } from "./context.js";
import { strategies } from "./laws.js";
import { initial, type Machine } from "./machine.js";
import type { Observation } from "./observation.js";
import { operations, type OperationEntry, type OperationName, type Step } from "./operation.js";
import { attributeRules } from "./rules-attribute.js";
import { capabilityRules } from "./rules-capability.js";
import { channelRules } from "./rules-channel.js";
import { deviceRules } from "./rules-device.js";
import { fileRules } from "./rules-file.js";
import { mappingRules } from "./rules-mapping.js";
import { memoryRules } from "./rules-memory.js";
import { processRules } from "./rules-process.js";
import { signalRules, takeSignals } from "./rules-signal.js";
import { transferRules } from "./rules-transfer.js";
import type { Rule, Rules } from "./rules.js";
import { inSpaceOf } from "./transfer.js";
import { flatMap } from "./lists.js";

/** One rule for each operation: a name without a rule does not compile. */
export const rules: Rules = {
  ...capabilityRules,
  ...memoryRules,
  ...mappingRules,
  ...processRules,
  ...fileRules,
  ...transferRules,
  ...attributeRules,
  ...signalRules,
  ...channelRules,
  ...deviceRules,
};

/** The format, and the level, have the operation. */
export const isSupported = (format: CapabilityFormat, name: OperationName, strategy: StrategyName): boolean => {
  const entry: OperationEntry = operations[name];
  if (entry.requires === "ordinary-otypes") return format.otypes.ordinary;
  if (entry.requires === "one-address-space") return !strategies[strategy].separate;
  if (entry.requires === "xlen-64") return format.addressBits === 64n;
  return true;
};

/**
 * The thread that takes a step: an ordinal that is dead or was never made is taken modulo the live threads.
 * @rule EXEC-1 actor @source SFork design: every list of steps is a legal program
 */
export const resolveActor = (machine: Machine, actor: number): number | undefined => {
  if (machine.threads[actor]?.live === true) return actor;
  const live = flatMap(machine.threads, (thread, index) => (thread.live ? [index] : []));
  return live.length === 0 ? undefined : live[actor % live.length];
};

/** What a step did, who took it (undefined where nobody could), and the signals that were taken before it. */
export interface Taken extends Outcome {
  readonly thread: number | undefined;
  readonly process: number | undefined;
  readonly signals: readonly number[];
  /** The machine after them, and before the operation. */
  readonly ready: Machine;
  /** The operation was taken: the thread had not been ended or stopped before it. */
  readonly acted: boolean;
}

const nobody = (machine: Machine, observation: Observation): Taken => {
  return { machine, observation, thread: undefined, process: undefined, signals: [], ready: machine, acted: false };
};

/**
 * Take one step. Total: every step of every program gives an observation, and a step that fails changes
 * nothing but who runs.
 * @rule EXEC-1 step @source SFork design: programs
 */
export const step = (machine: Machine, { actor, operation }: Step, by: Rules = rules): Taken => {
  if (machine.processes[0]?.state.kind !== "live") return nobody(machine, { kind: "halted" });
  const thread = resolveActor(machine, actor);
  const process = thread === undefined ? undefined : machine.threads[thread]?.process;
  if (thread === undefined || process === undefined) return nobody(machine, { kind: "no-actor" });
  const { format, config } = machine;
  const running = inSpaceOf(machine, process);
  const { machine: ready, taken: signals, instead } = takeSignals({ machine: running, format, thread, process });
  const took = ({ machine: after, observation }: Outcome): Taken => {
    return { machine: after, observation, thread, process, signals, ready, acted: instead === undefined };
  };
  if (instead !== undefined) return took({ machine: ready, observation: instead });
  if (!isSupported(format, operation.op, config.strategy))
    return took({ machine: ready, observation: { kind: "unsupported" } });
  // The operands are those of the operation's own name, which the record's type says per name.
  const rule = by[operation.op] as Rule<typeof operation.op>;
  return took(rule({ machine: ready, format, thread, process }, operation));
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
