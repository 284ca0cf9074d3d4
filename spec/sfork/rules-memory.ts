/** Loads, stores, copies and tags as steps (MEM-1 to MEM-8). */
import * as cheri from "../cheri/index.js";
import type { Capability, CopyPiece } from "../cheri/index.js";
import { done, giveCapability, giveInteger, integer, refuse, register, trapped, type Context } from "./context.js";
import * as memory from "./memory-access.js";
import { access, effective, type Access } from "./memory-access.js";
import type { Machine } from "./machine.js";
import type { Integer, OperationName } from "./operation.js";
import { memoryAt, place } from "./paging.js";
import type { Rule, Rules } from "./rules.js";

/** The authority in a register, and the address that an offset from it names. */
const target = (context: Context, cs1: number, n: Integer = { immediate: 0n }) => {
  const authority = register(context, cs1);
  return { authority, address: effective(context.format, authority, integer(context, n)) };
};

const load =
  (size: bigint, unsigned: boolean): Rule<Extract<OperationName, `load.${string}`>> =>
  (context, { cd, n, cs1 }) => {
    const { machine, format } = context;
    const { authority, address } = target(context, cs1, n);
    return access(
      context,
      cheri.checkLoad(format, authority, address, size),
      () => memory.byteAccess(machine, address, size, "read", "cs1"),
      (ready) =>
        giveInteger(context, cd, cheri.extend(format, memory.readBytes(ready, address, size), size, unsigned), ready),
    );
  };

const store =
  (size: bigint): Rule<Extract<OperationName, `store.${string}`>> =>
  (context, { value, n, cs1 }) => {
    const { authority, address } = target(context, cs1, n);
    return access(
      context,
      cheri.checkStore(context.format, authority, address, size),
      () => memory.byteAccess(context.machine, address, size, "write", "cs1"),
      (ready) => done(memory.writeBytes(ready, address, size, integer(context, value))),
    );
  };

/**
 * A copy, as if the whole source were read first: checks of the source and its pages, then of the destination and its
 * pages, then the writes.
 * @rule MEM-5 cmemcpy @source SFork design: capability-preserving copy
 */
const copy: Rules["cmemcpy"] = (context, { cs1, cs2, n }) => {
  const { machine, format } = context;
  const { authority: source, address: from } = target(context, cs2);
  const { authority: destination, address: to } = target(context, cs1);
  const size = integer(context, n);
  // 1. The source.
  const unreadable = cheri.checkCopySource(format, source, size);
  if (unreadable !== undefined) return trapped(context, { ...unreadable, operand: "cs2" });
  const pieces = cheri.copyPieces(format.granule, from, to, size);
  const reads = pieces.flatMap(({ granule, offset, size: bytes }) =>
    granule
      ? memory.granuleRead(machine, source, from + offset, "cs2")
      : memory.byteAccess(machine, from + offset, bytes, "read", "cs2"),
  );
  const sourcePages = memory.prepare(context, reads);
  if ("kind" in sourcePages && sourcePages.kind === "trap") return refuse(context, sourcePages);
  // 2. The destination: what arrives as a capability may need rights of its own.
  const delivered = (now: Machine, { offset }: CopyPiece): Capability =>
    cheri.afterLoad(format, source, memory.readGranule(now, from + offset));
  const arriving = pieces.map((piece) => ({ ...piece, value: piece.granule ? delivered(machine, piece) : undefined }));
  const unwritable = cheri.checkCopyDestination(
    format,
    destination,
    size,
    arriving.flatMap(({ value }) => value ?? []),
  );
  const writes = (): readonly Access[] =>
    arriving.flatMap(({ value, offset, size: bytes }) => {
      const stored = value === undefined ? undefined : cheri.beforeStore(format, destination, value);
      return stored?.tag === true
        ? memory.granuleWrite(machine, stored, to + offset)
        : memory.byteAccess(machine, to + offset, bytes, "write", "cs1");
    });
  // 3. Everything is read, then everything is written: an overlap does no harm.
  return access(
    context,
    unwritable,
    () => [...reads, ...writes()],
    (ready) =>
      done(
        pieces.reduce((sofar, piece) => {
          const at = to + piece.offset;
          if (!piece.granule) {
            return memory.writeBytes(sofar, at, piece.size, memory.readBytes(ready, from + piece.offset, piece.size));
          }
          return memory.writeGranule(sofar, at, cheri.beforeStore(format, destination, delivered(ready, piece)));
        }, ready),
      ),
  );
};

export const memoryRules = {
  loadcap: (context, { cd, n, cs1 }) => {
    const { machine, format } = context;
    const { authority, address } = target(context, cs1, n);
    return access(
      context,
      cheri.checkLoadCap(format, authority, address),
      () => [memory.granuleRead(machine, authority, address, "cs1")],
      (ready) =>
        giveCapability(context, cd, cheri.afterLoad(format, authority, memory.readGranule(ready, address)), ready),
    );
  },
  storecap: (context, { cs2, n, cs1 }) => {
    const { machine, format } = context;
    const { authority, address } = target(context, cs1, n);
    const value = cheri.beforeStore(format, authority, register(context, cs2));
    return access(
      context,
      cheri.checkStoreCap(format, authority, address, register(context, cs2)),
      () => [memory.granuleWrite(machine, value, address)],
      (ready) => done(memory.writeGranule(ready, address, value)),
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
  cmemcpy: copy,
  memset: (context, { cs1, value, n }) => {
    const { machine, format } = context;
    const { authority, address } = target(context, cs1);
    const size = integer(context, n);
    const byte = integer(context, value) & 0xffn;
    return access(
      context,
      size === 0n
        ? cheri.checkAuthorised(format, authority, "store")
        : cheri.checkStore(format, authority, address, size),
      () => memory.byteAccess(machine, address, size, "write", "cs1"),
      (ready) =>
        done(
          memory.writeBytes(
            ready,
            address,
            size,
            BigInt(`0x${byte.toString(16).padStart(2, "0").repeat(Number(size)) || "0"}`),
          ),
        ),
    );
  },
  cloadtags: (context, { cd, cs1 }) => {
    const { machine, format } = context;
    const { authority, address } = target(context, cs1);
    const where = place(machine, address);
    const tagsOf = (now: Machine): bigint => cheri.loadTagGroup(format, memoryAt(now, where), where.offset);
    return access(
      context,
      cheri.checkLoadTags(format, authority, address),
      () => [{ place: where, touch: tagsOf(machine) === 0n ? "read" : "read-tagged", operand: "cs1", raw: false }],
      (ready) => giveInteger(context, cd, tagsOf(ready), ready),
    );
  },
} satisfies Partial<Rules>;
