/** A comparison as tables of text. */
import { columns } from "../columns.js";
import { plural } from "../plural.js";
import { page } from "../workloads/workload.js";
import { costNames, costTable } from "./costs.js";
import { ratiosOf } from "./published.js";
import type { Comparison } from "./report.js";

export const whole = (value: number): string => Math.round(value).toLocaleString("en");

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 1)} MB`;

/** Three digits, or whole. */
const short = (value: number): string => (value >= 100 ? whole(value) : String(Number(value.toPrecision(3))));

/** Microseconds, in the unit that is read best. */
export const time = (microseconds: number): string => {
  if (microseconds >= 1e6) return `${short(microseconds / 1e6)} s`;
  return microseconds >= 1000 ? `${short(microseconds / 1000)} ms` : `${short(microseconds)} µs`;
};

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that are text. */
  readonly texts: number;
  readonly notes: readonly string[];
}

const forkTable = ({ rows }: Comparison): Table => ({
  title: "one fork, on average",
  head: ["", "forks", "pages copied", "relocated", "page-table writes", "estimated"],
  rows: rows.map(({ strategy, forks, atForks: { copies, relocations, pageTableWrites }, forkMicroseconds }) => [
    strategy,
    whole(forks),
    ...[copies, relocations, pageTableWrites].map((count) => whole(count / Math.max(1, forks))),
    time(forkMicroseconds),
  ]),
  texts: 1,
  notes: [],
});

const afterTable = ({ rows }: Comparison): Table => ({
  title: "from the first fork to the end, forks included",
  head: [
    ...["", "faults: write", "pointer", "read", "kernel", "pages copied: parent", "children", "bytes copied"],
    ...["relocated", "page-table writes", "switches", "calls"],
  ],
  rows: rows.map(({ strategy, faults, parent, children, all, switches, calls }) => [
    strategy,
    ...[faults.write, faults.pointer, faults.read, faults.kernel, parent.copies, children.copies].map(whole),
    megabytes(all.copies * page),
    ...[all.relocations, all.pageTableWrites, switches, calls].map(whole),
  ]),
  texts: 1,
  notes: [
    "faults by what met them: a write, a load of a capability with a tag, another read; kernel: of a kernel that is cloned",
    "switches are between address spaces; in one address space there are none",
  ],
});

const memoryTable = ({ rows }: Comparison): Table => ({
  title: "memory, the most at a time",
  head: ["", "made for a child", "a child's own", "its share", "the parent's own", "all frames"],
  rows: rows.map(({ strategy, childMade, childOwn, childShare, parentOwn, frames }) => [
    strategy,
    ...[childMade, childOwn, childShare, parentOwn, frames].map((pages) => megabytes(pages * page)),
  ]),
  texts: 1,
  notes: [
    "made for a child: pages copied for it, or left to it alone and relocated; own: pages that nobody else maps;",
    "share: each page that it maps, divided by those that map it",
  ],
});

const timeTable = ({ rows }: Comparison): Table => ({
  title: "estimated time by the cost table, from the first fork to the end, without the program's own instructions",
  head: ["", "forks", "page tables", "traps", "copies", "relocation", "switches", "calls", "total"],
  rows: rows.map(({ strategy, estimate, totalMicroseconds }) => [
    strategy,
    ...[estimate.fork, estimate.pageTables, estimate.traps, estimate.copies, estimate.relocation].map(time),
    ...[estimate.switches, estimate.calls, totalMicroseconds].map(time),
  ]),
  texts: 1,
  notes: [],
});

const ipcTable = ({ ipc }: Comparison): Table => ({
  title: "a message from parent to child: a capability in one address space, a copy across two",
  head: ["", "strategy", "message", "bytes copied", "calls", "switches", "faults", "estimated"],
  rows: ipc.map(({ how, strategy, size, copied, calls, switches, faults, microseconds }) => [
    how,
    strategy,
    `${whole(size)} bytes`,
    whole(copied),
    ...[calls, switches, faults].map((count) => count.toFixed(2)),
    time(microseconds),
  ]),
  texts: 2,
  notes: [],
});

const publishedTables = ({ published, size }: Comparison): readonly Table[] => {
  if (published.length === 0) return [];
  const figures: Table = {
    title: "beside published figures (µFork, SOSP 2025: a store of 100 MB on other hardware)",
    head: [
      "",
      "published: fork",
      "child",
      "of the store",
      "modelled: fork",
      "child",
      "of the store",
      "modelled / published",
    ],
    rows: published.map(({ strategy, published: one, publishedShare, fork, memory, share, ratio }) => [
      strategy,
      one.fork === undefined ? "-" : time(one.fork),
      `${one.memory} MB`,
      publishedShare.toFixed(2),
      time(fork),
      `${memory.toFixed(1)} MB`,
      share.toFixed(3),
      ratio.toFixed(2),
    ]),
    texts: 1,
    notes: [
      ...published.map(({ strategy, why }) => `${strategy}: ${why}`),
      ...(size === 100 * 2 ** 20 ? [] : ["times of another size than 100 MB cannot be compared; shares can"]),
      "modelled times are estimates; of the published ones only the minimal process went into the cost table",
    ],
  };
  const ratios: Table = {
    title: "ratios between strategies",
    head: ["", "published", "modelled"],
    rows: ratiosOf(published).map((one) => [one.name, short(one.published), short(one.modelled)]),
    texts: 1,
    notes: [],
  };
  return [figures, ...(ratios.rows.length > 0 ? [ratios] : [])];
};

export const tablesOf = (comparison: Comparison): readonly Table[] => [
  forkTable(comparison),
  afterTable(comparison),
  memoryTable(comparison),
  timeTable(comparison),
  ...publishedTables(comparison),
  ipcTable(comparison),
];

/** What was compared, in a few lines. */
export const headLines = ({ name, summary, size, seed, notes, rows }: Comparison): readonly string[] => [
  `${name}: ${summary}`,
  `${megabytes(size)}${seed === undefined ? "" : `, seed ${seed}`}, ${plural(rows[0]?.steps ?? 0, "step")}, pages of ${page} bytes`,
  ...notes,
];

/** Steps that a strategy refused, a line each. */
export const refusedLines = ({ rows }: Comparison): readonly string[] =>
  rows.flatMap(({ strategy, isIsolating, refused, firstRefused }) =>
    refused === 0
      ? []
      : [
          `${strategy}${isIsolating ? "" : " (known not to isolate)"}: ${plural(refused, "step")} refused; ${firstRefused ?? ""}`,
        ],
  );

/** Strategies that are compared, and do not isolate. */
export const falseLine = ({ rows }: Comparison): readonly string[] => {
  const names = rows.filter(({ isIsolating }) => !isIsolating).map(({ strategy }) => strategy);
  return names.length === 0 ? [] : [`known not to isolate, so that they do less than is needed: ${names.join(", ")}`];
};

export const costLine = ({ costs }: Comparison): string => {
  const own = costNames.filter((name) => costs[name] !== costTable[name].cycles);
  const listed = own.map((name) => `${name} ${costs[name]}`).join(", ");
  return own.length === 0 ? "costs: the defaults, many of them assumptions" : `costs: the defaults, but ${listed}`;
};

export const comparisonLines = (comparison: Comparison): readonly string[] => [
  ...headLines(comparison),
  ...tablesOf(comparison).flatMap(({ title, head, rows, texts, notes }) => [
    "",
    title,
    ...columns([head, ...rows], texts),
    ...notes.map((note) => `  ${note}`),
  ]),
  "",
  ...falseLine(comparison),
  ...refusedLines(comparison),
  costLine(comparison),
];
