/** What operations on memory and registers do to the world, where it keeps track of these. */
import { layout } from "../../../spec/sfork/machine.js";
import type { OperationOf } from "../../../spec/sfork/operation.js";
import type { Effects } from "./effect.js";
import type { Thread } from "./life.js";
import { isPointer, swept, toSegment, type Page, type Value } from "./memory.js";
import { amount, pointerIn } from "./transfers.js";
import type { World } from "./world.js";

/** Bytes of each kind of integer access. */
export const widths = {
  "load.b": 1,
  "load.bu": 1,
  "load.h": 2,
  "load.hu": 2,
  "load.w": 4,
  "load.wu": 4,
  "load.d": 8,
  "store.b": 1,
  "store.h": 2,
  "store.w": 4,
  "store.d": 8,
} as const;

const setRegister = (thread: Thread, register: number, value: Value): void => {
  thread.registers = thread.registers?.with(register % 16, value);
};

/** The register that is written holds something of its own. */
const other = (_: World, thread: Thread, { cd }: { readonly cd: number }): void => {
  setRegister(thread, cd, "other");
};

type Loading = OperationOf<"load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d">;
type Storing = OperationOf<"store.b" | "store.h" | "store.w" | "store.d">;

const load = (_: World, thread: Thread, { op, cd, n, cs1 }: Loading): void => {
  const from = pointerIn(thread, cs1);
  const isFine = from !== undefined && thread.life.memory?.prospect(from, amount(n), widths[op], "read") === "fine";
  if (isFine) setRegister(thread, cd, "number");
};

const overwrite = ({ life, registers }: Thread, register: number, offset: number, size: number): void => {
  const to = registers?.[register % 16];
  if (isPointer(to) && life.memory?.prospect(to, offset, size, "write") === "fine")
    life.memory.overwrite(to, offset, size);
};

const store = (_: World, thread: Thread, { op, n, cs1 }: Storing): void => {
  overwrite(thread, cs1, amount(n), widths[op]);
};

/** A whole number of pages. */
export const wholePages = ({ config }: World, bytes: number): number => Math.ceil(bytes / config.page) * config.page;

/** The range of pages that `munmap` and its like act on; undefined where they fail. */
export const pagesFrom = (world: World, thread: Thread, cs1: number, bytes: number) => {
  const from = pointerIn(thread, cs1);
  const size = wholePages(world, bytes);
  if (from?.segment !== undefined || from?.live !== true || size <= 0) return undefined;
  const { address: start, base, top } = from;
  return start % world.config.page === 0 && start >= base && start + size <= top ? { start, size } : undefined;
};

const change = (
  world: World,
  thread: Thread,
  { cs1, n }: { readonly cs1: number; readonly n: OperationOf<"li">["n"] },
  to: Partial<Page>,
): void => {
  const range = pagesFrom(world, thread, cs1, amount(n));
  if (range !== undefined) thread.life.memory?.change(range.start, range.size, to);
};

const unmap = (world: World, thread: Thread, operation: OperationOf<"munmap">): void => {
  const { life } = thread;
  const range = life.memory === undefined ? undefined : pagesFrom(world, thread, operation.cs1, amount(operation.n));
  if (range === undefined) return;
  const { start, size } = range;
  life.memory?.unmap(start, size);
  const sweep = (value: Value): Value => swept(value, start, start + size);
  for (const ordinal of life.threads) {
    const own = world.threadAt(ordinal);
    if (own !== undefined) own.registers = own.registers?.map(sweep);
  }
  if (life.alternateStack !== undefined) life.alternateStack = sweep(life.alternateStack);
  life.actions = new Map(
    Array.from(life.actions, ([signal, action]) => [
      signal,
      action === "ignore" || action.data === undefined ? action : { data: sweep(action.data) },
    ]),
  );
};

const advised = {
  dontfork: { dontFork: true },
  dofork: { dontFork: false },
  wipeonfork: { wipeOnFork: true },
  keeponfork: { wipeOnFork: false },
} as const;

export const memoryEffects: Effects = {
  mmap: (world, thread, { cd, n, protection }) => {
    if ("immediate" in n) world.countPages(thread.life, n.immediate);
    const count = wholePages(world, amount(n)) / world.config.page;
    const isFine = count > 0 && !(protection.write && protection.execute);
    const mapped = isFine ? thread.life.memory?.map(count, layout(world.config).free, protection) : undefined;
    if (mapped !== undefined) setRegister(thread, cd, mapped);
  },
  munmap: (world, thread, operation) => {
    if ("immediate" in operation.n) world.countPages(thread.life, -operation.n.immediate);
    unmap(world, thread, operation);
  },
  mprotect: (world, thread, operation) => {
    const { protection } = operation;
    if (!(protection.write && protection.execute)) change(world, thread, operation, { protection });
  },
  madvise: (world, thread, operation) => {
    change(world, thread, operation, advised[operation.advice]);
  },
  shm: (world, thread, { cd, segment }) => {
    setRegister(thread, cd, toSegment(world.config, segment % world.config.shared));
  },
  li: (_, thread, { cd }) => {
    setRegister(thread, cd, "number");
  },
  cmove: (_, thread, { cd, cs1 }) => {
    setRegister(thread, cd, thread.registers?.[cs1 % 16] ?? "other");
  },
  cincoffset: (_, thread, { cd, cs1, n }) => {
    const from = pointerIn(thread, cs1);
    setRegister(thread, cd, from === undefined ? "other" : { ...from, address: from.address + amount(n) });
  },
  loadcap: (_, thread, { cd, n, cs1 }) => {
    const from = pointerIn(thread, cs1);
    if (from === undefined || thread.life.memory?.prospect(from, amount(n), 1, "read") !== "fine") return;
    const found = thread.life.memory.pointerAt(from, amount(n));
    setRegister(thread, cd, found === undefined ? "other" : { ...found, loaded: true });
  },
  storecap: (_, thread, { cs2, n, cs1 }) => {
    const to = pointerIn(thread, cs1);
    const value = pointerIn(thread, cs2);
    if (to === undefined || value === undefined) return;
    if (thread.life.memory?.prospect(to, amount(n), 1, "write") === "fine")
      thread.life.memory.keep(to, amount(n), value);
  },
  "load.b": load,
  "load.bu": load,
  "load.h": load,
  "load.hu": load,
  "load.w": load,
  "load.wu": load,
  "load.d": load,
  "store.b": store,
  "store.h": store,
  "store.w": store,
  "store.d": store,
  memset: (_, thread, { cs1, n }) => {
    overwrite(thread, cs1, 0, amount(n));
  },
  getpid: other,
  getppid: other,
  getaltstack: (_, thread, { cd }) => {
    setRegister(thread, cd, thread.life.alternateStack ?? "other");
  },
};
