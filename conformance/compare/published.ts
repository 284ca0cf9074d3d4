/** Figures that were published for a snapshot of Redis, beside what the model gives. */
import type { StrategyName } from "../../spec/sfork/config.js";
import { page } from "../workloads/workload.js";
import type { Row } from "./row.js";

/** Bytes of a megabyte here. */
const megabyte = 2 ** 20;

interface Published {
  readonly strategy: StrategyName;
  /** Microseconds of the fork of a store of 100 MB; undefined where none was given. */
  readonly fork: number | undefined;
  /** Megabytes of the child. */
  readonly memory: number;
}

/** Kressel et al., µFork (SOSP 2025): a store of 100 MB, on another machine. */
const published: readonly Published[] = [
  { strategy: "eager", fork: 23_200, memory: 144 },
  { strategy: "coa", fork: 283, memory: 101 },
  { strategy: "copa", fork: 260, memory: 6 },
  { strategy: "multi-as-cow", fork: undefined, memory: 56 },
];

const databaseMegabytes = 100;

export interface BesidePublished {
  readonly strategy: StrategyName;
  readonly published: Published;
  /** Of the database. */
  readonly publishedShare: number;
  /** Microseconds, megabytes and share of the database, of the model. */
  readonly fork: number;
  readonly memory: number;
  readonly share: number;
  /** Modelled divided by published. */
  readonly ratio: number;
  readonly why: string;
}

const reasons: Readonly<Partial<Record<StrategyName, string>>> = {
  eager:
    "the published child has more than the store, probably what allocator and runtime hold besides; here there is only the heap, a page of stack and one of code",
  coa: "the same: the child reaches every page of the store, and each page that it reaches is copied",
  copa: "only pages whose pointers are loaded are copied; their share depends on the size of values, which we do not know of the published run: see --value",
  "multi-as-cow":
    "the published figure is near half of the store, as a share of pages that two map would be; beside it stands our share, though no page was copied for the child",
};

/** What the child is held to have: for shared pages of a monolithic kernel its share, otherwise what was made for it. */
const childPages = ({ strategy, childMade, childShare }: Row): number =>
  strategy === "multi-as-cow" ? childShare : childMade;

/** Rows for strategies that both have. Shares of the database can be compared at any size. */
export const besidePublished = (rows: readonly Row[], size: number): readonly BesidePublished[] =>
  published.flatMap((one) => {
    const row = rows.find(({ strategy }) => strategy === one.strategy);
    if (row === undefined) return [];
    const bytes = childPages(row) * page;
    const [publishedShare, share] = [one.memory / databaseMegabytes, bytes / size];
    return {
      strategy: one.strategy,
      published: one,
      publishedShare,
      fork: row.forkMicroseconds,
      memory: bytes / megabyte,
      share,
      ratio: share / publishedShare,
      why: reasons[one.strategy] ?? "",
    };
  });

export interface PublishedRatio {
  readonly name: string;
  readonly published: number;
  readonly modelled: number;
}

/** What strategies have to each other. */
export const ratiosOf = (rows: readonly BesidePublished[]): readonly PublishedRatio[] => {
  const of = (strategy: StrategyName) => rows.find((row) => row.strategy === strategy);
  const [full, coa, copa] = [of("eager"), of("coa"), of("copa")];
  const memory = (name: string, one?: BesidePublished, two?: BesidePublished): readonly PublishedRatio[] =>
    one && two
      ? [{ name, published: one.published.memory / two.published.memory, modelled: one.memory / two.memory }]
      : [];
  const fork = (name: string, one?: BesidePublished, two?: BesidePublished): readonly PublishedRatio[] =>
    one?.published.fork !== undefined && two?.published.fork !== undefined
      ? [{ name, published: one.published.fork / two.published.fork, modelled: one.fork / two.fork }]
      : [];
  return [
    ...memory("child memory, full copy to CoA", full, coa),
    ...memory("child memory, CoA to CoPA", coa, copa),
    ...memory("child memory, full copy to CoPA", full, copa),
    ...fork("fork, full copy to CoA", full, coa),
    ...fork("fork, CoA to CoPA", coa, copa),
  ];
};
