/** Configurations in program files: any part of one. Whether it is legal (CFG-1) is asked when the program runs. */
import * as t from "io-ts";
import { formats, type FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { knownFalse } from "../../spec/sfork/variants/baselines.js";
import { quote } from "../errors.js";
import { parseNumber, printNumber } from "./operands.js";
import { field, isObject, parsed, recordCodec, wholeCodec, wordCodec, type FieldOf, type Members } from "./strict.js";

export const formatNames = Object.keys(formats) as readonly FormatName[];
export const strategyNames = Object.keys(strategies) as readonly StrategyName[];
/** Those that are expected to hold what the suite checks. */
export const conformingNames = strategyNames.filter((name) => !(name in knownFalse));

const strategyCodec = wordCodec("strategy", strategyNames, "strategies");

const isAddress = (value: unknown): value is bigint => typeof value === "bigint" && value >= 0n;

const address = parsed(
  "address",
  isAddress,
  (input) => {
    if (typeof input === "number") return Number.isSafeInteger(input) && input >= 0 ? BigInt(input) : undefined;
    const value = typeof input === "string" ? parseNumber(input) : undefined;
    return isAddress(value) ? value : undefined;
  },
  printNumber,
  (input) => `${quote(input)} is not an address; write 0x4000`,
);

/** A machine is a value in memory: these keep a slip of the pen from filling it. */
const largest = {
  page: 65_536,
  pages: 65_536,
  slots: 65_536,
  frames: 1 << 24,
  segments: 4096,
  queue: 1 << 20,
} as const;

/** Keys in the order of programs.md. */
const fields: { readonly [Key in keyof Config]: FieldOf<Config[Key]> } = {
  format: field(wordCodec("format", formatNames), true),
  strategy: field(strategyCodec, true),
  page: field(wholeCodec("page size", 1, largest.page), true),
  pages: field(wholeCodec("number of pages", 1, largest.pages), true),
  stride: field(address, true),
  guard: field(wholeCodec("guard", 0), true),
  slots: field(wholeCodec("number of slots", 1, largest.slots), true),
  processes: field(wholeCodec("number of processes", 1, largest.slots), true),
  frames: field(wholeCodec("number of frames", 1, largest.frames), true),
  commit: field(wordCodec("commit policy", ["reserve", "overcommit"], "commit policies"), true),
  reuse: field(wordCodec("reuse policy", ["revoke", "never"], "reuse policies"), true),
  base: field(address, true),
  shared: field(wholeCodec("number of shared segments", 1, largest.segments), true),
  pipe: field(wholeCodec("pipe size", 1, largest.queue), true),
  channel: field(wholeCodec("channel size", 1, largest.queue), true),
};

/** In the order in which they are printed. */
export const configKeys = Object.keys(fields) as readonly (keyof Config)[];

const record = recordCodec("config", fields);

const isConfig = (value: unknown): value is Partial<Config> => record.is(value);

/** Keys that were not given are absent. */
export const configCodec = new t.Type<Partial<Config>, Members>(
  "config",
  isConfig,
  (input, context) => {
    const result = record.validate(input, context);
    if (result._tag === "Left") return result;
    return isConfig(result.right) ? t.success(result.right) : t.failure(input, context);
  },
  (value) => (isObject(value) ? record.encode(value) : {}),
);

const numeric = new Set<string>([
  "page",
  "pages",
  "guard",
  "slots",
  "processes",
  "frames",
  "shared",
  "pipe",
  "channel",
]);

/** A value of a `config` line as JSON has it: whole numbers may be hexadecimal there. */
export const configValue = (key: string, word: string): unknown => {
  if (!numeric.has(key)) return word;
  const number = parseNumber(word);
  return number === undefined ? word : Number(number);
};
