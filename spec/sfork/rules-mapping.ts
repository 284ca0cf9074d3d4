/** Mapping memory as steps: mmap, munmap, mprotect, and shared segments (LAY-1, REUSE-1, REUSE-2, MEM-7). */
import { inBounds, isSealed, representableAlignmentMask, representableLength } from "../cheri/index.js";
import { regionSize, type Config } from "./config.js";
import { done, failed, giveCapability, integer, refuse, register, slotOf } from "./context.js";
import type { Context, Outcome } from "./context.js";
import * as machines from "./machine.js";
import type { Machine, PageEntry, Pages } from "./machine.js";
import type { Integer, Protection } from "./operation.js";
import { mapFresh, unmap, withEntries } from "./paging.js";
import type { Rules } from "./rules.js";
import { sweepUnmapped } from "./sweep.js";

/** Private pages of live processes: each is committed as one frame, whether or not it has one of its own (FORK-1). */
export const committed = (machine: Machine): number =>
  machine.regions.flat().filter((entry) => entry !== undefined).length;

/** Is there room for `pages` more? Overcommitted machines only ask for the frames that are needed at once. */
export const hasCommit = (machine: Machine, pages: number, atOnce = pages): boolean => {
  const { commit, frames } = machine.config;
  const used = machine.frames.filter((frame) => frame !== undefined).length;
  return commit === "overcommit" ? used + atOnce <= frames : committed(machine) + pages <= frames;
};

/** Bytes, rounded up to whole pages. */
const wholePages = ({ page }: Config, bytes: bigint): bigint => {
  const size = BigInt(page);
  return ((bytes + size - 1n) / size) * size;
};

const forbidden = (protection: Protection): boolean => protection.write && protection.execute;

/** The first free run of `count` pages in the mmap area that begins at a multiple of `alignment`. */
const freeRun = ({ config, regions }: Machine, slot: number, count: number, alignment: bigint): number | undefined => {
  const { first, count: area } = machines.layout(config).free;
  const starts = Array.from({ length: Math.max(0, area - count + 1) }, (_, index) => first + index);
  return starts.find(
    (start) =>
      machines.pageBase(config, slot, start) % alignment === 0n &&
      !(regions[slot] ?? []).slice(start, start + count).some((entry) => entry !== undefined),
  );
};

/**
 * A new mapping in the lowest free run that its capability can describe exactly; zero, without tags. Undefined where an
 * overcommitted machine has no frame left.
 * @rule REUSE-2 mmap @source POSIX mmap (anonymous memory is zero-filled); SFork design: mmap returns exact capabilities
 */
const mapped = (machine: Machine, slot: number, pages: Pages, protection: Protection): Machine | undefined => {
  const memory = machines.zeroPage(machine.config);
  const contents = Array.from({ length: pages.count }, (_, nth) => ({ index: pages.first + nth, protection, memory }));
  return mapFresh(machine, slot, contents);
};

/** A capability to memory, and how much of it. */
interface Named {
  readonly cs1: number;
  readonly n: Integer;
}

/** What munmap and mprotect act on: pages of the caller (else EINVAL) without a hole (ENOMEM). */
const withPages = (context: Context, { cs1, n }: Named, act: (slot: number, pages: Pages) => Outcome): Outcome => {
  const { machine, format } = context;
  const { config } = machine;
  const authority = register(context, cs1);
  const slot = slotOf(context);
  const page = BigInt(config.page);
  // 1. A capability that could be used, and whole pages from its address on, within its bounds and the region.
  const bytes = wholePages(config, integer(context, n));
  const start = format.plainAddress(authority.address);
  const offset = start - machines.regionBase(config, slot);
  const named = authority.tag && !isSealed(format, authority) && inBounds(authority, start, bytes);
  const own = offset >= 0n && offset % page === 0n && offset + bytes <= regionSize(config);
  if (bytes === 0n || !named || !own) return failed(context, "EINVAL");
  // 2. All of them mapped.
  const pages = { first: Number(offset / page), count: Number(bytes / page) };
  const entries = (machine.regions[slot] ?? []).slice(pages.first, pages.first + pages.count);
  return entries.includes(undefined) ? failed(context, "ENOMEM") : act(slot, pages);
};

/** What each advice says of a fork. */
const advised = {
  ...{ dontfork: { dontFork: true }, dofork: { dontFork: false } },
  ...{ wipeonfork: { wipeOnFork: true }, keeponfork: { wipeOnFork: false } },
} as const;

/** Change the entries of pages. */
const withEach = (context: Context, operands: Named, change: (entry: PageEntry) => PageEntry): Outcome =>
  withPages(context, operands, (slot, pages) =>
    done(
      withEntries(context.machine, slot, (entry, index) =>
        entry !== undefined && machines.includes(pages, index) ? change(entry) : entry,
      ),
    ),
  );

export const mappingRules = {
  mmap: (context, { cd, n, protection }) => {
    const { machine, format } = context;
    const { config } = machine;
    const asked = wholePages(config, integer(context, n));
    if (asked === 0n || forbidden(protection)) return failed(context, "EINVAL");
    if (asked > regionSize(config)) return failed(context, "ENOMEM");
    // 1. The length that a capability can have, and the alignment of its base.
    const length = representableLength(format, asked);
    const alignment = (1n << format.addressBits) - representableAlignmentMask(format, length);
    // 2. The lowest run, if there is one and it can be committed.
    const count = Number(length / BigInt(config.page));
    const slot = slotOf(context);
    const first = freeRun(machine, slot, count, alignment);
    if (first === undefined || !hasCommit(machine, count)) return failed(context, "ENOMEM");
    const next = mapped(machine, slot, { first, count }, protection);
    if (next === undefined) return failed(context, "ENOMEM");
    const rights = protection.execute ? machines.codeRights : machines.dataRights;
    const root = machines.memoryRoot(format, machines.pageBase(config, slot, first), length, rights);
    return giveCapability(context, cd, root, next);
  },
  munmap: (context, operands) =>
    withPages(context, operands, (slot, pages) => {
      const { config } = context.machine;
      const end = pages.first + pages.count;
      const range = { start: machines.pageBase(config, slot, pages.first), end: machines.pageBase(config, slot, end) };
      const swept = sweepUnmapped(unmap(context.machine, slot, pages), slot, range);
      return swept === undefined ? refuse(context, { kind: "out-of-frames" }) : done(swept);
    }),
  mprotect: (context, { protection, ...operands }) =>
    forbidden(protection)
      ? failed(context, "EINVAL")
      : withEach(context, operands, (entry) => ({ ...entry, protection })),
  madvise: (context, { advice, ...operands }) =>
    integer(context, operands.n) === 0n
      ? done(context.machine)
      : withEach(context, operands, (entry) => ({ ...entry, advice: { ...entry.advice, ...advised[advice] } })),
  shm: (context, { cd, segment }) =>
    giveCapability(context, cd, machines.segmentRoot(context.machine.config, segment % context.machine.config.shared)),
} satisfies Partial<Rules>;
