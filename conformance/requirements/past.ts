/** What detectors know of a program's earlier steps. */
import type { Machine, Process } from "../../spec/sfork/machine.js";
import type { Now } from "./now.js";

/** A fork, as its child came from it. */
export interface Birth {
  readonly parent: number;
  /** The thread that forked. */
  readonly thread: number;
  readonly time: number;
  readonly before: Machine;
  /** The child, and its parent, right after it. */
  readonly child: Process;
  readonly forker: Process;
  /** The child's first thread. */
  readonly first: number;
}

/** A store to a byte of a region. */
interface Written {
  readonly time: number;
  readonly thread: number;
}

export class Past {
  /** The first process, as it is at the start. */
  readonly origin: Process | undefined;
  /** Steps before this one. */
  time = 0;
  readonly #births = new Map<number, Birth>();
  readonly #executed = new Set<number>();
  readonly #stepped = new Set<number>();
  /** By process and byte of its region, in order. */
  readonly #written = new Map<string, readonly Written[]>();
  /** By byte of the shared segments: who stored there last. */
  readonly #sharedBy = new Map<number, number>();

  constructor(start: Machine) {
    this.origin = start.processes[0];
  }

  /** Where a process comes from, undefined for the first one. */
  birthOf(process: number): Birth | undefined {
    return this.#births.get(process);
  }

  /** The same for a process that still has the image that it was born with. */
  copyOf(process: number): Birth | undefined {
    return this.#executed.has(process) ? undefined : this.#births.get(process);
  }

  childrenOf(process: number): readonly number[] {
    return [...this.#births].flatMap(([child, { parent }]) => (parent === process ? [child] : []));
  }

  /** Whom it forked, and who forked it. */
  relativesOf(process: number): readonly number[] {
    const birth = this.#births.get(process);
    return [...this.childrenOf(process), ...(birth === undefined ? [] : [birth.parent])];
  }

  /** Has the thread taken a step yet? */
  hasStepped(thread: number): boolean {
    return this.#stepped.has(thread);
  }

  writesTo(process: number, byte: number): readonly Written[] {
    return this.#written.get(`${process}:${byte}`) ?? [];
  }

  /** Did it store to this byte from a time on? */
  wroteSince(process: number, byte: number, since: number): boolean {
    return this.writesTo(process, byte).some(({ time }) => time >= since);
  }

  wroteBefore(process: number, byte: number, until: number): boolean {
    return this.writesTo(process, byte).some(({ time }) => time < until);
  }

  sharedWriter(byte: number): number | undefined {
    return this.#sharedBy.get(byte);
  }

  /** Take note of a step. */
  note(now: Now): void {
    const { process, thread, child, after } = now;
    const [born, forker] = [after.processes[child ?? -1], after.processes[process]];
    if (child !== undefined && born !== undefined && forker !== undefined) {
      const first = after.threads.findIndex((one) => one.process === child);
      this.#births.set(child, {
        parent: process,
        thread,
        time: this.time,
        before: now.before,
        child: born,
        forker,
        first,
      });
    }
    if (now.did("exec")) this.#executed.add(process);
    for (const byte of now.writes) {
      const written = this.writesTo(process, byte);
      this.#written.set(`${process}:${byte}`, [...written, { time: this.time, thread }]);
    }
    for (const byte of now.sharedWrites) this.#sharedBy.set(byte, process);
    this.#stepped.add(thread);
    this.time += 1;
  }
}
