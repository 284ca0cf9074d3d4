/**
 * The headers of an ELF core file (System V gABI; Linux core(5)): 64 bits, little-endian, of x86-64 or aarch64. Whatever does
 * not fit together is refused before anything is made of the sizes that it names.
 */
import { InputError } from "../errors.js";
import { bytesAt, type Source } from "./source.js";

export type CoreMachine = "x86-64" | "aarch64";

/** A segment of memory: `stored` bytes at `offset` of the file, and zeros, or what was left out, up to the end. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly stored: number;
  /** Bits: 1 execute, 2 write, 4 read. */
  readonly flags: number;
}

export interface Headers {
  readonly machine: CoreMachine;
  /** By address. */
  readonly segments: readonly Segment[];
  readonly notes: readonly Uint8Array[];
}

/** Source pages. */
export const sourcePage = 4096;

const headerSize = 64;
const entrySize = 56;
const sectionSize = 64;
/** A process of Linux has at most 65,530 mappings, unless its administrator says otherwise. */
const mostSegments = 1 << 17;
const mostNotes = 1 << 24;
/** Larger addresses are the kernel's; and a number holds them, and their doubles, exactly. */
const addressLimit = 1n << 52n;
/** Where x86-64 has its vsyscall page: the kernel's, and the same in every process. */
const vsyscall = 0xffffffffff600000n;
const mostStored = 2 ** 32;

const typeLoad = 1;
const typeNote = 4;

const kinds: Readonly<Record<number, string>> = {
  1: "an object file",
  2: "a program",
  3: "a shared object or a program",
};

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

const howToMake = "make one with gcore PID";

/** How a core's header says that it is one that can be read. */
const headerOf = (source: Source): { readonly header: DataView; readonly machine: CoreMachine } => {
  const refuse = (what: string): never => {
    throw new InputError(source.name, undefined, what);
  };
  const start = bytesAt(source, 0, Math.min(source.size, headerSize));
  if (start.length < 4 || view(start).getUint32(0) !== 0x7f454c46) refuse(`is not an ELF file; ${howToMake}`);
  if (start.length < headerSize) refuse("ends in its ELF header; it is truncated, copy it again");
  const header = view(start);
  const [size, order] = [header.getUint8(4), header.getUint8(5)];
  if (size === 1) refuse("is a 32-bit ELF file; only cores of 64-bit programs can be read");
  if (size !== 2) refuse(`has the ELF class ${size}, which is none; it is damaged, copy it again`);
  if (order === 2) refuse("is a big-endian ELF file; only cores of little-endian machines can be read");
  if (order !== 1) refuse(`has the byte order ${order}, which is none; it is damaged, copy it again`);
  const kind = header.getUint16(16, true);
  if (kind !== 4) refuse(`is ${kinds[kind] ?? `an ELF file of type ${kind}`}, not a core; ${howToMake}`);
  const architecture = header.getUint16(18, true);
  if (architecture !== 62 && architecture !== 183) {
    refuse(`is of ELF machine ${architecture}; only x86-64 (62) and aarch64 (183) can be read`);
  }
  return { header, machine: architecture === 62 ? "x86-64" : "aarch64" };
};

/** How many program headers there are: where 16 bits do not hold it, section 0 does. */
const countOf = (source: Source, header: DataView): number => {
  const count = header.getUint16(56, true);
  if (count !== 0xffff) return count;
  const sections = header.getBigUint64(40, true);
  if (sections === 0n || sections + BigInt(sectionSize) > BigInt(source.size)) {
    throw new InputError(source.name, undefined, "does not say how many segments it has; it is damaged, copy it again");
  }
  return view(bytesAt(source, Number(sections), sectionSize)).getUint32(44, true);
};

/** A program header, its numbers checked against the file. */
const segmentOf = (source: Source, entry: DataView, index: number): Segment | undefined => {
  const refuse = (what: string): never => {
    throw new InputError(source.name, undefined, `segment ${index} ${what}`);
  };
  const [offset, start, stored, size] = [8, 16, 32, 40].map((at) => entry.getBigUint64(at, true));
  if (offset === undefined || start === undefined || stored === undefined || size === undefined) return undefined;
  if (start + size > 1n << 64n)
    refuse(`at ${hex(start)} reaches over the end of the address space; the file is damaged`);
  if (start === vsyscall) return undefined;
  if (start + size > addressLimit)
    refuse(`at ${hex(start)} ends above ${hex(addressLimit)}; no program has memory there`);
  if (stored > size) refuse(`at ${hex(start)} stores more bytes than it has; the file is damaged`);
  if (stored > 0n && offset + stored > BigInt(source.size)) {
    refuse(`at ${hex(start)} ends behind the end of the file; it is truncated, copy it again`);
  }
  if (start % BigInt(sourcePage) !== 0n) refuse(`at ${hex(start)} does not begin at a page of ${sourcePage} bytes`);
  const end = ((start + size + BigInt(sourcePage - 1)) / BigInt(sourcePage)) * BigInt(sourcePage);
  const flags = entry.getUint32(4, true) & 7;
  return { start: Number(start), end: Number(end), offset: Number(offset), stored: Number(stored), flags };
};

const checkOverlap = (source: Source, segments: readonly Segment[]): void => {
  segments.forEach((segment, index) => {
    const next = segments[index + 1];
    if (next === undefined || segment.end <= next.start) return;
    const what = `two of its segments overlap at ${hex(next.start)}; the file is damaged`;
    throw new InputError(source.name, undefined, what);
  });
};

/** The headers of a core; throws the `InputError` of what is wrong with them. */
export const readHeaders = (source: Source): Headers => {
  const refuse = (what: string): never => {
    throw new InputError(source.name, undefined, what);
  };
  const { header, machine } = headerOf(source);
  const count = countOf(source, header);
  const table = header.getBigUint64(32, true);
  const size = header.getUint16(54, true);
  if (count > mostSegments) refuse(`has ${count} segments; at most ${mostSegments} can be read`);
  if (count > 0 && size !== entrySize)
    refuse(`has program headers of ${size} bytes instead of ${entrySize}; it is damaged`);
  if (table + BigInt(count * entrySize) > BigInt(source.size)) {
    refuse("ends in its program headers; it is truncated, copy it again");
  }
  const entries = view(bytesAt(source, Number(table), count * entrySize));
  const segments: Segment[] = [];
  const notes: Uint8Array[] = [];
  let [noteBytes, stored] = [0n, 0];
  for (let index = 0; index < count; index += 1) {
    const entry = new DataView(entries.buffer, index * entrySize, entrySize);
    const type = entry.getUint32(0, true);
    if (type === typeNote) {
      const [offset, length] = [entry.getBigUint64(8, true), entry.getBigUint64(32, true)];
      noteBytes += length;
      if (noteBytes > BigInt(mostNotes)) refuse(`has more than ${mostNotes >> 20} MB of notes; it is damaged`);
      if (offset + length > BigInt(source.size)) refuse("ends in its notes; it is truncated, copy it again");
      notes.push(bytesAt(source, Number(offset), Number(length)));
    }
    const segment = type === typeLoad ? segmentOf(source, entry, index) : undefined;
    if (segment === undefined || segment.start === segment.end) continue;
    segments.push(segment);
    stored += segment.stored;
  }
  // Otherwise a small file could name the same bytes many times.
  if (stored > source.size) refuse("names more bytes of memory than it stores; it is damaged");
  if (stored > mostStored)
    refuse(`stores ${(stored / 2 ** 30).toFixed(1)} GB; at most ${mostStored / 2 ** 30} GB can be read`);
  segments.sort((one, two) => one.start - two.start);
  checkOverlap(source, segments);
  if (segments.length === 0) refuse(`holds no memory; ${howToMake}`);
  return { machine, segments, notes };
};
