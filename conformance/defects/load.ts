/** A defective variant of the optimised implementation: a copy of what was built of it, changed, and loaded. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Implementation } from "../../impl/implementation.js";
import type { Config } from "../../spec/sfork/config.js";
import { defects } from "./catalogue.js";
import type { Defect, Edit } from "./defect.js";

type Create = (config: Config) => Implementation;

/** The folder of the built implementation: a change is made in what runs. */
const built = (): string => path.dirname(createRequire(import.meta.url).resolve("sfork/impl/fast"));

/** Files of the implementation, by the names that edits have for them. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .map((name) => name.slice(0, -".js".length).split(path.sep).join("/"));

const textOf = (folder: string, file: string): string => readFileSync(path.join(folder, `${file}.js`), "utf8");

/** A file of the implementation as it is built. */
export const sourceOf = (file: string): string => textOf(built(), file);

const times = (text: string, part: string): number => text.split(part).length - 1;

/** What is wrong with an edit; undefined where its place is there, once. */
export const misplaced = ({ file, find }: Edit, folder = built()): string | undefined => {
  if (!filesIn(folder).includes(file)) return `impl/fast has no file ${file}`;
  const found = times(textOf(folder, file), find);
  return found === 1 ? undefined : `${JSON.stringify(find)} is ${found} times in impl/fast/${file}`;
};

/** Imports from outside the folder, wherever the copy lies; without the map of its source, which is not there. */
const outward = (text: string, at: string, folder: string): string =>
  text.replace(/^\/\/# sourceMappingURL=.*$/m, "").replaceAll(/from "(\.[^"]*)"/g, (whole, place: string) => {
    const target = path.resolve(path.dirname(at), place);
    return target.startsWith(folder + path.sep) ? whole : `from "${pathToFileURL(target).href}"`;
  });

const copyWith = ({ id, edits }: Defect, folder: string, copy: string): void => {
  writeFileSync(path.join(copy, "package.json"), '{"type":"module"}');
  for (const file of filesIn(folder)) {
    const source = path.join(folder, `${file}.js`);
    const changed = edits
      .filter((edit) => edit.file === file)
      .reduce((text, { find, put }) => text.replace(find, () => put), textOf(folder, file));
    const target = path.join(copy, `${file}.js`);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, outward(changed, source, folder));
  }
  const wrong = edits.map((edit) => misplaced(edit, folder)).find((one) => one !== undefined);
  if (wrong !== undefined) throw new RangeError(`defect ${id}: ${wrong}; build again, or mend the defect`);
};

const isCreate = (value: unknown): value is Create => typeof value === "function";

/** Load a variant. Throws a `RangeError` for an edit whose place is not there. */
export const loadDefect = async (id: string): Promise<Create> => {
  const defect = defects.find((one) => one.id === id);
  if (defect === undefined) throw new RangeError(`there is no defect ${id}`);
  const copy = mkdtempSync(path.join(tmpdir(), `sfork-${id}-`));
  try {
    copyWith(defect, built(), copy);
    const loaded: unknown = await import(pathToFileURL(path.join(copy, "index.js")).href);
    const create =
      typeof loaded === "object" && loaded !== null && "createFast" in loaded ? loaded.createFast : undefined;
    if (!isCreate(create)) throw new RangeError(`defect ${id}: there is no createFast`);
    return create;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};
