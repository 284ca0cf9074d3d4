/**
 * Writes the page of baselines and false claims, `docs/claims.md`: searches a program against each claim and tells it.
 *
 *   tsx scripts/claims.ts [--check]
 *   tsx scripts/claims.ts --survive N
 *
 * With --check nothing is written; exit code 1 if the page is out of date. With --survive the same search is made under the
 * true rules, through N programs for each claim; exit code 1 if one breaks a rule.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { claimsDocument, usualSeed } from "../conformance/refute/document.js";
import { claimNames, search } from "../conformance/refute/refute.js";

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

/** The search for each claim, under the true rules. */
const survive = (budget: number): number => {
  const broken = claimNames.filter((name) => {
    const found = search(name, "survive", { side: "true", budget });
    const verdict = found === undefined ? "nothing" : `${found.breach.rule} in program ${found.tried}`;
    console.log(`${name}: ${budget} programs under the true rules break ${verdict}`);
    return found !== undefined;
  });
  return broken.length === 0 ? 0 : 1;
};

const main = (args: readonly string[], root: string): number => {
  const [option, number = "", ...others] = args;
  if (option === "--survive" && /^[1-9]\d{0,6}$/.test(number) && others.length === 0) return survive(Number(number));
  if (args.length > 1 || (option !== undefined && option !== "--check")) {
    console.error("claims: the arguments are none, --check, or --survive and a number of programs");
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
