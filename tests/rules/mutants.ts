/**
 * Runs tests against the specification with one function made trivial. Each replacement is a project of one Vitest run,
 * in which a plugin changes one file as it is loaded; a last project changes nothing.
 */
import path from "node:path";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { createVitest, type TestCase } from "vitest/node";
import { replaceByTrivial, root } from "./code.js";
import type { Entry } from "../../conformance/rules/document.js";

export interface Verdict {
  readonly entry: Entry;
  /** What came of the test with the specification as it is. */
  readonly unchanged: Outcome;
  /** And with the function made trivial. A test that bites fails in what it asserts, not because it cannot run. */
  readonly trivial: Outcome;
}

/** `absent` if no test of that name ran, for it is not there or its file does not load. */
type Outcome = "passed" | "refuted" | "crashed" | "absent";

export const bites = ({ unchanged, trivial }: Verdict): boolean => unchanged === "passed" && trivial === "refuted";

const sound = "sound";

const project = (name: string, files: readonly string[]): TestProjectInlineConfiguration => ({
  test: { name, root, include: [...files], pool: "threads", testTimeout: 60_000 },
});

const mutant = ({ file, name, trivial, testFile }: Entry, index: number): TestProjectInlineConfiguration => ({
  ...project(index.toString(), [testFile]),
  plugins: [
    {
      name: "trivial",
      enforce: "pre",
      transform: (text: string, module: string) =>
        path.relative(root, module) === path.normalize(file) ? replaceByTrivial(file, text, name, trivial) : undefined,
    },
  ],
});

const outcomeOf = (result: TestCase): Outcome => {
  const { state, errors } = result.result();
  if (state === "passed") return "passed";
  return errors?.length === 1 && errors[0]?.name === "AssertionError" ? "refuted" : "crashed";
};

export const runMutants = async (entries: readonly Entry[]): Promise<readonly Verdict[]> => {
  const files = [...new Set(entries.map(({ testFile }) => testFile))];
  const vitest = await createVitest("test", {
    root,
    config: false,
    watch: false,
    reporters: [{}],
    maxWorkers: "100%",
    projects: [...entries.map(mutant), project(sound, files)],
  });
  const { testModules } = await vitest.start();
  await vitest.close();
  // A project's name, the file and the test's name: test names repeat in the projects, and may do so in files.
  const key = (...parts: readonly string[]): string => parts.join("\n");
  const outcomes = new Map(
    testModules.flatMap((module) =>
      [...module.children.allTests()].map((result) => [
        key(module.project.name, path.relative(root, module.moduleId), result.fullName),
        outcomeOf(result),
      ]),
    ),
  );
  return entries.map((entry, index) => {
    const outcome = (name: string): Outcome =>
      outcomes.get(key(name, path.normalize(entry.testFile), entry.testName)) ?? "absent";
    return { entry, unchanged: outcome(sound), trivial: outcome(index.toString()) };
  });
};
