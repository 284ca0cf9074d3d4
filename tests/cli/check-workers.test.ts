/** `sfork check` on real threads: the same files and the same JSON from any number of them, and threads that die. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { threads, type Workers } from "../../conformance/check/workers.js";
import { removeAtEnd } from "../support/files.js";
import { inProcess, object } from "./check-support.js";

const temporary = removeAtEnd();
const { checkOn } = inProcess(temporary);

const workerOf =
  (name: string) =>
  (count: number): Workers =>
    threads(count, new URL(`../conformance/check/${name}.ts`, import.meta.url));

const args = ["--impl", "spec-lazy", "--strategy", "coa", "--seed", "7", "--steps", "12", "--json"] as const;

const contents = (folder: string): readonly (readonly [string, string])[] =>
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);

describe("findings", () => {
  /** Everything but the rate and the folder. */
  const outcome = async (workers: string, more: readonly string[]) => {
    const all = [...args, ...more, "--workers", workers];
    const { code, stdout, folder } = await checkOn(workerOf("broken-worker"), all);
    const text = JSON.stringify({ ...object(stdout), programsPerSecond: 0 });
    return { code, text: text.replaceAll(folder, "findings"), files: contents(folder) };
  };

  test.each([[["--runs", "70", "--max-findings", "100"]], [["--runs", "1000", "--max-findings", "3"]]])(
    "%j: the same, byte by byte, from one worker, from four, and in two runs",
    async (more) => {
      const one = await outcome("1", more);
      expect(one.code).toBe(1);
      expect(one.files.length).toBeGreaterThan(3);
      expect(await outcome("4", more)).toEqual(one);
      expect(await outcome("4", more)).toEqual(one);
    },
  );
});

describe("a thread that dies", () => {
  test("is a finding of its program and replaced; a finding that ends it stays as it was found", async () => {
    const all = [...args, "--runs", "48", "--workers", "2", "--max-findings", "100"];
    const { code, stdout, folder } = await checkOn(workerOf("deadly-worker"), all);
    const { runs, findings } = object(stdout);
    expect([runs, code]).toEqual([48, 1]);
    expect(findings.filter(({ kind }) => kind === "worker")).toMatchObject([
      { rule: "EXEC-1", index: 5, programs: 2, actual: "Error: worker exited with code: 7" },
    ]);
    expect(findings.some(({ rule }) => rule === "INV-1")).toBe(true);
    for (const { path, raw } of findings) expect([path, path?.endsWith(".raw.sfork")]).toEqual([raw, true]);
    expect(readdirSync(folder)).toHaveLength(findings.length);
  });
});
