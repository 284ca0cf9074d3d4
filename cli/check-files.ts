/** The files that a command writes: those that `--report` names, and findings. */
import { replaceWhole, tryReplacing } from "../conformance/atomic.js";
import { InputError, whyUnwritable } from "../conformance/errors.js";
import { tryStore } from "../conformance/check/store.js";
import type { Report } from "./check-options.js";
import { complain } from "./output.js";

const refused = ({ kind, file }: Report<string>, error: unknown): InputError =>
  new InputError(file, undefined, `the ${kind} report cannot be written here: ${whyUnwritable(error)}`);

/** Throws the `InputError` of the first report that cannot be written. */
export const tryReports = (reports: readonly Report<string>[]): void => {
  for (const report of reports) {
    try {
      tryReplacing(report.file);
    } catch (error) {
      throw refused(report, error);
    }
  }
};

/** Why reports could not be written; the others are. */
export const writeReports = <Kind extends string>(
  reports: readonly Report<Kind>[],
  texts: Readonly<Record<Kind, () => string>>,
): readonly InputError[] =>
  reports.flatMap((report) => {
    try {
      replaceWhole(report.file, texts[report.kind]());
      return [];
    } catch (error) {
      return [refused(report, error)];
    }
  });

/** Can findings be saved? A line says why not: they would be lost when they are found. */
export const canSave = (folder: string): boolean => {
  try {
    tryStore(folder);
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain(error.describe());
    return false;
  }
};
