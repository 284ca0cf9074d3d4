/** `sfork check` on real threads: the same files and the same JSON from any number of them, and a thread that dies. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test, vi } from "vitest";
import { replayCommand } from "../../cli/replay.js";
import { shrinkCommand } from "../../cli/shrink.js";
import { threads, type Workers } from "../../conformance/check/workers.js";
import { removeAtEnd, write } from "../support/files.js";
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
});

describe("a step that does not end, or ends its thread", () => {
  const last = { hang: "0: li c9, 0x1e16", worker: "0: li c9, 0x1e15" } as const;
  const actual = { hang: "no answer", worker: "Error: worker exited with code: 7" } as const;
  const config = "config strategy=eager page=256 pages=4 slots=1 processes=1 frames=4";
  const textOf = (kind: "hang" | "worker"): string =>
    ["sfork 1", config, "0: yield", "0: li c8, 0x1", last[kind], "0: yield", ""].join("\n");

  test.each(["hang", "worker"] as const)("is a finding like any other; the campaign goes on: %s", async (kind) => {
    const corpus = temporary();
    const file = write(corpus, "a.sfork", textOf(kind));
    const more = ["--corpus", corpus, "--runs", "20", "--workers", "2"];
    const { code, stdout } = await checkOn(workerOf("deadly-worker"), [...args, ...more]);
    const { runs, findings } = object(stdout);
    expect([runs, code]).toEqual([21, 1]);
    expect(findings).toMatchObject([
      { kind, rule: "EXEC-1", actual: actual[kind], file, steps: 1, step: 0, minimal: true },
    ]);
    const [{ path, raw } = { path: "", raw: "" }] = findings;
    const stepsOf = (saved: string | null): readonly string[] =>
      readFileSync(saved ?? "", "utf8")
        .split("\n")
        .filter((line) => line.startsWith("0: "));
    expect(stepsOf(raw)).toEqual(["0: yield", "0: li c8, 0x1", last[kind]]);
    expect(stepsOf(path)).toEqual([last[kind]]);
  });

  test.each(["hang", "worker"] as const)("is shown again by replay, and made smaller by shrink: %s", async (kind) => {
    const file = write(temporary(), "a.sfork", textOf(kind));
    let text = "";
    vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    for (const commandOf of [replayCommand, shrinkCommand]) {
      text = "";
      let code: number | undefined;
      const done = (result: number): void => {
        code = result;
      };
      await commandOf(done, workerOf("deadly-worker")).parseAsync(["--impl", "spec-lazy", file], { from: "user" });
      expect(code).toBe(1);
      expect(text).toContain(kind === "hang" ? "does not end" : `ends its thread: ${actual[kind]}`);
      expect(text).toMatch(new RegExp(`\n *config [^\n]+\n *${last[kind]}\n`));
    }
  });
});
