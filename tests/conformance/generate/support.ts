/** What the tests of the generator share. */
import { createHash } from "node:crypto";
import { generate } from "../../../conformance/generate/generate.js";
import type { GenerateOptions, GeneratedProgram } from "../../../conformance/generate/options.js";
import { cornerCases, type CornerCase } from "../../../conformance/corner-cases.js";
import { createCoverage, type CoverageResult } from "../../../conformance/coverage.js";
import { outcomeOf } from "../../../conformance/outcome.js";
import { caseOf } from "../../../conformance/rules/cases.js";
import { checkedStep, start, type Checked } from "../../../spec/invariants/check.js";
import { initial } from "../../../spec/sfork/machine.js";
import { step } from "../../../spec/sfork/step.js";

export const programs = (seed: string, count: number, options?: GenerateOptions): readonly GeneratedProgram[] =>
  Array.from({ length: count }, (_, index) => generate(seed, index, options));

/** How many programs a statistic is over: as many as SFORK_PROGRAMS says, or so many. */
export const programsFor = (usual: number): number => Number(process.env["SFORK_PROGRAMS"] ?? usual);

const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `0x${value.toString(16)}` : value);

/** A short name for everything in some programs. */
export const fingerprint = (list: readonly GeneratedProgram[]): string =>
  createHash("sha256").update(JSON.stringify(list, plain)).digest("hex").slice(0, 16);

/** The cases of rules that a program comes to, step by step; steps that say nothing of their operation are left out. */
export const casesOf = ({ config, steps }: Pick<GeneratedProgram, "config" | "steps">): readonly string[] => {
  const seen: string[] = [];
  let machine = initial(config);
  for (const next of steps) {
    const { ready, thread, process, ...taken } = step(machine, next);
    const { operation } = next;
    const { observation } = taken;
    const transition =
      thread === undefined || process === undefined
        ? undefined
        : { before: ready, operation, observation, thread, process };
    const name = caseOf(operation.op, outcomeOf({ ...taken, transition }));
    if (name !== undefined) seen.push(name);
    machine = taken.machine;
  }
  return seen;
};

/** Run programs under the checker's bookkeeping, and count what they reach. */
export const coverageOf = (
  list: readonly GeneratedProgram[],
  cases: Readonly<Record<string, CornerCase>> = cornerCases,
): CoverageResult => {
  const coverage = createCoverage(cases);
  for (const { config, steps } of list) {
    coverage.begin(config.format);
    // What an eager run would do beside it is of no interest here.
    let checked: Checked = { ...start(config), ghost: undefined };
    for (const step of steps) {
      const taken = checkedStep(checked, step);
      coverage.step(step.operation.op, taken);
      checked = taken.checked;
    }
  }
  return coverage.result();
};
