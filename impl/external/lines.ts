/** Bytes in, lines out: however much comes, no more than one line is kept. */

/** Most bytes of a line, without its end. */
export const longestLine = 8 << 20;

/** A line without its end; or one that is too long, which is told as soon as that is known, and of which the rest is skipped. */
export type Line = { readonly text: string } | { readonly tooLong: true };

export class LineReader {
  #parts: Buffer[] = [];
  #size = 0;
  #skipping = false;
  readonly #longest: number;

  constructor(longest = longestLine) {
    this.#longest = longest;
  }

  /** Lines that end in a piece. */
  push(piece: Uint8Array): readonly Line[] {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const lines: Line[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (!this.#keep(chunk.subarray(from, end === -1 ? chunk.length : end))) lines.push({ tooLong: true });
      if (end === -1) return lines;
      lines.push(...this.#take());
      from = end + 1;
    }
  }

  /** What stands behind the last end of a line, if anything does. */
  end(): readonly Line[] {
    return this.#size === 0 ? [] : this.#take();
  }

  /** False where the line has become too long with it. */
  #keep(part: Buffer): boolean {
    if (part.length === 0 || this.#skipping) return true;
    if (this.#size + part.length > this.#longest) {
      this.#parts = [];
      this.#size = 0;
      this.#skipping = true;
      return false;
    }
    // What the piece is a part of may be used again by who gave it.
    this.#parts.push(Buffer.from(part));
    this.#size += part.length;
    return true;
  }

  /** The line that has ended, unless it was told before. */
  #take(): readonly Line[] {
    const lines = this.#skipping ? [] : [{ text: Buffer.concat(this.#parts).toString("utf8") }];
    this.#parts = [];
    this.#size = 0;
    this.#skipping = false;
    return lines;
  }
}
