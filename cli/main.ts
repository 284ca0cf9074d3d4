#!/usr/bin/env node
/** The command `sfork`: one file a command; what a user gets wrong is one line and exit status 2. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import colors from "picocolors";
import { z } from "zod";
import { exitCodes, type ExitCode } from "./errors.js";
import { vectorsCommand } from "./vectors.js";

const version = (): string => {
  const text = readFileSync(new URL(import.meta.resolve("sfork/package.json")), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
};

const main = async (): Promise<ExitCode> => {
  let code: ExitCode = exitCodes.held;
  const done = (result: ExitCode): void => {
    code = result;
  };
  const program = new Command("sfork")
    .description("Executable specification and conformance kit for CHERI capabilities and fork in one address space")
    .version(version())
    .addCommand(vectorsCommand(done))
    .addHelpText("after", "\nRun sfork <command> --help for options and examples.");
  // Commander prints its own one-line message; it must neither exit nor answer with status 1.
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(false)
      .configureOutput({
        outputError: (message, write) => {
          write(colors.red(message.replace(/^error: /, "sfork: ").replace(/\n$/, "")) + "\n");
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

// A reader that closes the pipe early (`| head`) ends the program quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exitCodes.held : exitCodes.environment);
});

process.exitCode = await main();
