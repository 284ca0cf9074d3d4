/** What goes where: results to standard output, everything else to standard error; each coloured only on a terminal. */
import process from "node:process";
import picocolors from "picocolors";

const allowed = process.env["NO_COLOR"] === undefined && process.env["TERM"] !== "dumb";

/** Colours for standard output, and for standard error. */
export const out = picocolors.createColors(allowed && process.stdout.isTTY);
export const err = picocolors.createColors(allowed && process.stderr.isTTY);

/** One line that says what was wrong, where, and how to mend it. */
export const complain = (line: string): void => {
  process.stderr.write(`${err.red(line)}\n`);
};
