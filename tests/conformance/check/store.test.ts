/** The store: findings as they were found and smaller ones by the same name, and which of them are run again. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeProgram, minimised, type Found } from "../../../conformance/check/campaign.js";
import { savedFinding } from "../../../conformance/check/saved.js";
import { readStore, saveRaw, saveSmaller } from "../../../conformance/check/store.js";
import { generatorVersion } from "../../../conformance/generate/generate.js";
import { removeAtEnd, write } from "../../support/files.js";
import { forgetfulFork, settings } from "./support.js";

const temporary = removeAtEnd();

const given = settings({ strategies: ["coa"] });

const foundBy = (): Found => {
  for (let index = 0; index < 400; index += 1) {
    const { finding } = judgeProgram(given, index, { checker: forgetfulFork }).verdict;
    if (finding !== undefined) return { index, finding };
  }
  throw new Error("nothing was found");
};

const raw = foundBy();
const smaller = minimised(given, raw, forgetfulFork);

const filesOf = async (folder: string, impl: "spec-lazy" | "fast" = "spec-lazy"): Promise<readonly string[]> =>
  (await readStore(folder, impl)).kept.map(({ file }) => basename(file));

describe("saving", () => {
  test("gives the smaller one the name of what it was made from", () => {
    const folder = temporary();
    const first = saveRaw(folder, given, raw);
    expect(basename(first)).toMatch(/^INV-1-[\da-f]{12}\.raw\.sfork$/);
    expect(saveSmaller(folder, first, given, smaller)).toBe(first.replace(".raw.", "."));
    expect(readFileSync(first, "utf8")).toBe(savedFinding(given, raw).text);
    expect(readFileSync(first.replace(".raw.", "."), "utf8")).toBe(savedFinding(given, smaller).text);
  });

  test("keeps the pair together where the name is taken", () => {
    const folder = temporary();
    const first = saveRaw(temporary(), given, raw);
    write(folder, basename(first), "mine\n");
    const second = saveRaw(folder, given, raw);
    expect(basename(second)).toBe(basename(first).replace(".raw.", "-2.raw."));
    expect(basename(saveSmaller(folder, second, given, smaller))).toBe(basename(second).replace(".raw.", "."));
  });
});

describe("reading", () => {
  test("has the smaller one where there is one, in the order of names, with the rule", async () => {
    const folder = temporary();
    const first = saveRaw(folder, given, raw);
    expect(await filesOf(folder)).toEqual([basename(first)]);
    const second = saveSmaller(folder, first, given, smaller);
    write(folder, "A.sfork", "sfork 1\n# INV-3: a note\n0: li c9, 5\n");
    write(folder, "notes.txt", "");
    write(folder, ".INV-1-abc.sfork.0123456789abcdef.tmp", "sfor");
    const { kept, unreadable } = await readStore(folder, "spec-lazy");
    expect(kept.map(({ file, index, rule }) => [file, index, rule])).toEqual([
      [join(folder, "A.sfork"), 0, undefined],
      [second, 1, "INV-1"],
    ]);
    expect(kept[1]?.program.steps).toEqual(smaller.finding.program.steps);
    expect(unreadable).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(5);
  });

  test("has what was found with this implementation, whichever generator made it, or with none that is named", async () => {
    const folder = temporary();
    const token = (impl: string, version: number): string =>
      `sf1:${Buffer.from(JSON.stringify([version, impl, 1, 1, "mixed", 5, "s", 0])).toString("base64url")}`;
    const file = (name: string, target: string): string =>
      write(folder, name, `sfork 1\n# REF-4: x\n# replay: npx sfork replay ${target}\n0: li c9, 5\n`);
    file("fast.sfork", token("fast", generatorVersion));
    file("lazy.sfork", token("spec-lazy", generatorVersion));
    file("old-fast.sfork", token("fast", 1));
    file("old-lazy.sfork", token("spec-lazy", 1));
    file("other.sfork", token("linux", 1));
    file("damaged.sfork", "sf1:abc");
    file("from-file-fast.sfork", "--impl fast FILE");
    file("from-file-lazy.sfork", "--impl spec-lazy FILE");
    write(folder, "own.json", '{"version":1,"config":{},"steps":[]}');
    expect(await filesOf(folder, "fast")).toEqual([
      "damaged.sfork",
      "fast.sfork",
      "from-file-fast.sfork",
      "old-fast.sfork",
      "own.json",
    ]);
    expect(await filesOf(folder)).toEqual([
      "damaged.sfork",
      "from-file-lazy.sfork",
      "lazy.sfork",
      "old-lazy.sfork",
      "own.json",
    ]);
  });

  test("goes on after what it cannot read", async () => {
    const folder = temporary();
    write(folder, "a.sfork", "sfork 1\n0: jump\n");
    mkdirSync(join(folder, "b.sfork"));
    write(folder, "c.sfork", "sfork 1\n0: li c9, 5\n");
    const { kept, unreadable } = await readStore(folder, "spec-lazy");
    expect(kept.map(({ file, index }) => [basename(file), index])).toEqual([["c.sfork", 0]]);
    expect(unreadable.map(({ file }) => basename(file))).toEqual(["a.sfork", "b.sfork"]);
  });

  test("has nothing where there is no folder", async () => {
    expect(await readStore(join(temporary(), "none"), "fast")).toEqual({ kept: [], unreadable: [] });
  });
});
