/** INV-1 to INV-6: a machine that keeps each, and machines that were changed by hand so that they do not. */
import { expect, test } from "vitest";
import { nullCapability, permits, type Capability, type Permission } from "../../../spec/cheri/index.js";
import { noGrants } from "../../../spec/invariants/grants.js";
import { nonInterference } from "../../../spec/invariants/interference.js";
import { isolation, nothingEnded, noStalePointer } from "../../../spec/invariants/isolation.js";
import { monotonicity } from "../../../spec/invariants/provenance.js";
import { exactRelocation, tagConservation } from "../../../spec/invariants/relocation.js";
import { pointsInto } from "../../../spec/invariants/transition.js";
import { capability } from "../cheri/rules/capabilities.js";
import {
  by,
  candperm,
  channel,
  cincoffset,
  cjalr,
  cmemcpy,
  cseal,
  csealentry,
  csetbounds,
  cunseal,
  exit,
  fork,
  loadcap,
  mmap,
  munmap,
  none,
  recvcap,
  registerOf,
  rw,
  sendcap,
  store,
  storecap,
  thread,
  worlds,
} from "../sfork/programs.js";
import {
  bitsOf,
  corrupted,
  findings,
  transitionOf,
  withCopy,
  withEntry,
  withGranule,
  withRegister,
  withThread,
} from "./transitions.js";

test("INV-1 isolation: what a process holds reaches its own region, a grant, a segment or the kernel's entry", () => {
  for (const world of worlds()) {
    const { name } = world;
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
    const stored = transitionOf(world, by(0, fork(7)), by(1, storecap(1, 0n, 1)));
    const bits = bitsOf(stored.after, 0, 1);
    const inMemory = corrupted(stored, (machine) => withGranule(machine, 1, 0, 1, { tag: true, bits }));
    expect(findings(isolation, stored), name).toEqual([]);
    expect(findings(isolation, inMemory), name).toEqual(["INV-1 P1 page 0 granule 1"]);
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
    // Even what everybody may have, for it is a tag.
    const segment = corrupted(sent, (machine) => ({
      ...machine,
      segments: machine.segments.map((one) => one.with(2, { tag: true, bits: bitsOf(machine, 0, 6) })),
    }));
    expect(findings(isolation, segment), name).toEqual(["INV-1 S0 granule 2"]);
    // The kernel's entry is sealed: opened, it is the kernel's memory. A message has no right that would carry more.
    const entry = registerOf(sent.after, 0, 5);
    const opened = corrupted(sent, (machine) =>
      entry === undefined ? machine : withRegister(machine, 0, 9, { ...entry, otype: machine.format.otypes.unsealed }),
    );
    expect(findings(isolation, opened), name).toEqual(["INV-1 P0 thread 0 c9"]);
    const plain = registerOf(sent.after, 0, 8);
    const carrying = corrupted(sent, (machine) => ({ ...machine, channels: [{ messages: plain ? [plain] : [] }] }));
    expect(findings(isolation, carrying), name).toEqual(["INV-1 channel 0 message 0"]);
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
    expect(findings(exactRelocation, stayed), name).toEqual(["INV-3 P1 thread 1 c8"]);
    const other = corrupted(holds, (machine) => withCopy(machine, [1, 1], [1, 8]));
    expect(findings(exactRelocation, other), name).toEqual(["INV-3 P1 thread 1 c8"]);
    const own = registerOf(holds.after, 1, 8);
    const untagged = corrupted(holds, (machine) =>
      own === undefined ? machine : withRegister(machine, 1, 8, { ...own, tag: false }),
    );
    expect(findings(exactRelocation, untagged), name).toEqual(["INV-3 P1 thread 1 c8"]);
    // Memory: bits, a tag.
    const bits = corrupted(holds, (machine) => withGranule(machine, 1, 2, 3, { bits: 1n }));
    expect(findings(exactRelocation, bits), name).toEqual(["INV-3 P1 page 2 granule 3"]);
    const tag = corrupted(holds, (machine) => withGranule(machine, 1, 0, 0, { tag: false }));
    expect(findings(exactRelocation, tag), name).toEqual(["INV-3 P1 page 0 granule 0"]);
    // The register that says who one is: 0 in the child, the pid in the parent.
    const named = corrupted(holds, (machine) => withCopy(machine, [0, 7], [1, 7]));
    expect(findings(exactRelocation, named), name).toEqual(["INV-3 P1 thread 1 c7"]);
    const unnamed = corrupted(holds, (machine) => withCopy(machine, [1, 7], [0, 7]));
    expect(findings(exactRelocation, unnamed), name).toEqual(["INV-3 P0 thread 0 c7"]);
    // The parent's other registers, and where both go on.
    const parents = corrupted(holds, (machine) => withCopy(machine, [0, 2], [0, 8]));
    expect(findings(exactRelocation, parents), name).toEqual(["INV-3 P0 thread 0 c8"]);
    const elsewhere = corrupted(holds, (machine) =>
      withThread(machine, 1, { pcc: machine.threads[0]?.pcc ?? nullCapability(machine.format) }),
    );
    expect(findings(exactRelocation, elsewhere), name).toEqual(["INV-3 P1 thread 1 pcc"]);
    // Protections, pages, threads.
    const open = corrupted(holds, (machine) => withEntry(machine, 1, 7, { protection: rw }));
    expect(findings(exactRelocation, open), name).toEqual(["INV-3 P1 page 7 granule 0"]);
    const absent = corrupted(holds, (machine) => ({
      ...machine,
      regions: machine.regions.map((region, slot) => (slot === 1 ? region.with(3, undefined) : region)),
    }));
    expect(findings(exactRelocation, absent), name).toEqual(["INV-3 P1 page 3 granule 0"]);
    const twice = corrupted(holds, (machine) => ({
      ...machine,
      threads: [...machine.threads, ...machine.threads.slice(1)],
    }));
    expect(findings(exactRelocation, twice), name).toEqual(["INV-3 P1"]);
    // And a pid that nobody else has.
    const namesake = corrupted(holds, (machine) => ({
      ...withRegister(machine, 0, 7, nullCapability(machine.format, 1n)),
      processes: machine.processes.map((one) => ({ ...one, pid: 1 })),
    }));
    expect(findings(exactRelocation, namesake), name).toEqual(["FORK-1 P1"]);
  }
});

test("INV-3 image: what is moved is moved as a whole, and by its bounds alone", () => {
  for (const world of worlds()) {
    const { name } = world;
    const holds = transitionOf(world, by(0, csetbounds(8, 1, 0x40n), fork(7)));
    const own = registerOf(holds.after, 1, 8);
    const load = holds.after.format.permissionBits.load ?? 0n;
    const wrong: readonly Partial<Capability>[] = [
      { base: (own?.base ?? 0n) + 1n },
      { top: (own?.top ?? 0n) - 1n },
      { address: (own?.address ?? 0n) + 1n },
      { permissions: (own?.permissions ?? 0n) & ~load },
      { otype: holds.after.format.otypes.sentry },
      { flags: (own?.flags ?? 0n) ^ 1n },
      { tag: false },
    ];
    for (const change of wrong) {
      const other = corrupted(holds, (now) =>
        own === undefined ? now : withRegister(now, 1, 8, { ...own, ...change }),
      );
      expect(findings(exactRelocation, other), name).toEqual(["INV-3 P1 thread 1 c8"]);
    }
    // A cursor in another region moves no capability, and one outside its own keeps none from being moved.
    const astray = transitionOf(world, by(0, cincoffset(8, 6, 0n), cincoffset(9, 1, 0x400n), fork(7)));
    expect(findings(exactRelocation, astray), name).toEqual([]);
    // Authority over object types is moved by nobody.
    const sealing = corrupted(holds, (now) => {
      const authority = now.threads[1]?.registers[4];
      const far = now.config.stride;
      return authority === undefined
        ? now
        : withRegister(now, 1, 4, { ...authority, address: authority.address + far });
    });
    expect(findings(exactRelocation, sealing), name).toEqual(["INV-3 P1 thread 1 c4"]);
  }
});

test("REUSE-1 checked: bounds meet a range where they overlap it, or are empty and stand in it or at its ends", () => {
  for (const { name, machine } of worlds({}, ["eager"])) {
    const range = { start: 0x1000n, end: 0x2000n };
    const meets = (base: bigint, top: bigint, ...allow: readonly Permission[]): boolean =>
      pointsInto(machine, capability(machine.format, { base, top, allow }), range);
    expect(meets(0xff0n, 0x1001n, "load"), name).toBe(true);
    expect(meets(0x1fffn, 0x2010n, "load"), name).toBe(true);
    expect(meets(0x1800n, 0x1810n, "user0"), name).toBe(true);
    expect(meets(0xff0n, 0x1000n, "load"), name).toBe(false);
    expect(meets(0x2000n, 0x2001n, "load"), name).toBe(false);
    for (const empty of [0x1000n, 0x1800n, 0x2000n]) expect(meets(empty, empty, "load"), name).toBe(true);
    for (const empty of [0xfffn, 0x2001n]) expect(meets(empty, empty, "load"), name).toBe(false);
    // Numbers of object types are no addresses.
    if (machine.format.otypes.ordinary) expect(meets(0x1000n, 0x1020n, "seal"), name).toBe(false);
  }
});

test("REUSE-1 swept: nothing points into memory that ended, sealed or not, whatever it permits, however short", () => {
  for (const world of worlds()) {
    const { name } = world;
    const mapped = by(0, channel, mmap(8, 0x100n), csealentry(9, 8), csetbounds(10, 8, 0n), candperm(11, 8, "global"));
    const holds = transitionOf(world, mapped, by(0, sendcap(0, 8), storecap(8, 0n, 1), munmap(8, 0x100n)));
    expect(findings(nothingEnded, holds), name).toEqual([]);
    for (const index of [8, 9, 10, 11]) {
      const old = holds.before.threads[0]?.registers[index];
      const kept = corrupted(holds, (now) => (old === undefined ? now : withRegister(now, 0, index, old)));
      expect(findings(nothingEnded, kept), name).toEqual([`REUSE-1 P0 thread 0 c${index}`]);
    }
    const inMemory = corrupted(holds, (now) => withGranule(now, 0, 0, 0, { tag: true }));
    expect(findings(nothingEnded, inMemory), name).toEqual(["REUSE-1 P0 page 0 granule 0"]);
    const flying = corrupted(holds, (now) => ({ ...now, channels: holds.before.channels }));
    expect(findings(nothingEnded, flying), name).toEqual(["REUSE-1 channel 0 message 0"]);
    // A region ends as a whole.
    const gone = transitionOf(world, by(0, fork(7)), by(1, exit(0n)));
    expect(findings(nothingEnded, gone), name).toEqual([]);
    const code = gone.before.threads[1]?.pcc;
    const stale = corrupted(gone, (now) => (code === undefined ? now : withThread(now, 0, { pcc: code })));
    expect(findings(nothingEnded, stale), name).toEqual(["REUSE-1 P0 thread 0 pcc"]);
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
    expect(findings(monotonicity, wider), name).toEqual(["INV-5 P0 thread 0 c8"]);
    // A sentry opens by a jump, and by nothing else.
    const moved = transitionOf(world, by(0, cincoffset(8, 1, 0n)));
    const entry = registerOf(moved.after, 0, 5);
    const opened = corrupted(moved, (now) =>
      entry === undefined
        ? now
        : withRegister(now, 0, 8, { ...entry, otype: now.format.otypes.unsealed, top: entry.top - 1n }),
    );
    expect(findings(monotonicity, opened), name).toEqual(["INV-5 P0 thread 0 c8"]);
    // The capability that authorises a load is not what is loaded.
    const loaded = transitionOf(world, by(0, csetbounds(8, 1, 0x20n), storecap(8, 0n, 1), loadcap(9, 0n, 1)));
    expect(findings(monotonicity, loaded), name).toEqual([]);
    const authority = corrupted(loaded, (now) => withCopy(now, [0, 1], [0, 9]));
    expect(findings(monotonicity, authority), name).toEqual(["INV-5 P0 thread 0 c9"]);
    // In memory and in channels it is the same: nothing grows on its way.
    const stored = transitionOf(world, by(0, csetbounds(8, 1, 0x20n), storecap(8, 0n, 1)));
    const grown = corrupted(stored, (now) => withGranule(now, 0, 0, 0, { bits: bitsOf(now, 0, 1) }));
    expect(findings(monotonicity, grown), name).toEqual(["INV-5 P0 page 0 granule 0"]);
    const sent = transitionOf(world, by(0, channel, csetbounds(8, 1, 0x20n), sendcap(0, 8)));
    expect(findings(monotonicity, sent), name).toEqual([]);
    const more = corrupted(sent, (now) => ({ ...now, channels: [{ messages: data === undefined ? [] : [data] }] }));
    expect(findings(monotonicity, more), name).toEqual(["INV-5 channel 0 message 0"]);
    // New roots lie in new memory, and there are none elsewhere; a new thread has what its maker has.
    const mapped = transitionOf(world, by(0, mmap(8, 0x100n)));
    const all = corrupted(mapped, (now) => withCopy(now, [0, 1], [0, 8]));
    expect(findings(monotonicity, all), name).toEqual(["INV-5 P0 thread 0 c8"]);
    const started = transitionOf(world, by(0, csetbounds(1, 1, 0x20n), thread));
    expect(findings(monotonicity, started), name).toEqual([]);
    const another = corrupted(started, (now) => (data === undefined ? now : withRegister(now, 1, 1, data)));
    expect(findings(monotonicity, another), name).toEqual(["INV-5 P0 thread 1 c1"]);
  }
});

test("INV-5 rights: a capability is read and written as one only through the rights for it, and as a whole", () => {
  for (const world of worlds({}, ["eager"])) {
    const { name, g } = world;
    const { format } = world.machine;
    const kept = by(0, storecap(1, 0n, 1));
    const data = registerOf(world.machine, 0, 1);
    // Loaded without load-cap; copied to another place of a granule; stored without store-cap.
    const raw = transitionOf(world, kept, by(0, candperm(8, 1, "load", "global"), loadcap(9, 0n, 8)));
    const loaded = corrupted(raw, (now) => (data === undefined ? now : withRegister(now, 0, 9, data)));
    const shifted = transitionOf(world, kept, by(0, cincoffset(8, 1, 2n * g + 1n), cmemcpy(8, 1, 2n * g)));
    const copied = corrupted(shifted, (now) => withGranule(now, 0, 0, 3, { tag: true, bits: bitsOf(now, 0, 1) }));
    expect(findings(monotonicity, raw), name).toEqual([]);
    expect(findings(monotonicity, loaded), name).toEqual(["INV-5 P0 thread 0 c9"]);
    expect(findings(monotonicity, shifted), name).toEqual([]);
    expect(findings(monotonicity, copied), name).toEqual(["INV-5 P0 page 0 granule 3"]);
    // A granule that is copied in part; and what authorises a store of bytes.
    const part = transitionOf(world, kept, by(0, cincoffset(8, 1, 4n * g), cmemcpy(8, 1, g - 1n)));
    const whole = corrupted(part, (now) => withGranule(now, 0, 0, 4, { tag: true, bits: bitsOf(now, 0, 1) }));
    expect(findings(monotonicity, part), name).toEqual([]);
    expect(findings(monotonicity, whole), name).toEqual(["INV-5 P0 page 0 granule 4"]);
    const byte = transitionOf(world, by(0, store("b", 1n, 0n, 1)));
    const authority = corrupted(byte, (now) => withGranule(now, 0, 0, 0, { tag: true, bits: bitsOf(now, 0, 1) }));
    expect(findings(monotonicity, byte), name).toEqual([]);
    expect(findings(monotonicity, authority), name).toEqual(["INV-5 P0 page 0 granule 0"]);
    // Without store-cap a tagged store traps, or leaves no tag: neither puts a capability there.
    const bare = transitionOf(world, by(0, candperm(8, 1, "load", "store", "global"), storecap(1, 0n, 8)));
    expect(findings(monotonicity, bare), name).toEqual([]);
    if (permits(format, bare.before.threads[0]?.registers[8] ?? nullCapability(format), "store-cap")) continue;
    const forced = { ...bare, observation: { kind: "none" } } as const;
    const stored = corrupted(forced, (now) => withGranule(now, 0, 0, 0, { tag: true, bits: bitsOf(now, 0, 1) }));
    expect(findings(monotonicity, stored), name).toEqual(["INV-5 P0 page 0 granule 0"]);
  }
});

test("INV-5 seal: what is sealed opens by the authority for its type and no other, and stays what it is till then", () => {
  for (const world of worlds({}, ["eager"]).filter(({ machine }) => machine.format.otypes.ordinary)) {
    const { name } = world;
    const sealed = by(0, csetbounds(8, 1, 0x40n), cseal(9, 8, 4));
    const shut = transitionOf(world, sealed);
    const open = transitionOf(world, sealed, by(0, cunseal(10, 9, 4)));
    expect(findings(monotonicity, shut), name).toEqual([]);
    expect(findings(monotonicity, open), name).toEqual([]);
    // The same with authority for another type, or none: the step that says so did not do it.
    const other = transitionOf(world, sealed, by(0, cincoffset(11, 4, 1n), cunseal(10, 9, 11)));
    const result = registerOf(open.after, 0, 10);
    const forced = corrupted(other, (now) => (result === undefined ? now : withRegister(now, 0, 10, result)));
    expect(findings(monotonicity, other), name).toEqual([]);
    expect(findings(monotonicity, forced), name).toEqual(["INV-5 P0 thread 0 c10"]);
    const without = transitionOf(world, sealed, by(0, cseal(10, 8, 1)));
    const anyway = corrupted(without, (now) => withCopy(now, [0, 9], [0, 10]));
    expect(findings(monotonicity, anyway), name).toEqual(["INV-5 P0 thread 0 c10"]);
    // Sealed, nothing about it changes.
    const moved = transitionOf(world, sealed, by(0, cincoffset(10, 9, 0x10n)));
    const shifted = corrupted(moved, (now) => {
      const old = now.threads[0]?.registers[9];
      return old === undefined ? now : withRegister(now, 0, 10, { ...old, address: old.address + 0x10n });
    });
    expect(findings(monotonicity, shifted), name).toEqual(["INV-5 P0 thread 0 c10"]);
  }
});

test("INV-6 interference: a step changes nobody else's view but through a grant, or by what it ended", () => {
  for (const world of worlds()) {
    const { name, g } = world;
    const holds = transitionOf(world, by(0, storecap(1, 0x20n, 1), fork(7), store("b", 1n, 0n, 1)));
    expect(findings(nonInterference, holds), name).toEqual([]);
    const byte = corrupted(holds, (machine) => withGranule(machine, 1, 0, 0, { bits: 1n }));
    expect(findings(nonInterference, byte), name).toEqual(["INV-6 P1 page 0 granule 0"]);
    const tag = corrupted(holds, (machine) => withGranule(machine, 1, 0, Number(0x20n / g), { tag: false }));
    expect(findings(nonInterference, tag), name).toEqual([`INV-6 P1 page 0 granule ${0x20n / g}`]);
    // Through a grant: there, and nowhere else.
    const granted = [
      by(0, channel, fork(7)),
      by(1, csetbounds(8, 1, 0x20n), sendcap(0, 8)),
      by(0, recvcap(9, 0), store("b", 1n, 0n, 9)),
    ];
    const through = transitionOf(world, ...granted);
    expect(findings(nonInterference, through), name).toEqual([]);
    const beside = corrupted(through, (machine) => withGranule(machine, 1, 0, Number(0x20n / g), { bits: 1n }));
    expect(findings(nonInterference, beside), name).toEqual([`INV-6 P1 page 0 granule ${0x20n / g}`]);
    // A tag goes with the memory that it names, and with no other.
    const swept = transitionOf(
      world,
      by(0, channel, mmap(8, 0x100n), fork(7), sendcap(0, 8)),
      by(1, recvcap(9, 0), storecap(9, 0x40n, 1), storecap(1, 0x60n, 1)),
      by(0, munmap(8, 0x100n)),
    );
    expect(findings(nonInterference, swept), name).toEqual([]);
    const living = corrupted(swept, (machine) => withGranule(machine, 1, 0, Number(0x60n / g), { tag: false }));
    expect(findings(nonInterference, living), name).toEqual([`INV-6 P1 page 0 granule ${0x60n / g}`]);
    // Not through a capability that does not allow it, nor beyond the bytes that were stored.
    const readOnly = by(0, channel, fork(7)).concat(
      by(1, csetbounds(8, 1, 0x20n), candperm(8, 8, "load", "global"), sendcap(0, 8)),
      by(0, recvcap(9, 0), store("b", 1n, 0n, 9)),
    );
    const forced = { ...transitionOf(world, readOnly), observation: { kind: "none" } } as const;
    const written = corrupted(forced, (machine) => withGranule(machine, 1, 0, 0, { bits: 1n }));
    expect(findings(nonInterference, written), name).toContain("INV-6 P1 page 0 granule 0");
    const wide = corrupted(through, (machine) => withGranule(machine, 1, 0, 0, { bits: 0x101n }));
    expect(findings(nonInterference, wide), name).toEqual(["INV-6 P1 page 0 granule 0"]);
    // Its own memory, too, changes by what it stores alone: a fork leaves it as it is, and so does a load.
    for (const step of [fork(7), loadcap(8, 0n, 1)]) {
      const kept = transitionOf(world, by(0, storecap(1, 0n, 1), store("b", 1n, 0x300n, 1), step));
      expect(findings(nonInterference, kept), name).toEqual([]);
      const cleared = corrupted(kept, (machine) => withGranule(machine, 0, 0, 0, { tag: false }));
      expect(findings(nonInterference, cleared), name).toEqual(["INV-6 P0 page 0 granule 0"]);
    }
    // Registers, protections, pages, threads and names of others; a segment that nobody stored to.
    const register = corrupted(holds, (machine) => withCopy(machine, [1, 1], [1, 9]));
    expect(findings(nonInterference, register), name).toEqual(["INV-6 P1 thread 1 c9"]);
    const closed = corrupted(holds, (machine) => withEntry(machine, 1, 2, { protection: none }));
    expect(findings(nonInterference, closed), name).toEqual(["INV-6 P1 page 2 granule 0"]);
    const unmapped = corrupted(holds, (machine) => ({
      ...machine,
      regions: machine.regions.map((region, slot) => (slot === 1 ? region.with(2, undefined) : region)),
    }));
    expect(findings(nonInterference, unmapped), name).toEqual(["INV-6 P1 page 2 granule 0"]);
    const killed = corrupted(holds, (machine) => withThread(machine, 1, { live: false }));
    expect(findings(nonInterference, killed), name).toEqual(["INV-6 P1 thread 1"]);
    const renamed = corrupted(holds, (machine) => ({
      ...machine,
      processes: machine.processes.map((one, ordinal) => (ordinal === 1 ? { ...one, pid: 99 } : one)),
    }));
    expect(findings(nonInterference, renamed), name).toEqual(["INV-6 P1"]);
    const segment = corrupted(holds, (machine) => ({
      ...machine,
      segments: machine.segments.map((one) => one.with(1, { tag: false, bits: 1n })),
    }));
    expect(findings(nonInterference, segment), name).toEqual(["INV-6 S0 granule 1"]);
    // Another thread of the same process is another's, too.
    const two = transitionOf(world, by(0, thread, store("b", 1n, 0n, 1)));
    const other = corrupted(two, (machine) => withCopy(machine, [1, 2], [1, 1]));
    expect(findings(nonInterference, other), name).toEqual(["INV-6 P0 thread 1 c1"]);
  }
});
