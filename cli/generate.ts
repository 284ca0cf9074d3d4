/** `sfork generate`: programs as lines, for what cannot be driven live. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { Command, Option } from "commander";
import { z } from "zod";
import { generate } from "../conformance/generate/generate.js";
import type { GenerateOptions } from "../conformance/generate/options.js";
import { InputError } from "../conformance/errors.js";
import { runLine } from "../conformance/protocol/messages.js";
import { allowedOf, runOf, type Declaration } from "../conformance/protocol/negotiate.js";
import { programOptions, programsSchema } from "./check-options.js";
import { readHello } from "./declaration.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, writeLine } from "./output.js";

const examples = `
Examples:
  $ sfork generate --runs 1000 --seed 1 > programs.jsonl
  $ sfork generate --hello hello.json --strategy copa --steps 20 > programs.jsonl
  $ sfork generate --seed 1 | sfork oracle
  $ sfork judge programs.jsonl observations.jsonl

Each line is a run of the protocol (docs/protocol.md), with all numbers reduced into range and who takes each step. A board or
a simulator that cannot be driven live executes them when it can; sfork judge compares what it observed. --hello names a file with what
the implementation declares, as it would answer to hello: programs have nothing else then.

Exit status: 0 all were written; 2 wrong usage; 3 the output could not be written.`;

const optionsSchema = programsSchema.extend({
  hello: z.string().optional(),
  view: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

const usual = 100;

const optionsOf = (options: Options, declaration: Declaration | undefined): GenerateOptions => {
  const { strategy: strategies, format: formats, profile, steps } = options;
  const asked = { formats, strategies, profile, steps };
  if (declaration === undefined) return asked;
  const allowed = allowedOf(asked, declaration);
  if ("wrong" in allowed) throw new InputError(options.hello ?? "sfork", undefined, allowed.wrong);
  return { ...asked, ...allowed };
};

const write = async (options: Options): Promise<void> => {
  const declaration = options.hello === undefined ? undefined : readHello(options.hello).declaration;
  const seed = options.seed ?? randomInt(2 ** 32).toString();
  if (options.seed === undefined) process.stderr.write(`seed ${seed}\n`);
  const asked = optionsOf(options, declaration);
  const over = new AbortController();
  process.stdout.on("close", () => {
    over.abort();
  });
  for (let index = 0; index < (options.runs ?? usual) && !over.signal.aborted; index += 1) {
    const { config, steps } = generate(seed, index, asked);
    await writeLine(runLine(runOf(index, config, steps, options.view)));
  }
};

export const generateCommand = (done: (code: ExitCode) => void): Command =>
  new Command("generate")
    .description("print generated programs, a line each, for what cannot be driven live")
    .addOption(programOptions.strategy())
    .addOption(programOptions.format())
    .addOption(programOptions.profile())
    .addOption(programOptions.runs(`how many programs (default: ${usual})`))
    .addOption(programOptions.steps())
    .addOption(programOptions.seed())
    .addOption(new Option("--hello <file>", "what the implementation declares, as it would answer to hello"))
    .option("--view", "ask for what there is to be seen after the last step, too")
    .addHelpText("after", examples)
    .action(async (options: unknown) => {
      try {
        await write(optionsSchema.parse(options));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });
