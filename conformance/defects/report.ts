/**
 * What became of defects as a mutation-testing report (schema version 1, of mutation-testing-elements): each is a mutant of a
 * file as it is built, killed where it was found. A defect of several places stands at the first of each file.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { escapeHtml } from "../html.js";
import type { Defect, Edit } from "./defect.js";
import { sourceOf } from "./load.js";

/** What was tried of a defect. */
export interface Outcome {
  readonly defect: Defect;
  readonly programs: number;
  readonly seconds: number;
  readonly found: { readonly rule: string; readonly steps: number } | undefined;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Lines and columns count from 1. */
const positionOf = (text: string, at: number): Position => {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
};

const mutantOf = ({ defect, programs, seconds, found }: Outcome, edit: Edit, text: string) => {
  const start = text.indexOf(edit.find);
  const tried = `${programs} ${programs === 1 ? "program" : "programs"}, ${seconds.toFixed(1)} s`;
  return {
    id: defect.id,
    mutatorName: defect.mistake,
    replacement: edit.put,
    location: { start: positionOf(text, start), end: positionOf(text, start + edit.find.length) },
    status: found === undefined ? "Survived" : "Killed",
    statusReason: found === undefined ? `missed in ${tried}` : `${found.rule} after ${tried}; ${found.steps} steps`,
    duration: Math.round(seconds * 1000),
    ...(found !== undefined && { killedBy: [found.rule] }),
    testsCompleted: programs,
  };
};

/** The first edit that a defect makes in each file. */
const firstEdits = ({ edits }: Defect): readonly Edit[] =>
  edits.filter((edit, index) => edits.findIndex(({ file }) => file === edit.file) === index);

export const mutationReport = (outcomes: readonly Outcome[]) => {
  const places = outcomes.flatMap((outcome) => firstEdits(outcome.defect).map((edit) => ({ outcome, edit })));
  const files = [...new Set(places.map(({ edit }) => edit.file))].sort();
  return {
    schemaVersion: "1",
    thresholds: { high: 100, low: 90 },
    files: Object.fromEntries(
      files.map((file) => {
        const source = sourceOf(file);
        const here = places.filter(({ edit }) => edit.file === file);
        const mutants = here.map(({ outcome, edit }) => mutantOf(outcome, edit, source));
        return [`impl/fast/${file}.js`, { language: "javascript", source, mutants }];
      }),
    ),
  };
};

/** In a script of a page: nothing in it ends the script. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/** A page that needs nothing but itself. */
export const mutationPage = (outcomes: readonly Outcome[], title: string): string => {
  const elements = fileURLToPath(import.meta.resolve("mutation-testing-elements/mutation-test-elements.js"));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<script>${readFileSync(elements, "utf8").replaceAll("</script", "<\\/script")}</script>
</head>
<body>
<mutation-test-report-app title-postfix="defects"></mutation-test-report-app>
<script>document.querySelector("mutation-test-report-app").report = ${embedded(mutationReport(outcomes))};</script>
</body>
</html>
`;
};
