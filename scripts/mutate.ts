/**
 * Changes the specification a little at a time, and says which changes no test notices: docs/mutation.md.
 *
 *   npm run mutate -- FOLDER|FILE... [--force]
 *
 * Everything that is named must lie in one folder of scripts/mutation.ts. Results for files and tests that did not change are
 * taken from the last run, unless it is forced.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { areaOf, mistakeIn, mutationAreas, targetVariable } from "./mutation.js";

const usage = `usage: npm run mutate -- FOLDER|FILE... [--force]
Folders: ${Object.keys(mutationAreas).join(", ")}; or files of one of them.`;

const mutate = async (targets: readonly string[], force: boolean): Promise<void> => {
  const [first = ""] = targets;
  const folder = Object.keys(mutationAreas).find((name) => mutationAreas[name] === areaOf(first)) ?? first;
  const name = folder.replaceAll("/", "-");
  const chosen = targets.flatMap((target) => mutationAreas[target]?.mutate ?? [target]);
  // Whatever runs the tests is started from here, and its configuration reads this.
  process.env[targetVariable] = folder;
  await new Stryker({
    mutate: chosen,
    force,
    incrementalFile: `reports/mutation/${name}.incremental.json`,
    jsonReporter: { fileName: `reports/mutation/${name}.json` },
    htmlReporter: { fileName: `reports/mutation/${name}.html` },
  }).runMutationTest();
};

/** What was typed, or what is wrong with it. */
const read = (args: readonly string[]) => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { force: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
    });
    return { values, targets: positionals.map((target) => target.replace(/^\.\//, "").replace(/\/+$/, "")) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const main = async (args: readonly string[]): Promise<number> => {
  const typed = read(args);
  if (typeof typed === "string") {
    console.error(`mutate: ${typed}; --help says what there is`);
    return 2;
  }
  const { values, targets } = typed;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const mistake = mistakeIn(targets);
  if (mistake !== undefined) {
    console.error(`mutate: ${mistake}`);
    return 2;
  }
  await mutate(targets, values.force);
  return 0;
};

process.exitCode = await main(process.argv.slice(2));
