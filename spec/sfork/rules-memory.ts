/** Loads, stores, copies and tags as steps (MEM-1 to MEM-8). */
import * as cheri from "../cheri/index.js";
import type { Capability, CopyPiece } from "../cheri/index.js";
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

const sourceAccess = (machine: Machine, authority: Capability, address: bigint, piece: CopyPiece): readonly Access[] =>
  piece.granule
    ? [granuleRead(machine, authority, address, "cs2")]
    : byteAccess(machine, address, piece.size, "read", "cs2");

/**
 * A copy, as if the whole source were read first: checks of the source and its pages, then of the destination and its
 * pages, then the writes.
 * @rule MEM-5 cmemcpy @source SFork design: capability-preserving copy
 */
const copy = (context: Context, destination: Capability, source: Capability, size: bigint): Outcome => {
  const { machine, format } = context;
  const from = format.plainAddress(source.address);
  const to = format.plainAddress(destination.address);
  // 1. The source.
  const unreadable = cheri.checkCopySource(format, source, size);
  if (unreadable !== undefined) return trapped(context, { ...unreadable, operand: "cs2" });
  const pieces = cheri.copyPieces(format.granule, from, to, size);
  const reads = pieces.flatMap((piece) => sourceAccess(machine, source, from + piece.offset, piece));
  const sourcePages = prepare(context, reads);
  if ("kind" in sourcePages && sourcePages.kind === "trap") return refuse(context, sourcePages);
  // 2. The destination.
  const delivered = (now: Machine, { offset }: CopyPiece): Capability =>
    cheri.afterLoad(format, source, readGranule(now, from + offset));
  const moved = pieces.filter(({ granule }) => granule).map((piece) => delivered(machine, piece));
  const unwritable = cheri.checkCopyDestination(format, destination, size, moved);
  if (unwritable !== undefined) return trapped(context, unwritable);
  const writes = pieces.flatMap((piece): readonly Access[] =>
    piece.granule && cheri.beforeStore(format, destination, delivered(machine, piece)).tag
      ? [{ span: { place: place(machine, to + piece.offset), touch: "write-tag" }, operand: "cs1", raw: false }]
      : byteAccess(machine, to + piece.offset, piece.size, "write", "cs1"),
  );
  // 3. Everything is read, then everything is written: an overlap does no harm.
  return whenPrepared(context, [...reads, ...writes], (ready) => {
    const writers = pieces.map((piece): ((sofar: Machine) => Machine) => {
      if (!piece.granule) {
        const bytes = readBytes(ready, from + piece.offset, piece.size);
        return (sofar) => writeBytes(sofar, to + piece.offset, piece.size, bytes);
      }
      const value = cheri.beforeStore(format, destination, delivered(ready, piece));
      return (sofar) => writeGranule(sofar, to + piece.offset, value);
    });
    return done(writers.reduce((sofar, write) => write(sofar), ready));
  });
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
