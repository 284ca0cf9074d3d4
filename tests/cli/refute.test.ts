/** `sfork refute` as a user types it. */
import { CommanderError } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { refuteCommand } from "../../cli/refute.js";
import { parseTextProgram } from "../../conformance/program/text.js";
import { decodeProgram } from "../../conformance/program/json.js";
import { claimNames, refute } from "../../conformance/refute/refute.js";
import { rightOf } from "../conformance/program/files.js";
import { sfork } from "../support/cli.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The command within this process, so that what it finds can be replaced. */
const run = async (find: typeof refute, ...args: readonly string[]) => {
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      text[stream] += String(chunk);
      return true;
    });
  }
  let code: number | undefined;
  const command = refuteCommand((result) => {
    code = result;
  }, find);
  await command.parseAsync([...args], { from: "user" });
  return { code, ...text };
};

const jsonSchema = z.strictObject({
  ok: z.boolean(),
  seed: z.string(),
  claims: z.array(
    z.strictObject({
      id: z.string(),
      refuted: z.boolean(),
      rule: z.string().nullable(),
      steps: z.number().int().nullable(),
      program: z.unknown(),
      belief: z.string(),
      seconds: z.number(),
    }),
  ),
});

const standing: typeof refute = (name, seed, options) => (name === "CLAIM-3" ? undefined : refute(name, seed, options));

describe("all claims", () => {
  test("are a table, and status 0", async () => {
    const { code, stdout } = await run(refute, "--seed", "cli");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(1, 17).map((line) => line.split(/\s+/)[0])).toEqual(claimNames);
    expect(lines.at(-1)).toMatch(/^16 of 16 claims refuted in \d+\.\d s, seed cli$/);
    expect(code).toBe(0);
  });

  test("are one JSON object, with programs that can be read again", async () => {
    const { code, stdout } = await run(standing, "--seed", "cli", "--json");
    const report = jsonSchema.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ ok: false, seed: "cli" });
    expect(code).toBe(1);
    expect(report.claims.map(({ id }) => id)).toEqual(claimNames);
    for (const { id, refuted, steps, program } of report.claims) {
      expect(refuted).toBe(id !== "CLAIM-3");
      if (refuted) expect(rightOf(decodeProgram(program)).steps).toHaveLength(steps ?? -1);
      else expect([steps, program]).toEqual([null, null]);
    }
  });

  test("one that stands is told, with status 1", async () => {
    const { code, stdout } = await run(standing, "--seed", "cli");
    expect(stdout).toMatch(/^CLAIM-3 {2,}stands {2,}/m);
    expect(stdout).toContain("15 of 16 claims refuted");
    expect(code).toBe(1);
  });
});

describe("one claim", () => {
  test.each(["CLAIM-12", "claim-12", "12"])("is a story, whether it is called %s", async (name) => {
    const { code, stdout } = await run(refute, name, "--seed", "cli");
    expect(stdout).toMatch(/^CLAIM-12: kernel-held pointers need no relocation\nrefuted in 2 steps, by INV-2\n/);
    expect(stdout).toContain("by the true rule");
    expect(stdout).toMatch(/\nagain: npx sfork refute CLAIM-12 --seed cli\n$/);
    expect(code).toBe(0);
  });

  test("is a program for a file", async () => {
    const { stdout } = await run(refute, "CLAIM-12", "--seed", "cli", "--program");
    const { program } = rightOf(parseTextProgram(stdout, "stdout"));
    expect(program.steps.map(({ operation: { op } }) => op)).toEqual(["sigaction", "fork"]);
  });

  test("that stands is told, with status 1", async () => {
    const { code, stdout } = await run(standing, "CLAIM-3", "--seed", "cli");
    expect(stdout).toBe(
      "CLAIM-3: deciding relocation by a capability's address is safe\nstands: none of 2000 programs breaks INV-1\n",
    );
    expect(code).toBe(1);
  });
});

describe("wrong usage is one line and status 2", () => {
  test.each([
    [["CLAIM-17"], "Name one of CLAIM-1 to CLAIM-16, or none for all."],
    [["CLAIM-01"], "Name one of CLAIM-1 to CLAIM-16, or none for all."],
    [["INV-1"], "Name one of CLAIM-1 to CLAIM-16, or none for all."],
    [["--seed", "a b"], "option '--seed <seed>' argument 'a b' is invalid. Give up to 64 letters"],
    [["--program"], "--program needs the name of a claim; add one, such as CLAIM-3"],
    [["CLAIM-1", "--program", "--json"], "option '--program' cannot be used with option '--json'"],
    [["CLAIM-1", "CLAIM-2"], "too many arguments. Expected 1 argument but got 2"],
  ])("%j", async (args, message) => {
    const command = refuteCommand(() => undefined);
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    const refused: unknown = await command.parseAsync([...args], { from: "user" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CommanderError);
    expect(String(refused)).toContain(message);
    expect(String(refused)).not.toContain("\n");
  });

  test("as it is printed", async () => {
    const { status, stdout, stderr } = await sfork(["refute", "0"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^sfork: [^\n]+\n$/);
  });

  test("--help shows examples", async () => {
    const { status, stdout } = await sfork(["refute", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("$ sfork refute CLAIM-3");
  });
});

test("Ctrl-C ends after the claim that is searched, with what there is so far and status 130", async () => {
  const { status, stdout, stderr } = await sfork(["refute", "--seed", "cli"], /CLAIM-1 /);
  expect(stderr).toContain("stopping after this claim; once more to stop at once\n");
  expect(stdout).toMatch(/\n\d+ of 16 claims refuted/);
  expect(status).toBe(130);
});
