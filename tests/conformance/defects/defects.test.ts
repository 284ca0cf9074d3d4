/** The catalogue of defects: each is there, changes what it is about, and is found. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { judgeProgram, type AnySettings } from "../../../conformance/check/campaign.js";
import { defects, notModelled } from "../../../conformance/defects/catalogue.js";
import { loadDefect, misplaced } from "../../../conformance/defects/load.js";
import { formatNames } from "../../../conformance/program/config-codec.js";
import { fastStrategies } from "../../../impl/fast/index.js";

const settings = {
  ...{ seed: "defects", formats: formatNames, strategies: fastStrategies },
  ...{ profile: "mixed", steps: 40 },
} as const satisfies Omit<AnySettings, "impl">;

describe("the catalogue", () => {
  test("has each defect once", () => {
    const ids = [...defects, ...notModelled].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(defects.length).toBeGreaterThan(0);
  });

  test.for(defects.map((defect) => [defect.id, defect] as const))(
    "%s changes what is there, just once (else build, or mend the defect)",
    ([, { mistake, edits }]) => {
      expect(mistake).toMatch(/^[a-z`].*[^.]$/);
      for (const edit of edits) {
        expect(misplaced(edit)).toBeUndefined();
        expect(edit.put).not.toBe(edit.find);
      }
    },
  );
});

describe("an edit", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "sfork-defects-"));
    writeFileSync(path.join(folder, "pages.js"), "a b b\n");
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test.for([
    [{ file: "pages", find: "a", put: "c" }, undefined],
    [{ file: "pages", find: "b", put: "c" }, '"b" is 2 times in impl/fast/pages'],
    [{ file: "pages", find: "z", put: "c" }, '"z" is 0 times in impl/fast/pages'],
    [{ file: "frames", find: "a", put: "c" }, "impl/fast has no file frames"],
  ] as const)("%o is %s", ([edit, wrong]) => {
    expect(misplaced(edit, folder)).toBe(wrong);
  });
});

test("a defect is loaded beside the implementation, which stays as it is, and found", async () => {
  const [first] = defects;
  const impl = await loadDefect(first?.id ?? "");
  const found = Array.from({ length: 300 }, (_, index) => index).find(
    (index) => judgeProgram({ ...settings, impl }, index).verdict.finding !== undefined,
  );
  expect(found).toBeDefined();
  expect(judgeProgram({ ...settings, impl: "fast" }, found ?? 0).verdict.finding).toBeUndefined();
});

test("what is no defect cannot be loaded", async () => {
  await expect(loadDefect("R99")).rejects.toThrow("there is no defect R99");
});
