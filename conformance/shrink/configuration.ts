/** Plainer configurations: first what a program says least about, then formats and strategies in an order of plainness. */
import { isDeepStrictEqual } from "node:util";
import type { FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import type { CompleteProgram } from "../check/finding.js";
import { rescaled } from "./offsets.js";
import type { Shows } from "./shows.js";

/** A configuration with places for its regions; undefined where it is not legal. */
export type Complete = (sizes: Partial<Config>) => Config | undefined;

/** The default first, then those that are close to it; what packs its bounds or addresses into fewer bits comes last. */
const formatOrder: readonly FormatName[] = [
  ...(["cheri128-v9", "uncompressed256", "rvy128", "morello", "cheri64-v9", "rvy64"] as const),
];

/** What copies everything at once, then what shares more and more. */
const strategyOrder: readonly StrategyName[] = [
  ...(["eager", "coa", "copa", "posix", "multi-as-cow", "vm-clone", "shared-segments", "naive-cow"] as const),
];

/** Plainer values for parts of a configuration; places and guard are the least legal ones where they are left out. */
const plain: Partial<Config> = {
  page: 256,
  commit: "reserve",
  reuse: "revoke",
  shared: 1,
  pipe: 64,
  channel: 4,
};

/** What a configuration holds beside the places of its regions. */
const sizesOf = ({ format, strategy, page, pages, slots, processes, frames, commit, reuse, ...rest }: Config) => {
  const { shared, pipe, channel } = rest;
  return { format, strategy, page, pages, slots, processes, frames, commit, reuse, shared, pipe, channel };
};

/** Just enough frames for all pages of all processes: of more of them a program says as little as of fewer. */
const enoughFrames = (config: Config, processes = config.processes): Partial<Config> => ({
  ...sizesOf(config),
  ...{ processes, frames: processes * config.pages },
});

/** As many slots as processes, and frames enough for all of them. */
const roomy = (config: Config, processes = config.processes): Partial<Config> => ({
  ...enoughFrames(config, processes),
  slots: processes,
});

/** One change of a configuration; undefined where there is nothing to change. */
type Change = (config: Config) => Partial<Config> | undefined;

/** A value of its own, unless the present one comes earlier. */
const earlier = <Key extends "format" | "strategy">(key: Key, order: readonly Config[Key][]): readonly Change[] =>
  order.map((value, place) => (config) => {
    const now = order.indexOf(config[key]);
    return place < now ? { ...sizesOf(config), [key]: value } : undefined;
  });

const changes: readonly Change[] = [
  sizesOf,
  ...earlier("strategy", strategyOrder),
  ...earlier("format", formatOrder),
  ...Object.entries(plain).map(([key, value]) => (config: Config) => ({ ...sizesOf(config), [key]: value })),
  ...[4, 8].map((pages) => (config: Config) => (pages < config.pages ? { ...sizesOf(config), pages } : undefined)),
  (config) => enoughFrames(config),
  (config) => roomy(config),
  ...[1, 2, 3, 4].map((count) => (config: Config) => (count < config.processes ? roomy(config, count) : undefined)),
];

/** Smaller pages, each step's offsets at as many pages as before. */
const smallerPages = (program: CompleteProgram, complete: Complete): readonly CompleteProgram[] => {
  const { config, steps } = program;
  return [plain.page ?? config.page, config.page / 2].flatMap((page) => {
    const smaller = page < config.page ? complete({ ...sizesOf(config), page }) : undefined;
    return smaller === undefined ? [] : [{ ...program, config: smaller, steps: rescaled(steps, config.page, page) }];
  });
};

export const plainerConfig = (program: CompleteProgram, shows: Shows, complete: Complete): CompleteProgram => {
  const plainer = changes.reduce<CompleteProgram>((plainest, change) => {
    const sizes = change(plainest.config);
    const config = (sizes && complete(sizes)) ?? plainest.config;
    const candidate = { ...plainest, config };
    return !isDeepStrictEqual(config, plainest.config) && shows(candidate) ? candidate : plainest;
  }, program);
  return smallerPages(plainer, complete).find((candidate) => shows(candidate)) ?? plainer;
};
