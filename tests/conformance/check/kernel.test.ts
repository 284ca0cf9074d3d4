/** The running kernel as a judge (REF-0): it agrees with the specification, and what it would not agree with is found. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { besideKernel, judgeOnKernel } from "../../../conformance/check/kernel.js";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import { generate } from "../../../conformance/generate/generate.js";
import { executableSteps } from "../../../conformance/generate/posix/prefix.js";
import { read } from "../program/files.js";
import { completeConfig } from "../../../spec/sfork/config.js";
import { configOf, programs as requirementPrograms } from "../../requirements/programs.js";
import { withoutKernel } from "../../support/kernel.js";

const posixProgram = (seed: string, index: number): CompleteProgram =>
  generate(seed, index, { profile: "posix", strategies: ["posix"], steps: 40 });

const program = (...lines: readonly string[]): CompleteProgram => {
  const { version, config: given, steps } = read(["sfork 1", "config page=4096 strategy=posix", ...lines].join("\n"));
  const config = completeConfig(given);
  if ("illegal" in config) throw new Error(config.illegal);
  return { version, config, steps };
};

describe("how much of a program a kernel can execute", () => {
  const stepsOf = (...lines: readonly string[]): number => {
    const { config, steps } = program(...lines);
    return executableSteps(config, steps);
  };

  test("all of what the profile generates", () => {
    for (let index = 0; index < 50; index += 1) {
      const { config, steps } = posixProgram("prefix", index);
      expect(executableSteps(config, steps)).toBe(steps.length);
    }
  });

  test("up to the first step on capabilities, bytes of a pointer, or a device", () => {
    expect(stepsOf("0: fork c7", "1: getpid c7", "0: csetbounds c8, c1, 16")).toBe(2);
    expect(stepsOf("0: storecap c1, 0(c1)", "0: load.b c7, 0(c1)")).toBe(1);
    expect(stepsOf("0: virtq_submit c1, 8, w")).toBe(0);
  });

  test("nothing, where pages are smaller than a kernel's", () => {
    const { config, steps } = program("0: fork c7");
    expect(executableSteps({ ...config, page: 256 }, steps)).toBe(0);
  });
});

describe.skipIf(withoutKernel !== undefined)(`the running kernel (${withoutKernel ?? "here"})`, () => {
  test("observes what the specification does, in generated programs", () => {
    let compared = 0;
    for (let index = 0; index < 300; index += 1) {
      const { finding, steps } = besideKernel(posixProgram("kernel", index));
      expect(finding && `${index}: ${finding.where} ${finding.expected} / ${finding.actual}`).toBeUndefined();
      compared += steps;
    }
    expect(compared).toBeGreaterThan(8000);
  });

  test("and so do the other witnesses, in the same programs", () => {
    for (let index = 0; index < 10; index += 1)
      expect(judgeOnKernel(posixProgram("witness", index)).finding).toBeUndefined();
  });

  test("observes it in the programs of the requirements, as far as it can execute them", () => {
    let compared = 0;
    for (const [id, written] of requirementPrograms) {
      const { version, steps } = written.program;
      const config = configOf(written, { page: 4096, strategy: "posix", frames: 512 });
      const { finding, steps: taken } = besideKernel({ version, config, steps });
      expect(finding && `${id}: ${finding.expected} / ${finding.actual}`).toBeUndefined();
      compared += taken;
    }
    expect(compared).toBeGreaterThan(200);
  });

  test("names what it was asked in the program's own terms", () => {
    const { finding, steps } = besideKernel(
      program(
        "0: pipe",
        "0: fork c7",
        "1: close 0",
        "1: write 1, c2, 3",
        "0: read 0, c2, 8",
        "1: exit 7",
        "0: wait c7",
      ),
    );
    expect([finding, steps]).toEqual([undefined, 7]);
  });

  test("leaves nothing behind when whoever asks is killed: no process, no folder", () => {
    const folders = (): readonly string[] => readdirSync("/tmp").filter((name) => name.startsWith("sfork-linux-"));
    const workers = (): number =>
      readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/cmdline`)) return false;
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("sfork-linux");
        } catch {
          return false;
        }
      }).length;
    const before = [folders().length, workers()];
    const script = `
      import { besideKernel } from ${JSON.stringify(new URL("../../../conformance/check/kernel.ts", import.meta.url).href)};
      import { generate } from ${JSON.stringify(new URL("../../../conformance/generate/generate.ts", import.meta.url).href)};
      setTimeout(() => undefined, 1e6);
      for (let index = 0; ; index += 1) {
        besideKernel(generate("killed", index, { profile: "posix", strategies: ["posix"], steps: 40 }));
        if (index === 20) process.kill(process.pid, "SIGKILL");
      }`;
    const { signal } = spawnSync("npx", ["tsx", "--input-type=module", "-e", script], { encoding: "utf8" });
    expect(signal === "SIGKILL" || signal === null).toBe(true);
    const until = Date.now() + 10_000;
    while (Date.now() < until && (folders().length > (before[0] ?? 0) || workers() > (before[1] ?? 0))) {
      spawnSync("sleep", ["0.1"]);
    }
    expect([folders().length, workers()]).toEqual(before);
  }, 60_000);
});
