/** Tokens that hold a program: the same program, on any machine, and a line for what is none. */
import { deflateRawSync } from "node:zlib";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { expect, test } from "vitest";
import { targetOf } from "../../../cli/target.js";
import { programOf } from "../../../conformance/check/campaign.js";
import { parseProgramToken, printProgramToken } from "../../../conformance/check/program-token.js";
import { printToken } from "../../../conformance/check/token.js";
import { replay } from "../../../conformance/check/replay.js";
import { createFast } from "../../../impl/fast/index.js";
import { settings } from "./support.js";

const given = settings({ impl: "fast", strategies: ["coa", "copa"], steps: 20 });

const packed = (value: unknown): string => `sf1:${deflateRawSync(JSON.stringify(value)).toString("base64url")}`;

test("a program comes back as it was", () => {
  for (let index = 0; index < 50; index += 1) {
    const program = programOf(given, index);
    const back = parseProgramToken(printProgramToken(given, program));
    expect(back !== undefined && isRight(back) && back.right).toEqual({ impl: "fast", program });
  }
});

test("it is replayed, by the command and by the library", async () => {
  const program = programOf(given, 3);
  const token = printProgramToken(given, program);
  const target = await targetOf(token, undefined);
  expect(isRight(target) && target.right.item).toEqual({ index: 0, program });
  expect(isRight(target) && target.right.settings.impl).toBe("fast");
  expect(replay(createFast, token)).toEqual({ ok: true, steps: program.steps.length, finding: undefined });
});

test("the token of a seed's program is none of these", () => {
  expect(parseProgramToken(printToken({ settings: given, index: 3 }))).toBeUndefined();
  expect(parseProgramToken("sf1:")).toBeUndefined();
  expect(parseProgramToken("finding.sfork")).toBeUndefined();
});

test("what is wrong is said in a line", async () => {
  const wrong = async (token: string): Promise<string> => {
    const target = await targetOf(token, undefined);
    return isLeft(target) ? target.left.describe() : "none";
  };
  expect(await wrong(packed(["fast", "sfork 1\nconfig format=cheri128-v9\n0: fly c1\n"]))).toMatch(/^token:3:4: /);
  expect(await wrong(packed(["exec", "sfork 1\n0: yield\n"]))).toContain("--impl exec:");
  expect(await wrong(packed(["own", "sfork 1\n0: yield\n"]))).toContain("replay of sfork/conformance");
  const token = printProgramToken(given, programOf(given, 3));
  expect(await wrong(token.slice(0, -9))).toMatch(/^token: /);
  // A few kilobytes that would be gigabytes.
  expect(await wrong(`sf1:${deflateRawSync(Buffer.alloc(1 << 26, 0x20)).toString("base64url")}`)).toMatch(/^token: /);
});
