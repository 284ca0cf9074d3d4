/** The kernel at a process's memory: bytes in and out through the capability that was passed, and no other (KERN-3). */
import type { Context, Refusal } from "./context.js";
import type { Buffer } from "./kernel.js";
import type { Machine } from "./machine.js";
import { byteAccess, checkBytes, effective, prepare, readBytes, writeBytes, type Bytes } from "./memory-access.js";
import { checkPage } from "./paging.js";
import { flatMap } from "./lists.js";

/** Where a buffer begins: at its capability's address. */
const bytesOf = ({ format }: Machine, { capability, size }: Buffer): Bytes => ({
  address: effective(format, capability, 0n),
  size,
});

/**
 * May the kernel not read, or write, the whole buffer? Then the call fails with EFAULT, before anything is transferred.
 * @rule KERN-3 buffer @source POSIX XSH 2.3 (EFAULT); SFork design: the kernel uses the capability passed
 */
export const isFaulty = (machine: Machine, right: "load" | "store", buffer: Buffer): boolean => {
  const bytes = bytesOf(machine, buffer);
  const touch = right === "load" ? "read" : "write";
  return (
    checkBytes(machine.format, right, buffer.capability, bytes) !== undefined ||
    byteAccess(machine, bytes, touch, "cs1").some((access) => checkPage(machine, access, "cs1") !== undefined)
  );
};

/** The first `total` bytes of several buffers, in order. */
const spread = (machine: Machine, buffers: readonly Buffer[], total: bigint): readonly Bytes[] => {
  const [first, ...others] = buffers;
  if (first === undefined || total === 0n) return [];
  const { address, size } = bytesOf(machine, first);
  return size < total ? [{ address, size }, ...spread(machine, others, total - size)] : [{ address, size: total }];
};

const list = (value: bigint, size: bigint): readonly number[] =>
  Array.from({ length: Number(size) }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

const number = (bytes: readonly number[]): bigint =>
  bytes.reduceRight((above, byte) => (above << 8n) | BigInt(byte), 0n);

export const sizeOf = (buffers: readonly Buffer[]): bigint => buffers.reduce((sum, { size }) => sum + size, 0n);

/** The pages of some bytes, ready to be read or written. */
const prepared = (machine: Machine, spans: readonly Bytes[], touch: "read" | "write"): Machine | Refusal =>
  prepare(
    machine,
    flatMap(spans, (span) => byteAccess(machine, span, touch, "cs1")),
  );

/**
 * Copy in: a load of raw bytes, with the faults of one.
 * @rule KERN-3 copy-in @source SFork design: kernel copies are accesses like any other
 */
export const copyIn = (
  machine: Machine,
  buffers: readonly Buffer[],
): { readonly machine: Machine; readonly bytes: readonly number[] } | Refusal => {
  const spans = spread(machine, buffers, sizeOf(buffers));
  const ready = prepared(machine, spans, "read");
  if ("kind" in ready) return ready;
  return { machine: ready, bytes: flatMap(spans, (span) => list(readBytes(ready, span), span.size)) };
};

/**
 * Copy out: a store; the tags of the granules that it touches go.
 * @rule KERN-3 copy-out @source SFork design: kernel copies are accesses like any other
 */
export const copyOut = (machine: Machine, buffers: readonly Buffer[], bytes: readonly number[]): Machine | Refusal => {
  const spans = spread(machine, buffers, BigInt(bytes.length));
  const ready = prepared(machine, spans, "write");
  if ("kind" in ready) return ready;
  return spans.reduce<{ readonly machine: Machine; readonly from: number }>(
    (sofar, span) => {
      const next = sofar.from + Number(span.size);
      return { machine: writeBytes(sofar.machine, span, number(bytes.slice(sofar.from, next))), from: next };
    },
    { machine: ready, from: 0 },
  ).machine;
};

/** The machine in which the kernel works for a process: with that process's address space installed. */
export const inSpaceOf = (machine: Machine, process: Context["process"]): Machine => {
  const slot = machine.processes[process]?.slot ?? 0;
  return machine.space === slot ? machine : { ...machine, space: slot };
};
