/** Files that are there in full or not at all: never over another, never through a link's back, no left-overs. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createWhole, removeLeftOvers, replaceWhole, tryReplacing } from "../../conformance/atomic.js";
import { removeAtEnd, write } from "../support/files.js";

const temporary = removeAtEnd();

describe("creating", () => {
  test("makes a file, and nothing else", () => {
    const folder = temporary();
    expect(createWhole(join(folder, "a"), "text")).toBe(true);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("text");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("changes nothing where there is one", () => {
    const folder = temporary();
    const path = write(folder, "a", "mine");
    expect(createWhole(path, "text")).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("mine");
    mkdirSync(join(folder, "b"));
    expect(createWhole(join(folder, "b"), "text")).toBe(false);
    expect(readdirSync(folder)).toEqual(["a", "b"]);
  });
});

describe("replacing", () => {
  test("puts a whole new file in the place of the old one", () => {
    const folder = temporary();
    const path = write(folder, "a", "old");
    const { ino } = statSync(path);
    replaceWhole(path, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).ino).not.toBe(ino);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("leaves a link a link", () => {
    const folder = temporary();
    const [path, link] = [write(folder, "a", "old"), join(folder, "b")];
    symlinkSync(path, link);
    replaceWhole(link, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test("writes to a device, and does not replace it", () => {
    const { ino, mode } = statSync("/dev/null");
    tryReplacing("/dev/null");
    replaceWhole("/dev/null", "new");
    expect(statSync("/dev/null")).toMatchObject({ ino, mode });
  });

  test("can be tried: nothing changes, and what would be refused is refused", () => {
    const folder = temporary();
    const path = write(folder, "a", "old");
    tryReplacing(path);
    tryReplacing(join(folder, "b"));
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(existsSync(join(folder, "b"))).toBe(false);
    for (const wrong of [folder, join(folder, "none", "a"), join(path, "a")]) {
      expect(() => {
        tryReplacing(wrong);
      }).toThrow(/EISDIR|ENOENT|ENOTDIR/);
    }
    expect(readdirSync(folder)).toEqual(["a"]);
  });
});

test("left-overs of killed writers go after an hour; nothing else does", () => {
  const folder = temporary();
  const leftOver = (hash: string): string => `.INV-1-abc.sfork.${hash.repeat(16)}.tmp`;
  const names = [leftOver("0"), leftOver("1"), "a.sfork", ".a.tmp", "b.0123456789abcdef.tmp"];
  for (const name of names) writeFileSync(join(folder, name), "");
  const before = new Date(Date.now() - 2 * 3_600_000);
  for (const name of names.filter((one) => one !== leftOver("1"))) utimesSync(join(folder, name), before, before);
  removeLeftOvers(folder);
  expect(readdirSync(folder).toSorted()).toEqual(names.slice(1).toSorted());
});
