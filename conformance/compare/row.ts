/** What was counted under a strategy, and what that is estimated to take. */
import { knownFalse } from "../../spec/sfork/variants/baselines.js";
import { page } from "../workloads/workload.js";
import { callCycles, forkCycles, microseconds, nothing, pageCycles, plus, type Counted, type Costs } from "./costs.js";
import type { Measured } from "./measure.js";

/** Microseconds by what they go to, from the first fork on. */
interface Estimate {
  readonly fork: number;
  readonly pageTables: number;
  readonly traps: number;
  readonly copies: number;
  readonly relocation: number;
  readonly switches: number;
  readonly calls: number;
}

const partsOf = (of: Estimate): readonly number[] => [
  ...[of.fork, of.pageTables, of.traps, of.copies],
  ...[of.relocation, of.switches, of.calls],
];

export interface Row extends Measured {
  readonly isIsolating: boolean;
  /** Of parent and children. */
  readonly all: Counted;
  /** One fork, on average. */
  readonly forkMicroseconds: number;
  readonly estimate: Estimate;
  readonly totalMicroseconds: number;
}

/** What a row is estimated to take. */
export const rowOf = (measured: Measured, costs: Costs): Row => {
  const { strategy, parent, children, forks, atForks, switches, calls, transferred } = measured;
  const all = plus(parent, children);
  const time = (cycles: number): number => microseconds(costs, cycles);
  const only = (counted: Partial<Counted>): number =>
    time(pageCycles(costs, strategy, page, { ...nothing, ...counted }));
  const fixed = forkCycles(costs, strategy);
  const estimate: Estimate = {
    fork: time(forks * fixed),
    pageTables: only({ pageTableWrites: all.pageTableWrites }),
    traps: only({ faults: all.faults }),
    copies: only({ copies: all.copies }) + time(transferred * costs.copyByte),
    relocation: only({ relocations: all.relocations }),
    switches: time(switches * costs.spaceSwitch),
    calls: time(calls * callCycles(costs, strategy)),
  };
  return {
    ...measured,
    isIsolating: !(strategy in knownFalse),
    all,
    forkMicroseconds: forks === 0 ? 0 : time(fixed + pageCycles(costs, strategy, page, atForks) / forks),
    estimate,
    totalMicroseconds: partsOf(estimate).reduce((sum, part) => sum + part, 0),
  };
};
