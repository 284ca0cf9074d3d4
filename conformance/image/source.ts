/** A file that is read in pieces, wherever they lie: a core is larger than what is kept of it. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { InputError, whyUnreadable } from "../errors.js";

export interface Source {
  readonly name: string;
  readonly size: number;
  /** Bytes from an offset on into the whole target. Domain: they lie within the size. */
  readonly read: (offset: number, target: Uint8Array) => void;
  readonly close: () => void;
}

/** Of a compressed core, unpacked: it is unpacked in memory. */
const mostUnpacked = 1 << 28;

const sourceOfBytes = (name: string, bytes: Uint8Array): Source => ({
  name,
  size: bytes.length,
  read: (offset, target) => {
    target.set(bytes.subarray(offset, offset + target.length));
  },
  close: () => undefined,
});

const unpacked = (name: string): Uint8Array => {
  if (statSync(name).size > mostUnpacked) {
    throw new InputError(name, undefined, `is a gzip file of more than ${mostUnpacked >> 20} MB; unpack it first`);
  }
  const packed = readFileSync(name);
  try {
    return gunzipSync(packed, { maxOutputLength: mostUnpacked });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new InputError(name, undefined, `unpacks to more than ${mostUnpacked >> 20} MB; unpack it first`);
    }
    throw error;
  }
};

const sourceOfFile = (name: string): Source => {
  const file = openSync(name, "r");
  const status = fstatSync(file);
  if (!status.isFile()) {
    closeSync(file);
    throw new InputError(name, undefined, "is not a regular file; a core is read in pieces: save it to a file first");
  }
  return {
    name,
    size: status.size,
    read: (offset, target) => {
      for (let done = 0; done < target.length;) {
        const count = readSync(file, target, done, target.length - done, offset + done);
        if (count === 0)
          throw new InputError(name, undefined, "became shorter while it was read; copy it, and try again");
        done += count;
      }
    },
    close: () => {
      closeSync(file);
    },
  };
};

const isPacked = (name: string): boolean => {
  const file = openSync(name, "r");
  try {
    const start = new Uint8Array(2);
    return fstatSync(file).isFile() && readSync(file, start, 0, 2, 0) === 2 && start[0] === 0x1f && start[1] === 0x8b;
  } finally {
    closeSync(file);
  }
};

/** A file, gzipped or not, or bytes. Throws the `InputError` of what cannot be read. */
export const openSource = (from: string | Uint8Array): Source => {
  if (typeof from !== "string") return sourceOfBytes("core", from);
  try {
    return isPacked(from) ? sourceOfBytes(from, unpacked(from)) : sourceOfFile(from);
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(from, undefined, whyUnreadable(error));
  }
};

/** Bytes of a source of their own. */
export const bytesAt = (source: Source, offset: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
};
