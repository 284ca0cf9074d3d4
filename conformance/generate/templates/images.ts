/** Templates for corner cases of other images, and of what was said of a fork. */
import type { imageCases } from "../../corner-cases/images.js";
import { imm, roles, type Scene } from "../scene.js";
import { addressed, anywhere, everywhere, poke, readWrite, type Template, type Templates } from "../template.js";
import { granted } from "./grants.js";
import { either, mortal, party, pointTo, withChild, type Party } from "./objects.js";

type Advice = "dontfork" | "wipeonfork" | "keeponfork" | "dofork";

const advise = (scene: Scene, thread: number, register: number, advice: Advice, pages = 1): void => {
  scene.act(thread, { op: "madvise", cs1: register, n: imm(pages * scene.measures.page), advice });
};

/** A mapping in register 10, of which a child gets nothing. */
const withMapping = (act: (scene: Scene, who: Party) => void, weight = 3): Template =>
  everywhere((scene) => {
    const { freePages, page } = scene.measures;
    if (freePages === 0) return;
    const who = party(scene);
    scene.act(who.thread, { op: "mmap", cd: 10, n: imm(page), protection: readWrite });
    act(scene, who);
  }, weight);

/** A page of the data part of which a child gets zeros. */
const wiped = (act: (scene: Scene, who: Party, page: number) => void, weight = 2): Template =>
  everywhere((scene) => {
    const who = party(scene);
    const page = scene.dataPage();
    poke(scene, who.thread, page);
    pointTo(scene, who.thread, 10, page);
    advise(scene, who.thread, 10, "wipeonfork");
    act(scene, who, page);
  }, weight);

const look = (scene: Scene, thread: number, offset: number, cs1: number = roles.data): void => {
  if (scene.profile === "posix") scene.act(thread, { op: "load.b", cd: 7, n: imm(offset), cs1 });
  else scene.act(thread, { op: "loadcap", cd: 8, n: imm(offset), cs1 });
};

const inMortal = (prepare: (scene: Scene, who: Party) => void, weight = 2): Template =>
  everywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    prepare(scene, who);
    scene.act(who.thread, { op: "exec" });
    look(scene, who.thread, scene.granule());
  }, weight);

export const imageTemplates: Templates<keyof typeof imageCases> = {
  "exec-of-threads": inMortal((scene, { thread }) => {
    scene.act(thread, { op: "thread" });
  }),
  "exec-with-shared-frames": withChild((scene, parent, child) => {
    const at = scene.granule();
    scene.act(child.thread, { op: "exec" });
    poke(scene, parent.thread, at);
    poke(scene, child.thread, at);
  }),
  "exec-before-descendant-resolves": inMortal((scene, who) => {
    const at = scene.granule();
    scene.plant(who.thread, at);
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    scene.act(who.thread, { op: "exec" });
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
    scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: 8 });
  }, 3),
  "exec-with-grant": addressed((scene) => {
    const grant = granted(scene);
    if (grant === undefined || grant.receiver.life.ordinal === 0) return;
    scene.act(grant.receiver.thread, { op: "storecap", cs2: grant.register, n: imm(scene.granule()), cs1: roles.data });
    scene.act(grant.receiver.thread, { op: "exec" });
    poke(scene, grant.owner.thread, grant.offset);
  }),
  "exec-of-granted": addressed((scene) => {
    const grant = granted(scene, true);
    if (grant === undefined) return;
    if (scene.random.once(2)) {
      scene.act(grant.receiver.thread, {
        op: "storecap",
        cs2: grant.register,
        n: imm(scene.granule()),
        cs1: roles.data,
      });
    }
    scene.act(grant.owner.thread, { op: "exec" });
    scene.act(grant.receiver.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: grant.register });
  }, 5),
  "exec-in-child": withChild((scene, parent, child) => {
    scene.act(child.thread, { op: "exec" });
    scene.act(child.thread, { op: "getppid", cd: 7 });
    scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
  }),
  "exec-fails-without-commit": anywhere((scene) => {
    const { page, dataBytes, freePages } = scene.measures;
    const { frames, processes, commit } = scene.config;
    // Only where frames are scarce: a process gives up its pages, and others take their place.
    if (frames >= processes * scene.config.pages || commit === "overcommit") return;
    for (let more = 0; more < 4 && scene.model.canFork(scene.model.lifeOf(0)); more += 1)
      scene.add(0, { op: "fork", cd: 7 });
    const who = mortal(scene);
    if (who === undefined) return;
    scene.act(who.thread, { op: "munmap", cs1: roles.data, n: imm(dataBytes) });
    for (const life of scene.model.living.filter((one) => one !== who.life)) {
      const thread = scene.threadOf(life);
      for (let more = 0; more < freePages; more += 1)
        scene.add(thread, { op: "mmap", cd: 9, n: imm(page), protection: readWrite });
    }
    scene.act(scene.someone(), { op: "fork", cd: 7 });
    scene.act(who.thread, { op: "exec" });
  }, 11),
  "fork-without-page": withMapping((scene, who) => {
    advise(scene, who.thread, 10, "dontfork");
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    scene.act(child.thread, { op: "mmap", cd: 9, n: imm(scene.measures.page), protection: readWrite });
    look(scene, who.thread, 0, 10);
  }),
  "fork-without-page-pointer-in-register": withMapping((scene, who) => {
    scene.act(who.thread, { op: "cincoffset", cd: 11, cs1: 10, n: imm(scene.measures.granule) });
    advise(scene, who.thread, 10, "dontfork");
    const child = scene.fork(who.thread);
    if (child !== undefined) look(scene, child.thread, 0, 11);
  }),
  "fork-without-page-pointer-in-memory": withMapping((scene, who) => {
    const at = scene.granule();
    scene.act(who.thread, { op: "storecap", cs2: 10, n: imm(at), cs1: roles.data });
    advise(scene, who.thread, 10, "dontfork");
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
    scene.act(who.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
    scene.act(who.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: 8 });
  }),
  "access-to-absent-page": withMapping((scene, who) => {
    advise(scene, who.thread, 10, "dontfork");
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: 10 });
    scene.act(who.thread, { op: "store.b", value: imm(2), n: imm(0), cs1: 10 });
  }),
  "fork-wipes-page": wiped((scene, who, page) => {
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    look(scene, child.thread, page);
    look(scene, who.thread, page);
  }),
  "fork-wipes-pointers": wiped((scene, who, page) => {
    scene.plant(who.thread, page);
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    look(scene, child.thread, page);
    scene.act(who.thread, { op: "loadcap", cd: 8, n: imm(page), cs1: roles.data });
  }),
  "fork-wipes-page-of-child": wiped((scene, who, page) => {
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    poke(scene, child.thread, page);
    const grandchild = scene.fork(child.thread, [who.life]);
    if (grandchild === undefined) return;
    look(scene, grandchild.thread, page);
    look(scene, child.thread, page);
  }, 4),
  "fork-wipes-shared-page": everywhere((scene) => {
    const who = party(scene);
    const page = scene.dataPage();
    if (scene.random.once(2)) scene.plant(who.thread, page);
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    const forker = either(scene, who, child);
    pointTo(scene, forker.thread, 10, page);
    advise(scene, forker.thread, 10, "wipeonfork");
    const second = scene.fork(forker.thread, [who.life, child.life]);
    if (second !== undefined) look(scene, second.thread, page);
    look(scene, forker.thread, page);
  }, 6),
  "advice-taken-back": wiped((scene, who, page) => {
    advise(scene, who.thread, 10, "keeponfork");
    const child = scene.fork(who.thread);
    if (child !== undefined) look(scene, child.thread, page);
  }, 3),
};
