/** Formats and strategies are made plainer in an order; the plainest one that shows it is what comes out. */
import { expect, test } from "vitest";
import { formatNames, strategyNames } from "../../../conformance/program/config-codec.js";
import { shrink } from "../../../conformance/shrink/shrink.js";
import type { FormatName } from "../../../spec/cheri/index.js";
import type { StrategyName } from "../../../spec/sfork/config.js";
import { program } from "../check/support.js";

const formatFrom = (start: FormatName, shown: readonly FormatName[]): FormatName =>
  shrink(program(`config format=${start}`), ({ config }) => shown.includes(config.format)).program.config.format;

const strategyFrom = (start: StrategyName, shown: readonly StrategyName[]): StrategyName =>
  shrink(program(`config strategy=${start}`), ({ config }) => shown.includes(config.strategy)).program.config.strategy;

test("of all formats the default, of all strategies eager copies", () => {
  for (const start of formatNames) expect(formatFrom(start, formatNames)).toBe("cheri128-v9");
  for (const start of strategyNames) expect(strategyFrom(start, strategyNames)).toBe("eager");
});

test("of some the plainest, whatever it starts from", () => {
  const narrow = ["cheri64-v9", "rvy64"] as const;
  for (const start of narrow) expect(formatFrom(start, narrow)).toBe("cheri64-v9");
  const lazy = ["copa", "coa"] as const;
  for (const start of lazy) expect(strategyFrom(start, lazy)).toBe("coa");
});

test("every one of them stays where only it shows it", () => {
  for (const start of formatNames) expect(formatFrom(start, [start])).toBe(start);
  for (const start of strategyNames) expect(strategyFrom(start, [start])).toBe(start);
});
