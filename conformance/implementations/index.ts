/** Implementations that are compared with the specification, by the names that commands have for them. */
import { createFast, fastBaselines, fastStrategies } from "../../impl/fast/index.js";
import type { Implementation } from "../../impl/implementation.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";

export const implementations = { fast: createFast } as const satisfies Readonly<
  Record<string, (config: Config) => Implementation>
>;

export type ImplementationName = keyof typeof implementations;

/** The strategies that each has; `all` means fewer of them. */
export const strategiesOf: Readonly<Record<ImplementationName, readonly StrategyName[]>> = {
  fast: [...fastStrategies, ...fastBaselines],
};
