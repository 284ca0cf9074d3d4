/** What the checker knows of grants, and of a comparison that cannot go on: both kept without asking the machine. */
import { expect, test } from "vitest";
import { formats } from "../../../spec/cheri/index.js";
import { checkedStep, start, type Checked } from "../../../spec/invariants/check.js";
import { cut } from "../../../spec/invariants/grants.js";
import { isolation } from "../../../spec/invariants/isolation.js";
import type { Grant } from "../../../spec/invariants/transition.js";
import type { Step } from "../../../spec/sfork/operation.js";
import {
  by,
  channel,
  cincoffset,
  csealentry,
  csetbounds,
  exit,
  fork,
  mmap,
  munmap,
  recvcap,
  sendcap,
  store,
  worldOf,
  worlds,
  type World,
} from "../sfork/programs.js";
import { corrupted, findings, transitionOf } from "./transitions.js";

const grantsOf = (world: World, ...program: readonly (readonly Step[])[]) => transitionOf(world, ...program).grants;

const range = (start: bigint, end: bigint) => ({ start, end });

test("REUSE-1 cut: what remains on either side of a range that ended stays a grant", () => {
  const grant: Grant = { owner: 0, range: range(0x100n, 0x200n), permissions: 3n };
  const left = (ended: readonly [bigint, bigint]) => cut(grant, range(...ended)).map((one) => one.range);
  expect(left([0x140n, 0x180n])).toEqual([range(0x100n, 0x140n), range(0x180n, 0x200n)]);
  expect(left([0x0n, 0x180n])).toEqual([range(0x180n, 0x200n)]);
  expect(left([0x180n, 0x300n])).toEqual([range(0x100n, 0x180n)]);
  expect(left([0x100n, 0x200n])).toEqual([]);
  expect(left([0x0n, 0x1000n])).toEqual([]);
  // What only touches takes nothing.
  expect(left([0x0n, 0x100n])).toEqual([range(0x100n, 0x200n)]);
  expect(left([0x200n, 0x300n])).toEqual([range(0x100n, 0x200n)]);
  expect(cut(grant, range(0x140n, 0x180n)).every(({ owner, permissions }) => owner === 0 && permissions === 3n)).toBe(
    true,
  );
});

test("CHAN-2 grant: made when it is sent, in the owner's name, without the rights that would grant further", () => {
  for (const world of worlds()) {
    const { name, at, config } = world;
    const { "load-cap": loadCap = 0n, "store-cap": storeCap = 0n } = formats[config.format].permissionBits;
    const sent = [by(0, channel, csetbounds(8, 1, 0x40n), fork(7), sendcap(0, 8))];
    const [message] = grantsOf(world, ...sent).inFlight[0] ?? [];
    expect(message, name).toMatchObject({ owner: 0, range: range(at(0), at(0, 0x40n)) });
    expect((message?.permissions ?? ~0n) & (loadCap | storeCap), name).toBe(0n);
    // It is handed over once, to whoever takes it; the owner needs none.
    const taken = grantsOf(world, ...sent, by(1, recvcap(9, 0)));
    expect(taken, name).toMatchObject({ held: [[], [{ owner: 0 }]], inFlight: [[]] });
    expect(grantsOf(world, ...sent, by(0, recvcap(9, 0))).held, name).toEqual([[], []]);
    // Handed on, it still names the owner, who needs none when it comes home.
    const onward = [...sent, by(1, recvcap(9, 0), cincoffset(10, 9, 0x10n), sendcap(0, 10))];
    expect(grantsOf(world, ...onward).inFlight[0], name).toMatchObject([{ owner: 0 }]);
    expect(grantsOf(world, ...onward, by(0, recvcap(9, 0))).held[0], name).toEqual([]);
    // What has been sealed otherwise, or can store, carries none: in flight it would be a violation.
    const entry = transitionOf(world, by(0, channel, csealentry(8, 1), sendcap(0, 8)));
    expect(entry.observation, name).toEqual({ kind: "error", error: "EPERM", allowed: ["EPERM"] });
    const smuggled = corrupted({ ...entry, observation: { kind: "none" } }, (machine) => ({
      ...machine,
      channels: [{ messages: machine.threads[0]?.registers.slice(8, 9) ?? [] }],
    }));
    expect(findings(isolation, smuggled), name).toEqual(["INV-1 channel 0 message 0"]);
  }
});

test("CHAN-3 grants: a child has its parent's, but for the parent's own memory; the end of memory ends them", () => {
  for (const world of worlds()) {
    const { name, at } = world;
    const given = [
      by(0, channel, mmap(8, 0x100n), fork(7), sendcap(0, 8)),
      by(1, recvcap(9, 0)),
      by(1, csetbounds(8, 1, 0x20n), sendcap(0, 8)),
      by(0, recvcap(10, 0)),
    ];
    const both = { 0: [{ owner: 1 }], 1: [{ owner: 0, range: range(at(0, 0x400n), at(0, 0x500n)) }] };
    expect(grantsOf(world, ...given).held, name).toMatchObject([both[0], both[1]]);
    // P2 inherits what P1 holds of P0, and nothing of P1; P0's grant stays one on P1.
    expect(grantsOf(world, ...given, by(1, fork(7))).held, name).toMatchObject([both[0], both[1], both[1]]);
    expect(grantsOf(world, ...given, by(0, fork(7))).held, name).toMatchObject([both[0], both[1], both[0]]);
    // Whose memory ends, whatever else happens in the step.
    expect(grantsOf(world, ...given, by(0, munmap(8, 0x100n))).held, name).toMatchObject([both[0], []]);
    expect(grantsOf(world, ...given, by(1, exit(0n))).held, name).toEqual([[], []]);
  }
});

test("FORK-1 comparable: where an eager copy lacks frames that a lazy one does not need yet, the comparison ends", () => {
  for (const strategy of ["coa", "copa"] as const) {
    const program = (commit: "reserve" | "overcommit"): readonly Checked[] => {
      const { config } = worldOf({ frames: 8, commit, strategy });
      return by(0, fork(7), store("b", 1n, 0n, 1)).reduce<readonly Checked[]>(
        (sofar, next) => [...sofar, checkedStep(sofar.at(-1) ?? start(config), next).checked],
        [],
      );
    };
    // Six pages are mapped, eight frames are there: both fail with a reserve, the eager one alone without.
    expect(program("reserve").map(({ ghost }) => ghost?.processes.length)).toEqual([1, 1]);
    expect(program("overcommit").map(({ ghost }) => ghost)).toEqual([undefined, undefined]);
    expect(program("overcommit").map(({ machine }) => machine.processes.length)).toEqual([2, 2]);
  }
});
