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

/** A row of a benchmark: what was measured, and times in microseconds. */
export interface BenchRow extends Distribution {
  readonly benchmark: "steps" | "fork";
  /** What tells this row from the others of its benchmark: a class of operations, a strategy, a format. */
  readonly what: Readonly<Record<string, string>>;
  readonly unit: "µs";
}
