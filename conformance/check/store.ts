/** The failure store: a folder of program files, each of which showed a finding once. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isLeft } from "fp-ts/lib/Either.js";
import { InputError, whyUnreadable } from "../errors.js";
import { parseProgram } from "../program/file.js";
import { configOf } from "../program/trace.js";
import type { CompleteProgram } from "./finding.js";
import type { SavedFinding } from "./saved.js";

/** Where findings are saved, from the working directory, unless somebody says otherwise. */
export const defaultFolder = ".sfork/findings";

interface StoredProgram {
  /** The folder's path and the file's name. */
  readonly path: string;
  readonly program: CompleteProgram;
}

export interface Store {
  /** By name. */
  readonly programs: readonly StoredProgram[];
  /** Program files, or the folder, that cannot be read. */
  readonly unreadable: readonly InputError[];
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

const readStored = (path: string): StoredProgram | InputError => {
  try {
    const source = parseProgram(readFileSync(path, "utf8"), path);
    if (isLeft(source)) return source.left;
    const config = configOf(source.right, path);
    if (isLeft(config)) return config.left;
    const { version, steps } = source.right.program;
    return { path, program: { version, config: config.right, steps } };
  } catch (error) {
    return new InputError(path, undefined, whyUnreadable(error));
  }
};

/** All program files of a folder, `.sfork` and `.json`. A folder that is not there is empty. Does not throw. */
export const readStore = (folder: string): Store => {
  try {
    const names = readdirSync(folder).filter((name) => /\.(sfork|json)$/.test(name));
    const programs: StoredProgram[] = [];
    const unreadable: InputError[] = [];
    for (const name of names.sort()) {
      const read = readStored(join(folder, name));
      if (read instanceof InputError) unreadable.push(read);
      else programs.push(read);
    }
    return { programs, unreadable };
  } catch (error) {
    const none = { programs: [], unreadable: [] };
    return codeOf(error) === "ENOENT"
      ? none
      : { ...none, unreadable: [new InputError(folder, undefined, whyUnreadable(error))] };
  }
};

/** Create the file, unless it is there already with the same text; false if it is there with another. */
const create = (path: string, text: string): boolean => {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return readFileSync(path, "utf8") === text;
  }
};

/** So many files of one name are somebody's mistake, not findings. */
const mostNames = 1000;

/** Save a finding and return its path. What is there already is never overwritten; throws `InputError`. */
export const saveFinding = (folder: string, { name, text }: SavedFinding): string => {
  try {
    mkdirSync(folder, { recursive: true });
    for (let number = 1; number <= mostNames; number += 1) {
      const path = join(folder, number === 1 ? name : name.replace(/\.sfork$/, `-${number}.sfork`));
      if (create(path, text)) return path;
    }
  } catch (error) {
    throw new InputError(folder, undefined, `the finding cannot be saved here: ${whyUnreadable(error)}`);
  }
  throw new InputError(folder, undefined, `the finding cannot be saved here: ${name} is taken; clear the folder`);
};
