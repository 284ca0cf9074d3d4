/** The cases of rules, as the table of operations has them. */
import { describe, expect, test } from "vitest";
import { createCoverage } from "../../../conformance/coverage.js";
import { caseOf, countCases, notReached, ruleCases, unreachable } from "../../../conformance/rules/cases.js";
import { summarizeCoverage } from "../../../conformance/coverage-summary.js";
import { rules } from "../../rules/document.js";
import { program } from "../check/support.js";
import { judge } from "../../../conformance/check/judge.js";
import { casesOf } from "../generate/support.js";

const of = (operation: string): readonly string[] =>
  ruleCases.filter((one) => one.operation === operation).map(({ name, kind }) => `${name} ${kind}`);

describe("an operation has a case", () => {
  test.each([
    ["getpid", ["getpid/ok succeeded"]],
    ["csetaddr", ["csetaddr/ok succeeded", "csetaddr/untagged failed"]],
    // It clears the tag on purpose, and the other copies it.
    ["ccleartag", ["ccleartag/ok succeeded"]],
    ["cmove", ["cmove/ok succeeded"]],
    [
      "cjalr",
      ["ok succeeded", ..."tag seal perm-execute align bounds page-exec".split(" ").map((as) => `${as} trapped`)].map(
        (one) => `cjalr/${one}`,
      ),
    ],
    ["fork", ["fork/ok succeeded", "fork/EAGAIN failed", "fork/ENOMEM failed", "fork/bad-choice failed"]],
    ["recvcap", ["recvcap/ok succeeded", "recvcap/EBADF failed", "recvcap/would-block failed"]],
  ])("for everything that %s can come to", (operation, cases) => {
    expect(of(operation)).toEqual(cases);
  });
});

test("each has a name of its own, and belongs to a rule of docs/rules.md", () => {
  const names = ruleCases.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  const known = rules.map(({ id }) => id);
  expect([...new Set(ruleCases.map(({ rule }) => rule))].filter((rule) => !known.includes(rule))).toEqual([]);
  expect([...unreachable.keys()].filter((name) => !names.includes(name))).toEqual([]);
});

describe("a step comes to", () => {
  test.each([
    ["0: csetbounds c8, c1, 0x10", "csetbounds/ok"],
    ["0: csetbounds c8, c1, 0x100000", "csetbounds/untagged"],
    // It was not tagged before: nothing is lost.
    ["0: csetbounds c8, c9, 0x10", "csetbounds/ok"],
    ["0: ccleartag c8, c1", "ccleartag/ok"],
    ["0: load.b c8, 0x0(c9)", "load.b/tag"],
    ["0: close 9", "close/EBADF"],
    ["0: wait c8", "wait/ECHILD"],
  ])("%s: %s", (line, name) => {
    expect(casesOf(program("config format=cheri128-v9", line))).toEqual([name]);
  });

  test("none, if it says nothing of its operation", () => {
    expect(caseOf("fork", { kind: "discarded", as: "unsupported" })).toBeUndefined();
    expect(casesOf(program("config format=rvy64", "0: cseal c8, c1, c4"))).toEqual([]);
  });
});

test("a run counts them; what is out of reach is not missed", () => {
  const coverage = createCoverage();
  const lines = ["0: pipe", "0: close 0", "0: close 0", "0: close 9", "0: load.b c8, 0x0(c9)"];
  judge(program("config format=cheri128-v9", ...lines), { coverage });
  const counts = countCases(coverage.result());
  const reached = [...counts].filter(([, times]) => times > 0).map(([{ name }, times]) => `${name} ${times}`);
  expect(reached).toEqual(["load.b/tag 1", "pipe/ok 1", "close/ok 1", "close/EBADF 2"]);
  expect(notReached(counts)).toHaveLength(ruleCases.length - unreachable.size - 4);
  expect(summarizeCoverage(coverage.result())).toMatch(
    /rule cases +4 of \d+ reached \(succeeded 2 of 111, failed 1 of \d+,\s+trapped 1 of/,
  );
});
