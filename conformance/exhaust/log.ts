/**
 * A search on disk: what every state was expanded to, one record behind the other. The search follows from it, so that a run that
 * was interrupted, in whatever way, goes on where the last whole record ends.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { InputError, whyUnreadable, whyUnwritable } from "../errors.js";
import { keySize } from "./canonical.js";
import type { Expansion } from "./expand.js";
import { programOf, type Space } from "./space.js";
import type { Search } from "./search.js";

/** State, steps, and bytes of what was found; then the steps, the keys, what was found, and a checksum. */
const headSize = 12;
const checkSize = 4;

const kinds = ["observation", "view", "counters", "invariant", "crash", "hang", "worker", "protocol", "flaky"] as const;

const text = z.string();

/** A finding without its program, which is the path to it. */
const foundSchema = z.array(
  z.object({
    nth: z.number(),
    finding: z.object({
      ...{ kind: z.enum(kinds), rule: text, where: text, what: text, expected: text, actual: text },
      ...{ step: z.number(), key: text, also: z.array(text) },
    }),
  }),
);

const checksum = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest().subarray(0, checkSize);

const recordOf = (state: number, { steps, keys, found }: Expansion): Buffer => {
  const told = found.map(({ nth, finding }) => {
    const { kind, rule, where, what, expected, actual, step, key, also } = finding;
    return { nth, finding: { kind, rule, where, what, expected, actual, step, key, also } };
  });
  const json = Buffer.from(told.length === 0 ? "" : JSON.stringify(told));
  const head = Buffer.alloc(headSize + 2 * steps.length);
  head.writeUInt32LE(state, 0);
  head.writeUInt32LE(steps.length, 4);
  head.writeUInt32LE(json.length, 8);
  for (const [nth, step] of steps.entries()) head.writeUInt16LE(step, headSize + 2 * nth);
  const body = Buffer.concat([head, keys, json]);
  return Buffer.concat([body, checksum(body)]);
};

interface Read {
  readonly state: number;
  readonly expansion: Expansion;
  readonly end: number;
}

/** The record that begins there; undefined where the file ends before it does. Throws for one that is damaged. */
const readRecord = (bytes: Buffer, begin: number, space: Space, search: Search): Read | undefined => {
  if (begin + headSize > bytes.length) return undefined;
  const [state, count, length] = [0, 4, 8].map((at) => bytes.readUInt32LE(begin + at));
  if (state === undefined || count === undefined || length === undefined) return undefined;
  if (state > search.next || count === 0 || count % space.operations.length !== 0) throw new RangeError("no record");
  const keysAt = begin + headSize + 2 * count;
  const jsonAt = keysAt + keySize * count;
  const checkAt = jsonAt + length;
  if (checkAt + checkSize > bytes.length) return undefined;
  if (!checksum(bytes.subarray(begin, checkAt)).equals(bytes.subarray(checkAt, checkAt + checkSize)))
    throw new RangeError("no record");
  const steps = Array.from({ length: count }, (_, nth) => bytes.readUInt16LE(begin + headSize + 2 * nth));
  const told = length === 0 ? [] : foundSchema.parse(JSON.parse(bytes.toString("utf8", jsonAt, checkAt)));
  const path = search.pathTo(state);
  const found = told.map(({ nth, finding }) => ({
    nth,
    finding: { ...finding, program: programOf(space, [...path, steps[nth] ?? 0]) },
  }));
  return { state, expansion: { steps, keys: bytes.subarray(keysAt, jsonAt), found }, end: checkAt + checkSize };
};

export interface Log {
  readonly append: (state: number, expansion: Expansion) => void;
  readonly close: () => void;
}

const remedy = "give --fresh to begin anew";

const bytesOf = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(file, undefined, whyUnreadable(error));
  }
};

/** What the file has of the search, and where that ends. Throws the `InputError` of a file that is damaged, or of another search. */
const restore = (
  file: string,
  header: string,
  space: Space,
  search: Search,
  found: (one: Expansion) => void,
): number => {
  const bytes = bytesOf(file);
  const first = Buffer.from(header);
  // Whoever wrote it may have been killed in its first line.
  if (bytes.length < first.length && first.subarray(0, bytes.length).equals(bytes)) return 0;
  if (!bytes.subarray(0, first.length).equals(first))
    throw new InputError(file, undefined, `is not of this search, or of another version of it; ${remedy}`);
  let end = first.length;
  for (;;) {
    let record: Read | undefined;
    try {
      record = readRecord(bytes, end, space, search);
    } catch {
      throw new InputError(file, undefined, `is damaged at byte ${end}; ${remedy}`);
    }
    if (record === undefined) return end;
    end = record.end;
    // Two runs at the same time write the same records.
    if (record.state < search.next) continue;
    search.add(record.expansion);
    found(record.expansion);
  }
};

export interface LogOptions {
  readonly file: string;
  /** What tells this search from all others. */
  readonly identity: string;
  readonly fresh: boolean;
}

/** Bring a search to where the file ends, and have it go on from there. `found`: each expansion that is in the file. */
export const openLog = (
  { file, identity, fresh }: LogOptions,
  space: Space,
  search: Search,
  found: (one: Expansion) => void,
): Log => {
  const header = `sfork exhaust 1 ${identity}\n`;
  const writing = <Result>(write: () => Result): Result => {
    try {
      return write();
    } catch (error) {
      throw new InputError(file, undefined, `the search cannot be saved here: ${whyUnwritable(error)}`);
    }
  };
  if (fresh)
    writing(() => {
      rmSync(file, { force: true });
    });
  const end = existsSync(file) ? restore(file, header, space, search, found) : 0;
  const descriptor = writing(() => {
    mkdirSync(dirname(file), { recursive: true });
    const opened = openSync(file, "a");
    ftruncateSync(opened, end);
    if (end === 0) writeSync(opened, header);
    return opened;
  });
  return {
    append: (state, expansion) => {
      const record = recordOf(state, expansion);
      writing(() => {
        for (let at = 0; at < record.length;) at += writeSync(descriptor, record, at);
      });
    },
    close: () => {
      closeSync(descriptor);
    },
  };
};
