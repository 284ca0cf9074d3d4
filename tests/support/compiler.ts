/** Tests that need a C compiler. */
import { spawnSync } from "node:child_process";
import process from "node:process";

/** Skipped on a user's machine that has none, with the reason; where everything is to be tested (CI), it fails. */
export const withoutCompiler =
  process.env["CI"] === "true" || spawnSync("cc", ["--version"]).status === 0
    ? undefined
    : "there is no C compiler (cc); install gcc or clang";
