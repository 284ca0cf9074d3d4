/** `sfork replay`: a finding again, from its token or its program, on any machine. */
import process from "node:process";
import { isLeft } from "fp-ts/lib/Either.js";
import { Command, Option } from "commander";
import { z } from "zod";
import {
  checked,
  judgeAs,
  judgeProgram,
  minimised,
  type CampaignSettings,
  type Found,
} from "../conformance/check/campaign.js";
import { readComplete } from "../conformance/check/files.js";
import { isToken, parseToken } from "../conformance/check/token.js";
import { formatNames } from "../conformance/program/config-codec.js";
import { printFinding } from "./check-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, out } from "./output.js";

const examples = `
Examples:
  $ sfork replay sf1:WzUsImZhc3QiLDYzLDMwLCJtaXhlZCIsNTAsImsiLDFd
  $ sfork replay .sfork/findings/REF-4-c2006f1c7aa2.sfork
  $ sfork replay --impl spec-lazy finding.sfork

A token says which implementation is checked; a file is run on the one that --impl names.
Exit status: 0 it held; 1 the finding shows again; 2 wrong usage, or a token of another generator.`;

const optionsSchema = z.object({ impl: z.enum(checked) });

type Options = z.infer<typeof optionsSchema>;

interface Outcome {
  readonly settings: CampaignSettings;
  readonly found: Found | undefined;
  readonly steps: number;
}

/** A program of one's own is number 0 of no seed. */
const ofFile = async (
  file: string,
  { impl }: Options,
  done: (code: ExitCode) => void,
): Promise<Outcome | undefined> => {
  const read = await readComplete(file, impl);
  if (isLeft(read)) {
    complain(read.left.describe());
    done(exitCodes.usage);
    return undefined;
  }
  const program = read.right;
  const { config, steps } = program;
  const { finding } = judgeAs(impl, program, { full: true });
  const settings: CampaignSettings = {
    ...{ impl, seed: "file", formats: formatNames, strategies: [config.strategy], profile: "mixed" },
    steps: Math.max(1, steps.length),
  };
  return { settings, found: finding && { index: 0, finding }, steps: steps.length };
};

const ofToken = (token: string, done: (code: ExitCode) => void): Outcome | undefined => {
  const replay = parseToken(token);
  if (isLeft(replay)) {
    complain(replay.left.describe());
    done(exitCodes.usage);
    return undefined;
  }
  const { settings, index } = replay.right;
  const { verdict } = judgeProgram(settings, index);
  const found = verdict.finding && minimised(settings, { index, finding: verdict.finding });
  return { settings, found, steps: verdict.steps };
};

export const replayCommand = (done: (code: ExitCode) => void): Command =>
  new Command("replay")
    .description("show a finding again, from its token or its program")
    .argument("<target>", "a token that check printed, or a program file; - is standard input")
    .addOption(new Option("--impl <name>", "what a program file is run on").choices(checked).default("fast"))
    .addHelpText("after", examples)
    .action(async (target: string, options: unknown) => {
      const outcome = isToken(target)
        ? ofToken(target, done)
        : await ofFile(target, optionsSchema.parse(options), done);
      if (outcome === undefined) return;
      const { settings, found, steps } = outcome;
      done(found === undefined ? exitCodes.held : exitCodes.finding);
      process.stdout.write(
        found === undefined
          ? `${out.green(`${settings.impl} holds in ${steps} steps`)}\n`
          : printFinding(settings, found, undefined),
      );
    });
