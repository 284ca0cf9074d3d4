/**
 * Changes the specification a little at a time, and says which changes no test notices: docs/mutation.md.
 *
 *   npm run mutate -- FOLDER|FILE... [--force]
 *
 * Everything that is named must lie in one folder of scripts/mutation.ts. Results for files and tests that did not change are
 * taken from the last run, unless it is forced.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { areaOf, mutationAreas, targetVariable } from "./mutation.js";

const usage = `usage: npm run mutate -- FOLDER|FILE... [--force]
Folders: ${Object.keys(mutationAreas).join(", ")}; or files of one of them.`;

/** A line for whoever typed something that cannot be mutated. */
const mistakeIn = (targets: readonly string[]): string | undefined => {
  const [first] = targets;
  if (first === undefined) return "nothing to mutate was named; name a folder or files";
  const odd = targets.find((target) => areaOf(target) === undefined);
  if (odd !== undefined)
    return `${odd} cannot be mutated; name one of ${Object.keys(mutationAreas).join(", ")}, or a file there`;
  const stranger = targets.find((target) => areaOf(target) !== areaOf(first));
  if (stranger !== undefined)
    return `${stranger} is not in the same folder as ${first}; mutate them one after the other`;
  const missing = targets.find((target) => !existsSync(target));
  return missing === undefined ? undefined : `${missing} does not exist; give paths from the root of the repository`;
};

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

const main = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { force: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const targets = positionals.map((target) => target.replace(/^\.\//, "").replace(/\/+$/, ""));
  const mistake = mistakeIn(targets);
  if (mistake !== undefined) {
    console.error(`mutate: ${mistake}`);
    return 2;
  }
  await mutate(targets, values.force);
  return 0;
};

process.exitCode = await main(process.argv.slice(2));
