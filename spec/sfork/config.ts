/**
 * Configurations of the machine and what makes one legal (CFG-1).
 *
 * Regions of processes lie at `base + slot · stride`; shared segments and the kernel lie behind the last one.
 */
import {
  formats,
  representableAlignmentMask,
  representableLength,
  type CapabilityFormat,
  type FormatName,
} from "../cheri/index.js";

export type StrategyName = "eager" | "coa" | "copa";

export interface Config {
  readonly format: FormatName;
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
const alignmentOf = (format: CapabilityFormat, config: Pick<Config, "page" | "pages">): bigint =>
  larger(format.relocationAlignment(regionSize(config)), BigInt(config.page));

/**
 * A configuration with everything that was left out: the defaults, the least legal stride and base.
 * @rule CFG-1 defaults @source SFork design: regions
 */
export const completeConfig = (given: Partial<Config>): Config | IllegalConfig => {
  const config = { ...defaults, ...given };
  const refused = checkSizes(config);
  if (refused !== undefined) return refused;
  const guard = given.guard ?? config.page;
  const alignment = alignmentOf(formats[config.format], config);
  const stride = given.stride ?? roundUp(regionSize(config) + BigInt(guard), alignment);
  const base = given.base ?? larger(2n * alignment, roundUp(sealingTypes.first + sealingTypes.count, alignment));
  const complete: Config = { ...config, guard, stride, base };
  return checkPlaces(complete) ?? complete;
};

const illegal = (clause: string): IllegalConfig => ({ illegal: clause });

const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

type Sizes = Omit<Config, "stride" | "base" | "guard">;

const checkSizes = (config: Sizes): IllegalConfig | undefined => {
  const { page, pages, slots, processes, frames, shared, pipe, channel } = config;
  if (!isWhole(page, 256) || (BigInt(page) & (BigInt(page) - 1n)) !== 0n)
    return illegal("page is a power of two, at least 256");
  if (!isWhole(pages, 4)) return illegal("a region has at least 4 pages");
  if (!isWhole(processes, 1)) return illegal("there is at least one process");
  if (!isWhole(slots, processes)) return illegal("there are at least as many slots as processes");
  if (!isWhole(frames, pages)) return illegal("the frames suffice for process 0");
  if (!isWhole(shared, 1) || !isWhole(pipe, 1) || !isWhole(channel, 1))
    return illegal("shared, pipe and channel are at least 1");
  return undefined;
};

/**
 * Is every region, and each of its parts, exactly representable where it lies, and does everything fit?
 * @rule CFG-1 places @source CHERI ISAv9 §3.5.4 (alignment requirements); FORK-6
 */
const checkPlaces = (config: Config): IllegalConfig | undefined => {
  const format = formats[config.format];
  const size = regionSize(config);
  const alignment = alignmentOf(format, config);
  const page = BigInt(config.page);
  const parts = [
    { offset: 0n, length: size },
    { offset: 0n, length: page * BigInt(Math.floor(config.pages / 2)) },
    { offset: page * BigInt(config.pages - 2), length: page },
    { offset: page * BigInt(config.pages - 1), length: page },
  ];
  const exact = ({ offset, length }: { readonly offset: bigint; readonly length: bigint }): boolean =>
    representableLength(format, length) === length && (offset & ~representableAlignmentMask(format, length)) === 0n;
  const end = addressesEnd(config);
  const limit = format.name === "morello" ? 1n << 55n : 1n << (format.addressBits - 1n);
  if (!isWhole(config.guard, config.page)) return illegal("the guard is at least one page");
  if (!parts.every(exact)) return illegal("a region and its code, data and stack are exactly representable");
  if (config.stride < size + BigInt(config.guard)) return illegal("the stride is at least a region and its guard");
  if (config.stride % alignment !== 0n) return illegal(`the stride is a multiple of ${alignment.toString()}`);
  if (config.base % alignment !== 0n) return illegal(`the base is a multiple of ${alignment.toString()}`);
  if (config.base < 2n * alignment) return illegal(`the base is at least ${(2n * alignment).toString()}`);
  if (config.base < sealingTypes.first + sealingTypes.count) return illegal("the sealing types lie below the base");
  if (end > limit) return illegal(`everything ends below 0x${limit.toString(16)}`);
  return undefined;
};

/** Start of the shared segments: behind the last region's guard. */
export const sharedBase = (config: Pick<Config, "base" | "stride" | "slots">): bigint =>
  config.base + BigInt(config.slots) * config.stride;

/** Start of the kernel, of which one page is seen from outside. */
export const kernelBase = (config: Config): bigint => sharedBase(config) + BigInt(config.shared) * BigInt(config.page);

const addressesEnd = (config: Config): bigint => kernelBase(config) + BigInt(config.page);
