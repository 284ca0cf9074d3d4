/** A copy of what was built in which every function of a rule counts its evaluations. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { documentFile, readRules, type Entry, type Rule } from "./document.js";
import { extentOf } from "./extent.js";
import type { Evaluator } from "./counters.js";

/** The root of the package: documents and sources are shipped, too. */
export const packageRoot = (): string => path.dirname(fileURLToPath(import.meta.resolve("sfork/package.json")));

export const shippedRules = (): readonly Rule[] =>
  readRules(readFileSync(path.join(packageRoot(), documentFile), "utf8"));

const copied = ["spec", "impl", "conformance"] as const;

/** Built files by their paths in `dist`, with slashes. */
const builtFiles = (built: string): readonly string[] =>
  copied.flatMap((folder) =>
    readdirSync(path.join(built, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => path.posix.join(folder, name.replaceAll(path.sep, "/"))),
  );

/** Other packages are found from where the copy is not. */
const outward = (text: string): string =>
  text
    .replace(/^\/\/# sourceMappingURL=.*$/m, "")
    .replaceAll(/^((?:import|export)\b[^;"]* from )"([^."][^"]*)";$/gm, (whole, start: string, name: string) =>
      name.startsWith("node:") ? whole : `${start}"${import.meta.resolve(name)}";`,
    );

/** Rules of the checker are evaluated by whoever judges a step, not by the step. */
const evaluatorOf = ({ file }: Pick<Entry, "file">): Evaluator =>
  file.startsWith("spec/invariants/") ? "judge" : "step";

const builtName = (file: string): string => file.replace(/\.ts$/, ".js");

const countersFile = "conformance/rules/counters.js";

type Counted = Pick<Entry, "id" | "file" | "name">;

/** A built file with counters around the functions of these entries. Throws a `RangeError` for one that it does not declare. */
export const instrument = (text: string, entries: readonly Counted[]): string => {
  const [first] = entries;
  if (first === undefined) return text;
  const places = [...new Set(entries.map(({ name }) => name))].map((name) => {
    const extent = extentOf(text, name);
    const same = entries.filter((one) => one.name === name);
    if (extent !== undefined) return { ...extent, same };
    const where = `dist/${builtName(first.file)} declares no ${name}`;
    throw new RangeError(`${same.map(({ id }) => id).join()}: ${where}; build again, or mend ${documentFile}`);
  });
  const counters = path.posix.relative(path.posix.dirname(first.file), countersFile);
  const changed = places
    .toSorted((a, b) => b.value - a.value)
    .reduce((sofar, { value, end, same }) => {
      const wrapped = same.reduce(
        (inner, one) => `counted(${JSON.stringify(one.id)}, "${evaluatorOf(one)}", ${inner})`,
        sofar.slice(value, end),
      );
      return sofar.slice(0, value) + wrapped + sofar.slice(end);
    }, text);
  return `import { counted } from "${counters}";\n${changed}`;
};

export interface Instrumented {
  /** Its worker, for threads. */
  readonly worker: URL;
  readonly remove: () => void;
}

/** Make the copy in a temporary folder. Throws a `RangeError` for a rule whose function is not in what was built. */
export const makeInstrumented = (rules: readonly Rule[]): Instrumented => {
  const built = path.join(packageRoot(), "dist");
  const entries = rules.flatMap((rule) => rule.entries);
  const copy = realpathSync(mkdtempSync(path.join(tmpdir(), "sfork-coverage-")));
  const remove = (): void => {
    rmSync(copy, { recursive: true, force: true });
  };
  try {
    writeFileSync(path.join(copy, "package.json"), '{"type":"module"}');
    const files = builtFiles(built);
    const lost = entries.find(({ file }) => !files.includes(builtName(file)));
    if (lost !== undefined) {
      throw new RangeError(
        `${lost.id}: there is no dist/${builtName(lost.file)}; build again, or mend ${documentFile}`,
      );
    }
    for (const file of files) {
      const text = outward(readFileSync(path.join(built, file), "utf8"));
      const target = path.join(copy, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(
        target,
        instrument(
          text,
          entries.filter((one) => builtName(one.file) === file),
        ),
      );
    }
    return { worker: pathToFileURL(path.join(copy, "conformance/rules/worker.js")), remove };
  } catch (error) {
    remove();
    throw error;
  }
};
