/** What `sfork check` finds in something that is broken on purpose, as a row of a table. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { z } from "zod";

/** What came of a breakage that was found. */
export interface Found {
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

export interface Row {
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

/** Runs the command of a package in a folder. The files that it writes there say when. */
export const check = (command: string, folder: string, options: readonly string[]): Found | undefined => {
  const started = Date.now();
  const args = [command, "check", "--fail-fast", "--json", ...options];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  if (stdout === "") throw new Error(`sfork check said nothing but: ${stderr}`);
  const [finding] = reportSchema.parse(JSON.parse(stdout)).findings;
  if (finding === undefined) return undefined;
  const { rule, kind, index, steps } = finding;
  const [raw = 0, small = 0] = [finding.raw, finding.path].map((file) => statSync(path.join(folder, file)).mtimeMs);
  return { rule, kind, programs: index + 1, seconds: (raw - started) / 1000, steps, shrinking: (small - raw) / 1000 };
};

export const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

export const heading: readonly string[] = [
  ...["breakage", "found", "rule", "programs", "seconds", "steps after shrinking", "seconds of shrinking"],
];

export const cellsOf = ({ name, found }: Row): readonly string[] => {
  if (found === undefined) return [name, "missed", "", "", "", "", ""];
  const { rule, kind, programs, seconds, steps, shrinking } = found;
  return [name, kind, rule, `${programs}`, seconds.toFixed(1), `${steps}`, shrinking.toFixed(1)];
};

export const jsonOf = ({ name, says, found }: Row): object => {
  if (found === undefined) return { name, says, found: false };
  const { rule, kind, programs, seconds, steps, shrinking } = found;
  return { name, says, found: true, rule, kind, programs, seconds, steps, shrinking };
};
