/** A program in the making: what steps and templates are written into. */
import { formats } from "../../spec/cheri/index.js";
import { regionSize, type Config } from "../../spec/sfork/config.js";
import { layout } from "../../spec/sfork/machine.js";
import { operations, type Integer, type Operation, type OperationName, type Step } from "../../spec/sfork/operation.js";
import { canSeal } from "./config.js";
import { Model, type Life } from "./model.js";
import type { Thread } from "./model/life.js";
import { isPlaceless } from "./oblivious.js";
import { isExecutable } from "./posix/executable.js";
import type { Profile } from "./options.js";
import type { Random } from "./random.js";

export const imm = (n: number | bigint): Integer => ({ immediate: BigInt(n) });
export const reg = (register: number): Integer => ({ register });

/**
 * Registers by role. In oblivious programs each role is kept strictly: numbers only in `integers`; pointers to memory that
 * may hold pointers in `pointers`, pointers to memory that never does in `bytes`, and what may have lost a right in
 * `reduced`, through which nothing is loaded.
 */
export const roles = {
  data: 1,
  stack: 2,
  sentry: 3,
  sealing: 4,
  kernel: 5,
  shared: 6,
  integers: [7, 0],
  pointers: [8, 9, 10, 11, 12],
  bytes: [13, 14],
  reduced: 15,
} as const;

/** Numbers that everything else is measured in. */
export interface Measures {
  readonly page: number;
  readonly granule: number;
  /** XLEN. */
  readonly addressBits: number;
  /** Of the data part, from its start. */
  readonly dataPages: number;
  readonly dataBytes: number;
  readonly regionBytes: number;
  /** Pages that mmap can give. */
  readonly freePages: number;
}

const measure = (config: Config): Measures => {
  const { data, free } = layout(config);
  return {
    page: config.page,
    granule: Number(formats[config.format].granule),
    addressBits: Number(formats[config.format].addressBits),
    dataPages: data.count,
    dataBytes: data.count * config.page,
    regionBytes: Number(regionSize(config)),
    freePages: free.count,
  };
};

/** Operations whose result is most often a number, or has no tag. */
const isUntagging = /^(cget(?!pcc)|crrl|cram|ctest|csetequal|csub|ctoptr|ccleartag|csethigh|li$|load\.|fork|wait|getp)/;
const untagging = new Set(Object.keys(operations).filter((name) => isUntagging.test(name)));

const isRunning = ({ stopped }: Life): boolean => !stopped;

/** Between two steps of a template there is now and then one of something else. */
const interruption = 14;

export class Scene {
  readonly random: Random;
  readonly config: Config;
  readonly profile: Profile;
  readonly oblivious: boolean;
  readonly measures: Measures;
  readonly canSeal: boolean;
  readonly model: Model;
  /** The thread that takes the step that is being made. */
  #thread: Thread;
  readonly #steps: Step[] = [];
  readonly #anything: (scene: Scene) => void;
  /** Those that programs may have; all, by default. */
  readonly operations: ReadonlySet<OperationName> | undefined;
  /** Those that this program leaves to templates. */
  readonly seldom: ReadonlySet<OperationName>;
  #interrupting = false;
  /** A bit for each register that a step has probably left tagged. */
  #tagged = 0b111_1110;

  constructor(
    random: Random,
    config: Config,
    profile: Profile,
    anything: (scene: Scene) => void,
    allowed?: ReadonlySet<OperationName>,
    seldom: ReadonlySet<OperationName> = new Set(),
  ) {
    this.operations = allowed;
    this.seldom = seldom;
    this.random = random;
    this.config = config;
    this.profile = profile;
    this.oblivious = profile === "oblivious";
    this.measures = measure(config);
    this.canSeal = canSeal(config);
    const granule = profile === "posix" ? this.measures.granule : undefined;
    this.model = new Model(config, this.measures.addressBits / 8, granule);
    this.#thread = this.model.actorFor(0);
    this.#anything = anything;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** A step of this thread's is about to be made. */
  turnTo(actor: number): void {
    this.#thread = this.model.actorFor(actor);
  }

  /** The thread that takes the step, and its process. */
  get thread(): Thread {
    return this.#thread;
  }

  get life(): Life {
    return this.#thread.life;
  }

  /** May the profile's programs have this step, and is it one of those that are asked for? */
  admits(actor: number, operation: Operation): boolean {
    if (!this.#isAllowed(operation)) return false;
    if (this.profile === "posix") return isExecutable(this.model, actor, operation);
    return !this.oblivious || isPlaceless(operation);
  }

  #isAllowed(operation: Operation): boolean {
    const { operations: allowed } = this;
    if (allowed === undefined) return true;
    return allowed.has(operation.op) && (operation.op !== "call_enter" || allowed.has(operation.call.op));
  }

  /** Add a step, if the profile has it. The child that it is expected to make. */
  add(actor: number, operation: Operation): Life | undefined {
    return this.admits(actor, operation) ? this.addAdmitted(actor, operation) : undefined;
  }

  /** The same of one that is known to be the profile's. */
  addAdmitted(actor: number, operation: Operation): Life | undefined {
    this.#steps.push({ actor, operation });
    this.#note(operation);
    return this.model.take(actor, operation);
  }

  /** The register probably holds something tagged, in whichever process wrote it last. */
  isTagged(register: number): boolean {
    return ((this.#tagged >> register) & 1) === 1;
  }

  /** Offsets in the data part where pointers were stored of late. */
  readonly pointers: number[] = [];

  #note(operation: Operation): void {
    if (operation.op === "storecap" && operation.cs1 === roles.data && "immediate" in operation.n) {
      this.pointers.push(Number(operation.n.immediate));
      if (this.pointers.length > 8) this.pointers.shift();
    }
    if (!("cd" in operation)) return;
    const bit = 1 << (operation.cd % 16);
    if (untagging.has(operation.op)) this.#tagged &= ~bit;
    else this.#tagged |= bit;
  }

  /** Add a step of a template. */
  act(actor: number, operation: Operation): Life | undefined {
    if (!this.#interrupting && this.random.once(interruption)) {
      this.#interrupting = true;
      this.#anything(this);
      this.#interrupting = false;
    }
    return this.add(actor, operation);
  }

  /** A live thread; of a process that is not stopped, most often. */
  someone(): number {
    const { living } = this.model;
    const running = this.random.once(24) || living.every(isRunning) ? living : living.filter(isRunning);
    const some = running.length === 0 ? living : running;
    const life = some[this.random.below(Math.max(1, some.length))];
    return life === undefined ? 0 : this.threadOf(life);
  }

  threadOf({ threads }: Life): number {
    return threads[this.random.below(Math.max(1, threads.length))] ?? 0;
  }

  /** A granule's offset in the data part. */
  granule(): number {
    const { granule, dataBytes, page } = this.measures;
    const { random } = this;
    const near = [0, granule, page - granule, page, dataBytes - granule] as const;
    return random.once(3) ? random.pick(near) : granule * random.below(dataBytes / granule);
  }

  /** Offset of a page of the data part; not the first if `above`. */
  dataPage(above = false): number {
    const { page, dataPages } = this.measures;
    return page * this.random.between(above ? 1 : 0, dataPages - 1);
  }

  /**
   * Fork, after making room for a child where that is possible; whoever is not in `keep` may have to go. Undefined, and no
   * fork, if it would fail.
   */
  fork(
    actor: number,
    keep: readonly Life[] = [],
    slot?: number,
  ): { readonly thread: number; readonly life: Life } | undefined {
    const parent = this.model.lifeOf(actor);
    if (!this.model.mayEverFork(parent)) return undefined;
    for (let attempts = 0; attempts < 4 && !this.model.canFork(parent); attempts += 1) this.#makeRoom(parent, keep);
    if (!this.model.canFork(parent)) return undefined;
    const life = this.act(actor, slot === undefined ? { op: "fork", cd: 7 } : { op: "fork", cd: 7, slot });
    const [thread] = life?.threads ?? [];
    return life === undefined || thread === undefined ? undefined : { life, thread };
  }

  #makeRoom(parent: Life, keep: readonly Life[]): void {
    const [first] = this.model.living;
    const zombie = first === undefined ? undefined : this.model.zombiesOf(first)[0];
    if (first !== undefined && zombie !== undefined && !this.model.hasProcess()) {
      this.add(this.threadOf(first), { op: "wait", cd: 7, whom: undefined });
      return;
    }
    const others = this.model.living.filter((life) => life.ordinal !== 0 && life !== parent && !keep.includes(life));
    const gone = others[this.random.below(Math.max(1, others.length))];
    if (gone === undefined) return;
    this.end(gone);
    const reaper = this.model.living.find(({ ordinal }) => ordinal === gone.parent);
    if (reaper !== undefined) this.add(this.threadOf(reaper), { op: "wait", cd: 7, whom: gone.ordinal });
  }

  /** The end of a process other than 0. */
  end(life: Life): void {
    if (life.ordinal === 0 || life.state !== "live") return;
    this.act(this.threadOf(life), { op: "exit", n: imm(this.random.below(4)) });
  }

  /** Put a pointer to the data part at an offset there: to all of it, or to some bytes. */
  plant(actor: number, offset: number, value = 8): void {
    if (value !== 1 && this.random.once(2)) {
      const { granule } = this.measures;
      this.act(actor, { op: "cincoffset", cd: value, cs1: 1, n: imm(this.granule()) });
      this.act(actor, { op: "csetbounds", cd: value, cs1: value, n: imm(granule * this.random.below(4)) });
      this.act(actor, { op: "storecap", cs2: value, n: imm(offset), cs1: 1 });
    } else {
      this.act(actor, { op: "storecap", cs2: 1, n: imm(offset), cs1: 1 });
    }
  }
}
