/** Loads, stores, copies and tags as steps (MEM-1 to MEM-8). */
import * as cheri from "../cheri/index.js";
import type { Capability, Trap } from "../cheri/index.js";
import {
  done,
  giveCapability,
  giveInteger,
  integer,
  refuse,
  register,
  trapped,
  type Context,
  type Outcome,
} from "./context.js";
import {
  byteAccess,
  effective,
  prepare,
  readBytes,
  readGranule,
  whenPrepared,
  writeBytes,
  writeGranule,
  type Access,
} from "./memory-access.js";
import type { Machine } from "./machine.js";
import type { Integer } from "./operation.js";
import { memoryAt, place } from "./paging.js";
import type { Rules } from "./rules.js";

interface LoadOperands {
  readonly cd: number;
  readonly n: Integer;
  readonly cs1: number;
}

const load =
  (size: bigint, unsigned: boolean) =>
  (context: Context, { cd, n, cs1 }: LoadOperands): Outcome => {
    const authority = register(context, cs1);
    const address = effective(context.format, authority, integer(context, n));
    const refused = cheri.checkLoad(context.format, authority, address, size);
    if (refused !== undefined) return trapped(context, refused);
    return whenPrepared(context, byteAccess(context.machine, address, size, "read", "cs1"), (machine) =>
      giveInteger(
        context,
        cd,
        cheri.extend(context.format, readBytes(machine, address, size), size, unsigned),
        machine,
      ),
    );
  };

interface StoreOperands {
  readonly value: Integer;
  readonly n: Integer;
  readonly cs1: number;
}

const store =
  (size: bigint) =>
  (context: Context, { value, n, cs1 }: StoreOperands): Outcome => {
    const authority = register(context, cs1);
    const address = effective(context.format, authority, integer(context, n));
    const refused = cheri.checkStore(context.format, authority, address, size);
    if (refused !== undefined) return trapped(context, refused);
    return whenPrepared(context, byteAccess(context.machine, address, size, "write", "cs1"), (machine) =>
      done(writeBytes(machine, address, size, integer(context, value))),
    );
  };

/**
 * A capability load: a tagged granule is seen as one only through Load-Capability; otherwise its bytes are raw.
 * @rule MEM-4 load-cap @source CHERI ISAv9 §7 CLC; µFork (SOSP 2025), CoPA
 */
const granuleRead = (machine: Machine, authority: Capability, address: bigint, operand: string): Access => {
  const tagged = readGranule(machine, address).tag;
  const seen = tagged && cheri.permits(machine.format, authority, "load-cap");
  return {
    span: { place: place(machine, address), touch: seen ? "read-tagged" : "read" },
    operand,
    raw: tagged && !seen,
  };
};

/** What a copy does with one piece of its source. */
interface Piece {
  readonly from: bigint;
  readonly to: bigint;
  readonly size: bigint;
  /** A granule that moves as a capability: wholly inside both ranges, which are congruent. */
  readonly granule: boolean;
}

/** Cut a copy into granules that move as capabilities and runs of bytes in between. */
const pieces = (granule: bigint, from: bigint, to: bigint, size: bigint): readonly Piece[] => {
  const bytes = (start: bigint, end: bigint): readonly Piece[] =>
    start < end ? [{ from: from + start, to: to + start, size: end - start, granule: false }] : [];
  if (from % granule !== to % granule) return bytes(0n, size);
  const first = (granule - (from % granule)) % granule;
  const count = size < first ? 0n : (size - first) / granule;
  if (count === 0n) return bytes(0n, size);
  const whole = Array.from({ length: Number(count) }, (_, index): Piece => {
    const start = first + BigInt(index) * granule;
    return { from: from + start, to: to + start, size: granule, granule: true };
  });
  return [...bytes(0n, first), ...whole, ...bytes(first + count * granule, size)];
};

const sourceAccess = (machine: Machine, authority: Capability, piece: Piece): readonly Access[] =>
  piece.granule
    ? [granuleRead(machine, authority, piece.from, "cs2")]
    : byteAccess(machine, piece.from, piece.size, "read", "cs2");

/**
 * A copy, as if the whole source were read first: checks of the source, then of the destination, then the writes.
 * @rule MEM-5 cmemcpy @source SFork design: capability-preserving copy; CHERI ISAv9 §7 CLC, CSC for each granule
 */
const copy = (context: Context, destination: Capability, source: Capability, size: bigint): Outcome => {
  const { machine, format } = context;
  const from = format.plainAddress(source.address);
  const to = format.plainAddress(destination.address);
  // 1. The source: tag, seal, Load; bounds and pages unless nothing is copied.
  const readable =
    size === 0n ? cheri.checkAuthorised(format, source, "load") : cheri.checkLoad(format, source, from, size);
  if (readable !== undefined) return trapped(context, { ...readable, operand: "cs2" });
  const cut = pieces(format.granule, from, to, size);
  const reads = cut.flatMap((piece) => sourceAccess(machine, source, piece));
  const sourcePages = prepare(context, reads);
  if ("kind" in sourcePages && sourcePages.kind === "trap") return refuse(context, sourcePages);
  // 2. The destination: tag, seal, Store, then what tagged granules need, then bounds and pages.
  const moved = cut.map((piece) =>
    piece.granule
      ? { ...piece, value: cheri.afterLoad(format, source, readGranule(machine, piece.from)) }
      : { ...piece, value: undefined },
  );
  const refused = checkDestination(
    context,
    destination,
    to,
    size,
    moved.flatMap(({ value }) => value ?? []),
  );
  if (refused !== undefined) return trapped(context, refused);
  const writes = moved.flatMap(({ value, to: at, size: bytes }): readonly Access[] =>
    value === undefined || !cheri.beforeStore(format, destination, value).tag
      ? byteAccess(machine, at, bytes, "write", "cs1")
      : [{ span: { place: place(machine, at), touch: "write-tag" }, operand: "cs1", raw: false }],
  );
  // 3. Everything is read, then everything is written: an overlap does no harm.
  return whenPrepared(context, [...reads, ...writes], (ready) => {
    const values = cut.map((piece) =>
      piece.granule
        ? cheri.beforeStore(format, destination, cheri.afterLoad(format, source, readGranule(ready, piece.from)))
        : readBytes(ready, piece.from, piece.size),
    );
    const written = cut.reduce((sofar, piece, index) => {
      const value = values[index];
      if (value === undefined) return sofar;
      return typeof value === "bigint"
        ? writeBytes(sofar, piece.to, piece.size, value)
        : writeGranule(sofar, piece.to, value);
    }, ready);
    return done(written);
  });
};

const checkDestination = (
  { format }: Context,
  authority: Capability,
  to: bigint,
  size: bigint,
  values: readonly Capability[],
): Trap | undefined => {
  const refused = cheri.checkAuthorised(format, authority, "store");
  if (refused !== undefined) return refused;
  const tagged = values
    .map((value) => cheri.checkStoredTag(format, authority, value))
    .find((check) => check !== undefined);
  if (tagged !== undefined) return tagged;
  return size === 0n || cheri.inBounds(authority, to, size) ? undefined : cheri.trap("bounds");
};

export const memoryRules = {
  loadcap: (context, { cd, n, cs1 }) => {
    const authority = register(context, cs1);
    const address = effective(context.format, authority, integer(context, n));
    const refused = cheri.checkLoadCap(context.format, authority, address);
    if (refused !== undefined) return trapped(context, refused);
    return whenPrepared(context, [granuleRead(context.machine, authority, address, "cs1")], (machine) =>
      giveCapability(context, cd, cheri.afterLoad(context.format, authority, readGranule(machine, address)), machine),
    );
  },
  storecap: (context, { cs2, n, cs1 }) => {
    const authority = register(context, cs1);
    const address = effective(context.format, authority, integer(context, n));
    const refused = cheri.checkStoreCap(context.format, authority, address, register(context, cs2));
    if (refused !== undefined) return trapped(context, refused);
    const value = cheri.beforeStore(context.format, authority, register(context, cs2));
    const span = { place: place(context.machine, address), touch: value.tag ? "write-tag" : "write" } as const;
    return whenPrepared(context, [{ span, operand: "cs1", raw: false }], (machine) =>
      done(writeGranule(machine, address, value)),
    );
  },
  "load.b": load(1n, false),
  "load.bu": load(1n, true),
  "load.h": load(2n, false),
  "load.hu": load(2n, true),
  "load.w": load(4n, false),
  "load.wu": load(4n, true),
  "load.d": load(8n, true),
  "store.b": store(1n),
  "store.h": store(2n),
  "store.w": store(4n),
  "store.d": store(8n),
  cmemcpy: (context, { cs1, cs2, n }) =>
    copy(context, register(context, cs1), register(context, cs2), integer(context, n)),
  memset: (context, { cs1, value, n }) => {
    const authority = register(context, cs1);
    const size = integer(context, n);
    const address = effective(context.format, authority, 0n);
    const refused =
      size === 0n
        ? cheri.checkAuthorised(context.format, authority, "store")
        : cheri.checkStore(context.format, authority, address, size);
    if (refused !== undefined) return trapped(context, refused);
    return whenPrepared(context, byteAccess(context.machine, address, size, "write", "cs1"), (machine) => {
      const byte = (integer(context, value) & 0xffn).toString(16).padStart(2, "0");
      return done(size === 0n ? machine : writeBytes(machine, address, size, BigInt(`0x${byte.repeat(Number(size))}`)));
    });
  },
  cloadtags: (context, { cd, cs1 }) => {
    const authority = register(context, cs1);
    const address = effective(context.format, authority, 0n);
    const refused = cheri.checkLoadTags(context.format, authority, address);
    if (refused !== undefined) return trapped(context, refused);
    const where = place(context.machine, address);
    const tagsOf = (machine: Machine): bigint =>
      where.kind === "nowhere" ? 0n : cheri.loadTagGroup(context.format, memoryAt(machine, where), where.offset);
    const touch = tagsOf(context.machine) === 0n ? "read" : "read-tagged";
    return whenPrepared(context, [{ span: { place: where, touch }, operand: "cs1", raw: false }], (machine) =>
      giveInteger(context, cd, tagsOf(machine), machine),
    );
  },
} satisfies Partial<Rules>;
