/**
 * Which steps of a run are address-oblivious (REF-3): a ghost run beside the machine's, of one bit for each register and
 * each byte.
 */
import type { Config } from "../../spec/sfork/config.js";
import { pageBase, type Machine } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { operations, type Operation, type OperationEntry } from "../../spec/sfork/operation.js";
import type { Taken } from "../../spec/sfork/step.js";
import { capabilityFlows } from "./flows-capability.js";
import { fileFlows } from "./flows-file.js";
import { memoryFlows } from "./flows-memory.js";
import { processFlows, startRegisters } from "./flows-process.js";
import type { Answer, Flow, Flows } from "./flow.js";
import { Look } from "./look.js";
import { isPlaced } from "./place.js";
import { anySet, Shadow } from "./shadow.js";

/**
 * Of a step's observation: all of it is the same wherever regions lie; all but the numbers; or it need not be the same at
 * all, nor anything after it.
 */
export type Verdict = "oblivious" | "masked" | "outside";

/** One for each operation: a name without a flow does not compile. */
const flows: Flows = { ...capabilityFlows, ...memoryFlows, ...processFlows, ...fileFlows };

/** The operands are those of the operation's own name, which the record's type says per name. */
const flowOf = (operation: Operation) => flows[operation.op] as Flow<typeof operation.op>;

/**
 * The form of the operation alone says that it is oblivious: a program of such operations is never outside.
 * @rule REF-3 profile
 */
export const isOblivious = (operation: Operation): boolean => {
  const { oblivious, decides } = flowOf(operation);
  return oblivious === "by-operands" && decides(operation).every((operand) => "immediate" in operand);
};

/** What is not to be compared, and what nobody did. */
const special: Partial<Readonly<Record<Observation["kind"], Verdict>>> = {
  halted: "oblivious",
  "no-actor": "oblivious",
  "out-of-frames": "outside",
  "outside-profile": "outside",
};

const refusals: ReadonlySet<Observation["kind"]> = new Set([
  "trap",
  "error",
  "would-block",
  "bad-choice",
  "unsupported",
]);

/** The register that an operation writes, if it does. */
const written = (operation: Operation): number | undefined => {
  const entry: OperationEntry = operations[operation.op];
  return "cd" in operation ? operation.cd : entry.writes;
};

export class Tracker {
  readonly #shadow: Shadow;
  /** Of the machine beside it. */
  readonly #other: Config;

  /** `machine`, at its start, is of any strategy with one address space; `other` says where things lie beside it. */
  constructor(machine: Machine, other: Config) {
    this.#shadow = new Shadow(machine.config.page);
    this.#other = other;
    startRegisters(this.#shadow, machine, 0);
  }

  /** Follow a step of the machine. */
  follow(before: Machine, operation: Operation, { machine: after, observation, thread, process, signals }: Taken): Verdict {
    if (thread !== undefined) this.#count(before, thread, signals);
    this.#remap(before, after);
    const known = special[observation.kind];
    if (known !== undefined) return known;
    if (thread === undefined || process === undefined) return "oblivious";
    const context = { machine: before, format: before.format, thread, process };
    const look = new Look(context, after, observation, this.#shadow, this.#other);
    const answer = this.#answer(look, operation);
    this.#cut(after);
    return answer === "outside" ? "outside" : this.#result(look, operation, answer === "derived");
  }

  #answer(look: Look, operation: Operation): Answer {
    const { oblivious, decides, unless, answer } = flowOf(operation);
    if (oblivious === "never") return "outside";
    const isDecided = decides(operation).some((operand) => look.isDerivedInteger(operand));
    if (isDecided && unless?.(look, operation) !== true) return "outside";
    return refusals.has(look.observation.kind) ? "plain" : answer(look, operation);
  }

  /** What became of the register that was written, and of the observation. */
  #result({ context, after, observation, shadow }: Look, operation: Operation, isDerived: boolean): Verdict {
    const cd = written(operation);
    const isTagged = observation.kind === "capability" && observation.capability.tag;
    if (cd !== undefined && !refusals.has(observation.kind)) {
      shadow.registers.set(context.thread, cd, isTagged ? isPlaced(after, observation.capability) : isDerived);
    }
    return isDerived && !isTagged ? "masked" : "oblivious";
  }

  /** Handlers, before the step: a sum of which any byte is derived is derived. */
  #count(before: Machine, thread: number, signals: readonly number[]): void {
    const { actions } = before.processes[before.threads[thread]?.process ?? -1] ?? {};
    const size = Number(before.format.addressBits / 8n);
    for (const signal of signals) {
      const action = actions?.get(signal);
      if (action === undefined || action === "ignore") continue;
      const address = effective(before.format, action.data, 0n);
      this.#shadow.memory.fill(address, size, anySet(this.#shadow.memory.read(address, size)));
    }
  }

  /** Memory that ends or begins: pages that were not mapped before, or no longer are. */
  #remap(before: Machine, after: Machine): void {
    for (const [slot, region] of after.regions.entries()) {
      const old = before.regions[slot] ?? [];
      if (old === region) continue;
      for (let index = 0; index < Math.max(old.length, region.length); index += 1) {
        const isKept = old[index] !== undefined && region[index] !== undefined;
        if (!isKept) this.#shadow.memory.clear(pageBase(after.config, slot, index));
      }
    }
  }

  /** Pipes that closed, files that were emptied. */
  #cut({ pipes, files }: Machine): void {
    this.#shadow.pipes.cut((pipe) => pipes[pipe]?.bytes.length ?? 0);
    this.#shadow.files.cut((file) => files[file]?.bytes.length ?? 0);
  }
}
