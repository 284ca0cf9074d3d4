/** The mappings of a process, as far as its core says: from its segments and notes, or from a copy of its maps. */
import type { Protection } from "../../spec/sfork/operation.js";
import { InputError, plainLine } from "../errors.js";
import type { Headers, Segment } from "./elf.js";
import type { MapsLine } from "./maps.js";
import type { Notes } from "./notes.js";

/** Addresses are those of the process. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly protection: Protection;
  readonly name: string;
}

/** Pages that the kernel gives to every process: no fork copies them. */
const kernels: ReadonlySet<string> = new Set(["[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]"]);

const protectionOf = (flags: number): Protection => ({
  read: (flags & 4) !== 0,
  write: (flags & 2) !== 0,
  execute: (flags & 1) !== 0,
});

const permitsNothing = ({ read, write, execute }: Protection): boolean => !read && !write && !execute;

/** What lies at an address, in a list by address. */
export const at = <Item extends { readonly start: number; readonly end: number }>(
  items: readonly Item[],
  address: number,
): Item | undefined => {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.start ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  const item = items[low - 1];
  return item !== undefined && address < item.end ? item : undefined;
};

const isUnder = (segments: readonly Segment[], start: number, end: number): boolean =>
  segments.some((one) => one.start < end && start < one.end);

/** From the core alone: its segments, and files that it left out. What those allow it does not say: they are read. */
const fromCore = ({ segments }: Headers, { files, threads, vdso }: Notes): readonly Mapping[] => {
  const stacks = threads.map((registers) => Number(registers.get("rsp") ?? registers.get("sp") ?? 0n));
  const named = [...files].sort((one, two) => one.start - two.start);
  const nameOf = ({ start, end }: Segment): string => {
    const file = at(named, start);
    if (file !== undefined) return plainLine(file.name);
    return stacks.some((pointer) => start <= pointer && pointer < end) ? "[stack]" : "anonymous";
  };
  const own = segments
    .filter(({ start, end }) => vdso === undefined || vdso < start || vdso >= end)
    .map((segment) => ({ ...segment, protection: protectionOf(segment.flags), name: nameOf(segment) }));
  const left: Mapping[] = [];
  for (const { start, end, name } of named) {
    const isWhole = start < end && start % 4096 === 0 && end % 4096 === 0 && end <= Number.MAX_SAFE_INTEGER;
    if (!isWhole || isUnder(segments, start, end) || start < (left.at(-1)?.end ?? 0)) continue;
    left.push({ start, end, protection: { read: true, write: false, execute: false }, name: plainLine(name) });
  }
  return [...own, ...left].sort((one, two) => one.start - two.start);
};

/**
 * Mappings by address, without those of the kernel and those that permit nothing. Throws the `InputError` of maps that do not
 * belong to the core.
 */
export const mappingsOf = (
  file: string,
  headers: Headers,
  notes: Notes,
  maps?: readonly MapsLine[],
): readonly Mapping[] => {
  for (const { start, stored } of maps === undefined ? [] : headers.segments) {
    if (stored === 0 || at(maps ?? [], start) !== undefined) continue;
    const what = `--maps is of another process: it has no mapping at 0x${start.toString(16)}, where the core has memory`;
    throw new InputError(file, undefined, what);
  }
  const all =
    maps?.map((line) => ({ ...line, name: line.name === "" ? "anonymous" : line.name })) ?? fromCore(headers, notes);
  return all
    .filter(({ name, protection }) => !kernels.has(name) && !permitsNothing(protection))
    .map(({ start, end, protection, name }) => ({ start, end, protection, name }));
};
