/** Guidance: what is kept, what is made from it, and that it does not depend on who judges. */
import { describe, expect, test } from "vitest";
import type { Judged } from "../../../conformance/check/campaign.js";
import { runCampaign, type Plan } from "../../../conformance/check/run.js";
import { thisThread, threads, type Workers } from "../../../conformance/check/workers.js";
import { judgeBatch } from "../../../conformance/check/batch.js";
import { epoch, Guide } from "../../../conformance/guide/guide.js";
import { generate } from "../../../conformance/generate/generate.js";
import { settings } from "../check/support.js";

const given = settings({ impl: "fast", strategies: ["copa"], steps: 6 });

const plan = (runs: number): Plan => ({
  settings: given,
  guided: true,
  shard: { part: 1, of: 1 },
  corpus: [],
  limits: { runs, time: Infinity, findings: 1 },
  known: [],
});

/** Workers that keep what was judged, by number. */
const listening = (workers: Workers): { readonly workers: Workers; readonly judged: Map<number, Judged> } => {
  const judged = new Map<number, Judged>();
  return {
    judged,
    workers: {
      ...workers,
      judge: async (batch, deadline) => {
        const answer = await workers.judge(batch, deadline);
        if (answer !== undefined && "judged" in answer) for (const one of answer.judged) judged.set(one.index, one);
        return answer;
      },
    },
  };
};

const campaign = async (workers: Workers, runs: number): Promise<readonly Judged[]> => {
  const heard = listening(workers);
  await runCampaign(plan(runs), heard.workers, { found: () => undefined, progress: () => undefined });
  await workers.close();
  return [...heard.judged].sort(([a], [b]) => a - b).map(([, one]) => one);
};

const steps = { strategies: ["copa"], steps: 6 } as const;

test("programs and what they show are the same from any number of workers", async () => {
  const runs = epoch + 60;
  const alone = await campaign(thisThread(), runs);
  expect(alone).toHaveLength(runs);
  const mutants = alone.filter(({ mutant }) => mutant === true);
  // Half of those behind the first epoch.
  expect(mutants.length).toBeGreaterThan((runs - epoch) / 4);
  expect(mutants.every(({ index }) => index >= epoch)).toBe(true);
  expect(await campaign(threads(3), runs)).toEqual(alone);
});

describe("a guide", () => {
  const learned = (features: (index: number) => readonly number[]): Guide => {
    const guide = new Guide("g", steps);
    for (let index = 0; index < epoch; index += 1) guide.learn(guide.program(index), features(index));
    return guide;
  };

  test("keeps a program that shows something new, and no other", () => {
    expect(learned(() => [1, 2]).counts).toEqual({ features: 2, kept: 1 });
    expect(learned((index) => [Math.floor(index / 64)]).counts).toEqual({ features: 4, kept: 4 });
  });

  test("makes nothing from what was kept before the epoch is over", () => {
    const guide = learned((index) => [index]);
    const ofNext = (): readonly boolean[] => Array.from({ length: 60 }, (_, nth) => guide.program(epoch + nth).mutant);
    expect(ofNext()).not.toContain(true);
    guide.next();
    expect(ofNext()).toContain(true);
  });

  test("makes programs that begin as one that was kept", () => {
    const guide = learned((index) => (index === 7 ? [1] : []));
    guide.next();
    const parent = generate("g", 7, steps);
    const made = Array.from({ length: 200 }, (_, nth) => guide.program(epoch + nth)).filter(({ mutant }) => mutant);
    const same = made.map(({ program }) => {
      const at = program.steps.findIndex(
        (step, index) => JSON.stringify(step, big) !== JSON.stringify(parent.steps[index], big),
      );
      return at === -1 ? program.steps.length : at;
    });
    for (const { program } of made) expect(program.config).toEqual(parent.config);
    // Cut anywhere: about half of the parent is left, in the mean.
    expect(same.reduce((sum, one) => sum + one, 0) / same.length).toBeGreaterThan(parent.steps.length / 4);
  });
});

const big = (_: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);

test("another seed makes other programs from the same ones", () => {
  const [one, two] = ["g", "h"].map((seed) => {
    const guide = new Guide(seed, steps);
    for (let index = 0; index < epoch; index += 1)
      guide.learn({ program: generate("g", index, steps), mutant: false }, [index]);
    guide.next();
    return guide.program(epoch + 1).program;
  });
  expect(one).not.toEqual(two);
});

test("a batch says what its programs show only if it is asked", () => {
  const batch = { settings: given, items: [0, 1], after: 0 };
  expect(judgeBatch(batch).judged.map(({ features }) => features)).toEqual([undefined, undefined]);
  const shown = judgeBatch({ ...batch, guided: true }).judged.map(({ features = [] }) => features.length);
  expect(Math.min(...shown)).toBeGreaterThan(0);
});
