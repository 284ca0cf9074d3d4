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
import { flowOf } from "./flows.js";
import { startRegisters } from "./flows-process.js";
import type { Answer } from "./flow.js";
import { Look } from "./look.js";
import { isPlaced } from "./place.js";
import { anySet, Shadow } from "./shadow.js";

/**
 * Of a step's observation: all of it is the same wherever regions lie; all but the numbers; or it need not be the same at
 * all, nor anything after it.
 */
export type Verdict = "oblivious" | "masked" | "outside";

type Kinds = ReadonlySet<Observation["kind"]>;

/** After these even levels with one address space are not compared (REF-2, FORK-1). */
const incomparable: Kinds = new Set(["out-of-frames", "outside-profile"]);

/** Nothing was done. */
const refusals: Kinds = new Set(["trap", "error", "would-block", "bad-choice", "unsupported"]);

/** The register that an operation writes, if it does. */
const written = (operation: Operation): number | undefined => {
  const { writes }: OperationEntry = operations[operation.op];
  return "cd" in operation ? operation.cd : writes;
};

export class Tracker {
  readonly #shadow: Shadow;
  readonly #other: Config;

  /** `machine`, at its start, is of any strategy with one address space; `other` says where things lie beside it. */
  constructor(machine: Machine, other: Config) {
    this.#shadow = new Shadow(machine.config.page);
    this.#other = other;
    startRegisters(this.#shadow, machine, 0);
  }

  /** Follow a step of the machine. */
  follow(before: Machine, operation: Operation, taken: Taken): Verdict {
    const { machine, observation, thread, process, signals, ready, acted } = taken;
    this.#count(before, process, signals);
    this.#remap(before, machine);
    if (incomparable.has(observation.kind)) return "outside";
    if (!acted || thread === undefined || process === undefined) return "oblivious";
    const context = { machine: ready, format: ready.format, thread, process };
    const look = new Look(context, machine, observation, this.#shadow, this.#other);
    const answer = this.#answer(look, operation);
    this.#cut(machine);
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
  #count({ processes, format }: Machine, process: number | undefined, signals: readonly number[]): void {
    const { memory } = this.#shadow;
    const size = Number(format.addressBits / 8n);
    for (const signal of signals) {
      const action = processes[process ?? -1]?.actions.get(signal);
      // Through an untagged one nothing was counted.
      if (action === undefined || action === "ignore" || !action.data.tag) continue;
      const address = effective(format, action.data, 0n);
      memory.fill(address, size, anySet(memory.read(address, size)));
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
