/**
 * Counts the lines of code of the specification and compares them with the limits that keep it readable.
 *
 *   tsx scripts/count-lines.ts [ROOT]
 *
 * Blank lines and lines that hold only comments are not counted. Exit code 1 if a limit is passed.
 */
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import ts from "typescript";

export interface Row {
  readonly name: string;
  readonly lines: number;
  readonly limit: number;
}

const FILE_LIMIT = 300;

/** A file belongs to the first folder listed here that contains it. */
const FOLDERS = [
  { name: "spec/sfork/variants", limit: 700 },
  { name: "spec/sfork", limit: 2620 },
  { name: "spec/invariants", limit: 1400 },
  { name: "spec/cheri", limit: 1200 },
];

/**
 * The number of lines of `text` on which some token stands. The text is parsed rather than searched: only the parser
 * can tell a comment from the inside of a string, of a template or of a regular expression.
 */
export function countLines(text: string): number {
  const source = ts.createSourceFile("counted.ts", text, ts.ScriptTarget.Latest, true);
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
  const counted = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    if (children.length > 0) {
      children.forEach(visit);
      return;
    }
    const start = node.getStart(source);
    if (start === node.end) return;
    const first = source.getLineAndCharacterOfPosition(start).line;
    const last = source.getLineAndCharacterOfPosition(node.end).line;
    for (let line = first; line <= last; line += 1) {
      if (lines[line]?.trim() !== "") counted.add(line);
    }
  };
  visit(source);
  return counted.size;
}

/** One row for each folder and for each file under `root`/spec, with its limit. */
export function measure(root: string): { readonly folders: readonly Row[]; readonly files: readonly Row[] } {
  const files = readdirSync(path.join(root, "spec"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join("spec", file.split(path.sep).join("/")))
    .sort()
    .map((name) => ({
      name,
      lines: countLines(readFileSync(path.join(root, name), "utf8")),
      limit: FILE_LIMIT,
    }));
  const folderOf = (file: string): string | undefined => FOLDERS.find(({ name }) => file.startsWith(`${name}/`))?.name;
  const folders = FOLDERS.map(({ name, limit }) => ({
    name,
    lines: files.filter((file) => folderOf(file.name) === name).reduce((total, file) => total + file.lines, 0),
    limit,
  }));
  return { folders: folders.sort((a, b) => a.name.localeCompare(b.name)), files };
}

function main(root: string): number {
  const { folders, files } = measure(root);
  if (files.length === 0) {
    console.error(`${path.join(root, "spec")} holds no TypeScript file; give the root of the checkout`);
    return 2;
  }
  const width = Math.max(...[...folders, ...files].map((row) => row.name.length));
  const print = ({ name, lines, limit }: Row): void => {
    const verdict = lines > limit ? `  over the limit by ${lines - limit}` : "";
    console.log(`${name.padEnd(width)}  ${String(lines).padStart(5)}  of ${String(limit).padStart(5)}${verdict}`);
  };
  files.forEach(print);
  console.log();
  folders.forEach(print);
  return [...folders, ...files].some(({ lines, limit }) => lines > limit) ? 1 : 0;
}

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = main(process.argv[2] ?? path.resolve(import.meta.dirname, ".."));
}
