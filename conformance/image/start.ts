/** Machines that start from a packed image, of the optimised implementation and of the specification. */
import { createFast, type Fast } from "../../impl/fast/index.js";
import type { Area, StartMemory, StartRegister } from "../../impl/start.js";
import * as cheri from "../../spec/cheri/index.js";
import type { Capability, Granule } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { initial, memoryRoot, noAdvice, pageBase, type Machine, type PageEntry } from "../../spec/sfork/machine.js";
import type { Packed } from "./pack.js";

/** Rights of a capability to an area, after what the area's pages allow. */
const rightsOf = ({ protection: { read, write, execute } }: Area): readonly cheri.Permission[] => [
  "global",
  ...(read ? (["load", "load-cap"] as const) : []),
  ...(write ? (["store", "store-cap"] as const) : []),
  ...(execute ? (["execute"] as const) : []),
];

/** The capability to an area that its pointers are derived from, in the region of a slot. */
export const rootOf = (config: Config, area: Area, slot = 0): Capability => {
  const length = BigInt(area.count) * BigInt(config.page);
  return memoryRoot(cheri.formats[config.format], pageBase(config, slot, area.first), length, rightsOf(area));
};

/** The optimised implementation, started from an image. */
export const startFast = ({ configOf, memory }: Pick<Packed, "configOf" | "memory">, strategy: StrategyName): Fast => {
  const fast = createFast(configOf(strategy));
  fast.place(memory);
  return fast;
};

const wordAt = (words: Int32Array, index: number): bigint =>
  BigInt((words[index * 2] ?? 0) >>> 0) | (BigInt((words[index * 2 + 1] ?? 0) >>> 0) << 32n);

/** The granules of the nth page. */
const granulesOf = (
  config: Config,
  { read }: StartMemory,
  nth: number,
  roots: readonly Capability[],
): readonly Granule[] => {
  const format = cheri.formats[config.format];
  const count = config.page / Number(format.granule);
  const [words, areas] = [new Int32Array(count * 2), new Int32Array(count)];
  read(nth, words, areas);
  return Array.from(areas, (lead, index) => {
    const word = wordAt(words, index);
    const root = roots[lead - 1];
    if (root !== undefined) {
      return { tag: true, bits: format.toMemory(cheri.setAddress(format, root, config.base + word)) };
    }
    return word === 0n ? cheri.zeroGranule : { tag: false, bits: word };
  });
};

const registerOf = (config: Config, roots: readonly Capability[], { value, area = -1 }: StartRegister): Capability => {
  const format = cheri.formats[config.format];
  const root = roots[area];
  const from = root ?? cheri.nullCapability(format);
  return cheri.setAddress(format, from, root === undefined ? value : config.base + value);
};

/** The specification's machine, started from an image: for images of some megabytes. */
export const startSpec = (
  { configOf, memory }: Pick<Packed, "configOf" | "memory">,
  strategy: StrategyName,
): Machine => {
  const config = configOf(strategy);
  const machine = initial(config);
  const roots = memory.areas.map((area) => rootOf(config, area));
  const home = pageBase(config, 0, 0);
  const numbers = Array.from(memory.pages);
  const entries = new Map(
    numbers.map((page, frame): readonly [number, PageEntry] => {
      const area = memory.areas.find(({ first, count }) => page >= first && page < first + count);
      const { protection } = area ?? { protection: { read: true, write: false, execute: false } };
      return [page, { frame, protection, guard: false, advice: noAdvice }];
    }),
  );
  return {
    ...machine,
    frames: numbers.map((_, nth) => ({ memory: granulesOf(config, memory, nth, roots), home, references: 1 })),
    regions: machine.regions.with(
      0,
      Array.from({ length: config.pages }, (_, page) => entries.get(page)),
    ),
    threads: memory.threads.map((values) => {
      const registers = values.map((value) => registerOf(config, roots, value));
      const pcc = registers.at(-1) ?? cheri.nullCapability(machine.format);
      return { process: 0, live: true, registers: registers.slice(0, -1), pcc, mask: [], call: undefined };
    }),
  };
};
