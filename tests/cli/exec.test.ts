/** Implementations in other processes, as a user checks them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCommand } from "../../cli/check.js";
import { generateCommand } from "../../cli/generate.js";
import { judgeCommand } from "../../cli/judge.js";
import { replayCommand } from "../../cli/replay.js";
import { shrinkCommand } from "../../cli/shrink.js";
import { answerLine, oracleHello } from "../../conformance/protocol/oracle.js";
import { running } from "./support.js";

const fixture = fileURLToPath(new URL("../support/implementation.mjs", import.meta.url));
const exec = (mode: string): string => `exec:"${process.execPath}" "${fixture}" ${mode}`;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "sfork-exec-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const check = (place: string, ...args: readonly string[]) =>
  running((done) => checkCommand(done, { folder: path.join(folder, place) }))("--seed", "1", "--workers", "1", ...args);

describe("check --impl exec:", () => {
  test("what conforms holds, and the summary says what was looked at", async () => {
    const { code, stdout } = await check("right", "--impl", exec("right"), "--runs", "60", "--steps", "10");
    expect(code).toBe(0);
    expect(stdout).toContain("strategies eager; formats cheri128-v9");
    expect(stdout).toContain("it shows no views: observations alone decide");
    expect(stdout).toContain("no findings in exec:");
  });

  test.for([
    ["wrong", "observation", /^none$/],
    ["crash", "crash", /^it was ended by SIGKILL$/],
    ["garbage", "protocol", /^it answers with what is no JSON object$/],
    ["short", "protocol", /^0 observations for \d+ steps?$/],
  ] as const)(
    "what goes wrong (%s) is a finding of its kind, made smaller, and comes back by its token and its file",
    async ([mode, kind, actual]) => {
      const args = ["--impl", exec(mode), "--runs", "20", "--steps", "10", "--fail-fast", "--json"];
      const { code, stdout } = await check(mode, ...args);
      expect(code).toBe(1);
      const { findings } = JSON.parse(stdout) as {
        readonly findings: readonly {
          readonly kind: string;
          readonly steps: number;
          readonly actual: string;
          readonly replay: string;
          readonly path: string;
        }[];
      };
      const [finding] = findings;
      expect(finding).toMatchObject({ kind, steps: 1 });
      expect(finding?.actual).toMatch(actual);

      // From here on all kinds go the same way.
      if (mode !== "crash") return;
      const replay = running((done) => replayCommand(done));
      for (const target of [finding?.replay ?? "", finding?.path ?? ""]) {
        const again = await replay(target, "--impl", exec(mode));
        expect(again.code).toBe(1);
        expect(again.stdout).toContain(finding?.actual);
      }
      // It is made right: the finding is gone.
      const right = await replay(finding?.path ?? "", "--impl", exec("right"));
      expect(right).toMatchObject({ code: 0 });
      const unnamed = await replay(finding?.replay ?? "");
      expect(unnamed.code).toBe(2);
      expect(unnamed.stderr).toContain("name what starts it");
      const shrunk = await running((done) => shrinkCommand(done))(finding?.path ?? "", "--impl", exec(mode));
      expect(shrunk.code).toBe(1);
    },
  );

  test.for([
    ["nothing", "it ended with status 7"],
    [
      "version",
      "it answers to hello with something else: protocol: 2 is not a version of the protocol that is known here; it is 1",
    ],
    ["few", "it declares what cannot be: no operations; name some"],
  ] as const)("what cannot be checked (%s) ends with status 3 and a line", async ([mode, why]) => {
    const { code, stdout, stderr } = await check(mode, "--impl", exec(mode), "--runs", "1");
    expect(code).toBe(3);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain(`${why}; docs/protocol.md says what is asked of it`);
  });

  test("a strategy or a format that it does not declare is refused", async () => {
    const { code, stderr } = await check("right", "--impl", exec("right"), "--strategy", "copa");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^sfork: --strategy copa: exec:.* does not have it; name some of eager\n$/);
    const other = await check("right", "--impl", exec("right"), "--format", "morello");
    expect(other.stderr).toMatch(/does not have it; name some of cheri128-v9\n$/);
  });
});

describe("what cannot be driven live", () => {
  const file = (name: string, text: string): string => {
    const place = path.join(folder, name);
    writeFileSync(place, text);
    return place;
  };
  const generate = running((done) => generateCommand(done));
  const judge = running((done) => judgeCommand(done));

  test("is given programs, and its observations are judged", async () => {
    const { stdout: programs } = await generate("--seed", "1", "--runs", "20", "--steps", "12", "--view");
    const lines = programs.trimEnd().split("\n");
    expect(lines).toHaveLength(20);
    const observed = lines.map((line, index) => answerLine(index + 1, line).text);
    const hello = file("hello.json", JSON.stringify(oracleHello));
    const given = file("programs.jsonl", programs);
    const right = await judge(given, file("right.jsonl", observed.toReversed().join("\n")), "--hello", hello);
    expect(right.code).toBe(0);
    expect(right.stdout).toMatch(/^20 programs, \d+ steps: \d+ observations and \d+ views compared\nno findings\n$/);

    const [first = "", ...others] = observed;
    const answer = JSON.parse(first) as { observations: readonly object[] };
    const changed = JSON.stringify({ ...answer, observations: [{ fd: 9 }, ...answer.observations.slice(1)] });
    const wrong = await judge(given, file("wrong.jsonl", [changed, ...others].join("\n")), "--json");
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      ok: false,
      programs: 20,
      findings: [{ id: 0, step: 0, actual: "fd 9" }],
    });

    const missing = await judge(given, file("missing.jsonl", others.join("\n")), "--hello", hello);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain("1 program without a result");
  });

  test("has only what it declares", async () => {
    const hello = file(
      "few.json",
      JSON.stringify({ ...oracleHello, operations: ["li", "fork"], strategies: ["copa"] }),
    );
    const { stdout } = await generate("--seed", "1", "--runs", "10", "--hello", hello);
    const used = new Set(stdout.match(/"op":"[^"]*"/g));
    expect([...used].toSorted()).toStrictEqual(['"op":"fork"', '"op":"li"']);
    const { code, stderr } = await generate("--hello", hello, "--strategy", "eager");
    expect(code).toBe(2);
    expect(stderr).toMatch(/few.json: it has none of these strategies; it declares copa\n$/);
  });

  test.for([
    ["nothing there", undefined, "none.jsonl: no such file; check the path"],
    ["no JSON", "{\n", "bad.jsonl:1: this is no JSON object; there is a message on each line"],
    ["no observations", '{"type":"result","id":1}\n', "bad.jsonl:1: the result has no observations"],
    [
      "the same id twice",
      '{"type":"result","id":1,"observations":[]}\n'.repeat(2),
      "bad.jsonl:2: there is another result with the id 1",
    ],
  ] as const)("and whose results cannot be read (%s) is told in a line", async ([, text, message]) => {
    const given = file("one.jsonl", `${JSON.stringify({ type: "run", id: 1, steps: [{ thread: 0, op: "yield" }] })}\n`);
    const observed = text === undefined ? path.join(folder, "none.jsonl") : file("bad.jsonl", text);
    const { code, stderr } = await judge(given, observed);
    expect(code).toBe(2);
    expect(stderr).toBe(`${path.join(folder, message)}\n`);
  });
});
