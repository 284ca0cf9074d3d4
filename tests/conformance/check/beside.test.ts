/** An implementation beside the specification: every way in which it can be wrong is a finding of its kind (REF-4). */
import { describe, expect, test } from "vitest";
import { judgeBeside } from "../../../conformance/check/beside.js";
import { createTally, judgeProgram } from "../../../conformance/check/campaign.js";
import { savedFinding } from "../../../conformance/check/saved.js";
import { createFast } from "../../../impl/fast/index.js";
import type { Implementation, Observed, View } from "../../../impl/implementation.js";
import { invariants } from "../../../spec/invariants/check.js";
import type { Config } from "../../../spec/sfork/config.js";
import { program, settings } from "./support.js";

const steps = program(
  "config strategy=copa",
  "0: li c7, 5",
  "0: storecap c1, 0x40(c1)",
  "0: channel",
  "0: sendcap 0, c1",
  "0: fork c7",
  "1: loadcap c8, 0x40(c1)",
  "1: exit 3",
  "0: wait c9",
);

/** The optimised implementation with an answer replaced. */
const wrong =
  (change: (right: Implementation) => Partial<Implementation>) =>
  (config: Config): Implementation => {
    const right = createFast(config);
    return { ...right, ...change(right) };
  };

const observing = (change: (seen: Observed) => Observed) =>
  wrong(({ observed }) => ({ observed: () => change(observed()) }));

const viewing = (change: (seen: View) => View) => wrong(({ view }) => ({ view: () => change(view()) }));

/** The view with one thread's registers changed. */
const withRegisters = (view: View, change: (one: View["threads"]) => View["threads"]): View => ({
  ...view,
  threads: change(view.threads),
});

test("the optimised implementation is not wrong", () => {
  expect(judgeBeside(steps, createFast, { full: true })).toMatchObject({
    steps: 8,
    compared: 8,
    looks: 8,
    finding: undefined,
  });
  expect(judgeBeside(steps, createFast)).toMatchObject({ steps: 8, looks: 1, finding: undefined });
});

describe("what it observes", () => {
  test("a number", () => {
    const create = observing((seen) =>
      seen.observation.kind === "integer"
        ? { ...seen, observation: { kind: "integer", integer: seen.observation.integer + 1n } }
        : seen,
    );
    const { finding } = judgeBeside(steps, create);
    expect(finding).toMatchObject({
      ...{ kind: "observation", rule: "REF-4", where: "P0 thread 0", step: 0 },
      ...{ expected: "int 0x5", actual: "int 0x6" },
    });
    // The program that is saved says what it should have been.
    expect(finding?.program.steps).toHaveLength(1);
    expect(finding?.program.steps[0]?.expect).toEqual({ int: "0x5" });
  });

  test("a bit of a capability", () => {
    const create = observing((seen) =>
      seen.observation.kind === "capability"
        ? { ...seen, observation: { kind: "capability", capability: { ...seen.observation.capability, tag: false } } }
        : seen,
    );
    expect(judgeBeside(steps, create).finding).toMatchObject({ kind: "observation", step: 5 });
  });

  test("how a child ended", () => {
    const create = observing((seen) =>
      seen.observation.kind === "process"
        ? { ...seen, observation: { ...seen.observation, status: { exited: 4 } } }
        : seen,
    );
    expect(judgeBeside(steps, create).finding).toMatchObject({ kind: "observation", step: 7 });
  });

  test.each([
    ["who took the step", { thread: 1 }],
    ["whose thread it was", { process: 1 }],
    ["signals", { signals: [17] }],
    ["another kind", { observation: { kind: "none" } }],
  ] as const)("%s", (_, change) => {
    const create = observing((seen) => ({ ...seen, ...change }));
    expect(judgeBeside(steps, create).finding).toMatchObject({ kind: "observation", step: 0 });
  });
});

describe("what is to be seen at the end", () => {
  const finding = (create: (config: Config) => Implementation) => judgeBeside(steps, create).finding;

  test("a register", () => {
    const create = viewing((view) =>
      withRegisters(view, (threads) => {
        const [first = []] = threads.values();
        return new Map([[0, first.map((one, index) => (index === 16 ? { ...one, tag: false } : one))]]);
      }),
    );
    expect(finding(create)).toMatchObject({ kind: "view", where: "P0 pcc", step: 7 });
  });

  test("a thread more", () => {
    const create = viewing((view) => withRegisters(view, (threads) => new Map([...threads, [1, []]])));
    expect(finding(create)).toMatchObject({ kind: "view", where: "thread 1", expected: "0", actual: "0 1" });
  });

  const withProcess = (change: (pages: View["processes"]) => View["processes"]) =>
    viewing((view) => ({ ...view, processes: change(view.processes) }));

  test.each([
    [
      "a granule",
      "P0+0x40",
      (granules: readonly { readonly tag: boolean; readonly bits: bigint }[]) =>
        granules.map((one, index) => (index === 4 ? { ...one, tag: false } : one)),
    ],
    [
      "a byte",
      "P0+0x50",
      (granules: readonly { readonly tag: boolean; readonly bits: bigint }[]) =>
        granules.map((one, index) => (index === 5 ? { ...one, bits: 1n } : one)),
    ],
  ])("%s", (_, where, change) => {
    const create = withProcess(
      (processes) =>
        new Map(
          Array.from(processes, ([ordinal, { pages, ...rest }]) => [
            ordinal,
            {
              ...rest,
              pages: pages.map((page, index) =>
                page !== undefined && index === 0 ? { ...page, granules: change(page.granules) } : page,
              ),
            },
          ]),
        ),
    );
    expect(finding(create)).toMatchObject({ kind: "view", where });
  });

  test("a page, its protection, a slot, what the kernel holds", () => {
    const changed = (change: (one: View["processes"] extends ReadonlyMap<number, infer One> ? One : never) => object) =>
      withProcess((processes) => new Map(Array.from(processes, ([key, one]) => [key, { ...one, ...change(one) }])));
    const right = { read: true, write: true, execute: false };
    expect(finding(changed(({ pages }) => ({ pages: pages.with(0, undefined) })))).toMatchObject({
      ...{ where: "P0 page 0 at P0+0x0", expected: "mapped", actual: "not mapped" },
    });
    const executable = changed(({ pages }) => ({
      pages: pages.map((page, index) =>
        page !== undefined && index === 1 ? { ...page, protection: { ...right, execute: true } } : page,
      ),
    }));
    expect(finding(executable)).toMatchObject({ where: "P0 page 1 at P0+0x100" });
    expect(finding(changed(() => ({ slot: 3 })))).toMatchObject({ where: "P0 slot", actual: "slot 3" });
    const holding = changed(({ held }) => ({ held: held.map((one) => ({ ...one, address: 1n })) }));
    expect(finding(holding)).toMatchObject({ where: "P0 alternate stack" });
  });

  test("a shared segment, and a message", () => {
    const segment = viewing((view) => ({ ...view, segments: [[{ tag: false, bits: 1n }], ...view.segments.slice(1)] }));
    expect(finding(segment)).toMatchObject({ where: "S0+0x0" });
    const message = viewing((view) => ({ ...view, channels: [[]] }));
    expect(finding(message)).toMatchObject({ where: "channel 0 message 0", actual: "" });
  });
});

test("what it counts", () => {
  const create = wrong(({ counters }) => ({
    counters: () => counters().map((one, ordinal) => (ordinal === 1 ? { ...one, copies: 9 } : one)),
  }));
  expect(judgeBeside(steps, create).finding).toMatchObject({ kind: "counters", where: "P1 copies" });
});

test("what it finds wrong itself", () => {
  const create = wrong(() => ({ check: () => ["INV-8: frame 3 counts 2 mappings, and has 1"] }));
  expect(judgeBeside(steps, create).finding).toMatchObject({
    ...{ kind: "invariant", rule: "REF-4", where: "INV-8", actual: "frame 3 counts 2 mappings, and has 1" },
  });
});

test("what it throws", () => {
  const create = wrong(({ step }) => ({
    step: (next) => {
      if (next.operation.op === "fork") throw new TypeError("no region\nat all");
      step(next);
    },
  }));
  const { finding, steps: taken } = judgeBeside(steps, create);
  expect(taken).toBe(5);
  expect(finding).toMatchObject({ kind: "crash", step: 4, actual: "TypeError: no region at all" });
  expect(finding?.program.steps).toHaveLength(5);
});

test("what is seen once, and not when it is asked to follow choices that were none, is found", () => {
  let machines = 0;
  const once = (config: Config): Implementation => {
    machines += 1;
    const isWrong = machines === 1;
    return observing((seen) => (isWrong ? { ...seen, signals: [17] } : seen))(config);
  };
  expect(judgeBeside(steps, once).finding).toMatchObject({ kind: "observation", step: 0 });
  expect(judgeBeside(steps, once).finding).toBeUndefined();
});

describe("a campaign", () => {
  test("counts observations, views and counters, and transitions under invariants", () => {
    const given = settings({ impl: "fast", strategies: ["eager", "coa", "copa", "multi-as-cow"] });
    const tally = createTally(given);
    for (let index = 0; index < 60; index += 1) tally.add(judgeProgram(given, index));
    const { checks, looks, steps: taken, transitions, findings, programs } = tally.totals();
    expect(findings).toEqual([]);
    expect(checks[0]).toEqual({ rule: "REF-4", checked: taken, failed: 0 });
    // Steps that nobody could take have none.
    expect(checks.slice(1).map(({ rule, failed }) => [rule, failed])).toEqual(
      Object.keys(invariants).map((rule) => [rule, 0]),
    );
    expect(new Set(checks.slice(1).map(({ checked }) => checked))).toEqual(new Set([transitions]));
    expect(transitions).toBeGreaterThan(taken / 2);
    expect(transitions).toBeLessThanOrEqual(taken);
    // Once a program, and after every step of programs 0 and 50.
    expect(looks).toBeGreaterThan(programs + 2);
  });

  test("says in a saved finding how to come to it again", () => {
    const { finding } = judgeBeside(
      steps,
      wrong(() => ({ check: () => ["INV-8: x"] })),
    );
    if (finding === undefined) throw new Error("no finding");
    const { text, name } = savedFinding(settings({ impl: "fast" }), { index: 3, finding });
    expect(name).toMatch(/^REF-4-/);
    expect(text).toContain("# replay: npx sfork replay sf1:");
    const seen = judgeBeside(
      steps,
      observing((one) => ({ ...one, signals: [17] })),
    ).finding;
    if (seen === undefined) throw new Error("no finding");
    const other = savedFinding(settings({ impl: "fast" }), { index: 3, finding: seen });
    expect(other.text).toContain("# or:    npx sfork run --diff spec:copa,fast:copa FILE");
  });
});

test("each step is announced before it is taken", () => {
  const said: (number | string)[] = [];
  const create = wrong(({ step }) => ({
    step: (next) => {
      said.push(next.operation.op);
      step(next);
    },
  }));
  judgeBeside(steps, create, { begun: (step) => said.push(step) });
  expect(said.slice(0, 4)).toEqual([0, "li", 1, "storecap"]);
  expect(said).toHaveLength(16);
});
