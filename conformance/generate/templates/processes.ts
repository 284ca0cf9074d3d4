/** Templates for corner cases of the end of processes, of waiting, and of mapping memory. */
import { maxThreads } from "../../../spec/sfork/machine.js";
import type { processCases } from "../../corner-cases/processes.js";
import { imm, type Scene } from "../scene.js";
import { anywhere, everywhere, generations, readWrite, two, type Template, type Templates } from "../template.js";

/** A child, and who forked it. */
const withChild = (
  act: (scene: Scene, parent: number, child: NonNullable<ReturnType<Scene["fork"]>>) => void,
  weight = 2,
): Template =>
  everywhere((scene) => {
    const parent = scene.someone();
    const child = scene.fork(parent);
    if (child !== undefined) act(scene, parent, child);
  }, weight);

/** A mapping of some pages; nothing where there is no room for any. */
const withMapping = (act: (scene: Scene, actor: number, register: number) => void, pages = 1, weight = 2): Template =>
  everywhere((scene) => {
    if (scene.measures.freePages < pages) return;
    const actor = scene.someone();
    const [a] = two(scene);
    scene.act(actor, { op: "mmap", cd: a, n: imm(pages * scene.measures.page), protection: readWrite });
    act(scene, actor, a);
  }, weight);

const unmap = (scene: Scene, actor: number, register: number, pages = 1): void => {
  scene.act(actor, { op: "munmap", cs1: register, n: imm(pages * scene.measures.page) });
};

export const processTemplates: Templates<keyof typeof processCases> = {
  "exit-before-child": everywhere((scene) => {
    const family = generations(scene);
    if (family !== undefined) scene.end(family.child.life);
  }),
  "exit-before-descendant-resolves": everywhere((scene) => {
    const at = scene.granule();
    const actor = scene.someone();
    const family = scene.model.lifeOf(actor);
    const child = scene.fork(actor);
    if (child === undefined) return;
    scene.plant(child.thread, at);
    const grandchild = scene.fork(child.thread, [family]);
    if (grandchild === undefined) return;
    scene.end(child.life);
    scene.act(grandchild.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
    scene.act(grandchild.thread, { op: "loadcap", cd: 9, n: imm(0), cs1: 8 });
  }, 4),
  "exit-with-zombie-child": everywhere((scene) => {
    const family = generations(scene);
    if (family === undefined) return;
    scene.end(family.grandchild.life);
    scene.end(family.child.life);
  }),
  "exit-of-threads": withChild((scene, _, { life, thread }) => {
    scene.act(thread, { op: "thread" });
    scene.end(life);
  }),
  "thread-refused": anywhere((scene) => {
    const actor = scene.someone();
    const { threads } = scene.model.lifeOf(actor);
    for (let made = threads.length; made <= maxThreads; made += 1) scene.act(actor, { op: "thread" });
  }, 3),
  "thread-exit-ends-process": withChild((scene, _, { thread }) => {
    scene.act(thread, { op: "thread_exit" });
  }),
  "wait-before-end": withChild((scene, parent) => {
    scene.act(parent, { op: "wait", cd: 7, whom: undefined });
  }),
  "wait-after-end": withChild((scene, parent, { life }) => {
    scene.end(life);
    scene.act(parent, { op: "wait", cd: 7, whom: undefined });
  }),
  "wait-for-named": withChild((scene, parent, { life }) => {
    scene.end(life);
    scene.act(parent, { op: "wait", cd: 7, whom: life.ordinal });
  }),
  "wait-without-children": withChild((scene, _, { thread }) => {
    scene.act(thread, { op: "wait", cd: 7, whom: undefined });
  }),
  "wait-for-orphan": everywhere((scene) => {
    const family = generations(scene);
    if (family === undefined) return;
    scene.end(family.child.life);
    scene.end(family.grandchild.life);
    const [first] = scene.model.living;
    if (first === undefined) return;
    const process = scene.random.once(2) ? undefined : family.grandchild.life.ordinal;
    scene.act(scene.threadOf(first), { op: "wait", cd: 7, whom: process });
    scene.act(scene.threadOf(first), { op: "wait", cd: 7, whom: undefined });
  }),
  "wait-for-chosen": withChild((scene, parent, first) => {
    const second = scene.fork(parent, [first.life]);
    if (second === undefined) return;
    scene.end(first.life);
    scene.end(second.life);
    scene.act(parent, { op: "wait", cd: 7, whom: undefined, reap: second.life.ordinal });
  }, 4),
  "mmap-reuses-pages": withMapping((scene, actor, register) => {
    unmap(scene, actor, register);
    scene.act(actor, { op: "mmap", cd: register, n: imm(scene.measures.page), protection: readWrite });
  }),
  "mmap-fails-without-room": anywhere((scene) => {
    const { freePages, page } = scene.measures;
    const [a] = two(scene);
    const n = imm(page * (freePages + scene.random.between(1, 2)));
    scene.act(scene.someone(), { op: "mmap", cd: a, n, protection: readWrite });
  }),
  "mmap-fails-without-commit": anywhere((scene) => {
    const { freePages, page } = scene.measures;
    const { frames, processes } = scene.config;
    if (freePages === 0 || frames >= processes * scene.config.pages) return;
    for (let round = 0; round < 3; round += 1) {
      const actor = scene.someone();
      if (scene.model.canFork(scene.model.lifeOf(actor))) scene.act(actor, { op: "fork", cd: 7 });
    }
    scene.act(scene.someone(), { op: "mmap", cd: 9, n: imm(freePages * page), protection: readWrite });
    scene.act(scene.someone(), { op: "mmap", cd: 9, n: imm(freePages * page), protection: readWrite });
  }, 5),
  "mapping-write-and-execute": anywhere((scene) => {
    const protection = { read: scene.random.once(2), write: true, execute: true };
    const n = imm(scene.measures.page);
    const actor = scene.someone();
    if (scene.random.once(2)) scene.act(actor, { op: "mmap", cd: 9, n, protection });
    else scene.act(actor, { op: "mprotect", cs1: 1, n, protection });
  }),
  "munmap-of-part": withMapping(
    (scene, actor, register) => {
      const { page } = scene.measures;
      scene.act(actor, { op: "cincoffset", cd: register, cs1: register, n: imm(scene.random.pick([0, page])) });
      unmap(scene, actor, register);
    },
    2,
    3,
  ),
  "munmap-clears-registers": withMapping((scene, actor, register) => {
    scene.act(actor, { op: "csetbounds", cd: 8, cs1: register, n: imm(scene.measures.granule) });
    unmap(scene, actor, register);
    scene.act(actor, { op: "loadcap", cd: 8, n: imm(0), cs1: 8 });
  }),
  "munmap-clears-pcc": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    scene.act(actor, { op: "cgetpcc", cd: a });
    scene.act(actor, { op: "csetoffset", cd: a, cs1: a, n: imm(0) });
    unmap(scene, actor, a);
  }, 3),
  "munmap-clears-zero-length": withMapping(
    (scene, actor, register) => {
      scene.act(actor, {
        op: "cincoffset",
        cd: 12,
        cs1: register,
        n: imm(scene.random.pick([0, scene.measures.page])),
      });
      scene.act(actor, { op: "csetbounds", cd: 12, cs1: 12, n: imm(0) });
      unmap(scene, actor, register);
    },
    1,
    4,
  ),
  "munmap-clears-memory": withMapping((scene, actor, register) => {
    const n = imm(scene.granule());
    scene.act(actor, { op: "storecap", cs2: register, n, cs1: 1 });
    unmap(scene, actor, register);
    scene.act(actor, { op: "loadcap", cd: 8, n, cs1: 1 });
  }),
  "munmap-clears-unresolved-page": withMapping(
    (scene, actor, register) => {
      const n = imm(scene.granule());
      scene.act(actor, { op: "storecap", cs2: register, n, cs1: 1 });
      const child = scene.fork(actor);
      if (child === undefined) return;
      const [first, second] = scene.random.percent(70) ? [child.thread, actor] : [actor, child.thread];
      unmap(scene, first, register);
      scene.act(second, { op: "loadcap", cd: 8, n, cs1: 1 });
    },
    1,
    7,
  ),
};
