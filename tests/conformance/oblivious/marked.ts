/**
 * Programs that say of each step what the tracker should say of it, and a run of them that shows why: the same steps on
 * two machines on which everything lies elsewhere.
 */
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { canonical } from "../../../conformance/canon.js";
import { compareLevels, compareSides, type Difference } from "../../../conformance/oblivious/compare.js";
import { Tracker } from "../../../conformance/oblivious/tracker.js";
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import { initial } from "../../../spec/sfork/machine.js";
import type { Step } from "../../../spec/sfork/operation.js";
import { step as takeStep } from "../../../spec/sfork/step.js";
import { lines, read } from "../program/files.js";

export const legal = (given: Partial<Config> = {}): Config => {
  const config = completeConfig({ ...given, strategy: "eager" });
  if ("illegal" in config) throw new RangeError(config.illegal);
  return config;
};

/** All regions, segments and the kernel lie elsewhere. */
export const moved = (config: Config): Config =>
  legal({ ...config, base: 3n * config.base, stride: 2n * config.stride });

/** What a program says of a step, and the step. */
interface Marked {
  readonly mark: string;
  readonly text: string;
  readonly step: Step;
}

/**
 * One step a line, behind a mark. `same`: oblivious, and all of it is the same on both machines. `masked`: its numbers are
 * not. `outside`: from here on something is not. With `?` the tracker says so because it does not look more closely:
 * everything is the same. `then`: what shows the difference after `outside`.
 */
const parse = (text: string): readonly Marked[] => {
  const matches = text
    .split("\n")
    .map((line) => /^\s*(\S+)\s+(\S.*?)\s*$/.exec(line))
    .filter((match) => match !== null);
  const { steps } = read(lines("config", ...matches.map(([, , step = ""]) => step)));
  return steps.map(({ actor, operation }, index) => {
    const [, mark = "", step = ""] = matches[index] ?? [];
    return { mark, text: step, step: { actor, operation } };
  });
};

/** What the tracker says of each step on a machine, and whether the one beside it showed the same. */
const follow = (config: Config, other: Config, marked: readonly Marked[]) => {
  let [machine, beside] = [initial(config), initial(other)];
  const tracker = new Tracker(machine, other);
  return marked.map(({ step }) => {
    const [taken, there] = [takeStep(machine, step), takeStep(beside, step)];
    const verdict = tracker.follow(machine, step.operation, taken);
    const [seen, seenThere] = [taken, there].map((one) =>
      canonical(one.observation, one.machine, one.process, one.signals),
    );
    [machine, beside] = [taken.machine, there.machine];
    return { verdict, isSame: isDeepStrictEqual(seen, seenThere) };
  });
};

/** The program with the marks that the run gives it. */
const judged = (text: string, given: Partial<Config> = {}): readonly string[] => {
  const config = legal(given);
  const marked = parse(text);
  const said = follow(config, moved(config), marked);
  const found = said.findIndex(({ verdict }) => verdict === "outside");
  const end = found === -1 ? said.length : found;
  const isSameFromEnd = said.slice(end).every(({ isSame }) => isSame);
  return marked.map(({ text: step }, index) => {
    const { verdict, isSame } = said[index] ?? { verdict: "outside", isSame: true };
    if (index > end) return `then ${step}`;
    if (index === end) return `outside${isSameFromEnd ? "?" : ""} ${step}`;
    if (verdict === "oblivious") return `${isSame ? "same" : "a hole:"} ${step}`;
    return `masked${isSame ? "?" : ""} ${step}`;
  });
};

/** The program with its own marks. */
const written = (text: string): readonly string[] => parse(text).map(({ mark, text: step }) => `${mark} ${step}`);

/** Neither another place nor another address space makes a difference that is not masked. */
const differences = (text: string, given: Partial<Config> = {}): readonly Difference[] => {
  const config = legal(given);
  const steps = parse(text).map(({ step }) => step);
  const results = [compareLevels({ version: 1, config, steps }), compareSides([moved(config), config], steps)];
  return results.flatMap(({ difference }) => difference ?? []);
};

/** The marks of a program are those that the run gives it, and what is compared never differs. */
export const check = (name: string, text: string, given: Partial<Config> = {}): void => {
  test(name, () => {
    expect(judged(text, given)).toEqual(written(text));
    expect(differences(text, given)).toEqual([]);
  });
};
