/** `npm run mutate`: what it is given, and that its lists name what there is. The mutants themselves run only when somebody asks. */
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { areaOf, mistakeIn, mutationAreas } from "../scripts/mutation.js";

const root = path.resolve(import.meta.dirname, "..");

describe.each(Object.entries(mutationAreas))("%s", (folder, { mutate, tests }) => {
  test("is there, and so is every test that it names", () => {
    expect([folder, ...tests].filter((name) => !existsSync(path.join(root, name)))).toEqual([]);
    expect(tests.length).toBeGreaterThan(0);
    expect(mutate.filter((glob) => !glob.replace("!", "").startsWith(`${folder}/`))).toEqual([]);
  });

  test("is found by its name and by its files, and not by what only begins like it", () => {
    expect([folder, `${folder}/any.ts`, `${folder}x`].map((target) => areaOf(target)?.tests === tests)).toEqual([
      true,
      true,
      false,
    ]);
  });
});

test.each([
  [[], "nothing to mutate was named; name a folder or files"],
  [["impl/fast"], "impl/fast cannot be mutated; name one of spec/cheri, spec/sfork, or a file there"],
  [
    ["spec/cheri/bits.ts", "spec/sfork/lists.ts"],
    "spec/sfork/lists.ts is not in the same folder as spec/cheri/bits.ts; mutate them one after the other",
  ],
  [["spec/cheri/none.ts"], "spec/cheri/none.ts does not exist; give paths from the root of the repository"],
  [["spec/cheri/bits.ts", "spec/cheri/memory.ts"], undefined],
])("%j: %s", (targets, says) => {
  expect(mistakeIn(targets)).toBe(says);
});
