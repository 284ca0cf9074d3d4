/** `sfork check` where earlier runs found something: that runs first, and is counted for itself. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { specification, type Checker } from "../../conformance/check/judge.js";
import { wrongNumber } from "../conformance/check/support.js";
import { removeAtEnd, write } from "../support/files.js";
import { everything, inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();
const { check } = inProcess(temporary);

const args = ["--impl", "spec-lazy", "--seed", "7", "--steps", "12", "--strategy", "copa", "--runs", "12"] as const;

const contents = (folder: string): readonly (readonly [string, string])[] =>
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);

/** A folder with what a broken specification showed: a finding, as it was found and smaller. */
const filled = async () => {
  const { folder, stdout } = await check(wrongNumber, [...args, "--json"]);
  const [finding] = object(stdout).findings;
  return { folder, path: finding?.path ?? "", runs: object(stdout).runs, steps: object(stdout).steps };
};

describe("an earlier finding", () => {
  test("that still shows is a regression and no finding, and ends with status 1", async () => {
    const { folder, path } = await filled();
    const before = contents(folder);
    const { code, stdout } = await check(wrongNumber, [...args.slice(0, -1), "1", "--seed", "8", "--json"], folder);
    const { ok, regressions, runs, findings } = object(stdout);
    expect(regressions).toEqual([{ file: path, rule: "REF-2", held: false }]);
    expect([ok, runs, findings, code]).toEqual([false, 1, [], 1]);
    expect(contents(folder)).toEqual(before);
  });

  test("is printed with its file before everything else, and in the summary", async () => {
    const { folder, path } = await filled();
    const { code, stdout } = await check(wrongNumber, [...args.slice(0, -1), "1", "--seed", "8"], folder);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/: still REF-2: P\d thread \d observes something else than with eager copies$/);
    expect(lines[0]?.startsWith(path)).toBe(true);
    expect(lines.slice(-4)).toEqual([
      "1 regression still shows:",
      `  REF-2: ${path}`,
      "no other findings in spec-lazy",
      "",
    ]);
    expect(code).toBe(1);
  });

  test("that no longer shows is said to hold, and its file stays", async () => {
    const { folder, path } = await filled();
    const before = contents(folder);
    const json = await check(specification, [...args, "--json"], folder);
    expect(object(json.stdout)).toMatchObject({
      ok: true,
      runs: 12,
      findings: [],
      regressions: [{ file: path, rule: "REF-2", held: true }],
    });
    const { code, stdout } = await check(specification, args, folder);
    expect(stdout.split("\n")[0]).toBe(`${path}: REF-2 holds now`);
    expect(stdout).toMatch(/\n1 regression holds now\nno findings in spec-lazy\n$/);
    expect(code).toBe(0);
    expect(contents(folder)).toEqual(before);
  });

  test("that is found again is no finding, is saved no second time, and breaks its rule all the same", async () => {
    const { folder, path, runs, steps } = await filled();
    const before = contents(folder);
    const { code, stdout } = await check(wrongNumber, [...args, "--json"], folder);
    const again = object(stdout);
    expect(again.findings).toEqual([]);
    expect(again.regressions).toEqual([{ file: path, rule: "REF-2", held: false }]);
    expect([again.runs, again.steps, again.ok, code]).toEqual([runs, steps, false, 1]);
    expect(again.checks.find(({ rule }) => rule === "REF-2")?.failed).toBeGreaterThan(0);
    expect(contents(folder)).toEqual(before);
  });

  test("that is found again does not count to the most findings, and others are found beside it", async () => {
    const folder = join(temporary(), "findings");
    const findings = async (runs: string) => {
      const most = ["--seed", "7", "--runs", runs, "--max-findings", "3", "--json"];
      return object((await check(everything, [...args.slice(0, 2), ...most], folder)).stdout);
    };
    const first = await findings("20");
    const second = await findings("60");
    expect([first.findings.length, second.regressions.length, second.findings.length]).toEqual([3, 3, 3]);
    const operationOf = ({ program: { steps } }: (typeof first.findings)[number]): string => steps.at(-1)?.op ?? "";
    expect(new Set([...first.findings, ...second.findings].map(operationOf)).size).toBe(6);
  });

  test("runs before the corpus and before what is generated", async () => {
    const folder = join(temporary(), "findings");
    mkdirSync(folder);
    write(folder, "a.sfork", "sfork 1\nconfig frames=91\n0: li c9, 5\n");
    const corpus = temporary();
    write(corpus, "b.sfork", "sfork 1\nconfig frames=92\n0: li c9, 5\n");
    const seen: number[] = [];
    const watching: Checker = {
      ...specification,
      start: (config) => {
        seen.push(config.frames);
        return specification.start(config);
      },
    };
    const { stdout } = await check(watching, [...args, "--corpus", corpus, "--json"], folder);
    expect(seen.slice(0, 2)).toEqual([91, 92]);
    expect(object(stdout)).toMatchObject({
      runs: 13,
      regressions: [{ file: join(folder, "a.sfork"), rule: null, held: true }],
    });
  });

  test("of another implementation is left to that", async () => {
    const { folder } = await filled();
    const { code, stdout } = await check(specification, ["--impl", "fast", "--runs", "1", "--json"], folder);
    expect([object(stdout).regressions, code]).toEqual([[], 0]);
  });

  test("that cannot be read is no success: a line at once, in the end and in the JSON, and status 2", async () => {
    const { folder } = await filled();
    const bad = write(folder, "bad.sfork", "sfork 1\n0: jump\n");
    const { code, stdout, stderr } = await check(specification, [...args, "--json"], folder);
    expect(stderr).toMatch(/^[^\n]+bad\.sfork:2:\d+: [^\n]+\n$/);
    const { ok, runs, regressions, errors } = object(stdout);
    // Everything else was checked all the same.
    expect([ok, runs, regressions.length, code]).toEqual([false, 12, 1, 2]);
    expect(errors).toEqual([{ file: bad, message: stderr.trimEnd() }]);
    const told = await check(specification, args, folder);
    expect(told.stdout).toContain(`\n1 file could not be read or written:\n  ${stderr}no findings in spec-lazy\n`);
    expect(readFileSync(bad, "utf8")).toBe("sfork 1\n0: jump\n");
  });

  test("that cannot be read stands behind one that shows, and is an error of the JUnit report", async () => {
    const { folder } = await filled();
    write(folder, "bad.sfork", "\u0000\u0001");
    const xml = join(temporary(), "report.xml");
    const { code } = await check(wrongNumber, [...args, "--report", `junit=${xml}`], folder);
    expect(code).toBe(1);
    expect(readFileSync(xml, "utf8")).toMatch(
      /<testcase name="[^"]+bad\.sfork" classname="sfork\.regressions"><error /,
    );
  });
});
