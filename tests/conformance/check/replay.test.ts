/** Findings replayed on an implementation of one's own: from a token, a program, or its text. */
import { describe, expect, test } from "vitest";
import { check, printTextProgram, replay } from "../../../conformance/index.js";
import { generatorVersion } from "../../../conformance/generate/generate.js";
import { parseToken, printToken } from "../../../conformance/check/token.js";
import { createFast } from "../../../impl/fast/index.js";
import { refusal } from "../program/files.js";
import { program } from "./support.js";
import { oneMore } from "./wrong.js";

describe("a replay", () => {
  const written = program("config strategy=copa", "0: yield", "0: li c7, 5", "0: yield");

  test("of a program: the verdict, and the smallest program", () => {
    const { ok, steps, finding } = replay(oneMore, written);
    expect({ ok, steps }).toEqual({ ok: false, steps: 2 });
    expect(finding?.program.steps).toEqual([
      { actor: 0, operation: { op: "li", cd: 7, n: { immediate: 0n } }, expect: { int: "0x0" } },
    ]);
    expect(replay(createFast, written)).toEqual({ ok: true, steps: 3, finding: undefined });
  });

  test("of the same as text, and as JSON, with a configuration that leaves everything out", () => {
    expect(replay(oneMore, printTextProgram(written))).toEqual(replay(oneMore, written));
    const { finding } = replay(oneMore, '{ "version": 1, "steps": [{ "actor": 0, "op": "li", "cd": 7, "n": 3 }] }');
    expect(finding).toMatchObject({ kind: "observation", expected: "int 0x0", actual: "int 0x1" });
    expect(replay(oneMore, { version: 1, config: {}, steps: written.steps })).toMatchObject({ ok: false });
  });

  test("of a token, whatever it was made for", async () => {
    const settings = { seed: "s", formats: ["rvy64"], strategies: ["coa"], profile: "full", steps: 50 } as const;
    const { findings } = await check(oneMore, { ...settings, maxFindings: 1 });
    const { token: own, index, finding } = findings[0] ?? expect.fail("nothing was found");
    const fast = printToken({ settings: { ...settings, impl: "fast" }, index });
    expect(own.length).toBeLessThanOrEqual(160);
    expect(replay(oneMore, own).finding).toEqual(finding);
    expect(replay(oneMore, fast).finding).toEqual(finding);
    // Which implementation it was, only its user knows.
    expect(refusal(parseToken(own))).toBe(
      "token: is of an implementation that has no name here; give it to replay of sfork/conformance",
    );
    expect(refusal(parseToken(fast))).toBe("accepted");
  });

  test("is refused in one line", () => {
    const older = `sf1:${Buffer.from(JSON.stringify([generatorVersion - 1])).toString("base64url")}`;
    expect(() => replay(createFast, older)).toThrow(
      /^token: was made by generator \d+, this is \d+; take the program file/,
    );
    expect(() => replay(createFast, "sfork 1\n0: li\n")).toThrow("program:2:4: li takes cd, n; 0 are given");
    expect(() => replay(createFast, "sfork 1\nconfig pages=1\n")).toThrow(
      "program:2: the configuration is illegal, CFG-1",
    );
    expect(() => replay(createFast, { steps: 3 } as never)).toThrow("program: the value is no program; ");
  });
});
