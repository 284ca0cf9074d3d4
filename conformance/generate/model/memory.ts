/**
 * What is known of a process's memory and registers, byte by byte: kept only for programs that a real kernel is to execute,
 * where a pointer may be followed only if it is known to be one. Addresses count from the start of the region.
 */
import { layout, registerCount } from "../../../spec/sfork/machine.js";
import type { Config } from "../../../spec/sfork/config.js";
import type { Protection } from "../../../spec/sfork/operation.js";

/** A pointer, by its bounds and its address. */
export interface Pointer {
  readonly base: number;
  readonly top: number;
  readonly address: number;
  /** The shared segment that it leads to; undefined for own memory. */
  readonly segment: number | undefined;
  readonly writable: boolean;
  /** False once what it led to was unmapped. */
  readonly live: boolean;
  /** It came out of memory: to use it is to follow a pointer. */
  readonly loaded: boolean;
}

/** What a register holds: a pointer, a number that is the same on every machine, code, or something else. */
export type Value = Pointer | "number" | "code" | "other";

export const isPointer = (value: Value | undefined): value is Pointer => typeof value === "object";

/** A page as its process may use it, and what becomes of it at a fork. */
export interface Page {
  readonly protection: Protection;
  readonly dontFork: boolean;
  readonly wipeOnFork: boolean;
}

export type Touch = "read" | "write";

/** It succeeds; it faults, before anything is transferred; or what it would do is not the same on every machine. */
export type Prospect = "fine" | "fault" | "unclear";

const readWrite: Protection = { read: true, write: true, execute: false };
const readExecute: Protection = { read: true, write: false, execute: true };

const pageOf = (protection: Protection): Page => ({ protection, dontFork: false, wipeOnFork: false });

const pointer = (base: number, top: number, segment?: number, writable = true): Pointer => {
  return { base, top, address: base, segment, writable, live: true, loaded: false };
};

/** A pointer to a shared segment. */
export const toSegment = ({ page }: Config, segment: number): Pointer => pointer(0, page, segment);

/** Registers at the start. */
export const startRegisters = (config: Config): Value[] => {
  const { data, stack } = layout(config);
  const part = (first: number, count: number): Pointer => pointer(first * config.page, (first + count) * config.page);
  const registers: Value[] = Array.from({ length: registerCount }, () => "number");
  const named: readonly Value[] = [
    "number",
    part(0, data.count),
    part(stack.first, 1),
    "code",
    "other",
    "other",
    toSegment(config, 0),
  ];
  for (const [index, value] of named.entries()) registers[index] = value;
  return registers;
};

/** A pointer after `[start, end)` was unmapped, as a sweep judges it by its bounds. */
const sweptPointer = (pointer: Pointer, start: number, end: number): Pointer => {
  const leadsThere = pointer.segment === undefined && pointer.base < end && pointer.top > start;
  return leadsThere ? { ...pointer, live: false } : pointer;
};

/** The same of anything. */
export const swept = (value: Value, start: number, end: number): Value =>
  isPointer(value) ? sweptPointer(value, start, end) : value;

export class Memory {
  readonly #page: number;
  readonly #granule: number;
  readonly #pages: (Page | undefined)[];
  /** By granule: a pointer, or bytes of one that was overwritten in part. What is not there holds bytes that are known. */
  readonly #granules: Map<number, Pointer | "mixed">;

  private constructor(
    page: number,
    granule: number,
    pages: (Page | undefined)[],
    granules: Map<number, Pointer | "mixed">,
  ) {
    this.#page = page;
    this.#granule = granule;
    this.#pages = pages;
    this.#granules = granules;
  }

  static start(config: Config, granule: number): Memory {
    const { data, stack, code } = layout(config);
    const pages = Array.from({ length: config.pages }, (_, index) => {
      if (index < data.count || index === stack.first) return pageOf(readWrite);
      return index === code.first ? pageOf(readExecute) : undefined;
    });
    return new Memory(config.page, granule, pages, new Map());
  }

  page(index: number): Page | undefined {
    return this.#pages[index];
  }

  /** Pages of a range of bytes. */
  #indices(start: number, size: number): readonly number[] {
    const first = Math.floor(start / this.#page);
    const last = Math.floor((start + Math.max(1, size) - 1) / this.#page);
    return Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
  }

  #granulesIn(start: number, size: number): readonly number[] {
    if (size <= 0) return [];
    const first = Math.floor(start / this.#granule);
    const last = Math.floor((start + size - 1) / this.#granule);
    return Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
  }

  /** What an access through a pointer comes to, whatever it finds there. */
  prospect(
    { base, top, address, segment, writable, live }: Pointer,
    offset: number,
    size: number,
    touch: Touch,
  ): Prospect {
    const start = address + offset;
    if (start < base || start + size > top || (touch === "write" && !writable)) return "unclear";
    if (segment !== undefined) return "fine";
    const pages = this.#indices(start, size).map((index) => this.#pages[index]);
    // Where nothing is mapped any more; something else that was mapped there since would be found on a real machine.
    if (!live) return pages.every((page) => page === undefined) ? "fault" : "unclear";
    const allowed = pages.map((page) => page?.protection[touch] === true);
    if (allowed.every(Boolean)) return "fine";
    return allowed[0] === true ? "unclear" : "fault";
  }

  /** Are these bytes the same on every machine? */
  isPlain({ address, segment }: Pointer, offset: number, size: number): boolean {
    const granules = this.#granulesIn(address + offset, size);
    return segment !== undefined || granules.every((index) => !this.#granules.has(index));
  }

  /** The pointer that a granule holds. */
  pointerAt({ address, segment }: Pointer, offset: number): Pointer | undefined {
    const found = segment === undefined ? this.#granules.get((address + offset) / this.#granule) : undefined;
    return found === "mixed" ? undefined : found;
  }

  /** Offsets of granules that hold a pointer which may be followed. */
  get pointers(): readonly number[] {
    return [...this.#granules].flatMap(([index, value]) =>
      value !== "mixed" && value.live ? [index * this.#granule] : [],
    );
  }

  /** Bytes are stored. */
  overwrite({ address, segment }: Pointer, offset: number, size: number): void {
    if (segment !== undefined) return;
    const start = address + offset;
    for (const index of this.#granulesIn(start, size)) {
      const whole = index * this.#granule >= start && (index + 1) * this.#granule <= start + size;
      if (whole) this.#granules.delete(index);
      else if (this.#granules.has(index)) this.#granules.set(index, "mixed");
    }
  }

  /** A pointer is stored. */
  keep({ address }: Pointer, offset: number, value: Pointer): void {
    this.#granules.set((address + offset) / this.#granule, value);
  }

  /** The first of `count` pages that are free in a row, from which on they are mapped now; nothing where there is no room. */
  map(
    count: number,
    { first, count: area }: { readonly first: number; readonly count: number },
    protection: Protection,
  ): Pointer | undefined {
    for (let start = first; start + count <= first + area; start += 1) {
      const run = this.#pages.slice(start, start + count);
      if (run.every((page) => page === undefined)) {
        this.#pages.fill(pageOf(protection), start, start + count);
        return pointer(start * this.#page, (start + count) * this.#page, undefined, !protection.execute);
      }
    }
    return undefined;
  }

  /** Is there room for a mapping? */
  hasRoom(count: number, { first, count: area }: { readonly first: number; readonly count: number }): boolean {
    return Array.from({ length: Math.max(0, area - count + 1) }, (_, nth) => first + nth).some((start) =>
      this.#pages.slice(start, start + count).every((page) => page === undefined),
    );
  }

  /** Change the pages of a range. */
  change(start: number, size: number, change: Partial<Page>): void {
    for (const index of this.#indices(start, size)) {
      const page = this.#pages[index];
      if (page !== undefined) this.#pages[index] = { ...page, ...change };
    }
  }

  #forget(indices: readonly number[]): void {
    const gone = new Set(indices);
    const perPage = this.#page / this.#granule;
    for (const index of [...this.#granules.keys()]) {
      if (gone.has(Math.floor(index / perPage))) this.#granules.delete(index);
    }
  }

  /** Unmap a range; what is left is swept. */
  unmap(start: number, size: number): void {
    const indices = this.#indices(start, size);
    for (const index of indices) this.#pages[index] = undefined;
    this.#forget(indices);
    for (const [index, value] of this.#granules) {
      if (value !== "mixed") this.#granules.set(index, sweptPointer(value, start, start + size));
    }
  }

  /** A child's memory, and the ranges that it lacks. */
  fork(): { readonly memory: Memory; readonly absent: readonly number[] } {
    const memory = new Memory(this.#page, this.#granule, [...this.#pages], new Map(this.#granules));
    const marked = (mark: "dontFork" | "wipeOnFork"): readonly number[] =>
      this.#pages.flatMap((page, index) => (page?.[mark] === true ? [index] : []));
    memory.#forget(marked("wipeOnFork"));
    const absent = marked("dontFork").map((index) => index * this.#page);
    for (const start of absent) memory.unmap(start, this.#page);
    return { memory, absent };
  }
}
