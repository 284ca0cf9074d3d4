/** Processes and threads, as far as the generator keeps track of them. */
import type { Config } from "../../../spec/sfork/config.js";
import type { SplitCall } from "../../../spec/sfork/operation.js";
import { maxDescriptors } from "../../../spec/sfork/kernel.js";
import { startPages } from "../config.js";
import type { Description, Holder } from "./files.js";
import { Memory, startRegisters, type Value } from "./memory.js";

/** A handler by what its registers held; undefined where nobody keeps track. */
export type Action = "ignore" | { readonly data: Value | undefined };

/** A process. */
export interface Life extends Holder {
  readonly slot: number;
  parent: number;
  /** Mapped pages. */
  pages: number;
  /** Live threads, by creation ordinal. */
  threads: readonly number[];
  state: "live" | "zombie" | "reaped";
  ended: number;
  /** By the process that leads it. */
  group: number;
  session: number;
  executed: boolean;
  stopped: boolean;
  /** Ascending. */
  pending: readonly number[];
  actions: ReadonlyMap<number, Action>;
  nproc: number;
  alternateStack: Value | undefined;
  memory: Memory | undefined;
}

/** A call between its halves, and the description that it holds. */
interface Call {
  readonly operation: SplitCall;
  readonly description: Description | undefined;
}

export interface Thread {
  readonly ordinal: number;
  readonly life: Life;
  mask: readonly number[];
  call: Call | undefined;
  registers: readonly Value[] | undefined;
}

/** Process 0 and its thread. Memory is kept track of where `granule` is given. */
export const firstLife = (
  config: Config,
  granule: number | undefined,
): { readonly life: Life; readonly thread: Thread } => {
  const life: Life = {
    ordinal: 0,
    slot: 0,
    parent: 0,
    pages: startPages(config),
    threads: [0],
    state: "live",
    ended: 0,
    group: 0,
    session: 0,
    executed: false,
    stopped: false,
    pending: [],
    actions: new Map(),
    descriptors: [],
    nofile: maxDescriptors,
    nproc: config.processes,
    directory: "/",
    alternateStack: undefined,
    memory: granule === undefined ? undefined : Memory.start(config, granule),
  };
  const registers = granule === undefined ? undefined : startRegisters(config);
  return { life, thread: { ordinal: 0, life, mask: [], call: undefined, registers } };
};
