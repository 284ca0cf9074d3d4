/** `sfork replay`, and what `sfork shrink` and `sfork run` say of what only that takes. */
import { describe, expect, test } from "vitest";
import { replayCommand } from "../../cli/replay.js";
import { runCommand } from "../../cli/run.js";
import { shrinkCommand } from "../../cli/shrink.js";
import { judgeProgram, type CampaignSettings } from "../../conformance/check/campaign.js";
import { savedFinding } from "../../conformance/check/saved.js";
import { printToken } from "../../conformance/check/token.js";
import { generatorVersion } from "../../conformance/generate/generate.js";
import { settings } from "../conformance/check/support.js";
import { removeAtEnd, write } from "../support/files.js";
import { running } from "./support.js";

const temporary = removeAtEnd();
const replay = running(replayCommand);
const shrink = running(shrinkCommand);
const run = running(runCommand);

/** A system that is known to break invariants stands for an implementation that does. */
const given: CampaignSettings = settings({ strategies: ["naive-cow"], steps: 30 });

const found = () => {
  for (let index = 0; index < 50; index += 1) {
    const { finding } = judgeProgram(given, index).verdict;
    if (finding !== undefined) return { index, finding };
  }
  throw new Error("nothing was found");
};

const encoded = (value: unknown): string => `sf1:${Buffer.from(JSON.stringify(value)).toString("base64url")}`;

describe("a finding", () => {
  const first = found();
  const token = printToken({ settings: given, index: first.index });
  /** Without what says where it comes from. */
  const told = (text: string): string => text.replaceAll(/^ {2}(?:program|replay) .*\n/gm, "");

  test("comes to the same from its token and from its file, and each says how to see it again", async () => {
    const file = write(temporary(), "raw.sfork", savedFinding(given, first).text);
    const [byToken, byFile] = [await replay(token), await replay("--impl", "spec-lazy", file)];
    expect([byToken.code, byFile.code]).toEqual([1, 1]);
    expect(told(byFile.stdout)).toBe(told(byToken.stdout));
    expect(byToken.stdout).toContain(`\n  replay    ${token}\n`);
    expect(byFile.stdout).toContain(`\n  replay    --impl spec-lazy ${file}\n`);
    expect(byFile.stdout).toContain(`\n  program   of ${file}, `);
    expect(byFile.stdout).not.toContain("sf1:");
    // As small as it becomes: what is printed is no longer than what shrink comes to.
    const small = JSON.parse((await shrink("--impl", "spec-lazy", "--json", file)).stdout) as { steps: number };
    expect(byFile.stdout.match(/^ {4}\d+: /gm)).toHaveLength(small.steps);
  });

  test("may have blanks around its token", async () => {
    expect(await replay(` ${token}\n`)).toEqual(await replay(token));
  });
});

describe("is refused in one line, with status 2", () => {
  const other = "take the program file that was saved with it";

  test.each([
    ["nothing", [""], "target: is empty; give a token that check printed, or a program file"],
    ["blanks", ["  "], "target: is empty; give a token that check printed, or a program file"],
    ["no token", ["sf1:"], "token: is none; copy all of it, from sf1: on, or name a program file"],
    [
      "a token of another version",
      ["sf2:abc"],
      "token: is of another version, sf2; this reads sf1: tokens: take the program file instead",
    ],
    [
      "a strategy that the implementation lacks",
      [encoded([generatorVersion, "fast", 63, 1, "mixed", 50, "x", 1])],
      `token: is damaged; copy all of it, or ${other}`,
    ],
    [
      "an implementation beside a token",
      ["--impl", "spec-lazy", encoded([generatorVersion, "fast", 63, 2, "mixed", 50, "x", 1])],
      "sfork: --impl spec-lazy: a token says itself what is checked; leave --impl out, or name the program file that was saved with it",
    ],
    ["a file that is not there", ["none.sfork"], "none.sfork: no such file; check the path"],
  ])("%s", async (_, args, line) => {
    expect(await replay(...args)).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });

  test("a program that was cut off", async () => {
    const file = write(temporary(), "cut.sfork", "sfork 1\nconfig strategy=copa\n");
    const refused = {
      code: 2,
      stdout: "",
      stderr: `${file}: has no steps, so that nothing was checked; it may be truncated\n`,
    };
    expect(await replay(file)).toEqual(refused);
    expect(await shrink(file)).toEqual(refused);
  });

  test("a token, of shrink and run", async () => {
    const token = encoded([generatorVersion, "fast", 63, 2, "mixed", 50, "x", 1]);
    const stderr = "token: only sfork replay takes one; it also makes the program smaller\n";
    expect(await shrink(token)).toEqual({ code: 2, stdout: "", stderr });
    expect(await run(token)).toEqual({ code: 2, stdout: "", stderr });
  });
});

test("a program that holds says so, of the optimised implementation by default", async () => {
  const file = write(temporary(), "holds.sfork", "sfork 1\n0: li c9, 5\n");
  expect(await replay(file)).toEqual({ code: 0, stdout: "fast holds in 1 step\n", stderr: "" });
});
