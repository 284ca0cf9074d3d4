/** Configurations: small regions mostly, in which limits are reached, and enough large ones for every exponent. */
import { formats, type FormatName } from "../../spec/cheri/index.js";
import { completeConfig, type Config, type StrategyName } from "../../spec/sfork/config.js";
import { layout } from "../../spec/sfork/machine.js";
import type { GeometryLimits, Profile } from "./options.js";
import type { Random } from "./random.js";

/** Bytes of a page, and pages of a region. */
type Geometry = readonly [page: number, pages: number];

const small: readonly [Geometry, ...Geometry[]] = [
  [256, 4],
  [256, 5],
  [256, 6],
  [256, 8],
  [256, 8],
  [256, 8],
  [256, 12],
  [256, 16],
  [512, 4],
  [512, 7],
  [512, 8],
  [1024, 4],
  [1024, 6],
];

/** Regions of at least eight times the largest length that needs no internal exponent. */
const large: Readonly<Record<FormatName, readonly [Geometry, ...Geometry[]]>> = {
  "cheri128-v9": [
    [1024, 32],
    [2048, 16],
    [2048, 24],
    [4096, 8],
    [4096, 12],
  ],
  "cheri64-v9": [
    [256, 32],
    [512, 16],
    [1024, 16],
    [1024, 32],
    [4096, 8],
  ],
  morello: [
    [4096, 32],
    [8192, 16],
    [16_384, 8],
  ],
  rvy128: [
    [1024, 32],
    [2048, 16],
    [2048, 24],
    [4096, 8],
    [4096, 12],
  ],
  rvy64: [
    [256, 16],
    [512, 8],
    [512, 24],
    [1024, 8],
    [1024, 32],
    [4096, 8],
  ],
  uncompressed256: [
    [1024, 32],
    [2048, 16],
  ],
};

/** Pages as they are on real machines. */
const real: readonly [Geometry, ...Geometry[]] = [
  [4096, 6],
  [4096, 8],
  [4096, 8],
  [4096, 12],
  [4096, 16],
];

const largeShare = 30;

type Places = Pick<Config, "stride" | "base" | "guard">;

/** The least legal places do not depend on what else varies, and finding them is dear: each geometry is asked for once. */
const known = new Map<string, Places>();

const mostSlots = 16;

const placesOf = (format: FormatName, [page, pages]: Geometry, guardPages: number): Places => {
  const key = `${format} ${page} ${pages} ${guardPages}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const guard = page * guardPages;
  const asked = { format, page, pages, guard, slots: mostSlots, processes: 1, frames: pages, shared: 2 };
  const complete = completeConfig(asked);
  if ("illegal" in complete) throw new RangeError(`${key}: ${complete.illegal}`);
  const places = { stride: complete.stride, base: complete.base, guard };
  known.set(key, places);
  return places;
};

/** Pages that process 0 has mapped at the start. */
export const startPages = (config: Pick<Config, "pages">): number => layout(config).data.count + 2;

/** As few frames as the start needs, or just enough for some forks, or plenty. */
const framesFor = (random: Random, pages: number, processes: number): number => {
  const mapped = startPages({ pages });
  const tight = random.percent(25);
  const wanted = tight
    ? random.pick([mapped, mapped + 1, 2 * mapped - 1, 2 * mapped, 2 * mapped + 1, 3 * mapped, processes * mapped])
    : processes * pages;
  return Math.max(pages, wanted);
};

type Geometries = readonly [Geometry, ...Geometry[]];

const leastPages = 4;

/** Those of a list that are within limits; where there are none, the largest region that is. */
const within = (all: Geometries, { page: sizes, pages: most = Infinity }: GeometryLimits): Geometries => {
  const [first, ...rest] = all.filter(([page, pages]) => (sizes?.includes(page) ?? true) && pages <= most);
  if (first !== undefined) return [first, ...rest];
  // A power of two is a representable length in every format.
  return [[sizes?.[0] ?? all[0][0], most < 8 ? leastPages : 8]];
};

const atMost = (limit: number | undefined, processes: number): number =>
  limit === undefined ? processes : Math.min(limit, processes);

/** Pages of a real machine, and no limit that it has not. */
const realConfig = (random: Random, format: FormatName, strategy: StrategyName, limits: GeometryLimits): Config => {
  const [page, pages] = random.pick(within(real, limits));
  const processes = atMost(limits.processes, random.pick([3, 4, 6, 8]));
  return {
    ...{ format, strategy, page, pages, ...placesOf(format, [page, pages], 1) },
    ...{ slots: processes, processes, frames: processes * pages, commit: "reserve", reuse: "revoke" },
    ...{ shared: random.between(1, 2), pipe: random.pick([64, 256, 1024]), channel: 1 },
  };
};

/** A complete configuration, legal by `completeConfig`. */
export const configOf = (
  random: Random,
  allowedFormats: readonly [FormatName, ...FormatName[]],
  strategies: readonly [StrategyName, ...StrategyName[]],
  profile: Profile = "full",
  limits: GeometryLimits = {},
): Config => {
  const format = random.pick(allowedFormats);
  if (profile === "posix") return realConfig(random, format, random.pick(strategies), limits);
  const [page, pages] = random.pick(within(random.percent(largeShare) ? large[format] : small, limits));
  const { guard, stride, base } = placesOf(format, [page, pages], random.pick([1, 1, 1, 2, 3]));
  const processes = atMost(limits.processes, random.pick([1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 8]));
  const reuse = random.once(4) ? "never" : "revoke";
  return {
    format,
    strategy: random.pick(strategies),
    page,
    pages,
    guard,
    // Any multiple of a legal stride or base is legal, too.
    stride: stride * BigInt(random.pick([1, 1, 1, 2])),
    base: base * BigInt(random.pick([1, 1, 1, 3])),
    slots: processes + random.pick(reuse === "never" ? [0, 0, 0, 1, 2, 6] : [0, 0, 1, 2, 4]),
    processes,
    frames: framesFor(random, pages, processes),
    commit: random.once(16) ? "overcommit" : "reserve",
    reuse,
    shared: random.between(1, 2),
    pipe: random.pick([16, 64, 64, 64]),
    channel: random.between(1, 4),
  };
};

/** Formats with types to seal with. */
export const canSeal = ({ format }: Pick<Config, "format">): boolean => formats[format].otypes.ordinary;
