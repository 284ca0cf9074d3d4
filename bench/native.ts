/** Programs in C beside the benchmarks, for scale: compiled where there is a compiler, and missing where there is none. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** A program that was compiled; `run` answers the numbers of each line that it prints. */
export interface Native {
  /** A folder that goes with it. */
  readonly folder: string;
  /** Throws where the program fails. */
  readonly run: (args: readonly string[]) => readonly (readonly string[])[];
}

/** Beside this file, or, where this is what was built of it, in the folder that it was built from. */
const sourceOf = (name: string): string | undefined =>
  [`c/${name}.c`, `../../bench/c/${name}.c`]
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((place) => existsSync(place));

/** Calls an action with the program, or with undefined where it cannot be compiled here; and removes the program. */
export const withNative = <T>(name: string, action: (native: Native | undefined) => T): T => {
  const source = sourceOf(name);
  const folder = mkdtempSync(path.join(tmpdir(), "sfork-bench-"));
  const file = path.join(folder, name);
  try {
    const compiled =
      source !== undefined &&
      spawnSync("cc", ["-std=c11", "-O2", source, "-o", file], { stdio: "ignore" }).status === 0;
    if (!compiled) return action(undefined);
    return action({
      folder,
      run: (args) => {
        const { status, stdout } = spawnSync(file, args, { encoding: "utf8" });
        if (status !== 0) throw new Error(`bench/c/${name}.c ended with ${status ?? "a signal"}`);
        return stdout
          .trim()
          .split("\n")
          .map((line) => line.split(" "));
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
