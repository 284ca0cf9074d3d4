/** Fork of a region that is all touched: modelled, by strategy, beside `fork()` of the machine that this runs on. */
import { someTagged, copyStore, relocateStore } from "../impl/fast/pages.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { withNative, type Native } from "./native.js";
import { bytesOf, childWrites, endChild, forkOnce, page, takeAll, touched } from "./region.js";
import type { BenchRow } from "./small.js";
import { distribution } from "./timing.js";

const strategies = ["eager", "coa", "copa", "multi-as-cow"] as const satisfies readonly StrategyName[];

/** MiB in pages. */
const pagesOf = (size: number): number => (size * 2 ** 20) / page;

const medianOf = (values: readonly number[]): number => distribution(values).median;

interface Times {
  /** Milliseconds: of the call, of a child that writes every page. */
  readonly fork: number;
  readonly write: number;
}

const units = { touch: "ms", fork: "ms", write: "ms", state: "bytes/page" } as const;

/** What this machine's kernel takes; NaN without a compiler. Touching as much fresh memory is told beside it. */
const realTimes = (native: Native | undefined, size: number, samples: number): Times & { readonly touch: number } => {
  if (native === undefined) return { touch: NaN, fork: NaN, write: NaN };
  const [first, ...rest] = native.run([String(size), String(samples)]);
  const millisecondsOf = (column: number): number => medianOf(rest.map((line) => Number(line[column]) / 1e6));
  return { touch: Number(first?.[0]) / 1e6, fork: millisecondsOf(0), write: millisecondsOf(1) };
};

const modelled = (strategy: StrategyName, size: number, samples: number, real: Times): BenchRow => {
  const pages = pagesOf(size);
  const machine = touched(strategy, pages);
  const writes = childWrites(machine, pages);
  const before = bytesOf(machine);
  // The first fork takes memory that nobody has touched yet: frames are then used again.
  const first = forkOnce(machine);
  const state = (bytesOf(machine) - before) / pages;
  takeAll(machine, writes);
  const { copies, relocations, faults, pageTableWrites } = first.child;
  const counters = { copies, relocations, faults, pageTableWrites };
  endChild(machine);
  const times = Array.from({ length: samples }, (): Times => {
    const { took } = forkOnce(machine);
    const write = takeAll(machine, writes);
    endChild(machine);
    return { fork: took, write };
  });
  const [fork, write] = [medianOf(times.map((one) => one.fork)), medianOf(times.map((one) => one.write))];
  return {
    benchmark: "region",
    what: { by: strategy, MiB: String(size) },
    figures: {
      ...{ touch: NaN, fork, ofReal: fork / real.fork, write, ofRealWrite: write / real.write },
      ...{ state, ...counters },
    },
    units,
  };
};

const realRow = (size: number, { touch, fork, write }: ReturnType<typeof realTimes>): BenchRow => ({
  benchmark: "region",
  what: { by: "real fork()", MiB: String(size) },
  figures: { touch, fork, ofReal: 1, write, ofRealWrite: 1 },
  units,
});

interface Options {
  /** MiB. */
  readonly sizes: readonly number[];
  readonly samples: number;
}

/** For each size a row of this machine's kernel, and one for each strategy. */
export const benchRegions = ({ sizes, samples }: Options): readonly BenchRow[] =>
  withNative("fork", (native) =>
    sizes.flatMap((size) => {
      const real = realTimes(native, size, samples);
      return [realRow(size, real), ...strategies.map((strategy) => modelled(strategy, size, samples, real))];
    }),
  );

/** What a fault does to a page: its tagged granules moved, and its copy beside a plain copy of as many bytes. */
export const benchPages = ({ rounds }: { readonly rounds: number }): readonly BenchRow[] => {
  const pages = pagesOf(10);
  const machine = touched("copa", pages);
  const first = machine.frameStore[(machine.entries[0] ?? 1) - 1] ?? 0;
  const stores = Array.from({ length: pages }, (_, nth) => first + nth);
  let tagged = 0;
  for (const store of stores) {
    someTagged(machine, store, () => {
      tagged += 1;
      return false;
    });
  }
  const rateOf = (things: number, action: () => void): number => {
    const started = performance.now();
    action();
    return things / (performance.now() - started) / 1000;
  };
  const relocate = (from: number, to: number) => (): void => {
    let moved = 0;
    for (const store of stores) moved += relocateStore(machine, store, from, to);
    if (moved !== tagged) throw new Error(`${moved} of ${tagged} granules moved`);
  };
  const copy = (): void => {
    // Each to another place, as faults do it.
    machine.freeStores.push(...stores.map((store) => copyStore(machine, store)));
  };
  const plain = new Uint8Array(2 * page * pages);
  const copyPlain = (): void => {
    for (let nth = 0; nth < pages; nth += 1) plain.copyWithin((pages + nth) * page, nth * page, (nth + 1) * page);
  };
  copy();
  copyPlain();
  relocate(0, 1)();
  relocate(1, 0)();
  const samples = Array.from({ length: rounds }, () => {
    const [there, back] = [rateOf(tagged, relocate(0, 1)), rateOf(tagged, relocate(1, 0))];
    const [own, beside] = [rateOf(pages, copy), rateOf(pages, copyPlain)];
    return { relocated: (there + back) / 2, copied: own, plain: beside, ratio: own / beside };
  });
  return [
    {
      benchmark: "pages",
      what: { format: "cheri128-v9" },
      figures: {
        relocated: medianOf(samples.map(({ relocated }) => relocated)),
        copied: medianOf(samples.map(({ copied }) => copied)),
        plain: medianOf(samples.map((sample) => sample.plain)),
        ratio: medianOf(samples.map(({ ratio }) => ratio)),
      },
      units: { relocated: "M granules/s", copied: "M pages/s", plain: "M pages/s" },
    },
  ];
};
