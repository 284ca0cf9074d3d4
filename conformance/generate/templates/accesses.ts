/** Templates for corner cases of accesses to memory. */
import type { accessCases } from "../../corner-cases/accesses.js";
import { imm, reg, roles, type Scene } from "../scene.js";
import {
  addressed,
  anywhere,
  everywhere,
  executable,
  loads,
  nothing,
  poke,
  protect,
  readOnly,
  rawBytes,
  readWrite,
  two,
} from "../template.js";
import type { Templates } from "../template.js";

/** Copy within the data part, to and from places that overlap. */
const shift = (scene: Scene, actor: number, from: number, distance: number, size: number): void => {
  const [a, b] = two(scene);
  scene.act(actor, { op: "cincoffset", cd: a, cs1: 1, n: imm(from) });
  scene.act(actor, { op: "cincoffset", cd: b, cs1: a, n: imm(distance) });
  const [cs1, cs2] = scene.random.once(2) ? [a, b] : [b, a];
  scene.act(actor, { op: "cmemcpy", cs1, cs2, n: imm(size) });
};

/** A store that begins before the border of a page and ends behind it. */
const storeAcross = (scene: Scene, actor: number, border: number): void => {
  const { random } = scene;
  const value = random.once(4) ? reg(7) : imm(random.below(1 << 16));
  if (random.once(2)) {
    scene.act(actor, { op: random.pick(["store.h", "store.w"]), value, n: imm(border - 1), cs1: 1 });
  } else {
    const [a] = two(scene);
    const { granule } = scene.measures;
    scene.act(actor, { op: "cincoffset", cd: a, cs1: 1, n: imm(border - granule) });
    scene.act(actor, { op: "memset", cs1: a, value: imm(0x5a), n: imm(2 * granule) });
  }
};

/** Begin with a fork now and then, so that pages are shared. */
const maybeShared = (scene: Scene): number => {
  const actor = scene.someone();
  const child = scene.random.once(2) ? scene.fork(actor) : undefined;
  return child !== undefined && scene.random.once(2) ? child.thread : actor;
};

export const accessTemplates: Templates<keyof typeof accessCases> = {
  "cmemcpy-overlap": anywhere((scene) => {
    const actor = maybeShared(scene);
    const { granule, dataBytes } = scene.measures;
    const from = granule * scene.random.below(dataBytes / granule - 6);
    shift(scene, actor, from, granule * scene.random.between(1, 2), 3 * granule);
  }),
  "cmemcpy-overlap-pointers": anywhere((scene) => {
    const actor = maybeShared(scene);
    const { granule, page } = scene.measures;
    const from = scene.random.once(2) ? page - 2 * granule : granule * scene.random.below(4);
    for (const at of [0, 1, 2]) if (at < 2 || scene.random.once(2)) scene.plant(actor, from + at * granule);
    shift(scene, actor, from, granule, 3 * granule);
  }),
  "cmemcpy-shifts-pointers": addressed((scene) => {
    const actor = scene.someone();
    const { granule, dataBytes } = scene.measures;
    const from = granule * scene.random.below(dataBytes / granule - 4);
    scene.plant(actor, from);
    shift(scene, actor, from, granule + scene.random.between(1, granule - 1), 2 * granule);
    const near = from + granule * scene.random.between(1, 3);
    scene.act(actor, { op: "loadcap", cd: 8, n: imm(near), cs1: 1 });
  }, 5),
  "access-across-resolved-and-unresolved": anywhere((scene) => {
    const actor = scene.someone();
    const border = scene.dataPage(true);
    const child = scene.fork(actor);
    if (child === undefined) return;
    const { page, granule } = scene.measures;
    poke(scene, child.thread, border + scene.random.pick([-page, granule]));
    storeAcross(scene, child.thread, border);
  }, 4),
  "access-across-permitted-and-forbidden": anywhere((scene) => {
    const actor = maybeShared(scene);
    const border = scene.dataPage(true);
    protect(scene, actor, border, scene.random.pick([nothing, readOnly]));
    storeAcross(scene, actor, border);
    if (!scene.oblivious) scene.act(actor, { op: "load.h", cd: 7, n: imm(border - 1), cs1: 1 });
    protect(scene, actor, border, readWrite);
  }),
  "store-crosses-into-read-only-page": anywhere((scene) => {
    const actor = maybeShared(scene);
    const border = scene.dataPage(true);
    protect(scene, actor, border, readOnly);
    storeAcross(scene, actor, border);
    protect(scene, actor, border, readWrite);
    if (scene.random.once(2)) storeAcross(scene, actor, border);
  }),
  "store-to-shared-read-only-page": everywhere((scene) => {
    const actor = scene.someone();
    const page = scene.dataPage(true);
    protect(scene, actor, page, readOnly);
    const child = scene.fork(actor);
    const writer = child !== undefined && scene.random.once(2) ? child.thread : actor;
    poke(scene, writer, page);
    protect(scene, actor, page, readWrite);
    if (child !== undefined && scene.random.once(2)) protect(scene, child.thread, page, readWrite);
  }, 4),
  "access-without-protection": everywhere((scene) => {
    const actor = maybeShared(scene);
    const page = scene.dataPage(true);
    protect(scene, actor, page, nothing);
    const n = imm(page);
    if (scene.random.once(2)) scene.act(actor, { op: "loadcap", cd: 8, n, cs1: 1 });
    else scene.act(actor, { op: scene.random.pick(loads), cd: 7, n, cs1: 1 });
    protect(scene, actor, page, scene.random.pick([readWrite, readWrite, readOnly]));
  }, 4),
  "jump-without-protection": anywhere((scene) => {
    const actor = maybeShared(scene);
    const [code] = roles.bytes;
    const n = imm(scene.measures.page);
    scene.act(actor, { op: "cgetpcc", cd: code });
    scene.act(actor, { op: "mprotect", cs1: code, n, protection: readOnly });
    scene.act(actor, { op: "cjalr", cd: 8, cs1: roles.sentry });
    scene.act(actor, { op: "mprotect", cs1: code, n, protection: executable });
  }),
  "store-capability-to-segment": anywhere((scene) => {
    const n = imm(scene.measures.granule * scene.random.below(4));
    scene.act(scene.someone(), { op: "storecap", cs2: scene.random.pick([1, 1, 2, 3]), n, cs1: roles.shared });
  }),
  "segment-seen-by-another": everywhere((scene) => {
    const actor = scene.someone();
    const n = imm(scene.random.below(16));
    const [cs1] = roles.bytes;
    scene.act(actor, { op: "shm", cd: cs1, segment: scene.random.below(2) });
    const child = scene.fork(actor);
    if (child === undefined) return;
    const [writer, reader] = scene.random.once(2) ? [actor, child.thread] : [child.thread, actor];
    scene.act(writer, { op: "store.b", value: imm(scene.random.below(256)), n, cs1 });
    scene.act(reader, { op: "load.bu", cd: 7, n, cs1 });
  }),
  "loadcap-from-unresolved": everywhere((scene) => {
    const actor = scene.someone();
    const n = scene.granule();
    scene.plant(actor, n);
    const child = scene.fork(actor);
    if (child === undefined) return;
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(n), cs1: 1 });
    scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: 8 });
  }),
  "raw-read-of-unresolved": rawBytes((scene) => {
    const actor = scene.someone();
    const n = scene.granule();
    scene.plant(actor, n);
    const child = scene.fork(actor);
    if (child === undefined) return;
    const { granule } = scene.measures;
    if (scene.random.once(3)) {
      shift(scene, child.thread, n, 1, granule);
      return;
    }
    const within = n + 2 * scene.random.below(granule / 2);
    scene.act(child.thread, { op: scene.random.pick(["load.bu", "load.h"]), cd: 7, n: imm(within), cs1: 1 });
  }),
  "untagged-load-leaves-unresolved": everywhere((scene) => {
    const actor = scene.someone();
    const child = scene.fork(actor);
    if (child === undefined) return;
    const n = imm(scene.random.below(scene.measures.page - 4));
    scene.act(child.thread, { op: "load.w", cd: 7, n, cs1: roles.stack });
    scene.act(child.thread, { op: "store.w", value: reg(7), n, cs1: roles.stack });
  }, 4),
  "cloadtags-without-load-cap": anywhere((scene) => {
    const actor = scene.someone();
    scene.act(actor, { op: "candperm", cd: roles.reduced, cs1: 1, words: ["load", "store", "global"] });
    scene.act(actor, { op: "cloadtags", cd: 7, cs1: roles.reduced });
  }),
  "cloadtags-of-unresolved": anywhere((scene) => {
    const actor = scene.someone();
    const { granule, page } = scene.measures;
    const group = 4 * granule;
    const at = group * scene.random.below(page / group);
    if (scene.random.percent(70)) scene.plant(actor, at + granule * scene.random.below(4));
    const child = scene.fork(actor);
    if (child === undefined) return;
    scene.act(child.thread, { op: "cincoffset", cd: 9, cs1: 1, n: imm(at) });
    scene.act(child.thread, { op: "cloadtags", cd: 7, cs1: 9 });
  }),
};
