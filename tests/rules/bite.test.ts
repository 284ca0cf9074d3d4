/** `npm run bite` tells a test that bites from one that does not. The whole of it is too slow to run here. */
import { beforeAll, expect, test } from "vitest";
import type { Entry } from "../../conformance/rules/document.js";
import { entries } from "./document.js";
import { bites, runMutants, type Verdict } from "./mutants.js";

const known = entries.find(({ id }) => id === "CAP-3 ccleartag");

const variants: readonly (readonly [what: string, change: Partial<Entry>, unchanged: string, trivial: string])[] = [
  ["a function that does nothing is refuted", {}, "passed", "refuted"],
  ["one that does the same passes", { trivial: "{ ...capability, tag: false }" }, "passed", "passed"],
  ["one that throws crashes", { trivial: '((): never => { throw new Error("no"); })()' }, "passed", "crashed"],
  [
    "one that does not load has no test",
    { name: "tagGroup", file: "spec/cheri/memory.ts", trivial: "0n)(" },
    "passed",
    "absent",
  ],
  ["a test that is not there is not run", { testName: "CAP-3 ccleartag: or not" }, "absent", "absent"],
];

let verdicts: readonly Verdict[] = [];

beforeAll(async () => {
  expect(known).toBeDefined();
  verdicts = await runMutants(known === undefined ? [] : variants.map(([, change]) => ({ ...known, ...change })));
});

test.each(variants)("%s", (what, _, unchanged, trivial) => {
  const verdict = verdicts[variants.findIndex(([name]) => name === what)];
  expect(verdict).toMatchObject({ unchanged, trivial });
  expect(verdict !== undefined && bites(verdict)).toBe(trivial === "refuted");
});

test("a function that is not there is an error", async () => {
  const missing = known === undefined ? [] : [{ ...known, name: "clearTags" }];
  expect((await runMutants(missing)).map(bites)).toEqual([false]);
});
