/** FORK-1 to FORK-4: who is born, with which memory and which registers. */
import { expect, test } from "vitest";
import { formats, type Capability, type CapabilityFormat } from "../../../spec/cheri/index.js";
import { isMemoryCapability, meets, relocated } from "../../../spec/sfork/relocate.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import type { Operation } from "../../../spec/sfork/operation.js";
import { imageOf } from "../../../spec/invariants/view.js";
import { capability, sealedType } from "../cheri/rules/capabilities.js";
import { everywhere, exec, getaltstack, kill, madvise, sigaction, sigaltstack, sigmask } from "./calls.js";
import {
  after,
  by,
  cap,
  ccleartag,
  channel,
  cincoffset,
  countersOf,
  csealentry,
  csetbounds,
  error,
  exit,
  fork,
  getpid,
  getppid,
  int,
  last,
  li,
  load,
  loadcap,
  mmap,
  mprotect,
  munmap,
  nothing,
  r,
  recvcap,
  registerOf,
  seen,
  sendcap,
  store,
  storecap,
  thread,
  threadExit,
  trap,
  wait,
  worldOf,
  worlds,
  expectUnchanged,
} from "./programs.js";

test("FORK-1 fork: the lowest free slot and pid; no process, slot or commit left is an error without effect", () => {
  for (const { name, config, machine } of worlds({ processes: 3, slots: 4, frames: 20 })) {
    expect(last(machine, by(0, fork(7))), name).toEqual({ kind: "child", child: 1 });
    const one = after(machine, by(0, fork(7)));
    expect(one.processes, name).toMatchObject([{ slot: 0 }, { slot: 1, parent: 0, state: { kind: "live" } }]);
    expect(seen(one, 1, getpid(8), getppid(9)), name).toEqual([int(2n), int(1n)]);
    // Three processes, zombies included; 20 frames are enough for them.
    const full = after(one, by(1, fork(7)));
    expect(last(full, by(0, fork(7))), name).toEqual(error("EAGAIN", "ENOMEM"));
    expectUnchanged(full, by(0, fork(7)), name);
    const zombie = after(full, by(1, exit(0n)));
    expect(last(zombie, by(0, fork(7))), name).toMatchObject({ kind: "error", error: "EAGAIN" });
    // A reaped one makes room; its slot was free before, its pid is now, and both are the lowest.
    const reused = after(zombie, by(0, wait(8), fork(7)));
    expect(reused.processes.map(({ slot, pid }) => ({ slot, pid })).slice(2), name).toEqual([
      { slot: 2, pid: 3 },
      { slot: 1, pid: 2 },
    ]);
    // Six private pages of each process are committed, whatever a strategy shares: 13 frames suffice for two.
    const { format, strategy } = config;
    const two = after(worldOf({ format, strategy, frames: 13 }).machine, by(0, fork(7)));
    expect(last(two, by(0, fork(7))), name).toEqual(error("ENOMEM"));
    expectUnchanged(two, by(1, fork(7)), name);
    // Without a reserve an eager copy needs its frames now; whether a choice is allowed is asked where there is room.
    const tight = worldOf({ format, strategy: "eager", frames: 8, commit: "overcommit" }).machine;
    for (const choice of [{}, { slot: 0 }]) expect(last(tight, by(0, fork(7, choice))), name).toEqual(error("ENOMEM"));
    // Choices: what is free may be chosen.
    const chosen = after(machine, by(0, fork(7, { slot: 3, pid: 9 })));
    expect(chosen.processes[1], name).toMatchObject({ slot: 3, pid: 9 });
    for (const taken of [{ slot: 3 }, { slot: 4 }, { pid: 9 }, { pid: 0 }, { pid: 1.5 }, { pid: 2 ** 31 }]) {
      expect(last(chosen, by(0, fork(7, taken))), name).toEqual({ kind: "bad-choice" });
      expectUnchanged(chosen, by(0, fork(7, taken)), name);
    }
    // The highest pid leaves all lower ones to the next fork; a zombie keeps its own, a reaped process does not.
    const highest = after(machine, by(0, fork(7, { pid: 2 ** 31 - 1 })));
    expect(seen(highest, 1, getpid(8)), name).toEqual([int(0x7fff_ffffn)]);
    expect(after(highest, by(0, fork(7))).processes[2], name).toMatchObject({ pid: 2 });
    const ended = after(chosen, by(1, exit(0n)));
    expect(last(ended, by(0, fork(7, { pid: 9 }))), name).toEqual({ kind: "bad-choice" });
    expect(last(ended, by(0, wait(8), fork(7, { pid: 9 }))), name).toEqual({ kind: "child", child: 2 });
  }
  // Slots that are never handed out twice run out.
  for (const { name, machine } of worlds({ processes: 2, slots: 2, reuse: "never" })) {
    const ended = after(machine, by(0, fork(7)), by(1, exit(0n)), by(0, wait(8)));
    expect(last(ended, by(0, fork(7))), name).toMatchObject({ kind: "error", error: "EAGAIN" });
  }
});

test("FORK-2 pages: the child has the parent's bytes, tags and protections, apart from it, and shares the segments", () => {
  for (const { name, config, machine, at } of worlds()) {
    const forked = after(
      machine,
      by(0, csetbounds(8, 1, 0x40n), storecap(8, 0x20n, 1), storecap(6, 0x40n, 1), store("w", 0x12345678n, 0x100n, 1)),
      by(0, cincoffset(9, 1, 0x100n), mprotect(9, 0x100n, r), store("b", 5n, 0n, 6), fork(7)),
    );
    expect(seen(forked, 1, loadcap(10, 0x20n, 1), loadcap(10, 0x40n, 1), load("w", 10, 0x100n, 1)), name).toMatchObject(
      [
        cap({ tag: true, address: at(1), base: at(1), top: at(1, 0x40n) }),
        cap({ tag: true, base: at(16), top: at(16, 0x100n) }),
        int(0x12345678n),
      ],
    );
    expect(last(forked, by(1, store("b", 1n, 0x100n, 1))), name).toEqual(trap("page-write"));
    expect(last(forked, by(1, load("b", 10, 0n, 6))), name).toEqual(int(5n));
    // From now on each has its own.
    const apart = after(forked, by(0, store("b", 1n, 0x80n, 1), store("b", 6n, 0n, 6)), by(1, storecap(6, 0x20n, 1)));
    expect(seen(apart, 1, load("b", 10, 0x80n, 1), load("b", 10, 0n, 6)), name).toEqual([int(0n), int(6n)]);
    expect(last(apart, by(0, loadcap(10, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(0) }));
    // Copied now or later: six pages, of which one has a pointer that moves.
    const now = { faults: 0, copies: 6, relocations: 1, pageTableWrites: 6 };
    const later = { faults: 0, copies: 0, relocations: 0, pageTableWrites: 6 };
    expect(countersOf(forked, 1), name).toEqual(config.strategy === "eager" ? now : later);
  }
});

/** Advice for a page of its own, page 4, which c9 names. */
const advised = (advice: Parameters<typeof madvise>[2], ...more: readonly Operation[]) =>
  by(0, mmap(9, 0x100n), store("b", 5n, 0n, 9), madvise(9, 0x100n, advice), ...more);

test("pages that are marked so are absent in a child, or begin with zeros there; the mark is inherited", () => {
  for (const { name, machine } of everywhere()) {
    const see = (now: Machine, actor: number) => last(now, by(actor, load("b", 10, 0n, 9)));
    const mapped = (now: Machine) => now.regions[1]?.flatMap((entry, page) => (entry === undefined ? [] : [page]));
    // The page is not there, and what would point to it does not either.
    const absent = after(machine, advised("dontfork", fork(7)));
    expect([see(absent, 0), see(absent, 1)], name).toEqual([int(5n), trap("tag")]);
    expect(mapped(absent), name).toEqual([0, 1, 2, 3, 6, 7]);
    expect(last(absent, by(1, load("b", 10, 0n, 1))), name).toEqual(int(0n));
    const wiped = after(machine, advised("wipeonfork", storecap(1, 0x20n, 9), mprotect(9, 0x100n, r), fork(7)));
    expect([see(wiped, 0), see(wiped, 1)], name).toEqual([int(5n), int(0n)]);
    expect(last(wiped, by(1, loadcap(10, 0x20n, 9))), name).toMatchObject(cap({ tag: false, address: 0n }));
    // With the parent's protection, and apart from its page.
    expect(last(wiped, by(1, store("b", 1n, 0n, 9))), name).toEqual(trap("page-write"));
    const written = after(machine, advised("wipeonfork", fork(7)), by(1, store("b", 8n, 0n, 9), fork(7)));
    expect(
      [0, 1, 2].map((actor) => see(written, actor)),
      name,
    ).toEqual([int(5n), int(8n), int(0n)]);
    // And taken back; each advice has its own opposite, and a page may have both.
    for (const [advice, undone, expected] of [
      ["dontfork", "dofork", int(5n)],
      ["wipeonfork", "keeponfork", int(5n)],
      ["dontfork", "keeponfork", trap("tag")],
      ["wipeonfork", "dofork", int(0n)],
      ["dontfork", "wipeonfork", trap("tag")],
    ] as const) {
      expect(see(after(machine, advised(advice, madvise(9, 0x100n, undone), fork(7))), 1), name).toEqual(expected);
    }
    // In a child that took it back, the grandchild has what its parent has.
    const kept = by(1, madvise(9, 0x100n, "keeponfork"), store("b", 8n, 0n, 9), fork(7));
    expect(see(after(machine, advised("wipeonfork", fork(7)), kept), 2), name).toEqual(int(8n));
    // Other changes of the page leave the mark; another mapping has none.
    const changed = after(machine, advised("dontfork", mprotect(9, 0x100n, r), store("b", 1n, 0n, 1), fork(7)));
    expect(mapped(changed), name).toEqual([0, 1, 2, 3, 6, 7]);
    const again = after(machine, advised("dontfork", munmap(9, 0x100n), mmap(9, 0x100n), fork(7)));
    expect(see(again, 1), name).toEqual(int(0n));
    // A fork resolves nothing of what it does not copy: a grandchild after a write has it no more.
    const resolved = after(machine, advised("wipeonfork", fork(7)), by(0, store("b", 6n, 0n, 9), fork(7)));
    expect(
      [0, 1, 2].map((actor) => see(resolved, actor)),
      name,
    ).toEqual([int(6n), int(0n), int(0n)]);
    // No bytes are no pages; what is not one's own memory is refused.
    const refused = [madvise(0, 0n, "dontfork"), madvise(0, 1n, "dontfork"), madvise(6, 1n, "wipeonfork")];
    expect(seen(machine, 0, ...refused), name).toEqual([nothing, error("EINVAL"), error("EINVAL")]);
  }
  // A page that the child lacks needs no commit, one that is wiped does: six and one are committed.
  for (const { config, name } of worlds()) {
    const { format, strategy } = config;
    const { machine } = worldOf({ format, strategy, frames: 13 });
    expect(last(machine, advised("dofork", fork(7))), name).toEqual(error("ENOMEM"));
    expect(last(machine, advised("dontfork", fork(7))), name).toEqual({ kind: "child", child: 1 });
    expect(last(machine, advised("wipeonfork", fork(7))), name).toEqual(error("ENOMEM"));
  }
});

test("FORK-2 absent: what the child's copies point to in pages that it lacks loses its tag there, and only there", () => {
  for (const { name, machine, at } of everywhere()) {
    // In memory and registers: into the page, across its border, beside it, and empty at its end.
    const prepared = after(
      machine,
      by(
        0,
        cincoffset(9, 1, 0x100n),
        store("b", 5n, 0n, 9),
        madvise(9, 0x100n, "dontfork"),
        csetbounds(10, 9, 0x40n),
        cincoffset(11, 1, 0xc0n),
        csetbounds(11, 11, 0x80n),
      ),
      by(0, csetbounds(12, 1, 0x100n), cincoffset(13, 9, 0x100n), csetbounds(13, 13, 0n), csealentry(14, 10)),
      by(
        0,
        storecap(10, 0x40n, 2),
        storecap(12, 0x60n, 2),
        sigaltstack(10),
        sigaction(10, { code: 3, data: 10 }),
        fork(7),
      ),
    );
    const tags = (actor: number) => [9, 10, 11, 12, 13, 14].map((index) => registerOf(prepared, actor, index)?.tag);
    const code = after(machine, by(0, csetbounds(10, 1, 0x40n), csealentry(14, 10)));
    const isCode = registerOf(code, 0, 14)?.tag;
    expect(tags(0), name).toEqual([true, true, true, true, true, isCode]);
    expect(tags(1), name).toEqual([false, false, false, true, false, false]);
    expect(registerOf(prepared, 1, 10), name).toMatchObject({
      tag: false,
      base: at(1, 0x100n),
      address: at(1, 0x100n),
    });
    const loads = (actor: number) =>
      seen(prepared, actor, store("b", 0n, 0x80n, 2), loadcap(8, 0x40n, 2), loadcap(8, 0x60n, 2)).slice(1);
    expect(loads(0), name).toMatchObject([cap({ tag: true, base: at(0, 0x100n) }), cap({ tag: true, base: at(0) })]);
    expect(loads(1), name).toMatchObject([cap({ tag: false }), cap({ tag: true, base: at(1) })]);
    // What the kernel keeps, too: the handler of the child has nothing to count in.
    expect(
      [0, 1].map((actor) => last(prepared, by(actor, getaltstack(8)))),
      name,
    ).toMatchObject([cap({ tag: true }), cap({ tag: false })]);
    expect(last(prepared, by(0, kill(1, 10)), by(1, getpid(8))), name).toEqual({ kind: "no-actor" });
    expect(last(prepared, by(0, kill(0, 10), load("b", 8, 0x100n, 1))), name).toEqual(int(6n));
    // Memory that comes there later is not pointed to by what is old.
    expect(registerOf(after(prepared, by(1, exec)), 1, 10), name).toMatchObject({ tag: false });
  }
});

test("FORK-4 kernel-held: handlers and alternate stack of the child are its own images; each may change its own", () => {
  for (const { name, machine, at } of everywhere()) {
    // The registers that they came from are gone.
    const prepared = after(
      machine,
      by(0, csetbounds(8, 1, 0x40n), sigaction(10, { code: 3, data: 8 }), sigaltstack(2), ccleartag(8, 8), fork(7)),
    );
    const held = prepared.processes.map(({ actions, alternateStack }) => ({ action: actions.get(10), alternateStack }));
    const of = (process: number) => ({
      action: {
        code: { tag: true, base: at(process, 0x700n), top: at(process, 0x800n) },
        data: { tag: true, base: at(process), top: at(process, 0x40n), address: at(process) },
      },
      alternateStack: { tag: true, base: at(process, 0x600n), top: at(process, 0x700n) },
    });
    expect(held, name).toMatchObject([of(0), of(1)]);
    // A grandchild's, too; each counts in its own memory.
    const grand = after(
      prepared,
      by(1, fork(7)),
      by(0, kill(2, 10), kill(1, 10), kill(1, 10)),
      by(2, getpid(8)),
      by(1, getpid(8)),
    );
    expect(
      [0, 1, 2].map((actor) => last(grand, by(actor, load("b", 8, 0n, 1)))),
      name,
    ).toEqual([0n, 1n, 1n].map(int));
    const apart = after(prepared, by(1, sigaction(10, "default"), sigaltstack(1)));
    expect(apart.processes[0], name).toEqual({ ...prepared.processes[0] });
    expect(last(apart, by(0, sigmask(10), kill(0, 10), sigmask(), load("b", 8, 0n, 1))), name).toEqual(int(1n));
    // What means nobody's region stays: a segment.
    const segment = after(
      machine,
      by(0, sigaction(10, { code: 5, data: 6 }), sigaltstack(6), fork(7)),
      by(0, kill(1, 10)),
      by(1, getpid(8)),
    );
    expect(last(segment, by(0, load("b", 8, 0n, 6))), name).toEqual(int(1n));
  }
});

interface Case {
  readonly what: string;
  readonly capability: Capability;
  readonly moves: boolean;
}

/** A region of 0x800 bytes at 0x10000, and capabilities in it, around it and across its ends. */
const region = { start: 0x10000n, end: 0x10800n };

const cases = (format: CapabilityFormat): readonly Case[] => {
  const of = (base: bigint, top: bigint, changed: Partial<Capability> = {}): Capability =>
    capability(format, { base, top, address: base, allow: ["load", "store"], ...changed });
  const otype = sealedType(format);
  const authority = capability(format, { base: 0x10000n, top: 0x10010n, allow: ["seal", "unseal"] });
  return [
    { what: "some bytes", capability: of(0x10100n, 0x10140n), moves: true },
    { what: "the whole region", capability: of(0x10000n, 0x10800n), moves: true },
    { what: "an address one past the end", capability: of(0x107c0n, 0x10800n, { address: 0x10800n }), moves: true },
    { what: "an address below the region", capability: of(0x10000n, 0x10040n, { address: 0xffffn }), moves: true },
    { what: "no bytes at the start", capability: of(0x10000n, 0x10000n), moves: true },
    { what: "no bytes at the end", capability: of(0x10800n, 0x10800n), moves: true },
    { what: "a sealed one", capability: of(0x10100n, 0x10140n, { otype }), moves: true },
    { what: "a local one without rights", capability: capability(format, { base: 0x10100n, allow: [] }), moves: true },
    { what: "an untagged one", capability: of(0x10100n, 0x10140n, { tag: false }), moves: false },
    {
      what: "bounds before it, an address in it",
      capability: of(0xff00n, 0xff40n, { address: 0xff40n }),
      moves: false,
    },
    { what: "bounds up to it", capability: of(0xffc0n, 0x10000n, { address: 0x10000n }), moves: false },
    { what: "bounds across its start", capability: of(0xffc0n, 0x10040n, { address: 0x10000n }), moves: false },
    { what: "bounds across its end", capability: of(0x107c0n, 0x10840n), moves: false },
    { what: "no bytes behind it", capability: of(0x10801n, 0x10801n), moves: false },
    ...(format.otypes.ordinary ? [{ what: "numbers of object types", capability: authority, moves: false }] : []),
  ];
};

/** Moved by a distance that suits every format, up and down. */
const expectImages = (image: (format: CapabilityFormat, one: Capability, delta: bigint) => Capability): void => {
  for (const format of Object.values(formats)) {
    for (const { what, capability: one, moves } of cases(format)) {
      for (const delta of [0x4000n, -0x8000n]) {
        const label = `${format.name}: ${what}`;
        const { base, top, address, tag, permissions, otype } = one;
        const by = moves ? delta : 0n;
        const moved = { base: base + by, top: top + by, address: address + by, tag, permissions, otype };
        expect(image(format, one, delta), label).toMatchObject(moved);
      }
      expect(image(format, one, 0n)).toEqual(one);
    }
  }
};

test("FORK-3 image: bounds within the region move with the address, whatever it is, and nothing else does", () => {
  expectImages((format, one, delta) => relocated(format, one, region, delta));
});

test("FORK-3 checked: the checker's own account of it says the same", () => {
  expectImages((format, one, delta) => imageOf(format, one, region.start, region.start + delta, 0x800n));
});

test("CAP-6 memory: authority over object types is nobody's memory, wherever its numbers lie", () => {
  for (const format of Object.values(formats)) {
    const memory = capability(format, { base: 0x10000n, top: 0x10010n, allow: ["load", "store"] });
    expect(isMemoryCapability(format, memory), format.name).toBe(true);
    expect(isMemoryCapability(format, { ...memory, tag: false, otype: sealedType(format) }), format.name).toBe(true);
    // RVY has no such authority.
    if (!format.otypes.ordinary) continue;
    for (const allow of [["seal"], ["unseal"], ["seal", "unseal", "global"]] as const) {
      const authority = capability(format, { base: 0x10000n, top: 0x10010n, allow });
      expect(isMemoryCapability(format, authority), format.name).toBe(false);
      expect(relocated(format, authority, region, 0x4000n), format.name).toEqual(authority);
      expect(meets(format, authority, region), format.name).toBe(false);
    }
  }
});

test("FORK-5 thread: the child has the caller's image and none of its parent's other threads", () => {
  for (const { name, machine, at } of worlds()) {
    // Threads 0, 1 and 2 are process 0's; 1 forks.
    const threads = after(machine, by(0, li(8, 5n), thread, li(8, 6n), thread), by(1, li(8, 7n)));
    const forked = after(threads, by(1, fork(9)));
    const belongs = forked.threads.map(({ process, live }) => ({ process, live }));
    const of = (process: number) => ({ process, live: true });
    expect(belongs, name).toEqual([of(0), of(0), of(0), of(1)]);
    expect(registerOf(forked, 3, 8), name).toMatchObject({ address: 7n });
    expect(registerOf(forked, 3, 1), name).toMatchObject({ base: at(1) });
    // Without it, the child is at its end.
    expect(after(forked, by(3, threadExit)).processes[1], name).toMatchObject({ state: { kind: "zombie" } });
  }
});

test("FORK-7 untagged: what looks like a pointer and has no tag is the same in the child", () => {
  for (const { name, machine, g, at } of worlds()) {
    // An untagged pointer in a register and in memory; one with a byte overwritten; all ones; and a true one beside them.
    const forked = after(
      machine,
      by(0, ccleartag(8, 1), storecap(8, 0n, 1), storecap(1, g, 1), store("b", 0x5an, 2n * g - 1n, 1)),
      by(0, store("w", -1n, 2n * g, 1), store("w", -1n, 2n * g + 4n, 1), storecap(1, 4n * g, 1), fork(7)),
    );
    const seenBy = (process: number) =>
      seen(forked, process, store("b", 0n, 0xf0n, 1), loadcap(9, 0n, 1), load("bu", 9, 2n * g - 1n, 1)).slice(1);
    expect(seenBy(1), name).toMatchObject([cap({ tag: false, address: at(0) }), int(0x5an)]);
    expect(seenBy(1), name).toEqual(seenBy(0));
    const loads = [store("b", 0n, 0xf0n, 1), loadcap(9, g, 1), loadcap(9, 2n * g, 1), loadcap(9, 4n * g, 1)];
    expect(seen(forked, 1, ...loads).slice(1, 3), name).toEqual(seen(forked, 0, ...loads).slice(1, 3));
    expect(seen(forked, 1, ...loads).at(-1), name).toMatchObject(cap({ tag: true, address: at(1) }));
    expect(registerOf(forked, 1, 8), name).toEqual(registerOf(forked, 0, 8));
  }
});

test("FORK-4 registers: those of the caller, relocated; 0 in the child, the pid in the parent", () => {
  for (const { name, machine, at } of worlds()) {
    // c10 looks like a pointer, c11 has left its bounds, c12 is process 1's memory, which it sent.
    const prepared = after(
      machine,
      by(0, channel, fork(7)),
      by(1, sendcap(0, 1)),
      by(0, li(10, at(0, 0x40n)), csetbounds(11, 1, 0x20n), cincoffset(11, 11, 0x21n), recvcap(12, 0)),
    );
    expect(registerOf(prepared, 0, 7), name).toMatchObject({ tag: false, address: 2n });
    const forked = after(prepared, by(0, fork(7)));
    const parent = prepared.threads[0]?.registers ?? [];
    expect(forked.threads, name).toHaveLength(3);
    const { registers = [], pcc, process, live } = forked.threads[2] ?? {};
    expect({ process, live }, name).toEqual({ process: 2, live: true });
    const moved = (index: number, from: bigint, to: bigint, address = from) => {
      const before = parent[index];
      const { permissions, otype } = before ?? {};
      return { tag: true, address: at(2, address), base: at(2, from), top: at(2, to), permissions, otype };
    };
    expect(registers[1], name).toMatchObject(moved(1, 0n, 0x400n));
    expect(registers[2], name).toMatchObject(moved(2, 0x600n, 0x700n));
    expect(registers[3], name).toMatchObject(moved(3, 0x700n, 0x800n));
    expect(registers[11], name).toMatchObject(moved(11, 0n, 0x20n, 0x21n));
    expect(pcc, name).toMatchObject({ tag: true, base: at(2, 0x700n), top: at(2, 0x800n), address: at(2, 0x700n) });
    // Sealing authority, kernel, segment, an integer, foreign memory.
    for (const index of [0, 4, 5, 6, 8, 10, 12]) expect(registers[index], name).toEqual(parent[index]);
    expect(registers[12], name).toMatchObject({ tag: true, base: at(1), top: at(1, 0x400n) });
    expect(registers[7], name).toMatchObject({ tag: false, address: 0n });
    expect(registerOf(forked, 0, 7), name).toMatchObject({ tag: false, address: 3n });
    expect(forked.threads[0]?.registers.toSpliced(7, 1), name).toEqual(parent.toSpliced(7, 1));
  }
});
