/**
 * The state of the machine: flat arrays for memory, pages and registers, ordinary objects for what the kernel keeps.
 *
 * - *Stores* are the physical memory: pages in one growing buffer, in the format's own bits, with a bitmap of tags. Store 0
 *   is zero for ever.
 * - *Frames* are what is counted and mapped. A frame has the zero store until it is written, so that a fresh page costs no
 *   memory.
 * - A *row* is the page table of one live process; there are as many as processes ever lived at once.
 *
 * A home is given as a slot: regions are all alike, so that a slot says where one begins.
 */
import type { Config } from "../../spec/sfork/config.js";
import type { ExitStatus } from "../../spec/sfork/observation.js";
import type { OperationOf } from "../../spec/sfork/operation.js";
import { codecs } from "./codec/index.js";
import { DECODED_SIZE, type FastCodec, type Halves } from "./codec/types.js";
import { factsOf, maskOf, type Facts } from "./facts.js";

/** A capability outside registers and memory: held by the kernel, or in flight. */
export interface Held {
  readonly cells: Halves;
  tag: boolean;
}

export interface Description {
  /** Undefined where it is an end of a pipe. */
  readonly file: File | undefined;
  readonly pipe: Pipe | undefined;
  /** Bits of `flagBits`. */
  flags: number;
  offset: number;
  references: number;
}

interface Pipe {
  bytes: readonly number[];
  /** Descriptions that read, and that write. */
  readers: number;
  writers: number;
}

export interface Lock {
  readonly owner: number;
  readonly start: number;
  readonly end: number;
}

export interface File {
  readonly path: string;
  bytes: Uint8Array;
  locks: readonly Lock[];
}

export interface Descriptor {
  readonly description: Description;
  cloexec: boolean;
}

export interface Handler {
  readonly code: Held;
  readonly data: Held;
}

/** Where the kernel reads or writes; sizes that are too large for a number are wrong in any case. */
export interface Buffer {
  readonly capability: Held;
  readonly sizeLo: number;
  readonly sizeHi: number;
}

/** A call that was entered and not finished. */
export type Call =
  | { readonly kind: "read"; readonly description: Description; readonly buffers: readonly Buffer[] }
  | { readonly kind: "write"; readonly description: Description; readonly bytes: Uint8Array }
  | { readonly kind: "open"; readonly operands: OperationOf<"open"> };

interface Request {
  readonly process: number;
  readonly buffer: Buffer;
  /** What a device reads; undefined where it writes. */
  readonly bytes: Uint8Array | undefined;
  readonly number: number;
}

type ProcessState = "live" | "zombie" | "reaped";

export interface Process {
  readonly ordinal: number;
  readonly pid: number;
  parent: number;
  readonly slot: number;
  state: ProcessState;
  status: ExitStatus;
  /** How many had ended before it. */
  ended: number;
  faults: number;
  copies: number;
  relocations: number;
  pageTableWrites: number;
  group: number;
  session: number;
  descriptors: (Descriptor | undefined)[];
  /** Handlers, and signals that are ignored, by number. */
  actions: Map<number, Handler | "ignore">;
  stack: Held;
  umask: number;
  directory: string;
  nofile: number;
  nproc: number;
  /** Signals as bits. */
  pending: number;
  alarm: boolean;
  ran: boolean;
  childrenRan: boolean;
  executed: boolean;
  stopped: boolean;
}

export interface Thread {
  readonly ordinal: number;
  readonly process: Process;
  /** Its first register in the register file. */
  readonly registers: number;
  /** Signals as bits. */
  mask: number;
  call: Call | undefined;
}

/** General registers, and `pcc` behind them. */
export const registerCount = 16;
export const pccIndex = 16;
export const fileSize = registerCount + 1;

// Bits of an entry's flags.
export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;
export const GUARD = 8;
export const DONTFORK = 16;
export const WIPEONFORK = 32;
export const PROTECTION = READ | WRITE | EXECUTE;

/** The strategies that there are here: what a fork does, and which touches fault. */
const strategies = {
  eager: { separate: false, lazy: false, readFaults: false, tagFaults: false, staleReads: false },
  coa: { separate: false, lazy: true, readFaults: true, tagFaults: true, staleReads: false },
  copa: { separate: false, lazy: true, readFaults: false, tagFaults: true, staleReads: true },
  "multi-as-cow": { separate: true, lazy: true, readFaults: false, tagFaults: false, staleReads: false },
} as const;

type FastStrategy = keyof typeof strategies;

export const fastStrategies = Object.keys(strategies) as readonly FastStrategy[];

interface Strategy {
  /** An address space for each process. */
  readonly separate: boolean;
  /** A fork maps the parent's frames. */
  readonly lazy: boolean;
  /** On a page of another home these fault: any read; a read that shows a tag. Writes do wherever pages are lazy. */
  readonly readFaults: boolean;
  readonly tagFaults: boolean;
  /** Reads of raw bytes that do not fault may differ from an eager copy's (REF-2). */
  readonly staleReads: boolean;
}

/** Rights by their bits in the machine's format. */
interface Rights {
  readonly load: number;
  readonly store: number;
  readonly execute: number;
  readonly loadCap: number;
  readonly storeCap: number;
  readonly storeLocal: number;
  readonly global: number;
  readonly seal: number;
  readonly unseal: number;
  readonly invoke: number;
  readonly mutableLoad: number;
  readonly elevateLevel: number;
}

export interface Machine {
  readonly config: Config;
  readonly strategy: Strategy;
  readonly codec: FastCodec;
  readonly facts: Facts;
  readonly rights: Rights;

  // Sizes. Halves are 32 bits.
  readonly wide: boolean;
  readonly granule: number;
  readonly granuleHalves: number;
  /** Bytes of a granule are this power of two. */
  readonly granuleShift: number;
  readonly page: number;
  /** What multiplication turns bytes into pages with, exactly. */
  readonly perPage: number;
  readonly pages: number;
  readonly pageHalves: number;
  readonly tagWords: number;

  // Places. Addresses are numbers from the first region's base on; `stride` is the distance of regions in these numbers.
  readonly stride: number;
  readonly region: number;
  /** Behind the last region: where shared segments begin. */
  readonly sharedAt: number;
  /** Distances between regions exceed what a number holds: `stride` is a shorter one. */
  readonly far: boolean;
  /** First and last address of each slot's region, in halves. */
  readonly startLo: Int32Array;
  readonly startHi: Int32Array;
  readonly endLo: Int32Array;
  readonly endHi: Int32Array;
  readonly sharedLo: number;
  readonly sharedHi: number;
  readonly kernelLo: number;
  readonly kernelHi: number;

  // Stores.
  cells: Int32Array;
  bytes: Uint8Array;
  tags: Int32Array;
  storeCount: number;
  freeStores: number[];

  // Frames.
  frameStore: Int32Array;
  frameReferences: Int32Array;
  frameHome: Int32Array;
  frameCount: number;
  freeFrames: number[];
  usedFrames: number;
  committed: number;

  // Rows: a frame's number and one, or 0; and flags.
  entries: Int32Array;
  flags: Uint8Array;
  rowCount: number;
  freeRows: number[];
  /** By slot: its row and the process that lives there, or -1. */
  readonly rowOf: Int32Array;
  readonly ownerOf: Int32Array;
  readonly used: Uint8Array;

  // Registers.
  registers: Int32Array;
  registerTags: Uint8Array;
  fileCount: number;
  freeFiles: number[];

  // Who there is.
  readonly processes: Process[];
  /** By ordinal; undefined where it has ended. */
  readonly threads: (Thread | undefined)[];
  /** In order of creation. */
  readonly liveThreads: Thread[];
  endings: number;

  // What there is beside memory.
  readonly channels: Held[][];
  readonly files: File[];
  requests: Request[];
  submitted: number;

  // The step under way: who takes it, and in which address space.
  thread: Thread;
  process: Process;
  space: number;

  // Results of functions that have more than one.
  /** An integer operand, or an address, in halves. */
  lo: number;
  hi: number;
  /** Where an address lies: an entry (-1: nowhere, -2 and below: a shared segment), its slot, and the offset in the page. */
  entry: number;
  slot: number;
  offset: number;
  readonly decoded: Int32Array;
  readonly other: Int32Array;
  /** A granule to work in. */
  readonly scratch: Int32Array;

  // Pages that an access touches.
  accesses: number;
  accessEntry: Int32Array;
  accessSlot: Int32Array;
  accessTouch: Int32Array;
  accessOperand: Int32Array;
  stale: boolean;

  // What the step observed: a kind of `outcome.ts`, and what belongs to it.
  kind: number;
  first: number;
  second: number;
  readonly taken: number[];
  /** The thread and the process of the step, or -1. */
  actor: number;
  actorProcess: number;
  /** Observed values that are no numbers. */
  seen: unknown;
}

/** Regions and pages that can be counted in 32 bits. */
const mostPages = 0x4000000;

/** What `createMachine` says of a configuration that does not fit. */
const refuse = (what: string): never => {
  throw new RangeError(`impl/fast: ${what}`);
};

const lo = (value: bigint): number => Number(BigInt.asIntN(32, value));
const hi = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

export const newHeld = (machine: Pick<Machine, "granuleHalves">): Held => ({
  cells: new Int32Array(machine.granuleHalves),
  tag: false,
});

/** The machine with nothing in it: no process, no page. */
export const emptyMachine = (config: Config): Machine => {
  if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) refuse("this machine is big-endian");
  const strategy = (strategies as Readonly<Partial<Record<string, Strategy>>>)[config.strategy];
  if (strategy === undefined) return refuse(`no strategy ${config.strategy}; it has ${fastStrategies.join(", ")}`);
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

/** Descriptors of a process, at most. */
export const maxDescriptors = 16;

/** Twice the room, so that growing costs little for each of many. */
const grownInts = (array: Int32Array, length: number): Int32Array => {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
};

const grownBytes = (array: Uint8Array, length: number): Uint8Array => {
  if (length <= array.length) return array;
  const larger = new Uint8Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
};

/** A store of zeros without tags. */
export function takeStore(machine: Machine): number {
  const { pageHalves, tagWords } = machine;
  const free = machine.freeStores.pop();
  if (free !== undefined) {
    machine.cells.fill(0, free * pageHalves, (free + 1) * pageHalves);
    machine.tags.fill(0, free * tagWords, (free + 1) * tagWords);
    return free;
  }
  const store = machine.storeCount;
  machine.storeCount += 1;
  const cells = grownInts(machine.cells, machine.storeCount * pageHalves);
  if (cells !== machine.cells) {
    machine.cells = cells;
    machine.bytes = new Uint8Array(cells.buffer);
  }
  machine.tags = grownInts(machine.tags, machine.storeCount * tagWords);
  return store;
}

/** The number of a frame that nothing maps yet. */
export function takeFrame(machine: Machine, home: number): number {
  const frame = machine.freeFrames.pop() ?? machine.frameCount;
  if (frame === machine.frameCount) {
    machine.frameCount += 1;
    machine.frameStore = grownInts(machine.frameStore, machine.frameCount);
    machine.frameReferences = grownInts(machine.frameReferences, machine.frameCount);
    machine.frameHome = grownInts(machine.frameHome, machine.frameCount);
  }
  machine.frameStore[frame] = 0;
  machine.frameReferences[frame] = 0;
  machine.frameHome[frame] = home;
  machine.usedFrames += 1;
  return frame;
}

/** One mapping less; a frame that nobody maps any more is free, and its store. */
export function dropReference(machine: Machine, frame: number): void {
  const left = (machine.frameReferences[frame] ?? 0) - 1;
  machine.frameReferences[frame] = left;
  if (left > 0) return;
  const store = machine.frameStore[frame] ?? 0;
  if (store > 0) machine.freeStores.push(store);
  machine.frameStore[frame] = 0;
  machine.freeFrames.push(frame);
  machine.usedFrames -= 1;
}

/** A row without entries. */
export function takeRow(machine: Machine): number {
  const { pages } = machine;
  const row = machine.freeRows.pop() ?? machine.rowCount;
  if (row === machine.rowCount) {
    machine.rowCount += 1;
    machine.entries = grownInts(machine.entries, machine.rowCount * pages);
    machine.flags = grownBytes(machine.flags, machine.rowCount * pages);
  }
  return row;
}

/** Registers of a thread: the index of the first. */
export function takeRegisters(machine: Machine): number {
  const file = machine.freeFiles.pop() ?? machine.fileCount;
  if (file === machine.fileCount) {
    machine.fileCount += 1;
    machine.registers = grownInts(machine.registers, machine.fileCount * fileSize * machine.granuleHalves);
    machine.registerTags = grownBytes(machine.registerTags, machine.fileCount * fileSize);
  }
  return file * fileSize;
}

/** A shared segment's store. */
export const segmentStore = (segment: number): number => segment + 1;

/** A queue of pages with room for one more. */
export function growAccesses(machine: Machine): void {
  const room = machine.accesses + 1;
  machine.accessEntry = grownInts(machine.accessEntry, room);
  machine.accessSlot = grownInts(machine.accessSlot, room);
  machine.accessTouch = grownInts(machine.accessTouch, room);
  machine.accessOperand = grownInts(machine.accessOperand, room);
}
