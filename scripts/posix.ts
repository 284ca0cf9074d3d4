/**
 * Writes the table of requirements on fork, `docs/posix.md`, with the counts of a recorded run of generated programs.
 *
 *   tsx scripts/posix.ts [--runs N] [--seed S]
 *   tsx scripts/posix.ts --check
 *
 * Writing it takes a C compiler: programs of the profile posix run on the kernel, too, which must observe the same.
 * Without options the run is that of the document as it is. With --check nothing is written; exit code 1 if the document is
 * out of date. Counts are checked by running the programs again, unless they are too many for that.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { besideKernel } from "../conformance/check/kernel.js";
import { countsOf, recordingOf, requirementsDocument } from "../conformance/requirements/document.js";
import { kernelProgram, record, type Recording } from "../conformance/requirements/witness.js";

const file = "docs/posix.md";

/** What is recorded if nobody says otherwise: some ten seconds. */
const usual: Recording = { seed: "posix", runs: 400 };

/** A check runs no more programs again than these. */
const mostAgain = 500;

const current = (root: string): string => {
  try {
    return readFileSync(path.join(root, file), "utf8");
  } catch {
    return "";
  }
};

/** Is the document as it should be? */
export const isCurrent = (root: string): boolean => {
  const text = current(root);
  const recording = recordingOf(text);
  if (recording === undefined) return false;
  const counts = recording.runs <= mostAgain ? record(recording) : countsOf(text);
  return requirementsDocument(recording, counts) === text;
};

const write = (root: string, given: Partial<Recording>): void => {
  const recording = { ...(recordingOf(current(root)) ?? usual), ...given };
  for (let index = 0; index < recording.runs; index += 1) {
    const { finding } = besideKernel(kernelProgram(recording.seed, index));
    if (finding !== undefined)
      throw new Error(`program ${index}: ${finding.where} ${finding.what}; sfork check --impl linux`);
  }
  writeFileSync(path.join(root, file), requirementsDocument(recording, record(recording)));
  console.log(file);
};

const options = {
  runs: { type: "string" },
  seed: { type: "string" },
  check: { type: "boolean", default: false },
} as const;

type Arguments = { readonly check: boolean } & Partial<Recording>;

/** Undefined where they are none that the script has. */
const readArguments = (args: readonly string[]): Arguments | undefined => {
  try {
    const { runs, seed, check } = parseArgs({ args: [...args], options }).values;
    const isNumber = runs === undefined || /^[1-9]\d{0,6}$/.test(runs);
    const isSeed = seed === undefined || /^[\w-]+$/.test(seed);
    if (!isNumber || !isSeed || (check && (runs ?? seed) !== undefined)) return undefined;
    return { check, ...(runs === undefined ? {} : { runs: Number(runs) }), ...(seed === undefined ? {} : { seed }) };
  } catch {
    return undefined;
  }
};

const main = (args: readonly string[], root: string): number => {
  const wanted = readArguments(args);
  if (wanted === undefined) {
    console.error("posix: the arguments are [--runs N] [--seed S], or --check");
    return 2;
  }
  const { check, ...given } = wanted;
  if (!check) {
    write(root, given);
    return 0;
  }
  if (isCurrent(root)) return 0;
  console.error(`${file} is out of date; run npx tsx scripts/posix.ts`);
  return 1;
};

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = main(process.argv.slice(2), path.resolve(import.meta.dirname, ".."));
}
