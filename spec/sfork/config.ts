/**
 * Configurations of the machine and what makes one legal (CFG-1).
 *
 * Regions of processes lie at `base + slot · stride`; shared segments and the kernel lie behind the last one.
 */
import * as cheri from "../cheri/index.js";

/**
 * The levels, of which `posix` is the one that applications believe in, every process in an address space of its own (L0);
 * and systems from the literature.
 */
type BaselineName = "multi-as-cow" | "vm-clone" | "shared-segments" | "naive-cow";
export type StrategyName = "posix" | "eager" | "coa" | "copa" | BaselineName;

export interface Config {
  readonly format: cheri.FormatName;
  readonly strategy: StrategyName;
  /** Bytes of a page: a power of two, at least 256. */
  readonly page: number;
  /** Pages of a region, at least 4. */
  readonly pages: number;
  /** Distance of regions, in bytes. */
  readonly stride: bigint;
  /** Bytes that are never mapped behind each region, at least. */
  readonly guard: number;
  /** Regions. */
  readonly slots: number;
  /** Live processes and zombies. */
  readonly processes: number;
  /** Frames that private pages may commit. */
  readonly frames: number;
  readonly commit: "reserve" | "overcommit";
  readonly reuse: "revoke" | "never";
  /** Address of slot 0. */
  readonly base: bigint;
  /** Shared segments, of one page each. */
  readonly shared: number;
  /** Bytes that a pipe holds. */
  readonly pipe: number;
  /** Messages that a channel holds. */
  readonly channel: number;
}

/** A clause of CFG-1 that a configuration breaks. */
export interface IllegalConfig {
  readonly illegal: string;
}

/** What is taken where a configuration does not say; stride and base are the least legal ones. */
const defaults: Omit<Config, "stride" | "base" | "guard"> = {
  format: "cheri128-v9",
  strategy: "eager",
  page: 256,
  pages: 8,
  slots: 16,
  processes: 8,
  frames: 512,
  commit: "reserve",
  reuse: "revoke",
  shared: 1,
  pipe: 64,
  channel: 4,
};

/** Object types that process 0's sealing authority covers: the first that are ordinary in every format. */
export const sealingTypes = { first: 4n, count: 4n } as const;

const roundUp = (value: bigint, to: bigint): bigint => ((value + to - 1n) / to) * to;

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Bytes of a region. */
export const regionSize = ({ page, pages }: Pick<Config, "page" | "pages">): bigint => BigInt(page) * BigInt(pages);

/** Regions must lie at multiples of this: both pages and capabilities that fit a region move by it exactly. */
const alignmentOf = (format: cheri.CapabilityFormat, config: Pick<Config, "page" | "pages">): bigint =>
  larger(format.relocationAlignment(regionSize(config)), BigInt(config.page));

/**
 * A configuration with everything that was left out: the defaults, the least legal stride and base.
 * @rule CFG-1 defaults @source SFork design: regions
 */
export const completeConfig = (given: Partial<Config>): Config | IllegalConfig => {
  const config = { ...defaults, guard: given.page ?? defaults.page, ...given };
  const refused = checkSizes(config);
  if (refused !== undefined) return refused;
  const alignment = alignmentOf(cheri.formats[config.format], config);
  const stride = given.stride ?? roundUp(regionSize(config) + BigInt(config.guard), alignment);
  const base = given.base ?? larger(2n * alignment, roundUp(sealingTypes.first + sealingTypes.count, alignment));
  const complete: Config = { ...config, stride, base };
  return checkPlaces(complete) ?? complete;
};

/** The first clause that does not hold. */
const broken = (clauses: readonly (readonly [holds: boolean, clause: string])[]): IllegalConfig | undefined => {
  const first = clauses.find(([holds]) => !holds);
  return first === undefined ? undefined : { illegal: first[1] };
};

const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

const checkSizes = (sizes: Omit<Config, "stride" | "base">): IllegalConfig | undefined =>
  broken([
    [isWhole(sizes.page, 256) && isPowerOfTwo(sizes.page), "page is a power of two, at least 256"],
    [isWhole(sizes.pages, 4), "a region has at least 4 pages"],
    [isWhole(sizes.processes, 1), "there is at least one process"],
    [isWhole(sizes.slots, sizes.processes), "there are at least as many slots as processes"],
    [isWhole(sizes.frames, Math.floor(sizes.pages / 2) + 2), "the frames suffice for the pages of process 0"],
    [
      [sizes.shared, sizes.pipe, sizes.channel].every((size) => isWhole(size, 1)),
      "shared, pipe and channel are at least 1",
    ],
    [isWhole(sizes.guard, sizes.page), "the guard is at least one page"],
  ]);

/**
 * Is every region, and each of its parts, exactly representable where it lies, and does everything fit?
 * @rule CFG-1 places @source CHERI ISAv9 §3.5.4 (alignment requirements); FORK-6
 */
const checkPlaces = (config: Config): IllegalConfig | undefined => {
  const { guard, stride, base, pages } = config;
  const format = cheri.formats[config.format];
  const size = regionSize(config);
  const alignment = alignmentOf(format, config);
  const page = BigInt(config.page);
  const exact = (offset: number, length: bigint): boolean =>
    cheri.representableLength(format, length) === length &&
    ((page * BigInt(offset)) & ~cheri.representableAlignmentMask(format, length)) === 0n;
  // Of a region, its data, its stack and its code.
  const parts =
    exact(0, size) &&
    exact(0, page * BigInt(Math.floor(pages / 2))) &&
    [pages - 2, pages - 1].every((part) => exact(part, page));
  const limit = format.name === "morello" ? 1n << 55n : 1n << (format.addressBits - 1n);
  return broken([
    [parts, "a region and its code, data and stack are exactly representable"],
    [stride >= size + BigInt(guard), "the stride is at least a region and its guard"],
    [stride % alignment === 0n, `the stride is a multiple of ${alignment.toString()}`],
    [base % alignment === 0n, `the base is a multiple of ${alignment.toString()}`],
    [base >= 2n * alignment, `the base is at least ${(2n * alignment).toString()}`],
    [base >= sealingTypes.first + sealingTypes.count, "the sealing types lie below the base"],
    [kernelBase(config) + page <= limit, `everything ends below 0x${limit.toString(16)}`],
  ]);
};

/** Start of the shared segments: behind the last region's guard. */
export const sharedBase = (config: Pick<Config, "base" | "stride" | "slots">): bigint =>
  config.base + BigInt(config.slots) * config.stride;

/** Start of the kernel, of which one page is seen from outside. */
export const kernelBase = (config: Config): bigint => sharedBase(config) + BigInt(config.shared) * BigInt(config.page);
