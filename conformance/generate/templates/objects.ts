/** What templates of system calls begin with: descriptors, bytes to move, processes to move them between. */
import type { OpenFlag } from "../../../spec/sfork/operation.js";
import { absolute, countFree, lowestFree } from "../model/files.js";
import type { Life } from "../model.js";
import { imm, roles, type Scene } from "../scene.js";
import { everywhere, type Template } from "../template.js";

export interface Party {
  readonly thread: number;
  readonly life: Life;
}

export const party = (scene: Scene): Party => {
  const thread = scene.someone();
  return { thread, life: scene.model.lifeOf(thread) };
};

/** Somebody who is not process 0. */
export const mortal = (scene: Scene): Party | undefined => {
  const others = scene.model.living.filter(({ ordinal, stopped }) => ordinal !== 0 && !stopped);
  const life = others[scene.random.below(Math.max(1, others.length))];
  if (life !== undefined) return { life, thread: scene.threadOf(life) };
  return scene.fork(scene.someone());
};

/** Close what is in the way. */
const makeRoom = (scene: Scene, { thread, life }: Party, wanted: number): void => {
  if (life.nofile < 4) scene.act(thread, { op: "setrlimit", resource: "nofile", n: imm(16) });
  for (let d = 0; d < 4 && countFree(life) < wanted; d += 1) scene.act(thread, { op: "close", d });
};

export interface Ends {
  readonly read: number;
  readonly write: number;
}

/** A new pipe. */
export const pipe = (scene: Scene, who: Party): Ends | undefined => {
  makeRoom(scene, who, 2);
  const read = lowestFree(who.life);
  const write = read === undefined ? undefined : lowestFree(who.life, read + 1);
  if (read === undefined || write === undefined) return undefined;
  scene.add(who.thread, { op: "pipe" });
  return { read, write };
};

const paths = ["/a", "/b", "/d/a", "/d/b", "/e/a"] as const;

/** A file, open: its descriptor. */
export const file = (
  scene: Scene,
  who: Party,
  flags: readonly OpenFlag[] = ["read", "write", "create"],
  path: string = scene.random.pick(paths),
): number | undefined => {
  makeRoom(scene, who, 1);
  const d = lowestFree(who.life);
  if (d === undefined || scene.model.files.isThroughFile(absolute(who.life, path))) return undefined;
  scene.add(who.thread, { op: "open", path, flags });
  return d;
};

/** A path that other templates open, too. */
export const anyPath = ({ random }: Scene): string => random.pick(paths);

/** Write some bytes of the stack, which hold something, as a rule. */
export const put = (scene: Scene, thread: number, d: number, size = scene.random.between(1, 8)): void => {
  const { random } = scene;
  if (random.once(2)) {
    scene.act(thread, { op: "store.w", value: imm(random.below(1 << 16)), n: imm(random.below(4)), cs1: roles.stack });
  }
  scene.act(thread, { op: "write", d, cs1: roles.stack, n: imm(size) });
};

/** Read into the stack. */
export const get = (scene: Scene, thread: number, d: number, size = scene.random.between(1, 8)): void => {
  scene.act(thread, { op: "read", d, cs1: roles.stack, n: imm(size) });
};

/** A pointer to a place in the data part, in register `cd`. */
export const pointTo = (scene: Scene, thread: number, cd: number, offset: number): void => {
  scene.act(thread, { op: "cincoffset", cd, cs1: roles.data, n: imm(offset) });
};

/** Read into a place in the data part. */
export const getInto = (
  scene: Scene,
  thread: number,
  d: number,
  offset: number,
  size = scene.measures.granule,
): void => {
  pointTo(scene, thread, 9, offset);
  scene.act(thread, { op: "read", d, cs1: 9, n: imm(size) });
};

/** Somebody with a new pipe. */
export const withPipe = (act: (scene: Scene, who: Party, ends: Ends) => void, weight = 2): Template =>
  everywhere((scene) => {
    const who = party(scene);
    const ends = pipe(scene, who);
    if (ends !== undefined) act(scene, who, ends);
  }, weight);

/** The same, who is not process 0. */
export const withMortalPipe = (act: (scene: Scene, who: Party, ends: Ends) => void, weight = 2): Template =>
  everywhere((scene) => {
    const who = mortal(scene);
    const ends = who === undefined ? undefined : pipe(scene, who);
    if (who !== undefined && ends !== undefined) act(scene, who, ends);
  }, weight);

/** Somebody with a file. */
export const withFile = (act: (scene: Scene, who: Party, d: number) => void, weight = 2): Template =>
  everywhere((scene) => {
    const who = party(scene);
    const d = file(scene, who);
    if (d !== undefined) act(scene, who, d);
  }, weight);

/** A parent and its new child. */
export const withChild = (
  act: (scene: Scene, parent: Party, child: Party) => void,
  prepare: (scene: Scene, parent: Party) => void = () => undefined,
  weight = 2,
): Template =>
  everywhere((scene) => {
    const parent = party(scene);
    prepare(scene, parent);
    const child = scene.fork(parent.thread);
    if (child !== undefined) act(scene, parent, child);
  }, weight);

/** One of the two. */
export const either = <T>({ random }: Scene, one: T, other: T): T => (random.once(2) ? one : other);
