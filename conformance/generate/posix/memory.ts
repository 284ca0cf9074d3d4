/** Memory in the posix profile: only known pointers are followed, and only known bytes are looked at. */
import { formats } from "../../../spec/cheri/index.js";
import { layout } from "../../../spec/sfork/machine.js";
import type { Integer, OperationOf, Protection } from "../../../spec/sfork/operation.js";
import { pagesFrom, widths, wholePages } from "../model/effects-memory.js";
import type { Thread } from "../model/life.js";
import { isPointer, type Pointer, type Touch } from "../model/memory.js";
import { amount, pointerIn, valueIn } from "../model/transfers.js";
import type { Model } from "../model.js";
import type { ExecutableChecks } from "./check.js";

type Loading = OperationOf<"load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d">;
type Storing = OperationOf<"store.b" | "store.h" | "store.w" | "store.d">;

const isImmediate = (n: Integer): boolean => "immediate" in n;

/** The pointer of an access that succeeds or faults, and which of them. */
const followed = (thread: Thread, register: number, n: Integer, size: number, touch: Touch) => {
  const pointer = pointerIn(thread, register);
  if (pointer === undefined || !isImmediate(n)) return undefined;
  const prospect = thread.life.memory?.prospect(pointer, amount(n), size, touch) ?? "unclear";
  return prospect === "unclear" ? undefined : { pointer, isFine: prospect === "fine" };
};

const hasWidth = ({ config }: Model, size: number): boolean => size < 8 || formats[config.format].addressBits === 64n;

const load = (model: Model, thread: Thread, { op, n, cs1 }: Loading): boolean => {
  const size = widths[op];
  if (!hasWidth(model, op === "load.wu" ? 8 : size)) return false;
  const found = followed(thread, cs1, n, size, "read");
  return found !== undefined && (!found.isFine || thread.life.memory?.isPlain(found.pointer, amount(n), size) === true);
};

const isKnown = (thread: Thread, value: Integer): boolean =>
  "immediate" in value || valueIn(thread, value.register) === "number";

const store = (model: Model, thread: Thread, { op, value, n, cs1 }: Storing): boolean =>
  hasWidth(model, widths[op]) && isKnown(thread, value) && followed(thread, cs1, n, widths[op], "write") !== undefined;

/** A granule of own memory that an access begins at. */
const granule = ({ granule: size = 1 }: Model, { address, segment }: Pointer, n: Integer): boolean =>
  segment === undefined && (address + amount(n)) % size === 0;

/** Protections that every machine can tell from each other: none lets a page be written and not read. */
const isUsual = ({ read, write, execute }: Protection): boolean => (!write || read) && (!execute || (read && !write));

/** What `munmap` and `madvise` are given: some pages, or an address that begins none. */
const misplaced = (model: Model, thread: Thread, cs1: number, n: Integer): boolean => {
  const pointer = pointerIn(thread, cs1);
  const isOwn = pointer?.live === true && pointer.segment === undefined && pointer.address >= 0;
  return isOwn && isImmediate(n) && amount(n) > 0 && pointer.address % model.config.page !== 0;
};

/** A mapping as a whole, by its own pointer: what is left of one would be out of reach for it. */
const isWholeMapping = (model: Model, thread: Thread, cs1: number, n: Integer): boolean => {
  const pointer = pointerIn(thread, cs1);
  const range = isImmediate(n) ? pagesFrom(model, thread, cs1, amount(n)) : undefined;
  if (pointer === undefined || range === undefined) return false;
  const { free } = layout(model.config);
  const inArea =
    pointer.base >= free.first * model.config.page && pointer.top <= (free.first + free.count) * model.config.page;
  return inArea && range.start === pointer.base && range.start + range.size === pointer.top;
};

export const memoryChecks: ExecutableChecks = {
  li: (_, __, { n }) => isImmediate(n),
  cmove: (_, thread, { cs1 }) => pointerIn(thread, cs1)?.live === true,
  cincoffset: (_, thread, { cs1, n }) => {
    const pointer = pointerIn(thread, cs1);
    if (pointer?.live !== true || !isImmediate(n)) return false;
    const address = pointer.address + amount(n);
    return address >= pointer.base && address <= pointer.top;
  },
  loadcap: (model, thread, { n, cs1 }) => {
    const found = followed(thread, cs1, n, model.granule ?? 1, "read");
    if (found === undefined || !granule(model, found.pointer, n)) return false;
    return !found.isFine || thread.life.memory?.pointerAt(found.pointer, amount(n))?.live === true;
  },
  storecap: (model, thread, { cs2, n, cs1 }) => {
    const value = valueIn(thread, cs2);
    const found = followed(thread, cs1, n, model.granule ?? 1, "write");
    return isPointer(value) && value.live && found !== undefined && granule(model, found.pointer, n);
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
  memset: (_, thread, { cs1, value, n }) =>
    isKnown(thread, value) &&
    isImmediate(n) &&
    amount(n) > 0 &&
    followed(thread, cs1, { immediate: 0n }, amount(n), "write") !== undefined,
  mmap: (model, { life }, { n, protection }) => {
    if (!isImmediate(n) || !isUsual(protection)) return false;
    const count = wholePages(model, amount(n)) / model.config.page;
    return amount(n) >= 0 && (count === 0 || life.memory?.hasRoom(count, layout(model.config).free) === true);
  },
  munmap: (model, thread, { cs1, n }) => misplaced(model, thread, cs1, n) || isWholeMapping(model, thread, cs1, n),
  mprotect: (model, thread, { cs1, n, protection }) => {
    if (!isUsual(protection) || !isImmediate(n)) return false;
    return misplaced(model, thread, cs1, n) || pagesFrom(model, thread, cs1, amount(n)) !== undefined;
  },
  madvise: (model, thread, { cs1, n, advice }) => {
    if (misplaced(model, thread, cs1, n)) return true;
    if (!isImmediate(n)) return false;
    const isPart = advice === "wipeonfork" || advice === "keeponfork";
    return isPart ? pagesFrom(model, thread, cs1, amount(n)) !== undefined : isWholeMapping(model, thread, cs1, n);
  },
  shm: () => true,
};
