/** A cache of database pages, which hold no pointers, and readers that fork, scan it and end. */
import type { Step } from "../../spec/sfork/operation.js";
import { object, thread } from "./steps.js";
import { configFor, page, type Workload, type WorkloadOptions } from "./workload.js";

/** A header of a cached page: the page, the next header, and the cache itself, as SQLite's PgHdr has them. */
const headerBytes = 96;
const [dataAt, nextAt, cacheAt] = [0, 16, 32];

const [first, header, cached, previous] = [8, 9, 10, 11];

const readers = 3;

/** As many pages as fit beside their headers. */
const pagesIn = (size: number): number => {
  let pages = Math.max(1, Math.floor(size / (page + headerBytes)));
  while (pages > 1 && Math.ceil((pages * headerBytes) / page) * page + pages * page > size) pages -= 1;
  return pages;
};

function* build(pages: number): Generator<Step, void, void> {
  const parent = thread(0);
  const from = Math.ceil((pages * headerBytes) / page) * page;
  for (let index = 0; index < pages; index += 1) {
    yield* object(header, index * headerBytes, headerBytes);
    yield* object(cached, from + index * page, page);
    yield parent.memset(cached, 1 + (index % 250), page);
    yield parent.storecap(cached, dataAt, header);
    if (index === 0) yield parent.cmove(first, header);
    else yield parent.storecap(header, nextAt, previous);
    yield parent.storecap(first, cacheAt, header);
    yield parent.cmove(previous, header);
  }
}

function* steps({ size }: WorkloadOptions): Generator<Step, void, void> {
  const parent = thread(0);
  const pages = pagesIn(size);
  yield* build(pages);
  yield parent.open("/d/out", "write", "create");
  for (let actor = 1; actor <= readers; actor += 1) {
    const own = thread(actor);
    yield parent.fork();
    yield own.cmove(header, first);
    for (let index = 0; index < pages; index += 1) {
      yield own.loadcap(cached, dataAt, header);
      yield own.rewind(0);
      yield own.write(0, cached, page);
      yield own.loadcap(header, nextAt, header);
    }
    yield own.exit();
    yield parent.wait();
  }
}

export const sqliteReader: Workload = {
  name: "sqlite-reader",
  summary: "a page cache with few pointers; readers fork, scan it and end",
  size: 16 << 20,
  plan: (options) => ({
    config: configFor(options.size, 2),
    steps: () => steps(options),
    notes: [
      `${pagesIn(options.size).toLocaleString("en")} cached pages with headers of ${headerBytes} bytes; ${readers} readers, one after the other, read all of them`,
    ],
  }),
};
