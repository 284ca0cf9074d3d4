/** What the tests of `sfork check` share: the command within this process, its JSON, and a checker that finds everything. */
import { join } from "node:path";
import { afterEach, vi } from "vitest";
import { z } from "zod";
import { checkCommand } from "../../cli/check.js";
import { specification, type Checker } from "../../conformance/check/judge.js";
import { thisThread, type Workers } from "../../conformance/check/workers.js";

/** Every operation has a finding of its own. */
export const everything: Checker = {
  ...specification,
  violations: () => [{ rule: "INV-7", where: "P0", what: "is wrong" }],
};

interface Ended {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly folder: string;
}

/** What the command has printed so far. */
export type Watch = (text: { readonly stdout: string; readonly stderr: string }) => void;

/** The command within this process, so that what it checks can be broken. */
export const inProcess = (temporary: () => string) => {
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const checkOn = async (
    workers: (count: number) => Workers,
    args: readonly string[],
    folder = join(temporary(), "findings"),
    watch: Watch = () => undefined,
  ): Promise<Ended> => {
    const text = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
        text[stream] += String(chunk);
        watch(text);
        return true;
      });
    }
    let code: number | undefined;
    const command = checkCommand(
      (result) => {
        code = result;
      },
      { workers, folder },
    );
    await command.parseAsync([...args], { from: "user" });
    return { code, ...text, folder };
  };
  const check = (checker: Checker, args: readonly string[], folder?: string): Promise<Ended> =>
    checkOn(() => thisThread(checker), args, folder);
  return { check, checkOn };
};

/** The object as public-surface has it, with what is said besides. */
const counts = z.record(z.string(), z.number());
const jsonSchema = z.strictObject({
  ok: z.boolean(),
  runs: z.number().int(),
  steps: z.number().int(),
  seed: z.string(),
  shard: z.string(),
  programsPerSecond: z.number().min(0),
  impl: z.enum(["spec-lazy", "fast"]),
  strategies: z.array(z.string()),
  formats: z.array(z.string()),
  profile: z.string(),
  regressions: z.array(z.strictObject({ file: z.string(), rule: z.string().nullable(), held: z.boolean() })),
  findings: z.array(
    z.strictObject({
      kind: z.enum(["observation", "view", "counters", "invariant", "crash", "hang", "worker", "flaky"]),
      rule: z.string(),
      program: z.looseObject({ version: z.literal(1), steps: z.array(z.looseObject({ op: z.string() })) }),
      steps: z.number().int(),
      step: z.number().int(),
      minimal: z.boolean(),
      where: z.string(),
      what: z.string(),
      expected: z.string(),
      actual: z.string(),
      also: z.array(z.string()),
      index: z.number().int().nullable(),
      file: z.string().nullable(),
      programs: z.number().int(),
      path: z.string().nullable(),
      raw: z.string().nullable(),
      replay: z.string(),
    }),
  ),
  errors: z.array(z.strictObject({ file: z.string(), message: z.string() })),
  checks: z.array(z.strictObject({ rule: z.string(), checked: z.number(), failed: z.number() })),
  masked: z.number(),
  transitions: z.strictObject({ checked: z.number(), inFull: z.number() }),
  ended: counts,
  looks: z.number(),
  coverage: z.looseObject({ programs: z.number(), cornerCases: counts }).optional(),
  interrupted: z.literal(true).optional(),
});

export const object = (text: string): z.infer<typeof jsonSchema> => jsonSchema.parse(JSON.parse(text));
