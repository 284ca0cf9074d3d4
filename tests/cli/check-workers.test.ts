/** `sfork check` on real threads: the same files and the same JSON from any number of them, and a thread that dies. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { threads, type Workers } from "../../conformance/check/workers.js";
import { removeAtEnd } from "../support/files.js";
import { inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();
const { checkOn } = inProcess(temporary);

const workerOf =
  (name: string) =>
  (count: number): Workers =>
    threads(count, new URL(`../conformance/check/${name}.ts`, import.meta.url));

const args = ["--impl", "spec-lazy", "--strategy", "coa", "--seed", "7", "--steps", "8", "--json"] as const;

const contents = (folder: string): readonly (readonly [string, string])[] =>
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);

test("findings are the same, byte by byte, from one worker, from four, and in two runs", async () => {
  /** Everything but the rate and the folder. */
  const outcome = async (workers: string) => {
    const more = ["--runs", "1000", "--max-findings", "4", "--workers", workers];
    const { code, stdout, folder } = await checkOn(workerOf("broken-worker"), [...args, ...more]);
    const text = JSON.stringify({ ...object(stdout), programsPerSecond: 0 });
    return { code, text: text.replaceAll(folder, "findings"), files: contents(folder) };
  };
  const one = await outcome("1");
  expect(one.code).toBe(1);
  expect(one.files).toHaveLength(8);
  expect(await outcome("4")).toEqual(one);
  expect(await outcome("4")).toEqual(one);
});

test("a thread that dies is a finding of its program, and replaced", async () => {
  const { code, stdout, folder } = await checkOn(workerOf("deadly-worker"), [
    ...[...args, "--runs", "20", "--workers", "1"],
  ]);
  const { runs, findings } = object(stdout);
  expect([runs, code]).toEqual([20, 1]);
  expect(findings).toMatchObject([
    { kind: "worker", rule: "EXEC-1", index: 5, programs: 1, actual: "Error: worker exited with code: 7" },
  ]);
  // It would end whoever makes it smaller, too.
  const [{ path, raw } = { path: "", raw: "" }] = findings;
  expect(path).toBe(raw);
  expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([raw]);
});
