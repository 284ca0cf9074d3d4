/** The files that `sfork check` writes where `--report` says. */
import { replaceWhole, tryReplacing } from "../conformance/atomic.js";
import { junitXml } from "../conformance/check/junit.js";
import { checkJson, type CheckReport } from "../conformance/check/report.js";
import { InputError, whyUnwritable } from "../conformance/errors.js";
import type { CheckOptions, ReportKind } from "./check-options.js";

type Reports = CheckOptions["report"];

const refused = (kind: ReportKind, file: string, error: unknown): InputError =>
  new InputError(file, undefined, `the ${kind} report cannot be written here: ${whyUnwritable(error)}`);

/** Throws the `InputError` of the first report that cannot be written. */
export const tryReports = (reports: Reports): void => {
  for (const { kind, file } of reports) {
    try {
      tryReplacing(file);
    } catch (error) {
      throw refused(kind, file, error);
    }
  }
};

const texts: Readonly<Record<ReportKind, (report: CheckReport) => string>> = {
  junit: junitXml,
  json: (report) => `${JSON.stringify(checkJson(report), null, 2)}\n`,
};

/** Why reports could not be written; the others are. */
export const writeReports = (reports: Reports, report: CheckReport): readonly InputError[] =>
  reports.flatMap(({ kind, file }) => {
    try {
      replaceWhole(file, texts[kind](report));
      return [];
    } catch (error) {
      return [refused(kind, file, error)];
    }
  });
