/** What a thousand programs reach: the fuzzer must be seen to fuzz. */
import { beforeAll, describe, expect, test } from "vitest";
import { cornerCaseNames, cornerCases, type CornerCase } from "../../../conformance/corner-cases.js";
import type { CoverageResult } from "../../../conformance/coverage.js";
import { printCoverage } from "../../../conformance/coverage-table.js";
import { operations, type OperationEntry, type OperationName } from "../../../spec/sfork/operation.js";
import { coverageOf, programs, programsFor } from "./support.js";

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

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** They have no traps: where they are not allowed to, the result has lost its tag. */
const deriving: readonly OperationName[] = [
  "csetbounds",
  "csetboundsexact",
  "csetaddr",
  "cincoffset",
  "csetoffset",
  "cfromptr",
  "csetflags",
  "csethigh",
  "candperm",
  "cseal",
  "cunseal",
  "ccseal",
  "ccopytype",
  "cbuildcap",
  "csealentry",
];

/**
 * A capability to memory that is not mapped has lost its tag (REUSE-1), and is invalid before anything is found missing. A
 * call keeps its description open.
 */
const outOfReach: readonly string[] = ["munmap: ENOMEM", "mprotect: ENOMEM", "madvise: ENOMEM", "call_finish: EBADF"];

describe(`${count} programs of the seed "${seed}"`, () => {
  test("reach every corner case; one that cannot be reached is missed", () => {
    expect(seldom(all)).toEqual(["impossible"]);
    expect(Object.keys(all.cornerCases)).toEqual([...cornerCaseNames, "impossible"]);
  });

  test("have every operation succeed", () => {
    const never = Object.entries(all.operations).flatMap(([name, { succeeded }]) => (succeeded === 0 ? [name] : []));
    expect(never).toEqual([]);
  });

  test("have every operation fail that can", () => {
    const sound = (Object.keys(operations) as readonly OperationName[]).filter((name) => {
      const { errors, traps }: OperationEntry = operations[name];
      const seen = all.operations[name];
      const canFail = errors !== undefined || traps !== undefined || deriving.includes(name);
      return canFail && seen !== undefined && sum(seen.failed) + sum(seen.trapped) === 0;
    });
    expect(sound).toEqual([]);
  });

  test("have operations fail with each of their errors, but for a few that are seldom", () => {
    const missing = (Object.keys(operations) as readonly OperationName[]).flatMap((name) => {
      const { errors = [] }: OperationEntry = operations[name];
      const seen = Object.keys(all.operations[name]?.failed ?? {});
      return errors.filter((error) => !seen.includes(error)).map((error) => `${name}: ${error}`);
    });
    expect(missing.filter((one) => !outOfReach.includes(one)).length).toBeLessThan(5);
    expect(outOfReach.filter((one) => !missing.includes(one))).toEqual([]);
  });

  test("have operations fail only as the table says", () => {
    const surprises = (Object.keys(operations) as readonly OperationName[]).flatMap((name) => {
      const { errors = [], traps = [], choices }: OperationEntry = operations[name];
      // Any step of a process that is stopped would block.
      const others = ["untagged", "would-block", ...(choices === undefined ? [] : ["bad-choice"])];
      const known: readonly string[] = [...errors, ...traps, ...others];
      const { failed = {}, trapped = {} } = all.operations[name] ?? {};
      const seen = Object.keys({ ...failed, ...trapped });
      return seen.filter((failure) => !known.includes(failure)).map((failure) => `${name}: ${failure}`);
    });
    expect(surprises).toEqual([]);
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
