/** `sfork exhaust`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exhaustCommand } from "../../cli/exhaust.js";
import { replayCommand } from "../../cli/replay.js";
import type { Finding } from "../../conformance/check/finding.js";
import { alphabets } from "../../conformance/exhaust/alphabets/index.js";
import { threads } from "../../conformance/exhaust/pool.js";
import { saveFound } from "../../conformance/exhaust/saved.js";
import { spaceOf } from "../../conformance/exhaust/space.js";
import { formatNames } from "../../conformance/program/config-codec.js";
import { printOperation } from "../../conformance/program/print.js";
import { fastStrategies } from "../../impl/fast/index.js";
import { sfork } from "../support/cli.js";
import { removeAtEnd } from "../support/files.js";
import { running } from "./support.js";

const newFolder = removeAtEnd();

const runIn = (folder: string) =>
  running((done) =>
    exhaustCommand(done, { expanders: threads, searches: join(folder, "exhaust"), findings: join(folder, "findings") }),
  );

describe("what it says", () => {
  test("of a search that finds nothing, and of one that has been made", async () => {
    const run = runIn(newFolder());
    const first = await run("--depth", "2", "--workers", "1");
    expect(first.code).toBeUndefined();
    expect(first.stdout).toMatch(/^memory: \d+ operations for each thread; cheri128-v9, copa, up to 2 processes\n/);
    expect(first.stdout).toMatch(/\n {2}every program of up to 2 steps: [\d,]+ programs\n/);
    expect(first.stdout).toMatch(/\nno findings in fast, [\d,]+ distinct transitions judged\n$/);
    const again = JSON.parse((await run("--depth", "2", "--workers", "1", "--json")).stdout) as {
      readonly ok: boolean;
      readonly searches: readonly { readonly judged: number; readonly resumed: number; readonly depth: number }[];
    };
    expect(again.ok).toBe(true);
    expect(again.searches).toMatchObject([{ judged: 0, depth: 2 }]);
    expect(again.searches[0]?.resumed).toBeGreaterThan(1000);
  });

  test("of a defect: the program and status 1, and the same again from the file", async () => {
    const folder = newFolder();
    const run = runIn(folder);
    const { code, stdout } = await run("--depth", "2", "--workers", "1", "--defect", "b21");
    expect(code).toBe(1);
    expect(stdout).toContain("0: storecap c1, 0x0(c1)\n    0: store.b 0x1, 0x0(c1)\n");
    expect(stdout).toMatch(/\n1 different finding in defect B21, /);
    const again = await run("--depth", "2", "--workers", "1", "--defect", "B21");
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/ 0 transitions in [^]*\n1 different finding in defect B21, /);
    // It is nobody's finding.
    expect(readdirSync(folder)).toEqual(["exhaust"]);
  });

  test("--list has the operations", async () => {
    const { stdout } = await runIn(newFolder())("--list", "--alphabet", "all");
    for (const { name, what } of alphabets) expect(stdout).toContain(`${name}: ${what}\n`);
    expect(stdout).toContain("  loadcap c8, 0x1f0(c1)\n");
  });
});

describe("alphabets", () => {
  test("each has a fork, an exit and a wait, no operation twice, and a legal machine for all formats and strategies", () => {
    for (const { name } of alphabets) {
      for (const format of formatNames) {
        for (const strategy of fastStrategies) {
          const { operations } = spaceOf({ alphabet: name, format, strategy, processes: 3 });
          expect(operations.map(({ op }) => op)).toEqual(expect.arrayContaining(["fork", "exit", "wait"]));
          const texts = operations.map(printOperation);
          expect(new Set(texts).size, `${name} ${format}`).toBe(texts.length);
        }
      }
    }
  });

  test("the one that is taken without --alphabet has at least forty", () => {
    const { operations } = spaceOf({ alphabet: "memory", format: "cheri128-v9", strategy: "copa", processes: 2 });
    expect(operations.length).toBeGreaterThanOrEqual(40);
  });
});

test("wrong usage is one line and status 2", async () => {
  const { status, stderr } = await sfork(["exhaust", "--alphabet", "greek"]);
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^sfork: option '--alphabet <names>' argument 'greek' is invalid\. Name some of memory, [^\n]+\n$/,
  );
});

test("a finding is saved as a program that replay understands", async () => {
  const folder = newFolder();
  const space = { alphabet: "memory", format: "cheri128-v9", strategy: "copa", processes: 2 } as const;
  const { config, operations } = spaceOf(space);
  const steps = operations.slice(0, 1).map((operation) => ({ actor: 0, operation }));
  const finding: Finding = {
    ...{ rule: "REF-4", where: "P1 c1", what: "is not as in the specification", step: 0, key: "k" },
    ...{ kind: "view", expected: "one", actual: "another", also: [], program: { version: 1, config, steps } },
  };
  const path = saveFound(folder, space, finding);
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(/^sfork 1\n# REF-4: is not as in the specification \(view; P1 c1; step 0\)\n/);
  expect(text).toContain("# sfork exhaust, alphabet memory\n# replay: npx sfork replay --impl fast FILE\n");
  const { code } = await running((done) => replayCommand(done))("--impl", "fast", path);
  expect(code).toBe(0);
});
