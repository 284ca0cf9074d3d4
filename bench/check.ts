/** Programs a second of `sfork check` on one core: generated, run on both, compared, all invariants after every step. */
import { fullEvery, judgeAs } from "../conformance/check/campaign.js";
import { generate } from "../conformance/generate/generate.js";
import type { GeneratedProgram } from "../conformance/generate/options.js";
import { fastStrategies } from "../impl/fast/index.js";
import { isSmall, type BenchRow } from "./small.js";
import { distribution } from "./timing.js";

interface Options {
  readonly seed: string;
  /** Programs of a round, and rounds that are measured, after as many that are not: compilers take their time. */
  readonly programs: number;
  readonly rounds: number;
}

/** Programs of a batch are generated before they are judged, as a worker does it. */
const batch = 16;

/** Milliseconds a program, generating included, and the number of the next program. */
const round = (from: number, steps: number, small: boolean, { seed, programs }: Options): readonly [number, number] => {
  let [index, judged, took] = [from, 0, 0];
  while (judged < programs) {
    const kept: GeneratedProgram[] = [];
    while (kept.length < batch) {
      const started = performance.now();
      const program = generate(seed, index, { strategies: fastStrategies, profile: "mixed", steps });
      index += 1;
      if (small && !isSmall(program.config)) continue;
      took += performance.now() - started;
      kept.push(program);
    }
    const started = performance.now();
    for (const [nth, program] of kept.entries()) {
      const { finding } = judgeAs("fast", program, { full: (judged + nth) % fullEvery === 0 });
      if (finding !== undefined) throw new Error(`a program of seed ${seed}: ${finding.rule}`);
    }
    took += performance.now() - started;
    judged += batch;
  }
  return [took / judged, index];
};

const rowOf = (steps: number, small: boolean, options: Options): BenchRow => {
  let next = 0;
  const times: number[] = [];
  for (let nth = 0; nth < 2 * options.rounds; nth += 1) {
    const [time, after] = round(next, steps, small, options);
    next = after;
    if (nth >= options.rounds) times.push(time);
  }
  const { median, samples } = distribution(times);
  return {
    benchmark: "check",
    what: { configurations: small ? "small" : "all", steps: String(steps) },
    figures: { perSecond: 1000 / median, best: 1000 / Math.min(...times), samples },
    units: { perSecond: "programs/s", best: "programs/s" },
  };
};

/** A row for programs of 50 and of 10 steps, in the small configuration and in all. */
export const benchCheck = (options: Options): readonly BenchRow[] =>
  [50, 10].flatMap((steps) => [true, false].map((small) => rowOf(steps, small, options)));
