/**
 * Breaks something at a time, and says whether `sfork check` finds it: a line of the optimised machine, or, with `--kernel`,
 * what the specification says of POSIX, which the running kernel is asked about.
 *
 *   npm run breakages -- [--kernel] [--seed SEED] [--json] [NAME or FILE.patch]...
 *
 * Each patch of tests/breakages (tests/mistakes), or those that are named, is put into a copy of the built package, and the
 * command is run there as anybody would run it. Exit code 1 if a breakage is missed.
 */
import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { InputError } from "../conformance/errors.js";
import { breakageNames, brokenPackage, readBreakage, type Breakage, type Finder } from "./breakage.js";
import { cellsOf, check, heading, jsonOf, line, type Row } from "./found.js";

const optionsFor = (finder: Finder, seed: string): readonly string[] => [
  ...["--impl", finder, "--seed", seed],
  ...(finder === "linux" ? ["--runs", "2000", "--steps", "40"] : []),
];

const rowOf = (breakage: Breakage, seed: string): Row => {
  const copy = brokenPackage(breakage);
  try {
    return {
      name: breakage.name,
      says: breakage.says,
      found: check("dist/cli/main.js", copy, optionsFor(breakage.finder, seed)),
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

const main = (args: readonly string[]): number => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      json: { type: "boolean", default: false },
      kernel: { type: "boolean", default: false },
    },
  });
  const seed = values.seed ?? randomInt(2 ** 32).toString();
  const say = (text: string): void => {
    if (!values.json) console.log(text);
  };
  const breakages = (positionals.length === 0 ? breakageNames[values.kernel ? "linux" : "fast"] : positionals).map(
    readBreakage,
  );
  say([line(heading), line(heading.map(() => "---"))].join("\n"));
  const rows = breakages.map((breakage) => {
    const row = rowOf(breakage, seed);
    say(line(cellsOf(row)));
    return row;
  });
  const found = rows.filter((row) => row.found !== undefined).length;
  say(`\n${found} of ${rows.length} breakages found, seed ${seed}`);
  if (values.json) {
    console.log(JSON.stringify({ ok: found === rows.length, seed, breakages: rows.map(jsonOf) }, null, 2));
  }
  return found === rows.length ? 0 : 1;
};

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!(error instanceof InputError) && !isUsage) throw error;
  console.error(`breakages: ${error instanceof InputError ? error.describe() : error.message}`);
  process.exitCode = 2;
}
