/** Findings on disk. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SavedFinding } from "../conformance/check/saved.js";
import { InputError, whyUnreadable } from "../conformance/errors.js";

const exists = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST";

/** Create the file, unless it is there already with the same text; false if it is there with another. */
export const createFile = (path: string, text: string): boolean => {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (!exists(error)) throw error;
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
      if (createFile(path, text)) return path;
    }
  } catch (error) {
    throw new InputError(folder, undefined, `the finding cannot be saved here: ${whyUnreadable(error)}`);
  }
  throw new InputError(folder, undefined, `the finding cannot be saved here: ${name} is taken; clear the folder`);
};
