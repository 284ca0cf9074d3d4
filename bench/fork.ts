/** How long one fork of the specification takes, by strategy and format. */
import { formatNames, strategyNames } from "../conformance/program/config-codec.js";
import { formats, type FormatName } from "../spec/cheri/index.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { initial, layout, type Machine } from "../spec/sfork/machine.js";
import type { Step } from "../spec/sfork/operation.js";
import { runFrom, step } from "../spec/sfork/step.js";
import { smallConfig, timeRow, type BenchRow } from "./small.js";
import { distribution, timeOf } from "./timing.js";

/** Of so many granules one holds a pointer. */
const pointerEvery = 8;

/** A process whose data part holds pointers, none of which was copied yet. */
const parent = (format: FormatName, strategy: StrategyName): Machine => {
  const config = smallConfig(format, strategy);
  const distance = Number(formats[format].granule) * pointerEvery;
  const pointers = Math.floor((layout(config).data.count * config.page) / distance);
  const store = (index: number): Step => ({
    actor: 0,
    operation: { op: "storecap", cs2: 1, n: { immediate: BigInt(index * distance) }, cs1: 1 },
  });
  const { machine, observations } = runFrom(
    initial(config),
    Array.from({ length: pointers }, (_, index) => store(index)),
  );
  const failed = observations.find(({ kind }) => kind !== "none");
  if (failed !== undefined) throw new Error(`${format}: a pointer was not stored: ${failed.kind}`);
  return machine;
};

const fork: Step = { actor: 0, operation: { op: "fork", cd: 7 } };

const rowOf = (format: FormatName, strategy: StrategyName, samples: number): BenchRow => {
  const machine = parent(format, strategy);
  const { kind } = step(machine, fork).observation;
  if (kind !== "child") throw new Error(`${format} ${strategy}: the fork failed: ${kind}`);
  const forkOnce = (): unknown => step(machine, fork);
  // The compiler wants to have seen it some times.
  for (let call = 0; call < samples; call += 1) forkOnce();
  const times = Array.from({ length: samples }, () => timeOf(forkOnce, 1));
  return timeRow("fork", { strategy, format }, distribution(times));
};

/** A row for each strategy and format; `samples` of each. */
export const benchFork = ({ samples }: { readonly samples: number }): readonly BenchRow[] =>
  strategyNames.flatMap((strategy) => formatNames.map((format) => rowOf(format, strategy, samples)));
