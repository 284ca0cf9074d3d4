/** Workers: answers in the order of programs, the same from any number of them; one that dies is a finding, and no more. */
import { describe, expect, test } from "vitest";
import { judgeBatch, minimise, type Answer } from "../../../conformance/check/batch.js";
import { createTally, judgeProgram, minimised, type Totals } from "../../../conformance/check/campaign.js";
import { answers, thisThread, threads, type Workers } from "../../../conformance/check/workers.js";
import { addCoverage, createCoverage, type CoverageResult } from "../../../conformance/coverage.js";
import { settings, wrongNumber } from "./support.js";

const given = settings({ impl: "fast", strategies: ["coa", "copa"], steps: 20 });

interface Outcome {
  readonly indices: readonly number[];
  readonly totals: Totals;
  readonly coverage: CoverageResult | undefined;
}

const upTo = (runs: number): readonly number[] => Array.from({ length: runs }, (_, index) => index);

const campaign = async (workers: Workers, runs: number, of = given): Promise<Outcome> => {
  const tally = createTally(of);
  const all: Answer[] = [];
  for await (const answer of answers(workers, of, upTo(runs))) all.push(answer);
  const judged = all.flatMap((answer) => answer.judged);
  for (const one of judged) tally.add(one);
  const coverage = all.flatMap((answer) => answer.coverage ?? []);
  return {
    indices: judged.map(({ index }) => index),
    totals: tally.totals(),
    coverage: coverage.length === 0 ? undefined : coverage.reduce(addCoverage),
  };
};

test("threads come to what this thread comes to, in the same order", async () => {
  const alone = await campaign(thisThread(), 70);
  expect(alone.indices).toEqual(upTo(70));
  for (const count of [1, 3]) {
    const workers = threads(count);
    expect(await campaign(workers, 70)).toEqual(alone);
    await workers.close();
  }
});

test("answers come in order, whoever is quicker", async () => {
  const slowFirst: Workers = {
    count: 4,
    judge: async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, batch.items[0] === 0 ? 60 : 5));
      return judgeBatch(batch);
    },
    minimise: (task) => Promise.resolve(minimise(task)),
    close: () => Promise.resolve(),
  };
  expect((await campaign(slowFirst, 50)).indices).toEqual(upTo(50));
});

test("a broken checker is broken here, too", async () => {
  const of = settings({ strategies: ["copa"] });
  const { totals } = await campaign(thisThread(wrongNumber), 60, of);
  expect(totals.findings.map(({ finding }) => finding.rule)).toEqual(["REF-2"]);
});

test("what was reached adds up", async () => {
  const of = settings({ seed: "reach" });
  const { coverage } = await campaign(thisThread(), 40, of);
  const whole = createCoverage();
  for (const index of upTo(40)) judgeProgram(of, index, { coverage: whole });
  expect(coverage).toEqual(whole.result());
});

describe("a worker that dies", () => {
  /** Some programs end the thread that judges them, alone or with others. */
  const deadly = (...indices: readonly number[]): Workers => ({
    count: 2,
    judge: (batch) =>
      indices.some((index) => batch.items.includes(index))
        ? Promise.reject(new Error("out of memory"))
        : Promise.resolve(judgeBatch(batch)),
    minimise: (task) => Promise.resolve(minimise(task)),
    close: () => Promise.resolve(),
  });

  test("is a finding of the program that it died of; the others are judged", async () => {
    const { indices, totals } = await campaign(deadly(5, 40), 60);
    expect(indices).toEqual(upTo(60));
    expect(totals.programs).toBe(60);
    expect(totals.findings).toMatchObject([
      { index: 5, programs: 2, finding: { kind: "worker", rule: "REF-4", actual: "Error: out of memory" } },
    ]);
  });

  test("is not tried again in this thread", async () => {
    const [found] = (await campaign(deadly(3), 10)).totals.findings;
    if (found === undefined) throw new Error("nothing was found");
    expect(minimised(given, found)).toBe(found);
  });
});
