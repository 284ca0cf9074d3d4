/** Workers: answers in the order of programs, the same from any number of them; one that dies is a finding, and no more. */
import { describe, expect, test } from "vitest";
import { judgeBatch, minimise, type Answer } from "../../../conformance/check/batch.js";
import { createTally, judgeProgram, programOf, type Totals } from "../../../conformance/check/campaign.js";
import { lostFinding } from "../../../conformance/check/lost.js";
import { answers, thisThread, threads, type Workers } from "../../../conformance/check/workers.js";
import { addCoverage, createCoverage, type CoverageResult } from "../../../conformance/coverage.js";
import { program, settings, wrongNumber } from "./support.js";

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

describe("batches", () => {
  const sizes = async (steps: number, runs: number): Promise<readonly number[]> => {
    const all: number[] = [];
    const idle: Workers = {
      ...thisThread(),
      judge: ({ items }) => {
        all.push(items.length);
        return Promise.resolve({ judged: [], coverage: undefined });
      },
    };
    for await (const { judged } of answers(idle, { ...given, steps }, upTo(runs))) expect(judged).toEqual([]);
    return all;
  };

  test("are small at first, so that the first answers come at once", async () => {
    expect(await sizes(20, 40)).toEqual([1, 2, 4, 8, 16, 9]);
  });

  test("of long programs stay small", async () => {
    expect(await sizes(400, 7)).toEqual([1, 2, 2, 2]);
    expect(await sizes(1000, 2)).toEqual([1, 1]);
  });
});

describe("a deadline", () => {
  /** As slow as the deadline lets them be. */
  const late: Workers = {
    ...thisThread(),
    judge: async (batch, deadline) => {
      await new Promise((resolve) => setTimeout(resolve, Math.min(deadline - Date.now(), 300)));
      return Date.now() < deadline ? judgeBatch(batch) : undefined;
    },
  };

  test("ends a campaign whatever is under way, but for the first answer", async () => {
    const started = Date.now();
    const all: Answer[] = [];
    for await (const answer of answers(late, given, upTo(100), { deadline: started + 50 })) all.push(answer);
    expect(all.map(({ judged }) => judged.length)).toEqual([1]);
    expect(Date.now() - started).toBeLessThan(2000);
  });

  test("is kept by threads: what is not done then is not waited for", async () => {
    const workers = threads(1);
    const batch = { settings: given, items: upTo(500), after: 0 };
    expect(await workers.judge({ ...batch, items: [0] }, Infinity)).toMatchObject({ judged: [{ index: 0 }] });
    const both = [workers.judge(batch, Date.now() + 300), workers.judge(batch, Date.now() + 300)];
    expect(await Promise.all(both)).toEqual([undefined, undefined]);
    await workers.close();
  });
});

describe("a thread that is lost in a program", () => {
  /** Some programs end the thread that judges them, after three steps, alone or with others. */
  const deadly = (...indices: readonly number[]): Workers => ({
    ...thisThread(),
    count: 2,
    judge: (batch) => {
      const nth = batch.items.findIndex((item) => typeof item === "number" && indices.includes(item));
      const lost = { kind: "worker", nth, step: 2, message: "Error: out of memory" } as const;
      return Promise.resolve(nth < 0 ? judgeBatch(batch) : lost);
    },
  });

  test("is a finding of the program that it died of, cut behind the last step begun; the others are judged", async () => {
    const { indices, totals, coverage } = await campaign(deadly(5, 40), 60);
    expect(indices).toEqual(upTo(60));
    expect(totals.programs).toBe(60);
    const [found] = totals.findings;
    expect(found).toMatchObject({
      index: 5,
      finding: { kind: "worker", rule: "REF-4", where: "the step", step: 2, actual: "Error: out of memory" },
    });
    const steps = programOf(given, 5).steps.slice(0, 3);
    expect(found?.finding.program.steps).toEqual(steps);
    expect(found?.finding.key).toBe(`REF-4 ${steps[2]?.operation.op ?? ""} no answer`);
    // Every eighth, but for number 40.
    expect(coverage?.programs).toBe(7);
  });

  test("in its start, is a finding of a program without steps", () => {
    const program = programOf(given, 0);
    const lost = lostFinding("fast", program, { kind: "hang", nth: 0, step: -1, message: "no answer" });
    expect(lost).toMatchObject({ kind: "hang", where: "the start", step: 0, key: "REF-4 start no answer" });
    expect(lost.program).toEqual({ ...program, steps: [] });
  });
});

describe("a thread", () => {
  const deadly = new URL("deadly-worker.ts", import.meta.url);
  const of = settings({ strategies: ["eager"], steps: 20 });
  const fileOf = (index: number, ...steps: readonly string[]) => {
    const text = ["config strategy=eager page=256 pages=4 slots=1 processes=1 frames=4", ...steps];
    return { index, file: `${index}`, program: program(...text) };
  };

  test("that hangs, ends or eats memory is replaced, and it is known where that was", async () => {
    const workers = threads(1, deadly);
    const judge = (number: number, deadline: number): Promise<unknown> => {
      const items = [fileOf(0, "0: yield"), fileOf(1, "0: yield", `0: li c9, ${number}`, "0: yield"), 3];
      return workers.judge({ settings: of, items, after: 0 }, deadline);
    };
    const lost = { kind: "worker", nth: 1, step: 1 };
    expect(await judge(7701, Infinity)).toEqual({ ...lost, message: "Error: worker exited with code: 7" });
    // As long as it takes to eat that much, it hangs: which of both it is, is a matter of the machine.
    expect(await judge(7703, Infinity)).toMatchObject({ nth: 1, step: 1 });
    expect(await judge(7704, Infinity)).toEqual({ ...lost, message: "Error: worker exited with code: 256" });
    expect(await judge(1, Infinity)).toMatchObject({ judged: [{ index: 0 }, { index: 1 }, { index: 3 }] });
    // The thread has begun the step when the time is up: what hangs is waited for.
    const started = Date.now();
    expect(await judge(7702, started + 500)).toEqual({ ...lost, kind: "hang", message: "no answer" });
    expect(await judge(1, Infinity)).toMatchObject({ judged: [{ index: 0 }, { index: 1 }, { index: 3 }] });
    await workers.close();
  });
});
