/** Templates: a few steps in a row that reach a corner case, with some randomness. */
import type { Protection } from "../../spec/sfork/operation.js";
import type { CornerCaseName } from "../corner-cases.js";
import type { Profile } from "./options.js";
import { imm, type Scene } from "./scene.js";

type Emit = (scene: Scene) => void;

export interface Template {
  readonly emit: Emit;
  /** How often it is drawn, relative to others; 0 is never. */
  readonly weight: Readonly<Record<Profile, number>>;
}

export type Templates<Name extends CornerCaseName> = Readonly<Record<Name, Template>>;

/**
 * A template for all profiles but `posix`: nothing that it does depends on where a region lies. Weights are relative; those
 * that are hard to reach, or not for all profiles, have more.
 */
export const anywhere = (emit: Emit, weight = 2): Template => ({
  emit,
  weight: { oblivious: weight, "raw-bytes": weight, full: weight, posix: 0 },
});

/** A template for all profiles: what it does can be done on a real kernel. */
export const everywhere = (emit: Emit, weight = 2, posix = weight): Template => ({
  emit,
  weight: { oblivious: weight, "raw-bytes": weight, full: weight, posix },
});

/** A template that is not for oblivious programs. */
export const addressed = (emit: Emit, weight = 3): Template => ({
  emit,
  weight: { oblivious: 0, "raw-bytes": weight, full: weight, posix: 0 },
});

/** A template that ends the comparison with copy-on-pointer-access (REF-2): for programs that are meant to. */
export const rawBytes = (emit: Emit): Template => ({
  emit,
  weight: { oblivious: 0, "raw-bytes": 40, full: 1, posix: 0 },
});

export const readOnly: Protection = { read: true, write: false, execute: false };
export const readWrite: Protection = { read: true, write: true, execute: false };
export const executable: Protection = { read: true, write: false, execute: true };
export const nothing: Protection = { read: false, write: false, execute: false };

/** Of bytes, in all their widths. */
export const loads = ["load.b", "load.bu", "load.h", "load.hu", "load.w", "load.wu", "load.d"] as const;

/** Two registers for pointers. */
export const two = ({ random }: Scene): readonly [number, number] => {
  const first = random.between(8, 11);
  return [first, first + 1];
};

/** A data store of a few bytes at an offset in the data part. */
export const poke = (scene: Scene, actor: number, offset: number): void => {
  const { random } = scene;
  const value = imm(random.below(256));
  if (random.once(4)) scene.act(actor, { op: "storecap", cs2: random.pick([0, 1, 8]), n: imm(offset), cs1: 1 });
  else scene.act(actor, { op: random.pick(["store.b", "store.h", "store.w"]), value, n: imm(offset), cs1: 1 });
};

/** Change the protection of a page of the data part. */
export const protect = (scene: Scene, actor: number, page: number, protection: Protection): void => {
  const bytes = scene.measures.page;
  scene.act(actor, { op: "cincoffset", cd: 12, cs1: 1, n: imm(page) });
  scene.act(actor, { op: "mprotect", cs1: 12, n: imm(bytes), protection });
};

/** A pointer to some granules of the data part, in register `cd`. */
export const derive = (scene: Scene, actor: number, cd: number, granules = scene.random.between(1, 4)): void => {
  scene.act(actor, { op: "cincoffset", cd, cs1: 1, n: imm(scene.granule()) });
  scene.act(actor, { op: "csetbounds", cd, cs1: cd, n: imm(granules * scene.measures.granule) });
};

/** Fork three generations: undefined where there is no room. */
export const generations = (scene: Scene) => {
  const parent = scene.someone();
  const life = scene.model.lifeOf(parent);
  const child = scene.fork(parent);
  if (child === undefined) return undefined;
  const grandchild = scene.fork(child.thread, [life]);
  return grandchild === undefined ? undefined : { parent: { thread: parent, life }, child, grandchild };
};
