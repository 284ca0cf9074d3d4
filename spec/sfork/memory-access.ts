/**
 * Loads and stores through pages (MEM-4): capability checks are done; here every page is checked, then resolved, then the
 * access acts. Bulk accesses are small ones in a row.
 */
import {
  loadBytes,
  loadGranule,
  storeBytes,
  storeGranule,
  type Capability,
  type CapabilityFormat,
  type TaggedMemory,
} from "../cheri/index.js";
import type { Context, Outcome, Refusal } from "./context.js";
import { refuse } from "./context.js";
import type { Machine } from "./machine.js";
import {
  checkPage,
  faults,
  memoryAt,
  needsResolving,
  place,
  resolve,
  withMemoryAt,
  type Page,
  type Span,
} from "./paging.js";
import { strategies, type Touch } from "./strategy.js";

/** A run of bytes within one page. */
export interface Chunk {
  readonly address: bigint;
  readonly size: bigint;
}

/** `[address, address + size)` cut at page boundaries. */
const chunks = (machine: Machine, address: bigint, size: bigint): readonly Chunk[] => {
  const page = BigInt(machine.config.page);
  const first = address / page;
  const count = size === 0n ? 0 : Number((address + size - 1n) / page - first) + 1;
  return Array.from({ length: count }, (_, index) => {
    const start = index === 0 ? address : (first + BigInt(index)) * page;
    const end = (first + BigInt(index) + 1n) * page;
    return { address: start, size: (end < address + size ? end : address + size) - start };
  });
};

/** One page of an access, and the operand that authorises it. */
export interface Access {
  readonly span: Span;
  readonly operand: string;
  /** It delivers raw bytes of a tagged granule (REF-2). */
  readonly raw: boolean;
}

const isTagged = (memory: TaggedMemory, first: number, last: number): boolean =>
  memory.slice(first, last + 1).some((granule) => granule.tag);

/** Does any granule that the chunk touches bear a tag? Relocation keeps tags, so the frame's are the view's. */
const hasTags = (machine: Machine, { address, size }: Chunk): boolean => {
  const where = place(machine, address);
  const first = Number(where.offset / machine.format.granule);
  const last = Number((where.offset + size - 1n) / machine.format.granule);
  return isTagged(memoryAt(machine, where), first, last);
};

/** The pages of an access to raw bytes. */
export const byteAccess = (
  machine: Machine,
  address: bigint,
  size: bigint,
  touch: Extract<Touch, "read" | "write">,
  operand: string,
): readonly Access[] =>
  chunks(machine, address, size).map((chunk) => ({
    span: { place: place(machine, chunk.address), touch },
    operand,
    raw: touch === "read" && hasTags(machine, chunk),
  }));

const pageOf = ({ span }: Access): Page | undefined => (span.place.kind === "page" ? span.place.page : undefined);

/**
 * Check every page in order, then resolve in order what needs it; nothing happens halfway.
 * @rule MEM-4 order @source SFork design: an access is checked before it acts
 */
export const prepare = (context: Context, accesses: readonly Access[]): Machine | Refusal => {
  const { machine } = context;
  // 1. The first page that may not be touched so names the trap.
  const refused = accesses
    .map(({ span, operand }) => checkPage(machine, span, operand))
    .find((trap) => trap !== undefined);
  if (refused !== undefined) return { kind: "trap", ...refused };
  // 2. Judged before anything is resolved: raw bytes of a pointer that another region's frame holds.
  const stale = accesses.some((access) => {
    const page = pageOf(access);
    return access.raw && page !== undefined && needsResolving(machine, page);
  });
  if (stale && strategies[machine.config.strategy].staleReads) return { kind: "outside-profile" };
  // 3. Faults, in the order of the pages; each page at most once, because the first resolves it.
  return accesses.reduce<Machine | Refusal>((sofar, access) => {
    const page = pageOf(access);
    if ("kind" in sofar || page === undefined || !faults(sofar, page, access.span.touch)) return sofar;
    return resolve(sofar, page) ?? { kind: "out-of-frames" };
  }, machine);
};

/** `act` on the prepared machine, or the refusal. */
export const whenPrepared = (
  context: Context,
  accesses: readonly Access[],
  act: (machine: Machine) => Outcome,
): Outcome => {
  const prepared = prepare(context, accesses);
  return "kind" in prepared ? refuse(context, prepared) : act(prepared);
};

/** `size` bytes at `address`, little-endian, over page boundaries. */
export const readBytes = (machine: Machine, address: bigint, size: bigint): bigint =>
  chunks(machine, address, size).reduceRight((above, chunk) => {
    const where = place(machine, chunk.address);
    const bytes = loadBytes(machine.format, memoryAt(machine, where), where.offset, chunk.size);
    return (above << (8n * chunk.size)) | bytes;
  }, 0n);

/** Store `size` bytes at `address`; tags of touched granules go (MEM-2). */
export const writeBytes = (machine: Machine, address: bigint, size: bigint, value: bigint): Machine =>
  chunks(machine, address, size).reduce((sofar, chunk) => {
    const where = place(sofar, chunk.address);
    const part = value >> (8n * (chunk.address - address));
    const memory = storeBytes(sofar.format, memoryAt(sofar, where), where.offset, chunk.size, part);
    return withMemoryAt(sofar, where, memory);
  }, machine);

export const readGranule = (machine: Machine, address: bigint): Capability => {
  const where = place(machine, address);
  return loadGranule(machine.format, memoryAt(machine, where), where.offset);
};

export const writeGranule = (machine: Machine, address: bigint, value: Capability): Machine => {
  const where = place(machine, address);
  return withMemoryAt(machine, where, storeGranule(machine.format, memoryAt(machine, where), where.offset, value));
};

/** Where an authority's accesses go: its address plus an offset, modulo the address space. */
export const effective = (format: CapabilityFormat, authority: Capability, offset: bigint): bigint =>
  format.plainAddress(BigInt.asUintN(Number(format.addressBits), authority.address + offset));
