/** Commands within this process. */
import type { Command } from "commander";
import { vi } from "vitest";
import type { ExitCode } from "../../cli/errors.js";

interface Ended {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with these arguments, and says what it printed and how it ended. */
export const running =
  (command: (done: (code: ExitCode) => void) => Command) =>
  async (...args: readonly string[]): Promise<Ended> => {
    const text = { stdout: "", stderr: "" };
    const spies = (["stdout", "stderr"] as const).map((stream) =>
      vi.spyOn(process[stream], "write").mockImplementation((chunk: unknown, ...others: readonly unknown[]) => {
        text[stream] += String(chunk);
        const written = others.at(-1) as (() => void) | undefined;
        if (typeof written === "function") written();
        return true;
      }),
    );
    let code: number | undefined;
    try {
      const made = command((result) => {
        code = result;
      });
      await made.parseAsync([...args], { from: "user" });
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    return { code, ...text };
  };
