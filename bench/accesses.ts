/**
 * Loads and stores a second, of the optimised implementation beside the specification, in turns; and what the former leaves
 * on the heap.
 */
import { formatNames } from "../conformance/program/config-codec.js";
import { createFast } from "../impl/fast/index.js";
import { formats, type FormatName } from "../spec/cheri/index.js";
import { initial, layout } from "../spec/sfork/machine.js";
import type { Operation, Step } from "../spec/sfork/operation.js";
import { step } from "../spec/sfork/step.js";
import { smallConfig, type BenchRow } from "./small.js";
import { distribution, heapGrowth } from "./timing.js";

const immediate = (value: number) => ({ immediate: BigInt(value) });

/** Steps of the loop. */
const length = 256;

/** Integers in the first half of the data part, capabilities in the second, at places that vary. */
const loop = (format: FormatName): readonly Step[] => {
  const config = smallConfig(format, "copa");
  const half = (layout(config).data.count * config.page) / 2;
  const granule = Number(formats[format].granule);
  return Array.from({ length }, (_, index): Step => {
    const word = immediate((index * 28) % half);
    const place = immediate(half + ((index * 5) % (half / granule)) * granule);
    const accesses = [
      { op: "store.w", value: immediate(index), n: word, cs1: 1 },
      { op: "load.w", cd: 7, n: word, cs1: 1 },
      { op: "storecap", cs2: 3, n: place, cs1: 1 },
      { op: "loadcap", cd: 8, n: place, cs1: 1 },
    ] as const satisfies readonly Operation[];
    return { actor: 0, operation: accesses[(index % 4) as 0 | 1 | 2 | 3] };
  });
};

/** Steps a second of an action that takes the whole loop. */
const rateOf = (turns: number, action: () => void): number => {
  const started = performance.now();
  for (let turn = 0; turn < turns; turn += 1) action();
  return (turns * length * 1000) / (performance.now() - started);
};

const median = (values: readonly number[]): number => distribution(values).median;

interface AccessOptions {
  /** Rounds, in each of which both sides take their turns. */
  readonly rounds: number;
  /** Loops of the optimised implementation in a round, and of the specification. */
  readonly fast: number;
  readonly spec: number;
}

const rowOf = (format: FormatName, { rounds, fast, spec }: AccessOptions): BenchRow => {
  const config = smallConfig(format, "copa");
  const steps = loop(format);
  const implementation = createFast(config);
  const loaded = implementation.load(steps);
  let machine = initial(config);
  const takeFast = (): void => {
    loaded.run(0, length);
  };
  const observeFast = (): void => {
    for (let index = 0; index < length; index += 1) {
      loaded.run(index, index + 1);
      implementation.observed();
    }
  };
  const takeSpec = (): void => {
    for (const next of steps) machine = step(machine, next).machine;
  };
  // Warm up; and nothing is measured that traps.
  rateOf(fast, takeFast);
  rateOf(Math.ceil(fast / 10), observeFast);
  for (const next of steps) {
    const taken = step(machine, next);
    machine = taken.machine;
    if (taken.observation.kind === "trap") throw new Error(`${format}: ${next.operation.op} traps`);
  }
  rateOf(spec, takeSpec);
  const samples = Array.from({ length: rounds }, () => {
    const [quick, seen, slow] = [
      rateOf(fast, takeFast),
      rateOf(Math.ceil(fast / 10), observeFast),
      rateOf(spec, takeSpec),
    ];
    return { quick, seen, slow, ratio: quick / slow };
  });
  return {
    benchmark: "accesses",
    what: { format },
    figures: {
      fast: median(samples.map(({ quick }) => quick)) / 1e6,
      observed: median(samples.map(({ seen }) => seen)) / 1e6,
      spec: median(samples.map(({ slow }) => slow)) / 1e6,
      ratio: median(samples.map(({ ratio }) => ratio)),
      heap: heapGrowth(fast, takeFast) / length,
    },
    units: { fast: "M/s", observed: "M/s", spec: "M/s", heap: "bytes/step" },
  };
};

/** A row for each format. */
export const benchAccesses = (options: AccessOptions): readonly BenchRow[] =>
  formatNames.map((format) => rowOf(format, options));
