/** Replay tokens: the same program on any machine, short enough to paste, and refused in one line where they do not hold. */
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { judgeProgram } from "../../../conformance/check/campaign.js";
import { isToken, parseToken, printToken } from "../../../conformance/check/token.js";
import { generate, generatorVersion } from "../../../conformance/generate/generate.js";
import { refusal, rightOf } from "../program/files.js";
import { settings } from "./support.js";

const encoded = (value: unknown): string => `sf1:${Buffer.from(JSON.stringify(value)).toString("base64url")}`;

test.each([
  settings(),
  settings({ impl: "fast", strategies: ["copa"], formats: ["rvy64"], profile: "posix", steps: 10_000 }),
  settings({ seed: "x".repeat(64), steps: 50 }),
])("say the whole campaign and which program of it: %#", (given) => {
  const token = printToken({ settings: given, index: 123_456_789 });
  expect(rightOf(parseToken(token))).toEqual({ settings: given, index: 123_456_789 });
  expect(token).toMatch(/^sf1:[\w-]+$/);
  expect(token.length).toBeLessThanOrEqual(160);
});

test("lead to the same program", () => {
  const given = settings({ strategies: ["coa", "copa"], formats: ["morello", "rvy64"] });
  const replay = rightOf(parseToken(printToken({ settings: given, index: 17 })));
  expect(judgeProgram(replay.settings, replay.index)).toEqual(judgeProgram(given, 17));
  const { seed, impl, ...choice } = replay.settings;
  expect(impl).toBe("spec-lazy");
  expect(generate(seed, replay.index, choice).config.strategy).toMatch(/^coa$|^copa$/);
});

describe("are refused in one line", () => {
  const good = [generatorVersion, "fast", 1, 2, "mixed", 50, "s", 3];
  const damaged = "token: is damaged; copy all of it, or take the program file that was saved with it";

  test.each([
    ["sf1:", "token: is none; copy all of it, from sf1: on, or name a program file"],
    ["sf1:a b", "token: is none; copy all of it, from sf1: on, or name a program file"],
    ["program.sfork", "token: is none; copy all of it, from sf1: on, or name a program file"],
    ["sf2:abc", "token: is of another version, sf2; this reads sf1: tokens: take the program file instead"],
    ["sf1:abc", damaged],
    [encoded({}), damaged],
    [encoded([]), damaged],
    [encoded(["4", "fast"]), damaged],
    [
      encoded([generatorVersion + 1, "some", "other", "shape"]),
      `token: was made by generator ${generatorVersion + 1}, this is ${generatorVersion}; ` +
        "take the program file that was saved with it",
    ],
    [encoded(good.with(1, "linux")), damaged],
    [encoded(good.with(2, 0)), damaged],
    [encoded(good.with(2, 64)), damaged],
    [encoded(good.with(3, 256)), damaged],
    // posix, which fast does not have, alone and beside others.
    [encoded(good.with(3, 1)), damaged],
    [encoded(good.with(3, 3)), damaged],
    [encoded(good.with(4, "any")), damaged],
    [encoded(good.with(5, 0)), damaged],
    [encoded(good.with(6, "x".repeat(65))), damaged],
    [encoded(good.with(7, -1)), damaged],
    [encoded([...good, 1]), damaged],
    [encoded(good).slice(0, -3), damaged],
  ])("%s", (text, line) => {
    const parsed = parseToken(text);
    expect(isLeft(parsed) && parsed.left.describe()).toBe(line);
  });

  test("and the good one is not", () => {
    expect(refusal(parseToken(encoded(good)))).toBe("accepted");
    expect(refusal(parseToken(` ${encoded(good)}\n`))).toBe("accepted");
    expect(refusal(parseToken(encoded(good.with(1, "spec-lazy").with(3, 1))))).toBe("accepted");
    expect(isToken(encoded(good))).toBe(true);
    expect(isToken(` sf2:abc `)).toBe(true);
    expect(isToken("examples/pointer.sfork")).toBe(false);
  });
});
