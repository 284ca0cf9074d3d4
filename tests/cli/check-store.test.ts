/** `sfork check` where earlier runs found something: that runs first, and is counted for itself. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { specification, type Checker } from "../../conformance/check/judge.js";
import { wrongNumber } from "../conformance/check/support.js";
import { removeAtEnd, write } from "../support/files.js";
import { inProcess, object } from "./check-support.js";

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

  test("that is found again is a finding as before, and saved no second time", async () => {
    const { folder, path, runs, steps } = await filled();
    const before = contents(folder);
    const { code, stdout } = await check(wrongNumber, [...args, "--json"], folder);
    const again = object(stdout);
    expect(again.findings.map((finding) => finding.path)).toEqual([path]);
    expect([again.runs, again.steps, again.regressions.length, code]).toEqual([runs, steps, 1, 1]);
    expect(contents(folder)).toEqual(before);
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

  test("that cannot be read is a line on standard error, and no more", async () => {
    const { folder } = await filled();
    const bad = write(folder, "bad.sfork", "sfork 1\n0: jump\n");
    const { code, stdout, stderr } = await check(specification, [...args, "--json"], folder);
    expect(stderr).toMatch(/^[^\n]+bad\.sfork:2:\d+: [^\n]+ \(not run again\)\n$/);
    expect([object(stdout).regressions.length, code]).toEqual([1, 0]);
    expect(readFileSync(bad, "utf8")).toBe("sfork 1\n0: jump\n");
  });
});
