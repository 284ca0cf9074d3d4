/** `sfork check` as a user types it: summaries, findings, limits, Ctrl-C, and one clear line for what is wrong. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { checkCommand } from "../../cli/check.js";
import { specification, type Checker } from "../../conformance/check/judge.js";
import { saveFinding } from "../../conformance/check/store.js";
import { thisThread } from "../../conformance/check/workers.js";
import { generatorVersion } from "../../conformance/generate/generate.js";
import { decodeProgram } from "../../conformance/program/json.js";
import { crashingFork, forgetfulFork, wrongNumber } from "../conformance/check/support.js";
import { read, rightOf } from "../conformance/program/files.js";
import { sfork } from "../support/cli.js";
import { removeAtEnd, write } from "../support/files.js";
import { everything, inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();

const { check } = inProcess(temporary);

const few = ["--impl", "spec-lazy", "--seed", "7", "--steps", "12"] as const;

describe("a specification that holds", () => {
  test("a summary with what was checked and reached, the verdict last, and status 0", async () => {
    const { status, stdout } = await sfork([
      "check",
      ...few,
      "--runs",
      "20",
      "--format",
      "rvy64",
      "--strategy",
      "copa,coa",
    ]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("seed 7, implementation spec-lazy, profile mixed, up to 12 steps");
    expect(lines[1]).toBe("strategies coa, copa; formats rvy64");
    expect(lines[2]).toMatch(/^20 programs, \d+ steps in \d+\.\d s: \d+\.\d programs\/s$/);
    expect(stdout).toMatch(/REF-1: \d+ observations of coa beside eager copies: held/);
    expect(stdout).toMatch(/REF-2: \d+ observations of copa beside eager copies: held/);
    expect(stdout).toContain("  all 14 invariants: held\n");
    expect(stdout).toMatch(/\n {2}corner cases +\d+ of \d+ reached/);
    expect(lines.at(-2)).toBe("no findings in spec-lazy");
    expect(status).toBe(0);
  });

  test("the optimised implementation beside it: what was compared, and all strategies that it has", async () => {
    const { status, stdout } = await sfork(["check", ...few.slice(2), "--runs", "30", "--impl", "fast"]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("seed 7, implementation fast, profile mixed, up to 12 steps");
    expect(lines[1]).toMatch(/^strategies eager, coa, copa, multi-as-cow; formats all /);
    expect(stdout).toMatch(/\n {2}REF-4: \d+ observations of fast beside the specification: held\n/);
    expect(stdout).toMatch(/\n {2}views and counters compared, and structures checked, \d+ times\n/);
    expect(stdout).toMatch(
      /\n {2}invariants: \d+ transitions, everything looked at after \d+\n {2}all 14 invariants: held\n/,
    );
    expect(lines.at(-2)).toBe("no findings in fast");
    expect(status).toBe(0);

    const json = await sfork(["check", ...few.slice(2), "--runs", "30", "--impl", "fast", "--json"]);
    const { steps, checks, looks, coverage } = object(json.stdout);
    expect(checks).toContainEqual({ rule: "REF-4", checked: steps, failed: 0 });
    expect(looks).toBeGreaterThan(30);
    // Two batches, and two programs of each.
    expect(coverage?.programs).toBe(4);
  });

  test("--json prints one object, the same but for the rate each time", async () => {
    const runs = ["--runs", "15", "--json"];
    const [one, two] = [await check(specification, [...few, ...runs]), await check(specification, [...few, ...runs])];
    const first = object(one.stdout);
    expect(first).toMatchObject({
      ok: true,
      runs: 15,
      seed: "7",
      findings: [],
      strategies: ["posix", "eager", "coa", "copa", "multi-as-cow", "vm-clone"],
    });
    expect(first.interrupted).toBeUndefined();
    expect(first.coverage?.programs).toBe(15);
    expect({ ...object(two.stdout), programsPerSecond: 1 }).toEqual({ ...first, programsPerSecond: 1 });
    expect(one.code).toBe(0);
    expect(existsSync(one.folder)).toBe(false);
  });

  test("--time ends it, and a seed that was not given is printed so that the run can be repeated", async () => {
    const one = object(
      (await check(specification, [...few.slice(0, 2), "--time", "150ms", "--steps", "5", "--json"])).stdout,
    );
    expect(one.runs).toBeGreaterThan(0);
    const again = [...few.slice(0, 2), "--seed", one.seed, "--runs", String(one.runs), "--steps", "5", "--json"];
    const two = object((await check(specification, again)).stdout);
    expect({ ...two, programsPerSecond: 1 }).toEqual({ ...one, programsPerSecond: 1 });
  });

  test("either limit ends it", async () => {
    const steps = [...few.slice(0, 2), "--steps", "4", "--json"];
    expect(object((await check(specification, ["--runs", "3", "--time", "1h", ...steps])).stdout).runs).toBe(3);
    expect(
      object((await check(specification, ["--runs", "100000", "--time", "1ms", ...steps])).stdout).runs,
    ).toBeLessThan(99);
  });
});

describe("findings", () => {
  test("are printed with their program, saved before that, and end with status 1", async () => {
    const args = [...few, "--runs", "12", "--strategy", "copa"];
    const { code, stdout, folder } = await check(wrongNumber, args);
    const [, path = ""] = /copa; (\S+)\n/.exec(stdout) ?? [];
    // As it was found, and as small as it became.
    expect(readdirSync(folder)).toHaveLength(2);
    const program = read(readFileSync(path, "utf8"));
    const last = program.steps.length - 1;
    expect(program.steps).toHaveLength(1);
    expect(stdout).toMatch(/^REF-2: P\d thread \d observes something else than with eager copies\n/);
    expect(stdout).toContain(`\n  step      ${last}: li c`);
    expect(stdout).toMatch(/\n {2}expected {2}int 0x[\da-f]+\n {2}actual {4}int 0x[\da-f]+\n/);
    expect(stdout).toContain(`of seed 7, ${String(program.config.format)}, copa; ${path}\n  replay    sf1:`);
    expect(stdout).toMatch(/REF-2: \d+ observations of copa beside eager copies: broken by \d+ programs?\n/);
    expect(stdout).toMatch(/\n1 different finding in spec-lazy\n$/);
    expect(code).toBe(1);
  });

  test("have their program in the JSON, and the path", async () => {
    const { code, stdout, folder } = await check(forgetfulFork, [...few, "--runs", "30", "--json"]);
    const { ok, findings, checks } = object(stdout);
    expect(ok).toBe(false);
    expect(findings.length).toBeGreaterThan(0);
    expect(new Set(findings.flatMap(({ path, raw }) => [path, raw]))).toEqual(
      new Set(readdirSync(folder).map((name) => join(folder, name))),
    );
    for (const { path, program, steps, step } of findings) {
      expect(rightOf(decodeProgram(program))).toEqual(read(readFileSync(path ?? "", "utf8")));
      expect([steps, step]).toEqual([program.steps.length, program.steps.length - 1]);
    }
    expect(checks.find(({ rule }) => rule === "INV-1")?.failed).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  test("a crash is one, and the campaign goes on", async () => {
    const { code, stdout } = await check(crashingFork, [...few, "--runs", "12", "--json"]);
    const { runs, findings } = object(stdout);
    expect(findings.map(({ kind, rule }) => [kind, rule])).toEqual([["crash", "EXEC-1"]]);
    expect(runs).toBe(12);
    expect(code).toBe(1);
  });

  test.each([
    [["--max-findings", "3"], 3],
    [["--fail-fast"], 1],
    [[], 10],
  ])("%j ends with %i findings", async (args, count) => {
    const { findings, runs } = object((await check(everything, [...few, "--runs", "500", "--json", ...args])).stdout);
    expect(findings).toHaveLength(count);
    expect(runs).toBeLessThan(500);
  });

  test("that cannot be saved are printed all the same, with a line that says why", async () => {
    const folder = join(temporary(), "findings");
    const spoiling: Checker = {
      ...everything,
      start: (config) => {
        writeFileSync(folder, "");
        return everything.start(config);
      },
    };
    const { code, stdout, stderr } = await check(spoiling, [...few, "--fail-fast", "--json"], folder);
    const line = `${folder}: the finding cannot be saved here: there is a file in the place of a folder; move it, or choose another`;
    expect(stderr).toBe(`${line}\n`);
    const { findings, errors } = object(stdout);
    expect(findings.map(({ path }) => path)).toEqual([null]);
    expect(errors).toEqual([{ file: folder, message: line }]);
    expect(code).toBe(1);
  });

  test("that could not be saved are not looked for: one line, and status 3", async () => {
    const file = write(temporary(), "file", "");
    const { code, stdout, stderr } = await check(everything, [...few, "--runs", "5"], join(file, "a", "findings"));
    expect(stderr).toBe(
      `${file}/a/findings: findings cannot be saved here: a part of its path is not a folder; choose another\n`,
    );
    expect([stdout, code]).toEqual(["", 3]);
  });
});

describe("saving", () => {
  const finding = { name: "INV-1-abc.sfork", text: "sfork 1\n" };

  test("makes the folder, and does not save the same twice", () => {
    const folder = join(temporary(), "deep", "findings");
    expect(saveFinding(folder, finding)).toBe(join(folder, "INV-1-abc.sfork"));
    expect(saveFinding(folder, finding)).toBe(join(folder, "INV-1-abc.sfork"));
    expect(readdirSync(folder)).toEqual(["INV-1-abc.sfork"]);
  });

  test("never overwrites what is different", () => {
    const folder = temporary();
    write(folder, finding.name, "mine\n");
    expect(saveFinding(folder, finding)).toBe(join(folder, "INV-1-abc-2.sfork"));
    expect(readFileSync(join(folder, finding.name), "utf8")).toBe("mine\n");
    expect(readFileSync(join(folder, "INV-1-abc-2.sfork"), "utf8")).toBe(finding.text);
  });

  test("says in one line why it cannot", () => {
    const folder = temporary();
    mkdirSync(join(folder, finding.name));
    expect(() => saveFinding(folder, finding)).toThrow(`${folder}: the finding cannot be saved here: it is a folder`);
  });
});

describe("Ctrl-C", () => {
  test("ends with the summary so far and status 130", async () => {
    const { status, stdout, stderr } = await sfork(
      ["check", "--impl", "spec-lazy", "--time", "1h", "--seed", "7", "--json"],
      /programs, .*left/,
    );
    const summary = object(stdout);
    expect(summary).toMatchObject({ ok: false, interrupted: true, findings: [] });
    expect(summary.runs).toBeGreaterThan(0);
    expect(stderr).toContain("stopping; once more to stop at once\n");
    expect(status).toBe(130);
  });
});

describe("wrong usage is one line and status 2", () => {
  const known =
    "Name some of posix, eager, coa, copa, multi-as-cow, vm-clone, shared-segments, naive-cow, with commas between them, or all.";
  test.each([
    [
      ["--impl", "slow"],
      "option '--impl <name>' argument 'slow' is invalid. Name one of spec-lazy, fast, linux, or exec:\"COMMAND\", which starts one of your own.",
    ],
    [["--strategy", "cow"], `option '--strategy <names>' argument 'cow' is invalid. ${known}`],
    [["--strategy", "coa,"], `option '--strategy <names>' argument 'coa,' is invalid. ${known}`],
    [["--format", "x86"], "option '--format <names>' argument 'x86' is invalid. Name some of cheri128-v9, "],
    [["--profile", "linux"], "Allowed choices are oblivious, raw-bytes, full, posix, mixed."],
    [["--runs", "0"], "option '--runs <n>' argument '0' is invalid. Give a whole number from 1 to 1000000000."],
    [["--steps", "1e3"], "option '--steps <n>' argument '1e3' is invalid. Give a whole number from 1 to 10000."],
    [["--max-findings", "-1"], "option '--max-findings <n>' argument '-1' is invalid. Give a whole number from 1"],
    [
      ["--time", "60"],
      "option '--time <time>' argument '60' is invalid. Give a time such as 500ms, 60s, 2m or 1h, up to 500h.",
    ],
    [["--time", "501h"], "option '--time <time>' argument '501h' is invalid. Give a time such as 500ms"],
    [["--time", "999999999h"], "option '--time <time>' argument '999999999h' is invalid. Give a time such as 500ms"],
    [["--time", "0s"], "option '--time <time>' argument '0s' is invalid. Give a time such as 500ms"],
    [["--seed", "a b"], "option '--seed <seed>' argument 'a b' is invalid. Give up to 64 letters"],
    [["--fail-fast", "--max-findings", "3"], "option '--fail-fast' cannot be used with option '--max-findings <n>'"],
    [["program.sfork"], "too many arguments. Expected 0 arguments but got 1"],
  ])("%j", async (args, message) => {
    const command = checkCommand(() => undefined, { workers: () => thisThread(), folder: "unused" });
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    const refused: unknown = await command.parseAsync([...args], { from: "user" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CommanderError);
    expect(String(refused)).toContain(message);
    expect(String(refused)).not.toContain("\n");
  });

  test("as it is printed", async () => {
    const { status, stdout, stderr } = await sfork(["check", "--impl", "slow"]);
    expect(stderr).toBe(
      "sfork: option '--impl <name>' argument 'slow' is invalid. Name one of spec-lazy, fast, linux, or exec:\"COMMAND\", which starts one of your own.\n",
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  test("a strategy that the implementation does not have", async () => {
    const { status, stdout, stderr } = await sfork(["check", "--impl", "fast", "--strategy", "copa,posix"]);
    expect(stderr).toBe(
      "sfork: --strategy posix: fast does not have it; name some of eager, coa, copa, multi-as-cow, vm-clone, shared-segments, naive-cow\n",
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

test("--version says of the package, the generator and the protocol which they are", async () => {
  const { status, stdout } = await sfork(["--version"]);
  expect(stdout).toBe(`sfork 0.1.0, generator ${generatorVersion}, protocol 1\n`);
  expect(status).toBe(0);
});

test("--help shows examples", async () => {
  expect((await sfork(["check", "--help"])).stdout).toContain("$ sfork check --seed 1 --runs 1000 --steps 60 --json\n");
});
