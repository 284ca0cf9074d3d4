/** INV-1 to INV-6: a machine that keeps each, and machines that were changed by hand so that they do not. */
import { expect, test } from "vitest";
import { noGrants } from "../../../spec/sfork/invariants/grants.js";
import {
  exactRelocation,
  isolation,
  monotonicity,
  nonInterference,
  noStalePointer,
  tagConservation,
} from "../../../spec/sfork/invariants/invariants.js";
import {
  by,
  candperm,
  channel,
  cincoffset,
  cjalr,
  csetbounds,
  fork,
  loadcap,
  mmap,
  munmap,
  recvcap,
  registerOf,
  sendcap,
  store,
  storecap,
  worlds,
} from "./programs.js";
import { bitsOf, corrupted, findings, hex, transitionOf, withCopy, withGranule, withRegister } from "./transitions.js";

test("INV-1 isolation: what a process holds reaches its own region, a grant, a segment or the kernel's entry", () => {
  for (const world of worlds()) {
    const { name, at } = world;
    // Process 1 has been given 0x40 bytes of process 0.
    const granted = [by(0, channel, csetbounds(8, 1, 0x40n), fork(7), sendcap(0, 8)), by(1, recvcap(9, 0))];
    const holds = transitionOf(world, ...granted);
    expect(findings(isolation, holds), name).toEqual([]);
    expect(findings(isolation, { ...holds, grants: noGrants }), name).toEqual(["INV-1 P1 thread 1 c9"]);
    // More than that, in a register and in memory; sealed or not, as long as it has rights.
    const more = corrupted(holds, (machine) => withCopy(machine, [0, 1], [1, 10]));
    expect(findings(isolation, more), name).toEqual(["INV-1 P1 thread 1 c10"]);
    const code = corrupted(holds, (machine) => withCopy(machine, [0, 3], [1, 3]));
    expect(findings(isolation, code), name).toEqual(["INV-1 P1 thread 1 c3"]);
    const { format } = holds.after;
    const stored = transitionOf(world, by(0, fork(7)), by(1, storecap(1, 0n, 1)));
    const bits = bitsOf(stored.after, 0, 1);
    const inMemory = corrupted(stored, (machine) => withGranule(machine, 1, 0, 1, { tag: true, bits }));
    expect(findings(isolation, stored), name).toEqual([]);
    expect(findings(isolation, inMemory), name).toEqual([`INV-1 P1 granule ${hex(at(1, format.granule))}`]);
    // In flight: outside the message's grant; and in a segment, where nothing may be tagged.
    const sent = transitionOf(world, by(0, channel, csetbounds(8, 1, 0x40n), sendcap(0, 8)));
    expect(findings(isolation, sent), name).toEqual([]);
    const whole = sent.after.threads[0]?.registers[1];
    const flying = corrupted(sent, (machine) => ({ ...machine, channels: [{ messages: whole ? [whole] : [] }] }));
    expect(findings(isolation, flying), name).toEqual(["INV-1 channel 0 message 0"]);
    const shared = corrupted(sent, (machine) => ({
      ...machine,
      segments: machine.segments.map((segment) => segment.with(2, { tag: true, bits })),
    }));
    expect(findings(isolation, shared), name).toEqual(["INV-1 S0 granule 2"]);
  }
});

test("INV-2 stale: after a fork nothing in the child reaches another's region but by its grants", () => {
  for (const world of worlds()) {
    const { name } = world;
    // Process 0 holds 0x40 bytes of process 1, and hands them down to process 2.
    const program = [
      by(0, channel, fork(7)),
      by(1, csetbounds(8, 1, 0x40n), sendcap(0, 8)),
      by(0, recvcap(9, 0), storecap(1, 0x20n, 1), fork(7)),
    ];
    const holds = transitionOf(world, ...program);
    expect(findings(noStalePointer, holds), name).toEqual([]);
    expect(findings(noStalePointer, { ...holds, grants: noGrants }), name).toEqual(["INV-2 P2 thread 2 c9"]);
    const stale = corrupted(holds, (machine) => withCopy(machine, [0, 2], [2, 2]));
    expect(findings(noStalePointer, stale), name).toEqual(["INV-2 P2 thread 2 c2"]);
    // Of the uncle's region, too.
    const uncle = corrupted(holds, (machine) => withCopy(machine, [1, 1], [2, 10]));
    expect(findings(noStalePointer, uncle), name).toEqual(["INV-2 P2 thread 2 c10"]);
  }
});

test("INV-3 relocation: the child's view is the image of the parent's, granule by granule, register by register", () => {
  for (const world of worlds()) {
    const { name } = world;
    const holds = transitionOf(world, by(0, cincoffset(8, 1, 0x20n), storecap(8, 0n, 1), fork(7)));
    expect(findings(exactRelocation, holds), name).toEqual([]);
    // A register that stayed, moved otherwise, or lost its tag.
    const stayed = corrupted(holds, (machine) => withCopy(machine, [0, 8], [1, 8]));
    expect(findings(exactRelocation, stayed), name).toEqual(["INV-3 P1 c8"]);
    const other = corrupted(holds, (machine) => withCopy(machine, [1, 1], [1, 8]));
    expect(findings(exactRelocation, other), name).toEqual(["INV-3 P1 c8"]);
    const own = registerOf(holds.after, 1, 8);
    const untagged = corrupted(holds, (machine) =>
      own === undefined ? machine : withRegister(machine, 1, 8, { ...own, tag: false }),
    );
    expect(findings(exactRelocation, untagged), name).toEqual(["INV-3 P1 c8"]);
    // Memory: bits, a tag.
    const bits = corrupted(holds, (machine) => withGranule(machine, 1, 2, 3, { bits: 1n }));
    expect(findings(exactRelocation, bits), name).toEqual(["INV-3 P1 page 2 granule 3"]);
    const tag = corrupted(holds, (machine) => withGranule(machine, 1, 0, 0, { tag: false }));
    expect(findings(exactRelocation, tag), name).toEqual(["INV-3 P1 page 0 granule 0"]);
    // The register that says who one is may differ.
    const named = corrupted(holds, (machine) => withCopy(machine, [1, 1], [1, 7]));
    expect(findings(exactRelocation, named), name).toEqual([]);
  }
});

test("INV-4 tags: a fork neither loses nor makes a tag", () => {
  for (const world of worlds()) {
    const { name } = world;
    const holds = transitionOf(world, by(0, storecap(1, 0n, 1), storecap(5, 0n, 2), fork(7)));
    expect(findings(tagConservation, holds), name).toEqual([]);
    const lost = corrupted(holds, (machine) => withGranule(machine, 1, 6, 0, { tag: false }));
    expect(findings(tagConservation, lost), name).toEqual(["INV-4 P1 page 6 granule 0"]);
    const gained = corrupted(holds, (machine) => withGranule(machine, 1, 0, 1, { tag: true }));
    expect(findings(tagConservation, gained), name).toEqual(["INV-4 P1 page 0 granule 1"]);
    // Bits are INV-3's.
    const bits = corrupted(holds, (machine) => withGranule(machine, 1, 0, 1, { bits: 1n }));
    expect(findings(tagConservation, bits), name).toEqual([]);
  }
});

test("INV-5 monotonicity: what a step writes gives no more than something that it read", () => {
  for (const world of worlds()) {
    const { name, machine } = world;
    // A capability that is loaded is an operand, in a child as it is seen there.
    const kept = [
      by(0, csetbounds(8, 1, 0x40n)),
      by(0, cjalr(8, 3)),
      by(0, mmap(8, 0x100n)),
      by(0, storecap(1, 0n, 1), fork(7)),
      by(0, storecap(1, 0n, 1), fork(7)).concat(by(1, loadcap(8, 0n, 1))),
    ];
    for (const program of kept) expect(findings(monotonicity, transitionOf(world, program)), name).toEqual([]);
    // Nothing that is left gives all of data again: not the 0x40 bytes of it, and not the data that may be read only.
    const prepare = by(0, candperm(9, 1, "load", "global"), csetbounds(1, 1, 0x40n));
    const holds = transitionOf(world, prepare, by(0, cincoffset(8, 1, 0x10n)));
    expect(findings(monotonicity, holds), name).toEqual([]);
    const data = registerOf(machine, 0, 1);
    const wider = corrupted(holds, (now) => (data === undefined ? now : withRegister(now, 0, 8, data)));
    expect(findings(monotonicity, wider), name).toEqual(["INV-5 P0 c8"]);
    // A sentry opens by a jump, and by nothing else.
    const moved = transitionOf(world, by(0, cincoffset(8, 1, 0n)));
    const entry = registerOf(moved.after, 0, 5);
    const opened = corrupted(moved, (now) =>
      entry === undefined
        ? now
        : withRegister(now, 0, 8, { ...entry, otype: now.format.otypes.unsealed, top: entry.top - 1n }),
    );
    expect(findings(monotonicity, opened), name).toEqual(["INV-5 P0 c8"]);
  }
});

test("INV-6 interference: a step changes nobody else's view but through a grant, or by what it ended", () => {
  for (const world of worlds()) {
    const { name, at } = world;
    const g = world.g;
    const holds = transitionOf(world, by(0, storecap(1, 0x20n, 1), fork(7), store("b", 1n, 0n, 1)));
    expect(findings(nonInterference, holds), name).toEqual([]);
    const byte = corrupted(holds, (machine) => withGranule(machine, 1, 0, 0, { bits: 1n }));
    expect(findings(nonInterference, byte), name).toEqual([`INV-6 P1 granule ${hex(at(1))}`]);
    const tag = corrupted(holds, (machine) => withGranule(machine, 1, 0, Number(0x20n / g), { tag: false }));
    expect(findings(nonInterference, tag), name).toEqual([`INV-6 P1 granule ${hex(at(1, 0x20n))}`]);
    // Through a grant: there, and nowhere else.
    const granted = [
      by(0, channel, fork(7)),
      by(1, csetbounds(8, 1, 0x20n), sendcap(0, 8)),
      by(0, recvcap(9, 0), store("b", 1n, 0n, 9)),
    ];
    const through = transitionOf(world, ...granted);
    expect(findings(nonInterference, through), name).toEqual([]);
    const beside = corrupted(through, (machine) => withGranule(machine, 1, 0, Number(0x20n / g), { bits: 1n }));
    expect(findings(nonInterference, beside), name).toEqual([`INV-6 P1 granule ${hex(at(1, 0x20n))}`]);
    // A tag goes with the memory that it names, and with no other.
    const swept = transitionOf(
      world,
      by(0, channel, mmap(8, 0x100n), fork(7), sendcap(0, 8)),
      by(1, recvcap(9, 0), storecap(9, 0x40n, 1), storecap(1, 0x60n, 1)),
      by(0, munmap(8, 0x100n)),
    );
    expect(findings(nonInterference, swept), name).toEqual([]);
    const living = corrupted(swept, (machine) => withGranule(machine, 1, 0, Number(0x60n / g), { tag: false }));
    expect(findings(nonInterference, living), name).toEqual([`INV-6 P1 granule ${hex(at(1, 0x60n))}`]);
  }
});
