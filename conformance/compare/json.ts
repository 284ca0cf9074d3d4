/** A comparison as JSON: figures by name, and the unit of each. */
import { page } from "../workloads/workload.js";
import { ratiosOf } from "./published.js";
import { isComplete, type Comparison } from "./report.js";
import type { Row } from "./row.js";

/** Figures without a unit are numbers of things. */
const units = {
  forkMicroseconds: "µs",
  totalMicroseconds: "µs",
  estimate: "µs",
  bytesCopied: "bytes",
  bytesTransferred: "bytes",
  childMade: "bytes",
  childOwn: "bytes",
  childShare: "bytes",
  parentOwn: "bytes",
  allFrames: "bytes",
  milliseconds: "ms",
} as const;

const rowJson = (row: Row): object => ({
  strategy: row.strategy,
  isolating: row.isIsolating,
  figures: {
    steps: row.steps,
    forks: row.forks,
    forkMicroseconds: row.forkMicroseconds,
    totalMicroseconds: row.totalMicroseconds,
    pagesCopied: row.all.copies,
    pagesCopiedByParent: row.parent.copies,
    pagesCopiedByChildren: row.children.copies,
    bytesCopied: row.all.copies * page,
    relocations: row.all.relocations,
    pageTableWrites: row.all.pageTableWrites,
    switches: row.switches,
    calls: row.calls,
    bytesTransferred: row.transferred,
    childMade: row.childMade * page,
    childOwn: row.childOwn * page,
    childShare: row.childShare * page,
    parentOwn: row.parentOwn * page,
    allFrames: row.frames * page,
    /** What the run took here, not an estimate. */
    milliseconds: row.milliseconds,
  },
  atForks: row.atForks,
  faults: row.faults,
  estimate: row.estimate,
  refused: row.refused,
  ...(row.firstRefused === undefined ? {} : { firstRefused: row.firstRefused }),
  memory: row.samples.map(({ step, frames, children, processes }) => ({
    step,
    frames,
    children,
    processes: processes.map(({ process, mapped, own, share }) => ({ process, mapped, own, share })),
  })),
});

export const comparisonJson = (comparison: Comparison): object => {
  const { name, size, seed, notes, costs, rows, ipc, published } = comparison;
  return {
    ok: isComplete(comparison),
    workload: name,
    size,
    ...(seed === undefined ? {} : { seed }),
    page,
    notes,
    costs,
    units: { ...units, size: "bytes", page: "bytes", memory: "pages" },
    rows: rows.map(rowJson),
    ipc,
    ...(published.length === 0 ? {} : { published, ratios: ratiosOf(published) }),
  };
};
