/** The table of requirements: which there are, what each names, and `docs/posix.md`, which is made of it. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { countsOf, recordingOf, requirementsDocument } from "../../conformance/requirements/document.js";
import type { Tier } from "../../conformance/requirements/requirement.js";
import { modelled, requirements, sections } from "../../conformance/requirements/table.js";
import { isCurrent } from "../../scripts/posix.js";
import { anchorsOf, root, ruleFiles } from "../rules/code.js";
import { removeAtEnd } from "../support/files.js";

const idsOf = (tier: Tier): readonly string[] => requirements.filter((one) => one.tier === tier).map(({ id }) => id);

const words = (text: string): readonly string[] => text.split(" ");

describe("the table", () => {
  test("has 104 requirements, numbered section by section", () => {
    const counts = sections.map(({ rows }) => [rows[0]?.id.slice(0, 1), rows.length] as const);
    expect(Object.fromEntries(counts)).toEqual({ F: 9, M: 20, D: 18, K: 9, G: 9, T: 6, H: 7, A: 9, W: 13, E: 4 });
    const numbered = counts.flatMap(([letter = "", count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, "0")}`),
    );
    expect(requirements.map(({ id }) => id)).toEqual(numbered);
  });

  test("has these of the tiers, and models all of the first two", () => {
    expect(idsOf("core")).toEqual([
      ...words("F01 F02 F03 F04 F05 F07 M01 M02 M03 M04 M05 M08 M16 M17 D01 D02 D03 D07 D08 K01"),
      ...words("G01 G02 G03 G08 T01 H01 A04 W01 W02 W03 W04 W07 E01"),
    ]);
    expect(idsOf("second")).toEqual([
      ...words("F06 M06 M07 M12 M13 M18 M19 D04 D05 D09 D10 K02 K04"),
      ...words("G04 G06 G07 T04 T05 A01 A02 A03 A06 W05 W06 W08 E02 E03"),
    ]);
    const others = modelled.filter(({ tier }) => tier === "other").map(({ id }) => id);
    expect(others).toEqual(words("F09 M20 D15 H02 H05 E04"));
    expect(modelled).toHaveLength(33 + 27 + others.length);
  });

  test("names rules that the specification has", () => {
    const anchors = new Set(ruleFiles.flatMap((file) => anchorsOf(file).map(({ id }) => id)));
    const named = modelled.flatMap(({ id, rules }) => rules.map((rule) => ({ id, rule })));
    expect(named.filter(({ rule }) => !anchors.has(rule))).toEqual([]);
    expect(modelled.filter(({ rules }) => rules.length === 0)).toEqual([]);
  });

  test("has no row that would not fit into a table", () => {
    const texts = requirements.map((row) => JSON.stringify(row));
    expect(texts.filter((text) => text.includes("|") || text.includes("\\n"))).toEqual([]);
  });
});

describe("docs/posix.md", () => {
  const file = path.join(root, "docs/posix.md");
  const temporary = removeAtEnd();

  /** The document as another root has it. */
  const changed = (change: (text: string) => string): string => {
    const elsewhere = temporary();
    mkdirSync(path.join(elsewhere, "docs"));
    const copy = path.join(elsewhere, "docs/posix.md");
    copyFileSync(file, copy);
    writeFileSync(copy, change(readFileSync(copy, "utf8")));
    return elsewhere;
  };

  test("is up to date, its counts too (else run npx tsx scripts/posix.ts)", () => {
    expect(isCurrent(root)).toBe(true);
  });

  test("is out of date where it is missing, or says something else", () => {
    expect(isCurrent(temporary())).toBe(false);
    expect(isCurrent(changed((text) => text.replace("| 33 | 33 |", "| 33 | 32 |")))).toBe(false);
    expect(isCurrent(changed((text) => text.replace(/^(\| \[F04\].*) \d+ \|$/m, "$1 100000 |")))).toBe(false);
  });

  test("is read as it is written", () => {
    const recording = { seed: "a-1", runs: 7 };
    const programs = new Map(modelled.map(({ id }, index) => [id, index]));
    const counts = { programs, kernel: new Map(modelled.map(({ id }, index) => [id, 2 * index])) };
    const text = requirementsDocument(recording, counts);
    expect(recordingOf(text)).toEqual(recording);
    expect(countsOf(text)).toEqual(counts);
    expect(recordingOf("# Something else\n")).toBeUndefined();
  });

  test("does not run too many programs again: their counts are taken as they are", () => {
    const many = new Map(modelled.map(({ id }) => [id, 3]));
    const written = requirementsDocument({ seed: "many", runs: 100_000 }, { programs: many, kernel: many });
    expect(isCurrent(changed(() => written))).toBe(true);
    expect(isCurrent(changed(() => written.replace("| core | yes |", "| core | no |")))).toBe(false);
  });

  test("says of every requirement that is modelled that a recorded program exercised it", () => {
    const { programs } = countsOf(readFileSync(file, "utf8"));
    expect([...programs.keys()]).toEqual(modelled.map(({ id }) => id));
    expect([...programs].filter(([, count]) => count === 0)).toEqual([]);
  });

  test("says that a kernel was asked, but for what is about capabilities, devices and frames", () => {
    const { kernel } = countsOf(readFileSync(file, "utf8"));
    expect([...kernel].flatMap(([id, count]) => (count === 0 ? [id] : []))).toEqual(["M18", "M20", "H05", "E04"]);
  });
});
