/** LAY-1, REUSE-2: what a process starts with, and what mmap gives. */
import { expect, test } from "vitest";
import {
  formats,
  nullCapability,
  permissionNames,
  type FormatName,
  type Permission,
} from "../../../spec/cheri/index.js";
import { codeRights, dataRights, memoryRoot, startState } from "../../../spec/sfork/machine.js";
import {
  after,
  by,
  cap,
  cgetpcc,
  cinvoke,
  cjalr,
  cseal,
  error,
  framesOf,
  int,
  last,
  load,
  loadcap,
  mmap,
  munmap,
  nothing,
  r,
  registerOf,
  seen,
  shm,
  store,
  storecap,
  trap,
  worlds,
} from "./programs.js";

const data: readonly Permission[] = ["load", "store", "load-cap", "store-cap", "global"];
const code: readonly Permission[] = ["load", "execute", "global"];
const kept: readonly Permission[] = ["mutable-load", "elevate-level"];

/** RVY32 has no code for executable memory without C, and with C it gives the rights of a level, too. */
const rights: Readonly<Record<FormatName, Readonly<Record<"data" | "code", readonly Permission[]>>>> = {
  "cheri128-v9": { data, code },
  "cheri64-v9": { data, code },
  morello: { data: [...data, "mutable-load"], code: [...code, "mutable-load"] },
  rvy128: { data: [...data, ...kept], code: [...code, ...kept] },
  rvy64: {
    data: [...data, ...kept],
    code: ["load", "execute", "load-cap", "store-cap", "store-local", "global", ...kept],
  },
  uncompressed256: { data, code },
};

test("LAY-1 roots: exact bounds from the base on, and the rights asked for", () => {
  for (const format of Object.values(formats)) {
    for (const [asked, expected] of [
      [dataRights, rights[format.name].data],
      [codeRights, rights[format.name].code],
    ] as const) {
      const root = memoryRoot(format, 0x4000n, 0x100n, asked);
      const bounds = { tag: true, address: 0x4000n, base: 0x4000n, top: 0x4100n, otype: format.otypes.unsealed };
      expect(root, format.name).toMatchObject(bounds);
      expect(permissionNames(format.permissionBits, root.permissions), format.name).toEqual(expected);
    }
  }
});

test("LAY-1 start: data, stack and code of the slot, sealing authority, kernel entry, shared segment", () => {
  for (const { name, config, machine, at } of worlds({ slots: 4, processes: 4 }, ["eager"])) {
    const { otypes } = machine.format;
    for (const slot of [0, 3]) {
      const { registers, pcc, protection } = startState(config, slot);
      const part = (from: bigint, to: bigint, otype = otypes.unsealed) => ({
        tag: true,
        address: from,
        base: from,
        top: to,
        otype,
      });
      // The segment and the kernel lie behind the last region, in every process.
      const [shared, kernel] = [at(4), at(4, 0x100n)];
      const authority = otypes.ordinary ? part(4n, 8n) : { tag: false, address: 0n };
      expect(registers, name).toHaveLength(16);
      expect(registers.slice(0, 7), name).toMatchObject([
        nullCapability(machine.format),
        part(at(slot), at(slot, 0x400n)),
        part(at(slot, 0x600n), at(slot, 0x700n)),
        part(at(slot, 0x700n), at(slot, 0x800n), otypes.sentry),
        authority,
        part(kernel, kernel + 0x100n, otypes.sentry),
        part(shared, shared + 0x100n),
      ]);
      for (const rest of registers.slice(7)) expect(rest, name).toEqual(nullCapability(machine.format));
      expect(pcc, name).toMatchObject(part(at(slot, 0x700n), at(slot, 0x800n)));
      // Data, a hole for mmap, stack, code.
      const readWrite = { read: true, write: true, execute: false };
      const readExecute = { read: true, write: false, execute: true };
      expect(protection, name).toEqual([
        ...Array.from({ length: 4 }, () => readWrite),
        undefined,
        undefined,
        readWrite,
        readExecute,
      ]);
    }
  }
});

test("the sentry and a segment can be sealed with one type and invoked as a pair; nothing else can", () => {
  for (const { name, machine, at } of worlds({ shared: 2 })) {
    const { otypes, permissionBits } = machine.format;
    const opened = (from: bigint, to: bigint) => ({ tag: true, base: from, top: to, otype: otypes.unsealed });
    const pair = [cjalr(8, 3), cgetpcc(9), cseal(9, 9, 4), cseal(10, 6, 4), cinvoke(9, 10)];
    if (!otypes.ordinary) {
      expect(last(machine, by(0, ...pair)), name).toEqual({ kind: "unsupported" });
      continue;
    }
    // The segment behind the last region arrives in c15, code in `pcc`.
    expect(last(machine, by(0, ...pair)), name).toMatchObject(cap(opened(at(16), at(16, 0x100n))));
    const invoked = after(machine, by(0, ...pair));
    expect(registerOf(invoked, 0, 15), name).toMatchObject(opened(at(16), at(16, 0x100n)));
    expect(invoked.threads[0]?.pcc, name).toMatchObject(opened(at(0, 0x700n), at(0, 0x800n)));
    // Another segment is as good; the data part has not that right, nor has `pcc` before the jump.
    const [jump, ...rest] = pair;
    const other = by(0, cjalr(8, 3), cgetpcc(9), cseal(9, 9, 4), shm(10, 1), cseal(10, 10, 4), cinvoke(9, 10));
    expect(last(machine, other), name).toMatchObject(cap(opened(at(16, 0x100n), at(16, 0x200n))));
    const data = by(0, ...(jump === undefined ? [] : [jump]), cgetpcc(9), cseal(9, 9, 4), cseal(10, 1, 4));
    expect(last(machine, data, by(0, cinvoke(9, 10))), name).toEqual(trap("perm-cinvoke", "cs2"));
    expect(last(machine, by(0, ...rest)), name).toEqual(trap("perm-cinvoke"));
    const invokable = startState(machine.config, 0).registers.flatMap(({ permissions }, index) =>
      permissionNames(permissionBits, permissions).includes("invoke") ? [index] : [],
    );
    expect(invokable, name).toEqual([3, 6]);
    for (const operation of [mmap(8, 0x100n), mmap(8, 0x100n, { read: true, write: false, execute: true })]) {
      const made = registerOf(after(machine, by(0, operation)), 0, 8);
      expect(permissionNames(permissionBits, made?.permissions ?? 0n), name).not.toContain("invoke");
    }
  }
});

test("LAY-1 initial: one process with one thread in slot 0, its pages zero", () => {
  for (const { name, config, machine, at } of worlds({ slots: 9 })) {
    const start = startState(config, 0);
    expect(machine.processes, name).toMatchObject([{ pid: 1, slot: 0, state: { kind: "live" } }]);
    expect(machine.threads, name).toEqual([
      { process: 0, live: true, registers: start.registers, pcc: start.pcc, mask: [], call: undefined },
    ]);
    // Four pages of data, stack and code have a frame each; the hole has none, nor has any other region.
    const own = (frame: number) => ({ frame, guard: false });
    const region = [own(0), own(1), own(2), own(3), undefined, undefined, own(4), own(5)];
    expect(machine.regions, name).toMatchObject([region, ...Array.from({ length: 8 }, () => [])]);
    const granules = Array.from({ length: 256 / Number(machine.format.granule) }, () => ({ tag: false, bits: 0n }));
    const frame = { home: at(0), references: 1, memory: granules };
    expect(machine.frames, name).toEqual(Array.from({ length: 6 }, () => frame));
    expect(machine.segments, name).toEqual([granules]);
    expect(machine.channels, name).toEqual([]);
  }
});

test("REUSE-2 mmap: the lowest free pages, exact, zero and without tags, whatever was there before", () => {
  for (const { name, machine, at } of worlds()) {
    const both = cap({ tag: true, address: at(0, 0x400n), base: at(0, 0x400n), top: at(0, 0x600n) });
    // Rounded up to two pages; nothing is left then.
    expect(seen(machine, 0, mmap(8, 0x101n), mmap(9, 1n)), name).toMatchObject([both, error("ENOMEM")]);
    const used = after(machine, by(0, mmap(8, 0x200n), storecap(1, 0x20n, 8), store("w", -1n, 0x1f0n, 8)));
    expect(framesOf(used), name).toBe(8);
    expect(seen(used, 0, loadcap(9, 0x20n, 8), load("bu", 10, 0x1f2n, 8)), name).toMatchObject([
      cap({ tag: true, base: at(0) }),
      int(0xffn),
    ]);
    const again = [munmap(8, 0x200n), mmap(8, 0x100n), mmap(9, 0x100n, r)] as const;
    expect(seen(used, 0, ...again), name).toMatchObject([
      nothing,
      cap({ tag: true, base: at(0, 0x400n), top: at(0, 0x500n) }),
      cap({ tag: true, base: at(0, 0x500n), top: at(0, 0x600n) }),
    ]);
    const fresh = after(used, by(0, ...again));
    expect(last(fresh, by(0, loadcap(10, 0x20n, 8))), name).toMatchObject(cap({ tag: false, address: 0n }));
    expect(last(fresh, by(0, load("w", 10, 0xf0n, 9))), name).toEqual(int(0n));
    expect(framesOf(fresh), name).toBe(8);
    // The lowest hole first.
    expect(seen(fresh, 0, munmap(8, 0x100n), munmap(9, 0x100n), mmap(9, 0x100n)).at(-1), name).toMatchObject(
      cap({ base: at(0, 0x400n) }),
    );
  }
});
