/**
 * The lines of a text file, gzipped or not, as a stream: memory does not grow with the file, and a pipe will do (`-` is
 * standard input). What cannot be read is an `InputError` with the line at which it happened.
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError, whyUnreadable } from "../errors.js";

/** No line of a file that this project reads is longer; a longer one is some other file. */
const maxLineBytes = 1024 * 1024;

const chunkBytes = 256 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** The bytes of a file; gzip is told by its first two bytes, not by the name. */
async function* plainBytes(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Buffer, void, void> {
    yield first.value;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* all();
    return;
  }
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  // An error of the source reaches the reader of `gunzip`, who is awaited here.
  pipeline(Readable.from(all()), gunzip, () => undefined);
  yield* gunzip as AsyncIterable<Buffer>;
}

/** The lines of `file`, in order. `signal` ends the reading. */
export async function* readLines(file: string, signal?: AbortSignal): AsyncGenerator<Line, void, void> {
  const source =
    file === "-"
      ? process.stdin
      : createReadStream(file, { highWaterMark: chunkBytes, ...(signal === undefined ? {} : { signal }) });
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
    const text = bytes.toString("utf8");
    return number === 1 && text.startsWith("\ufeff") ? text.slice(1) : text;
  };
  try {
    for await (const chunk of plainBytes(source as AsyncIterable<Buffer>)) {
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
    // What fails before the first byte concerns the file as a whole.
    const began = number > 1 || pendingBytes > 0 || whyUnreadable(error).includes("gzip");
    throw new InputError(file, began ? number : undefined, whyUnreadable(error));
  }
  if (pendingBytes > 0) yield { number, text: take(Buffer.alloc(0)) };
}
