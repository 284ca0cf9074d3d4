/** Pointers for the posix profile: registers that are known to hold one, and places that can be reached through it. */
import type { Integer } from "../../../spec/sfork/operation.js";
import { isPointer, type Pointer, type Touch } from "../model/memory.js";
import { imm, type Scene } from "../scene.js";

/** A register and an offset, or the size of a buffer that begins at its address. */
interface Place {
  readonly cs1: number;
  readonly n: Integer;
}

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

/** An access that faults: to a page that may not be touched so, or is not there any more. */
const fault = (scene: Scene, size: number, touch: Touch, isSuch: (one: Pointer) => boolean): Place | undefined => {
  const { memory } = scene.life;
  const { page } = scene.measures;
  const places = held(scene).flatMap(({ register, pointer }) => {
    const { base, top, address } = pointer;
    if (!isSuch(pointer) || top - base < size || memory === undefined) return [];
    const pages = Array.from({ length: Math.ceil((top - base) / page) }, (_, index) => base + index * page - address);
    return pages.flatMap((n) => (memory.prospect(pointer, n, size, touch) === "fault" ? [{ cs1: register, n }] : []));
  });
  const found = anyOf(scene, places);
  return found && { cs1: found.cs1, n: imm(found.n) };
};

/** An access of `size` bytes through a pointer; a few attempts are made to find one that does not fault. */
export const reach = (
  scene: Scene,
  size: number,
  touch: Touch,
  isSuch: (one: Pointer) => boolean = () => true,
): Place | undefined => {
  const { memory } = scene.life;
  if (scene.random.once(4)) {
    const found = fault(scene, size, touch, isSuch);
    if (found !== undefined) return found;
  }
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const found = pointerRegister(scene, (one) => one.top - one.base >= size && isSuch(one));
    if (found === undefined || memory === undefined) return undefined;
    const n = offsetWithin(scene, found.pointer, size);
    const isPlain = touch === "write" || memory.isPlain(found.pointer, n, size);
    if (isPlain && memory.prospect(found.pointer, n, size, touch) === "fine") return { cs1: found.register, n: imm(n) };
  }
  return undefined;
};

/** A buffer for a call: it begins at its pointer's address. */
export const posixBuffer = (scene: Scene, touch: Touch, bytes: number): Place => {
  const size = Math.max(0, Math.min(bytes, scene.measures.page));
  const memory = scene.life.memory;
  const found = pointerRegister(scene, (one) => memory?.prospect(one, 0, size, touch) === "fine");
  const faulty = scene.random.once(6)
    ? pointerRegister(scene, (one) => memory?.prospect(one, 0, Math.max(1, size), touch) === "fault")
    : undefined;
  return { cs1: (faulty ?? found)?.register ?? 2, n: imm(size) };
};

/** A place where a pointer is kept, through a register that leads there. */
export const keptPointer = (scene: Scene): Place | undefined => {
  const at = anyOf(scene, scene.life.memory?.pointers ?? []);
  if (at === undefined) return undefined;
  const { granule } = scene.measures;
  const found = pointerRegister(
    scene,
    ({ base, top, segment, live }) => live && segment === undefined && base <= at && at + granule <= top,
  );
  return found === undefined ? undefined : { cs1: found.register, n: imm(at - found.pointer.address) };
};
