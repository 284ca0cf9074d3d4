/** Steps of descriptors, files, pipes, locks and split calls. */
import type { OperationOf, SplitCall } from "../../spec/sfork/operation.js";
import * as choose from "./choices.js";
import type { Description } from "./model/files.js";
import type { Makers } from "./maker.js";
import { imm, type Scene } from "./scene.js";
import { integer } from "./values.js";

const isAny = (): boolean => true;

const one =
  <Name extends "close" | "dup" | "fcntl_getfd" | "fcntl_getfl">(op: Name) =>
  (scene: Scene) => ({ op, d: choose.descriptor(scene) });

const flag =
  <Name extends "fcntl_cloexec" | "fcntl_append" | "fcntl_nonblock">(op: Name) =>
  (scene: Scene) => ({ op, d: choose.descriptor(scene), n: imm(scene.random.below(2)) });

const moved = (scene: Scene, op: "read" | "write") => {
  const isSuch: (one: Description) => boolean = op === "read" ? choose.isReadable : choose.isWritable;
  const d = choose.descriptor(scene, scene.random.once(6) ? isAny : isSuch);
  return { d, ...choose.buffer(scene, op === "read" ? "write" : "read") };
};

const second = (scene: Scene, touch: "read" | "write") => {
  const { cs1, n } = choose.buffer(scene, touch);
  return { cs2: cs1, n2: n };
};

const read = (scene: Scene): OperationOf<"read"> => ({ op: "read", ...moved(scene, "read") });
const write = (scene: Scene): OperationOf<"write"> => ({ op: "write", ...moved(scene, "write") });
const readv = (scene: Scene): OperationOf<"readv"> => ({
  op: "readv",
  ...moved(scene, "read"),
  ...second(scene, "write"),
});
const writev = (scene: Scene): OperationOf<"writev"> => ({
  op: "writev",
  ...moved(scene, "write"),
  ...second(scene, "read"),
});
const open = (scene: Scene): OperationOf<"open"> => ({
  op: "open",
  path: choose.path(scene),
  flags: choose.flags(scene),
});

const anyCall = (scene: Scene): SplitCall =>
  scene.random.pick([read, read, write, write, readv, writev, open] as const)(scene);

/** A range of bytes for a lock; ranges of different processes often meet. */
const range = (scene: Scene) => {
  const { random } = scene;
  const odd = random.once(16);
  return {
    start: odd ? integer(scene) : imm(random.pick([0, 0, 1, 4, 8, -1])),
    length: random.once(20) ? integer(scene) : imm(random.pick([0, 1, 4, 4, 8, 16])),
  };
};

const lock =
  <Name extends "lock" | "unlock" | "getlk">(op: Name) =>
  (scene: Scene) => {
    const isSuch = (description: Description): boolean =>
      choose.isFile(description) && (op !== "lock" || description.writes);
    return { op, d: choose.descriptor(scene, isSuch), ...range(scene) };
  };

export const fileMakers = {
  pipe: () => ({ op: "pipe" }),
  open,
  close: one("close"),
  dup: one("dup"),
  dup2: (scene) => ({ op: "dup2", d: choose.descriptor(scene), d2: scene.random.below(scene.random.once(8) ? 20 : 8) }),
  read,
  readv,
  write,
  writev,
  lseek: (scene) => {
    const { random } = scene;
    const n = random.once(16) ? integer(scene) : imm(random.pick([0, 0, 1, 4, 8, 16, -1, -4, 4096, 4090]));
    const d = choose.descriptor(scene, choose.isFile);
    return { op: "lseek", d, n, whence: random.pick(["set", "set", "cur", "end"]) };
  },
  fcntl_cloexec: flag("fcntl_cloexec"),
  fcntl_append: flag("fcntl_append"),
  fcntl_nonblock: flag("fcntl_nonblock"),
  fcntl_getfd: one("fcntl_getfd"),
  fcntl_getfl: one("fcntl_getfl"),
  lock: lock("lock"),
  unlock: lock("unlock"),
  getlk: lock("getlk"),
  call_enter: (scene) => ({ op: "call_enter", call: anyCall(scene) }),
  call_finish: () => ({ op: "call_finish" }),
  chdir: (scene) => ({ op: "chdir", path: choose.directory(scene) }),
  umask: (scene) => {
    const { random } = scene;
    return { op: "umask", n: random.once(8) ? integer(scene) : imm(random.pick([0, 0o22, 0o27, 0o77, 0o2, 0o777])) };
  },
} as const satisfies Partial<Makers>;
