/** Errors that a user can cause: one line each, saying what, where and how to mend it. Never a stack trace. */

/** Input that cannot be read: a file, or a place in it. */
export class InputError extends Error {
  readonly code = "SFORK_INPUT";
  readonly file: string;
  /** Line of the file, from 1; undefined where the file as a whole is meant. */
  readonly line: number | undefined;
  /** Column of the line, from 1; undefined where the line as a whole is meant. */
  readonly column: number | undefined;

  constructor(file: string, line: number | undefined, message: string, column?: number) {
    const place = [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
    super(`${place.join(":")}: ${message}`.replaceAll(/\s+/g, " "));
    this.name = "InputError";
    this.file = file;
    this.line = line;
    this.column = column;
  }

  /** `file:line:column: message`, on one line: the message itself, so that it says the same where nobody catches it. */
  describe(): string {
    return this.message;
  }
}

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: "no such file; check the path",
  ENOTDIR: "no such file; a part of the path is not a folder",
  ENAMETOOLONG: "no such file; the name is too long",
  ELOOP: "its symbolic links lead in a circle",
  EISDIR: "is a directory; name the files in it",
  EACCES: "may not be read; check its permissions",
  ENXIO: "is a socket or device that cannot be read",
  EIO: "could not be read: the device reports an error",
  ABORT_ERR: "was not read to the end: interrupted",
  Z_BUF_ERROR: "the gzip data ends too early; the file is truncated, fetch it again",
  Z_DATA_ERROR: "the gzip data is damaged; fetch the file again",
};

const unwritable: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist; make it, or choose another",
  ENOTDIR: "a part of its path is not a folder; choose another",
  EISDIR: "it is a folder; name a file in it",
  EEXIST: "there is a file in the place of a folder; move it, or choose another",
  EACCES: "it may not be written; check the permissions of its folder",
  EPERM: "it may not be written; check the permissions of its folder",
  EROFS: "its file system is read-only; choose another",
  ENOSPC: "no space is left; make some, or choose another",
  ENAMETOOLONG: "its name is too long; choose another",
};

/** Why a file could not be read, and what to do about it. */
export const whyUnreadable = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return unreadable[code] ?? (error instanceof Error ? error.message : String(error));
};

/** Why a file could not be written, and what to do about it. */
export const whyUnwritable = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return unwritable[code] ?? (error instanceof Error ? error.message : String(error));
};

const escaped = (character: string): string => {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
};

/** Somebody else's text on one line, with nothing in it that a terminal obeys or does not show. */
export const plainLine = (text: string): string =>
  text.replaceAll(/\s+/g, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, escaped);

/** Text in full if it is short. */
export const shorten = (text: string, most = 60): string => (text.length > most ? `${text.slice(0, most)}…` : text);

const asJson = (value: unknown): string => {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than the stack is high.
    return "a deeply nested value";
  }
};

/** A value as a message quotes it. */
export const quote = (value: unknown): string => shorten(value === undefined ? "nothing" : asJson(value));

/** A path, or anything else, as a shell takes it. */
export const quoted = (path: string): string =>
  /^[\w./:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
