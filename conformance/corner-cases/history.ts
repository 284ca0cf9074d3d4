/** What earlier steps of a program did, as far as a detector has to know. */
import type { Transition } from "../../spec/invariants/transition.js";
import type { Capability } from "../../spec/cheri/index.js";
import type { Machine } from "../../spec/sfork/machine.js";
import type { Integer, SplitCall } from "../../spec/sfork/operation.js";

/** Bytes that a step stored. */
interface Written {
  readonly address: bigint;
  readonly size: bigint;
  readonly pages: readonly { readonly owner: number; readonly index: number }[];
}

/** What is kept of a step. */
export interface Seen {
  readonly transition: Transition;
  /** Of the process that took it. */
  readonly slot: number;
  readonly succeeded: boolean;
  readonly writes: readonly Written[];
  readonly accesses: readonly { readonly address: bigint; readonly size: bigint }[];
  readonly register: (index: number) => Capability;
  readonly integer: (operand: Integer) => bigint;
  readonly segmentAt: (address: bigint) => number | undefined;
}

/** A call under way: what has become of its arguments since. */
interface EnteredCall {
  readonly call: SplitCall;
  readonly process: number;
  readonly capability: Capability | undefined;
  readonly length: bigint | undefined;
  readonly ranges: readonly { readonly address: bigint; readonly size: bigint }[];
  overwritten: boolean;
  forked: boolean;
}

interface Submitted {
  readonly process: number;
  readonly address: bigint;
  readonly size: bigint;
  overwritten: boolean;
  forked: boolean;
}

const meets = (
  a: { readonly address: bigint; readonly size: bigint },
  b: { readonly address: bigint; readonly size: bigint },
): boolean => a.address < b.address + b.size && b.address < a.address + a.size;

export class History {
  /** By child: who forked it, whatever became of its parent. */
  readonly forkedBy = new Map<number, number>();
  /** Processes that were handed a grant by a channel themselves. */
  readonly received = new Set<number>();
  /** Pages that were unmapped, as `slot:index`. */
  readonly unmapped = new Set<string>();
  /** By index of a page: who stored there since the last fork, each once, in order. */
  readonly writers = new Map<number, readonly number[]>();
  /** Who stored to a shared segment last. */
  readonly segmentWriters = new Map<number, number>();
  /** By thread: the call that it entered. */
  readonly calls = new Map<number, EnteredCall>();
  /** Calls of their parents that children were born without. */
  readonly droppedCalls = new Set<number>();
  /** By number: buffers that a device was handed. */
  readonly submitted = new Map<number, Submitted>();
  /** By description: the process that moved its offset last. */
  readonly movers = new Map<number, number>();
  /** Pipes that held bytes when a child inherited them, as `child:pipe`. */
  readonly inheritedPipes = new Set<string>();
  /** Signals for which a process set a handler itself, as `process:signal`. */
  readonly handlers = new Set<string>();
  /** Pages that a child got with zeros, or not at all, as `child:index`. */
  readonly wiped = new Set<string>();
  readonly absent = new Set<string>();
  /** Registers that hold what was loaded from memory as a pointer, as `thread:register`. */
  readonly loaded = new Set<string>();

  /** Take note of a step. */
  add(seen: Seen): void {
    const { transition } = seen;
    const { before, after, operation, process, observation } = transition;
    if (observation.kind === "child") this.#fork(transition, observation.child);
    if (operation.op === "recvcap" && transition.grants.held[process] !== transition.grantsBefore.held[process]) {
      this.received.add(process);
    }
    if (operation.op === "munmap" && observation.kind === "none") {
      const { slot } = seen;
      before.regions[slot]?.forEach((entry, index) => {
        if (entry !== undefined && after.regions[slot]?.[index] === undefined) this.unmapped.add(`${slot}:${index}`);
      });
    }
    if (operation.op === "sigaction" && typeof operation.action === "object" && "immediate" in operation.signal) {
      this.handlers.add(`${process}:${operation.signal.immediate}`);
    }
    if (seen.succeeded) {
      this.#load(transition);
      for (const write of seen.writes) this.#write(seen, write);
      this.#keep(seen);
    }
  }

  #fork({ before, process, operation }: Transition, child: number): void {
    this.forkedBy.set(child, process);
    this.writers.clear();
    for (const entered of this.calls.values()) if (entered.process === process) entered.forked = true;
    for (const request of this.submitted.values()) if (request.process === process) request.forked = true;
    if (
      operation.op === "fork" &&
      before.threads.some((thread) => thread.process === process && thread.call !== undefined)
    )
      this.droppedCalls.add(child);
    const parent = before.processes[process];
    for (const descriptor of parent?.descriptors ?? []) {
      const object = descriptor === undefined ? undefined : before.descriptions[descriptor.description]?.object;
      if (object === undefined || !("pipe" in object)) continue;
      if ((before.pipes[object.pipe]?.bytes.length ?? 0) > 0) this.inheritedPipes.add(`${child}:${object.pipe}`);
    }
    before.regions[parent?.slot ?? 0]?.forEach((entry, index) => {
      if (entry?.advice.wipeOnFork === true) this.wiped.add(`${child}:${index}`);
      if (entry?.advice.dontFork === true) this.absent.add(`${child}:${index}`);
    });
  }

  /** Calls, requests and descriptors that the step had to do with. */
  #keep({ transition, accesses, register, integer }: Seen): void {
    const { operation, process, thread, before, after } = transition;
    if (operation.op === "call_enter") {
      const { call } = operation;
      const capability = call.op === "open" ? undefined : register(call.cs1);
      const length = call.op === "open" ? undefined : integer(call.n);
      const entered = { call, process, capability, length, ranges: accesses };
      this.calls.set(thread, { ...entered, overwritten: false, forked: false });
    }
    if (operation.op === "virtq_submit" && after.submitted > before.submitted) {
      const buffer = after.requests.at(-1)?.buffer;
      const { address } = buffer?.capability ?? { address: 0n };
      const request = { process, address, size: buffer?.size ?? 0n, overwritten: false, forked: false };
      this.submitted.set(before.submitted, request);
    }
    if ("d" in operation) this.#move(before, process, operation.d);
  }

  /** A register is written: what `fork` and the like leave in one is none, and a child has loaded nothing yet. */
  #load({ operation, thread, observation }: Transition): void {
    if (!("cd" in operation)) return;
    const key = `${thread}:${operation.cd % 16}`;
    const isLoaded = operation.op === "loadcap" && observation.kind === "capability" && observation.capability.tag;
    if (isLoaded) this.loaded.add(key);
    else this.loaded.delete(key);
  }

  #move(machine: Machine, process: number, d: number): void {
    const index = machine.processes[process]?.descriptors[d % 16]?.description;
    if (index !== undefined) this.movers.set(index, process);
  }

  #write({ transition: { process, operation }, segmentAt }: Seen, written: Written): void {
    const { address, size, pages } = written;
    const segment = size === 0n ? undefined : segmentAt(address);
    if (segment !== undefined) this.segmentWriters.set(segment, process);
    for (const { owner, index } of pages) {
      const writers = this.writers.get(index) ?? [];
      if (owner === process && !writers.includes(owner)) this.writers.set(index, [...writers, owner]);
    }
    for (const entered of this.calls.values()) {
      if (
        entered.process === process &&
        operation.op !== "call_finish" &&
        entered.ranges.some((one) => meets(one, written))
      )
        entered.overwritten = true;
    }
    for (const request of this.submitted.values()) if (meets(request, written)) request.overwritten = true;
  }
}
