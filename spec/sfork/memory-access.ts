/**
 * Loads and stores through pages (MEM-4): capability checks are done; here every page is checked, then resolved, then the
 * access acts. Bulk accesses are small ones in a row.
 */
import * as cheri from "../cheri/index.js";
import type { Capability, CapabilityFormat } from "../cheri/index.js";
import { refuse, trapped, type Context, type Outcome, type Refusal } from "./context.js";
import type { Machine } from "./machine.js";
import { checkPage, faults, memoryAt, needsResolving, place, resolve, withMemoryAt } from "./paging.js";
import type { Place, Span } from "./paging.js";

/** The bytes `[address, address + size)`. */
export interface Bytes {
  readonly address: bigint;
  readonly size: bigint;
}

/** The same bytes, cut at page boundaries. */
const chunks = ({ config }: Machine, { address, size }: Bytes): readonly Bytes[] => {
  const page = BigInt(config.page);
  const end = address + size;
  const first = address / page;
  const count = size === 0n ? 0 : Number((end - 1n) / page - first) + 1;
  return Array.from({ length: count }, (_, index) => {
    const start = index === 0 ? address : (first + BigInt(index)) * page;
    const next = (first + BigInt(index + 1)) * page;
    return { address: start, size: (next < end ? next : end) - start };
  });
};

/**
 * Does an authority allow these bytes to be loaded, or stored? With none of them, only the authority is checked.
 * @rule MEM-1 bytes @source CHERI ISAv9 §7 (loads and stores via a capability)
 */
export const checkBytes = (
  format: CapabilityFormat,
  right: "load" | "store",
  authority: Capability,
  { address, size }: Bytes,
): cheri.Check => {
  const check = right === "load" ? cheri.checkLoad : cheri.checkStore;
  return size === 0n ? cheri.checkAuthorised(format, authority, right) : check(format, authority, address, size);
};

/** One page of an access, and the operand that authorises it. */
export interface Access extends Span {
  readonly operand: string;
  /** It delivers raw bytes of a tagged granule (REF-2). */
  readonly raw: boolean;
}

/** Does any granule that `size` bytes from a place on touch bear a tag? Relocation keeps tags: the frame's are the view's. */
const hasTags = (machine: Machine, where: Place, size: bigint): boolean => {
  const { granule } = machine.format;
  const [first, last] = [Number(where.offset / granule), Number((where.offset + size - 1n) / granule)];
  return memoryAt(machine, where).some(({ tag }, index) => tag && index >= first && index <= last);
};

/** The pages of an access to raw bytes. */
export const byteAccess = (
  machine: Machine,
  bytes: Bytes,
  touch: "read" | "write",
  operand: string,
): readonly Access[] =>
  chunks(machine, bytes).map(({ address, size }) => {
    const where = place(machine, address);
    return { place: where, touch, operand, raw: touch === "read" && hasTags(machine, where, size) };
  });

/**
 * A granule read as a capability: a tagged one is seen as such only through Load-Capability; otherwise its bytes are raw.
 * @rule MEM-4 load-cap @source CHERI ISAv9 §7 CLC; µFork (SOSP 2025), CoPA
 */
export const granuleRead = (machine: Machine, authority: Capability, address: bigint, operand: string): Access => {
  const where = place(machine, address);
  const tag = hasTags(machine, where, machine.format.granule);
  const seen = tag && cheri.permits(machine.format, authority, "load-cap");
  return { place: where, touch: seen ? "read-tagged" : "read", operand, raw: tag && !seen };
};

/** A granule written by a capability store. */
export const granuleWrite = (machine: Machine, value: Capability, address: bigint): Access => {
  const touch = value.tag ? "write-tag" : "write";
  return { place: place(machine, address), touch, operand: "cs1", raw: false };
};

/**
 * Check every page in order, then resolve in order what needs it; nothing happens halfway.
 * @rule MEM-4 order @source SFork design: an access is checked before it acts
 */
export const prepare = (machine: Machine, accesses: readonly Access[]): Machine | Refusal => {
  // 1. The first page that may not be touched so names the trap.
  const traps = accesses.map((access) => checkPage(machine, access, access.operand));
  const refused = traps.find((trap) => trap !== undefined);
  if (refused !== undefined) return { kind: "trap", ...refused };
  // 2. Judged before anything is resolved: raw bytes of a pointer that another region's frame holds.
  const stale = accesses.some(
    ({ place: where, raw }) => raw && where.kind === "page" && needsResolving(machine, where.page),
  );
  if (stale && machine.laws.staleReads) return { kind: "outside-profile" };
  // 3. Faults, in the order of the pages; each page at most once, because the first resolves it.
  return accesses.reduce<Machine | Refusal>((sofar, { place: where, touch }) => {
    if ("kind" in sofar || where.kind !== "page" || !faults(sofar, where.page, touch)) return sofar;
    return resolve(sofar, where.page) ?? { kind: "out-of-frames" };
  }, machine);
};

/** An access in three strokes: the capability's checks, the pages' (MEM-4), then the act. */
export const access = (
  context: Context,
  refused: cheri.Check,
  accesses: () => readonly Access[],
  act: (machine: Machine) => Outcome,
): Outcome => {
  if (refused !== undefined) return trapped(context, refused);
  const prepared = prepare(context.machine, accesses());
  return "kind" in prepared ? refuse(context, prepared) : act(prepared);
};

/** Bytes as a little-endian number, over page boundaries. */
export const readBytes = (machine: Machine, bytes: Bytes): bigint =>
  chunks(machine, bytes).reduceRight((above, { address, size }) => {
    const where = place(machine, address);
    return (above << (8n * size)) | cheri.loadBytes(machine.format, memoryAt(machine, where), where.offset, size);
  }, 0n);

/** Store a number in bytes; tags of touched granules go (MEM-2). */
export const writeBytes = (machine: Machine, bytes: Bytes, value: bigint): Machine =>
  chunks(machine, bytes).reduce((sofar, { address, size }) => {
    const where = place(sofar, address);
    const part = value >> (8n * (address - bytes.address));
    return withMemoryAt(sofar, where, cheri.storeBytes(sofar.format, memoryAt(sofar, where), where.offset, size, part));
  }, machine);

export const readGranule = (machine: Machine, address: bigint): Capability => {
  const where = place(machine, address);
  return cheri.loadGranule(machine.format, memoryAt(machine, where), where.offset);
};

export const writeGranule = (machine: Machine, address: bigint, value: Capability): Machine => {
  const where = place(machine, address);
  const memory = cheri.storeGranule(machine.format, memoryAt(machine, where), where.offset, value);
  return withMemoryAt(machine, where, memory);
};

/** Where an authority's accesses go: its address plus an offset, modulo the address space. */
export const effective = (format: CapabilityFormat, authority: Capability, offset: bigint): bigint =>
  format.plainAddress(BigInt.asUintN(Number(format.addressBits), authority.address + offset));
