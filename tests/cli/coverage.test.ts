/** `sfork coverage`. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { coverageCommand } from "../../cli/coverage.js";
import { sfork } from "../support/cli.js";
import { removeAtEnd } from "../support/files.js";
import { running } from "./support.js";

const temporary = removeAtEnd();
const run = running((done) => coverageCommand(done));

/** Other tests make copies of what was built, too, but not here. */
let copies: string;

beforeEach(() => {
  copies = temporary();
  vi.stubEnv("TMPDIR", copies);
});

afterEach(() => {
  vi.unstubAllEnvs();
  expect(readdirSync(copies).filter((name) => name.startsWith("sfork-coverage-"))).toEqual([]);
});

const told = z.object({
  ok: z.boolean(),
  programs: z.number(),
  steps: z.number(),
  rules: z.array(
    z.object({
      id: z.string(),
      cases: z.array(z.object({ name: z.string(), kind: z.string(), times: z.number() })),
      functions: z.array(z.object({ id: z.string(), evaluated: z.record(z.string(), z.number()).nullable() })),
    }),
  ),
  notReached: z.object({ cases: z.array(z.string()) }),
});

test("counts cases and functions; --json and the reports tell the same", async () => {
  const folder = temporary();
  const [page, json] = [path.join(folder, "page.html"), path.join(folder, "run.json")];
  const args = ["--seed", "1", "--runs", "12", "--steps", "20", "--workers", "1", "--json"];
  const { code, stdout } = await run(...args, "--report", `html=${page},json=${json}`);
  expect(code).toBeUndefined();
  const { ok, programs, rules, steps, notReached } = told.parse(JSON.parse(stdout));
  expect({ ok, programs }).toEqual({ ok: true, programs: 12 });
  // One evaluation of EXEC-1 for each step, whatever came of it, and a case at most.
  const step = rules.flatMap(({ functions }) => functions).find(({ id }) => id === "EXEC-1 step");
  expect(Object.values(step?.evaluated ?? {}).reduce((a, b) => a + b, 0)).toBe(steps);
  const cases = rules.flatMap((rule) => rule.cases);
  const times = cases.reduce((sum, one) => sum + one.times, 0);
  expect(times).toBeGreaterThan(steps / 2);
  expect(times).toBeLessThanOrEqual(steps);
  expect(notReached.cases).toContain("cinvoke/page-exec");
  expect(readFileSync(json, "utf8")).toBe(stdout);
  const html = readFileSync(page, "utf8");
  for (const { id } of rules) expect(html).toContain(`<section id="${id}">`);
  expect(html).toContain('<a href="#cinvoke-page-exec">');
});

test("prints a row for each rule, and what was not reached", async () => {
  const { stdout } = await run("--seed", "1", "--runs", "3", "--workers", "1");
  expect(stdout).toMatch(/^3 programs, \d+ steps; seed 1, /);
  expect(stdout).toMatch(/\nrule +cases +succeeded +failed +trapped +outside\n/);
  expect(stdout).toMatch(/\nEXEC-1 +\d of 3 +\d+ +\d+ +\d+ +\d+ {2}Steps\n/);
  expect(stdout).toMatch(/\nPROC-3 +- +not counted +What no child inherits\n/);
  expect(stdout).toMatch(/\ncases not reached \(\d+\)\n {2}\w/);
  expect(stdout).toMatch(/\n\d+ of \d+ rule cases reached, 21 out of reach\n/);
  expect(stdout).toMatch(
    /\n\d+ of 164 functions of rules evaluated, 1 out of reach; not counted, for they are constants: /,
  );
});

test("Ctrl-C ends it with what was counted up to then, if anything was", async () => {
  const { status, stdout, stderr } = await sfork(["coverage", "--seed", "1", "--time", "1h"], /starting/);
  expect(stderr).toBe("starting\nstopping; once more to stop at once\n");
  expect(stdout).toMatch(/^\d+ programs?, \d+ steps?; seed 1, /);
  expect(stdout).toMatch(/\ninterrupted: these are the counts up to then\n$/);
  expect(status).toBe(130);
});

test.for([
  [["--report", "junit=a.xml"], /^sfork: .*Give html=FILE, json=FILE, or both with a comma between them\.\n$/],
  [["CAP-1"], /^sfork: too many arguments for 'coverage'/],
] as const)("%j is wrong usage: one line and status 2", async ([args, message]) => {
  const { status, stderr, stdout } = await sfork(["coverage", ...args]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a program that breaks a rule is said, and ends it with status 1", async () => {
  const args = ["--strategy", "naive-cow", "--seed", "1", "--runs", "2", "--workers", "1"];
  const { code, stdout } = await run(...args);
  expect(stdout).toMatch(/\nINV-1: P\d .*; sfork replay sf1:\S+\n$/);
  expect(code).toBe(1);
});

test("a report that cannot be written is refused before anything runs", async () => {
  const { code, stderr, stdout } = await run("--report", "html=/nowhere/a.html");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  const why = "its folder does not exist; make it, or choose another";
  expect(stderr).toBe(`/nowhere/a.html: the html report cannot be written here: ${why}\n`);
});
