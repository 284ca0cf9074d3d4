/** The store of findings: a folder of program files to which findings are added, and from which nothing is ever taken. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isLeft } from "fp-ts/lib/Either.js";
import { createWhole, removeLeftOvers, tryCreating } from "../atomic.js";
import { InputError, whyUnreadable, whyUnwritable } from "../errors.js";
import type { AnySettings, FileProgram, Found, Subject } from "./campaign.js";
import { programFiles, readComplete } from "./files.js";
import { originOf, savedFinding, type SavedFinding } from "./saved.js";
import { isDeclared, isExternal } from "./external.js";
import { nameOf } from "./token.js";

/** Where findings are saved, from the working directory, unless somebody says otherwise. */
export const defaultFolder = ".sfork/findings";

/** Create the file, unless it is there already with the same text; false if it is there with another. */
const create = (path: string, text: string): boolean => createWhole(path, text) || readFileSync(path, "utf8") === text;

/** So many files of one name are somebody's mistake, not findings. */
const mostNames = 1000;

/** As it was found, before anything was tried with it: the smaller one has the same name without `raw`. */
const rawEnd = ".raw.sfork";

/** A name with a number, where others took the one without. */
const numbered = (name: string, number: number): string =>
  number === 1 ? name : name.replace(/(?=(?:\.raw)?\.sfork$)/, `-${number}`);

/** Save a finding and return its path. What is there already is never overwritten; throws `InputError`. */
export const saveFinding = (folder: string, { name, text }: SavedFinding): string => {
  try {
    mkdirSync(folder, { recursive: true });
    for (let number = 1; number <= mostNames; number += 1) {
      const path = join(folder, numbered(name, number));
      if (create(path, text)) return path;
    }
  } catch (error) {
    throw new InputError(folder, undefined, `the finding cannot be saved here: ${whyUnwritable(error)}`);
  }
  throw new InputError(folder, undefined, `the finding cannot be saved here: ${name} is taken; clear the folder`);
};

/** The folder, or what there is of its path: the rest is made with the first finding. */
const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(dirname(folder)));

/** Throws the `InputError` of a folder in which no finding can be saved, as far as that can be known before there is one. */
export const tryStore = (folder: string): void => {
  try {
    tryCreating(nearest(resolve(folder)));
  } catch (error) {
    throw new InputError(folder, undefined, `findings cannot be saved here: ${whyUnwritable(error)}`);
  }
};

/** Save a finding as it was found. */
export const saveRaw = (folder: string, settings: AnySettings, found: Found): string => {
  const { name, text } = savedFinding(settings, found);
  return saveFinding(folder, { name: name.replace(/\.sfork$/, rawEnd), text });
};

/** Save what a finding became, by the name of the file in which it is as it was found. */
export const saveSmaller = (folder: string, raw: string, settings: AnySettings, found: Found): string => {
  const name = basename(raw).replace(rawEnd, ".sfork");
  return saveFinding(folder, { name, text: savedFinding(settings, found).text });
};

/** A finding of an earlier run. */
export interface Kept extends FileProgram {
  /** The rule that it broke then, if the file says so. */
  readonly rule: string | undefined;
}

export interface Store {
  readonly kept: readonly Kept[];
  /** Of each file that cannot be read, and of the folder if that cannot. */
  readonly unreadable: readonly InputError[];
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

/** Programs to run again: where there is a smaller one, what it was made from is not. */
const namesIn = async (folder: string): Promise<readonly string[]> => {
  const names = programFiles(await readdir(folder));
  removeLeftOvers(folder);
  const isSmaller = (name: string): boolean => name.endsWith(rawEnd) && names.includes(name.replace(rawEnd, ".sfork"));
  return names.filter((name) => !isSmaller(name));
};

/** What earlier runs found with an implementation; of files that do not say what they were found with, all. */
export const readStore = async (folder: string, impl: Subject): Promise<Store> => {
  const named = nameOf(impl);
  const kept: Kept[] = [];
  const unreadable: InputError[] = [];
  const unread = (file: string, error: unknown): void => {
    if (!isMissing(error)) unreadable.push(new InputError(file, undefined, whyUnreadable(error)));
  };
  const names = await namesIn(folder).catch((error: unknown) => {
    unread(folder, error);
    return [];
  });
  for (const name of names) {
    const file = join(folder, name);
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      unread(file, error);
    });
    const origin = text === undefined ? undefined : originOf(text);
    if (origin === undefined || (origin.impl ?? named) !== named) continue;
    // What it has of another implementation in another process may be more than this one declares.
    const program = await readComplete(file, isExternal(impl) ? "spec-lazy" : impl);
    if (isLeft(program)) unreadable.push(program.left);
    else if (!isExternal(impl) || isDeclared(program.right, impl))
      kept.push({ index: kept.length, file, program: program.right, rule: origin.rule });
  }
  return { kept, unreadable };
};
