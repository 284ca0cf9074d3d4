/** `sfork replay`: a finding again, from its token or its program, on any machine. */
import process from "node:process";
import { isLeft } from "fp-ts/lib/Either.js";
import { Command } from "commander";
import { z } from "zod";
import { became, type CampaignSettings, type Found } from "../conformance/check/campaign.js";
import { isExternal } from "../conformance/check/external.js";
import { labelOf } from "../conformance/check/token.js";
import { judgeAlone, type Workers } from "../conformance/check/workers.js";
import type { InputError } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { printFinding } from "./check-report.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { implOption, implSchema, makeReady, type ImplName } from "./implementation.js";
import { complain, out } from "./output.js";
import { refuseEmpty, targetOf, type Target } from "./target.js";

const examples = `
Examples:
  $ sfork replay sf1:WzYsImZhc3QiLDYzLDMwLCJtaXhlZCIsNTAsImsiLDFd
  $ sfork replay .sfork/findings/REF-4-c2006f1c7aa2.sfork
  $ sfork replay --impl spec-lazy finding.sfork
  $ sfork replay --impl exec:"./my-kernel --serve" sf1:WzYs…

A token says which implementation is checked; a file is run on the one that --impl names (fast). What is found is made
smaller, as check makes it: a token and the file that was saved with it come to the same.
Exit status: 0 it held; 1 the finding shows again; 2 wrong usage, or a token of another generator.`;

const optionsSchema = z.object({ impl: implSchema.optional() });

/** What a token says that is checked. */
const namedIn = ({ impl }: CampaignSettings): ImplName => {
  if (typeof impl === "string") return impl;
  // No token says what a command or a defect is.
  return isExternal(impl) ? { command: impl.command } : "fast";
};

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

const replay = async (
  given: string,
  options: unknown,
  done: (code: ExitCode) => void,
  workersOf: ((count: number) => Workers) | undefined,
): Promise<void> => {
  const refuse = (error: InputError): void => {
    complain(error.describe());
    done(exitCodes.usage);
  };
  // What a command starts says what there may be in a token.
  const { impl: name } = optionsSchema.parse(options);
  const named = name === undefined ? undefined : await makeReady(name);
  if (name !== undefined && named === undefined) {
    done(exitCodes.environment);
    return;
  }
  const target = await targetOf(given, named?.impl);
  if (isLeft(target)) {
    await named?.close();
    refuse(target.left);
    return;
  }
  const { settings } = target.right;
  const ready = named ?? (await makeReady(namedIn(settings)));
  if (ready === undefined) {
    done(exitCodes.environment);
    return;
  }
  const workers = (workersOf ?? ready.workers)(1);
  const { found, steps } = await again(workers, target.right);
  await workers.close();
  await ready.close();
  if (found === undefined && steps === 0) {
    refuse(refuseEmpty(given));
    return;
  }
  done(found === undefined ? exitCodes.held : exitCodes.finding);
  process.stdout.write(
    found === undefined
      ? `${out.green(`${labelOf(settings.impl)} holds in ${plural(steps, "step")}`)}\n`
      : printFinding(settings, found, undefined),
  );
};

/** `workersOf` is what a test replaces. */
export const replayCommand = (done: (code: ExitCode) => void, workersOf?: (count: number) => Workers): Command =>
  new Command("replay")
    .description("show a finding again, from its token or its program")
    .argument("<target>", "a token that check printed, or a program file; - is standard input")
    .addOption(
      implOption("what a program file is run on (default: fast); a token's implementation, if a command starts it"),
    )
    .addHelpText("after", examples)
    .action(async (target: string, options: unknown) => {
      await replay(target, options, done, workersOf);
    });
