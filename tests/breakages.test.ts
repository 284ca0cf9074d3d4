/** Every breakage of tests/breakages is still one: it applies to the source as it is, and changes what is built from it. */
import { describe, expect, test } from "vitest";
import { breakageNames, brokenSource, readBreakage } from "../scripts/breakage.js";

test("there are ten, one for each part of the machine", () => {
  expect(breakageNames).toEqual([
    ...["bounds", "descriptor-table", "exit", "home-delta", "permissions", "protection", "reference-count"],
    ...["register-relocation", "seal", "tag-bitmap"],
  ]);
});

describe.each(breakageNames)("%s", (name) => {
  test("is one line of the source as it is", () => {
    const breakage = readBreakage(name);
    const { before, after } = breakage;
    const gone = before.filter((line) => !after.includes(line));
    const come = after.filter((line) => !before.includes(line));
    expect([gone.length, come.length]).toSatisfy(([less = 0, more = 0]: readonly number[]) => less === 1 && more <= 1);
    expect(brokenSource(breakage)).toContain(after.join("\n"));
  });
});
