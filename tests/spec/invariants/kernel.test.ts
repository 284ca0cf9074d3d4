/** INV-12, and what INV-3, INV-5, INV-6, INV-9 and INV-10 say of kernel objects: machines changed by hand name their rule. */
import { expect, test } from "vitest";
import { exactDescriptors } from "../../../spec/invariants/descriptors.js";
import { nonInterference, noTraceOfFailure } from "../../../spec/invariants/interference.js";
import { isolation, nothingEnded } from "../../../spec/invariants/isolation.js";
import { monotonicity, noForgery } from "../../../spec/invariants/provenance.js";
import { exactRelocation } from "../../../spec/invariants/relocation.js";
import type { Transition } from "../../../spec/invariants/transition.js";
import type { Capability } from "../../../spec/cheri/index.js";
import type { Description, File } from "../../../spec/sfork/kernel.js";
import type { Machine, Process } from "../../../spec/sfork/machine.js";
import type { Observation } from "../../../spec/sfork/observation.js";
import type { Operation, Step } from "../../../spec/sfork/operation.js";
import {
  blocked,
  burn,
  bytes,
  close,
  complete,
  enter,
  everywhere,
  exec,
  finish,
  kill,
  lock,
  lseek,
  madvise,
  open,
  pipe,
  read,
  readv,
  setpgid,
  sigaction,
  sigaltstack,
  sigmask,
  submit,
  write,
} from "../sfork/calls.js";
import {
  by,
  ccleartag,
  cincoffset,
  csetbounds,
  error,
  exit,
  fork,
  idle,
  int,
  mmap,
  mprotect,
  munmap,
  registerOf,
  store,
  storecap,
  wait,
  worlds,
  none,
} from "../sfork/programs.js";
import { corrupted, deliveryOf, findings, transitionOf, withGranule, withThread } from "./transitions.js";

const withProcess = (machine: Machine, ordinal: number, change: Partial<Process>): Machine => ({
  ...machine,
  processes: machine.processes.map((one, at) => (at === ordinal ? { ...one, ...change } : one)),
});

const withDescription = (machine: Machine, index: number, change: Partial<Description> | undefined): Machine => ({
  ...machine,
  descriptions: machine.descriptions.map((one, at) =>
    at === index && one !== undefined ? change && { ...one, ...change } : one,
  ),
});

test("INV-12 descriptors: counts are who refers, pipes are there with their ends, and say so exactly then", () => {
  for (const world of everywhere()) {
    const { name } = world;
    // Description 0 reads, 1 writes: two descriptors of each process, and a call.
    const program = [by(0, pipe, fork(7)), by(1, enter(write(1, 1, 1n)))];
    const holds = transitionOf(world, ...program);
    expect(holds.after.descriptions, name).toMatchObject([{ references: 2 }, { references: 3 }]);
    expect(findings(exactDescriptors, holds), name).toEqual([]);
    const wrong = (mistake: (machine: Machine) => Machine) => findings(exactDescriptors, corrupted(holds, mistake));
    // One too many, or too few; a descriptor that was forgotten, on either side; a call that was.
    for (const references of [2, 4, 0]) {
      expect(
        wrong((now) => withDescription(now, 1, { references })),
        name,
      ).toEqual(["INV-12 descriptors"]);
    }
    const [parents] = holds.after.processes;
    const some = parents?.descriptors.slice(0, 1) ?? [];
    expect(
      wrong((now) => withProcess(now, 0, { descriptors: some })),
      name,
    ).toEqual(["INV-12 descriptors"]);
    expect(
      wrong((now) => withThread(now, 1, { call: undefined })),
      name,
    ).toEqual(["INV-12 descriptors"]);
    // A description that is gone while somebody refers to it (three do), and the pipe with it.
    const gone = wrong((now) => withDescription(now, 1, undefined));
    expect([...new Set(gone)], name).toEqual(["INV-12 descriptors"]);
    expect(gone, name).toHaveLength(4);
    const ended = transitionOf(world, by(0, pipe, fork(7)), by(1, exit(0n)));
    expect(findings(exactDescriptors, ended), name).toEqual([]);
    const open1 = corrupted(ended, (now) =>
      withProcess(now, 1, { descriptors: ended.before.processes[1]?.descriptors ?? [] }),
    );
    expect(findings(exactDescriptors, open1), name).toEqual(["INV-12 descriptors"]);
    // Pipes: without ends, and ends without it.
    const closed = transitionOf(world, by(0, pipe, close(0), close(1)));
    expect(findings(exactDescriptors, closed), name).toEqual([]);
    const left = corrupted(closed, (now) => ({ ...now, pipes: [{ bytes: [] }] }));
    expect(findings(exactDescriptors, left), name).toEqual(["INV-12 descriptors"]);
    const lost = corrupted(holds, (now) => ({ ...now, pipes: [undefined] }));
    expect(findings(exactDescriptors, lost), name).toEqual(["INV-12 descriptors"]);
    const counted = corrupted(closed, (now) => ({
      ...now,
      descriptions: closed.before.descriptions.map((one) => one && { ...one, references: 0 }),
    }));
    expect(findings(exactDescriptors, counted).length, name).toBeGreaterThan(0);
  }
});

test("INV-12: end of file, waiting and broken pipes are where the other side's ends say so", () => {
  for (const world of everywhere({ pipe: 4 })) {
    const { name } = world;
    const piped = by(0, pipe, fork(7));
    const judged = (program: readonly Step[], observation: Observation) =>
      findings(exactDescriptors, { ...transitionOf(world, piped, program), observation });
    const found = ["INV-12 pipe 0"];
    // The child could write.
    const waiting = by(0, close(1), read(0, 1, 1n));
    expect(judged(waiting, blocked), name).toEqual([]);
    expect(judged(waiting, error("EAGAIN")), name).toEqual([]);
    expect(judged(waiting, bytes()), name).toEqual(found);
    // Nobody could, or there is something to be read.
    const over = by(0, close(1)).concat(by(1, close(1)), by(0, read(0, 1, 1n)));
    expect(judged(over, bytes()), name).toEqual([]);
    expect(judged(over, blocked), name).toEqual(found);
    expect(judged(over, error("EAGAIN")), name).toEqual(found);
    const held = by(0, write(1, 1, 1n), close(1)).concat(by(1, close(1)), by(0, read(0, 1, 1n)));
    expect(judged(held, bytes(0)), name).toEqual([]);
    expect(judged(held, bytes()), name).toEqual(found);
    expect(judged(held, blocked), name).toEqual(found);
    // To ask for nothing is to be given nothing.
    expect(judged(by(0, read(0, 1, 0n)), bytes()), name).toEqual([]);
    expect(judged(by(0, readv(0, 1, 0n, 1, 1n)), bytes()), name).toEqual(found);
    // Writing: the child could read; then nobody could.
    const written = by(0, close(0), write(1, 1, 1n));
    expect(judged(written, int(1n)), name).toEqual([]);
    expect(judged(written, error("EPIPE")), name).toEqual(found);
    const broken = by(0, close(0)).concat(by(1, close(0)), by(0, write(1, 1, 1n)));
    expect(judged(broken, error("EPIPE")), name).toEqual([]);
    for (const mistaken of [int(1n), blocked, error("EAGAIN")]) expect(judged(broken, mistaken), name).toEqual(found);
    // Split calls, too; their descriptor may be closed by now, and its end is open by them.
    const split = by(0, enter(read(0, 1, 1n)), close(0), finish);
    expect(judged(split, blocked), name).toEqual([]);
    expect(judged(split, bytes()), name).toEqual(found);
    const entered = by(0, enter(write(1, 1, 1n)), close(1)).concat(by(1, close(1)), by(0, read(0, 1, 1n)));
    expect(judged(entered, blocked), name).toEqual([]);
    expect(judged(entered, bytes()), name).toEqual(found);
    // A file ends where it ends.
    expect(judged(by(0, open("/a", "read", "create"), read(2, 1, 1n)), bytes()), name).toEqual([]);
  }
});

/** The capability that a register of a thread holds; the null capability has no place here. */
const held = (machine: Machine, number: number, index: number): Capability => {
  const found = registerOf(machine, number, index);
  if (found === undefined) throw new Error("no such register");
  return found;
};

test("INV-3: what the kernel keeps for a child is the image of what it keeps for the parent, no more and no less", () => {
  for (const world of everywhere()) {
    const { name, config } = world;
    const program = by(0, sigaction(10, { code: 3, data: 1 }), sigaltstack(2), submit(1, 1n, "w"), fork(7));
    const holds = transitionOf(world, program);
    expect(findings(exactRelocation, holds), name).toEqual([]);
    const kept = holds.after.processes[0];
    const own = holds.after.processes[1];
    const wrong = (change: Partial<Process>) =>
      findings(
        exactRelocation,
        corrupted(holds, (now) => withProcess(now, 1, change)),
      );
    const handler = (code: Capability, data: Capability): Partial<Process> => ({
      actions: new Map([[10, { code, data }]]),
    });
    const [code, data, stack] = [3, 1, 2].map((index) => held(holds.after, 1, index));
    if (code === undefined || data === undefined || stack === undefined) throw new Error("no registers");
    expect(wrong(handler(code, data)), name).toEqual([]);
    // Not moved: in one address space that is the parent's; and moved to something else.
    if (config.strategy !== "posix") {
      expect(wrong({ actions: kept?.actions ?? new Map() }), name).toEqual([
        "INV-3 P0 handler 10 capability 0",
        "INV-3 P0 handler 10 capability 1",
      ]);
      expect(wrong({ alternateStack: held(holds.after, 0, 2) }), name).toEqual(["INV-3 P0 handler 0 capability 0"]);
    }
    expect(wrong(handler(code, stack)), name).toEqual(["INV-3 P0 handler 10 capability 1"]);
    expect(wrong(handler({ ...code, tag: false }, data)), name).toEqual(["INV-3 P0 handler 10 capability 0"]);
    expect(wrong({ alternateStack: { ...stack, tag: false } }), name).toEqual(["INV-3 P0 handler 0 capability 0"]);
    // Forgotten, or one that the parent has not.
    expect(wrong({ actions: new Map() }), name).toEqual([
      "INV-3 P0 handler 10 capability 0",
      "INV-3 P0 handler 10 capability 1",
      "INV-3 P1",
    ]);
    const more = new Map([...(own?.actions ?? []), [12, { code, data }] as const]);
    expect(wrong({ actions: more }), name).toEqual(["INV-3 P1"]);
    // A request, or a call, that the child has inherited.
    const request = corrupted(holds, (now) => ({
      ...now,
      requests: [...now.requests, ...now.requests.map((one) => ({ ...one, process: 1, number: 1 }))],
    }));
    expect(findings(exactRelocation, request), name).toEqual(["INV-3 P1"]);
    const entered = transitionOf(world, by(0, pipe, enter(read(0, 1, 1n)), fork(7)));
    expect(findings(exactRelocation, entered), name).toEqual([]);
    const { call } = entered.after.threads[0] ?? {};
    expect(
      findings(
        exactRelocation,
        corrupted(entered, (now) => withThread(now, 1, { call })),
      ),
      name,
    ).toEqual(["INV-3 P1"]);
    // Pages that are left out, or begin with zeros.
    const advised = by(0, mmap(8, 0x100n), store("b", 5n, 0n, 8), storecap(8, 0n, 2));
    const wiped = transitionOf(world, advised, by(0, madvise(8, 0x100n, "wipeonfork"), fork(7)));
    expect(findings(exactRelocation, wiped), name).toEqual([]);
    const copied = corrupted(wiped, (now) => withGranule(now, 1, 4, 0, { bits: 5n }));
    expect(findings(exactRelocation, copied), name).toEqual(["INV-3 P1 page 4 granule 0"]);
    const unmarked = corrupted(wiped, (now) => ({
      ...now,
      regions: now.regions.map((region, slot) =>
        slot === 1
          ? region.map((entry) => entry && { ...entry, advice: { dontFork: false, wipeOnFork: false } })
          : region,
      ),
    }));
    expect(findings(exactRelocation, unmarked), name).toEqual(["INV-3 P1 page 4 granule 0"]);
    const absent = transitionOf(world, advised, by(0, madvise(8, 0x100n, "dontfork"), fork(7)));
    expect(findings(exactRelocation, absent), name).toEqual([]);
    const pointing = held(absent.after, 1, 8);
    const kept8 = corrupted(absent, (now) => ({
      ...now,
      threads: now.threads.map((one, at) =>
        at === 1 ? { ...one, registers: one.registers.with(8, { ...pointing, tag: true }) } : one,
      ),
    }));
    expect(findings(exactRelocation, kept8), name).toEqual(["INV-3 P1 thread 1 c8"]);
    const tagged = corrupted(absent, (now) => withGranule(now, 1, 6, 0, { tag: true }));
    expect(findings(exactRelocation, tagged), name).toEqual(["INV-3 P1 page 6 granule 0"]);
  }
});

test("INV-6: of another process only what a signal, a wait or an end may change; memory only through what was passed", () => {
  for (const world of everywhere()) {
    const { name } = world;
    const prepared = [
      by(0, pipe, fork(7)),
      by(1, sigaction(10, { code: 3, data: 1 }), sigaltstack(2), enter(read(0, 1, 1n)), submit(1, 1n, "w")),
    ];
    const holds = transitionOf(world, ...prepared, by(0, idle, burn));
    expect(findings(nonInterference, holds), name).toEqual([]);
    const wrong = (mistake: (machine: Machine) => Machine) => findings(nonInterference, corrupted(holds, mistake));
    const changes: readonly Partial<Process>[] = [
      { umask: 1 },
      { directory: "/e" },
      { limits: { nofile: 1, nproc: 1 } },
      { alarm: true },
      { ran: true },
      { executed: true },
      { session: 1 },
      { pid: 9 },
      { descriptors: [] },
      { state: { kind: "zombie", status: { exited: 0 }, ended: 0 } },
    ];
    for (const change of changes)
      expect(
        wrong((now) => withProcess(now, 1, change)),
        name,
      ).toContain("INV-6 P1");
    // A thread's mask, and its call.
    expect(
      wrong((now) => withThread(now, 1, { mask: [9] })),
      name,
    ).toEqual(["INV-6 P1 thread 1"]);
    expect(
      wrong((now) => withThread(now, 1, { call: undefined })),
      name,
    ).toEqual(["INV-6 P1 thread 1"]);
    // Capabilities that the kernel keeps for it.
    const other = held(holds.after, 1, 6);
    const handled = new Map([[10, { code: held(holds.after, 1, 3), data: other }]]);
    expect(
      wrong((now) => withProcess(now, 1, { actions: handled })),
      name,
    ).toEqual(["INV-6 P1 handler 10 capability 1"]);
    const untagged = { ...held(holds.after, 1, 2), tag: false };
    expect(
      wrong((now) => withProcess(now, 1, { alternateStack: untagged })),
      name,
    ).toEqual(["INV-6 P1 handler 0 capability 0"]);
    expect(
      wrong((now) => ({
        ...now,
        requests: now.requests.map((one) => ({ ...one, buffer: { ...one.buffer, capability: other } })),
      })),
      name,
    ).toEqual(["INV-6 P1 request 0 capability 0"]);
    const { call } = holds.after.threads[1] ?? {};
    const moved =
      call !== undefined && "buffers" in call ? { ...call, buffers: [{ capability: other, size: 1n }] } : call;
    expect(
      wrong((now) => withThread(now, 1, { call: moved })),
      name,
    ).toEqual(["INV-6 P1 call 1 capability 0"]);
    // What may change: a signal's effect, a group, the end by KILL; a wait reaps whom it names.
    const may = [
      by(0, kill(1, 10)),
      by(0, kill(1, 19)),
      by(0, setpgid(1)),
      by(0, kill(1, 9)),
      by(0, kill(1, 9), wait(8)),
    ];
    for (const program of may)
      expect(findings(nonInterference, transitionOf(world, ...prepared, program)), name).toEqual([]);
    const waited = transitionOf(world, ...prepared, by(0, fork(7)), by(2, exit(0n)), by(0, wait(8)));
    expect(findings(nonInterference, waited), name).toEqual([]);
    const reaped = corrupted(waited, (now) => withProcess(now, 1, { state: { kind: "reaped" } }));
    expect(findings(nonInterference, reaped), name).toContain("INV-6 P1");
  }
});

test("INV-6: a call, a device and a handler store where they were told to, and nowhere else", () => {
  for (const world of everywhere()) {
    const { name } = world;
    const piped = by(0, store("w", 0x0403_0201n, 0n, 1), pipe, write(1, 1, 4n), cincoffset(8, 1, 0x100n));
    const filled = (...last: readonly Operation[]) => transitionOf(world, piped, by(0, ...last));
    const stores = [
      filled(read(0, 8, 4n)),
      filled(readv(0, 8, 2n, 8, 2n)),
      filled(enter(read(0, 8, 4n)), finish),
      filled(submit(8, 4n, "w"), complete),
      transitionOf(world, by(0, fork(7), submit(1, 4n, "w")), by(1, complete)),
      deliveryOf(world, by(0, sigaction(10, { code: 3, data: 1 }), kill(0, 10), idle)),
    ];
    for (const holds of stores) {
      expect(findings(nonInterference, holds), name).toEqual([]);
      // Beside it.
      const beside = corrupted(holds, (now) => withGranule(now, 0, 2, 3, { bits: 1n }));
      expect(findings(nonInterference, beside), name).toContain("INV-6 P0 page 2 granule 3");
    }
    // No more than was there to be read.
    const few = filled(read(0, 8, 0x20n));
    expect(findings(nonInterference, few), name).toEqual([]);
    const more = corrupted(few, (now) => withGranule(now, 0, 1, 0, { bits: 0xff_0403_0201n }));
    expect(findings(nonInterference, more), name).toEqual(["INV-6 P0 page 1 granule 0"]);
    // To write from memory is not to write to it.
    const written = filled(write(1, 8, 4n));
    expect(findings(nonInterference, written), name).toEqual([]);
    const back = corrupted(written, (now) => withGranule(now, 0, 1, 0, { bits: 1n }));
    expect(findings(nonInterference, back), name).toEqual(["INV-6 P0 page 1 granule 0"]);
    // A device that writes to the child's page, of the same number.
    const device = transitionOf(world, by(0, submit(1, 1n, "w"), fork(7)), by(1, complete));
    expect(findings(nonInterference, device), name).toEqual([]);
    const childs = corrupted(device, (now) => withGranule(now, 1, 0, 0, { bits: 7n }));
    expect(findings(nonInterference, childs), name).toContain("INV-6 P1 page 0 granule 0");
  }
});

test("INV-10: what fails may end a call, drop a request, or signal a broken pipe, each where it says so, and no more", () => {
  for (const world of everywhere()) {
    const { name } = world;
    const judged = (transition: Transition) => findings(noTraceOfFailure, transition);
    const broken = transitionOf(world, by(0, sigmask(13), pipe, close(0), write(1, 1, 1n)));
    expect(judged(broken), name).toEqual([]);
    const finished = transitionOf(world, by(0, pipe, ccleartag(8, 1), enter(read(0, 8, 1n)), close(0), finish));
    expect(finished.observation, name).toEqual(error("EFAULT"));
    expect(judged(finished), name).toEqual([]);
    const dropped = transitionOf(world, by(0, submit(1, 1n, "w"), mprotect(1, 0x100n, none), complete));
    expect(dropped.observation, name).toEqual(error("EFAULT"));
    expect(judged(dropped), name).toEqual([]);
    for (const holds of [broken, finished, dropped]) {
      const found = ["INV-10 P0"];
      expect(judged(corrupted(holds, (now) => ({ ...now, frames: [...now.frames] }))), name).toEqual(found);
      expect(judged(corrupted(holds, (now) => ({ ...now, files: [] }))), name).toEqual(found);
    }
    // Each of these effects in another's place.
    const failing = transitionOf(world, by(0, pipe, submit(1, 1n, "w"), read(5, 1, 1n)));
    expect(judged(failing), name).toEqual([]);
    const mistakes: readonly ((machine: Machine) => Machine)[] = [
      (now) => withProcess(now, 0, { pending: [13] }),
      (now) => ({ ...now, requests: [] }),
      (now) => withDescription(now, 0, { references: 2 }),
      (now) => withDescription(now, 0, { offset: 1 }),
      (now) => ({ ...now, pipes: [{ bytes: [1] }] }),
      (now) => withThread(now, 0, { call: undefined }),
    ];
    for (const mistake of mistakes) expect(judged(corrupted(failing, mistake)), name).toEqual(["INV-10 P0"]);
    // To wait is no failure that has an effect.
    const waits = transitionOf(world, by(0, pipe, enter(read(0, 1, 1n)), finish));
    expect(judged(waits), name).toEqual([]);
    expect(judged(corrupted(waits, (now) => withThread(now, 0, { call: undefined }))), name).toEqual(["INV-10 P0"]);
  }
});

test("INV-1, INV-5, INV-7, REUSE-1: what the kernel keeps is looked at like registers", () => {
  for (const world of worlds()) {
    const { name } = world;
    // 1. Isolation: a handler, a call and a request over memory of another.
    const forked = transitionOf(
      world,
      by(0, pipe, fork(7)),
      by(1, sigaction(10, { code: 3, data: 1 }), enter(read(0, 1, 1n)), submit(1, 1n, "w")),
    );
    expect(findings(isolation, forked), name).toEqual([]);
    const foreign = held(forked.after, 0, 1);
    const handler = new Map([[10, { code: held(forked.after, 1, 3), data: foreign }]]);
    const reaching = corrupted(forked, (now) => withProcess(now, 1, { actions: handler, alternateStack: foreign }));
    expect(findings(isolation, reaching), name).toEqual([
      "INV-1 P1 handler 10 capability 1",
      "INV-1 P1 handler 0 capability 0",
    ]);
    const requested = corrupted(forked, (now) => ({
      ...now,
      requests: now.requests.map((one) => ({ ...one, buffer: { capability: foreign, size: 1n } })),
    }));
    expect(findings(isolation, requested), name).toEqual(["INV-1 P1 request 0 capability 0"]);
    // 2. Provenance: what is kept is what the registers held.
    const set = transitionOf(world, by(0, csetbounds(8, 1, 0x40n), sigaction(10, { code: 3, data: 8 })));
    expect(findings(monotonicity, set), name).toEqual([]);
    expect(findings(noForgery, set), name).toEqual([]);
    const code = held(set.after, 0, 3);
    const grown = corrupted(set, (now) =>
      withProcess(now, 0, { actions: new Map([[10, { code, data: held(now, 0, 1) }]]) }),
    );
    expect(findings(monotonicity, grown), name).toEqual(["INV-5 P0 handler 10 capability 1"]);
    expect(findings(noForgery, grown), name).toEqual(["INV-7 P0 handler 10 capability 1"]);
    // 3. Sweeps: by munmap, by an end, by another image.
    const kept = [
      by(0, mmap(8, 0x100n), pipe, sigaction(10, { code: 3, data: 8 }), sigaltstack(8), enter(read(0, 8, 1n))),
      by(0, submit(8, 1n, "w"), munmap(8, 0x100n)),
    ];
    const swept = transitionOf(world, ...kept);
    expect(findings(nothingEnded, swept), name).toEqual([]);
    const stale = corrupted(swept, (now) => ({
      ...now,
      processes: swept.before.processes,
      requests: swept.before.requests,
      threads: now.threads.map((one, at) => ({ ...one, call: swept.before.threads[at]?.call })),
    }));
    expect(findings(nothingEnded, stale).toSorted(), name).toEqual(
      [
        "REUSE-1 P0 handler 10 capability 1",
        "REUSE-1 P0 handler 0 capability 0",
        "REUSE-1 P0 call 0 capability 0",
        "REUSE-1 P0 request 0 capability 0",
      ].toSorted(),
    );
    const image = transitionOf(world, by(0, csetbounds(8, 1, 0x40n), sigaltstack(8), fork(7), exec));
    expect(findings(nothingEnded, image), name).toEqual([]);
    // It has new authority over its region, which is no stale one: what is told apart is what INV-9 and INV-5 look at.
    const old = corrupted(image, (now) => withProcess(now, 0, { alternateStack: held(image.before, 0, 8) }));
    expect(findings(monotonicity, old).length + findings(nothingEnded, old).length, name).toBeGreaterThan(0);
  }
});

test("INV-6 objects: of others they change by nobody else's step", () => {
  for (const world of everywhere()) {
    const { name } = world;
    // P0 keeps a pipe, a file with a lock on it and a request; P1 has closed what it inherited of them.
    const shared = [by(0, pipe, open("/a", "read", "write", "create"), fork(7), lock(2, 0n, 4n), submit(1, 1n, "w"))];
    const alone = by(1, close(0), close(1), close(2));
    const holds = transitionOf(world, ...shared, alone, by(1, burn));
    expect(findings(nonInterference, holds), name).toEqual([]);
    const wrong = (mistake: (machine: Machine) => Machine) => findings(nonInterference, corrupted(holds, mistake));
    const withFile = (change: Partial<File>) => (now: Machine) => ({
      ...now,
      files: now.files.map((one) => ({ ...one, ...change })),
    });
    const withRequests =
      (change: (requests: Machine["requests"]) => Machine["requests"]) =>
      (now: Machine): Machine => ({ ...now, requests: change(now.requests) });
    const mistakes: readonly (readonly [string, (machine: Machine) => Machine])[] = [
      ["description 2", (now) => withDescription(now, 2, { offset: 1 })],
      ["description 0", (now) => withDescription(now, 0, { flags: ["read", "nonblock"] })],
      ["pipe 0", (now) => ({ ...now, pipes: [{ bytes: [1] }] })],
      ["/a", withFile({ bytes: [1] })],
      ["/a", withFile({ locks: [] })],
      ["/a", withFile({ locks: [{ owner: 0, start: 0, end: 5 }] })],
      ["/a", withFile({ path: "/b" })],
      ["/a", (now) => ({ ...now, files: [] })],
      ["request 0", withRequests(() => [])],
      ["request 0", withRequests((all) => all.map((one) => ({ ...one, bytes: [1] })))],
      ["request 0", withRequests((all) => all.map((one) => ({ ...one, process: 1 })))],
    ];
    for (const [where, mistake] of mistakes) expect(wrong(mistake), name).toEqual([`INV-6 ${where}`]);
    // Who has a descriptor may do so; who makes or empties a file by its name, too; locks end with their owner.
    for (const fine of [
      [...shared, by(1, write(1, 1, 1n))],
      [...shared, by(1, lseek(2, 3n, "set"))],
      [...shared, alone, by(1, open("/a", "write", "truncate"))],
      [...shared, alone, by(1, complete)],
      [by(0, fork(7)), by(1, open("/a", "write", "create"), lock(0, 0n, 4n)), by(0, kill(1, 9))],
    ])
      expect(findings(nonInterference, transitionOf(world, ...fine)), name).toEqual([]);
  }
});
