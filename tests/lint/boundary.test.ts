/**
 * The import borders bite: each is violated once, in a small tree of its own, and must be reported under its name.
 * The tree is written outside the checkout, so that nothing else ever reads it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

/** Files that keep every rule; the violations below import them. */
const sound = {
  "package.json":
    '{ "name": "sfork", "exports": { "./spec/cheri": "./dist/spec/cheri/format.js" }, ' +
    '"type": "module", "dependencies": { "ts-pattern": "5" }, "devDependencies": { "vitest": "4" } }',
  "node_modules/ts-pattern/package.json": '{ "name": "ts-pattern", "type": "module", "main": "index.js" }',
  "node_modules/ts-pattern/index.js": "export const match = 0;",
  "node_modules/vitest/package.json": '{ "name": "vitest", "type": "module", "main": "index.js" }',
  "node_modules/vitest/index.js": "export const test = 0;",

  "dist/spec/cheri/format.js": "export const decode = 0;",

  "spec/cheri/format.ts":
    'import { match } from "ts-pattern"; export type Format = number; export const decode = match;',
  "spec/cheri/constants.ts":
    'import type { Format } from "./format.js"; import { granule } from "./more/constants.js"; export const width: Format = granule;',
  "spec/cheri/more/constants.ts": "export const granule = 16;",
  "spec/sfork/step.ts": 'import { decode } from "../cheri/format.js"; export const step = decode;',
  "impl/fast/engine.ts":
    'import { readFileSync } from "node:fs"; import type { Format } from "../../spec/cheri/format.js"; ' +
    'import { width } from "../../spec/cheri/constants.js"; export const engine: Format = width; export { readFileSync };',
  "conformance/check.ts":
    'import { engine } from "../impl/fast/engine.js"; import { step } from "../spec/sfork/step.js"; export const check = [engine, step];',
  "bench/steps.ts": 'export { check } from "../conformance/check.js";',
  "cli/main.ts":
    'import { check } from "../conformance/check.js"; import { engine } from "../impl/fast/engine.js"; export const main = [check, engine];',
  "tests/main.test.ts":
    'import { test } from "vitest"; import { main } from "../cli/main.js"; import { step } from "../spec/sfork/step.js"; export { test, main, step };',
};

const planted = [
  ["spec-stands-alone", "spec/sfork/imports-impl.ts", 'export { engine } from "../../impl/fast/engine.js";'],
  ["spec-stands-alone", "spec/sfork/imports-type.ts", 'export type { engine } from "../../impl/fast/engine.js";'],
  ["spec-stands-alone", "spec/sfork/imports-late.ts", 'export const x = import("../../impl/fast/engine.js");'],
  ["spec-stands-alone", "spec/cheri/imports-builtin.ts", 'export { readFileSync } from "node:fs";'],
  ["spec-stands-alone", "spec/cheri/imports-old-builtin.ts", 'export { readFileSync } from "fs";'],
  ["spec-stands-alone", "spec/cheri/imports-package.ts", 'export { test } from "vitest";'],
  ["cheri-below-sfork", "spec/cheri/imports-sfork.ts", 'export { step } from "../sfork/step.js";'],
  [
    "impl-shares-no-code-with-spec",
    "impl/fast/imports-value.ts",
    'export { decode } from "../../spec/cheri/format.js";',
  ],
  [
    "impl-shares-no-code-with-spec",
    "impl/fast/imports-value-beside-type.ts",
    'import { type Format, decode } from "../../spec/cheri/format.js"; export const x: Format = decode;',
  ],
  [
    "impl-shares-no-code-with-spec",
    "impl/fast/imports-value-after-type.ts",
    'import type { Format } from "../../spec/cheri/format.js"; import { decode } from "../../spec/cheri/format.js"; export const x: Format = decode;',
  ],
  [
    "impl-shares-no-code-with-spec",
    "impl/fast/imports-late.ts",
    'export const x = import("../../spec/cheri/format.js");',
  ],
  [
    "constants-import-constants",
    "spec/cheri/launder/constants.ts",
    'export { decode } from "../format.js"; // and so into impl',
  ],
  ["impl-knows-only-spec", "impl/fast/imports-suite.ts", 'export { check } from "../../conformance/check.js";'],
  ["nothing-imports-cli", "conformance/imports-cli.ts", 'export { main } from "../cli/main.js";'],
  ["conformance-below-its-users", "conformance/imports-bench.ts", 'export { check } from "../bench/steps.js";'],
  [
    "no-built-files-in-product",
    "impl/fast/imports-built.ts",
    'export { decode } from "../../dist/spec/cheri/format.js";',
  ],
  ["no-built-files-in-product", "impl/fast/imports-own-name.ts", 'export { decode } from "sfork/spec/cheri";'],
  ["no-tests-in-product", "cli/imports-tests.ts", 'export { main } from "../tests/main.test.js";'],
  ["no-dev-dependency-in-product", "conformance/imports-dev.ts", 'export { test } from "vitest";'],
  ["no-dev-dependency-in-product", "bench/imports-dev.ts", 'export { test } from "vitest";'],
  ["no-circular", "conformance/circle-a.ts", 'import { b } from "./circle-b.js"; export const a = (): unknown => b;'],
  ["no-circular", "conformance/circle-b.ts", 'import { a } from "./circle-a.js"; export const b = (): unknown => a;'],
  ["no-unresolvable", "conformance/imports-nothing.ts", 'export { gone } from "./gone.js";'],
] as const;

/** What the reporter "json" of dependency-cruiser prints, as far as it is used here. */
interface Report {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
}

describe("import borders", () => {
  let tree = "";
  let report: Report;
  const rulesBrokenBy = (file: string): readonly string[] =>
    report.summary.violations
      // A circle is reported once, for one of its files.
      .filter(({ from, cycle }) => from === file || cycle?.some(({ name }) => name === file))
      .map(({ rule }) => rule.name);

  beforeAll(() => {
    tree = mkdtempSync(path.join(tmpdir(), "sfork-borders-"));
    for (const [file, text] of [...Object.entries(sound), ...planted.map(([, file, text]) => [file, text] as const)]) {
      mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      writeFileSync(path.join(tree, file), `${text}\n`);
    }
    const cruise = spawnSync(
      process.execPath,
      [
        path.join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
        "--config",
        path.join(root, ".dependency-cruiser.cjs"),
        "--output-type",
        "json",
        ".",
      ],
      { cwd: tree, encoding: "utf8", maxBuffer: 2 ** 26 },
    );
    expect(cruise.stderr).toBe("");
    report = JSON.parse(cruise.stdout) as Report;
  });
  afterAll(() => {
    rmSync(tree, { recursive: true });
  });

  test.each(planted)("%s: %s", (rule, file) => {
    expect(rulesBrokenBy(file)).toContain(rule);
  });

  test.each(Object.keys(sound).filter((file) => file.endsWith(".ts")))("no complaint about %s", (file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });

  test("each rule is planted", async () => {
    const config = (await import("../../.dependency-cruiser.cjs")) as {
      readonly default: { readonly forbidden: readonly { readonly name: string }[] };
    };
    const names = config.default.forbidden.map(({ name }) => name);
    expect([...new Set<string>(planted.map(([rule]) => rule))].toSorted()).toEqual(names.toSorted());
  });
});
