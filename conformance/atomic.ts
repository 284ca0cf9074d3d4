/** Files that are there in full or not at all, whenever the process is killed. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

/** Never a name that something reads. */
const isTemporary = (name: string): boolean => /^\..+\.[\da-f]{16}\.tmp$/.test(name);

/** A new file beside `path`, on the disk; for the caller to give it its name. */
const besides = (path: string, text: string): string => {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
  const file = openSync(temporary, "wx");
  try {
    writeFileSync(file, text);
    fsyncSync(file);
    return temporary;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
};

/** Not every file system has links; what is copied there is not whole at once, but overwrites nothing, either. */
const link = (from: string, to: string): void => {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(String(codeOf(error)))) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
};

/** Throws what `createWhole` would throw in a folder, as far as that can be known before there is anything to write. */
export const tryCreating = (folder: string): void => {
  rmSync(besides(join(folder, "trial"), ""));
};

/** Create a file; false, and nothing is changed, if there is one already. */
export const createWhole = (path: string, text: string): boolean => {
  const temporary = besides(path, text);
  try {
    link(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
};

/** Where a file would be written: what a symbolic link leads to, not the link. */
const targetOf = (path: string): { readonly path: string; readonly isPlain: boolean } => {
  try {
    const real = realpathSync(path);
    return { path: real, isPlain: statSync(real).isFile() };
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return { path, isPlain: true };
  }
};

/** Write a file, in the place of one that may be there. A device or a pipe is written to. */
export const replaceWhole = (path: string, text: string): void => {
  const target = targetOf(path);
  if (target.isPlain) renameSync(besides(target.path, text), target.path);
  else writeFileSync(target.path, text);
};

/** Throws what `replaceWhole` would throw, as far as that can be known before there is anything to write. */
export const tryReplacing = (path: string): void => {
  const target = targetOf(path);
  if (target.isPlain) rmSync(besides(target.path, ""));
  // A folder says here what it is.
  else if (statSync(target.path).isDirectory()) writeFileSync(target.path, "");
};

/** What takes a moment to write is left over after an hour: whoever wrote it was killed. */
const leftOverAfter = 3_600_000;

/** Remove what was left over by writers that were killed. */
export const removeLeftOvers = (folder: string): void => {
  for (const name of readdirSync(folder).filter(isTemporary)) {
    const path = join(folder, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > leftOverAfter) rmSync(path, { force: true });
  }
};
