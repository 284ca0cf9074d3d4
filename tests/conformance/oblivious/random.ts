/** Random programs of any operation of the table, for machines that run side by side. */
import { configOf } from "../../../conformance/generate/config.js";
import { randomOf, type Random } from "../../../conformance/generate/random.js";
import { permissionWords, formats, type FormatName } from "../../../spec/cheri/index.js";
import type { Config } from "../../../spec/sfork/config.js";
import * as table from "../../../spec/sfork/operation.js";
import type { Integer, OperandKind, Operation, OperationName } from "../../../spec/sfork/operation.js";

/** Operand values come from the table, whose kinds are checked as it is read. */
type Values = Readonly<Record<string, unknown>>;

const allFormats = Object.keys(formats) as readonly FormatName[];

const names = Object.keys(table.operations) as readonly OperationName[];

/** `strict`: only what a profile allows by its form. */
export interface RandomOptions {
  readonly allows: (operation: Operation) => boolean;
  readonly formats?: readonly FormatName[];
  readonly steps?: number;
  readonly immediates?: boolean;
}

const often: Partial<Readonly<Record<OperationName, number>>> = {
  fork: 9,
  storecap: 12,
  loadcap: 10,
  csetbounds: 6,
  cincoffset: 8,
  cgetaddr: 5,
  ccleartag: 4,
  cmemcpy: 10,
  "store.w": 6,
  "load.w": 6,
  "store.b": 4,
  "load.b": 4,
  read: 7,
  write: 7,
  pipe: 4,
  open: 4,
  call_enter: 5,
  call_finish: 7,
  virtq_submit: 4,
  virtq_complete: 5,
  sigaction: 6,
  kill: 6,
  memset: 4,
  mmap: 5,
  cmove: 4,
  li: 4,
};
const seldom = new Set<OperationName>(["exit", "thread_exit", "exec", "channel", "sendcap", "recvcap", "setrlimit"]);
const lottery = names.flatMap((name) => Array.from({ length: seldom.has(name) ? 1 : (often[name] ?? 2) }, () => name));

class Operands {
  constructor(
    readonly random: Random,
    readonly config: Config,
    readonly immediates: boolean,
  ) {}

  register(): number {
    const { random } = this;
    return random.percent(55) ? random.pick([1, 1, 1, 2, 4, 6, 3, 5]) : random.below(16);
  }

  destination(): number {
    return this.random.percent(96) ? this.random.between(7, 15) : this.random.below(16);
  }

  immediate(): bigint {
    const { random, config } = this;
    const granule = Number(formats[config.format].granule);
    switch (random.below(8)) {
      case 0:
        return random.pick([0n, 1n, -1n, 7n, 8n, 13n, 4n, 5n]);
      case 1:
        return BigInt(random.below(64));
      case 2:
        return BigInt(config.page * random.between(0, 3));
      case 3:
        return random.pick([
          config.base,
          config.base + config.stride,
          config.base + BigInt(random.below(64)),
          -config.stride,
        ]);
      case 4:
        return BigInt(random.between(-40, 200));
      default:
        return BigInt(granule * random.below(random.once(3) ? 40 : 6));
    }
  }

  integer(): Integer {
    if (this.immediates || this.random.percent(82)) return { immediate: this.immediate() };
    return { register: this.random.below(16) };
  }

  signal(): Integer {
    return this.random.percent(80)
      ? { immediate: BigInt(this.random.pick([10, 10, 12, 12, 17, 9, 13, 19, 18, 1, 15, 0, 20])) }
      : this.integer();
  }

  value(name: OperationName, operand: string, kind: OperandKind): unknown {
    const { random } = this;
    if (operand === "cd") return this.destination();
    if (operand === "signal") return this.signal();
    if (kind in table.wordOperands)
      return random.pick([...table.wordOperands[kind as table.WordOperand]] as [string, ...string[]]);
    switch (kind) {
      case "register":
        return this.register();
      case "integer":
      case "offset":
        return this.integer();
      case "permissions":
        return permissionWords.filter(() => random.percent(85));
      case "protection":
        return random.pick([
          { read: true, write: true, execute: false },
          { read: true, write: true, execute: false },
          { read: true, write: false, execute: false },
          { read: random.once(2), write: random.once(2), execute: random.once(2) },
        ]);
      case "ordinal":
        return random.below(3);
      case "optionalOrdinal":
        return random.once(2) ? undefined : random.below(4);
      case "descriptor":
        return random.percent(85) ? random.below(4) : random.below(20);
      case "path":
        return random.pick(["a", "b", "/a", "d/a", "/d/b", "/d", "/", "a/b", "x/y"]);
      case "openFlags":
        return table.openFlags.filter((flag) =>
          random.percent(flag === "read" || flag === "write" || flag === "create" ? 80 : 15),
        );
      case "action":
        return random.once(4) ? random.pick(["default", "ignore"]) : { code: this.register(), data: this.register() };
      case "signals":
        return [10, 12, 13, 15, 17].filter(() => random.once(4));
      case "target":
        return random.once(4)
          ? random.once(2)
            ? "own-group"
            : { group: random.below(3) }
          : { process: random.below(4) };
      case "call":
        return this.operation(random.pick([...table.splitCalls]));
      default:
        throw new TypeError(`${name} ${operand} ${kind}`);
    }
  }

  operation(name: OperationName): Operation {
    const entry: table.OperationEntry = table.operations[name];
    const values: Values = Object.fromEntries(
      Object.entries(entry.operands).map(([operand, kind]) => [operand, this.value(name, operand, kind)]),
    );
    const choices: Values = Object.fromEntries(
      (entry.choices ?? []).flatMap((choice) => (this.random.once(12) ? [[choice, this.random.below(6)]] : [])),
    );
    return { op: name, ...values, ...choices } as unknown as Operation;
  }
}

export const randomProgram = (seed: string, index: number, options: RandomOptions) => {
  const random = randomOf(seed, index);
  const [first = "cheri128-v9", ...rest] = options.formats ?? allFormats;
  const config = configOf(random, [first, ...rest], ["eager"]);
  const operands = new Operands(random, config, options.immediates === true);
  const steps: table.Step[] = [];
  const most = options.steps ?? 60;
  while (steps.length < most) {
    const operation = operands.operation(random.pick(lottery as [OperationName, ...OperationName[]]));
    if (options.allows(operation))
      steps.push({ actor: random.percent(90) ? random.below(4) : random.below(64), operation });
  }
  return { version: 1 as const, config, steps };
};
