/** What detectors ask about a step that was taken: worked out when it is asked for, and once. */
import type { Capability, Granule } from "../../spec/cheri/index.js";
import { integer, register, type Context } from "../../spec/sfork/context.js";
import type { Transition } from "../../spec/invariants/transition.js";
import type { Frame, Machine, PageEntry } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import type { Observation } from "../../spec/sfork/observation.js";
import type { Integer, Operation } from "../../spec/sfork/operation.js";
import { needsResolving, place, regionRange } from "../../spec/sfork/paging.js";
import type { Range } from "../../spec/sfork/relocate.js";
import { viewRegion } from "../../spec/invariants/view.js";
import { described } from "../../spec/sfork/descriptors.js";
import type { History } from "./history.js";
import { buffersOf, isKernelAccess, type KernelAccess } from "./kernel-access.js";

type Described = NonNullable<ReturnType<typeof described>>;

/** A private page as it was before an access touched it. */
export interface Touched {
  readonly slot: number;
  readonly index: number;
  /** The process whose page it is; -1 where the slot is free. */
  readonly owner: number;
  readonly entry: PageEntry | undefined;
  readonly frame: Frame | undefined;
  readonly unresolved: boolean;
}

/** A run of bytes that a step means to read or write. */
export interface Access {
  readonly kind: "read" | "write";
  readonly authority: Capability;
  readonly address: bigint;
  readonly size: bigint;
  readonly pages: readonly Touched[];
}

const sizes: Partial<Readonly<Record<Operation["op"], bigint>>> = {
  "load.b": 1n,
  "load.bu": 1n,
  "load.h": 2n,
  "load.hu": 2n,
  "load.w": 4n,
  "load.wu": 4n,
  "load.d": 8n,
  "store.b": 1n,
  "store.h": 2n,
  "store.w": 4n,
  "store.d": 8n,
};

/** What a step observes that did not do what it was to do. */
const failures: ReadonlySet<Observation["kind"]> = new Set<Observation["kind"]>([
  ...(["trap", "error", "would-block", "unsupported", "no-actor", "halted"] as const),
  ...(["bad-choice", "out-of-frames", "outside-profile"] as const),
]);

/** No detector looks at the pages of longer ones. */
const longest = 1n << 24n;

export class Evidence {
  readonly transition: Transition;
  readonly history: History;
  readonly before: Machine;
  readonly after: Machine;
  readonly operation: Operation;
  readonly process: number;
  readonly context: Context;
  #accesses: readonly Access[] | undefined;
  #inherited: readonly (readonly Granule[])[] | undefined;
  #inheritedCapabilities: readonly Capability[] | undefined;

  constructor(transition: Transition, history: History) {
    this.transition = transition;
    this.history = history;
    this.before = transition.before;
    this.after = transition.after;
    this.operation = transition.operation;
    this.process = transition.process;
    this.context = {
      machine: transition.before,
      format: transition.before.format,
      thread: transition.thread,
      process: transition.process,
    };
  }

  get succeeded(): boolean {
    return !failures.has(this.transition.observation.kind);
  }

  /** The capability that the step observes. */
  get result(): Capability | undefined {
    const { observation } = this.transition;
    return observation.kind === "capability" ? observation.capability : undefined;
  }

  readonly register = (index: number): Capability => register(this.context, index);

  readonly integer = (operand: Integer): bigint => integer(this.context, operand);

  get slot(): number {
    return this.before.processes[this.process]?.slot ?? 0;
  }

  /** The region of the process that takes the step. */
  get region(): Range {
    return regionRange(this.before, this.slot);
  }

  trappedBy(cause: string): boolean {
    const { observation } = this.transition;
    return observation.kind === "trap" && observation.trap === cause;
  }

  failedWith(error: string): boolean {
    const { observation } = this.transition;
    return observation.kind === "error" && observation.error === error;
  }

  /** What was read. */
  get bytes(): readonly number[] | undefined {
    const { observation } = this.transition;
    return observation.kind === "bytes" ? observation.bytes : undefined;
  }

  /** The child that the step made. */
  get child(): number | undefined {
    const { observation } = this.transition;
    return observation.kind === "child" ? observation.child : undefined;
  }

  /** What a descriptor of the process refers to. */
  described(d: number): Described | undefined {
    return described(this.before, this.process, d);
  }

  /** Live processes but for one. */
  others(than: number, machine = this.before): readonly number[] {
    return machine.processes.flatMap(({ state }, ordinal) =>
      state.kind === "live" && ordinal !== than ? [ordinal] : [],
    );
  }

  /** The process that ends with this step. */
  get ending(): number | undefined {
    const { before, after, process } = this;
    return before.processes[process]?.state.kind === "live" && after.processes[process]?.state.kind !== "live"
      ? process
      : undefined;
  }

  get accesses(): readonly Access[] {
    this.#accesses ??= this.#findAccesses();
    return this.#accesses;
  }

  /** Granules of the forking process as it sees them, page by page; nothing but at a fork. */
  get inherited(): readonly (readonly Granule[])[] {
    this.#inherited ??=
      this.transition.observation.kind === "child"
        ? viewRegion(this.before, this.slot).map((page) => page?.granules ?? [])
        : [];
    return this.#inherited;
  }

  /** Tagged capabilities in memory that a child inherits. */
  get inheritedCapabilities(): readonly Capability[] {
    const { format } = this.before;
    this.#inheritedCapabilities ??= this.inherited.flatMap((page) =>
      page.flatMap(({ tag, bits }) => (tag ? [format.decode(format.fromMemory(bits), true)] : [])),
    );
    return this.#inheritedCapabilities;
  }

  /** Registers with which a child starts. */
  get inheritedRegisters(): readonly Capability[] {
    const { thread, observation } = this.transition;
    return observation.kind === "child" ? (this.before.threads[thread]?.registers ?? []) : [];
  }

  touched(address: bigint): Touched | undefined {
    const where = place(this.before, address);
    if (where.kind !== "page") return undefined;
    const { slot, index } = where.page;
    const entry = this.before.regions[slot]?.[index];
    return {
      slot,
      index,
      owner: this.before.processes.findIndex((one) => one.slot === slot && one.state.kind === "live"),
      entry,
      frame: entry === undefined ? undefined : this.before.frames[entry.frame],
      unresolved: needsResolving(this.before, where.page),
    };
  }

  #access(kind: Access["kind"], authority: Capability, address: bigint, size: bigint): Access {
    const page = BigInt(this.before.config.page);
    const pages: Touched[] = [];
    for (let at = address; at < address + size && size <= longest; at = (at / page + 1n) * page) {
      const touched = this.touched(at);
      if (touched !== undefined) pages.push(touched);
    }
    return { kind, authority, address, size, pages };
  }

  #findAccesses(): readonly Access[] {
    const { operation, before } = this;
    const { granule } = before.format;
    const access = (kind: Access["kind"], cs: number, n: bigint, size: bigint): Access => {
      const authority = this.register(cs);
      return this.#access(kind, authority, effective(before.format, authority, n), size);
    };
    if (operation.op === "cmemcpy") {
      const size = this.integer(operation.n);
      return [access("read", operation.cs2, 0n, size), access("write", operation.cs1, 0n, size)];
    }
    if (isKernelAccess(operation)) return this.#kernelAccesses(operation);
    if (operation.op === "memset") return [access("write", operation.cs1, 0n, this.integer(operation.n))];
    if (operation.op === "cloadtags") return [access("read", operation.cs1, 0n, 4n * granule)];
    const size = operation.op === "loadcap" || operation.op === "storecap" ? granule : sizes[operation.op];
    if (size === undefined || !("cs1" in operation) || !("n" in operation)) return [];
    const kind = operation.op.startsWith("store") ? "write" : "read";
    return [access(kind, operation.cs1, this.integer(operation.n), size)];
  }

  /** What the kernel touches for a call: as far as it transferred, or meant to. */
  #kernelAccesses(operation: KernelAccess): readonly Access[] {
    const { before, transition } = this;
    const { observation } = transition;
    const moved =
      observation.kind === "bytes"
        ? BigInt(observation.bytes.length)
        : observation.kind === "integer"
          ? observation.integer
          : undefined;
    let left = moved ?? longest;
    return buffersOf(this, operation).flatMap(({ kind, capability, size }) => {
      const here = size < left ? size : left;
      left -= here;
      return here > 0n ? [this.#access(kind, capability, effective(before.format, capability, 0n), here)] : [];
    });
  }

  get writes(): readonly Access[] {
    return this.accesses.filter(({ kind }) => kind === "write");
  }

  /** Granules of memory at an address, as the frame holds them. */
  granuleAt(machine: Machine, address: bigint): Granule | undefined {
    const where = place(machine, address);
    if (where.kind !== "page") return undefined;
    const entry = machine.regions[where.page.slot]?.[where.page.index];
    const frame = entry === undefined ? undefined : machine.frames[entry.frame];
    return frame?.memory[Number(where.offset / machine.format.granule)];
  }

  /** The shared segment at an address. */
  readonly segmentAt = (address: bigint): number | undefined => {
    const where = place(this.before, address);
    return where.kind === "segment" ? where.segment : undefined;
  };
}
