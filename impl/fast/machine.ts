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
import type { FastCodec, Halves } from "./codec/types.js";
import type { Facts } from "./facts.js";

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

export interface Strategy {
  /** An address space for each process. */
  readonly separate: boolean;
  /** A fork maps the parent's frames. */
  readonly lazy: boolean;
  /** On a page of another home these fault: any read; a read that shows a tag. Writes do wherever pages are lazy. */
  readonly readFaults: boolean;
  readonly tagFaults: boolean;
  /** Reads of raw bytes that do not fault may differ from an eager copy's (REF-2). */
  readonly staleReads: boolean;
  /** A lazy fork guards the pages that it shares, on both sides; without guards a write is everybody's. */
  readonly guards: boolean;
  /** Pages of a kernel that is cloned with the process, and how many of them the child's writes at once. */
  readonly kernelMapped: number;
  readonly kernelWritten: number;
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

/** Descriptors of a process, at most. */
export const maxDescriptors = 16;
