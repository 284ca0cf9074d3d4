/** The examples for people who bring their own implementation: they conform, and their mistakes are found. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCommand } from "../../cli/check.js";
import { operationNames } from "../../conformance/program/operation-codec.js";
import { running } from "../cli/support.js";
import { withoutCompiler } from "../support/compiler.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const example = path.join(root, "examples/c-sasos");
const sdk = path.join(root, "sdk/c");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "sfork-examples-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const sources = readdirSync(example)
  .filter((name) => name.endsWith(".c"))
  .map((name) => path.join(example, name));

const compile = (...args: readonly string[]): void => {
  const { status, stderr } = spawnSync("cc", ["-std=c11", "-Wall", "-Wextra", "-Werror", `-I${sdk}`, ...args], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
};

const check = (command: string, ...args: readonly string[]) =>
  running((done) => checkCommand(done, { folder: path.join(folder, "findings") }))(
    ...["--impl", `exec:${command}`, "--workers", "1", "--fail-fast", "--json", ...args],
  );

interface Checked {
  readonly ok: boolean;
  readonly looks: number;
  readonly findings: readonly { readonly steps: number }[];
}

describe.skipIf(withoutCompiler)(`in C${withoutCompiler === undefined ? "" : ` (${withoutCompiler})`}`, () => {
  test("the SASOS conforms, in all its strategies and formats", async () => {
    const program = path.join(folder, "c-sasos");
    compile("-O1", "-o", program, ...sources);
    const { code, stdout } = await check(program, "--seed", "conforms", "--runs", "400");
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Checked).looks).toBeGreaterThan(50);
  });

  test.for(["R1", "B5", "L4"])("its mistake %s is found", async (name) => {
    const program = path.join(folder, name);
    compile("-O1", "-Wno-unused", `-DDEFECT_${name}`, "-o", program, ...sources);
    const { code, stdout } = await check(program, "--runs", "5000");
    expect(code).toBe(1);
    const [finding] = (JSON.parse(stdout) as Checked).findings;
    expect(finding?.steps).toBeLessThanOrEqual(12);
  });

  test("the adapter stands alone: nothing of a C library is asked for", () => {
    const file = path.join(folder, "alone.o");
    compile(
      "-ffreestanding",
      "-nostdinc",
      ...includes(),
      "-DSFORK_IMPLEMENTATION",
      "-x",
      "c",
      "-c",
      "-o",
      file,
      path.join(sdk, "sfork.h"),
    );
    const { stdout } = spawnSync("nm", ["-u", file], { encoding: "utf8" });
    const asked = stdout.split("\n").flatMap((line) => line.trim().split(/\s+/).at(-1) ?? []);
    // What any compiler may ask for.
    expect(asked.filter((name) => name !== "" && !/^_?mem(cpy|set|move|cmp)$/.test(name))).toStrictEqual([]);
  });
});

/** Where the compiler has the headers that are there without a library. */
const includes = (): readonly string[] => {
  const { stdout } = spawnSync("cc", ["-print-file-name=include"], { encoding: "utf8" });
  return ["-isystem", stdout.trim()];
};

test("the adapter knows every operation", () => {
  const text = readFileSync(path.join(sdk, "sfork.h"), "utf8");
  const missing = operationNames.filter((name) => !text.includes(`"${name}"`));
  expect(missing).toStrictEqual([]);
});

const python = spawnSync("python3", ["--version"]).status === 0 || process.env["CI"] === "true";

test.skipIf(!python)("in Python, without the adapter: processes conform (there must be a python3)", async () => {
  const { code } = await check(
    `python3 ${path.join(root, "examples/python/processes.py")}`,
    "--seed",
    "python",
    "--runs",
    "300",
  );
  expect(code).toBe(0);
});
