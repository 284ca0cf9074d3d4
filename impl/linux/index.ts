/**
 * The running kernel as an implementation of the posix profile: real processes, real forks. A program runs as a whole; what
 * each step let be seen comes back as a list.
 */
import type { Config } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { Driver, Unavailable } from "./driver.js";
import { firstLine, readSeen, stepLine, type Seen } from "./lines.js";

export { driverFile, Unavailable } from "./driver.js";
export type { Result, Seen } from "./lines.js";

/** What became of a program. */
export interface Ran {
  /** One for each step that was taken. */
  readonly seen: readonly Seen[];
  /** Why not all of them were: the driver ended, or said what makes no sense. */
  readonly broken: string | undefined;
}

let driver: Driver | undefined;

/** Run a program; `xlen` are the bits of its integers. Throws `Unavailable`. */
export const runOnLinux = (config: Config, xlen: bigint, steps: readonly Step[]): Ran => {
  driver ??= new Driver();
  const [ready, ...lines] = driver.exchange(
    [firstLine(config, xlen, steps.length), ...steps.map(stepLine)],
    steps.length + 1,
  );
  if (ready === "unable")
    throw new Unavailable("no process can be started for a program: limits of this user, or of this machine");
  const seen = lines.map((line) => readSeen(line, xlen));
  const wrong = seen.indexOf(undefined);
  const good = seen.slice(0, wrong === -1 ? undefined : wrong).filter((one) => one !== undefined);
  if (good.length === steps.length) return { seen: good, broken: undefined };
  driver.close();
  driver = undefined;
  return { seen: good, broken: wrong === -1 ? "the driver ended" : `the driver says: ${lines[wrong] ?? ""}` };
};
