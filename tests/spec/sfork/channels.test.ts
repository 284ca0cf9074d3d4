/** CHAN-2: which capabilities a channel takes, and how they arrive. */
import { expect, test } from "vitest";
import { permissionNames, type Capability, type FormatName, type Permission } from "../../../spec/cheri/index.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import {
  after,
  by,
  candperm,
  ccleartag,
  channel,
  cincoffset,
  cseal,
  csealentry,
  csetbounds,
  error,
  fork,
  last,
  nothing,
  recvcap,
  registerOf,
  seen,
  sendcap,
  worlds,
} from "./programs.js";

const data: readonly Permission[] = ["load", "store", "global"];

/** What is left of data without the rights to load and store capabilities; RV32Y has a code for it only without levels. */
const delivered: Readonly<Record<FormatName, readonly Permission[]>> = {
  "cheri128-v9": data,
  "cheri64-v9": data,
  morello: [...data, "mutable-load"],
  rvy128: [...data, "mutable-load", "elevate-level"],
  rvy64: data,
  uncompressed256: data,
};

test("CHAN-1 delivery: what was sent before a fork arrives once, and as it was", () => {
  for (const { name, machine, at } of worlds()) {
    const sent = after(machine, by(0, channel, csetbounds(8, 1, 0x40n), sendcap(0, 8), sendcap(0, 2), fork(7)));
    const own = { tag: true, base: at(0), top: at(0, 0x40n), address: at(0) };
    const stack = { tag: true, base: at(0, 0x600n) };
    // Whoever asks gets the parent's pointers, in order; there is one of each.
    expect(last(sent, by(0, recvcap(9, 0))), name).toMatchObject({ capability: own });
    expect(last(sent, by(1, recvcap(9, 0))), name).toMatchObject({ capability: own });
    expect(registerOf(after(sent, by(1, recvcap(9, 0))), 1, 9), name).toMatchObject(own);
    expect(last(sent, by(1, recvcap(9, 0)), by(0, recvcap(9, 0))), name).toMatchObject({ capability: stack });
    const empty = after(sent, by(1, recvcap(9, 0)), by(0, recvcap(9, 0)));
    expect(last(empty, by(1, recvcap(9, 0))), name).toEqual({ kind: "would-block" });
    // Another fork later changes nothing about what is still in flight.
    expect(last(sent, by(1, recvcap(9, 0), fork(7)), by(2, recvcap(9, 0))), name).toMatchObject({ capability: stack });
  }
});

test("CHAN-2 message: memory without the rights that would carry more, harmless sentries, kernel entries, and no other", () => {
  for (const { name, machine, at } of worlds()) {
    const { format } = machine;
    const ready = after(machine, by(0, channel, fork(7)));
    const received = (from: Machine, index: number): Capability | undefined =>
      registerOf(after(from, by(0, sendcap(0, index)), by(1, recvcap(15, 0))), 1, 15);
    const rights = (capability: Capability | undefined) =>
      permissionNames(format.permissionBits, capability?.permissions ?? 0n);
    // 1. Memory: bounds and address as they are, rights less.
    const memory = received(after(ready, by(0, csetbounds(8, 1, 0x40n))), 8);
    expect(memory, name).toMatchObject({ tag: true, address: at(0), base: at(0), top: at(0, 0x40n) });
    expect(rights(memory), name).toEqual(delivered[format.name]);
    // 2. What would carry less than it lets go: as it is.
    const reading = after(ready, by(0, candperm(8, 1, "load", "global")));
    expect(received(reading, 8), name).toEqual(registerOf(reading, 0, 8));
    expect(received(ready, 5), name).toEqual(registerOf(ready, 0, 5));
    // 3. A sentry to code that loads no capabilities; RV32Y has no such code.
    const refused = error("EPERM");
    if (format.name === "rvy64") expect(last(ready, by(0, sendcap(0, 3))), name).toEqual(refused);
    else expect(received(ready, 3), name).toEqual(registerOf(ready, 0, 3));
    // A sentry to nothing, where the kernel begins, is not the kernel's entry.
    const edge = by(0, csetbounds(8, 6, 0x100n), cincoffset(8, 8, 0x100n), csetbounds(8, 8, 0n), csealentry(8, 8));
    expect(registerOf(after(ready, edge), 0, 8), name).toMatchObject({
      tag: true,
      base: registerOf(ready, 0, 5)?.base,
    });
    expect(last(ready, edge, by(0, sendcap(0, 8))), name).toEqual(refused);
    // 4. Sentries to data, what is sealed otherwise, sealing authority, numbers.
    const others = after(ready, by(0, csealentry(8, 1), cseal(9, 3, 4), cseal(10, 1, 4), ccleartag(11, 1)));
    const kept = format.otypes.ordinary ? [8, 10, 4, 11, 0] : [8, 11, 0];
    for (const index of kept) {
      expect(last(others, by(0, sendcap(0, index))), `${name} c${index}`).toEqual(refused);
      expect(after(others, by(0, sendcap(0, index))), name).toBe(others);
    }
    // In order, as many as the channel holds; a channel that is not there.
    const four = seen(ready, 0, sendcap(0, 1), sendcap(0, 2), sendcap(0, 6), sendcap(0, 5), sendcap(0, 1));
    expect(four, name).toEqual([nothing, nothing, nothing, nothing, { kind: "would-block" }]);
    expect(last(ready, by(0, sendcap(0, 2), sendcap(0, 1)), by(1, recvcap(8, 0))), name).toMatchObject({
      capability: { base: at(0, 0x600n) },
    });
    expect(last(ready, by(1, recvcap(8, 0))), name).toEqual({ kind: "would-block" });
    expect(last(machine, by(0, sendcap(0, 1))), name).toEqual(error("EBADF"));
  }
});
