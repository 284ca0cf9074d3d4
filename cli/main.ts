#!/usr/bin/env node
/** The command `sfork`: one file a command; what a user gets wrong is one line and exit status 2. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { generatorVersion } from "../conformance/generate/generate.js";
import { protocolVersion } from "../conformance/protocol/version.js";
import { benchCommand } from "./bench.js";
import { checkCommand } from "./check.js";
import { compareCommand } from "./compare.js";
import { coverageCommand } from "./coverage.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, err } from "./output.js";
import { defectsCommand } from "./defects.js";
import { exhaustCommand } from "./exhaust.js";
import { generateCommand } from "./generate.js";
import { imageCommand } from "./image.js";
import { judgeCommand } from "./judge.js";
import { oracleCommand } from "./oracle.js";
import { replayCommand } from "./replay.js";
import { refuteCommand } from "./refute.js";
import { runCommand } from "./run.js";
import { shrinkCommand } from "./shrink.js";
import { vectorsCommand } from "./vectors.js";

/** Of the package, and of what must be the same for a token, or for an implementation in another process. */
const versions = (): string => {
  const text = readFileSync(new URL(import.meta.resolve("sfork/package.json")), "utf8");
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text));
  return `sfork ${version}, generator ${generatorVersion}, protocol ${protocolVersion}`;
};

const main = async (): Promise<ExitCode> => {
  let code: ExitCode = exitCodes.held;
  // A reader that goes away early (`| head`) does not change the verdict, nor what is saved; nothing to write to does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    complain(`sfork: cannot write the output: ${error.message}`);
    process.exit(exitCodes.environment);
  });
  // Nobody listens to messages: the verdict is what counts.
  process.stderr.on("error", () => undefined);
  const done = (result: ExitCode): void => {
    code = result;
  };
  const program = new Command("sfork")
    .description("Executable specification and conformance kit for CHERI capabilities and fork in one address space")
    .version(versions())
    .addCommand(checkCommand(done))
    .addCommand(runCommand(done))
    .addCommand(replayCommand(done))
    .addCommand(shrinkCommand(done))
    .addCommand(refuteCommand(done))
    .addCommand(defectsCommand(done))
    .addCommand(coverageCommand(done))
    .addCommand(exhaustCommand(done))
    .addCommand(benchCommand(done))
    .addCommand(oracleCommand(done))
    .addCommand(generateCommand(done))
    .addCommand(judgeCommand(done))
    .addCommand(imageCommand(done))
    .addCommand(compareCommand(done))
    .addCommand(vectorsCommand(done))
    .addHelpText("after", "\nRun sfork <command> --help for options and examples.");
  // Commander prints its own one-line message; it must neither exit nor answer with status 1.
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(false)
      .configureOutput({
        outputError: (message, write) => {
          write(err.red(message.replace(/^error: /, "sfork: ").replace(/\n$/, "")) + "\n");
        },
      });
  }
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end with 0; help that nobody asked for ("sfork" alone) is wrong usage.
    return error.exitCode === 0 ? exitCodes.held : exitCodes.usage;
  }
};

process.exitCode = await main();
