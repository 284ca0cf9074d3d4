/**
 * The lines of a text file, gzipped or not, as a stream: memory does not grow with the file. What cannot be read is an
 * `InputError` with the line at which it happened.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { InputError, whyUnreadable } from "../errors.js";

/** No line of a file that this project reads is longer; a longer one is some other file. */
const maxLineBytes = 1024 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

const isGzip = async (file: string): Promise<boolean> => {
  const handle = await open(file, "r");
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
};

/** Size in bytes, and a function that says how many of them were read so far, for progress. */
export interface Reading {
  readonly size: number;
  readonly position: () => number;
  readonly lines: AsyncGenerator<Line, void, void>;
}

export const readLines = async (file: string): Promise<Reading> => {
  try {
    const status = await stat(file);
    if (status.isDirectory()) throw Object.assign(new Error("directory"), { code: "EISDIR" });
    const gzip = await isGzip(file);
    const source = createReadStream(file, { highWaterMark: 256 * 1024 });
    const chunks = gzip ? source.pipe(createGunzip({ chunkSize: 256 * 1024 })) : source;
    source.on("error", (error) => chunks.destroy(error));
    return { size: status.size, position: () => source.bytesRead, lines: splitLines(file, chunks) };
  } catch (error) {
    throw new InputError(file, undefined, whyUnreadable(error));
  }
};

async function* splitLines(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Line, void, void> {
  let number = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const tooLong = (): InputError =>
    new InputError(file, number, `the line is longer than ${String(maxLineBytes)} bytes; is this a JSON Lines file?`);
  const take = (last: Buffer): string => {
    const bytes = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    pending = [];
    pendingBytes = 0;
    if (bytes.length > maxLineBytes) throw tooLong();
    return bytes.toString("utf8");
  };
  try {
    for await (const chunk of chunks) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
        yield { number, text: take(chunk.subarray(start, end)) };
        number += 1;
        start = end + 1;
      }
      const rest = chunk.subarray(start);
      if (rest.length === 0) continue;
      pending.push(rest);
      pendingBytes += rest.length;
      if (pendingBytes > maxLineBytes) throw tooLong();
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(file, number, whyUnreadable(error));
  }
  if (pendingBytes > 0) yield { number, text: take(Buffer.alloc(0)) };
}
