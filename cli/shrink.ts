/** `sfork shrink`: a failing program made smaller. */
import process from "node:process";
import { Command } from "commander";
import { isLeft } from "fp-ts/lib/Either.js";
import { z } from "zod";
import { createWhole } from "../conformance/atomic.js";
import type { Checkable } from "../conformance/check/campaign.js";
import { settingsAround } from "../conformance/check/files.js";
import type { CompleteProgram, Finding } from "../conformance/check/finding.js";
import type { Minimised } from "../conformance/check/minimise.js";
import { labelOf } from "../conformance/check/token.js";
import { judgeAlone, type Workers } from "../conformance/check/workers.js";
import { InputError, whyUnwritable } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { programCodec } from "../conformance/program/json.js";
import { printCommented } from "../conformance/program/print.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { implOption, implSchema, makeReady } from "./implementation.js";
import { complain, err, out } from "./output.js";
import { programOf, refuseEmpty } from "./target.js";

const examples = `
Examples:
  $ sfork shrink finding.sfork
  $ sfork shrink finding.sfork --output smaller.sfork
  $ sfork shrink --impl spec-lazy --json finding.sfork

The program is judged as sfork replay judges it. Steps, threads and processes are left out, and configuration, offsets,
numbers, rights and capabilities made plainer, as long as the same rule is broken by the same operation in the same way.
What it came to is printed as a program file, or saved; how small that is, is told on standard error.

Exit status: 0 it held, so that there is nothing to shrink; 1 it fails; 2 wrong usage; 3 the output could not be written.`;

const optionsSchema = z.object({
  impl: implSchema,
  output: z.string().min(1).optional(),
  json: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

type Small = Extract<Minimised, { readonly kind: "small" }>;

/** The program as a file that says what is wrong with it. */
const textOf = ({ finding }: Small): string => {
  const { rule, kind, what, where, step, expected, actual, program } = finding;
  return printCommented(program, [
    `${rule}: ${what} (${kind}; ${where}; step ${step})`,
    `expected: ${expected}`,
    `actual:   ${actual}`,
  ]);
};

const summaryOf = ({ finding, judged, minimal }: Small, before: number): string => {
  const sizes = `${plural(before, "step")} became ${finding.program.steps.length}`;
  const end = minimal
    ? "no step can be left out"
    : "the budget ended before that was all; shrink what came of it again";
  return `${sizes}, ${plural(judged, "candidate")} judged: ${end}`;
};

const findingJson = ({ kind, rule, step, where, what, expected, actual, program }: Finding): object => ({
  ...{ kind, rule, step, where, what, expected, actual },
  program: programCodec.encode(program),
});

/** One object, for programs to read; `before`: steps that there were. */
const jsonOf = (impl: string, before: number, result: Minimised | undefined, path: string | undefined): object => {
  if (result === undefined) return { ok: true, impl, before, steps: before };
  if (result.kind === "flaky") return { ok: false, impl, before, steps: before, kind: "flaky" };
  const { finding, judged, minimal } = result;
  const { steps } = finding.program;
  return { ok: false, impl, before, steps: steps.length, judged, minimal, ...findingJson(finding), path: path ?? null };
};

/** The path, if the program could be saved there; otherwise a line says why not, and how the command ends. */
const save = (text: string, path: string, done: (code: ExitCode) => void): string | undefined => {
  const refuse = (code: ExitCode, why: string): void => {
    complain(new InputError(path, undefined, why).describe());
    done(code);
  };
  try {
    if (createWhole(path, text)) return path;
    refuse(exitCodes.usage, "is there already; name another --output");
  } catch (error) {
    refuse(exitCodes.environment, `cannot be written: ${whyUnwritable(error)}`);
  }
  return undefined;
};

const judged = async (
  workers: Workers,
  impl: Checkable,
  file: string,
  program: CompleteProgram,
): Promise<Minimised | undefined> => {
  const settings = settingsAround(impl, program);
  const { index, verdict } = await judgeAlone(workers, settings, { index: 0, file, program });
  const { finding } = verdict;
  return finding && (await workers.minimise({ settings, found: { index, file, finding } }));
};

const printed = (result: Minimised | undefined, impl: Checkable, before: number): string => {
  if (result === undefined)
    return `${out.green(`${labelOf(impl)} holds in ${plural(before, "step")}: there is nothing to shrink`)}\n`;
  if (result.kind === "small") return textOf(result);
  return `${out.red("flaky: it failed, and then did not fail the same way twice again; it is left as it was")}\n`;
};

const shrink = async (
  file: string,
  options: Options,
  done: (code: ExitCode) => void,
  workersOf: ((count: number) => Workers) | undefined,
): Promise<void> => {
  const refuse = (error: InputError): void => {
    complain(error.describe());
    done(exitCodes.usage);
  };
  const ready = await makeReady(options.impl);
  if (ready === undefined) {
    done(exitCodes.environment);
    return;
  }
  const { impl } = ready;
  const read = await programOf(file, impl);
  if (isLeft(read)) {
    await ready.close();
    refuse(read.left);
    return;
  }
  const before = read.right.steps.length;
  // In another thread: what does not end, or ends its thread, ends as others do.
  const workers = (workersOf ?? ready.workers)(1);
  const result = await judged(workers, impl, file, read.right);
  await workers.close();
  await ready.close();
  if (result === undefined && before === 0) {
    refuse(refuseEmpty(file));
    return;
  }
  done(result === undefined ? exitCodes.held : exitCodes.finding);
  const isSmall = result?.kind === "small";
  const path = isSmall && options.output !== undefined ? save(textOf(result), options.output, done) : undefined;
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(labelOf(impl), before, result, path), null, 2)}\n`);
  // What could not be saved is printed: it took a while to find.
  else process.stdout.write(path === undefined ? printed(result, impl, before) : `${path}\n`);
  if (isSmall) process.stderr.write(`${err.dim(summaryOf(result, before))}\n`);
};

/** `workersOf` is what a test replaces. */
export const shrinkCommand = (done: (code: ExitCode) => void, workersOf?: (count: number) => Workers): Command =>
  new Command("shrink")
    .description("make a failing program smaller")
    .argument("<file>", "a program file; - is standard input")
    .addOption(implOption("what it is run on").default("fast"))
    .option("--output <file>", "save the program here, where nothing is yet, instead of printing it")
    .option("--json", "print one JSON object")
    .addHelpText("after", examples)
    .action(async (file: string, options: unknown) => {
      await shrink(file, optionsSchema.parse(options), done, workersOf);
    });
