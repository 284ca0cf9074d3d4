/** Systems from the literature as strategies: two conform, two break what is said of them, and all are counted alike. */
import { describe, expect, test } from "vitest";
import { judge } from "../../../../conformance/check/judge.js";
import { breachOf } from "../../../../conformance/refute/breach.js";
import { generate } from "../../../../conformance/generate/generate.js";
import type { StrategyName } from "../../../../spec/sfork/config.js";
import type { Counters } from "../../../../spec/sfork/machine.js";
import { conforming, knownFalse } from "../../../../spec/sfork/variants/baselines.js";
import { claims } from "../../../../spec/sfork/variants/claims.js";
import { runFrom } from "../../../../spec/sfork/step.js";
import { worldOf } from "../programs.js";
import { program } from "../../../conformance/check/support.js";

const judged = (strategy: StrategyName, runs: number) =>
  Array.from({ length: runs }, (_, index) =>
    judge(generate("baselines", index, { strategies: [strategy], steps: 30 })),
  );

describe("an address space for each process", () => {
  test.each(Object.keys(conforming) as (keyof typeof conforming)[])(
    "%s holds all invariants, observes what posix does, and REF-3",
    (strategy) => {
      const verdicts = judged(strategy, 120);
      expect(verdicts.flatMap(({ finding }) => finding ?? [])).toEqual([]);
      const sum = (of: (verdict: (typeof verdicts)[number]) => number): number =>
        verdicts.reduce((total, verdict) => total + of(verdict), 0);
      expect(sum(({ compared }) => compared)).toBeGreaterThan(2000);
      expect(sum(({ oblivious }) => oblivious)).toBeGreaterThan(1000);
    },
  );

  const forked = (strategy: StrategyName, ...lines: readonly string[]): readonly Counters[] => {
    const { config, machine } = worldOf({ strategy });
    const { steps } = program(`config strategy=${config.strategy}`, "0: fork c7", ...lines);
    return runFrom(machine, steps).machine.processes.map(({ counters }) => counters);
  };

  // Four pages of data, one of stack, one of code.
  test("multi-as-cow guards every page on both sides, and copies the one that is written", () => {
    const none = { faults: 0, copies: 0, relocations: 0 };
    expect(forked("multi-as-cow")).toEqual([
      { ...none, pageTableWrites: 6 },
      { ...none, pageTableWrites: 6 },
    ]);
    expect(forked("multi-as-cow", "0: storecap c1, 0(c1)", "1: store.b 1, 0(c1)")).toEqual([
      { ...none, faults: 1, copies: 1, pageTableWrites: 7 },
      // The last that maps the frame takes it over.
      { ...none, faults: 1, pageTableWrites: 7 },
    ]);
  });

  test("vm-clone does the same, and clones a kernel of 64 pages, 8 of which the child's writes", () => {
    expect(forked("vm-clone")).toEqual([
      { faults: 0, copies: 0, relocations: 0, pageTableWrites: 6 + 64 },
      { faults: 8, copies: 8, relocations: 0, pageTableWrites: 6 + 64 + 8 },
    ]);
  });

  test("nothing is relocated: a pointer means the same in every address space", () => {
    const verdict = judge(
      program(
        "config strategy=multi-as-cow",
        "0: storecap c1, 0x10(c1)",
        "0: fork c7",
        "1: loadcap c8, 0x10(c1)",
        "1: store.b 7, 0(c8)",
        "0: load.bu c9, 0(c1)",
      ),
    );
    expect(verdict).toMatchObject({ finding: undefined, steps: 5, compared: 5 });
  });
});

describe("known to be false", () => {
  const broken = (strategy: StrategyName): ReadonlySet<string> =>
    new Set(
      judged(strategy, 60).flatMap(({ finding }) => (finding === undefined ? [] : [finding.rule, ...finding.also])),
    );

  test("shared-segments breaks INV-6: what one writes the other sees", () => {
    const breach = breachOf(
      claims["CLAIM-2"],
      program("config strategy=shared-segments", "0: fork c7", "1: store.b 1, 0(c1)"),
    );
    expect(breach).toMatchObject({ rule: "INV-6", step: 1, violation: { where: "P0 page 0 granule 0" } });
  });

  test("naive-cow breaks INV-1 and INV-2: a pointer that nobody has written over still means the parent", () => {
    const rules = broken("naive-cow");
    expect([rules.has("INV-1"), rules.has("INV-2")]).toEqual([true, true]);
    const { finding } = judge(program("config strategy=naive-cow", "0: storecap c1, 0(c1)", "0: fork c7"));
    expect(finding).toMatchObject({ rule: "INV-1", where: "P1 page 0 granule 0", step: 1 });
    expect(finding?.also).toContain("INV-2");
  });

  test("naive-cow holds as long as no pointer is stored", () => {
    const steps = ["0: store.b 1, 0(c1)", "0: fork c7", "1: store.b 2, 0(c1)", "0: load.bu c8, 0(c1)"];
    expect(judge(program("config strategy=naive-cow", ...steps)).finding).toBeUndefined();
    expect(Object.keys(knownFalse)).toEqual(["shared-segments", "naive-cow"]);
  });
});
