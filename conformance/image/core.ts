/** A process image: the pages of a core that are not zero, its mappings and the registers of its threads. */
import { InputError } from "../errors.js";
import { readHeaders, sourcePage, type CoreMachine, type Segment } from "./elf.js";
import { mappingsOf, at as mappingAt, type Mapping } from "./mappings.js";
import type { MapsLine } from "./maps.js";
import { readNotes, type Registers } from "./notes.js";
import { openSource, type Source } from "./source.js";

/** Words of 64 bits in a source page. */
export const pageWords = sourcePage / 8;

export interface Image {
  readonly file: string;
  readonly machine: CoreMachine;
  /** Segments of memory in the core. */
  readonly segments: number;
  /** By address; those of the kernel, and those that permit nothing, are left out. */
  readonly mappings: readonly Mapping[];
  readonly threads: readonly Registers[];
  /** Pages of the core that are zero. */
  readonly zeroPages: number;
  /** Pages that are not zero, and belong to no mapping that is kept. */
  readonly kernelPages: number;
  /** Addresses of the pages that are not zero, ascending. */
  readonly pages: Float64Array;
  /** Their words, as two 32-bit halves each, lower half first. */
  readonly words: Int32Array;
}

export interface CoreOptions {
  /** Lines of `/proc/PID/maps`. */
  readonly maps?: readonly MapsLine[];
}

/** What is kept of an image. */
const mostPages = 1 << 17;

/** Read at a time. */
const chunkPages = 256;

const isZero = (halves: Int32Array, from: number, end: number): boolean => {
  for (let at = from; at < end; at += 1) if (halves[at] !== 0) return false;
  return true;
};

/** Visits the stored pages of a segment; the last one is filled up with zeros. */
const eachPage = (
  source: Source,
  { start, offset, stored }: Segment,
  chunk: Int32Array,
  visit: (address: number, from: number) => void,
): void => {
  const bytes = new Uint8Array(chunk.buffer);
  for (let done = 0; done < stored; done += bytes.length) {
    const length = Math.min(bytes.length, stored - done);
    const pages = Math.ceil(length / sourcePage);
    bytes.fill(0, length, pages * sourcePage);
    source.read(offset + done, bytes.subarray(0, length));
    for (let page = 0; page < pages; page += 1) visit(start + done + page * sourcePage, page * pageWords * 2);
  }
};

const contentOf = (source: Source, segments: readonly Segment[], mappings: readonly Mapping[]) => {
  const chunk = new Int32Array(chunkPages * pageWords * 2);
  const every = (visit: (address: number, from: number) => void): void => {
    for (const segment of segments) eachPage(source, segment, chunk, visit);
  };
  // 1. How many there are, so that they lie in one array of just that size.
  let [kept, zeroPages, kernelPages] = [0, 0, 0];
  every((address, from) => {
    if (isZero(chunk, from, from + pageWords * 2)) zeroPages += 1;
    else if (mappingAt(mappings, address) === undefined) kernelPages += 1;
    else kept += 1;
  });
  if (kept > mostPages) {
    const what = `holds ${(kept / 256).toFixed(0)} MB that are not zero; at most ${mostPages / 256} MB can be kept`;
    throw new InputError(source.name, undefined, what);
  }
  // 2. They themselves.
  const pages = new Float64Array(kept);
  const words = new Int32Array(kept * pageWords * 2);
  let nth = 0;
  every((address, from) => {
    const end = from + pageWords * 2;
    if (nth >= kept || isZero(chunk, from, end) || mappingAt(mappings, address) === undefined) return;
    pages[nth] = address;
    words.set(chunk.subarray(from, end), nth * pageWords * 2);
    nth += 1;
  });
  return { pages, words, zeroPages, kernelPages };
};

/**
 * A core file, gzipped or not, or its bytes. Throws an `InputError` of one line for everything that is no core that can be
 * read: of the file nothing is believed before it is checked.
 */
export const readCore = (from: string | Uint8Array, { maps }: CoreOptions = {}): Image => {
  const source = openSource(from);
  try {
    const headers = readHeaders(source);
    const notes = readNotes(source.name, headers.machine, headers.notes);
    const mappings = mappingsOf(source.name, headers, notes, maps);
    const content = contentOf(source, headers.segments, mappings);
    if (content.pages.length === 0) {
      throw new InputError(source.name, undefined, "holds no page that is not zero; make one with gcore PID");
    }
    const { machine, segments } = headers;
    return { file: source.name, machine, segments: segments.length, mappings, threads: notes.threads, ...content };
  } finally {
    source.close();
  }
};
