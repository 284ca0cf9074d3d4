/** The small configuration that benchmarks of steps and forks use, and what their rows look like. */
import type { FormatName } from "../spec/cheri/index.js";
import { completeConfig, type Config, type StrategyName } from "../spec/sfork/config.js";
import type { Distribution } from "./timing.js";

/** Bytes of a page, and pages of a region. */
const small = { page: 256, pages: 8 } as const;

export const isSmall = ({ page, pages }: Config): boolean => page === small.page && pages === small.pages;

/** The small configuration; everything else as by default. */
export const smallConfig = (format: FormatName, strategy: StrategyName): Config => {
  const config = completeConfig({ format, strategy, ...small });
  if ("illegal" in config) throw new RangeError(`${format} ${strategy}: ${config.illegal}`);
  return config;
};

/** A row of a benchmark: what was measured, and its figures. */
export interface BenchRow {
  readonly benchmark:
    "steps" | "fork" | "accesses" | "memory" | "check" | "codec" | "region" | "pages" | "scale" | "run";
  /** What tells this row from the others of its benchmark: a class of operations, a strategy, a format. */
  readonly what: Readonly<Record<string, string>>;
  readonly figures: Readonly<Record<string, number>>;
  /** By figure; those without one are numbers of things. */
  readonly units: Readonly<Record<string, string>>;
}

/** A row of times in microseconds. */
export const timeRow = (
  benchmark: BenchRow["benchmark"],
  what: BenchRow["what"],
  { median, p90, samples }: Distribution,
): BenchRow => ({ benchmark, what, figures: { median, p90, samples }, units: { median: "µs", p90: "µs" } });
