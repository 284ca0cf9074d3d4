/** What goes where: results to standard output, everything else to standard error; each coloured only on a terminal. */
import process from "node:process";
import picocolors from "picocolors";

const allowed = process.env["NO_COLOR"] === undefined && process.env["TERM"] !== "dumb";

/** A stream that is no terminal has no such member; picocolors would then decide for itself, and colours what CI reads. */
const coloured = (stream: Partial<Pick<NodeJS.WriteStream, "isTTY">>): boolean => allowed && stream.isTTY === true;

/** Colours for standard output, and for standard error. */
export const out = picocolors.createColors(coloured(process.stdout));
export const err = picocolors.createColors(coloured(process.stderr));

/** One line that says what was wrong, where, and how to mend it. */
export const complain = (line: string): void => {
  process.stderr.write(`${err.red(line)}\n`);
};

/** A line of a long output, as fast as its reader reads. Where the reader has gone there is nothing to wait for. */
export const writeLine = (line: string): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(`${line}\n`, () => {
      resolve();
    });
  });
