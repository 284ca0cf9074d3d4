/** MEM-1, MEM-4, FORK-8: pages are checked, then resolved, then accessed; strategies differ in when. */
import { expect, test } from "vitest";
import { checkPage, place } from "../../../spec/sfork/paging.js";
import { strategies } from "../../../spec/sfork/laws.js";
import type { Touch } from "../../../spec/sfork/strategy.js";
import {
  after,
  by,
  candperm,
  cap,
  ccleartag,
  cgetpcc,
  cgettag,
  channel,
  cincoffset,
  cjalr,
  cloadtags,
  cmemcpy,
  countersOf,
  csetbounds,
  exit,
  expectUnchanged,
  fork,
  framesOf,
  getppid,
  int,
  last,
  lazyStrategies,
  load,
  loadcap,
  mprotect,
  none,
  nothing,
  r,
  rw,
  recvcap,
  seen,
  sendcap,
  store,
  storecap,
  strategyNames,
  trap,
  wait,
  worldOf,
  worlds,
} from "./programs.js";

test("MEM-1 page: mapped, and with the right for it; shared segments hold no tags", () => {
  for (const { name, machine, at } of worlds()) {
    // c8 is the second page of data.
    const readOnly = after(machine, by(0, cincoffset(8, 1, 0x100n), mprotect(8, 0x100n, r)));
    expect(last(readOnly, by(0, load("w", 9, 0n, 8))), name).toEqual(int(0n));
    expect(last(readOnly, by(0, store("b", 1n, 0n, 8))), name).toEqual(trap("page-write"));
    expect(last(readOnly, by(0, storecap(1, 0n, 8))), name).toEqual(trap("page-write"));
    const closed = after(readOnly, by(0, mprotect(8, 0x100n, none)));
    expect(last(closed, by(0, loadcap(9, 0n, 8))), name).toEqual(trap("page-read"));
    expect(last(closed, by(0, load("b", 9, 0xffn, 1))), name).toEqual(int(0n));
    // The capability's checks come first.
    expect(last(closed, by(0, candperm(9, 8, "store"), load("b", 9, 0n, 9))), name).toEqual(trap("perm-load"));
    // Jumps need a page that may be executed.
    expect(last(machine, by(0, cjalr(9, 3))), name).toMatchObject(
      cap({ tag: true, otype: machine.format.otypes.sentry }),
    );
    expect(last(machine, by(0, cgetpcc(8), mprotect(8, 0x100n, r), cjalr(9, 3))), name).toEqual(trap("page-exec"));
    // A segment takes bytes and untagged values.
    expect(seen(machine, 0, store("b", 1n, 0n, 6), storecap(0, 0x20n, 6), storecap(1, 0x20n, 6)), name).toEqual([
      nothing,
      nothing,
      trap("page-store-cap"),
    ]);
    // Nothing points to pages that are not mapped: the hole, a guard, another slot, what lies around everything.
    const touches: readonly Touch[] = ["read", "read-tagged", "write", "write-tag"];
    const nowhere = [at(0) - 1n, at(0, 0x400n), at(0, 0x800n), at(1), at(16, 0x100n)];
    for (const address of nowhere) {
      for (const touch of touches) {
        const span = { place: place(machine, address), touch };
        expect(checkPage(machine, span, "cs2"), name).toEqual(trapOf("page-unmapped"));
      }
    }
  }
});

const trapOf = (cause: string) => ({ trap: cause, operand: "cs2" });

test("MEM-7 segment: a segment takes data and untagged values, and no tag by any way", () => {
  for (const { name, machine, g } of worlds()) {
    const stored = after(machine, by(0, storecap(1, 0n, 1), store("w", 7n, 0n, 6), ccleartag(8, 1), storecap(8, g, 6)));
    expect(seen(stored, 0, load("w", 9, 0n, 6), loadcap(9, g, 6)), name).toMatchObject([int(7n), cap({ tag: false })]);
    // A pointer, the kernel's entry, a copy of a granule that holds one; the same without the tag is bytes.
    expect(last(stored, by(0, storecap(1, 0n, 6))), name).toEqual(trap("page-store-cap"));
    expect(last(stored, by(0, storecap(5, 0n, 6))), name).toEqual(trap("page-store-cap"));
    expect(last(stored, by(0, cmemcpy(6, 1, g))), name).toEqual(trap("page-store-cap"));
    expect(last(stored, by(0, candperm(9, 1, "load"), cmemcpy(6, 9, g))), name).toEqual(nothing);
    const copied = after(stored, by(0, storecap(1, 0n, 6), cmemcpy(6, 1, g), candperm(9, 1, "load"), cmemcpy(6, 9, g)));
    expect(last(copied, by(0, cloadtags(10, 6))), name).toEqual(int(0n));
    // Nothing there is executed.
    const where = place(machine, copied.threads[0]?.registers[6]?.address ?? 0n);
    expect(checkPage(machine, { place: where, touch: "execute" }, "cs1"), name).toMatchObject({ trap: "page-exec" });
  }
});

test("MEM-4 order: every page is checked before any is resolved, and all are before the access acts", () => {
  for (const { name, config, machine } of worlds()) {
    const program = [
      store("w", 0x44332211n, 0xfen, 1),
      cincoffset(8, 1, 0x100n),
      mprotect(8, 0x100n, r),
      fork(7),
    ] as const;
    const forked = after(machine, by(0, ...program));
    // The child's store would cross from a page that it may write into one that it may not.
    const store4 = store("w", -1n, 0xfen, 1);
    expect(last(forked, by(1, store4)), name).toEqual(trap("page-write"));
    expectUnchanged(forked, by(1, store4), name);
    // With the right to both, both are resolved, and then written; the parent keeps what it had.
    const opened = after(forked, by(1, mprotect(8, 0x100n, rw), store4));
    const lazy = config.strategy === "eager" ? 0 : 2;
    expect(countersOf(opened, 1), name).toMatchObject({ faults: lazy, copies: lazy === 0 ? 6 : 2 });
    expect(seen(opened, 1, load("w", 9, 0xfen, 1), load("bu", 9, 0xfdn, 1)), name).toMatchObject([
      { kind: "integer" },
      int(0n),
    ]);
    expect(seen(opened, 1, load("bu", 9, 0xffn, 1), load("bu", 9, 0x100n, 1)), name).toEqual([int(0xffn), int(0xffn)]);
    expect(seen(opened, 0, load("bu", 9, 0xffn, 1), load("bu", 9, 0x100n, 1)), name).toEqual([int(0x22n), int(0x33n)]);
  }
});

test("MEM-4 load-cap: a tagged granule is seen through Load-Capability, and is raw bytes without", () => {
  for (const { name, config, machine, at } of worlds()) {
    const forked = after(
      machine,
      by(0, csetbounds(8, 1, 0x40n), storecap(8, 0x20n, 1), candperm(9, 1, "load", "global"), fork(7)),
    );
    const child = at(1);
    expect(last(forked, by(1, loadcap(10, 0x20n, 1))), name).toMatchObject(
      cap({ tag: true, address: child, base: child, top: child + 0x40n }),
    );
    // An untagged granule does not say where it was, and needs no resolving for it.
    const untagged = after(forked, by(1, loadcap(10, 0x40n, 1)));
    expect(last(forked, by(1, loadcap(10, 0x40n, 1))), name).toMatchObject(cap({ tag: false, address: 0n }));
    expect(countersOf(untagged, 1).faults, name).toBe(config.strategy === "coa" ? 1 : 0);
    // Without Load-Capability the bytes of a pointer would show, which copy-on-pointer-access does not promise.
    const raw = last(forked, by(1, loadcap(10, 0x20n, 9)));
    const outside = { kind: "outside-profile" };
    expect(raw, name).toMatchObject(config.strategy === "copa" ? outside : cap({ tag: false, address: child }));
    expect(last(forked, by(0, loadcap(10, 0x20n, 9))), name).toMatchObject(cap({ tag: false, address: at(0) }));
  }
});

test("MEM-4 resolve: the page that faults gets a frame of its own, or takes over one that is left", () => {
  for (const { name, machine, at } of worlds({}, lazyStrategies)) {
    const forked = after(
      machine,
      by(0, csetbounds(8, 1, 0x40n), storecap(8, 0x20n, 1), storecap(6, 0x40n, 1), fork(7)),
    );
    expect(framesOf(forked), name).toBe(6);
    // The child: a copy, in which the pointer moves and the one to the segment does not. All six entries were new.
    const child = after(forked, by(1, store("b", 1n, 0x80n, 1)));
    const fault = { faults: 1, copies: 1, relocations: 1 };
    expect(countersOf(child, 1), name).toEqual({ ...fault, pageTableWrites: 7 });
    expect(framesOf(child), name).toBe(7);
    expect(last(child, by(1, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(1) }));
    // Another access finds it resolved.
    expect(countersOf(after(child, by(1, store("b", 1n, 0x80n, 1), loadcap(9, 0x20n, 1))), 1).faults, name).toBe(1);
    // The parent then has the frame alone, still guarded: one fault, no copy. The six guards were its first writes.
    const both = after(child, by(0, store("b", 2n, 0x80n, 1)));
    const start = countersOf(machine, 0).pageTableWrites;
    expect(countersOf(both, 0), name).toEqual({ faults: 1, copies: 0, relocations: 0, pageTableWrites: start + 7 });
    expect(framesOf(both), name).toBe(7);
    // The other way round the writer gets the new frame, and the child relocates in place what it is left with.
    const parent = after(forked, by(0, store("b", 2n, 0x80n, 1)));
    expect(countersOf(parent, 0), name).toMatchObject({ faults: 1, copies: 1, relocations: 0 });
    const left = after(parent, by(1, loadcap(9, 0x20n, 1)));
    expect(countersOf(left, 1), name).toMatchObject({ faults: 1, copies: 0, relocations: 1 });
    expect(framesOf(left), name).toBe(7);
    expect(last(left, by(1, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(1) }));
    expect(seen(left, 1, load("bu", 9, 0x80n, 1)), name).toEqual([int(0n)]);
  }
});

test("MEM-4 owner: who touches another's page by a grant leaves its pointers where they lead", () => {
  for (const { name, at, g, machine } of worlds()) {
    // P1's pointer to its own memory lies on a page that P2 shares; P0 writes to that page.
    const prepared = after(
      machine,
      by(0, channel, fork(7)),
      by(1, storecap(1, 0x20n, 1), sendcap(0, 1)),
      by(0, recvcap(8, 0)),
      by(1, fork(7)),
      by(0, store("b", 1n, 0x80n, 8)),
    );
    const [zero, one] = [countersOf(prepared, 0).faults, countersOf(prepared, 1).faults];
    expect(last(prepared, by(1, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(1) }));
    expect(last(prepared, by(2, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(2) }));
    expect(g).toBeLessThanOrEqual(0x20n);
    expect(zero, name).toBe(0);
    expect(one, name).toBe(lazyStrategies.includes(prepared.config.strategy) ? 2 : 0);
  }
});

test("FORK-8 strategies: eager copies at the fork, coa at any access, copa where a tag would show and at writes", () => {
  const touches: readonly Touch[] = ["read", "read-tagged", "write", "write-tag", "execute"];
  const faulting = strategyNames.map((name) => touches.filter((touch) => strategies[name].faultsOn(touch)));
  expect(faulting).toEqual([[], ["read", "read-tagged", "write", "write-tag"], ["read-tagged", "write", "write-tag"]]);
  expect(strategyNames.map((name) => strategies[name].atFork)).toEqual(["copy", "guard", "guard"]);
  expect(strategyNames.map((name) => strategies[name].staleReads)).toEqual([false, false, true]);
  // What a child's first access costs, under each.
  const costs = [
    [load("b", 9, 0x80n, 1), [0, 1, 0]],
    [loadcap(9, 0x80n, 1), [0, 1, 0]],
    [loadcap(9, 0n, 1), [0, 1, 1]],
    [cloadtags(9, 1), [0, 1, 1]],
    [cloadtags(9, 2), [0, 1, 0]],
    [store("b", 1n, 0x80n, 1), [0, 1, 1]],
    [storecap(0, 0x80n, 1), [0, 1, 1]],
    [cjalr(9, 3), [0, 0, 0]],
  ] as const;
  for (const [operation, expected] of costs) {
    const faults = strategyNames.map((strategy) => {
      const forked = after(worldOf({ strategy }).machine, by(0, storecap(1, 0n, 1), fork(7)));
      return countersOf(after(forked, by(1, operation)), 1).faults;
    });
    expect(faults, operation.op).toEqual(expected);
  }
  // A grandchild of pages that nobody resolved, whose parent has ended and whose slot is used again.
  for (const { name, machine, at } of worlds()) {
    const program = [
      by(0, csetbounds(8, 1, 0x40n), storecap(8, 0x20n, 1), store("b", 1n, 0x80n, 1), fork(7)),
      by(1, fork(7)),
      by(0, store("b", 2n, 0x80n, 1)),
      by(1, exit(0n)),
      by(0, wait(9), fork(7)),
    ];
    const grown = after(machine, ...program);
    expect(
      grown.processes.map(({ slot }) => slot),
      name,
    ).toEqual([0, 1, 2, 1]);
    expect(
      seen(grown, 2, load("bu", 9, 0x80n, 1), loadcap(9, 0x20n, 1), cgettag(10, 9), getppid(10)),
      name,
    ).toMatchObject([int(1n), cap({ tag: true, base: at(2), top: at(2, 0x40n) }), int(1n), int(1n)]);
    expect(seen(grown, 3, load("bu", 9, 0x80n, 1), loadcap(9, 0x20n, 1)), name).toMatchObject([
      int(2n),
      cap({ tag: true, base: at(1), top: at(1, 0x40n) }),
    ]);
  }
});
