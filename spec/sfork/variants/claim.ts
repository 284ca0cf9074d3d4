/** The shape of a claim: something that people believe of a fork in one address space, and a rule that is made of it. */
import type { Config, StrategyName } from "../config.js";
import type { Laws } from "../laws.js";
import type { OperationName } from "../operation.js";
import type { Rules } from "../rules.js";

export interface Claim {
  readonly belief: string;
  /** The true rule, beside which the false one stands. */
  readonly truth: string;
  /** What the true rule says, as a sentence. */
  readonly because: string;
  /** Rules that it breaks: the one that a program is looked for, and others that break with it. */
  readonly breaks: readonly string[];
  /** The operations one of which must break it, where the claim is about them. */
  readonly at?: readonly OperationName[];
  /** Strategies in which it makes a difference. */
  readonly strategies: readonly StrategyName[];
  /** Decisions that are made otherwise. */
  readonly laws?: Partial<Laws>;
  /** Operations that act otherwise. */
  readonly rules?: Rules;
  /** A configuration that the true rules refuse (CFG-1), or need not expect. */
  readonly places?: (config: Config) => Config;
  /** The function of the published prototype (µFork, library `sassy-fork`) whose behaviour this matches. */
  readonly prototype?: string;
}
