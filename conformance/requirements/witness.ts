/** Which requirements a program exercises, and how many of the generated programs each. */
import { initial } from "../../spec/sfork/machine.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { step } from "../../spec/sfork/step.js";
import { generate } from "../generate/generate.js";
import type { GeneratedProgram } from "../generate/options.js";
import { Now } from "./now.js";
import { Past } from "./past.js";
import { modelled } from "./table.js";

/** The requirements that a program exercises, in the order of the table. */
export const exercisedBy = (config: Config, steps: readonly Step[]): readonly string[] => {
  const waiting = new Map(modelled.map(({ id, exercised }) => [id, exercised()]));
  const found = new Set<string>();
  let machine = initial(config);
  const past = new Past(machine);
  for (const next of steps) {
    const taken = step(machine, next);
    const { thread, process } = taken;
    if (thread !== undefined && process !== undefined) {
      const now = new Now(machine, next, taken, { thread, process });
      for (const [id, shows] of waiting) if (shows(now, past)) found.add(id);
      for (const id of found) waiting.delete(id);
      past.note(now);
    }
    machine = taken.machine;
  }
  return modelled.flatMap(({ id }) => (found.has(id) ? [id] : []));
};

/** The programs of a recorded run: numbers 0 to `runs - 1` of a seed. */
export interface Recording {
  readonly seed: string;
  readonly runs: number;
}

/** For each modelled requirement, the programs that exercise it. */
type Counts = ReadonlyMap<string, number>;

/** Of a run: programs of any kind, and those that a real kernel can execute, too. */
export interface Recorded {
  readonly programs: Counts;
  readonly kernel: Counts;
}

/** Most steps of a program that a kernel executes. */
const kernelSteps = 40;

/** Programs of a run that a real kernel can execute. */
export const kernelProgram = (seed: string, index: number): GeneratedProgram =>
  generate(seed, index, { profile: "posix", steps: kernelSteps });

const count = ({ runs }: Recording, programOf: (index: number) => GeneratedProgram): Counts => {
  const counts = new Map(modelled.map(({ id }) => [id, 0]));
  for (let index = 0; index < runs; index += 1) {
    const { config, steps } = programOf(index);
    for (const id of exercisedBy(config, steps)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
};

export const record = (recording: Recording): Recorded => ({
  programs: count(recording, (index) => generate(recording.seed, index)),
  kernel: count(recording, (index) => kernelProgram(recording.seed, index)),
});
