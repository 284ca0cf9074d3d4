/** Templates for corner cases of pointers that are loaded from memory, and then used. */
import type { pointerCases } from "../../corner-cases/pointers.js";
import { imm, roles, type Scene } from "../scene.js";
import { everywhere, type Templates } from "../template.js";
import { either, party, pipe, pointTo, put, type Party } from "./objects.js";

const store = (scene: Scene, { thread }: Party, register: number, n = 0): void => {
  const value = imm(scene.random.below(256));
  scene.act(thread, { op: scene.random.pick(["store.b", "store.h", "store.w"]), value, n: imm(n), cs1: register });
};

/** What a pointer leads to: bytes, where they are known to be no pointer's. */
const look = (scene: Scene, { thread }: Party, register: number): void => {
  if (scene.profile === "posix") scene.act(thread, { op: "load.w", cd: 7, n: imm(0), cs1: register });
  else scene.act(thread, { op: "loadcap", cd: 11, n: imm(0), cs1: register });
};

const keep = (scene: Scene, { thread }: Party, register: number, offset: number): void => {
  scene.act(thread, { op: "storecap", cs2: register, n: imm(offset), cs1: roles.data });
};

const fetch = (scene: Scene, { thread }: Party, register: number, offset: number): void => {
  scene.act(thread, { op: "loadcap", cd: register, n: imm(offset), cs1: roles.data });
};

/** Two places in the data part that are not the same. */
const places = (scene: Scene): readonly [number, number] => {
  const { granule, dataBytes } = scene.measures;
  const first = scene.granule();
  return [first, (first + granule * scene.random.between(1, 8)) % dataBytes];
};

export const pointerTemplates: Templates<keyof typeof pointerCases> = {
  "pointer-followed-in-child": everywhere(
    (scene) => {
      const parent = party(scene);
      const [from, to] = places(scene);
      pointTo(scene, parent.thread, 8, to);
      store(scene, parent, 8);
      keep(scene, parent, 8, from);
      const child = scene.fork(parent.thread);
      if (child === undefined) return;
      const [one, other] = either(scene, [parent, child], [child, parent]);
      fetch(scene, child, 9, from);
      store(scene, child, 9);
      fetch(scene, parent, 10, from);
      look(scene, one, one === child ? 9 : 10);
      look(scene, other, other === child ? 9 : 10);
    },
    2,
    24,
  ),
  "pointer-chain-followed": everywhere(
    (scene) => {
      const who = party(scene);
      const [from, to] = places(scene);
      pointTo(scene, who.thread, 8, to);
      keep(scene, who, 8, from);
      scene.act(who.thread, { op: "storecap", cs2: roles.stack, n: imm(0), cs1: 8 });
      const child = scene.random.once(2) ? scene.fork(who.thread) : undefined;
      const reader = child ?? who;
      fetch(scene, reader, 9, from);
      scene.act(reader.thread, { op: "loadcap", cd: 10, n: imm(0), cs1: 9 });
      store(scene, reader, 10, 4);
    },
    2,
    24,
  ),
  "pointer-followed-by-kernel": everywhere(
    (scene) => {
      const who = party(scene);
      const ends = pipe(scene, who);
      if (ends === undefined) return;
      const [from, to] = places(scene);
      pointTo(scene, who.thread, 8, to);
      keep(scene, who, 8, from);
      put(scene, who.thread, ends.write, 8);
      const child = scene.random.once(2) ? scene.fork(who.thread) : undefined;
      const reader = child ?? who;
      fetch(scene, reader, 9, from);
      scene.act(reader.thread, { op: "read", d: ends.read, cs1: 9, n: imm(4) });
      look(scene, reader, 9);
      look(scene, who, 8);
    },
    2,
    12,
  ),
};
