/** A key-value store that forks to save itself, as Redis does for BGSAVE, while the parent goes on changing values. */
import type { Step } from "../../spec/sfork/operation.js";
import { randomOf, type Random } from "../generate/random.js";
import { createHeap, sizeClass, type Heap } from "./heap.js";
import { object, thread } from "./steps.js";
import { configFor, granule, page, type Plan, type Workload, type WorkloadOptions } from "./workload.js";

/**
 * Sizes with capabilities of 16 bytes: an entry is key, value and next; an object is 8 bytes of type and count, and a pointer
 * to the string; strings have a header of up to 5 bytes and a zero at the end.
 */
const entryBytes = 48;
const objectBytes = 32;
const keyBytes = 20;
const header = 6;
const [keyAt, valueAt, nextAt, stringAt] = [0, 16, 32, 16];

// Registers: the table; entry, key, object and value; the object that the next update takes.
const [table, entry, key, value, text, spare] = [8, 9, 10, 11, 12, 13];

/** The dump: written over and over, as a file of the machine holds 4096 bytes. */
const dump = 0;

const log2Ceil = (count: number): number => Math.ceil(Math.log2(Math.max(2, count)));

/** A table has as many buckets as the next power of two, as Redis grows it. */
const tableBytes = (keys: number): number => 2 ** log2Ceil(keys) * granule;

/** As many keys as fit, with the spare object. */
const keysIn = (size: number, valueBytes: number): number => {
  const each = [entryBytes, objectBytes, keyBytes, valueBytes + header].reduce((sum, one) => sum + sizeClass(one), 0);
  let [low, high] = [1, Math.max(1, Math.floor(size / each))];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((middle + 1) * each + tableBytes(middle) + 8 * page <= size) low = middle;
    else high = middle - 1;
  }
  return low;
};

interface Layout {
  readonly keys: number;
  readonly tableAt: number;
  readonly table: number;
}

const startHeap = (heap: Heap, keys: number): Layout => {
  const bytes = tableBytes(keys);
  return { keys, table: bytes, tableAt: heap.takePages(bytes) };
};

/** An object and its string, in the registers for them. */
function* makeValue(heap: Heap, bytes: number, byte: number): Generator<Step, void, void> {
  const parent = thread(0);
  yield* object(value, heap.take(objectBytes), objectBytes);
  yield parent.store(1, 0, value);
  yield* object(text, heap.take(bytes + header), bytes);
  yield parent.memset(text, byte, bytes);
  yield parent.storecap(text, stringAt, value);
}

/** Chains by bucket: the first key, and the next one of each; -1 ends. */
interface Chains {
  readonly first: Int32Array;
  readonly next: Int32Array;
  readonly bucketOf: Int32Array;
}

function* build(heap: Heap, layout: Layout, bytes: number, random: Random, chains: Chains) {
  const parent = thread(0);
  const { first, next, bucketOf } = chains;
  yield* object(table, layout.tableAt, layout.table);
  for (let index = 0; index < layout.keys; index += 1) {
    const bucket = random.below(first.length);
    bucketOf[index] = bucket;
    yield* object(entry, heap.take(entryBytes), entryBytes);
    yield* object(key, heap.take(keyBytes), keyBytes);
    yield parent.store(index, 0, key);
    yield parent.store(0, 8, key);
    yield* makeValue(heap, bytes, index % 251);
    yield parent.storecap(key, keyAt, entry);
    yield parent.storecap(value, valueAt, entry);
    const old = first[bucket] ?? -1;
    if (old >= 0) {
      yield parent.loadcap(key, bucket * granule, table);
      yield parent.storecap(key, nextAt, entry);
    }
    yield parent.storecap(entry, bucket * granule, table);
    next[index] = old;
    first[bucket] = index;
  }
  yield* makeValue(heap, bytes, 0);
  yield parent.cmove(spare, value);
}

/** The parent finds a key and puts a new object in the place of the old one, which the next update takes. */
function* update({ first, next, bucketOf }: Chains, wanted: number, bytes: number): Generator<Step, void, void> {
  const parent = thread(0);
  const bucket = bucketOf[wanted] ?? 0;
  yield parent.loadcap(entry, bucket * granule, table);
  for (let index = first[bucket] ?? -1; index !== wanted && index >= 0; index = next[index] ?? -1) {
    yield parent.loadcap(entry, nextAt, entry);
  }
  yield parent.loadcap(text, stringAt, spare);
  // No value begins as its key has it from the start.
  yield parent.memset(text, 255 - (wanted % 251), bytes);
  yield parent.loadcap(value, valueAt, entry);
  yield parent.storecap(spare, valueAt, entry);
  yield parent.cmove(spare, value);
}

/** The child follows every pointer once, and writes keys and values out as bytes. */
function* save(bucket: number, chains: Chains, bytes: number, saved: () => Iterable<Step>) {
  const child = thread(1);
  yield child.loadcap(entry, bucket * granule, table);
  for (let index = chains.first[bucket] ?? -1; index >= 0; index = chains.next[index] ?? -1) {
    yield child.loadcap(key, keyAt, entry);
    yield child.loadcap(value, valueAt, entry);
    yield child.load(7, 0, value);
    yield child.loadcap(text, stringAt, value);
    yield child.rewind(dump);
    yield child.write(dump, key, 16);
    yield child.write(dump, text, bytes);
    yield* saved();
    yield child.loadcap(entry, nextAt, entry);
  }
}

function* steps({ size, seed, value: bytes, updates }: WorkloadOptions): Generator<Step, void, void> {
  const [parent, child] = [thread(0), thread(1)];
  const random = randomOf(seed, 0);
  const heap = createHeap();
  const layout = startHeap(heap, keysIn(size, bytes));
  const chains: Chains = {
    first: new Int32Array(layout.table / granule).fill(-1),
    next: new Int32Array(layout.keys).fill(-1),
    bucketOf: new Int32Array(layout.keys),
  };
  yield* build(heap, layout, bytes, random, chains);
  yield parent.open("/d/dump", "write", "create");
  yield parent.fork();
  let due = 0;
  const saved = function* (): Generator<Step, void, void> {
    for (due += updates / 100; due >= 1; due -= 1) {
      yield* update(chains, random.below(layout.keys), bytes);
    }
  };
  for (let bucket = 0; bucket < chains.first.length; bucket += 1) {
    // An empty bucket is looked at, too.
    yield* save(bucket, chains, bytes, saved);
  }
  yield child.exit();
  yield parent.wait();
}

/** Bytes of the heap, without making it. */
const heapBytes = (keys: number, bytes: number): number => {
  const heap = createHeap();
  startHeap(heap, keys);
  for (let index = 0; index <= keys; index += 1) {
    // The last one is the spare object.
    for (const one of index < keys ? [entryBytes, keyBytes] : []) heap.take(one);
    for (const one of [objectBytes, bytes + header]) heap.take(one);
  }
  return heap.end();
};

const plan = (options: WorkloadOptions): Plan => {
  const { size, value: bytes, updates } = options;
  const keys = keysIn(size, bytes);
  return {
    config: configFor(heapBytes(keys, bytes), 2),
    steps: () => steps(options),
    notes: [
      `${keys.toLocaleString("en")} keys with values of ${bytes} bytes; entries of ${entryBytes} bytes, objects of ${objectBytes}, keys of ${sizeClass(keyBytes)}, strings of ${sizeClass(bytes + header)} after size classes`,
      `a table of ${(tableBytes(keys) / granule).toLocaleString("en")} buckets; for each 100 keys that are saved the parent changes ${updates}`,
    ],
  };
};

export const redisSnapshot: Workload = {
  name: "redis-snapshot",
  summary: "a key-value store forks; the child saves all of it while the parent changes values",
  size: 16 << 20,
  plan,
};
