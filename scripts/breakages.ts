/**
 * Breaks something at a time, and says whether `sfork check` finds it: a line of the optimised machine, or, with `--kernel`,
 * what the specification says of POSIX, which the running kernel is asked about.
 *
 *   npm run breakages -- [--kernel] [--seed SEED] [--json] [NAME or FILE.patch]...
 *
 * Each patch of tests/breakages (tests/mistakes), or those that are named, is put into a copy of the built package, and the
 * command is run there as anybody would run it. Exit code 1 if a breakage is missed.
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { z } from "zod";
import { InputError } from "../conformance/errors.js";
import { breakageNames, brokenPackage, readBreakage, type Breakage, type Finder } from "./breakage.js";

/** What came of a breakage that was found. */
interface Found {
  readonly rule: string;
  readonly kind: string;
  /** Programs up to the one that shows it. */
  readonly programs: number;
  /** Until the finding was on disk, from the command's start on. */
  readonly seconds: number;
  readonly steps: number;
  /** Until it was there as small as it became. */
  readonly shrinking: number;
}

interface Row {
  readonly name: string;
  readonly says: string;
  readonly found: Found | undefined;
}

const reportSchema = z.object({
  findings: z.array(
    z.object({
      rule: z.string(),
      kind: z.string(),
      index: z.number(),
      steps: z.number(),
      path: z.string(),
      raw: z.string(),
    }),
  ),
});

/** Runs the command in a copy of the package. The files that it writes say when. */
const check = (copy: string, finder: Finder, seed: string): Found | undefined => {
  const started = Date.now();
  const limits = finder === "linux" ? ["--runs", "2000", "--steps", "40"] : [];
  const args = ["dist/cli/main.js", "check", "--impl", finder, "--fail-fast", "--seed", seed, "--json", ...limits];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  if (stdout === "") throw new Error(`sfork check said nothing but: ${stderr}`);
  const [finding] = reportSchema.parse(JSON.parse(stdout)).findings;
  if (finding === undefined) return undefined;
  const { rule, kind, index, steps } = finding;
  const [raw = 0, small = 0] = [finding.raw, finding.path].map((file) => statSync(path.join(copy, file)).mtimeMs);
  return { rule, kind, programs: index + 1, seconds: (raw - started) / 1000, steps, shrinking: (small - raw) / 1000 };
};

const rowOf = (breakage: Breakage, seed: string): Row => {
  const copy = brokenPackage(breakage);
  try {
    return { name: breakage.name, says: breakage.says, found: check(copy, breakage.finder, seed) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const heading: readonly string[] = [
  ...["breakage", "found", "rule", "programs", "seconds", "steps after shrinking", "seconds of shrinking"],
];

const cellsOf = ({ name, found }: Row): readonly string[] => {
  if (found === undefined) return [name, "missed", "", "", "", "", ""];
  const { rule, kind, programs, seconds, steps, shrinking } = found;
  return [name, kind, rule, `${programs}`, seconds.toFixed(1), `${steps}`, shrinking.toFixed(1)];
};

const jsonOf = ({ name, says, found }: Row): object => {
  if (found === undefined) return { name, says, found: false };
  const { rule, kind, programs, seconds, steps, shrinking } = found;
  return { name, says, found: true, rule, kind, programs, seconds, steps, shrinking };
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
