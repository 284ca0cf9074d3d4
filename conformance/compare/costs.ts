/** What things cost, in cycles: counters become an estimate of time by it. docs/compare.md says where each number is from. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { StrategyName } from "../../spec/sfork/config.js";
import { strategies } from "../../spec/sfork/laws.js";
import { InputError, quote, whyUnreadable } from "../errors.js";

interface Cost {
  readonly cycles: number;
  readonly unit: string;
  readonly what: string;
  /** Where the number is from; an assumption says so. */
  readonly source: string;
}

/** The clock is in MHz, all others are cycles. */
export const costTable = {
  clock: {
    cycles: 2500,
    unit: "MHz",
    what: "of the processor",
    source: "assumption: 2.5 GHz, as a Morello board has",
  },
  forkOneSpace: {
    cycles: 135_000,
    unit: "cycles a fork",
    what: "in one address space, beside what counters say",
    source: "published: a minimal process in 54 µs",
  },
  forkOwnSpace: {
    cycles: 492_500,
    unit: "cycles a fork",
    what: "where each process has an address space",
    source: "published: a minimal process in 197 µs",
  },
  forkMachine: {
    cycles: 26_750_000,
    unit: "cycles a fork",
    what: "of a virtual machine",
    source: "published: a minimal one in 10.7 ms",
  },
  pageTableWrite: {
    cycles: 10,
    unit: "cycles an entry",
    what: "that changes",
    source: "assumption: a load and a store in a table that the cache holds",
  },
  trap: {
    cycles: 2500,
    unit: "cycles a fault",
    what: "in, out, finding the page and a frame",
    source: "assumption: 1 µs",
  },
  copyByte: { cycles: 0.25, unit: "cycles a byte", what: "that is copied", source: "assumption: 10 GB/s" },
  scanPage: {
    cycles: 128,
    unit: "cycles a page",
    what: "whose tags are read to relocate it",
    source: "assumption: 2 cycles a line of four granules",
  },
  relocation: {
    cycles: 15,
    unit: "cycles a capability",
    what: "that moves",
    source: "assumption: load, compare, add, store",
  },
  spaceSwitch: {
    cycles: 3000,
    unit: "cycles a switch",
    what: "to another address space, with what the TLB has to load again",
    source: "assumption: 1.2 µs",
  },
  callByTrap: {
    cycles: 500,
    unit: "cycles a call",
    what: "of a kernel behind a trap",
    source: "assumption: an exception and back",
  },
  callByJump: {
    cycles: 50,
    unit: "cycles a call",
    what: "of a kernel in the same address space, by a sealed capability",
    source: "assumption: two jumps and saved registers",
  },
} as const satisfies Readonly<Record<string, Cost>>;

type CostName = keyof typeof costTable;

export type Costs = Readonly<Record<CostName, number>>;

export const costNames = Object.keys(costTable).filter((name): name is CostName => name in costTable);

const entries = (of: (name: CostName) => number): Costs => ({
  clock: of("clock"),
  forkOneSpace: of("forkOneSpace"),
  forkOwnSpace: of("forkOwnSpace"),
  forkMachine: of("forkMachine"),
  pageTableWrite: of("pageTableWrite"),
  trap: of("trap"),
  copyByte: of("copyByte"),
  scanPage: of("scanPage"),
  relocation: of("relocation"),
  spaceSwitch: of("spaceSwitch"),
  callByTrap: of("callByTrap"),
  callByJump: of("callByJump"),
});

export const defaultCosts: Costs = entries((name) => costTable[name].cycles);

const record = z.record(z.string(), z.unknown());

const mostBytes = 1 << 16;

/** Costs from a text of JSON; those that it leaves out are the defaults. Throws the `InputError` of what is wrong with it. */
export const parseCosts = (file: string, text: string): Costs => {
  const refuse = (what: string): never => {
    throw new InputError(file, undefined, what);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse('is not JSON; write an object such as { "trap": 2000 }');
  }
  const given = record.safeParse(json);
  if (!given.success || Array.isArray(json))
    return refuse('is no table of costs; write an object such as { "trap": 2000 }');
  for (const [name, value] of Object.entries(given.data)) {
    if (!costNames.some((known) => known === name)) {
      refuse(`${quote(name)} is no cost; there are ${costNames.join(", ")}`);
    }
    const isRight = typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= 1e12;
    if (!isRight || (name === "clock" && value === 0)) {
      refuse(`${name} is ${quote(value)}; give a number of ${name === "clock" ? "MHz above 0" : "cycles from 0 on"}`);
    }
  }
  return entries((name) => {
    const value = given.data[name];
    return typeof value === "number" ? value : defaultCosts[name];
  });
};

/** Read a table of costs. */
export const readCosts = (file: string): Costs => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new InputError(file, undefined, whyUnreadable(error));
  }
  if (text.length > mostBytes) throw new InputError(file, undefined, "is too long for a table of costs");
  return parseCosts(file, text);
};

/** What is counted, and has a price. */
export interface Counted {
  readonly faults: number;
  readonly copies: number;
  readonly relocations: number;
  readonly pageTableWrites: number;
}

export const nothing: Counted = { faults: 0, copies: 0, relocations: 0, pageTableWrites: 0 };

/** The sum, or with -1 the difference. */
export const plus = (one: Counted, two: Counted, sign: 1 | -1 = 1): Counted => ({
  faults: one.faults + sign * two.faults,
  copies: one.copies + sign * two.copies,
  relocations: one.relocations + sign * two.relocations,
  pageTableWrites: one.pageTableWrites + sign * two.pageTableWrites,
});

/** Microseconds of that many cycles. */
export const microseconds = ({ clock }: Costs, cycles: number): number => cycles / clock;

/** Cycles of what a strategy does to pages of so many bytes. */
export const pageCycles = (
  costs: Costs,
  strategy: StrategyName,
  page: number,
  { faults, copies, relocations, pageTableWrites }: Counted,
): number =>
  faults * costs.trap +
  copies * (page * costs.copyByte + (strategies[strategy].separate ? 0 : costs.scanPage)) +
  relocations * costs.relocation +
  pageTableWrites * costs.pageTableWrite;

/** Cycles of a fork beside what it does to pages. */
export const forkCycles = (costs: Costs, strategy: StrategyName): number => {
  if (strategy === "vm-clone") return costs.forkMachine;
  return strategies[strategy].separate ? costs.forkOwnSpace : costs.forkOneSpace;
};

/** Cycles of a call of the kernel. */
export const callCycles = (costs: Costs, strategy: StrategyName): number =>
  strategies[strategy].separate ? costs.callByTrap : costs.callByJump;
