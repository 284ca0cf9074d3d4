/** Loads, stores, copies and tags as steps (MEM-1 to MEM-8). */
import * as cheri from "../cheri/index.js";
import type { Capability, CopyPiece } from "../cheri/index.js";
import { done, giveCapability, giveInteger, integer, refuse, register, trapped } from "./context.js";
import type { Context, Outcome } from "./context.js";
import * as memory from "./memory-access.js";
import { access, effective, type Access, type Bytes } from "./memory-access.js";
import type { Machine } from "./machine.js";
import type { Integer } from "./operation.js";
import { memoryAt, place } from "./paging.js";
import type { RuleLike, Rules } from "./rules.js";
import { flatMap } from "./lists.js";

/** The authority in a register, and the address that an offset from it names. */
const target = (context: Context, cs1: number, n: Integer = { immediate: 0n }) => {
  const { machine, format } = context;
  const authority = register(context, cs1);
  return { machine, format, authority, address: effective(format, authority, integer(context, n)) };
};

/** Bytes loaded or stored through an authority; with none of them, only the authority is checked. */
const throughBytes = (
  context: Context,
  right: "load" | "store",
  authority: Capability,
  bytes: Bytes,
  act: (ready: Machine) => Outcome,
): Outcome => {
  const refused = memory.checkBytes(context.format, right, authority, bytes);
  const touch = right === "load" ? "read" : "write";
  return access(context, refused, () => memory.byteAccess(context.machine, bytes, touch, "cs1"), act);
};

const load =
  (size: bigint, unsigned: boolean): RuleLike<"load.b"> =>
  (context, { cd, n, cs1 }) => {
    const { authority, address } = target(context, cs1, n);
    return throughBytes(context, "load", authority, { address, size }, (ready) => {
      const value = memory.readBytes(ready, { address, size });
      return giveInteger(context, cd, cheri.extend(context.format, value, size, unsigned), ready);
    });
  };

const store =
  (size: bigint): RuleLike<"store.b"> =>
  (context, { value, n, cs1 }) => {
    const { authority, address } = target(context, cs1, n);
    return throughBytes(context, "store", authority, { address, size }, (ready) =>
      done(memory.writeBytes(ready, { address, size }, integer(context, value))),
    );
  };

const bytesOf = (start: bigint, { offset, size }: CopyPiece): Bytes => ({ address: start + offset, size });

/**
 * A copy, as if the whole source were read first: checks of the source and its pages, then of the destination and its
 * pages, then the writes.
 * @rule MEM-5 cmemcpy @source SFork design: capability-preserving copy
 */
const copy: Rules["cmemcpy"] = (context, { cs1, cs2, n }) => {
  const { machine, format, authority: source, address: from } = target(context, cs2);
  const { authority: destination, address: to } = target(context, cs1);
  const size = integer(context, n);
  // 1. The source.
  const unreadable = cheri.checkCopySource(format, source, size);
  if (unreadable !== undefined) return trapped(context, { ...unreadable, operand: "cs2" });
  const pieces = cheri.copyPieces(format.granule, from, to, size);
  const reads = flatMap(pieces, (piece) =>
    piece.granule
      ? memory.granuleRead(machine, source, from + piece.offset, "cs2")
      : memory.byteAccess(machine, bytesOf(from, piece), "read", "cs2"),
  );
  const sourcePages = memory.prepare(machine, reads);
  if ("kind" in sourcePages && sourcePages.kind === "trap") return refuse(context, sourcePages);
  // 2. The destination: what arrives as a capability may need rights of its own.
  const delivered = (now: Machine, { offset }: CopyPiece): Capability =>
    cheri.afterLoad(format, source, memory.readGranule(now, from + offset));
  const arriving = pieces.map((piece) => ({ piece, value: piece.granule ? delivered(machine, piece) : undefined }));
  const moved = flatMap(arriving, ({ value }) => value ?? []);
  const unwritable = cheri.checkCopyDestination(format, destination, size, moved);
  const touched = (): readonly Access[] => [
    ...reads,
    ...flatMap(arriving, ({ piece, value }) => {
      const stored = value === undefined ? undefined : cheri.beforeStore(format, destination, value);
      return stored?.tag === true
        ? memory.granuleWrite(machine, stored, to + piece.offset)
        : memory.byteAccess(machine, bytesOf(to, piece), "write", "cs1");
    }),
  ];
  // 3. Everything is read before anything is written: an overlap does no harm.
  const move =
    (ready: Machine) =>
    (sofar: Machine, piece: CopyPiece): Machine =>
      piece.granule
        ? memory.writeGranule(sofar, to + piece.offset, cheri.beforeStore(format, destination, delivered(ready, piece)))
        : memory.writeBytes(sofar, bytesOf(to, piece), memory.readBytes(ready, bytesOf(from, piece)));
  return access(context, unwritable, touched, (ready) => done(pieces.reduce(move(ready), ready)));
};

export const memoryRules = {
  loadcap: (context, { cd, n, cs1 }) => {
    const { machine, format, authority, address } = target(context, cs1, n);
    const refused = cheri.checkLoadCap(format, authority, address);
    const touched = (): readonly Access[] => [memory.granuleRead(machine, authority, address, "cs1")];
    return access(context, refused, touched, (ready) => {
      const loaded = cheri.afterLoad(format, authority, memory.readGranule(ready, address));
      return giveCapability(context, cd, loaded, ready);
    });
  },
  storecap: (context, { cs2, n, cs1 }) => {
    const { machine, format, authority, address } = target(context, cs1, n);
    const value = cheri.beforeStore(format, authority, register(context, cs2));
    const refused = cheri.checkStoreCap(format, authority, address, register(context, cs2));
    const touched = (): readonly Access[] => [memory.granuleWrite(machine, value, address)];
    return access(context, refused, touched, (ready) => done(memory.writeGranule(ready, address, value)));
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
  cmemcpy: copy,
  memset: (context, { cs1, value, n }) => {
    const { authority, address } = target(context, cs1);
    const size = integer(context, n);
    const byte = (integer(context, value) & 0xffn).toString(16).padStart(2, "0");
    return throughBytes(context, "store", authority, { address, size }, (ready) =>
      done(memory.writeBytes(ready, { address, size }, BigInt(`0x0${byte.repeat(Number(size))}`))),
    );
  },
  cloadtags: (context, { cd, cs1 }) => {
    const { machine, format, authority, address } = target(context, cs1);
    const where = place(machine, address);
    const tagsOf = (now: Machine): bigint => cheri.loadTagGroup(format, memoryAt(now, where), where.offset);
    const refused = cheri.checkLoadTags(format, authority, address);
    const touched = (): readonly Access[] => [
      { place: where, touch: tagsOf(machine) === 0n ? "read" : "read-tagged", operand: "cs1", raw: false },
    ];
    return access(context, refused, touched, (ready) => giveInteger(context, cd, tagsOf(ready), ready));
  },
} satisfies Partial<Rules>;
