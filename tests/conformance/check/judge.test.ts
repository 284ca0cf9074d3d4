/** One program under the check: that it holds, and that each kind of mistake is found in the step that makes it. */
import { describe, expect, test } from "vitest";
import { judge, specification, type Checker, type Verdict } from "../../../conformance/check/judge.js";
import { createCoverage } from "../../../conformance/coverage.js";
import { printTextProgram } from "../../../conformance/program/print.js";
import { trace } from "../../../conformance/program/trace.js";
import {
  crashingFork,
  crashingInvariants,
  failingFork,
  forgetfulFork,
  program,
  violationIn,
  withSignals,
  wrongNumber,
} from "./support.js";

const forking = (strategy: string) =>
  program(
    `config format=morello strategy=${strategy}`,
    "0: li c8, 5",
    "0: storecap c1, 0(c1)",
    "0: fork c7",
    "1: loadcap c9, 0(c1)",
    "1: yield",
  );

const findingOf = (verdict: Verdict) => {
  if (verdict.finding === undefined) throw new Error("nothing was found");
  return verdict.finding;
};

describe("a specification that keeps its rules", () => {
  test.each(["coa", "copa"])(
    "%s: every step is compared, and everything looked at once more at the end",
    (strategy) => {
      expect(judge(forking(strategy))).toEqual({
        steps: 5,
        compared: 5,
        looks: 0,
        transitions: 5,
        inFull: 1,
        oblivious: 5,
        masked: 0,
        choices: 0,
        ended: undefined,
        finding: undefined,
      });
    },
  );

  test("eager: there is nothing to compare with", () => {
    expect(judge(forking("eager"))).toMatchObject({ steps: 5, compared: 0, transitions: 5, finding: undefined });
  });

  test("in full after every step, if asked for", () => {
    expect(judge(forking("copa"), { full: true })).toMatchObject({ transitions: 5, inFull: 5, finding: undefined });
  });

  test("steps that nobody takes are compared, and are no transitions", () => {
    const ended = program("config strategy=coa", "0: exit 3", "0: yield", "0: yield");
    expect(judge(ended)).toMatchObject({ steps: 3, compared: 3, transitions: 1, inFull: 1, finding: undefined });
  });

  test("a program without steps", () => {
    expect(judge(program())).toMatchObject({ steps: 0, transitions: 0, finding: undefined });
  });
});

describe("a comparison ends before its program", () => {
  test("at the raw read of a pointer under copa, and not under coa", () => {
    const steps = ["0: storecap c1, 0(c1)", "0: fork c7", "1: load.b c8, 0(c1)", "1: li c8, 1"];
    const raw = (strategy: string) => program(`config strategy=${strategy}`, ...steps);
    expect(judge(raw("copa"))).toMatchObject({ steps: 4, compared: 2, transitions: 4, ended: "outside-profile" });
    expect(judge(raw("coa"))).toMatchObject({ steps: 4, compared: 4, ended: undefined, finding: undefined });
  });

  const short = program("config frames=8 commit=overcommit strategy=coa", "0: li c8, 1", "0: fork c7", "1: li c8, 1");

  test("where an overcommitted machine has frames for a lazy fork only", () => {
    const levels = { looks: 0, oblivious: 3, masked: 0, choices: 0 };
    const ended = { steps: 3, compared: 1, transitions: 3, ended: "out-of-frames", finding: undefined, ...levels };
    expect(judge(short)).toEqual({ ...ended, inFull: 1 });
    expect(judge(short, { full: true })).toEqual({ ...ended, inFull: 3 });
  });

  const roomy = (commit: string) => program(`config commit=${commit} strategy=coa`, "0: fork c7", "1: li c8, 1");

  test("but not where both sides have them", () => {
    expect(judge(roomy("overcommit"))).toMatchObject({ steps: 2, compared: 2, ended: undefined, finding: undefined });
  });

  test("nor where the machine does not promise more memory than it has, or the error is another", () => {
    const want = (error: "ENOMEM" | "EAGAIN") => ({
      rule: "REF-1",
      step: 0,
      expected: "child P1",
      actual: `error ${error}`,
    });
    expect(findingOf(judge(roomy("reserve"), { checker: failingFork("ENOMEM") }))).toMatchObject(want("ENOMEM"));
    expect(findingOf(judge(roomy("overcommit"), { checker: failingFork("EAGAIN") }))).toMatchObject(want("EAGAIN"));
    // A lazy machine needs no frame that an eager one does not: it has no excuse.
    expect(findingOf(judge(roomy("overcommit"), { checker: failingFork("ENOMEM") }))).toMatchObject(want("ENOMEM"));
  });

  test("and what such a machine observes otherwise is a finding all the same", () => {
    expect(findingOf(judge(short, { checker: wrongNumber }))).toMatchObject({ rule: "REF-1", step: 0 });
  });
});

describe("an observation that is not that of an eager copy", () => {
  test.each([
    ["coa", "REF-1"],
    ["copa", "REF-2"],
  ])("%s: %s, with both sides and the program up to that step", (strategy, rule) => {
    const finding = findingOf(judge(forking(strategy), { checker: wrongNumber }));
    expect(finding).toMatchObject({
      kind: "observation",
      rule,
      where: "P0 thread 0",
      expected: "int 0x5",
      actual: "int 0x6",
      step: 0,
      also: [],
    });
    expect(printTextProgram(finding.program).split("\n").slice(2)).toEqual(["0: li c8, 0x5", "expect int 0x5", ""]);
  });

  test("the program expects what the eager copy shows: the unbroken specification meets it", () => {
    const { program: saved } = findingOf(judge(forking("copa"), { checker: wrongNumber }));
    const steps = [...trace(saved.config, saved.steps)];
    expect(steps.map(({ mismatch }) => mismatch)).toEqual([undefined]);
  });

  test("signals that only one side takes: the program expects those of the other, or none", () => {
    const said = (checker: Checker, ...steps: readonly string[]) => {
      const finding = findingOf(judge(program("config strategy=copa", ...steps), { checker }));
      return [finding.expected, finding.actual, printTextProgram(finding.program).split("\n").at(-2)];
    };
    expect(said(withSignals([10]), "0: li c8, 5")).toEqual([
      "int 0x5",
      "int 0x5 signals=10",
      "expect int 0x5 signals=none",
    ]);
    const handled = ["0: sigaction 10, handler c3, c1", "0: kill P0, 10", "0: li c8, 5"];
    expect(said(withSignals([]), ...handled)).toEqual(["int 0x5 signals=10", "int 0x5", "expect int 0x5 signals=10"]);
  });
});

describe("an invariant that does not hold", () => {
  test("a register that a fork does not relocate", () => {
    const finding = findingOf(judge(forking("copa"), { checker: forgetfulFork }));
    expect(finding).toMatchObject({ kind: "invariant", rule: "INV-1", where: "P1 thread 1 c1", step: 2 });
    expect(finding.what).toContain("reaches memory that is not its own");
    expect(finding.also).toEqual(expect.arrayContaining(["INV-2", "INV-3"]));
    expect(finding.program.steps).toEqual(forking("copa").steps.slice(0, 3));
  });

  test("is found without an eager run beside it, too", () => {
    expect(findingOf(judge(forking("eager"), { checker: forgetfulFork }))).toMatchObject({ rule: "INV-1", step: 2 });
  });

  test("that only a look at everything shows, at the end of the program", () => {
    const checker = violationIn("full", "yield");
    expect(findingOf(judge(forking("copa"), { checker }))).toMatchObject({ rule: "INV-8", step: 4 });
  });

  test("after the last step that somebody took, where others follow", () => {
    const ended = program("0: exit 3", "0: yield", "0: yield");
    const finding = findingOf(judge(ended, { checker: violationIn("full", "exit") }));
    expect(finding.step).toBe(0);
    expect(finding.program.steps).toHaveLength(1);
  });

  test("in the middle of a program: after every step what it touched is looked at", () => {
    const finding = findingOf(judge(forking("copa"), { checker: violationIn("incremental", "storecap") }));
    expect(finding).toMatchObject({ step: 1, key: "INV-8 storecap frame #" });
  });
});

describe("an exception", () => {
  test("while a step is taken", () => {
    const finding = findingOf(judge(forking("copa"), { checker: crashingFork }));
    const text = "TypeError: no region for thread 0 at all";
    expect(finding).toMatchObject({ kind: "crash", rule: "EXEC-1", where: "taking the step", what: text, step: 2 });
    expect(finding.key).toBe("EXEC-1 fork TypeError: no region for thread # at all");
    expect(finding.program.steps).toHaveLength(3);
  });

  test("while invariants are checked", () => {
    const verdict = judge(forking("coa"), { checker: crashingInvariants });
    expect(verdict).toMatchObject({ steps: 5, transitions: 5 });
    expect(findingOf(verdict)).toMatchObject({ kind: "crash", where: "checking the invariants", step: 4 });
  });

  test("before the first step", () => {
    const checker: Checker = {
      ...specification,
      start: () => {
        throw new Error("no memory");
      },
    };
    const finding = findingOf(judge(forking("coa"), { checker }));
    expect(finding).toMatchObject({ kind: "crash", where: "starting the machine", step: 0 });
    expect(finding.program.steps).toEqual([]);
  });

  test("in the coverage, which is not the specification's fault", () => {
    const coverage = {
      ...createCoverage(),
      step: () => {
        throw new Error("lost count");
      },
    };
    expect(findingOf(judge(forking("coa"), { coverage }))).toMatchObject({ rule: "COVERAGE", step: 0 });
  });
});

test("coverage sees every step up to the finding, the failing one included", () => {
  const coverage = createCoverage();
  judge(forking("copa"), { checker: forgetfulFork, coverage });
  const { programs, steps, operations } = coverage.result();
  expect([programs, steps, operations["fork"]?.succeeded]).toEqual([1, 3, 1]);
});
