/**
 * The ghost bits of a run: for each register and each byte, whether its number depends on where something lies. A tagged
 * capability to memory has the bit wherever it is, so that there is nothing to do when it loses its tag.
 */
import { registerCount } from "../../spec/sfork/machine.js";

/** One bit for each byte, 0 or 1. */
export type Bits = Uint8Array;

const isSet = (bit: number): boolean => bit !== 0;

export const anySet = (bits: Bits): boolean => bits.some(isSet);

/** Bytes of memory, by address. Only pages with a bit that is set take room. */
export class MemoryShadow {
  readonly #page: number;
  readonly #pages = new Map<bigint, Bits>();

  constructor(page: number) {
    this.#page = page;
  }

  read(address: bigint, size: number): Bits {
    const bits = new Uint8Array(size);
    for (const { page, offset, from, length } of this.#pieces(address, size)) {
      const held = this.#pages.get(page);
      if (held !== undefined) bits.set(held.subarray(offset, offset + length), from);
    }
    return bits;
  }

  write(address: bigint, bits: Bits): void {
    for (const { page, offset, from, length } of this.#pieces(address, bits.length)) {
      const part = bits.subarray(from, from + length);
      const held = this.#pages.get(page) ?? (anySet(part) ? new Uint8Array(this.#page) : undefined);
      if (held === undefined) continue;
      held.set(part, offset);
      this.#pages.set(page, held);
    }
  }

  fill(address: bigint, size: number, bit: boolean): void {
    this.write(address, new Uint8Array(size).fill(bit ? 1 : 0));
  }

  /** The page at an address becomes new memory. */
  clear(page: bigint): void {
    this.#pages.delete(page);
  }

  copyPage(from: bigint, to: bigint): void {
    const held = this.#pages.get(from);
    if (held === undefined) this.#pages.delete(to);
    else this.#pages.set(to, held.slice());
  }

  *#pieces(address: bigint, size: number) {
    const start = Number(address % BigInt(this.#page));
    const first = address - BigInt(start);
    for (let from = 0; from < size;) {
      const at = start + from;
      const offset = at % this.#page;
      const length = Math.min(size - from, this.#page - offset);
      yield { page: first + BigInt(at - offset), offset, from, length };
      from += length;
    }
  }
}

/** Runs of bytes by number: pipes, files, and what the kernel keeps of calls and requests. */
class RunsShadow {
  readonly #runs = new Map<number, Bits>();

  /** `size` bytes from an offset on. */
  read(run: number, offset: number, size: number): Bits {
    const bits = new Uint8Array(size);
    bits.set((this.#runs.get(run) ?? bits.subarray(0, 0)).subarray(offset, offset + size));
    return bits;
  }

  write(run: number, offset: number, bits: Bits): void {
    const old = this.#runs.get(run) ?? new Uint8Array(0);
    const grown = new Uint8Array(Math.max(old.length, offset + bits.length));
    grown.set(old);
    grown.set(bits, offset);
    this.#runs.set(run, grown);
  }

  /** The first bytes are gone. */
  drop(run: number, size: number): void {
    this.#runs.set(run, (this.#runs.get(run) ?? new Uint8Array(0)).slice(size));
  }

  /** Runs are no longer than this: what was behind is gone. */
  cut(lengthOf: (run: number) => number): void {
    for (const [run, bits] of this.#runs) {
      const length = lengthOf(run);
      if (length === 0) this.#runs.delete(run);
      else if (length < bits.length) this.#runs.set(run, bits.slice(0, length));
    }
  }
}

/** Registers, by thread. */
class RegistersShadow {
  /** A bit for each register. */
  readonly #threads: number[] = [];

  get(thread: number, register: number): boolean {
    return (((this.#threads[thread] ?? 0) >> (register % registerCount)) & 1) === 1;
  }

  set(thread: number, register: number, bit: boolean): void {
    const mask = 1 << (register % registerCount);
    const held = this.#threads[thread] ?? 0;
    this.#threads[thread] = bit ? held | mask : held & ~mask;
  }

  copyThread(from: number, to: number): void {
    this.#threads[to] = this.#threads[from] ?? 0;
  }
}

export class Shadow {
  readonly registers = new RegistersShadow();
  readonly memory: MemoryShadow;
  readonly pipes = new RunsShadow();
  readonly files = new RunsShadow();
  /** Bytes that a split call copied in, by thread. */
  readonly calls = new RunsShadow();
  /** Bytes that a device is to read, by the number of the request. */
  readonly requests = new RunsShadow();
  /** Alternate stacks, by process. */
  readonly stacks = new Set<number>();

  constructor(page: number) {
    this.memory = new MemoryShadow(page);
  }
}
