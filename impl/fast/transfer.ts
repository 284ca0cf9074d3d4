/** The kernel at a process's memory, through the capability that was passed and no other (KERN-3). */
import { ADDRESS_HI, ADDRESS_LO } from "./codec/types.js";
import { authorise, boundsTrap, plainHi } from "./capability.js";
import type { Buffer, Machine } from "./machine.js";
import { copyFrom, copyTo } from "./memory.js";
import { beginAccess, distanceOf, pageTrap, settle, TOUCH_READ, TOUCH_WRITE, touchBytes } from "./pages.js";
import { numberOf } from "./words.js";

const sizeOf = ({ sizeLo, sizeHi }: Buffer): number => numberOf(sizeLo, sizeHi);

/** Bytes of several buffers. Exact where no buffer is wrong. */
export const totalOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => sum + sizeOf(buffer), 0);

/** Where a buffer begins: its capability's address, as a distance. */
function startOf(machine: Machine, { capability }: Buffer): number {
  const { codec, decoded, wide } = machine;
  codec.decode(capability.cells, 0, decoded);
  const hi = wide ? plainHi(machine, decoded[ADDRESS_HI] ?? 0) : 0;
  return distanceOf(machine, decoded[ADDRESS_LO] ?? 0, hi);
}

/** May the kernel not read, or write, the whole buffer? */
export function isFaulty(machine: Machine, isStore: boolean, buffer: Buffer): boolean {
  const { capability, sizeLo, sizeHi } = buffer;
  const { decoded, wide } = machine;
  if (authorise(machine, capability.cells, 0, capability.tag, isStore) !== 0) return true;
  const size = sizeOf(buffer);
  if (size === 0) return false;
  const lo = decoded[ADDRESS_LO] ?? 0;
  const hi = wide ? plainHi(machine, decoded[ADDRESS_HI] ?? 0) : 0;
  if (boundsTrap(machine, lo, hi, sizeLo, sizeHi) !== 0) return true;
  beginAccess(machine);
  const touch = isStore ? TOUCH_WRITE : TOUCH_READ;
  touchBytes(machine, distanceOf(machine, lo, hi), size, touch, 1);
  for (let at = 0; at < machine.accesses; at += 1) {
    if (pageTrap(machine, machine.accessEntry[at] ?? 0, touch) !== 0) return true;
  }
  return false;
}

/** Names the pages of the first `total` bytes of the buffers, in order: `refused` and `settle` come next. */
export function touchBuffers(machine: Machine, buffers: readonly Buffer[], total: number, isStore: boolean): void {
  beginAccess(machine);
  let left = total;
  for (const buffer of buffers) {
    const size = Math.min(left, sizeOf(buffer));
    touchBytes(machine, startOf(machine, buffer), size, isStore ? TOUCH_WRITE : TOUCH_READ, 1);
    left -= size;
  }
}

/** Bytes of the buffers, whose pages were touched and not refused. */
export function copyIn(machine: Machine, buffers: readonly Buffer[]): Uint8Array {
  settle(machine);
  const bytes = new Uint8Array(totalOf(buffers));
  let done = 0;
  for (const buffer of buffers) {
    copyFrom(machine, startOf(machine, buffer), sizeOf(buffer), bytes, done);
    done += sizeOf(buffer);
  }
  return bytes;
}

/** The same the other way: as many as there are. */
export function copyOut(machine: Machine, buffers: readonly Buffer[], bytes: Uint8Array | readonly number[]): void {
  settle(machine);
  let done = 0;
  for (const buffer of buffers) {
    const size = Math.min(bytes.length - done, sizeOf(buffer));
    copyTo(machine, startOf(machine, buffer), size, bytes, done);
    done += size;
  }
}
