/** The processes of a program in the making, and what changes them. */
import type { Config } from "../../../spec/sfork/config.js";
import { maxThreads, registerCount } from "../../../spec/sfork/machine.js";
import type { OperationOf } from "../../../spec/sfork/operation.js";
import { closeWhere, Files, release, retain, unlocked } from "./files.js";
import { firstLife, type Life, type Thread } from "./life.js";
import { isPointer, swept, type Value } from "./memory.js";
import { CHLD, dispositionOf, post, stopsNow, type Disposition } from "./signals.js";
import { startPages } from "../config.js";

/** What the signals that a thread is about to take do: nothing, something that other steps may see, or its end. */
export type Outlook = "none" | "handled" | "gone";

const noActions: Life["actions"] = new Map();

export class World {
  readonly config: Config;
  readonly files = new Files();
  readonly #lives: Life[];
  /** By creation ordinal. */
  readonly #threads: Thread[];
  #living: readonly Life[] | undefined;
  readonly #usedSlots = new Set([0]);
  /** Bytes of a handler's counter. */
  readonly counter: number;
  /** Bytes of a granule, where memory is kept track of. */
  readonly granule: number | undefined;
  #endings = 0;
  channels = 0;
  /** Requests that a device holds. */
  requests = 0;

  constructor(config: Config, counter: number, granule?: number) {
    this.config = config;
    this.counter = counter;
    this.granule = granule;
    const { life, thread } = firstLife(config, granule);
    this.#lives = [life];
    this.#threads = [thread];
  }

  get lives(): readonly Life[] {
    return this.#lives;
  }

  get living(): readonly Life[] {
    this.#living ??= this.#lives.filter(({ state }) => state === "live");
    return this.#living;
  }

  get processes(): number {
    return this.#lives.length;
  }

  get isHalted(): boolean {
    return this.#lives[0]?.state !== "live";
  }

  threadAt(ordinal: number): Thread | undefined {
    return this.#threads[ordinal];
  }

  isLive(thread: number): boolean {
    return this.#threads[thread]?.life.threads.includes(thread) === true;
  }

  /** The thread that takes a step of this one: itself, or, if it does not live, one that does. */
  actorFor(thread: number): Thread {
    const own = this.#threads[thread];
    if (own?.life.threads.includes(thread) === true) return own;
    const live = this.living.flatMap(({ threads }) => threads).sort((a, b) => a - b);
    const found = this.#threads[live[thread % Math.max(1, live.length)] ?? 0] ?? this.#threads[0];
    if (found === undefined) throw new TypeError("thread 0 was always made");
    return found;
  }

  /** The process of a thread that lives, or will be taken for one that does. */
  lifeOf(thread: number): Life {
    return this.actorFor(thread).life;
  }

  zombiesOf(parent: Life): readonly Life[] {
    return this.#lives
      .filter((life) => life.state === "zombie" && life.parent === parent.ordinal && life.ordinal !== 0)
      .sort((a, b) => a.ended - b.ended);
  }

  #freeSlot(): number | undefined {
    const { living } = this;
    for (let slot = 0; slot < this.config.slots; slot += 1) {
      const isTaken = living.some((life) => life.slot === slot);
      if (!isTaken && (this.config.reuse === "revoke" || !this.#usedSlots.has(slot))) return slot;
    }
    return undefined;
  }

  hasProcess(nproc = this.config.processes): boolean {
    const limit = Math.min(nproc, this.config.processes);
    return this.#lives.filter(({ state }) => state !== "reaped").length < limit;
  }

  hasCommit(pages: number): boolean {
    const committed = this.living.reduce((sum, life) => sum + life.pages, 0);
    return this.config.commit === "overcommit" || committed + pages <= this.config.frames;
  }

  canFork(parent: Life): boolean {
    return this.hasProcess(parent.nproc) && this.#freeSlot() !== undefined && this.hasCommit(parent.pages);
  }

  /** Could it, once others have ended and were waited for? */
  mayEverFork(parent: Life): boolean {
    const { processes, frames, commit, reuse, slots } = this.config;
    const first = this.#lives[0] ?? parent;
    const together = parent === first ? 2 * first.pages : first.pages + 2 * parent.pages;
    const most = Math.min(processes, parent.nproc);
    const room = most > (parent === first ? 1 : 2) && (commit === "overcommit" || together <= frames);
    return room && (reuse === "revoke" || this.#usedSlots.size < slots);
  }

  /** What the thread's next step begins with. */
  outlook({ life, mask }: Thread): Outlook {
    if (life.stopped) return "gone";
    const taken = life.pending.filter((signal) => !mask.includes(signal)).map((one) => this.#dispose(life, one));
    if (taken.some((one) => one === "terminate" || one === "stop" || this.isFaulty(life, one))) return "gone";
    return taken.some((one) => typeof one === "object") ? "handled" : "none";
  }

  #dispose(life: Life, signal: number): Disposition {
    const disposition = dispositionOf(life, signal);
    return disposition === "stop" && !stopsNow(this.#lives, life, signal) ? "ignore" : disposition;
  }

  /** A handler that may not count. */
  isFaulty({ memory }: Life, disposition: Disposition): boolean {
    if (typeof disposition === "string" || memory === undefined) return false;
    const { data } = disposition;
    const touches = ["read", "write"] as const;
    return !isPointer(data) || touches.some((touch) => memory.prospect(data, 0, this.counter, touch) !== "fine");
  }

  /** Signals are taken. May the thread go on? */
  deliver(thread: Thread): boolean {
    const { life } = thread;
    if (life.stopped) return false;
    if (life.pending.length === 0) return true;
    for (const signal of life.pending.filter((one) => !thread.mask.includes(one))) {
      const disposition = this.#dispose(life, signal);
      life.pending = life.pending.filter((one) => one !== signal);
      if (disposition === "terminate" || this.isFaulty(life, disposition)) {
        this.end(life);
        return false;
      }
      if (disposition === "stop") {
        life.stopped = true;
        return false;
      }
      if (typeof disposition === "object" && isPointer(disposition.data))
        life.memory?.overwrite(disposition.data, 0, this.counter);
    }
    return true;
  }

  /** A fork. The child, unless it fails. */
  fork(parentThread: Thread, { cd, slot: asked }: OperationOf<"fork">): Life | undefined {
    const parent = parentThread.life;
    const slot = this.#freeSlot();
    if (slot === undefined || !this.canFork(parent)) return undefined;
    const ordinal = this.#lives.length;
    const thread = this.#threads.length;
    const inherited = parent.memory?.fork();
    const sweep = (value: Value): Value =>
      (inherited?.absent ?? []).reduce((sofar, start) => swept(sofar, start, start + this.config.page), value);
    const sweepKept = (value: Value | undefined): Value | undefined => (value === undefined ? value : sweep(value));
    // Written out: a spread of so many members takes as long as everything else here together.
    const child: Life = {
      ordinal,
      slot: asked ?? slot,
      parent: parent.ordinal,
      pages: parent.pages,
      threads: [thread],
      state: "live",
      ended: 0,
      group: parent.group,
      session: parent.session,
      executed: false,
      stopped: false,
      pending: [],
      actions: inherited === undefined ? parent.actions : this.#actionsOf(parent, sweepKept),
      descriptors: parent.descriptors,
      nofile: parent.nofile,
      nproc: parent.nproc,
      directory: parent.directory,
      alternateStack: sweepKept(parent.alternateStack),
      memory: inherited?.memory,
    };
    for (const one of child.descriptors) if (one !== undefined) retain(one.description);
    parentThread.registers = parentThread.registers?.with(cd % registerCount, "other");
    const registers = parentThread.registers?.map(sweep);
    this.#lives.push(child);
    this.#living = undefined;
    this.#threads.push({ ordinal: thread, life: child, mask: parentThread.mask, call: undefined, registers });
    this.#usedSlots.add(child.slot);
    return child;
  }

  #actionsOf({ actions }: Life, sweep: (value: Value | undefined) => Value | undefined): Life["actions"] {
    return new Map(
      Array.from(actions, ([signal, one]) => [signal, one === "ignore" ? one : { data: sweep(one.data) }]),
    );
  }

  /** The end of a process. */
  end(life: Life): void {
    if (life.state !== "live") return;
    this.endThreads(life);
    closeWhere(life, () => true);
    for (const file of this.files.list) {
      if (file.locks.length > 0) file.locks = unlocked(file.locks, life.ordinal);
    }
    life.state = "zombie";
    life.ended = this.#endings;
    life.stopped = false;
    life.pending = [];
    life.actions = noActions;
    this.#living = undefined;
    this.#endings += 1;
    for (const other of this.#lives) {
      if (other.parent !== life.ordinal || other.ordinal === 0 || other.state === "reaped") continue;
      other.parent = 0;
      if (other.state === "zombie") this.#notify(other);
    }
    this.#notify(life);
  }

  /** The parent of a process that has ended learns of it. */
  #notify(child: Life): void {
    const parent = this.#lives[child.parent];
    if (parent?.state !== "live" || child.ordinal === 0) return;
    // A parent that ignores the signal is sent none, not even one that it would keep pending because it masks it.
    if (parent.actions.get(CHLD) === "ignore") child.state = "reaped";
    else this.post(parent, CHLD);
  }

  /** A signal for a process, whose first live thread may mask it. */
  post(life: Life, signal: number): void {
    const [first = -1] = life.threads;
    post(life, signal, this.#threads[first]?.mask ?? []);
  }

  /** Threads of a process end, all but one. */
  endThreads(life: Life, except?: number): void {
    for (const ordinal of life.threads) this.endCall(this.#threads[ordinal]);
    life.threads = life.threads.filter((ordinal) => ordinal === except);
  }

  endCall(thread: Thread | undefined): void {
    if (thread?.call?.description !== undefined) release(thread.call.description);
    if (thread !== undefined) thread.call = undefined;
  }

  addThread({ life, mask, registers }: Thread): void {
    if (life.threads.length >= maxThreads) return;
    life.threads = [...life.threads, this.#threads.length];
    this.#threads.push({ ordinal: this.#threads.length, life, mask, call: undefined, registers });
  }

  endThread(thread: Thread): void {
    const { life, ordinal } = thread;
    if (life.threads.length === 1) this.end(life);
    else {
      this.endCall(thread);
      life.threads = life.threads.filter((other) => other !== ordinal);
    }
  }

  reap(parent: Life, named: number | undefined, reap: number | undefined): void {
    const zombies = this.zombiesOf(parent);
    const chosen = named === undefined ? (reap ?? zombies[0]?.ordinal) : named % this.#lives.length;
    const found = zombies.find(({ ordinal }) => ordinal === chosen);
    if (found !== undefined) found.state = "reaped";
  }

  /** Pages more, or less. */
  countPages(life: Life, bytes: bigint): void {
    const pages = Math.sign(Number(bytes)) * Math.ceil(Math.abs(Number(bytes)) / this.config.page);
    const least = startPages(this.config);
    const fits = life.pages + pages >= least && life.pages + pages <= this.config.pages;
    if (fits && (pages < 0 || this.hasCommit(pages))) life.pages += pages;
  }
}
