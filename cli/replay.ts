/** `sfork replay`: a finding again, from its token or its program, on any machine. */
import process from "node:process";
import { isLeft, map, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { Command, Option } from "commander";
import { z } from "zod";
import type { Item } from "../conformance/check/batch.js";
import { became, checked, type CampaignSettings, type Found } from "../conformance/check/campaign.js";
import { readComplete, settingsAround } from "../conformance/check/files.js";
import { isToken, parseToken } from "../conformance/check/token.js";
import { judgeAlone, threads, type Workers } from "../conformance/check/workers.js";
import type { InputError } from "../conformance/errors.js";
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

/** Which program is judged, and as part of what. */
interface Target {
  readonly settings: CampaignSettings;
  readonly item: Item;
}

const ofFile = async (file: string, { impl }: Options): Promise<Either<InputError, Target>> =>
  pipe(
    await readComplete(file, impl),
    map((program) => ({ settings: settingsAround(impl, program), item: { index: 0, file, program } })),
  );

const ofToken = (token: string): Either<InputError, Target> =>
  pipe(
    parseToken(token),
    map(({ settings, index }) => ({ settings, item: index })),
  );

/** In another thread: what does not end, or ends its thread, is found again, too. */
const again = async (
  workers: Workers,
  { settings, item }: Target,
): Promise<{ readonly found: Found | undefined; readonly steps: number }> => {
  const { index, file, verdict } = await judgeAlone(workers, settings, item);
  const { finding, steps } = verdict;
  if (finding === undefined) return { found: undefined, steps };
  const found = { index, finding, ...(file !== undefined && { file }) };
  return { found: became(found, await workers.minimise({ settings, found })), steps };
};

/** `workersOf` is what a test replaces. */
export const replayCommand = (
  done: (code: ExitCode) => void,
  workersOf: (count: number) => Workers = threads,
): Command =>
  new Command("replay")
    .description("show a finding again, from its token or its program")
    .argument("<target>", "a token that check printed, or a program file; - is standard input")
    .addOption(new Option("--impl <name>", "what a program file is run on").choices(checked).default("fast"))
    .addHelpText("after", examples)
    .action(async (given: string, options: unknown) => {
      const target = isToken(given) ? ofToken(given) : await ofFile(given, optionsSchema.parse(options));
      if (isLeft(target)) {
        complain(target.left.describe());
        done(exitCodes.usage);
        return;
      }
      const { settings } = target.right;
      const workers = workersOf(1);
      const { found, steps } = await again(workers, target.right);
      await workers.close();
      done(found === undefined ? exitCodes.held : exitCodes.finding);
      process.stdout.write(
        found === undefined
          ? `${out.green(`${settings.impl} holds in ${steps} steps`)}\n`
          : printFinding(settings, found, undefined),
      );
    });
