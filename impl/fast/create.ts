/** A machine with nothing in it, for a configuration; and a process with nothing of its own. */
import type { Config } from "../../spec/sfork/config.js";
import { codecs } from "./codec/index.js";
import { DECODED_SIZE } from "./codec/types.js";
import { factsOf, maskOf } from "./facts.js";
import { fileSize, maxDescriptors, type Held, type Machine, type Process, type Strategy } from "./machine.js";
import { newHeld, takeStore } from "./storage.js";

/** What most strategies have alike: a lazy fork under guard, no fault but a write's, and no kernel beside. */
const guarded = {
  ...{ separate: false, lazy: true, readFaults: false, tagFaults: false, staleReads: false, guards: true },
  ...{ kernelMapped: 0, kernelWritten: 0 },
} as const;

/** The strategies that there are here: what a fork does, and which touches fault. */
const strategies = {
  eager: { ...guarded, lazy: false },
  coa: { ...guarded, readFaults: true, tagFaults: true },
  copa: { ...guarded, tagFaults: true, staleReads: true },
  "multi-as-cow": { ...guarded, separate: true },
} as const;

/** Systems to compare those with; the last two are known not to isolate. */
const baselines = {
  "vm-clone": { ...guarded, separate: true, kernelMapped: 64, kernelWritten: 8 },
  "shared-segments": { ...guarded, guards: false },
  "naive-cow": guarded,
} as const;

const everything: Readonly<Partial<Record<string, Strategy>>> = { ...strategies, ...baselines };

type FastStrategy = keyof typeof strategies;

/** What is checked where nobody names a strategy. */
export const fastStrategies = Object.keys(strategies) as readonly FastStrategy[];

/** Those that have to be named. */
export const fastBaselines = Object.keys(baselines) as readonly (keyof typeof baselines)[];

/** Regions and pages that can be counted in 32 bits. */
const mostPages = 0x4000000;

/** What `emptyMachine` says of a configuration that does not fit. */
const refuse = (what: string): never => {
  throw new RangeError(`impl/fast: ${what}`);
};

const lo = (value: bigint): number => Number(BigInt.asIntN(32, value));
const hi = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

/** The machine with nothing in it: no process, no page. */
export const emptyMachine = (config: Config): Machine => {
  if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) refuse("this machine is big-endian");
  const strategy = everything[config.strategy];
  if (strategy === undefined) {
    return refuse(`no strategy ${config.strategy}; it has ${[...fastStrategies, ...fastBaselines].join(", ")}`);
  }
  const { page, pages, slots, shared } = config;
  const codec = codecs[config.format];
  const facts = factsOf[config.format];
  const region = page * pages;
  if (pages > mostPages || region > Number.MAX_SAFE_INTEGER / 4) refuse(`a region of ${pages} pages is too large`);
  const span = BigInt(slots) * config.stride + BigInt(shared * page);
  const far = span > BigInt(Number.MAX_SAFE_INTEGER);
  const stride = far ? region + page : Number(config.stride);
  if (slots * stride > Number.MAX_SAFE_INTEGER / 2) refuse(`${slots} regions of ${pages} pages are too many`);

  const starts = Array.from({ length: slots }, (_, slot) =>
    strategy.separate ? config.base : config.base + BigInt(slot) * config.stride,
  );
  const ends = starts.map((start) => start + BigInt(region));
  const sharedBase = config.base + BigInt(slots) * config.stride;
  const kernelBase = sharedBase + BigInt(shared * page);
  const right = (name: Parameters<typeof maskOf>[1][number]): number => maskOf(facts, [name]);
  const { granuleHalves } = codec;
  const pageHalves = page / 4;
  const granule = granuleHalves * 4;
  const tagWords = Math.ceil(page / granule / 32);
  const cells = new Int32Array(pageHalves * 8);
  const nobody: Process = newProcess(0, 0, 0, 0, newHeld({ granuleHalves }), config.processes);
  const machine: Machine = {
    config,
    strategy,
    codec,
    facts,
    rights: {
      load: right("load"),
      store: right("store"),
      execute: right("execute"),
      loadCap: right("load-cap"),
      storeCap: right("store-cap"),
      storeLocal: right("store-local"),
      global: right("global"),
      seal: right("seal"),
      unseal: right("unseal"),
      invoke: right("invoke"),
      mutableLoad: right("mutable-load"),
      elevateLevel: right("elevate-level"),
    },
    wide: codec.addressBits === 64,
    granule,
    granuleHalves,
    granuleShift: Math.log2(granule),
    page,
    perPage: 1 / page,
    pages,
    pageHalves,
    tagWords,
    stride,
    region,
    sharedAt: slots * stride,
    far,
    startLo: Int32Array.from(starts, lo),
    startHi: Int32Array.from(starts, hi),
    endLo: Int32Array.from(ends, lo),
    endHi: Int32Array.from(ends, hi),
    sharedLo: lo(sharedBase),
    sharedHi: hi(sharedBase),
    kernelLo: lo(kernelBase),
    kernelHi: hi(kernelBase),
    cells,
    bytes: new Uint8Array(cells.buffer),
    tags: new Int32Array(tagWords * 8),
    // The zero store, and one for each shared segment.
    storeCount: 0,
    freeStores: [],
    frameStore: new Int32Array(16),
    frameReferences: new Int32Array(16),
    frameHome: new Int32Array(16),
    frameCount: 0,
    freeFrames: [],
    usedFrames: 0,
    committed: 0,
    entries: new Int32Array(pages),
    flags: new Uint8Array(pages),
    rowCount: 0,
    freeRows: [],
    rowOf: new Int32Array(slots).fill(-1),
    ownerOf: new Int32Array(slots).fill(-1),
    used: new Uint8Array(slots),
    registers: new Int32Array(fileSize * granuleHalves),
    registerTags: new Uint8Array(fileSize),
    fileCount: 0,
    freeFiles: [],
    processes: [],
    threads: [],
    liveThreads: [],
    endings: 0,
    channels: [],
    files: [],
    requests: [],
    submitted: 0,
    thread: { ordinal: 0, process: nobody, registers: 0, mask: 0, call: undefined },
    process: nobody,
    space: 0,
    lo: 0,
    hi: 0,
    entry: -1,
    slot: 0,
    offset: 0,
    decoded: new Int32Array(DECODED_SIZE),
    other: new Int32Array(DECODED_SIZE),
    scratch: new Int32Array(granuleHalves),
    accesses: 0,
    accessEntry: new Int32Array(16),
    accessSlot: new Int32Array(16),
    accessTouch: new Int32Array(16),
    accessOperand: new Int32Array(16),
    stale: false,
    kind: 0,
    first: 0,
    second: 0,
    taken: [],
    actor: -1,
    actorProcess: -1,
    seen: undefined,
  };
  for (let store = 0; store <= shared; store += 1) takeStore(machine);
  return machine;
};

export const newProcess = (
  ordinal: number,
  pid: number,
  parent: number,
  slot: number,
  stack: Held,
  nproc: number,
): Process => ({
  ordinal,
  pid,
  parent,
  slot,
  state: "live",
  status: { exited: 0 },
  ended: 0,
  faults: 0,
  copies: 0,
  relocations: 0,
  pageTableWrites: 0,
  group: 0,
  session: 0,
  descriptors: [],
  actions: new Map(),
  stack,
  umask: 0o22,
  directory: "/",
  nofile: maxDescriptors,
  nproc,
  pending: 0,
  alarm: false,
  ran: false,
  childrenRan: false,
  executed: false,
  stopped: false,
});
