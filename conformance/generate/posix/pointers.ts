/** Pointers for the posix profile: registers that are known to hold one, and places that can be reached through it. */
import type { Integer } from "../../../spec/sfork/operation.js";
import { isPointer, type Pointer, type Touch } from "../model/memory.js";
import { imm, type Scene } from "../scene.js";

interface Held {
  readonly register: number;
  readonly pointer: Pointer;
}

const held = (scene: Scene): readonly Held[] =>
  (scene.thread.registers ?? []).flatMap((value, register) => (isPointer(value) ? [{ register, pointer: value }] : []));

const anyOf = <T>({ random }: Scene, list: readonly T[]): T | undefined => list[random.below(Math.max(1, list.length))];

/** A register that holds a pointer, most often one that was loaded; undefined where none is such. */
export const pointerRegister = (scene: Scene, isSuch: (one: Pointer) => boolean): Held | undefined => {
  const all = held(scene).filter(({ pointer }) => isSuch(pointer));
  const loaded = all.filter(({ pointer }) => pointer.loaded);
  return scene.random.percent(60) && loaded.length > 0 ? anyOf(scene, loaded) : anyOf(scene, all);
};

/** An offset from a pointer at which an access of `size` bytes lies within its bounds. */
const offsetWithin = (scene: Scene, { base, top, address }: Pointer, size: number): number => {
  const { random, measures } = scene;
  const steps = Math.floor((top - base - size) / size);
  const near = random.below(Math.max(1, Math.min(steps + 1, 8)));
  const chosen = random.percent(70) ? near : random.below(Math.max(1, steps + 1));
  const start = base + chosen * size;
  const edge = random.once(8) ? Math.min(base + measures.page, top) - size : start;
  return Math.max(base, edge) - address;
};

/** An access of `size` bytes through a pointer; a few attempts are made to find one that does not fault. */
export const reach = (
  scene: Scene,
  size: number,
  touch: Touch,
  isSuch: (one: Pointer) => boolean = () => true,
): { readonly cs1: number; readonly n: Integer } | undefined => {
  const memory = scene.life.memory;
  const mayFault = scene.random.once(6);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const found = pointerRegister(scene, (one) => one.top - one.base >= size && isSuch(one));
    if (found === undefined || memory === undefined) return undefined;
    const n = offsetWithin(scene, found.pointer, size);
    const prospect = memory.prospect(found.pointer, n, size, touch);
    const isPlain = touch === "write" || memory.isPlain(found.pointer, n, size);
    if (mayFault ? prospect === "fault" : prospect === "fine" && isPlain) return { cs1: found.register, n: imm(n) };
  }
  return undefined;
};

/** A buffer for a call: it begins at its pointer's address. */
export const posixBuffer = (
  scene: Scene,
  touch: Touch,
  bytes: number,
): { readonly cs1: number; readonly n: Integer } => {
  const size = Math.max(0, Math.min(bytes, scene.measures.page));
  const memory = scene.life.memory;
  const found = pointerRegister(scene, (one) => memory?.prospect(one, 0, size, touch) === "fine");
  const faulty = scene.random.once(6)
    ? pointerRegister(scene, (one) => memory?.prospect(one, 0, Math.max(1, size), touch) === "fault")
    : undefined;
  return { cs1: (faulty ?? found)?.register ?? 2, n: imm(size) };
};

/** A place where a pointer is kept, through a register that leads there. */
export const keptPointer = (scene: Scene): { readonly cs1: number; readonly n: Integer } | undefined => {
  const at = anyOf(scene, scene.life.memory?.pointers ?? []);
  if (at === undefined) return undefined;
  const { granule } = scene.measures;
  const found = pointerRegister(
    scene,
    ({ base, top, segment, live }) => live && segment === undefined && base <= at && at + granule <= top,
  );
  return found === undefined ? undefined : { cs1: found.register, n: imm(at - found.pointer.address) };
};
