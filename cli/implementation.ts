/** What `--impl` names, ready to be checked; or a line that says what is missing for it. */
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { checked, type Checkable } from "../conformance/check/campaign.js";
import { Externals } from "../conformance/check/externals.js";
import { threads, type Workers } from "../conformance/check/workers.js";
import { whyUnwritable } from "../conformance/errors.js";
import { driverFile, Unavailable } from "../impl/linux/index.js";
import { exitCodes } from "./errors.js";
import { complain } from "./output.js";

const prefix = "exec:";

type Named = (typeof checked)[number];

/** A name, or what starts an implementation in another process. */
export type ImplName = Named | { readonly command: string };

const isNamed = (text: string): text is Named => checked.some((name) => name === text);

const parse = (text: string): ImplName => {
  if (isNamed(text)) return text;
  const command = text.startsWith(prefix) ? text.slice(prefix.length).trim() : "";
  if (command !== "") return { command };
  throw new InvalidArgumentError(`Name one of ${checked.join(", ")}, or exec:"COMMAND", which starts one of your own.`);
};

export const implSchema = z.custom<ImplName>((value) => value !== undefined);

export const implOption = (description: string): Option => new Option("--impl <name>", description).argParser(parse);

/** What is checked, and how to make who judges it. */
export interface Ready {
  readonly impl: Checkable;
  /** As many threads at a time. */
  readonly workers: (count: number) => Workers;
  /** When nothing more is judged. */
  readonly close: () => Promise<void>;
}

/** Where an implementation's standard error goes. */
const logFile = ".sfork/implementation.log";
const mostLog = 1 << 20;

const logger = (): ((text: string) => void) => {
  let left = mostLog;
  let isOpen = false;
  return (text) => {
    if (left <= 0) return;
    try {
      if (!isOpen) {
        mkdirSync(dirname(logFile), { recursive: true });
        rmSync(logFile, { force: true });
        isOpen = true;
      }
      appendFileSync(logFile, text.slice(0, left));
      left -= text.length;
      if (left <= 0) appendFileSync(logFile, "\n(what it wrote after that was not kept)\n");
    } catch (error) {
      left = 0;
      complain(`${logFile}: ${whyUnwritable(error)}; what the implementation writes to standard error is lost`);
    }
  };
};

const external = async (command: string): Promise<Ready | undefined> => {
  const externals = new Externals(command, logger());
  // Whatever ends this process, nothing is left of them.
  const kill = (): void => {
    externals.kill();
  };
  const end = (): void => {
    process.exit(exitCodes.interrupted);
  };
  const signals = ["SIGTERM", "SIGHUP"] as const;
  process.once("exit", kill);
  for (const signal of signals) process.once(signal, end);
  const close = async (): Promise<void> => {
    await externals.close();
    process.off("exit", kill);
    for (const signal of signals) process.off(signal, end);
  };
  const impl = await externals.start();
  if ("why" in impl) {
    complain(`exec:${command}: it ${impl.why}; docs/protocol.md says what is asked of it`);
    await close();
    return undefined;
  }
  return { impl, workers: (count) => threads(count, undefined, externals), close };
};

const named = (impl: Named): Ready | undefined => {
  try {
    if (impl === "linux") driverFile();
    return { impl, workers: (count) => threads(count), close: () => Promise.resolve() };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    complain(error.message);
    return undefined;
  }
};

/** Make an implementation ready; undefined, after a line that says why, where that cannot be done. */
export const makeReady = (name: ImplName): Promise<Ready | undefined> =>
  typeof name === "string" ? Promise.resolve(named(name)) : external(name.command);
