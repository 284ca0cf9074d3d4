/**
 * `npm run bite`: every test that `docs/rules.md` names passes, and fails once the body of its function is replaced by the
 * trivial one. Arguments, if any, pick the cases that contain one of them.
 */
import process from "node:process";
import { entries } from "./document.js";
import { bites, runMutants } from "./mutants.js";

const wanted = process.argv.slice(2);
const chosen = entries.filter(({ id }) => wanted.length === 0 || wanted.some((part) => id.includes(part)));
const verdicts = await runMutants(chosen);
const toothless = verdicts.filter((verdict) => !bites(verdict));
for (const { entry, unchanged, trivial } of toothless) {
  console.error(
    `${entry.id}: the test "${entry.testName}" in ${entry.testFile} is ${unchanged} with the specification as it is, ` +
      `and ${trivial} where ${entry.name} is ${entry.trivial}`,
  );
}
console.log(`${verdicts.length - toothless.length} of ${verdicts.length} tests bite`);
process.exitCode = toothless.length === 0 && verdicts.length > 0 ? 0 : 1;
