/** `sfork check` on a part of a campaign, on programs of a folder first, and with reports as files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generate } from "../../conformance/generate/generate.js";
import { specification, type Checker } from "../../conformance/check/judge.js";
import { programCodec } from "../../conformance/program/json.js";
import { printTextProgram } from "../../conformance/program/print.js";
import { settings, wrongNumber } from "../conformance/check/support.js";
import { removeAtEnd, write } from "../support/files.js";
import { everything, inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();
const { check } = inProcess(temporary);

const args = ["--impl", "spec-lazy", "--seed", "7", "--steps", "6", "--json"] as const;

/** The programs that a run judged, by what they come to. */
const judged = async (more: readonly string[]) => object((await check(specification, [...args, ...more])).stdout);

/** One after the other: each has standard output for itself. */
const inTurn = async <T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  for (const one of list) results.push(await work(one));
  return results;
};

describe("--shard", () => {
  test("has every n-th program, and all together what the whole has", async () => {
    const whole = await judged(["--runs", "20"]);
    const parts = await inTurn([1, 2, 3], (part) => judged(["--runs", "20", "--shard", `${part}/3`]));
    expect(parts.map(({ runs, shard }) => [runs, shard])).toEqual([
      [7, "1/3"],
      [7, "2/3"],
      [6, "3/3"],
    ]);
    const sum = (of: (one: typeof whole) => number): number => parts.map(of).reduce((a, b) => a + b, 0);
    expect(sum(({ steps }) => steps)).toBe(whole.steps);
    expect(sum(({ masked }) => masked)).toBe(whole.masked);
    for (const [at, { rule, checked }] of whole.checks.entries()) {
      expect([rule, sum(({ checks }) => checks[at]?.checked ?? NaN)]).toEqual([rule, checked]);
    }
  });

  test("leaves findings their number within the whole, and their token", async () => {
    const more = ["--runs", "60", "--max-findings", "1000"];
    const findingsOf = async (shard: readonly string[]) =>
      object((await check(everything, [...args, ...more, ...shard])).stdout).findings;
    const whole = await findingsOf([]);
    const parts = await findingsOf(["--shard", "2/3"]);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.filter(({ index }) => (index ?? 0) % 3 !== 1)).toEqual([]);
    const same = parts.filter(({ index }) => whole.some((one) => one.index === index));
    expect(same.length).toBeGreaterThan(0);
    for (const { index, replay } of same) expect(whole.find((one) => one.index === index)?.replay).toBe(replay);
  });

  test("that has no program of a short run holds", async () => {
    const none = ["--runs", "2", "--shard", "3/3"];
    expect(await judged(none)).toMatchObject({ ok: true, runs: 0, steps: 0 });
    const { stdout } = await check(specification, [...args.slice(0, -1), ...none]);
    expect(stdout).toContain("\n  invariants: 0 transitions, everything looked at after 0\n");
    expect(stdout).toContain("\n  all 14 invariants: nothing was checked\n");
    expect(stdout).toMatch(/\nno findings in spec-lazy: no program was checked\n$/);
    expect(stdout).not.toContain("held");
  });

  test("is said in the summary", async () => {
    const { stdout } = await check(specification, [...args.slice(0, -1), "--runs", "2", "--shard", "2/4"]);
    expect(stdout.split("\n")[0]).toBe("seed 7, implementation spec-lazy, profile mixed, up to 6 steps, shard 2 of 4");
  });
});

/** Programs that hold, in both forms, and one that `wrongNumber` breaks; written in no order. */
const corpus = (): string => {
  const folder = temporary();
  const { config, steps } = generate("corpus", 0, settings({ strategies: ["coa"], steps: 5 }));
  const one = { version: 1, config, steps } as const;
  write(folder, "c.sfork", printTextProgram({ ...one, steps: [] }));
  write(folder, "b.sfork", "sfork 1\nconfig strategy=copa\n0: li c9, 5\n");
  write(folder, "a.json", JSON.stringify(programCodec.encode({ ...one, steps: steps.slice(0, 2) })));
  write(folder, "notes.txt", "no program");
  return folder;
};

describe("--corpus", () => {
  test("has its programs judged first, in the order of names, and counted", async () => {
    const seen: number[] = [];
    const watching: Checker = {
      ...specification,
      start: (config) => {
        seen.push(config.frames);
        return specification.start(config);
      },
    };
    const folder = temporary();
    for (const frames of [97, 93, 95]) {
      write(folder, `f${frames}.sfork`, `sfork 1\nconfig frames=${frames}\n0: li c9, 5\n`);
    }
    const { stdout } = await check(watching, [...args, "--runs", "3", "--corpus", folder]);
    expect(seen.slice(0, 3)).toEqual([93, 95, 97]);
    expect(object(stdout)).toMatchObject({ ok: true, runs: 6 });
  });

  test("reports findings by the name of the file", async () => {
    const folder = corpus();
    const { code, stdout, folder: findings } = await check(wrongNumber, [...args, "--runs", "1", "--corpus", folder]);
    const [finding] = object(stdout).findings;
    expect(finding).toMatchObject({ rule: "REF-2", file: join(folder, "b.sfork"), index: null });
    expect(finding?.replay).toBe(finding?.path);
    expect(readFileSync(finding?.path ?? "", "utf8")).toContain(`\n# from the file ${JSON.stringify(finding?.file)}\n`);
    expect(readdirSync(findings)).toHaveLength(2);
    expect(code).toBe(1);
    const text = await check(wrongNumber, [...args.slice(0, -1), "--runs", "1", "--corpus", folder]);
    expect(text.stdout).toContain(`program   of ${join(folder, "b.sfork")}, cheri128-v9, copa; `);
    expect(text.stdout).toMatch(/\n {2}replay {4}--impl spec-lazy \S+\.sfork\n/);
  });

  test("is divided among the parts", async () => {
    const folder = corpus();
    const parts = await inTurn([1, 2], (part) => judged(["--runs", "2", "--corpus", folder, "--shard", `${part}/2`]));
    expect(parts.map(({ runs }) => runs)).toEqual([3, 2]);
  });

  const refused: readonly (readonly [string, (folder: string) => string, RegExp])[] = [
    ["a line that cannot be read", (folder) => write(folder, "bad.sfork", "sfork 1\n0: jump\n"), /bad\.sfork:2:\d+: /],
    ["bad JSON", (folder) => write(folder, "bad.json", "{"), /bad\.json:\d+:\d+: /],
    ["an illegal configuration", (folder) => write(folder, "bad.sfork", "sfork 1\nconfig page=3\n"), /bad\.sfork:2: /],
    [
      "a folder in the place of a file",
      (folder) => mkdirSync(join(folder, "bad.sfork"), { recursive: true }) ?? "",
      /bad\.sfork: is a directory/,
    ],
  ];

  test.each(refused)("with %s is refused before anything runs", async (_, spoil, message) => {
    const folder = corpus();
    spoil(folder);
    const { code, stdout, stderr } = await check(everything, [...args, "--runs", "1", "--corpus", folder]);
    expect(stderr).toMatch(new RegExp(`^[^\\n]*${message.source}[^\\n]+\\n$`));
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("with a strategy that the implementation does not have is refused with its line", async () => {
    const folder = temporary();
    const file = write(folder, "a.sfork", "sfork 1\nconfig strategy=posix\n");
    const { code, stderr } = await check(specification, ["--impl", "fast", "--runs", "1", "--corpus", folder]);
    expect(stderr).toBe(
      `${file}:2: fast does not have the strategy posix; name one of eager, coa, copa, multi-as-cow, vm-clone, shared-segments, naive-cow\n`,
    );
    expect(code).toBe(2);
  });

  test.each([
    ["nothing there", () => join(temporary(), "none"), "no such file; check the path"],
    ["no programs", () => temporary(), "holds no program files (.sfork, .json); name another"],
    ["a file", () => write(temporary(), "a.sfork", "sfork 1\n"), "is not a folder; name the one it is in"],
  ])("that is %s is refused", async (_, make, message) => {
    const path = make();
    const { code, stdout, stderr } = await check(specification, [...args, "--runs", "1", "--corpus", path]);
    expect([code, stdout, stderr]).toEqual([2, "", `${path}: ${message}\n`]);
  });
});

describe("--report", () => {
  const run = (checker: Checker, report: string) => check(checker, [...args, "--runs", "8", "--report", report]);

  test("writes the JSON that is printed, and JUnit's XML", async () => {
    const folder = temporary();
    const [json, xml] = [join(folder, "a,b.json"), join(folder, "a.xml")];
    const { code, stdout } = await run(everything, `json=${json},junit=${xml}`);
    expect(readFileSync(json, "utf8")).toBe(stdout);
    expect(readFileSync(xml, "utf8")).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites [\s\S]+>\n$/);
    expect(readdirSync(folder).toSorted()).toEqual(["a,b.json", "a.xml"]);
    expect(code).toBe(1);
  });

  test("replaces what is there, and writes where a link leads", async () => {
    const folder = temporary();
    const file = write(folder, "old.json", "old");
    const link = join(folder, "link.json");
    symlinkSync(file, link);
    const { stdout } = await run(specification, `json=${link}`);
    expect(readFileSync(file, "utf8")).toBe(stdout);
    expect(readdirSync(folder).toSorted()).toEqual(["link.json", "old.json"]);
  });

  test.each([
    ["a folder that is not there", (folder: string) => join(folder, "none", "a.xml"), "its folder does not exist"],
    ["a folder", (folder: string) => folder, "it is a folder; name a file in it"],
    ["below a file", (folder: string) => join(write(folder, "f", ""), "a.xml"), "a part of its path is not a folder"],
  ])("that cannot be written, %s, is refused before anything runs", async (_, path, message) => {
    const folder = temporary();
    const { code, stdout, stderr, folder: findings } = await run(everything, `junit=${path(folder)}`);
    expect(stderr).toMatch(/^[^\n]+: the junit report cannot be written here: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect([code, stdout, existsSync(findings)]).toEqual([2, "", false]);
  });

  test("leaves what is there alone until the end", async () => {
    const file = write(temporary(), "old.json", "old");
    const looking: Checker = {
      ...specification,
      start: (config) => {
        expect(readFileSync(file, "utf8")).toBe("old");
        return specification.start(config);
      },
    };
    expect(object((await run(looking, `json=${file}`)).stdout).ok).toBe(true);
    expect(readFileSync(file, "utf8")).not.toBe("old");
  });
});
