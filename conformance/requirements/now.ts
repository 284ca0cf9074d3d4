/** A step that was taken, as detectors look at it. */
import type { Capability } from "../../spec/cheri/index.js";
import { noGrants } from "../../spec/invariants/grants.js";
import { regionSize, sharedBase } from "../../spec/sfork/config.js";
import { described } from "../../spec/sfork/descriptors.js";
import type { Description } from "../../spec/sfork/kernel.js";
import { regionBase, type Machine, type Process, type Thread } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import type { Integer, Operation, OperationName, Step } from "../../spec/sfork/operation.js";
import type { Observation } from "../../spec/sfork/observation.js";
import type { Taken } from "../../spec/sfork/step.js";
import { Evidence, type Access } from "../corner-cases/evidence.js";
import { History } from "../corner-cases/history.js";

/** Runs of bytes that are longer are not told apart. */
const longest = 4096n;

const failures: readonly Observation["kind"][] = [
  ...(["trap", "error", "would-block", "unsupported", "no-actor", "halted"] as const),
  ...(["bad-choice", "out-of-frames", "outside-profile"] as const),
];

/** A run of bytes that a step reads or writes. */
type Run = Pick<Access, "kind" | "address" | "size">;

export class Now {
  /** Before the signals that were taken. */
  readonly start: Machine;
  /** After them, and before the operation. */
  readonly before: Machine;
  readonly after: Machine;
  /** What the step did; nothing, where a stop or an end came before it. */
  readonly operation: Operation;
  readonly observation: Observation;
  readonly thread: number;
  readonly process: number;
  readonly signals: readonly number[];
  readonly #evidence: Evidence;
  #runs: readonly Run[] | undefined;
  #reads: readonly number[] | undefined;
  #writes: readonly number[] | undefined;

  constructor(
    start: Machine,
    { operation }: Step,
    taken: Taken,
    by: { readonly thread: number; readonly process: number },
  ) {
    this.start = start;
    this.before = taken.ready;
    this.after = taken.machine;
    this.operation = taken.acted ? operation : { op: "yield" };
    this.observation = taken.observation;
    this.thread = by.thread;
    this.process = by.process;
    this.signals = taken.signals;
    const { before, after, observation } = this;
    const nothing = { grants: noGrants, grantsBefore: noGrants, ghost: undefined, ghostBefore: undefined };
    const moved = { before, after, operation: this.operation, observation, ...by, signals: [], ended: [], began: [] };
    this.#evidence = new Evidence({ ...moved, ...nothing }, new History());
  }

  /** It did what it was to do. */
  get succeeded(): boolean {
    return !failures.includes(this.observation.kind);
  }

  failedWith(error: string): boolean {
    return this.observation.kind === "error" && this.observation.error === error;
  }

  is(...names: readonly OperationName[]): boolean {
    return names.includes(this.operation.op);
  }

  /** One of these, and it succeeded. */
  did(...names: readonly OperationName[]): boolean {
    return this.succeeded && this.is(...names);
  }

  register(index: number): Capability {
    return this.#evidence.register(index);
  }

  integer(operand: Integer): bigint {
    return this.#evidence.integer(operand);
  }

  /** Whom the step forked. */
  get child(): number | undefined {
    return this.observation.kind === "child" ? this.observation.child : undefined;
  }

  /** Whom the step waited for. */
  get reaped(): number | undefined {
    return this.observation.kind === "process" ? this.observation.process : undefined;
  }

  /** The processes that there are but for the one that took the step. */
  get others(): readonly number[] {
    return this.after.processes.flatMap((_, ordinal) => (ordinal === this.process ? [] : [ordinal]));
  }

  /** Who ended with the step, or with the signals before it. */
  get ended(): readonly number[] {
    return this.start.processes.flatMap(({ state }, ordinal) =>
      state.kind === "live" && this.after.processes[ordinal]?.state.kind !== "live" ? [ordinal] : [],
    );
  }

  /** Of the process that took the step, before it. */
  get self(): Process | undefined {
    return this.before.processes[this.process];
  }

  get ownThread(): Thread | undefined {
    return this.before.threads[this.thread];
  }

  get #base(): bigint {
    return regionBase(this.before.config, this.self?.slot ?? 0);
  }

  /** The descriptor that the operation names. */
  get descriptor(): number | undefined {
    return "d" in this.operation ? this.operation.d % 16 : undefined;
  }

  /** What it refers to. */
  get described(): { readonly index: number; readonly description: Description } | undefined {
    return this.descriptor === undefined ? undefined : described(this.before, this.process, this.descriptor);
  }

  /** The file that it refers to. */
  get file(): number | undefined {
    const { object } = this.described?.description ?? {};
    return object !== undefined && "file" in object ? object.file : undefined;
  }

  /** The pipe that it refers to. */
  get pipe(): number | undefined {
    const { object } = this.described?.description ?? {};
    return object !== undefined && "pipe" in object ? object.pipe : undefined;
  }

  /** A buffer of a call that reads or writes a descriptor, as far as bytes went through it. */
  get #buffers(): readonly Run[] {
    const { operation, observation } = this;
    if (operation.op !== "read" && operation.op !== "write") return [];
    const address = effective(this.before.format, this.register(operation.cs1), 0n);
    if (observation.kind === "bytes") return [{ kind: "write", address, size: BigInt(observation.bytes.length) }];
    return observation.kind === "integer" ? [{ kind: "read", address, size: observation.integer }] : [];
  }

  get #allRuns(): readonly Run[] {
    this.#runs ??= [...this.#evidence.accesses, ...this.#buffers];
    return this.#runs;
  }

  /** Where in a range the bytes are that were read, or written: offsets from the range's start. */
  #bytes(kind: Run["kind"], start: bigint, size: bigint): readonly number[] {
    if (!this.succeeded) return [];
    return this.#allRuns.flatMap((run) => {
      const first = run.address - start;
      const fits = run.kind === kind && run.size <= longest && first >= 0n && first + run.size <= size;
      return fits ? Array.from({ length: Number(run.size) }, (_, index) => Number(first) + index) : [];
    });
  }

  /** Offsets of the bytes of the own region that were read. */
  get reads(): readonly number[] {
    this.#reads ??= this.#bytes("read", this.#base, regionSize(this.before.config));
    return this.#reads;
  }

  get writes(): readonly number[] {
    this.#writes ??= this.#bytes("write", this.#base, regionSize(this.before.config));
    return this.#writes;
  }

  #segments(kind: Run["kind"]): readonly number[] {
    const { config } = this.before;
    return this.#bytes(kind, sharedBase(config), BigInt(config.shared * config.page));
  }

  /** Offsets of the bytes of shared segments, counted from the first one on. */
  get sharedReads(): readonly number[] {
    return this.#segments("read");
  }

  get sharedWrites(): readonly number[] {
    return this.#segments("write");
  }

  /** Pages of the own region that the operation means to touch, whether or not it may. */
  get touched(): Access["pages"] {
    const { slot } = this.self ?? {};
    return this.#evidence.accesses.flatMap(({ pages }) => pages.filter((page) => page.slot === slot));
  }

  /** Pages of the own region that the step changed the mapping of: now mapped, now not, or protected otherwise. */
  get remapped(): readonly number[] {
    const slot = this.self?.slot ?? 0;
    const old = this.before.regions[slot] ?? [];
    return (this.after.regions[slot] ?? []).flatMap((entry, index) =>
      entry?.protection === old[index]?.protection ? [] : [index],
    );
  }

  /** Is this a capability to the own private memory? */
  isOwn({ tag, base, top }: Capability): boolean {
    return tag && base >= this.#base && top <= this.#base + regionSize(this.before.config) && base < top;
  }

  /** Tagged capabilities to private memory that lie in memory where a fork copies it. */
  get inheritedPointers(): readonly Capability[] {
    return this.#evidence.inheritedCapabilities.filter((capability) => this.isOwn(capability));
  }
}
