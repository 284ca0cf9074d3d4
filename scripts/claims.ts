/**
 * Writes the page of baselines and false claims, `docs/claims.md`: searches a program against each claim and tells it.
 *
 *   tsx scripts/claims.ts [--check]
 *
 * With --check nothing is written; exit code 1 if the page is out of date.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { claimsDocument, usualSeed } from "../conformance/refute/document.js";

const file = "docs/claims.md";

const current = (root: string): string => {
  try {
    return readFileSync(path.join(root, file), "utf8");
  } catch {
    return "";
  }
};

/** Is the page what the tool tells now? */
export const isCurrent = (root: string): boolean => claimsDocument(usualSeed) === current(root);

const main = (args: readonly string[], root: string): number => {
  const [option, ...others] = args;
  if (others.length > 0 || (option !== undefined && option !== "--check")) {
    console.error("claims: the only argument is --check");
    return 2;
  }
  if (option === undefined) {
    writeFileSync(path.join(root, file), claimsDocument(usualSeed));
    console.log(file);
    return 0;
  }
  if (isCurrent(root)) return 0;
  console.error(`${file} is out of date; run npx tsx scripts/claims.ts`);
  return 1;
};

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = main(process.argv.slice(2), path.resolve(import.meta.dirname, ".."));
}
