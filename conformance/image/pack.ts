/**
 * An image in one dense region of the machine. Every word of 8 bytes becomes a granule of 16, so that a pointer has room to
 * become a capability; mappings lie in address order, each where a capability covers exactly it, with a page between them that is
 * never mapped.
 */
import type { Area, StartMemory, StartRegister } from "../../impl/start.js";
import { formats, representableAlignmentMask, representableLength } from "../../spec/cheri/index.js";
import { completeConfig, type Config, type StrategyName } from "../../spec/sfork/config.js";
import { maxThreads } from "../../spec/sfork/machine.js";
import { InputError } from "../errors.js";
import type { Image } from "./core.js";
import { sourcePage } from "./elf.js";
import type { Mapping } from "./mappings.js";
import type { Registers } from "./notes.js";
import { finderOf } from "./pointers.js";

/** Formats with granules of 16 bytes. */
export const imageFormats = ["cheri128-v9", "morello", "rvy128"] as const;

type ImageFormat = (typeof imageFormats)[number];

export interface PackOptions {
  readonly format?: ImageFormat;
  /** Live processes and zombies, at most; as many regions. */
  readonly processes?: number;
}

/** A mapping, and the pages of the region that it became. */
interface Placed extends Area {
  readonly mapping: Mapping;
}

export interface Packed {
  readonly image: Image;
  readonly format: ImageFormat;
  readonly configOf: (strategy: StrategyName) => Config;
  readonly memory: StartMemory;
  readonly placed: readonly Placed[];
  /** Where an address of the process lies now, as a distance from the region's start; undefined where it leads nowhere. */
  readonly translate: (address: number) => number | undefined;
  /** Where a page and a granule of the region lay in the process. */
  readonly origin: (page: number, granule: number) => number | undefined;
}

/** Bytes of a page of the machine: half a source page fits. */
export const imagePage = 4096;

const granule = 16;
const pagesPerSource = (2 * sourcePage) / imagePage;
const granulesPerPage = imagePage / granule;

/** 16 GB of the machine's memory, mapped or not. */
const mostPages = 1 << 22;

/** An offset in a mapping, its words widened. Exact, also where the offset is not that of a word. */
const widened = (offset: number): number => 2 * (offset - (offset % 8)) + (offset % 8);

/** By register of the machine: `c0` is what a fork answers in, `c2` the stack pointer, the last one `pcc`. */
const registerNames: Readonly<Record<Image["machine"], readonly string[]>> = {
  "x86-64": [
    ...["rax", "rbx", "rsp", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"],
    "rip",
  ],
  // Of 31 those that a call keeps, and the first arguments.
  aarch64: [
    ...["x0", "x1", "sp", "x2", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30"],
    "pc",
  ],
};

const isExact = (format: ImageFormat, first: number, count: number): boolean => {
  const length = BigInt(count) * BigInt(imagePage);
  const start = BigInt(first) * BigInt(imagePage);
  return (
    representableLength(formats[format], length) === length &&
    (start & ~representableAlignmentMask(formats[format], length)) === 0n
  );
};

/** Where mappings lie; the lengths of large ones are rounded up to what a capability can cover. */
const placesOf = (
  { file, mappings }: Image,
  format: ImageFormat,
): { readonly placed: readonly Placed[]; readonly end: number } => {
  const placed: Placed[] = [];
  const codec = formats[format];
  let end = 0;
  for (const mapping of mappings) {
    const length = representableLength(codec, BigInt(mapping.end - mapping.start) * 2n);
    // A pages' alignment at least, so that offsets in source pages are kept.
    const mask = BigInt.asUintN(64, ~representableAlignmentMask(codec, length));
    const step = Math.max(pagesPerSource, Number(mask / BigInt(imagePage)) + 1);
    const first = Math.ceil(end / step) * step;
    const count = Math.ceil(Number(length) / imagePage);
    placed.push({ mapping, first, count, protection: mapping.protection });
    end = first + count + 1;
    if (end > mostPages) {
      const what = `its mappings span more than ${(mostPages * imagePage) / 2 ** 31} GB, which is more than fits; take a core of a smaller process`;
      throw new InputError(file, undefined, what);
    }
  }
  return { placed, end };
};

/** The least region that has exact bounds, and so have its parts. */
const regionPages = (format: ImageFormat, needed: number): number => {
  for (let step = 4; ; step *= 2) {
    const pages = Math.max(8, Math.ceil(needed / step) * step);
    const parts = isExact(format, 0, pages) && isExact(format, 0, pages / 2);
    if (parts && isExact(format, pages - 1, 1)) return pages;
  }
};

const registersOf = (image: Image, registers: Registers, placed: readonly Placed[]): readonly StartRegister[] => {
  const find = finderOf(image.mappings);
  return registerNames[image.machine].map((name) => {
    const value = registers.get(name) ?? 0n;
    const area = find(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    const own = placed[area];
    if (own === undefined) return { value, area: undefined };
    const distance = own.first * imagePage + widened(Number(value) - own.mapping.start);
    return { value: BigInt(distance), area };
  });
};

/** A core without notes has no threads: one with nothing in its registers. */
const noRegisters: Registers = new Map();

/** Packs an image; throws the `InputError` of one that spans more than fits. */
export const packed = (image: Image, { format = "cheri128-v9", processes = 4 }: PackOptions = {}): Packed => {
  const { placed, end } = placesOf(image, format);
  const find = finderOf(image.mappings);
  const pages = new Uint32Array(image.pages.length * pagesPerSource);
  const owners = image.pages.map((address) =>
    placed.findIndex(({ mapping }) => address >= mapping.start && address < mapping.end),
  );
  image.pages.forEach((address, index) => {
    const own = placed[owners[index] ?? -1];
    if (own === undefined) return;
    const first = own.first + ((address - own.mapping.start) / sourcePage) * pagesPerSource;
    for (let part = 0; part < pagesPerSource; part += 1) pages[index * pagesPerSource + part] = first + part;
  });
  const firsts = Float64Array.from(placed, ({ first, mapping }) => first * imagePage - 2 * mapping.start);
  const read: StartMemory["read"] = (nth, words, areas) => {
    const from = nth * granulesPerPage * 2;
    for (let one = 0; one < granulesPerPage; one += 1) {
      const lo = image.words[from + one * 2] ?? 0;
      const hi = image.words[from + one * 2 + 1] ?? 0;
      const area = find(lo, hi);
      areas[one] = area + 1;
      if (area < 0) {
        words[one * 2] = lo;
        words[one * 2 + 1] = hi;
        continue;
      }
      const value = (hi >>> 0) * 0x100000000 + (lo >>> 0);
      const within = lo & 7;
      // 2 * (value - start) for whole words, and bytes within a word are not widened.
      const distance = 2 * value - within + (firsts[area] ?? 0);
      words[one * 2] = distance | 0;
      words[one * 2 + 1] = Math.floor(distance / 0x100000000);
    }
  };
  const threads = image.threads.slice(0, maxThreads).map((registers) => registersOf(image, registers, placed));
  const memory: StartMemory = {
    areas: placed,
    pages,
    read,
    threads: threads.length > 0 ? threads : [registersOf(image, noRegisters, placed)],
  };
  const total = regionPages(format, end);
  const frames = Math.max(Math.floor(total / 2) + 2, pages.length * processes);
  return {
    image,
    format,
    memory,
    placed,
    configOf: (strategy) => {
      const config = completeConfig({
        format,
        strategy,
        page: imagePage,
        pages: total,
        slots: processes,
        processes,
        frames,
      });
      if ("illegal" in config) throw new RangeError(`the packed image has no legal configuration: ${config.illegal}`);
      return config;
    },
    translate: (address) => {
      const own = placed.find(({ mapping: { start, end: last } }) => address >= start && address < last);
      return own && own.first * imagePage + widened(address - own.mapping.start);
    },
    origin: (page, index) => {
      const own = placed.find(({ first, count }) => page >= first && page < first + count);
      return own && own.mapping.start + ((page - own.first) * imagePage) / 2 + index * 8;
    },
  };
};
