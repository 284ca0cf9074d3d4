/** INV-7 to INV-11, INV-13: a machine that keeps each, and machines that were changed by hand so that they do not. */
import { expect, test } from "vitest";
import { commitKept, soundFrames } from "../../../spec/invariants/frames.js";
import { noTraceOfFailure } from "../../../spec/invariants/interference.js";
import { freshMemory, guardGaps } from "../../../spec/invariants/isolation.js";
import { noForgery } from "../../../spec/invariants/provenance.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import { capability } from "../cheri/rules/capabilities.js";
import {
  by,
  cincoffset,
  cmemcpy,
  csetbounds,
  exit,
  fork,
  lazyStrategies,
  li,
  loadcap,
  mmap,
  munmap,
  rw,
  store,
  storecap,
  worldOf,
  worlds,
} from "../sfork/programs.js";
import {
  bitsOf,
  corrupted,
  findings,
  transitionOf,
  withCopy,
  withEntry,
  withFrame,
  withGranule,
  withRegister,
} from "./transitions.js";

test("INV-7 forgery: a granule becomes tagged only by something tagged that was stored there", () => {
  for (const world of worlds()) {
    const { name } = world;
    const stored = transitionOf(world, by(0, storecap(1, 0n, 1)));
    expect(findings(noForgery, stored), name).toEqual([]);
    const copying = by(0, storecap(1, 0n, 1), cincoffset(8, 1, 0x40n), cmemcpy(8, 1, 0x20n));
    expect(findings(noForgery, transitionOf(world, copying)), name).toEqual([]);
    // A resolved page shows what it showed before.
    const resolved = transitionOf(world, by(0, storecap(1, 0n, 1), fork(7)), by(1, store("b", 1n, 0x40n, 1)));
    expect(findings(noForgery, resolved), name).toEqual([]);
    // Another granule, other bits, and bits that were there without a tag.
    const beside = corrupted(stored, (machine) =>
      withGranule(machine, 0, 0, 1, { tag: true, bits: bitsOf(machine, 0, 2) }),
    );
    expect(findings(noForgery, beside), name).toEqual(["INV-7 P0 page 0 granule 1"]);
    const other = corrupted(stored, (machine) => withGranule(machine, 0, 0, 0, { bits: bitsOf(machine, 0, 2) }));
    expect(findings(noForgery, other), name).toEqual(["INV-7 P0 page 0 granule 0"]);
    const number = transitionOf(world, by(0, li(8, 0x1234n), storecap(8, 0n, 1)));
    const tagged = corrupted(number, (machine) => withGranule(machine, 0, 0, 0, { tag: true }));
    expect(findings(noForgery, number), name).toEqual([]);
    expect(findings(noForgery, tagged), name).toEqual(["INV-7 P0 page 0 granule 0"]);
  }
});

test("INV-8 frames: references are mappings, shared frames are guarded, pages show what an eager copy shows", () => {
  for (const world of worlds()) {
    const { name } = world;
    const holds = transitionOf(world, by(0, storecap(1, 0n, 1), fork(7)), by(1, store("b", 1n, 0x100n, 1)));
    expect(findings(soundFrames, holds), name).toEqual([]);
    // A mapping that is not counted, one that is counted and not there, a page without a frame.
    const extra = corrupted(holds, (machine) => withFrame(machine, 0, { references: 0 }));
    expect(findings(soundFrames, extra), name).toEqual(["INV-8 frame 0"]);
    const gone = corrupted(holds, (machine) => ({ ...machine, regions: machine.regions.with(1, []) }));
    expect(findings(soundFrames, gone).length, name).toBe(6);
    const freed = corrupted(holds, (machine) => ({ ...machine, frames: machine.frames.with(0, undefined) }));
    expect(findings(soundFrames, freed), name).toContain("INV-8 frame 0");
    // A frame that nobody maps, counted as such; a page where nobody lives.
    const leaked = corrupted(holds, (machine) => ({
      ...machine,
      frames: [...machine.frames, { memory: [], home: 0n, references: 0 }],
    }));
    expect(findings(soundFrames, leaked), name).toEqual([`INV-8 frame ${holds.after.frames.length}`]);
    const haunted = corrupted(transitionOf(world, by(0, fork(7)), by(1, exit(0n))), (machine) => ({
      ...withFrame(machine, 0, { references: 2 }),
      regions: machine.regions.with(1, machine.regions[0]?.slice(0, 1) ?? []),
    }));
    expect(findings(soundFrames, haunted), name).toContain("INV-8 slot 1 page 0");
  }
  for (const world of worlds({}, lazyStrategies)) {
    const { name } = world;
    const holds = transitionOf(world, by(0, storecap(1, 0n, 1), fork(7)));
    expect(findings(soundFrames, holds), name).toEqual([]);
    // Pages 0 to 3 and 6 can be written; code cannot, and needs no guard for it.
    const open = corrupted(holds, (machine) => withEntry(machine, 1, 3, { guard: false }));
    expect(findings(soundFrames, open), name).toEqual(["INV-8 slot 1 page 3"]);
    const code = corrupted(holds, (machine) => withEntry(machine, 1, 7, { guard: false }));
    expect(findings(soundFrames, code), name).toEqual([]);
    // What an eager copy would not show: other bytes, or a pointer that is taken for the child's own already.
    const bytes = corrupted(holds, (machine) => withGranule(machine, 1, 2, 1, { bits: 1n }));
    expect(findings(soundFrames, bytes), name).toEqual(["INV-8 P0 page 2 granule 1", "INV-8 P1 page 2 granule 1"]);
    const split = transitionOf(world, by(0, storecap(1, 0n, 1), fork(7)), by(1, store("b", 1n, 0x80n, 1)));
    const stale = corrupted(split, (machine) => withGranule(machine, 1, 0, 0, { bits: bitsOf(machine, 0, 1) }));
    expect(findings(soundFrames, stale), name).toEqual(["INV-8 P1 page 0 granule 0"]);
    expect(findings(soundFrames, { ...stale, ghost: undefined }), name).toEqual([]);
    // A page that may be written where an eager copy may not.
    const wide = corrupted(split, (machine) => withEntry(machine, 1, 7, { protection: rw, guard: true }));
    expect(findings(soundFrames, wide), name).toEqual(["INV-8 P1 page 7 granule 0"]);
  }
});

test("INV-9 fresh: new memory is zero, and nothing points into it but what the step made", () => {
  for (const world of worlds()) {
    const { name } = world;
    const used = by(0, mmap(8, 0x100n), store("b", 1n, 0n, 8), storecap(8, 0n, 1), munmap(8, 0x100n));
    const mapped = transitionOf(world, used, by(0, mmap(8, 0x100n)));
    expect(findings(freshMemory, mapped), name).toEqual([]);
    const dirty = corrupted(mapped, (machine) => withGranule(machine, 0, 4, 3, { bits: 1n }));
    expect(findings(freshMemory, dirty), name).toEqual(["INV-9 P0 page 4 granule 3"]);
    const tagged = corrupted(mapped, (machine) => withGranule(machine, 0, 0, 0, { tag: true }));
    expect(findings(freshMemory, tagged), name).toEqual(["INV-9 P0 page 0 granule 0"]);
    const register = corrupted(mapped, (machine) => withCopy(machine, [0, 8], [0, 9]));
    expect(findings(freshMemory, register), name).toEqual(["INV-9 P0 thread 0 c9"]);
    // The region of a child, where somebody lived before.
    const reused = transitionOf(world, by(0, fork(7)), by(1, exit(0n)), by(0, fork(7)));
    expect(findings(freshMemory, reused), name).toEqual([]);
    const old = corrupted(reused, (machine) => withCopy(machine, [2, 1], [0, 9]));
    expect(findings(freshMemory, old), name).toEqual(["INV-9 P0 thread 0 c9"]);
    const message = corrupted(reused, (machine) => ({
      ...machine,
      channels: [{ messages: machine.threads[2]?.registers.slice(2, 3) ?? [] }],
    }));
    expect(findings(freshMemory, message), name).toEqual(["INV-9 channel 0 message 0"]);
  }
});

test("INV-10 failure: a step that traps or fails leaves the machine as it was", () => {
  for (const world of worlds({ processes: 1 })) {
    const { name } = world;
    for (const operation of [loadcap(8, 0n, 0), fork(7), munmap(1, 0n)]) {
      const holds = transitionOf(world, by(0, operation));
      expect(findings(noTraceOfFailure, holds), name).toEqual([]);
      const ended = corrupted(holds, (machine) => ({ ...machine, endings: 1 }));
      expect(findings(noTraceOfFailure, ended), name).toEqual(["INV-10 P0"]);
      const written = corrupted(holds, (machine) => withCopy(machine, [0, 1], [0, 8]));
      expect(findings(noTraceOfFailure, written), name).toEqual(["INV-10 P0"]);
    }
    const succeeds = transitionOf(world, by(0, storecap(1, 0n, 1)));
    expect(findings(noTraceOfFailure, succeeds), name).toEqual([]);
  }
});

test("INV-11 guards: no bounds leave their region, neither into the gap behind it nor across", () => {
  for (const world of worlds()) {
    const { name, at, machine } = world;
    const holds = transitionOf(world, by(0, csetbounds(8, 1, 0x40n)));
    expect(findings(guardGaps, holds), name).toEqual([]);
    const held = (base: bigint, top: bigint) =>
      corrupted(holds, (now) => withRegister(now, 0, 8, capability(machine.format, { base, top, allow: ["load"] })));
    expect(findings(guardGaps, held(at(0, 0x700n), at(0, 0x800n))), name).toEqual([]);
    expect(findings(guardGaps, held(at(1), at(1, 0x100n))), name).toEqual([]);
    // Rights do not matter, and a gap is one for capabilities of other regions, too.
    for (const [base, top] of [
      [at(0, 0x7f0n), at(0, 0x810n)],
      [at(0, 0x800n), at(0, 0x840n)],
      [at(1) - 0x10n, at(1, 0x10n)],
      [at(0) - 0x10n, at(0, 0x10n)],
    ] as const) {
      expect(findings(guardGaps, held(base, top)), name).toEqual(["INV-11 P0 thread 0 c8"]);
    }
    // In flight, too.
    const flying = corrupted(held(at(0, 0x800n), at(0, 0x840n)), (now) => ({
      ...withCopy(now, [0, 0], [0, 8]),
      channels: [{ messages: now.threads[0]?.registers.slice(8, 9) ?? [] }],
    }));
    expect(findings(guardGaps, flying), name).toEqual(["INV-11 channel 0 message 0"]);
    // Below and behind all regions is no gap.
    expect(findings(guardGaps, held(at(0) - 0x40n, at(0))), name).toEqual([]);
    expect(findings(guardGaps, held(at(16), at(16, 0x100n))), name).toEqual([]);
  }
});

test("INV-13 commit: no more frames are in use than are committed, and no more committed than there are", () => {
  const withFrames = (machine: Machine, frames: number): Machine => ({
    ...machine,
    config: { ...machine.config, frames },
  });
  for (const world of worlds({ frames: 12 })) {
    const { name } = world;
    // Two processes with six private pages each.
    const holds = transitionOf(world, by(0, fork(7)));
    expect(findings(commitKept, holds), name).toEqual([]);
    const over = corrupted(holds, (machine) => withFrames(machine, 11));
    expect(findings(commitKept, over), name).toEqual(["INV-13 the machine"]);
    // More frames than pages: what an exit did not give back.
    const ended = transitionOf(world, by(0, fork(7)), by(1, exit(0n)));
    expect(findings(commitKept, ended), name).toEqual([]);
    const leaked = corrupted(ended, (machine) => ({ ...machine, frames: [...machine.frames, ...holds.after.frames] }));
    expect(findings(commitKept, leaked), name).toEqual(["INV-13 the machine"]);
  }
  // Overcommitted, only frames in use count.
  const lazy = worldOf({ frames: 8, commit: "overcommit", strategy: "coa" });
  const shared = transitionOf(lazy, by(0, fork(7)));
  expect(findings(commitKept, shared)).toEqual([]);
  expect(
    findings(
      commitKept,
      corrupted(shared, (machine) => withFrames(machine, 5)),
    ),
  ).toEqual(["INV-13 the machine"]);
});
