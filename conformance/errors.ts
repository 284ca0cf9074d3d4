/** Errors that a user can cause: one line each, saying what, where and how to mend it. Never a stack trace. */

/** Input that cannot be read: a file, or a place in it. */
export class InputError extends Error {
  readonly code = "SFORK_INPUT";
  readonly file: string;
  /** Line of the file, from 1; undefined where the file as a whole is meant. */
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, message: string) {
    super(message);
    this.name = "InputError";
    this.file = file;
    this.line = line;
  }

  /** `file:line: message`, on one line. */
  describe(): string {
    const place = this.line === undefined ? this.file : `${this.file}:${String(this.line)}`;
    return `${place}: ${this.message.replaceAll(/\s+/g, " ")}`;
  }
}
