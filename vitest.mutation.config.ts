/** The tests that `npm run mutate` asks, in the order of scripts/mutation.ts. Their seeds are fixed where they stand. */
import path from "node:path";
import process from "node:process";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { areaOf, targetVariable } from "./scripts/mutation.js";

const tests = areaOf(process.env[targetVariable] ?? "")?.tests ?? [];

const root = process.cwd();

/** Short tests first, so that most mutants are found at once. */
class InOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      tests.findIndex((name) => path.relative(root, moduleId).startsWith(name));
    return Promise.resolve([...files].sort((a, b) => place(a) - place(b)));
  }
}

export default defineConfig({
  test: {
    include: tests.map((name) => (name.endsWith(".ts") ? name : `${name}/**/*.test.ts`)),
    testTimeout: 60_000,
    sequence: { sequencer: InOrder },
  },
});
