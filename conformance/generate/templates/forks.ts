/** Templates for corner cases of forks. */
import type { forkCases } from "../../corner-cases/forks.js";
import { imm, reg, roles, type Scene } from "../scene.js";
import { addressed, anywhere, derive, everywhere, generations, poke, protect, readWrite, two } from "../template.js";
import type { Template, Templates } from "../template.js";
import { belowBase, emptyAtEnd, emptyAtStart, pastEnd } from "./capabilities.js";
import { granted, sendAway } from "./grants.js";

type Make = (scene: Scene, actor: number, register: number) => void;

/** Make something, keep it in memory and in a register, fork, and look at it in the child. */
const inherited = (make: Make): Template =>
  anywhere((scene) => {
    const actor = scene.someone();
    const [a, b] = two(scene);
    const n = imm(scene.granule());
    make(scene, actor, a);
    if (scene.random.percent(70)) scene.act(actor, { op: "storecap", cs2: a, n, cs1: 1 });
    const child = scene.fork(actor);
    if (child === undefined) return;
    scene.act(child.thread, { op: "loadcap", cd: b, n, cs1: 1 });
    if (scene.random.once(2)) scene.act(child.thread, { op: "cgettag", cd: 7, cs1: scene.random.pick([a, b]) });
  });

/** One of the registers that every process starts with, in memory when it forks. */
const stored = (register: number): Template =>
  anywhere((scene) => {
    const actor = scene.someone();
    const n = imm(scene.granule());
    scene.act(actor, { op: "storecap", cs2: register, n, cs1: 1 });
    const child = scene.fork(actor);
    if (child !== undefined) scene.act(child.thread, { op: "loadcap", cd: two(scene)[0], n, cs1: 1 });
  });

/** Fill a page with pointers, each copy twice as long as the one before. */
const fill = (scene: Scene, actor: number, at: number): void => {
  const { granule, page } = scene.measures;
  const [a, b] = two(scene);
  scene.plant(actor, at, 1);
  scene.act(actor, { op: "cincoffset", cd: a, cs1: 1, n: imm(at) });
  for (let size = granule; size < page; size *= 2) {
    scene.add(actor, { op: "cincoffset", cd: b, cs1: a, n: imm(size) });
    scene.add(actor, { op: "cmemcpy", cs1: b, cs2: a, n: imm(size) });
  }
};

/** The most steps that reaching a limit may take. */
const patience = 5;

/** Fork until nothing more fits, and once more. */
const exhaust = (scene: Scene): void => {
  const actor = scene.someone();
  const parent = scene.model.lifeOf(actor);
  for (let round = 0; round < patience && scene.model.canFork(parent); round += 1)
    scene.act(actor, { op: "fork", cd: 7 });
  scene.act(actor, { op: "fork", cd: 7 });
};

/** Three generations, of which the middle one ends, so that its slot is free. */
const orphaned = (scene: Scene, prepare: (thread: number) => void) => {
  if (scene.config.reuse === "never") return undefined;
  const actor = scene.someone();
  const family = scene.model.lifeOf(actor);
  const child = scene.fork(actor);
  if (child === undefined) return undefined;
  prepare(child.thread);
  const grandchild = scene.fork(child.thread, [family]);
  if (grandchild === undefined) return undefined;
  scene.end(child.life);
  if (!scene.model.hasProcess()) scene.act(actor, { op: "wait", cd: 7, whom: child.life.ordinal });
  return { actor, family, child, grandchild };
};

export const forkTemplates: Templates<keyof typeof forkCases> = {
  "fork-cursor-past-end": inherited(pastEnd),
  "fork-cursor-below-base": inherited(belowBase),
  "fork-zero-length-at-region-start": inherited(emptyAtStart),
  "fork-zero-length-at-region-end": inherited(emptyAtEnd),
  "fork-sealed": inherited((scene, actor, register) => {
    derive(scene, actor, register);
    if (scene.canSeal) scene.act(actor, { op: "cseal", cd: register, cs1: register, cs2: roles.sealing });
    else scene.act(actor, { op: "csealentry", cd: register, cs1: register });
  }),
  "fork-sentry-in-memory": stored(roles.sentry),
  "fork-kernel-entry-in-memory": stored(roles.kernel),
  "fork-sealing-authority-in-memory": stored(roles.sealing),
  "fork-number-like-pointer": inherited((scene, actor, register) => {
    if (scene.oblivious || scene.random.once(2)) {
      scene.act(actor, { op: "ccleartag", cd: register, cs1: 1 });
      scene.act(actor, { op: "storecap", cs2: register, n: imm(scene.granule()), cs1: 1 });
    } else {
      scene.act(actor, { op: scene.random.pick(["cgetaddr", "cgettop"]), cd: 7, cs1: 1 });
      scene.act(actor, { op: "store.w", value: reg(7), n: imm(scene.granule()), cs1: 1 });
      scene.act(actor, { op: "cmove", cd: register, cs1: 7 });
    }
  }),
  "fork-local-capability": anywhere((scene) => {
    const actor = scene.someone();
    const words = ["load", "store", "load-cap", "store-cap", "mutable-load", "elevate-level"] as const;
    scene.act(actor, { op: "candperm", cd: roles.reduced, cs1: 1, words });
    const child = scene.fork(actor);
    if (child !== undefined) poke(scene, child.thread, scene.granule());
  }),
  "fork-page-full-of-pointers": anywhere((scene) => {
    const { page, granule } = scene.measures;
    if (page / granule > 64 && !scene.random.once(8)) return;
    const actor = scene.someone();
    const at = scene.dataPage();
    fill(scene, actor, at);
    const child = scene.fork(actor);
    if (child !== undefined) scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }, 4),
  "fork-unreadable-pointers": anywhere((scene) => {
    const actor = scene.someone();
    const page = scene.dataPage(true);
    scene.plant(actor, page);
    protect(scene, actor, page, { read: false, write: scene.random.once(2), execute: false });
    const child = scene.fork(actor);
    if (child === undefined) return;
    const writer = scene.random.pick([actor, child.thread]);
    poke(scene, writer, page + scene.measures.granule);
    protect(scene, child.thread, page, readWrite);
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(page), cs1: 1 });
  }, 3),
  "fork-of-threads": everywhere((scene) => {
    const actor = scene.someone();
    scene.act(actor, { op: "thread" });
    scene.fork(actor);
  }),
  "fork-before-resolving": everywhere((scene) => {
    scene.plant(scene.someone(), scene.granule());
    const family = generations(scene);
    if (family !== undefined)
      scene.act(family.grandchild.thread, { op: "loadcap", cd: 8, n: imm(scene.granule()), cs1: 1 });
  }),
  "fork-siblings": everywhere((scene) => {
    const actor = scene.someone();
    scene.plant(actor, scene.granule());
    const first = scene.fork(actor);
    if (first === undefined) return;
    scene.fork(actor, [first.life]);
  }),
  "fork-into-home-slot": anywhere((scene) => {
    const at = scene.granule();
    const found = orphaned(scene, (thread) => {
      scene.plant(thread, at);
    });
    if (found === undefined) return;
    const { grandchild, child } = found;
    const last = scene.fork(grandchild.thread, [], child.life.slot);
    if (last !== undefined) scene.act(last.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }, 5),
  "fork-into-slot-below": anywhere((scene) => {
    const at = scene.granule();
    const found = orphaned(scene, (thread) => {
      poke(scene, thread, at);
    });
    if (found === undefined) return;
    scene.plant(found.grandchild.thread, at);
    const last = scene.fork(found.grandchild.thread, [], found.child.life.slot);
    if (last !== undefined) scene.act(last.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }),
  "fork-reuses-slot-of-survivors": anywhere((scene) => {
    const at = scene.granule();
    const found = orphaned(scene, (thread) => {
      scene.plant(thread, at);
    });
    if (found === undefined) return;
    const { actor, child, grandchild } = found;
    const last = scene.fork(actor, [grandchild.life], child.life.slot);
    if (last !== undefined && scene.random.once(2)) poke(scene, last.thread, at);
    scene.act(grandchild.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }, 5),
  "fork-into-chosen-slot": anywhere((scene) => {
    const { slots } = scene.config;
    scene.fork(scene.someone(), [], Math.max(0, slots - scene.random.between(1, 2)));
  }, 4),
  "fork-fails-without-process": anywhere(exhaust),
  "fork-fails-without-slot": anywhere((scene) => {
    if (scene.config.reuse === "revoke") return;
    const actor = scene.someone();
    for (let round = 0; round < patience; round += 1) {
      const life = scene.act(actor, { op: "fork", cd: 7 });
      if (life === undefined) return;
      scene.end(life);
      scene.act(actor, { op: "wait", cd: 7, whom: undefined });
    }
  }, 8),
  "fork-fails-without-commit": anywhere(exhaust),
  "fork-with-grant": addressed((scene) => {
    const grant = granted(scene);
    if (grant === undefined) return;
    const child = scene.fork(grant.receiver.thread, [grant.owner.life]);
    if (child !== undefined) scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: grant.register });
  }),
  "fork-with-message-in-flight": addressed((scene) => {
    const actor = scene.someone();
    const channel = sendAway(scene, actor);
    const child = scene.fork(actor);
    if (child !== undefined) scene.act(child.thread, { op: "recvcap", cd: 11, channel });
  }),
};
