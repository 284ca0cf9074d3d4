/** Every breakage of tests/breakages is still one: it applies to the source as it is, and changes what is built from it. */
import { describe, expect, test } from "vitest";
import { breakageNames, brokenSource, readBreakage } from "../scripts/breakage.js";

test("there are ten, one for each part of the machine", () => {
  expect(breakageNames.fast).toEqual([
    ...["bounds", "descriptor-table", "exit", "home-delta", "permissions", "protection", "reference-count"],
    ...["register-relocation", "seal", "tag-bitmap"],
  ]);
});

test("there are ten mistakes about POSIX for the kernel to find", () => {
  expect(breakageNames.linux).toHaveLength(10);
});

describe.each(breakageNames.linux)("%s", (name) => {
  test("is a change of the specification as it is", () => {
    const breakage = readBreakage(name);
    expect(breakage.finder).toBe("linux");
    expect(brokenSource(breakage)).toContain(breakage.after.join("\n"));
  });
});

describe.each(breakageNames.fast)("%s", (name) => {
  test("is one line of the source as it is", () => {
    const breakage = readBreakage(name);
    const { before, after } = breakage;
    const gone = before.filter((line) => !after.includes(line));
    const come = after.filter((line) => !before.includes(line));
    expect([gone.length, come.length]).toSatisfy(([less = 0, more = 0]: readonly number[]) => less === 1 && more <= 1);
    expect(brokenSource(breakage)).toContain(after.join("\n"));
  });
});
