/** `sfork compare` as a user types it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compareCommand } from "../../cli/compare.js";
import { readProgram } from "../../conformance/program/given.js";
import { workloads } from "../../conformance/workloads/index.js";
import { smallCore } from "../conformance/image/cores.js";
import { removeAtEnd, write } from "../support/files.js";
import { running } from "./support.js";

const temporary = removeAtEnd();
const compare = running(compareCommand);

describe("what it prints", () => {
  test("tables of a workload, and what was published for it", async () => {
    const args = ["redis-snapshot", "--size", "128KB", "--seed", "1", "--strategy", "coa,copa"];
    const { code, stdout, stderr } = await compare(...args);
    expect(stdout).toMatch(/^redis-snapshot: .*\n0\.13 MB, seed 1, [\d,]+ steps, /);
    expect(stdout).toMatch(/\ncopa +1 +0 +0 +\d+ +[\d.]+ µs\n/);
    expect(stdout).toMatch(/\ncoa +283 µs +101 MB +1\.01 +[\d.]+ µs /);
    expect(stdout).toMatch(/\nchild memory, CoA to CoPA +16\.8 +[\d.]+\n/);
    expect(stdout).toMatch(/\ncosts: the defaults, many of them assumptions\n$/);
    expect(stdout).not.toContain("eager");
    expect([code, stderr]).toEqual([undefined, ""]);
  });

  test("an image, costs of one's own, and both reports", async () => {
    const folder = temporary();
    const [core, costs] = [write(folder, "small.core", smallCore()), write(folder, "costs.json", '{ "trap": 7 }')];
    const [html, json] = [join(folder, "a.html"), join(folder, "a.json")];
    const args = ["--image", core, "--costs", costs, "--report", `html=${html},json=${json}`, "--json"];
    const { code, stdout } = await compare(...args);
    expect(code).toBeUndefined();
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, workload: core, costs: { trap: 7, clock: 2500 } });
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ ok: true, size: 6 * 4096 });
    expect(readFileSync(html, "utf8")).toContain("</svg>");
  });

  test.each(workloads.map(({ name }) => [name] as const))("%s as a program that is read again", async (name) => {
    const { code, stdout } = await compare(name, "--size", "64KB", "--seed", "1", "--strategy", "copa", "--program");
    expect(code).toBeUndefined();
    const { config, steps } = readProgram(stdout);
    const plan = workloads
      .find((one) => one.name === name)
      ?.plan({ size: 1 << 16, seed: "1", value: 2048, updates: 1 });
    expect(config).toMatchObject({ ...plan?.config, strategy: "copa" });
    expect(steps).toEqual([...(plan?.steps() ?? [])]);
  });
});

const program = ["redis-snapshot", "--size", "16MB", "--program"];

test.each<readonly [string, () => readonly string[], string | RegExp]>([
  ["no workload", () => [], /^sfork: name a workload \(redis-snapshot, .*\), or --image CORE\n$/],
  ["another name", () => ["redis"], /^sfork: "redis" is no workload; there are redis-snapshot, .*\n$/],
  ["both", () => ["redis-snapshot", "--image", "x"], "sfork: name a workload or --image, not both\n"],
  ["values of another workload", () => ["faas-zygote", "--value", "9"], /^sfork: --value and --updates are for redis/],
  [
    "a size of an image",
    () => ["--image", "x", "--size", "1MB"],
    /^sfork: --size, --seed, .* an image has its own size/,
  ],
  ["an image as a program", () => ["--image", "x", "--program"], /^sfork: --program prints workloads; /],
  [
    "maps without an image",
    () => ["faas-zygote", "--maps", "x"],
    "sfork: --maps is of an image; name that with --image\n",
  ],
  ["an image that is not there", () => ["--image", "none.core"], "none.core: no such file; check the path\n"],
  ["an image that is none", () => ["--image", "package.json"], /^package\.json: is not an ELF file; /],
  ["costs that are not there", () => ["faas-zygote", "--costs", "none"], "none: no such file; check the path\n"],
  [
    "costs of another name",
    () => ["faas-zygote", "--costs", "package.json"],
    /^package\.json: "name" is no cost; .*\n$/,
  ],
  ["a program that is too long", () => program, /^sfork: a program of more than 20,000 steps is too long .*\n$/],
  ["a report in no folder", () => ["faas-zygote", "--report", "html=none/a"], /^none\/a: the html report cannot be /],
])("%s is one line, and status 2", async (_, args, line) => {
  const { code, stdout, stderr } = await compare(...args());
  expect(stderr).toMatch(line);
  expect(stderr.trim()).not.toContain("\n");
  expect([code, stdout]).toEqual([2, ""]);
  expect(existsSync("none")).toBe(false);
});
