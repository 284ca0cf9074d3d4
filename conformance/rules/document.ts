/** `docs/rules.md`, read. */
import path from "node:path";

export const documentFile = "docs/rules.md";

/** One case of a rule. Files are named from the root of the project. */
export interface Entry {
  /** Rule and case, `CAP-2 csetbounds`. */
  readonly id: string;
  readonly demands: string;
  readonly file: string;
  readonly name: string;
  /** What the body of the function is replaced by. */
  readonly trivial: string;
  readonly source: string;
  readonly testFile: string;
  /** The full name of the test that fails then. */
  readonly testName: string;
}

/** A rule with its text. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly entries: readonly Entry[];
}

const entryPattern = new RegExp(
  [
    String.raw`^(?<id>\S+ \S+)\n\n(?<demands>[^]+?)\n\n`,
    String.raw`- code: \[(?<name>[\w.]+)\]\((?<file>\S+)\), trivial: ${"`"}(?<trivial>[^${"`"}]+)${"`"}\n`,
    String.raw`- source: (?<source>[^]+?)\n`,
    String.raw`- test: \[(?<test>[^\]]+)\]\((?<testFile>\S+)\)\n*$`,
  ].join(""),
);

const fromRoot = (link: string): string => path.posix.join(path.posix.dirname(documentFile), link);

const readEntry = (text: string): Entry => {
  const fields = entryPattern.exec(text)?.groups;
  if (fields === undefined) throw new Error(`${documentFile}: cannot read this entry:\n### ${text}`);
  const { id = "", demands = "", name = "", file = "", trivial = "", source = "", test = "", testFile = "" } = fields;
  return {
    id,
    demands,
    file: fromRoot(file),
    name,
    trivial,
    source: source.replace(/\s+/g, " "),
    testFile: fromRoot(testFile),
    testName: `${id}: ${test}`,
  };
};

/** Every rule of the document's text. Throws if an entry cannot be read. */
export const readRules = (text: string): readonly Rule[] =>
  text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [opening = "", ...entries] = section.split(/^### /m);
      const [heading = "", ...prose] = opening.split("\n");
      const [id = "", ...title] = heading.split(" ");
      return { id, title: title.join(" "), text: prose.join("\n").trim(), entries: entries.map(readEntry) };
    });
