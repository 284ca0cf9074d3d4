/** Campaigns: the same from the same seed, findings told apart by their cause, and what is saved of them. */
import { describe, expect, test } from "vitest";
import {
  createTally,
  judgeProgram,
  type CampaignSettings,
  type Found,
  type Totals,
} from "../../../conformance/check/campaign.js";
import { judge, type Checker } from "../../../conformance/check/judge.js";
import { savedFinding } from "../../../conformance/check/saved.js";
import { printToken } from "../../../conformance/check/token.js";
import { cornerCaseNames } from "../../../conformance/corner-cases.js";
import { createCoverage, type CoverageResult } from "../../../conformance/coverage.js";
import { summarizeCoverage } from "../../../conformance/coverage-summary.js";
import { generate, generatorVersion } from "../../../conformance/generate/generate.js";
import { invariants } from "../../../spec/invariants/check.js";
import { read } from "../program/files.js";
import { miscounting } from "./wrong.js";
import { crashingFork, forgetfulFork, program, settings, wrongNumber } from "./support.js";

interface Outcome {
  readonly totals: Totals;
  readonly coverage: CoverageResult;
  /** In the order in which they were announced. */
  readonly found: readonly Found[];
}

const campaign = (given: CampaignSettings, runs: number, checker?: Checker): Outcome => {
  const tally = createTally(given);
  const coverage = createCoverage();
  const options = checker === undefined ? { coverage } : { coverage, checker };
  const found = Array.from({ length: runs }, (_, index) => tally.add(judgeProgram(given, index, options)));
  return { totals: tally.totals(), coverage: coverage.result(), found: found.filter((one) => one !== undefined) };
};

/** Everything in it, byte by byte. */
const bytes = (outcome: Outcome): string =>
  JSON.stringify(outcome, (_, value: unknown) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));

describe("the specification", () => {
  const outcome = campaign(settings(), 60);
  const { totals, coverage } = outcome;

  test("has no findings", () => {
    expect(totals.findings).toEqual([]);
    expect(totals.crashes).toBe(0);
    expect(totals.checks.filter(({ failed }) => failed > 0)).toEqual([]);
  });

  test("is checked by every rule, in every program", () => {
    expect(totals.programs).toBe(60);
    expect(totals.steps).toBe(coverage.steps);
    expect(totals.checks.map(({ rule }) => rule)).toEqual(["REF-1", "REF-2", "REF-3", ...Object.keys(invariants)]);
    expect(totals.checks.filter(({ checked }) => checked < 100)).toEqual([]);
    // Programs 0 and 50 in full, and the last transition of each of the others.
    const [first, other] = [0, 50].map((index) => generate("check", index, settings()).steps.length);
    expect(totals.inFull).toBe((first ?? 0) + (other ?? 0) + 58);
  });

  test("comes to the same, byte by byte, from the same seed, and to something else from another", () => {
    expect(bytes(campaign(settings(), 60))).toBe(bytes(outcome));
    expect(bytes(campaign(settings({ seed: "other" }), 60))).not.toBe(bytes(outcome));
  });
});

describe("a specification that is broken", () => {
  const broken = campaign(settings({ strategies: ["coa"] }), 40, forgetfulFork);

  test("gives one finding for one cause, and counts the programs that have it", () => {
    const keys = broken.totals.findings.map(({ finding }) => finding.key);
    expect(keys).toContain("INV-1 fork P# thread # c#");
    expect(new Set(keys).size).toBe(keys.length);
    const failed = broken.totals.findings.reduce((sum, { programs }) => sum + programs, 0);
    expect(failed).toBeGreaterThan(keys.length);
    expect(broken.found).toEqual(broken.totals.findings.map(({ index, finding }) => ({ index, finding })));
  });

  test("has the rule, and what else was broken with it, counted by program", () => {
    const failed = (rule: string) => broken.totals.checks.find((check) => check.rule === rule)?.failed ?? 0;
    expect(failed("INV-1")).toBeGreaterThan(1);
    expect(failed("INV-3")).toBeGreaterThan(1);
    expect(failed("INV-13")).toBe(0);
  });

  test("gives the same findings again", () => {
    expect(bytes(campaign(settings({ strategies: ["coa"] }), 40, forgetfulFork))).toBe(bytes(broken));
  });

  test("and goes on after a crash", () => {
    const { totals } = campaign(settings(), 30, crashingFork);
    expect(totals.programs).toBe(30);
    expect(totals.crashes).toBeGreaterThan(1);
    expect(totals.findings.map(({ finding }) => finding.kind)).toEqual(["crash"]);
  });
});

describe("an implementation that is wrong in one way", () => {
  const wrongCount = { ...settings({ strategies: ["eager", "coa", "copa"], steps: 30 }), impl: miscounting };
  const all = Array.from({ length: 40 }, (_, index) => judgeProgram(wrongCount, index));
  const shown = all.flatMap(({ verdict: { finding } }) => finding ?? []);

  test("which is seen in the end of most programs, has the key of the step that it takes", () => {
    expect(shown.length).toBeGreaterThan(10);
    // Programs end with all kinds of steps.
    expect(
      new Set(all.map(({ index }) => generate("check", index, wrongCount).steps.at(-1)?.operation.op)).size,
    ).toBeGreaterThan(5);
    expect(new Set(shown.map(({ key }) => key))).toEqual(new Set(["REF-4 fork counters counters of process #"]));
  });

  test("is no finding where an earlier one with its key still shows, and the rule is broken all the same", () => {
    const tally = createTally(wrongCount, ["REF-4 fork counters counters of process #"]);
    expect(all.flatMap((one) => tally.add(one) ?? [])).toEqual([]);
    const { findings, checks } = tally.totals();
    expect(findings).toEqual([]);
    expect(checks[0]).toMatchObject({ rule: "REF-4", failed: shown.length });
  });
});

describe("a saved finding", () => {
  const given = settings({ strategies: ["copa"], formats: ["rvy64"] });
  const [first] = campaign(given, 400, wrongNumber).found;
  if (first === undefined) throw new Error("nothing was found");
  const { name, text } = savedFinding(given, first);

  test("is a program file that says where it comes from and how to come to it again", () => {
    expect(name).toMatch(/^REF-2-[\da-f]{12}\.sfork$/);
    const [header, ...comments] = text.split("\n").filter((line) => /^(sfork|#)/.test(line));
    expect(header).toBe("sfork 1");
    expect(comments).toEqual([
      `# REF-2: observes something else than with eager copies (observation; ${first.finding.where}; step ${first.finding.step})`,
      `# expected: ${first.finding.expected}`,
      `# actual:   ${first.finding.actual}`,
      `# seed check, program ${first.index}, generator ${generatorVersion}`,
      `# replay: npx sfork replay ${printToken({ settings: given, index: first.index })}`,
      "# or:    npx sfork run --diff spec:eager,spec:copa FILE",
    ]);
  });

  test("reads as the finding's program", () => {
    expect(read(text)).toEqual(first.finding.program);
  });

  test("has the same name if it is the same, and another if not", () => {
    expect(savedFinding(given, first)).toEqual({ name, text });
    expect(savedFinding(given, { ...first, index: first.index + 1 }).name).not.toBe(name);
  });
});

describe("the coverage summary", () => {
  test("says what was not reached, and what was reached least, least first", () => {
    const text = summarizeCoverage(campaign(settings({ steps: 40, strategies: ["eager"] }), 12).coverage);
    expect(text).toMatch(
      /rule cases +\d+ of \d+ reached \(succeeded \d+ of \d+, failed \d+ of \d+, trapped \d+ of\s+\d+\); not\s+reached:\s+[a-z]/,
    );
    expect(text).toMatch(new RegExp(`corner cases +\\d+ of ${cornerCaseNames.length} reached; not reached: [a-z]`));
    const shares = text.split("\n").flatMap((line) => / ([\d.]+) % {2}/.exec(line)?.[1] ?? []);
    expect(shares).toHaveLength(8);
    const numbers = shares.map(Number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers[0]).toBeGreaterThan(0);
  });

  const summaryOf = (format: string): string => {
    const coverage = createCoverage();
    judge(program(`config format=${format}`, "0: cseal c8, c1, c4", "0: cmove c9, c1"), { coverage });
    return summarizeCoverage(coverage.result());
  };

  test("does not miss operations that the format does not have", () => {
    expect(summaryOf("rvy64")).toMatch(/rule cases +1 of \d+ reached \(succeeded 1 of 110, failed 0 of/);
    expect(summaryOf("cheri64-v9")).toMatch(/rule cases +2 of \d+ reached \(succeeded 2 of 111, failed 0 of/);
  });

  test("cuts a list that is too long to read", () => {
    expect(summaryOf("rvy64")).toMatch(/not reached:\s+csetbounds\/ok, [\s\S]* and \d+ more\n/);
  });
});
