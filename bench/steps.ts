/** How long one step of the specification takes, over generated programs and by class of operations. */
import { generate } from "../conformance/generate/generate.js";
import type { GeneratedProgram } from "../conformance/generate/options.js";
import { formatNames, strategyNames } from "../conformance/program/config-codec.js";
import { initial } from "../spec/sfork/machine.js";
import type { Observation } from "../spec/sfork/observation.js";
import { attributeRules } from "../spec/sfork/rules-attribute.js";
import { capabilityRules } from "../spec/sfork/rules-capability.js";
import { channelRules } from "../spec/sfork/rules-channel.js";
import { deviceRules } from "../spec/sfork/rules-device.js";
import { fileRules } from "../spec/sfork/rules-file.js";
import { mappingRules } from "../spec/sfork/rules-mapping.js";
import { memoryRules } from "../spec/sfork/rules-memory.js";
import { processRules } from "../spec/sfork/rules-process.js";
import { signalRules } from "../spec/sfork/rules-signal.js";
import { transferRules } from "../spec/sfork/rules-transfer.js";
import { step } from "../spec/sfork/step.js";
import { isSmall, timeRow, type BenchRow } from "./small.js";
import { distribution, timeOf } from "./timing.js";

/** Classes of operations: as the specification groups its rules, with `fork` by itself. */
const { fork, ...otherProcessRules } = processRules;

const classes: Readonly<Record<string, readonly string[]>> = {
  capability: Object.keys(capabilityRules),
  memory: Object.keys(memoryRules),
  mapping: Object.keys(mappingRules),
  fork: Object.keys({ fork }),
  process: Object.keys(otherProcessRules),
  channel: Object.keys(channelRules),
  kernel: Object.keys({ ...fileRules, ...transferRules, ...signalRules, ...attributeRules, ...deviceRules }),
};

/** Kinds of observations of steps that did not get as far as the operation. */
const idle: readonly Observation["kind"][] = ["halted", "no-actor", "unsupported"];

const pick = <T>(list: readonly T[], turn: number): T => {
  const one = list[turn % list.length];
  if (one === undefined) throw new RangeError("nothing to pick from");
  return one;
};

interface StepsOptions {
  readonly seed: string;
  /** Programs that are measured; before them, a quarter as many run for the compiler's sake. */
  readonly programs: number;
}

/** Of a seed, the programs from index `from` on that were made for the small configuration; all of them, without end. */
function* smallPrograms(seed: string, from: number): Generator<GeneratedProgram, never, void> {
  // Formats and strategies take turns, so that every number of programs has its share of each.
  let turn = 0;
  for (let index = from; ; index += 1) {
    const format = pick(formatNames, turn);
    const strategy = pick(strategyNames, Math.floor(turn / formatNames.length));
    const program = generate(seed, index, { formats: [format], strategies: [strategy] });
    if (!isSmall(program.config)) continue;
    turn += 1;
    yield program;
  }
}

/**
 * Microseconds by operation. A step is a function of its arguments: the same one can be taken as often as the clock wants.
 */
const measure = (programs: Iterable<GeneratedProgram>, count: number): ReadonlyMap<string, readonly number[]> => {
  const times = new Map<string, number[]>();
  let done = 0;
  for (const { config, steps } of programs) {
    let machine = initial(config);
    for (const next of steps) {
      const before = machine;
      const taken = step(before, next);
      if (!idle.includes(taken.observation.kind)) {
        const { op } = next.operation;
        const list = times.get(op) ?? [];
        times.set(op, list);
        list.push(timeOf(() => step(before, next)));
      }
      machine = taken.machine;
    }
    done += 1;
    if (done === count) break;
  }
  return times;
};

/** Far from what is measured. */
const warmUpFrom = 1_000_000;

/** A row for all steps, and one for each class; steps that trap or report an error are among them. */
export const benchSteps = ({ seed, programs }: StepsOptions): readonly BenchRow[] => {
  measure(smallPrograms(seed, warmUpFrom), Math.ceil(programs / 4));
  const times = measure(smallPrograms(seed, 0), programs);
  const rowOf = (name: string, list: readonly number[]): BenchRow =>
    timeRow("steps", { class: name }, distribution(list));
  return [
    rowOf("all", [...times.values()].flat()),
    ...Object.entries(classes).map(([name, operations]) =>
      rowOf(
        name,
        operations.flatMap((op) => times.get(op) ?? []),
      ),
    ),
  ];
};
