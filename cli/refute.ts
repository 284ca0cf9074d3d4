/** `sfork refute`: false claims about a fork in one address space, each with a program of a few steps that refutes it. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { programCodec } from "../conformance/program/json.js";
import { printTextProgram } from "../conformance/program/print.js";
import { printStory } from "../conformance/refute/print.js";
import { claimNames, refute, usualBudget, type Refutation } from "../conformance/refute/refute.js";
import { storyOf } from "../conformance/refute/story.js";
import { claims, type ClaimName } from "../spec/sfork/variants/claims.js";
import { seedOf } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { err, out } from "./output.js";
import { createProgress } from "./progress.js";

const optionsSchema = z.object({
  seed: z.string().optional(),
  json: z.boolean().default(false),
  program: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ sfork refute
  $ sfork refute CLAIM-3
  $ sfork refute CLAIM-10 --seed 7 --program
  $ sfork refute --json

Each claim is made into a machine with one false rule, beside the true one. Programs are generated until one breaks what
the claim promises, and shrunk: nothing is stored. docs/claims.md tells what came of it for one seed.

Exit status: 0 every claim was refuted; 1 one stands; 2 wrong usage; 3 the output could not be written; 130 interrupted.`;

/** `CLAIM-3`, `claim-3` or `3`. */
const claimOf = (text: string): ClaimName => {
  const [, number = ""] = /^(?:claim-)?(\d+)$/i.exec(text) ?? [];
  const found = claimNames.find((name) => name === `CLAIM-${number}`);
  if (found === undefined) {
    throw new InvalidArgumentError(
      `Name one of ${claimNames[0] ?? ""} to ${claimNames.at(-1) ?? ""}, or none for all.`,
    );
  }
  return found;
};

interface Attempt {
  readonly claim: ClaimName;
  readonly seconds: number;
  readonly refutation: Refutation | undefined;
}

const claimJson = ({ claim, seconds, refutation }: Attempt): object => ({
  id: claim,
  refuted: refutation !== undefined,
  rule: refutation?.breach.rule ?? null,
  steps: refutation?.program.steps.length ?? null,
  program: refutation === undefined ? null : programCodec.encode(refutation.program),
  belief: claims[claim].belief,
  seconds: Number(seconds.toFixed(3)),
});

const widest = Math.max(...claimNames.map(({ length }) => length));

const row = (cells: readonly [claim: string, by: string, steps: string, time: string, belief: string]): string => {
  const [claim, by, steps, time, belief] = cells;
  return `${claim.padEnd(widest)}  ${by.padEnd(6)}  ${steps.padStart(5)}  ${time.padStart(7)}  ${belief}`;
};

const rowOf = ({ claim, seconds, refutation }: Attempt): string => {
  const time = `${seconds.toFixed(1)} s`;
  const { belief } = claims[claim];
  if (refutation === undefined) return out.red(row([claim, "stands", "", time, belief]));
  return row([claim, refutation.breach.rule, String(refutation.program.steps.length), time, belief]);
};

const stands = ({ claim }: Attempt): string =>
  `${claim}: ${claims[claim].belief}\n${out.red(`stands: none of ${usualBudget} programs breaks ${claims[claim].breaks[0]}`)}\n`;

const storyLines = ({ refutation }: Attempt & { readonly refutation: Refutation }, seed: string): string =>
  `${printStory(storyOf(refutation))}\n${out.dim(`again: npx sfork refute ${refutation.claim} --seed ${seed}`)}\n`;

/** What is printed of one claim that was asked for by its name. */
const single = (attempt: Attempt, seed: string, { program }: Options): string => {
  const { refutation } = attempt;
  if (refutation === undefined) return stands(attempt);
  return program ? printTextProgram(refutation.program) : storyLines({ ...attempt, refutation }, seed);
};

const run = async (
  claim: ClaimName | undefined,
  options: Options,
  done: (code: ExitCode) => void,
  find: typeof refute,
): Promise<void> => {
  const seed = options.seed ?? randomInt(2 ** 32).toString();
  const wanted = claim === undefined ? claimNames : [claim];
  const isTable = claim === undefined && !options.json;
  const progress = createProgress();
  const abort = new AbortController();
  const interrupt = (): void => {
    progress.clear();
    process.stderr.write("stopping after this claim; once more to stop at once\n");
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  if (isTable) process.stdout.write(`${out.bold(row(["claim", "breaks", "steps", "time", "belief"]))}\n`);
  const attempts: Attempt[] = [];
  for (const name of wanted) {
    const started = performance.now();
    const refutation = find(name, seed, {
      tick: (tried) => {
        progress.update(`${name}: ${tried} programs tried, of ${usualBudget}`);
      },
    });
    progress.clear();
    const attempt = { claim: name, seconds: (performance.now() - started) / 1000, refutation };
    attempts.push(attempt);
    if (isTable) process.stdout.write(`${rowOf(attempt)}\n`);
    await turn();
    if (abort.signal.aborted) break;
  }
  process.off("SIGINT", interrupt);
  const refuted = attempts.filter(({ refutation }) => refutation !== undefined);
  const ok = refuted.length === attempts.length;
  const interrupted = attempts.length < wanted.length;
  const ended = interrupted ? exitCodes.interrupted : exitCodes.held;
  done(ok ? ended : exitCodes.finding);
  const [only] = attempts;
  if (options.json) {
    const report = {
      ok: ok && !interrupted,
      seed,
      claims: attempts.map(claimJson),
      ...(interrupted ? { interrupted } : {}),
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else if (claim === undefined) {
    const seconds = attempts.reduce((sum, one) => sum + one.seconds, 0).toFixed(1);
    process.stdout.write(`\n${refuted.length} of ${wanted.length} claims refuted in ${seconds} s, seed ${seed}\n`);
    process.stderr.write(err.dim("sfork refute CLAIM-1 tells how\n"));
  } else if (only !== undefined) {
    process.stdout.write(single(only, seed, options));
  }
};

/** `find` is what a test replaces. */
export const refuteCommand = (done: (code: ExitCode) => void, find: typeof refute = refute): Command =>
  new Command("refute")
    .description("refute false claims about a fork in one address space, each with a program of a few steps")
    .addArgument(new Argument("[claim]", "CLAIM-1 to CLAIM-16; without it, a table of all").argParser(claimOf))
    .addOption(new Option("--seed <seed>", "where to search (default: anywhere)").argParser(seedOf))
    .addOption(new Option("--program", "print the program alone, as a file for sfork run").conflicts("json"))
    .option("--json", "print one JSON object at the end")
    .addHelpText("after", examples)
    .action(async (claim: ClaimName | undefined, options: unknown, command: Command) => {
      const parsed = optionsSchema.parse(options);
      if (parsed.program && claim === undefined)
        command.error("error: --program needs the name of a claim; add one, such as CLAIM-3");
      await run(claim, parsed, done, find);
    });
