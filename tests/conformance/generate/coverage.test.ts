/** What a thousand programs reach: the fuzzer must be seen to fuzz. */
import { beforeAll, describe, expect, test } from "vitest";
import { cornerCaseNames, cornerCases, type CornerCase } from "../../../conformance/corner-cases.js";
import type { CoverageResult } from "../../../conformance/coverage.js";
import { printCoverage } from "../../../conformance/coverage-table.js";
import { generate } from "../../../conformance/generate/generate.js";
import { countCases, ruleCases, unreachable } from "../../../conformance/rules/cases.js";
import { operations, type OperationName } from "../../../spec/sfork/operation.js";
import { casesOf, coverageOf, programs, programsFor } from "./support.js";

const count = programsFor(3000);
const seed = "statistics";

const impossible: CornerCase = {
  description: "cannot happen",
  on: Object.keys(operations) as readonly OperationName[],
  reached: () => false,
};

/** Cases that fewer than one program in two hundred reached. */
const seldom = ({ cornerCases: reached, programs: all }: CoverageResult): readonly string[] =>
  Object.entries(reached).flatMap(([name, times]) => (times * 200 < all ? [name] : []));

const list = programs(seed, count);
const withImpossible = { ...cornerCases, impossible };

let all: CoverageResult;

/** Milliseconds; a busy machine takes a while. */
const patience = 600_000;

beforeAll(() => {
  all = coverageOf(list, withImpossible);
}, patience);

describe(`${count} programs of the seed "${seed}"`, () => {
  test("reach every corner case; one that cannot be reached is missed", () => {
    expect(seldom(all)).toEqual(["impossible"]);
    expect(Object.keys(all.cornerCases)).toEqual([...cornerCaseNames, "impossible"]);
  });

  test("trap for every cause that there is", () => {
    // A capability to memory that is not mapped has lost its tag (REUSE-1), so that `page-unmapped` is out of reach.
    expect(Object.keys(all.traps)).toEqual([
      "align",
      "bounds",
      "page-exec",
      "page-read",
      "page-store-cap",
      "page-write",
      "perm-cinvoke",
      "perm-execute",
      "perm-load",
      "perm-load-cap",
      "perm-store",
      "perm-store-cap",
      "perm-store-local",
      "seal",
      "tag",
      "type",
    ]);
  });

  test("show every exponent that fits the largest data part", () => {
    const range = (least: number, largest: number): readonly string[] => [
      ...Array.from({ length: largest + 1 - least }, (_, index) => (least + index).toString()),
      "none",
    ];
    const seen = Object.fromEntries(Object.entries(all.exponents).map(([name, one]) => [name, Object.keys(one)]));
    expect(seen).toEqual({
      "cheri128-v9": range(0, 2),
      "cheri64-v9": range(0, 8),
      morello: range(0, 2),
      rvy128: range(0, 2),
      // One bit of a length without an exponent stands in the metadata, so that none of these has the exponent 0.
      rvy64: range(1, 6),
      uncompressed256: ["none"],
    });
  });
});

/** As many as it takes to reach every case of every rule. */
const most = programsFor(20_000);

describe(`up to ${most} programs of the seed "${seed}"`, () => {
  const seen = new Set<string>();
  const missing = (): readonly string[] =>
    ruleCases.map(({ name }) => name).filter((name) => !seen.has(name) && !unreachable.has(name));

  beforeAll(() => {
    for (const [{ name }, times] of countCases(all)) if (times > 0) seen.add(name);
    for (let index = count; index < most && missing().length > 0; index += 1) {
      for (const name of casesOf(generate(seed, index))) seen.add(name);
    }
  }, patience);

  test("come to every case of every rule", () => {
    expect(missing()).toEqual([]);
  });

  test("come to no case that is said to be out of reach, and to none that the table of operations does not have", () => {
    expect([...unreachable.keys()].filter((name) => seen.has(name))).toEqual([]);
    const known = new Set(ruleCases.map(({ name }) => name));
    const others = Object.entries(all.operations).flatMap(([name, { failed, trapped }]) =>
      Object.keys({ ...failed, ...trapped }).map((as) => `${name}/${as}`),
    );
    expect([...others, ...seen].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("results", () => {
  test("are plain JSON", () => {
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });

  test("print as a table", () => {
    const lines = printCoverage(all).split("\n");
    expect(lines[0]).toMatch(new RegExp(`^${count} programs, \\d+ steps$`));
    expect(lines.find((line) => line.startsWith("fork-siblings "))).toMatch(/ +\d+ +\d+\.\d\d % +a process forks/);
    expect(lines.find((line) => line.startsWith("fork "))).toMatch(/^fork +\d+ +\d+ +0 .*EAGAIN \d+/);
  });
});
