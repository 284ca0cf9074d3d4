/**
 * How soon programs show defects: for each of the catalogue the number of the first program that does. One pass for all of
 * them: a program runs once on the specification, and then on every variant that was not found yet.
 *
 *   npm run finding -- [--seed S,S,...] [--runs N] [--steps N] [--no-swarm] [--guided] [--json]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { look, sameObserved } from "../conformance/check/lockstep.js";
import { defects } from "../conformance/defects/catalogue.js";
import { loadDefect } from "../conformance/defects/load.js";
import { generate } from "../conformance/generate/generate.js";
import type { GeneratedProgram } from "../conformance/generate/options.js";
import { createFeatures } from "../conformance/guide/features.js";
import { epoch, Guide } from "../conformance/guide/guide.js";
import { createSpec } from "../conformance/implementations/spec.js";
import { fastStrategies } from "../impl/fast/index.js";
import { checkedStep, start } from "../spec/invariants/check.js";
import type { Implementation, Observed } from "../impl/implementation.js";

interface Variant {
  readonly id: string;
  readonly implementation: Implementation;
}

/** What the specification observes, step by step, and what can be seen of it at the end. */
const expectedOf = ({ config, steps }: GeneratedProgram) => {
  const specification = createSpec(config);
  const observed = steps.map((step): Observed => {
    specification.step(step);
    return specification.observed();
  });
  const [view, counters] = [specification.view(), specification.counters()];
  return { observed, end: { ...specification, view: () => view, counters: () => counters } };
};

type Expected = ReturnType<typeof expectedOf>;

const shows = ({ config, steps }: GeneratedProgram, { observed, end }: Expected, one: Implementation): boolean => {
  try {
    one.reset(config);
    const differs = steps.some((step, index) => {
      one.step(step);
      const expected = observed[index];
      return expected === undefined || !sameObserved(expected, one.observed());
    });
    return differs || look(end, one) !== undefined;
  } catch {
    return true;
  }
};

const { values } = parseArgs({
  allowNegative: true,
  options: {
    seed: { type: "string", default: "1,2,3" },
    runs: { type: "string", default: "1000" },
    steps: { type: "string", default: "50" },
    swarm: { type: "boolean", default: true },
    guided: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const runs = Number(values.runs);
const options = { strategies: fastStrategies, steps: Number(values.steps), swarm: values.swarm } as const;

/** What the specification shows of a program. */
const featuresOf = ({ config, steps }: GeneratedProgram): readonly number[] => {
  const features = createFeatures();
  let checked = start(config, undefined, false);
  for (const step of steps) {
    const taken = checkedStep(checked, step);
    features.step(step.operation.op, taken);
    checked = taken.checked;
  }
  return features.seen();
};

const first = generate("first", 0, { strategies: fastStrategies });
const variants: readonly Variant[] = await Promise.all(
  defects.map(async ({ id }) => ({ id, implementation: (await loadDefect(id))(first.config) })),
);

const pass = (seed: string): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  const guide = new Guide(seed, options);
  for (let index = 0; index < runs && found.size < variants.length; index += 1) {
    const guided = values.guided ? guide.program(index) : { program: generate(seed, index, options), mutant: false };
    const { program } = guided;
    if (values.guided) guide.learn(guided, featuresOf(program));
    if (index % epoch === epoch - 1) guide.next();
    const expected = expectedOf(program);
    for (const { id, implementation } of variants) {
      if (!found.has(id) && shows(program, expected, implementation)) found.set(id, index + 1);
    }
  }
  return found;
};

const seeds = values.seed.split(",");
const passes = seeds.map(pass);
/** A defect that was missed counts as if the next program had shown it. */
const programs = ({ id }: Variant): readonly number[] => passes.map((found) => found.get(id) ?? runs + 1);
const all = variants.flatMap(programs).sort((a, b) => a - b);
const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? NaN;
const geometric = Math.exp(all.reduce((sum, one) => sum + Math.log(one), 0) / all.length);
const missed = variants.filter((one) => programs(one).some((count) => count > runs)).map(({ id }) => id);
const result = { seeds, runs, median: at(0.5), ninth: at(0.9), most: at(1), geometric, missed };

if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  const rows = variants.map((one) => `${one.id.padEnd(5)} ${programs(one).join(" ")}`);
  process.stdout.write(`${rows.join("\n")}\n${JSON.stringify(result)}\n`);
}
