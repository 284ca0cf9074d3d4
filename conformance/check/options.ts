/** What a user of the library asks of a campaign. */
import { randomInt } from "node:crypto";
import { z } from "zod";
import type { FormatName } from "../../spec/cheri/index.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import { InputError } from "../errors.js";
import { strategiesFor } from "../generate/generate.js";
import type { Profile } from "../generate/options.js";
import { formatNames, strategyNames } from "../program/config-codec.js";
import type { CampaignSettings } from "./campaign.js";
import { defaultMaxFindings } from "./saved.js";

/** Which programs are generated. */
export interface ProgramOptions {
  /** All six, by default. */
  readonly formats?: readonly FormatName[] | undefined;
  /** `eager`, `coa` and `copa`, by default; in the profile `posix`, `posix`. */
  readonly strategies?: readonly StrategyName[] | undefined;
  /** `mixed`, by default: each program draws one of the others but `posix`. */
  readonly profile?: Profile | "mixed" | undefined;
  /** Most steps of a program; 50, by default. */
  readonly steps?: number | undefined;
}

/** What both ways to check take. */
export interface CampaignOptions extends ProgramOptions {
  /** Up to 64 letters, digits, dots, dashes and underscores, no dash first; a random one, by default, which is reported. */
  readonly seed?: string | undefined;
  /** End after so many programs; 200, by default, unless `time` is given. */
  readonly runs?: number | undefined;
  /** End after so many milliseconds; looked at between programs. */
  readonly time?: number | undefined;
  /** Ends the campaign after the program that is being judged. */
  readonly signal?: AbortSignal | undefined;
}

const defaultRuns = 200;
const defaultSteps = 50;

const whole = (most: number) => {
  const help = `give a whole number from 1 to ${most}`;
  return z.int(help).min(1, help).max(most, help).optional();
};

const names = <const Name extends string>(known: readonly Name[]) => {
  const help = `give a list of some of ${known.join(", ")}`;
  return z.array(z.enum(known, help), help).min(1, help).optional();
};

const seedHelp = "give up to 64 letters, digits, dots, dashes and underscores, no dash first";
const signalHelp = "give the signal of an AbortController";
const isSignal = (value: unknown): boolean => typeof value === "object" && value !== null && "aborted" in value;

const profiles = ["oblivious", "raw-bytes", "full", "posix", "mixed"] as const;

const programShape = {
  formats: names(formatNames),
  strategies: names(strategyNames),
  profile: z.enum(profiles, `give one of ${profiles.join(", ")}`).optional(),
  steps: whole(10_000),
} as const;

const shape = {
  ...programShape,
  seed: z
    .string(seedHelp)
    .regex(/^[\w.][\w.-]{0,63}$/, seedHelp)
    .optional(),
  runs: whole(1_000_000_000),
  time: z.number("give milliseconds, more than 0").positive("give milliseconds, more than 0").optional(),
  signal: z.custom<AbortSignal>(isSignal, signalHelp).optional(),
} as const;

const folderHelp = "give the path of a folder";

const schemas = {
  programs: z.strictObject(programShape),
  check: z.strictObject({
    ...shape,
    maxFindings: whole(1_000_000_000),
    folder: z.string(folderHelp).min(1, folderHelp).optional(),
  }),
  assertConforms: z.strictObject({
    ...shape,
    folder: z.union([z.string().min(1), z.literal(false)], `${folderHelp}, or false for none`).optional(),
  }),
} as const;

/** Throws an `InputError` that names the function and the option, if they are not as they should be. */
export const checkOptions = (name: keyof typeof schemas, options: unknown): void => {
  const [wrong] = schemas[name].safeParse(options).error?.issues ?? [];
  if (wrong === undefined) return;
  const known = Object.keys(schemas[name].shape).join(", ");
  const message =
    wrong.code === "unrecognized_keys"
      ? `${wrong.keys.join(", ")}: is no option; there are ${known}`
      : [...wrong.path.slice(0, 1).map(String), wrong.message].join(": ");
  throw new InputError(name, undefined, message);
};

/** The choice of programs with what was left out. */
export const choiceOf = (options: ProgramOptions): Omit<CampaignSettings, "impl" | "seed"> => {
  const { formats = formatNames, profile = "mixed", steps = defaultSteps } = options;
  return { formats, strategies: options.strategies ?? strategiesFor(profile), profile, steps };
};

/** When a campaign ends. */
export interface Limits {
  readonly runs: number;
  /** Milliseconds. */
  readonly time: number;
  readonly findings: number;
  readonly signal: AbortSignal | undefined;
}

export const limitsOf = ({ runs, time, signal }: CampaignOptions, findings = defaultMaxFindings): Limits => ({
  runs: runs ?? (time === undefined ? defaultRuns : Infinity),
  time: time ?? Infinity,
  findings,
  signal,
});

export const seedOf = ({ seed }: CampaignOptions): string => seed ?? randomInt(2 ** 32).toString();
