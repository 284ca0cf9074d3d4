/** The files that `sfork check` writes where `--report` says. */
import { replaceWhole, tryReplacing } from "../conformance/atomic.js";
import { junitXml } from "../conformance/check/junit.js";
import { checkJson, type CheckReport } from "../conformance/check/report.js";
import { InputError } from "../conformance/errors.js";
import type { CheckOptions, ReportKind } from "./check-options.js";

type Reports = CheckOptions["report"];

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist; make it, or name another",
  ENOTDIR: "a part of its path is not a folder; name another",
  EISDIR: "it is a folder; name a file in it",
  EACCES: "it may not be written; check the permissions of its folder",
  EROFS: "its file system is read-only; name another",
  ENOSPC: "no space is left; make some, or name another",
  ENAMETOOLONG: "its name is too long; name another",
};

const refused = (kind: ReportKind, file: string, error: unknown): InputError => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new InputError(file, undefined, `the ${kind} report cannot be written here: ${why}`);
};

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
