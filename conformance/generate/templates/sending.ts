/** Signals in templates: sent, counted, taken. */
import type { Target } from "../../../spec/sfork/operation.js";
import { imm, roles, type Scene } from "../scene.js";
import { pointTo, type Party } from "./objects.js";

/** Signals that end a process, but for a handler. */
export const plain = [1, 2, 10, 12, 15] as const;

export const kill = (scene: Scene, by: number, target: Target, signal: number): void => {
  scene.act(by, { op: "kill", target, signal: imm(signal) });
};

export const send = (scene: Scene, by: number, { life }: Pick<Party, "life">, signal: number): void => {
  kill(scene, by, { process: life.ordinal }, signal);
};

/** Count a signal at an offset in the data part. */
export const handle = (scene: Scene, { thread }: Party, signal: number, offset: number): void => {
  pointTo(scene, thread, 9, offset);
  scene.act(thread, { op: "sigaction", signal: imm(signal), action: { code: roles.sentry, data: 9 } });
};

/** A step before which signals are taken. */
export const step = (scene: Scene, { thread }: Party): void => {
  if (scene.random.once(2)) scene.act(thread, { op: "yield" });
  else scene.act(thread, { op: "store.b", value: imm(scene.random.below(256)), n: imm(0), cs1: roles.stack });
};
