/**
 * Builds the example in C with each of its mistakes, and says whether `sfork check` finds it from outside, on defaults.
 *
 *   npm run example-defects -- [--seed SEED] [--json] [NAME]...
 *
 * It takes make and a C compiler. Exit code 1 if a mistake is missed.
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { cellsOf, check, heading, jsonOf, line, type Row } from "./found.js";

const root = path.resolve(import.meta.dirname, "..");
const example = path.join(root, "examples/c-sasos");

/** The README's table: name, and what is wrong. */
const mistakes: readonly (readonly [name: string, says: string])[] = Array.from(
  readFileSync(path.join(example, "README.md"), "utf8").matchAll(/^\| `DEFECT_(\w+)`[^|]*\| ([^|]*) \|/gm),
  ([, name = "", says = ""]) => [name, says] as const,
);

const build = (name: string): string => {
  const target = `build/c-sasos-${name}`;
  const { status, stderr } = spawnSync("make", ["-C", example, target], { encoding: "utf8" });
  if (status !== 0) throw new Error(`make ${target} fails: ${stderr}`);
  return path.join(example, target);
};

const rowOf = ([name, says]: (typeof mistakes)[number], seed: string): Row => {
  const program = build(name);
  const folder = mkdtempSync(path.join(tmpdir(), "sfork-example-"));
  try {
    const options = ["--impl", `exec:${program}`, "--seed", seed, "--time", "60s"];
    return { name, says, found: check(path.join(root, "dist/cli/main.js"), folder, options) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const main = (args: readonly string[]): number => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const seed = values.seed ?? randomInt(2 ** 32).toString();
  const unknown = positionals.find((name) => !mistakes.some(([known]) => known === name));
  if (unknown !== undefined) {
    console.error(`example-defects: ${unknown} is no mistake of examples/c-sasos/README.md`);
    return 2;
  }
  const say = (text: string): void => {
    if (!values.json) console.log(text);
  };
  say([line(heading), line(heading.map(() => "---"))].join("\n"));
  const rows = mistakes
    .filter(([name]) => positionals.length === 0 || positionals.includes(name))
    .map((mistake) => {
      const row = rowOf(mistake, seed);
      say(line(cellsOf(row)));
      return row;
    });
  const found = rows.filter((row) => row.found !== undefined).length;
  say(`\n${found} of ${rows.length} mistakes found, seed ${seed}`);
  if (values.json)
    console.log(JSON.stringify({ ok: found === rows.length, seed, mistakes: rows.map(jsonOf) }, null, 2));
  return found === rows.length ? 0 : 1;
};

process.exitCode = main(process.argv.slice(2));
