/** Templates for corner cases of capabilities. */
import type { capabilityCases } from "../../corner-cases/capabilities.js";
import { imm, roles, type Scene } from "../scene.js";
import { addressed, anywhere, derive, executable, loads, poke, readOnly, two, type Templates } from "../template.js";

/** What is made so is kept: stored, and loaded again now and then. */
const keep = (scene: Scene, actor: number, register: number): void => {
  const n = imm(scene.granule());
  scene.act(actor, { op: "storecap", cs2: register, n, cs1: 1 });
  if (scene.random.once(3)) scene.act(actor, { op: "loadcap", cd: register, n, cs1: 1 });
};

export const pastEnd = (scene: Scene, actor: number, register: number): void => {
  const granules = scene.random.between(1, 4);
  derive(scene, actor, register, granules);
  scene.act(actor, { op: "cincoffset", cd: register, cs1: register, n: imm(granules * scene.measures.granule) });
};

export const belowBase = (scene: Scene, actor: number, register: number): void => {
  const { granule, page } = scene.measures;
  scene.act(actor, { op: "cincoffset", cd: register, cs1: 1, n: imm(scene.random.pick([0, page, page - granule])) });
  scene.act(actor, { op: "csetbounds", cd: register, cs1: register, n: imm(granule * scene.random.pick([1, 2, 8])) });
  scene.act(actor, { op: "cincoffset", cd: register, cs1: register, n: imm(-granule) });
};

export const emptyAtStart = (scene: Scene, actor: number, register: number): void => {
  scene.act(actor, { op: "csetbounds", cd: register, cs1: 1, n: imm(0) });
};

/** The code part is the last of a region. */
export const emptyAtEnd = (scene: Scene, actor: number, register: number): void => {
  const [code] = roles.bytes;
  scene.act(actor, { op: "cgetpcc", cd: code });
  scene.act(actor, { op: "csetoffset", cd: code, cs1: code, n: imm(scene.measures.page) });
  scene.act(actor, { op: "csetbounds", cd: register, cs1: code, n: imm(0) });
};

export const capabilityTemplates: Templates<keyof typeof capabilityCases> = {
  "whole-region-bounds": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    const op = scene.random.pick(["csetbounds", "csetboundsexact"]);
    scene.act(actor, { op, cd: a, cs1: 1, n: imm(scene.measures.dataBytes) });
    keep(scene, actor, a);
  }),
  "cursor-one-past-end": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    pastEnd(scene, actor, a);
    keep(scene, actor, a);
  }),
  "cursor-below-base": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    belowBase(scene, actor, a);
    keep(scene, actor, a);
  }),
  "cursor-wrap": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    const half = 1n << BigInt(scene.measures.addressBits - 1);
    const far = scene.random.pick([-half, -half, half, -(half >> 1n)]);
    scene.act(actor, { op: "cincoffset", cd: a, cs1: 1, n: imm(far) });
    keep(scene, actor, a);
    scene.act(actor, { op: "store.b", value: imm(1), n: imm(far), cs1: scene.random.pick([1, a]) });
  }),
  "zero-length-at-region-start": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    emptyAtStart(scene, actor, a);
    keep(scene, actor, a);
  }),
  "zero-length-at-region-end": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    emptyAtEnd(scene, actor, a);
    keep(scene, actor, a);
  }),
  "inexact-bounds": anywhere((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    const { dataBytes } = scene.measures;
    const { random } = scene;
    const most = 31 - Math.clz32(dataBytes);
    const power = 2 ** random.between(Math.max(6, most - 4), most);
    const odd = random.pick([power + 1, power - 1, dataBytes - 1, dataBytes / 2 + 1, power + power / 8 + 1]);
    scene.act(actor, { op: "csetbounds", cd: a, cs1: 1, n: imm(Math.min(dataBytes - 1, odd)) });
    keep(scene, actor, a);
  }, 6),
  "unrepresentable-cursor": anywhere((scene) => {
    const actor = scene.someone();
    const [a, b] = two(scene);
    derive(scene, actor, a);
    const far = 1n << BigInt(scene.measures.addressBits - scene.random.between(3, 8));
    scene.act(actor, { op: scene.random.pick(["cincoffset", "csetoffset"]), cd: b, cs1: a, n: imm(far) });
    keep(scene, actor, b);
  }),
  "sealed-changed": anywhere((scene) => {
    const actor = scene.someone();
    const [a, b] = two(scene);
    const sealed = scene.canSeal && scene.random.once(2);
    if (sealed) {
      derive(scene, actor, a);
      scene.act(actor, { op: "cseal", cd: a, cs1: a, cs2: roles.sealing });
    }
    const op = scene.random.pick(["cincoffset", "csetoffset", "csetbounds"]);
    scene.act(actor, { op, cd: b, cs1: sealed ? a : roles.sentry, n: imm(scene.measures.granule) });
    keep(scene, actor, b);
  }),
  "load-without-load-cap": addressed((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    const n = scene.granule();
    scene.plant(actor, n);
    const reads = !scene.random.once(3);
    scene.act(actor, { op: "candperm", cd: 15, cs1: 1, words: reads ? ["load", "store", "global"] : ["store"] });
    if (reads) scene.act(actor, { op: "loadcap", cd: a, n: imm(n), cs1: 15 });
    else scene.act(actor, { op: scene.random.pick(loads), cd: 7, n: imm(n), cs1: 15 });
  }),
  "local-capability-store": anywhere((scene) => {
    const actor = scene.someone();
    scene.act(actor, {
      op: "candperm",
      cd: 15,
      cs1: 1,
      words: ["load", "store", "load-cap", "store-cap", "mutable-load"],
    });
    scene.act(actor, { op: "storecap", cs2: 15, n: imm(scene.granule()), cs1: 1 });
  }),
  "store-without-store-cap": anywhere((scene) => {
    const actor = scene.someone();
    scene.act(actor, { op: "candperm", cd: roles.reduced, cs1: 1, words: ["load", "store", "global"] });
    if (scene.random.once(3)) {
      const at = scene.granule();
      scene.plant(actor, at);
      scene.act(actor, { op: "cincoffset", cd: 8, cs1: 1, n: imm(at) });
      scene.act(actor, { op: "cmemcpy", cs1: roles.reduced, cs2: 8, n: imm(scene.measures.granule) });
    } else scene.act(actor, { op: "storecap", cs2: 1, n: imm(scene.granule()), cs1: roles.reduced });
  }, 3),
  "invoke-sealed-pair": anywhere((scene) => {
    if (!scene.canSeal) return;
    const actor = scene.someone();
    const [a, b] = two(scene);
    const [code] = roles.bytes;
    // The jump gives `pcc` the right to be invoked, which a shared segment has, too, and the data part has not.
    if (!scene.random.once(4)) scene.act(actor, { op: "cjalr", cd: a, cs1: roles.sentry });
    scene.act(actor, { op: "cgetpcc", cd: code });
    const { page } = scene.measures;
    const spoil = scene.random.below(6);
    if (spoil === 0)
      scene.act(actor, { op: "cincoffset", cd: code, cs1: code, n: imm(scene.random.pick([1, 2, page])) });
    if (spoil === 1) scene.act(actor, { op: "mprotect", cs1: code, n: imm(page), protection: readOnly });
    scene.act(actor, { op: "cseal", cd: a, cs1: code, cs2: roles.sealing });
    const other = scene.random.once(3) ? 12 : roles.sealing;
    if (other === 12) scene.act(actor, { op: "cincoffset", cd: other, cs1: roles.sealing, n: imm(1) });
    const data = scene.random.once(4) ? roles.data : roles.shared;
    scene.act(actor, { op: "cseal", cd: b, cs1: data, cs2: other });
    scene.act(actor, { op: "cinvoke", cs1: a, cs2: b });
    if (spoil === 1) scene.act(actor, { op: "mprotect", cs1: code, n: imm(page), protection: executable });
  }, 5),
  "half-overwritten-granule": anywhere((scene) => {
    const actor = scene.someone();
    const n = scene.granule();
    scene.plant(actor, n);
    poke(scene, actor, n + scene.random.pick([0, 1, 4, scene.measures.granule - 1]));
    scene.act(actor, { op: "loadcap", cd: 8, n: imm(n), cs1: 1 });
  }, 4),
};
