/**
 * The machine as a value: processes, threads, one page table, frames, channels (`initial` makes the first one).
 *
 * Nothing is ever changed in place. Arrays are indexed by ordinal (processes, threads, channels, in order of creation), by
 * slot (page tables) or by frame.
 */
import * as cheri from "../cheri/index.js";
import type { Capability, CapabilityFormat, Permission, TaggedMemory } from "../cheri/index.js";
import { kernelBase, sealingTypes, sharedBase, type Config } from "./config.js";
import { fresh, maxDescriptors, noObjects, type Call, type Kernel, type Objects } from "./kernel.js";
import type { ExitStatus } from "./observation.js";
import type { Protection } from "./operation.js";
import { lawsOf, strategies, type Laws } from "./laws.js";

/** Physical storage of one page. */
export interface Frame {
  readonly memory: TaggedMemory;
  /** Base of the region in which its capabilities are valid; nowhere for shared segments, which hold none. */
  readonly home: bigint;
  /** Private mappings of it. */
  readonly references: number;
}

/** A private page's entry in the page table. */
export interface PageEntry {
  readonly frame: number;
  /** The process's own protection; what a strategy withholds comes on top. */
  readonly protection: Protection;
  /** Set on both sides at a fork: a write faults, whether or not the frame is still shared. */
  readonly guard: boolean;
  readonly advice: Advice;
}

/** What `madvise` said of a fork: the child has the page not at all, or with zeros. */
export interface Advice {
  readonly dontFork: boolean;
  readonly wipeOnFork: boolean;
}

export const noAdvice: Advice = { dontFork: false, wipeOnFork: false };

/** The pages of one region, by index; undefined where nothing is mapped. */
type Region = readonly (PageEntry | undefined)[];

export interface Thread {
  readonly process: number;
  readonly live: boolean;
  readonly registers: readonly Capability[];
  readonly pcc: Capability;
  /** Signals that it does not take. */
  readonly mask: readonly number[];
  readonly call: Call | undefined;
}

/** What happened to a process's pages so far. */
export interface Counters {
  /** Faults that a strategy caused, once per page and step. */
  readonly faults: number;
  /** Pages whose bytes were copied. */
  readonly copies: number;
  /** Granules whose capability changed by relocation. */
  readonly relocations: number;
  /** Changes of an entry's frame, guard or protection. */
  readonly pageTableWrites: number;
}

/** A run of pages of a region. */
export interface Pages {
  readonly first: number;
  readonly count: number;
}

/** The run contains page `index`. */
export const includes = ({ first, count }: Pages, index: number): boolean => index >= first && index < first + count;

type ProcessState =
  | { readonly kind: "live" }
  | { readonly kind: "zombie"; readonly status: ExitStatus; readonly ended: number }
  | { readonly kind: "reaped" };

export interface Process extends Kernel {
  readonly pid: number;
  readonly parent: number;
  /** The slot of its region; kept after its end, for printing. */
  readonly slot: number;
  readonly state: ProcessState;
  readonly counters: Counters;
}

export interface Machine extends Objects {
  readonly config: Config;
  readonly format: CapabilityFormat;
  /** The true ones, but in a variant. */
  readonly laws: Laws;
  /** The slot of the process that runs; where each has an address space of its own, this one's is installed. */
  readonly space: number;
  /** By slot; empty where the slot is free. */
  readonly regions: readonly Region[];
  readonly frames: readonly (Frame | undefined)[];
  /** Shared segments, one page each. */
  readonly segments: readonly TaggedMemory[];
  readonly processes: readonly Process[];
  readonly threads: readonly Thread[];
  readonly channels: readonly { readonly messages: readonly Capability[] }[];
  /** Slots that were handed out at least once. */
  readonly usedSlots: ReadonlySet<number>;
  /** Processes that have ended so far: zombies are ordered by it. */
  readonly endings: number;
}

const readWrite: Protection = { read: true, write: true, execute: false };
const readExecute: Protection = { read: true, write: false, execute: true };
export const noCounters: Counters = { faults: 0, copies: 0, relocations: 0, pageTableWrites: 0 };

/** Number of general registers; `csp` is another name for the third. */
export const registerCount = 16;

/** Live threads of one process, and channels of a machine, that there may be at once: few, so that programs meet the limits. */
export const maxThreads = 8;
export const maxChannels = 8;

/** Where a region begins; in separate address spaces each begins where the first does. */
export const regionBase = (config: Config, slot: number): bigint =>
  strategies[config.strategy].separate ? config.base : config.base + BigInt(slot) * config.stride;

/** Where a page of a region begins. */
export const pageBase = (config: Config, slot: number, index: number): bigint =>
  regionBase(config, slot) + BigInt(index * config.page);

export const zeroPage = ({ page, format }: Config): TaggedMemory =>
  Array.from({ length: page / Number(cheri.formats[format].granule) }, () => cheri.zeroGranule);

type Rights = readonly Permission[];

/** Rights of the capabilities that the kernel hands out for memory. */
export const dataRights: Rights = ["load", "store", "load-cap", "store-cap", "global"];
export const codeRights: Rights = ["execute", "load", "global"];

/** The sentry and the segments can be invoked, too, where the format has that right: sealed with one type, as a pair. */
const invokable = (rights: Rights): Rights => [...rights, "invoke"];

/** They come with the rights that leave loaded capabilities as they are, where the format has such rights. */
const keepLoaded: Rights = ["mutable-load", "elevate-level"];

/**
 * A new root over `[base, base + length)`: only start, mmap, exec and shm make one. `rvy64` has no encoding for code that
 * cannot load capabilities; there the right to load them is added.
 * @rule LAY-1 roots @source SFork design: capabilities of a µprocess are derived by the kernel
 */
export const memoryRoot = (format: CapabilityFormat, base: bigint, length: bigint, rights: Rights): Capability => {
  const whole = cheri.rootCapability(format);
  const asked = cheri.permissionMask(format.permissionBits, [...rights, ...keepLoaded]);
  const encodable = format.withPermissions(whole.metadata, asked).exact;
  const mask = encodable ? asked : asked | cheri.permissionMask(format.permissionBits, ["load-cap"]);
  return cheri.andPermissions(format, cheri.setBounds(format, cheri.setAddress(format, whole, base), length), mask);
};

/** The parts of a region of n pages, in pages: data from 0, free for mmap, stack, code. */
export const layout = ({ pages }: Pick<Config, "pages">) => {
  const half = Math.floor(pages / 2);
  return {
    data: { first: 0, count: half },
    free: { first: half, count: pages - 2 - half },
    stack: { first: pages - 2, count: 1 },
    code: { first: pages - 1, count: 1 },
  } as const satisfies Readonly<Record<string, Pages>>;
};

/** The capability to shared segment `segment`. Its pages hold no tags, whatever it permits (MEM-7). */
export const segmentRoot = (config: Config, segment: number): Capability => {
  const format = cheri.formats[config.format];
  const base = sharedBase(config) + BigInt(segment) * BigInt(config.page);
  return memoryRoot(format, base, BigInt(config.page), invokable(dataRights));
};

/** The sealed entry to the kernel: the same in every process, moved by no fork. */
const kernelEntry = (config: Config): Capability => {
  const format = cheri.formats[config.format];
  return cheri.sealEntry(format, memoryRoot(format, kernelBase(config), BigInt(config.page), codeRights));
};

/** Authority to seal and unseal with four object types; null where a format has no types to seal with. */
const sealingRoot = (format: CapabilityFormat): Capability => {
  if (!format.otypes.ordinary) return cheri.nullCapability(format);
  const whole = cheri.setAddress(format, cheri.rootCapability(format), sealingTypes.first);
  const rights = cheri.permissionMask(format.permissionBits, ["seal", "unseal", "global"]);
  return cheri.andPermissions(format, cheri.setBounds(format, whole, sealingTypes.count), rights);
};

/**
 * The registers, `pcc` and pages with which an image starts in a slot.
 * @rule LAY-1 start @source SFork design: layout of a region
 */
export const startState = (config: Config, slot: number) => {
  const format = cheri.formats[config.format];
  const { data, stack, code } = layout(config);
  const part = ({ first, count }: Pages, rights: Rights): Capability =>
    memoryRoot(format, pageBase(config, slot, first), BigInt(count * config.page), rights);
  const pcc = part(code, codeRights);
  const named = [
    cheri.nullCapability(format),
    part(data, dataRights),
    part(stack, dataRights),
    cheri.sealEntry(format, part(code, invokable(codeRights))),
    sealingRoot(format),
    kernelEntry(config),
    segmentRoot(config, 0),
  ];
  const registers = Array.from({ length: registerCount }, (_, index) => named[index] ?? cheri.nullCapability(format));
  const protection = Array.from({ length: config.pages }, (_, page): Protection | undefined =>
    page < data.count || page === stack.first ? readWrite : page === code.first ? readExecute : undefined,
  );
  return { registers, pcc, protection };
};

/**
 * The machine at the start: process 0 in slot 0, one thread, zero memory.
 * @rule LAY-1 initial @source SFork design: start state
 */
export const initial = (config: Config, laws: Laws = lawsOf(config.strategy)): Machine => {
  const { registers, pcc, protection } = startState(config, 0);
  const home = regionBase(config, 0);
  const zero = zeroPage(config);
  const kernel: Kernel = {
    group: 0,
    session: 0,
    descriptors: [],
    actions: new Map(),
    alternateStack: cheri.nullCapability(cheri.formats[config.format]),
    umask: 0o22,
    directory: "/",
    limits: { nofile: maxDescriptors, nproc: config.processes },
    ...fresh,
  };
  // The hole for mmap lies between the frames of the data and those of stack and code.
  const hole = layout(config).free;
  const region = protection.map((own, page): PageEntry | undefined =>
    own === undefined
      ? undefined
      : { frame: page < hole.first ? page : page - hole.count, protection: own, guard: false, advice: noAdvice },
  );
  return {
    config,
    format: cheri.formats[config.format],
    laws,
    space: 0,
    regions: Array.from({ length: config.slots }, (_, slot) => (slot === 0 ? region : [])),
    frames: Array.from({ length: config.pages - hole.count }, () => ({ memory: zero, home, references: 1 })),
    segments: Array.from({ length: config.shared }, () => zero),
    processes: [{ pid: 1, parent: 0, slot: 0, state: { kind: "live" }, counters: noCounters, ...kernel }],
    threads: [{ process: 0, live: true, registers, pcc, mask: [], call: undefined }],
    channels: [],
    usedSlots: new Set([0]),
    endings: 0,
    ...noObjects,
  };
};
