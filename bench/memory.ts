/** What a page costs the optimised implementation: counted in its own arrays, not measured. */
import { formatNames } from "../conformance/program/config-codec.js";
import type { Machine } from "../impl/fast/machine.js";
import { start } from "../impl/fast/processes.js";
import { encode, take } from "../impl/fast/step.js";
import type { FormatName } from "../spec/cheri/index.js";
import { completeConfig } from "../spec/sfork/config.js";
import { layout } from "../spec/sfork/machine.js";
import type { Operation } from "../spec/sfork/operation.js";
import type { BenchRow } from "./small.js";

const page = 4096;
const pages = 64;

/** Bytes of stores with their tags, of what is kept for frames, and of page tables. */
const bytesOf = (machine: Machine): number =>
  (machine.storeCount - machine.freeStores.length) * (machine.page + 4 * machine.tagWords) +
  machine.usedFrames * 3 * machine.frameStore.BYTES_PER_ELEMENT +
  machine.rowCount * machine.pages * (machine.entries.BYTES_PER_ELEMENT + machine.flags.BYTES_PER_ELEMENT);

const takeAll = (machine: Machine, operations: readonly Operation[]): void => {
  const program = encode(
    machine,
    operations.map((operation) => ({ actor: 0, operation })),
  );
  for (let index = 0; index < operations.length; index += 1) take(machine, program, index);
};

const rowOf = (format: FormatName): BenchRow => {
  const config = completeConfig({ format, strategy: "copa", page, pages, frames: 4 * pages });
  if ("illegal" in config) throw new RangeError(`${format}: ${config.illegal}`);
  const machine = start(config);
  const { count } = layout(config).data;
  const mapped = count + 2;
  const untouched = bytesOf(machine);
  takeAll(
    machine,
    Array.from({ length: count }, (_, index) => {
      const n = { immediate: BigInt(index * page) };
      return { op: "store.b", value: { immediate: 1n }, n, cs1: 1 };
    }),
  );
  const touched = bytesOf(machine);
  takeAll(machine, [{ op: "fork", cd: 7 }]);
  const shared = bytesOf(machine);
  return {
    benchmark: "memory",
    what: { format },
    figures: {
      page,
      mapped: untouched / mapped,
      touched: (touched - untouched) / count,
      // The row of a child has entries for pages that are not mapped, too.
      forked: (shared - touched) / pages,
    },
    units: { page: "bytes", mapped: "bytes", touched: "bytes", forked: "bytes" },
  };
};

/** A row for each format: of a page that is mapped, what comes when it is touched, and what a lazy fork adds for each. */
export const benchMemory = (): readonly BenchRow[] => formatNames.map(rowOf);
