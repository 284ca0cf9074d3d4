/** Who maps what: memory of each process at one moment, counted in the optimised implementation's page tables. */
import type { Machine } from "../../impl/fast/machine.js";

/** Pages. */
interface Footprint {
  readonly process: number;
  readonly mapped: number;
  /** That it alone maps: what would be free again without it. */
  readonly own: number;
  /** Each page divided by those that map it. */
  readonly share: number;
}

/** Of the live processes. The kernel that `vm-clone` copies for a child counts as the child's own. */
const footprints = (machine: Machine): readonly Footprint[] =>
  machine.processes
    .filter(({ state }) => state === "live")
    .map(({ ordinal, slot }) => {
      const { entries, frameReferences, pages, rowOf, strategy } = machine;
      const from = (rowOf[slot] ?? 0) * pages;
      const kernel = ordinal > 0 ? strategy.kernelWritten : 0;
      let [mapped, own, share] = [0, kernel, kernel];
      for (let entry = from; entry < from + pages; entry += 1) {
        const frame = (entries[entry] ?? 0) - 1;
        if (frame < 0) continue;
        const references = frameReferences[frame] ?? 1;
        mapped += 1;
        share += 1 / references;
        if (references === 1) own += 1;
      }
      return { process: ordinal, mapped, own, share };
    });

/** All memory at a moment. */
export interface Sample {
  /** Steps since the first fork. */
  readonly step: number;
  /** Frames in use, of all processes. */
  readonly frames: number;
  /** What only children map, all of them together. */
  readonly children: number;
  readonly processes: readonly Footprint[];
}

const sampleOf = (machine: Machine, step: number): Sample => {
  const processes = footprints(machine);
  const children = processes.reduce((sum, { process, own }) => (process > 0 ? sum + own : sum), 0);
  return { step, frames: machine.usedFrames, children, processes };
};

/** Samples at even distances, however many steps there come: when there are too many, every second one goes. */
export const createSampler = (machine: Machine, most = 128) => {
  let every = 64;
  let next = 0;
  let samples: Sample[] = [];
  const take = (step: number): void => {
    if (samples.at(-1)?.step !== step) samples.push(sampleOf(machine, step));
  };
  return {
    /** Where the next sample is due. */
    due: (step: number): void => {
      if (step < next) return;
      take(step);
      if (samples.length >= most) {
        samples = samples.filter((_, index) => index % 2 === 0);
        every *= 2;
      }
      next = step + every;
    },
    take,
    samples: (): readonly Sample[] => samples,
  };
};
