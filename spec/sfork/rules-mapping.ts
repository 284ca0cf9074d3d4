/** Mapping memory as steps: mmap, munmap, mprotect, and shared segments (LAY-1, REUSE-1, REUSE-2, MEM-7). */
import {
  inBounds,
  isSealed,
  representableAlignmentMask,
  representableLength,
  type Capability,
} from "../cheri/index.js";
import {
  done,
  failed,
  giveCapability,
  integer,
  processOf,
  refuse,
  register,
  type Context,
  type Outcome,
} from "./context.js";
import { regionSize } from "./config.js";
import {
  codeRights,
  dataRights,
  layout,
  memoryRoot,
  regionBase,
  segmentRoot,
  zeroPage,
  type Machine,
} from "./machine.js";
import type { Protection } from "./operation.js";
import { entryOf, hasFreeFrame, mapNew, setEntry, unmap, type Page } from "./paging.js";
import type { Rules } from "./rules.js";
import { mappedPages, sweepUnmapped } from "./sweep.js";

/** Private pages of live processes: each is committed as one frame, whether or not it has one of its own (FORK-1). */
export const committed = (machine: Machine): number =>
  machine.regions.reduce((sum, _, slot) => sum + mappedPages(machine, slot).length, 0);

/** Is there room for `pages` more? Overcommitted machines only ask for frames. */
export const hasCommit = (machine: Machine, pages: number): boolean =>
  machine.config.commit === "overcommit" || committed(machine) + pages <= machine.config.frames;

const slotOf = (context: Context): number => processOf(context)?.slot ?? 0;

const pagesFor = ({ machine }: Context, bytes: bigint): bigint => {
  const page = BigInt(machine.config.page);
  return (bytes + page - 1n) / page;
};

const forbidden = (protection: Protection): boolean => protection.write && protection.execute;

/** The first free run of `count` pages in the mmap area that begins at a multiple of `alignment`. */
const freeRun = (machine: Machine, slot: number, count: number, alignment: bigint): number | undefined => {
  const { first, count: area } = layout(machine.config).free;
  const base = regionBase(machine.config, slot);
  const starts = Array.from({ length: Math.max(0, area - count + 1) }, (_, index) => first + index);
  return starts.find(
    (start) =>
      (base + BigInt(start) * BigInt(machine.config.page)) % alignment === 0n &&
      Array.from({ length: count }, (_, index) => start + index).every(
        (index) => entryOf(machine, { slot, index }) === undefined,
      ),
  );
};

/**
 * A new mapping in the lowest free run that its capability can describe exactly; zero, without tags. Undefined where an
 * overcommitted machine has no frame left.
 * @rule REUSE-2 mmap @source POSIX mmap (anonymous memory is zero-filled); SFork design: mmap returns exact capabilities
 */
const mapped = (
  machine: Machine,
  slot: number,
  start: number,
  count: number,
  protection: Protection,
): Machine | undefined =>
  Array.from({ length: count }, (_, index): Page => ({ slot, index: start + index })).reduce<Machine | undefined>(
    (sofar, page) =>
      sofar !== undefined && hasFreeFrame(sofar)
        ? mapNew(sofar, page, zeroPage(sofar.config), { protection, guard: false })
        : undefined,
    machine,
  );

/** The pages that a capability and a length name, or undefined: for munmap and mprotect. */
const named = (context: Context, authority: Capability, length: bigint): readonly Page[] | undefined => {
  const { machine, format } = context;
  const slot = slotOf(context);
  const page = BigInt(machine.config.page);
  const bytes = pagesFor(context, length) * page;
  const start = format.plainAddress(authority.address);
  const offset = start - regionBase(machine.config, slot);
  const allowed =
    length !== 0n &&
    authority.tag &&
    !isSealed(format, authority) &&
    start % page === 0n &&
    inBounds(authority, start, bytes) &&
    offset >= 0n &&
    offset + bytes <= regionSize(machine.config);
  if (!allowed) return undefined;
  return Array.from({ length: Number(bytes / page) }, (_, index) => ({ slot, index: Number(offset / page) + index }));
};

/** Checks that munmap and mprotect share: EINVAL for the arguments, ENOMEM for a hole. */
const withPages = (
  context: Context,
  authority: Capability,
  length: bigint,
  act: (pages: readonly Page[]) => Outcome,
): Outcome => {
  const pages = named(context, authority, length);
  if (pages === undefined) return failed(context, "EINVAL");
  if (pages.some((page) => entryOf(context.machine, page) === undefined)) return failed(context, "ENOMEM");
  return act(pages);
};

export const mappingRules = {
  mmap: (context, { cd, n, protection }) => {
    const { machine, format } = context;
    const bytes = integer(context, n);
    if (bytes === 0n || forbidden(protection)) return failed(context, "EINVAL");
    // 1. The length that a capability can have, and the alignment of its base.
    const page = BigInt(machine.config.page);
    const asked = pagesFor(context, bytes) * page;
    if (asked > regionSize(machine.config)) return failed(context, "ENOMEM");
    const length = representableLength(format, asked);
    const alignment = (1n << format.addressBits) - representableAlignmentMask(format, length);
    // 2. The lowest run, if there is one and it can be committed.
    const count = Number(length / page);
    const slot = slotOf(context);
    const start = freeRun(machine, slot, count, alignment);
    if (start === undefined || !hasCommit(machine, count)) return failed(context, "ENOMEM");
    const next = mapped(machine, slot, start, count, protection);
    if (next === undefined) return failed(context, "ENOMEM");
    const base = regionBase(machine.config, slot) + BigInt(start) * page;
    const rights = protection.execute ? codeRights : dataRights;
    return giveCapability(context, cd, memoryRoot(format, base, length, rights), next);
  },
  munmap: (context, { cs1, n }) =>
    withPages(context, register(context, cs1), integer(context, n), (pages) => {
      const { machine } = context;
      const page = BigInt(machine.config.page);
      const start = regionBase(machine.config, slotOf(context)) + BigInt(pages[0]?.index ?? 0) * page;
      const range = { start, end: start + BigInt(pages.length) * page };
      const swept = sweepUnmapped(pages.reduce(unmap, machine), slotOf(context), range);
      return swept === undefined ? refuse(context, { kind: "out-of-frames" }) : done(swept);
    }),
  mprotect: (context, { cs1, n, protection }) =>
    forbidden(protection)
      ? failed(context, "EINVAL")
      : withPages(context, register(context, cs1), integer(context, n), (pages) =>
          done(
            pages.reduce((sofar, page) => {
              const entry = entryOf(sofar, page);
              return entry === undefined ? sofar : setEntry(sofar, page, { ...entry, protection });
            }, context.machine),
          ),
        ),
  shm: (context, { cd, segment }) =>
    giveCapability(context, cd, segmentRoot(context.machine.config, segment % context.machine.config.shared)),
} satisfies Partial<Rules>;
