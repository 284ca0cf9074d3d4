/** Claims refuted: a search through generated programs, and the smallest program that it comes to. */
import { completeConfig, type Config, type StrategyName } from "../../spec/sfork/config.js";
import type { Claim } from "../../spec/sfork/variants/claim.js";
import { claims, type ClaimName } from "../../spec/sfork/variants/claims.js";
import type { CompleteProgram } from "../check/finding.js";
import { generate } from "../generate/generate.js";
import type { GenerateOptions } from "../generate/options.js";
import type { Complete } from "../shrink/configuration.js";
import { shrink } from "../shrink/shrink.js";
import { breachOf, type Breach } from "./breach.js";

export const claimNames = Object.keys(claims) as readonly ClaimName[];

export interface Refutation {
  readonly claim: ClaimName;
  /** Ends with the step that breaks the rule. */
  readonly program: CompleteProgram;
  readonly breach: Breach;
  /** Programs that were tried before one broke it. */
  readonly tried: number;
}

/** Programs that a search tries before it gives up: many times what the rarest claims take. */
export const usualBudget = 2_000;

/** Where to look: programs in which the false rule comes to bear. */
const hints: Readonly<Partial<Record<ClaimName, GenerateOptions>>> = {
  "CLAIM-7": { profile: "raw-bytes" },
  "CLAIM-8": { favour: ["message-ended-in-flight", "grant-ended-by-exit"] },
  "CLAIM-10": {
    favour: ["grant-write-after-owner-fork", "grant-access-resolves-for-owner"],
  },
};

/** Most steps of the programs that are tried, in turn: short ones are quick to try, long ones get further. */
const lengths = [16, 24, 36] as const;

/** Strategies that conform, in the place of those that do not. */
const conformingOf: Readonly<Partial<Record<StrategyName, StrategyName>>> = {
  "naive-cow": "copa",
  "shared-segments": "coa",
};

const trueStrategy = (strategy: StrategyName): StrategyName => conformingOf[strategy] ?? strategy;

/** The claim's rules, or the true ones in their place: what the search is for, and what it must not find. */
type Side = "false" | "true";

/** Places by the claim, where it has its own. */
const completeBy =
  ({ places, strategies }: Claim, side: Side): Complete =>
  (sizes) => {
    const config = completeConfig(sizes);
    if ("illegal" in config) return undefined;
    if (side === "true") return config;
    return strategies.includes(config.strategy) ? (places?.(config) ?? config) : undefined;
  };

const breachOn = (claim: Claim, side: Side, program: CompleteProgram): Breach | undefined =>
  side === "false" ? breachOf(claim, program) : breachOf({ breaks: claim.breaks }, program, false);

/** Program number `index` of a search. */
const candidate = (name: ClaimName, claim: Claim, side: Side, seed: string, index: number): CompleteProgram => {
  const strategies = side === "false" ? claim.strategies : claim.strategies.map(trueStrategy);
  const steps = lengths[index % lengths.length] ?? lengths[0];
  const { version, config, steps: generated } = generate(seed, index, { ...hints[name], strategies, steps });
  return { version, config: (side === "false" ? claim.places?.(config) : undefined) ?? config, steps: generated };
};

const cutAt = (program: CompleteProgram, { step }: Breach): CompleteProgram => ({
  ...program,
  steps: program.steps.slice(0, step + 1),
});

/** The first program of a seed, from number `first` on, that breaks a rule, as it was generated; undefined if there is none. */
export const search = (
  name: ClaimName,
  seed: string,
  { budget = usualBudget, side = "false", tick }: SearchOptions = {},
  first = 0,
): Refutation | undefined => {
  const claim: Claim = claims[name];
  for (let tried = first; tried < budget; tried += 1) {
    tick?.(tried);
    const program = candidate(name, claim, side, seed, tried);
    const breach = breachOn(claim, side, program);
    if (breach !== undefined) return { claim: name, program: cutAt(program, breach), breach, tried };
  }
  return undefined;
};

export interface SearchOptions {
  /** Programs. */
  readonly budget?: number;
  readonly side?: Side;
  /** Told before each program how many were tried. */
  readonly tick?: (tried: number) => void;
}

/** The program breaks the rule in its last step, and no step of it can be left out. */
/** Most smaller programs that are tried: many times what it takes. */
const mostCandidates = 5000;

const shrunk = (found: Refutation, side: Side): Refutation => {
  const claim: Claim = claims[found.claim];
  const shows = (program: CompleteProgram): boolean => breachOn(claim, side, program) !== undefined;
  const { program } = shrink(found.program, shows, { complete: completeBy(claim, side), budget: mostCandidates });
  const breach = breachOn(claim, side, program);
  return breach === undefined ? found : { ...found, program: cutAt(program, breach), breach };
};

/** A program of so many steps is read at a glance; for a shorter one than others, a few more that break the rule are tried. */
const shortEnough = 6;
const mostTries = 3;

/** Search and shrink: of the first few programs that break the rule, the one that comes to the fewest steps. */
export const refute = (name: ClaimName, seed: string, options: SearchOptions = {}): Refutation | undefined => {
  const { side = "false", budget = usualBudget } = options;
  let next = search(name, seed, options);
  let best = next && shrunk(next, side);
  // Not for longer than the first one took.
  const last = Math.min(budget, 2 * (next?.tried ?? 0) + 30);
  for (let tries = 1; tries < mostTries && next !== undefined && best !== undefined; tries += 1) {
    if (best.program.steps.length <= shortEnough) break;
    next = search(name, seed, { ...options, budget: last }, next.tried + 1);
    const other = next && shrunk(next, side);
    if (other !== undefined && other.program.steps.length < best.program.steps.length) best = other;
  }
  return best;
};

/** The machine's configuration under the true rules: legal, and of a strategy that conforms. */
export const trueConfig = (claim: Claim, config: Config): Config => {
  const { stride, base, strategy, ...sizes } = config;
  const places = claim.places === undefined ? { stride, base } : {};
  const legal = completeConfig({ ...sizes, ...places, strategy: trueStrategy(strategy) });
  return "illegal" in legal ? { ...config, strategy: trueStrategy(strategy) } : legal;
};
