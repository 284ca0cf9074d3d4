/** Run the command as a user would, from its source. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

export const sfork = (args: readonly string[], interruptAfter?: RegExp): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    });
    const output = { stdout: "", stderr: "" };
    let interrupted = false;
    const collect = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
      output[stream] += chunk.toString();
      if (interruptAfter !== undefined && !interrupted && interruptAfter.test(output.stdout + output.stderr)) {
        interrupted = true;
        child.kill("SIGINT");
      }
    };
    child.stdout.on("data", collect("stdout"));
    child.stderr.on("data", collect("stderr"));
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, ...output });
    });
  });
