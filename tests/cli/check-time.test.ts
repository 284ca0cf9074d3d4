/** `--time`: earlier findings, programs, and making findings smaller end with it; and a reader that went away before. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { judgeBatch, minimise } from "../../conformance/check/batch.js";
import { thisThread, type Workers } from "../../conformance/check/workers.js";
import { removeAtEnd, write } from "../support/files.js";
import { everything, inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();
const { checkOn } = inProcess(temporary);

const args = ["--impl", "spec-lazy", "--seed", "7", "--steps", "4", "--json"] as const;

/** Batches take until the deadline, if there is one: only those that are waited for all the same have an answer. */
const slow: Workers = {
  ...thisThread(),
  judge: async (batch, deadline) => {
    if (deadline === Infinity) return judgeBatch(batch);
    await new Promise((resolve) => setTimeout(resolve, deadline - Date.now()));
    return undefined;
  },
};

test("ends batches that are under way; there is a program all the same", async () => {
  const started = Date.now();
  const { code, stdout } = await checkOn(() => slow, [...args, "--time", "200ms"]);
  expect(object(stdout)).toMatchObject({ ok: true, runs: 1 });
  expect(code).toBe(0);
  expect(Date.now() - started).toBeLessThan(5000);
});

test("counts for earlier findings, too, and it is said how many were left", async () => {
  const folder = join(temporary(), "findings");
  mkdirSync(folder);
  for (const name of ["a", "b", "c"]) write(folder, `${name}.sfork`, "sfork 1\n0: yield\n");
  const { code, stdout, stderr } = await checkOn(() => slow, [...args, "--time", "200ms"], folder);
  expect(object(stdout)).toMatchObject({ runs: 1, regressions: [{ held: true }] });
  expect(stderr).toContain("2 earlier findings not run again: give more --time\n");
  expect(code).toBe(0);
});

test("leaves a finding five seconds to become smaller, and what it is then is kept", async () => {
  const left: number[] = [];
  const workers: Workers = {
    ...thisThread(everything),
    minimise: (task) => {
      left.push((task.until ?? Infinity) - Date.now());
      return Promise.resolve(minimise({ ...task, until: 0 }, everything));
    },
  };
  const { code, stdout } = await checkOn(() => workers, [...args, "--fail-fast", "--time", "60s"]);
  const [finding] = object(stdout).findings;
  expect(left).toHaveLength(1);
  expect(left[0]).toBeGreaterThan(50_000);
  expect(left[0]).toBeLessThan(65_001);
  expect(finding).toMatchObject({ kind: "invariant", minimal: false });
  expect(finding?.path).not.toBe(finding?.raw);
  expect(code).toBe(1);

  const text = await checkOn(() => workers, [...args.slice(0, -1), "--fail-fast", "--runs", "9"]);
  expect(left[1]).toBe(Infinity);
  expect(text.stdout).toMatch(/\.sfork, not as small as it may become \(sfork shrink\)\n/);
});

test("a reader that goes away early changes neither the verdict nor the report", async () => {
  const cwd = temporary();
  mkdirSync(join(cwd, ".sfork/findings"), { recursive: true });
  // Each is a line of output, and most come when nobody reads any longer.
  for (let nth = 0; nth < 60; nth += 1) write(join(cwd, ".sfork/findings"), `${nth}.sfork`, "sfork 1\n0: yield\n");
  const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  const tsx = import.meta.resolve("tsx");
  const command = ["--import", tsx, main, "check", "--runs", "40", "--seed", "1", "--report", "json=report.json"];
  const child = spawn(process.execPath, command, { cwd, stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.once("data", () => {
    child.stdout.destroy();
  });
  const status = await new Promise((resolve) => child.on("exit", resolve));
  expect(object(readFileSync(join(cwd, "report.json"), "utf8"))).toMatchObject({ ok: true, runs: 40 });
  expect(status).toBe(0);
});
