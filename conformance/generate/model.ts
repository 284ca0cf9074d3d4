/**
 * What a program's steps are expected to do to its processes: who lives, so that steps go to somebody, and whether a fork
 * will succeed. No more than a guess: nothing goes wrong where it is wrong.
 */
import type { Config } from "../../spec/sfork/config.js";
import { maxChannels, maxThreads } from "../../spec/sfork/machine.js";
import type { Operation } from "../../spec/sfork/operation.js";
import { startPages } from "./config.js";

/** A process. */
export interface Life {
  readonly ordinal: number;
  readonly slot: number;
  parent: number;
  /** Mapped pages. */
  pages: number;
  /** Live threads, by creation ordinal. */
  threads: readonly number[];
  state: "live" | "zombie" | "reaped";
  ended: number;
}

export class Model {
  readonly #config: Config;
  readonly #lives: Life[];
  /** By creation ordinal: whose it is. */
  readonly #threads: Life[];
  readonly #usedSlots = new Set([0]);
  #endings = 0;
  channels = 0;

  constructor(config: Config) {
    this.#config = config;
    const first: Life = {
      ordinal: 0,
      slot: 0,
      parent: 0,
      pages: startPages(config),
      threads: [0],
      state: "live",
      ended: 0,
    };
    this.#lives = [first];
    this.#threads = [first];
  }

  get living(): readonly Life[] {
    return this.#lives.filter(({ state }) => state === "live");
  }

  get processes(): number {
    return this.#lives.length;
  }

  /** The process of a thread that lives, or will be taken for one that does. */
  lifeOf(thread: number): Life {
    const own = this.#threads[thread];
    if (own?.threads.includes(thread) === true) return own;
    const live = this.living.flatMap(({ threads }) => threads).sort((a, b) => a - b);
    return this.#threads[live[thread % Math.max(1, live.length)] ?? 0] ?? this.#first;
  }

  get #first(): Life {
    const [first] = this.#lives;
    if (first === undefined) throw new TypeError("process 0 is always there");
    return first;
  }

  zombiesOf(parent: Life): readonly Life[] {
    return this.#lives
      .filter((life) => life.state === "zombie" && life.parent === parent.ordinal && life.ordinal !== 0)
      .sort((a, b) => a.ended - b.ended);
  }

  #freeSlot(): number | undefined {
    const taken = new Set(this.living.map(({ slot }) => slot));
    for (let slot = 0; slot < this.#config.slots; slot += 1) {
      if (!taken.has(slot) && (this.#config.reuse === "revoke" || !this.#usedSlots.has(slot))) return slot;
    }
    return undefined;
  }

  hasProcess(): boolean {
    return this.#lives.filter(({ state }) => state !== "reaped").length < this.#config.processes;
  }

  hasCommit(pages: number): boolean {
    const committed = this.living.reduce((sum, life) => sum + life.pages, 0);
    return this.#config.commit === "overcommit" || committed + pages <= this.#config.frames;
  }

  canFork(parent: Life): boolean {
    return this.hasProcess() && this.#freeSlot() !== undefined && this.hasCommit(parent.pages);
  }

  /** Could it, once others have ended and were waited for? */
  mayEverFork(parent: Life): boolean {
    const { processes, frames, commit, reuse, slots } = this.#config;
    const first = this.#first;
    const together = parent === first ? 2 * first.pages : first.pages + 2 * parent.pages;
    const room = processes > (parent === first ? 1 : 2) && (commit === "overcommit" || together <= frames);
    return room && (reuse === "revoke" || this.#usedSlots.size < slots);
  }

  /** Take note of a step. The child, if it makes one. */
  take(thread: number, operation: Operation): Life | undefined {
    const life = this.lifeOf(thread);
    if (operation.op === "fork") return this.#fork(life, operation.slot);
    if (operation.op === "exit") this.#end(life);
    if (operation.op === "thread") this.#addThread(life);
    if (operation.op === "thread_exit") this.#endThread(life, thread);
    if (operation.op === "channel") this.channels = Math.min(this.channels + 1, maxChannels);
    if (operation.op === "wait") this.#reap(life, operation.process, operation.reap);
    if (operation.op === "mmap" && "immediate" in operation.n) this.#map(life, operation.n.immediate);
    if (operation.op === "munmap" && "immediate" in operation.n) this.#map(life, -operation.n.immediate);
    return undefined;
  }

  #fork(parent: Life, asked: number | undefined): Life | undefined {
    const slot = this.#freeSlot();
    if (slot === undefined || !this.canFork(parent)) return undefined;
    const child: Life = {
      ordinal: this.#lives.length,
      slot: asked ?? slot,
      parent: parent.ordinal,
      pages: parent.pages,
      threads: [this.#threads.length],
      state: "live",
      ended: 0,
    };
    this.#lives.push(child);
    this.#threads.push(child);
    this.#usedSlots.add(child.slot);
    return child;
  }

  #end(life: Life): void {
    life.state = "zombie";
    life.threads = [];
    life.ended = this.#endings;
    this.#endings += 1;
    for (const other of this.#lives) if (other.parent === life.ordinal) other.parent = 0;
  }

  #addThread(life: Life): void {
    if (life.threads.length >= maxThreads) return;
    life.threads = [...life.threads, this.#threads.length];
    this.#threads.push(life);
  }

  #endThread(life: Life, thread: number): void {
    if (life.threads.length === 1) this.#end(life);
    else life.threads = life.threads.filter((other) => other !== thread);
  }

  #reap(parent: Life, named: number | undefined, reap: number | undefined): void {
    const zombies = this.zombiesOf(parent);
    const chosen = named === undefined ? (reap ?? zombies[0]?.ordinal) : named % this.#lives.length;
    const found = zombies.find(({ ordinal }) => ordinal === chosen);
    if (found !== undefined) found.state = "reaped";
  }

  #map(life: Life, bytes: bigint): void {
    const pages = Math.sign(Number(bytes)) * Math.ceil(Math.abs(Number(bytes)) / this.#config.page);
    const least = startPages(this.#config);
    const fits = life.pages + pages >= least && life.pages + pages <= this.#config.pages;
    if (fits && (pages < 0 || this.hasCommit(pages))) life.pages += pages;
  }
}
