/**
 * Breakages, as patches: of one line of the optimised machine in tests/breakages, and mistakes about POSIX in the
 * specification, which the kernel knows better, in tests/mistakes. Read, applied to a source text, and put into a copy of the
 * built package.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import ts from "typescript";
import { InputError, whyUnreadable } from "../conformance/errors.js";

const root = path.resolve(import.meta.dirname, "..");

const folders = { fast: "tests/breakages", linux: "tests/mistakes" } as const;

/** Who is to find them: the implementation that is checked beside the specification. */
export type Finder = keyof typeof folders;

export interface Breakage {
  readonly name: string;
  /** What is broken: the comment on top of the patch. */
  readonly says: string;
  /** The patch, and the source that it is for; both from the root on. */
  readonly patch: string;
  readonly file: string;
  readonly finder: Finder;
  /** Lines as they are, and as they become; some around the change are the same. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const namesIn = (finder: Finder): readonly string[] =>
  readdirSync(path.join(root, folders[finder]))
    .filter((name) => name.endsWith(".patch"))
    .map((name) => path.basename(name, ".patch"))
    .sort();

/** Names of those that stay in the tree. */
export const breakageNames: Readonly<Record<Finder, readonly string[]>> = {
  fast: namesIn("fast"),
  linux: namesIn("linux"),
};

/** The file of a name, or of a patch of one's own. */
const fileOf = (name: string): string => {
  if (name.endsWith(".patch")) return path.resolve(name);
  const finder: Finder = breakageNames.linux.includes(name) ? "linux" : "fast";
  return path.join(root, folders[finder], `${name}.patch`);
};

/** A unified diff of one hunk in one file, below a comment that says what it breaks. Throws `InputError`. */
export const readBreakage = (name: string): Breakage => {
  const patch = path.relative(root, fileOf(name));
  const refuse = (message: string): InputError => new InputError(patch, undefined, message);
  const lines = ((): readonly string[] => {
    try {
      return readFileSync(fileOf(name), "utf8").trimEnd().split("\n");
    } catch (error) {
      throw refuse(`${whyUnreadable(error)}; the breakages are ${Object.values(breakageNames).flat().join(", ")}`);
    }
  })();
  const hunks = lines.flatMap((line, at) => (line.startsWith("@@ ") ? [at + 1] : []));
  const files = lines.flatMap((line) => /^\+\+\+ b\/((?:impl\/fast|spec\/sfork)\/\S+\.ts)$/.exec(line)?.[1] ?? []);
  const [start, file, says] = [hunks[0], files[0], /^# (.+)$/.exec(lines[0] ?? "")?.[1]];
  if (start === undefined || file === undefined || says === undefined || hunks.length > 1 || files.length > 1) {
    throw refuse(
      "is no breakage; write a line that begins with #, and below it a diff of one hunk in impl/fast or spec/sfork",
    );
  }
  const finder: Finder = file.startsWith("impl/fast/") ? "fast" : "linux";
  const side = (signs: string): readonly string[] =>
    lines.slice(start).flatMap((line) => (signs.includes(line.slice(0, 1)) ? [line.slice(1)] : []));
  return { name: path.basename(patch, ".patch"), says, patch, file, finder, before: side(" -"), after: side(" +") };
};

/** The source with the breakage in it. Throws `InputError` where its lines are not there any longer, or more than once. */
const broken = ({ patch, file, before, after }: Breakage, source: string): string => {
  const around = (lines: readonly string[]): string => `\n${lines.join("\n")}\n`;
  const pieces = `\n${source}`.split(around(before));
  if (pieces.length !== 2) {
    const why = pieces.length < 2 ? "its lines are not there" : "its lines are there more than once";
    throw new InputError(patch, undefined, `does not apply to ${file}: ${why}; make it again from the file as it is`);
  }
  return pieces.join(around(after)).slice(1);
};

const sourceOf = ({ file }: Breakage): string => readFileSync(path.join(root, file), "utf8");

/** The changed source as it is now. */
export const brokenSource = (breakage: Breakage): string => broken(breakage, sourceOf(breakage));

/** A folder with the package as it was built, but for the breakage. Whoever asks for it removes it. */
export const brokenPackage = (breakage: Breakage): string => {
  const text = brokenSource(breakage);
  const copy = mkdtempSync(path.join(tmpdir(), "sfork-breakage-"));
  cpSync(path.join(root, "dist"), path.join(copy, "dist"), { recursive: true });
  for (const file of ["package.json", "impl/linux/driver.c"]) cpSync(path.join(root, file), path.join(copy, file));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"), "junction");
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(text, { compilerOptions: options });
  writeFileSync(path.join(copy, "dist", breakage.file.replace(/\.ts$/, ".js")), outputText);
  return copy;
};
