/** Templates for corner cases of descriptors, pipes, files and record locks. */
import type { descriptorCases } from "../../corner-cases/descriptors.js";
import { lowestFree } from "../model/files.js";
import { imm, roles, type Scene } from "../scene.js";
import { everywhere, type Template, type Templates } from "../template.js";
import {
  anyPath,
  either,
  file,
  get,
  mortal,
  party,
  pipe,
  put,
  withChild,
  withFile,
  withMortalPipe,
  withPipe,
  type Party,
} from "./objects.js";

/** The ends of a process's life, one of them. */
const leave = (scene: Scene, { thread, life }: Party): void => {
  const share = scene.random.below(4);
  if (share === 0) scene.act(scene.someone(), { op: "kill", target: { process: life.ordinal }, signal: imm(9) });
  else if (share === 1) scene.act(thread, { op: "exec" });
  else scene.end(life);
};

/** A pipe of which a child alone has one end, and loses it. */
const losing = (end: "read" | "write"): Template =>
  withPipe((scene, parent, ends) => {
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    if (scene.random.once(2)) put(scene, child.thread, ends.write);
    scene.act(child.thread, { op: "fcntl_cloexec", d: ends[end], n: imm(1) });
    scene.act(parent.thread, { op: "close", d: ends[end] });
    leave(scene, child);
    if (end === "write") {
      get(scene, parent.thread, ends.read);
      get(scene, parent.thread, ends.read);
    } else {
      scene.act(parent.thread, { op: "sigaction", signal: imm(13), action: "ignore" });
      put(scene, parent.thread, ends.write);
    }
  }, 3);

const lock = (scene: Scene, { thread }: Party, d: number, start = 0, length = 8): void => {
  scene.act(thread, { op: "lock", d, start: imm(start), length: imm(length) });
};

/** A file on which somebody has a lock. */
const withLock = (act: (scene: Scene, who: Party, d: number) => void, weight = 2): Template =>
  withFile((scene, who, d) => {
    lock(scene, who, d);
    act(scene, who, d);
  }, weight);

export const descriptorTemplates: Templates<keyof typeof descriptorCases> = {
  "pipe-data-across-fork": withPipe((scene, parent, { read, write }) => {
    put(scene, parent.thread, write, 8);
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    get(scene, child.thread, read, scene.random.between(1, 8));
    get(scene, parent.thread, read);
  }, 3),
  "pipe-end-of-file": withPipe((scene, { thread }, { read, write }) => {
    put(scene, thread, write, 4);
    scene.act(thread, { op: "close", d: write });
    get(scene, thread, read, 8);
    get(scene, thread, read, 8);
  }),
  "pipe-loses-writers": withPipe((scene, parent, { read, write }) => {
    const child = scene.random.once(2) ? scene.fork(parent.thread) : undefined;
    scene.act(parent.thread, { op: "close", d: write });
    get(scene, parent.thread, read);
    if (child === undefined) return;
    scene.act(child.thread, { op: "close", d: write });
    get(scene, parent.thread, read);
  }),
  "pipe-loses-writers-by-end": losing("write"),
  "pipe-loses-readers-by-end": losing("read"),
  "pipe-broken": withMortalPipe((scene, { thread }, { read, write }) => {
    scene.act(thread, { op: "close", d: read });
    if (scene.random.once(3)) scene.act(thread, { op: "sigmask", signals: [13] });
    const buffer = { cs1: roles.stack, n: imm(2) };
    if (scene.random.once(3)) scene.act(thread, { op: "writev", d: write, ...buffer, cs2: roles.stack, n2: imm(1) });
    else put(scene, thread, write);
    scene.act(thread, { op: "sigpending" });
  }),
  "pipe-empty": withPipe((scene, { thread }, { read }) => {
    get(scene, thread, read);
  }),
  "pipe-full": withPipe((scene, { thread }, { write }) => {
    const { pipe: capacity } = scene.config;
    put(scene, thread, write, capacity - scene.random.below(4));
    put(scene, thread, write, 8);
  }, 3),
  "pipe-refused-without-blocking": withPipe((scene, { thread }, { read, write }) => {
    if (scene.profile !== "posix" && scene.random.once(2)) {
      scene.act(thread, { op: "fcntl_nonblock", d: write, n: imm(1) });
      put(scene, thread, write, scene.config.pipe);
      const buffer = { cs1: roles.stack, n: imm(4) };
      if (scene.random.once(2)) put(scene, thread, write);
      else scene.act(thread, { op: "writev", d: write, ...buffer, cs2: roles.stack, n2: imm(2) });
      return;
    }
    scene.act(thread, { op: "fcntl_nonblock", d: read, n: imm(1) });
    get(scene, thread, read);
    if (scene.random.once(2)) put(scene, thread, write);
    if (scene.random.once(2)) get(scene, thread, read);
    else scene.act(thread, { op: "readv", d: read, cs1: roles.stack, n: imm(4), cs2: roles.shared, n2: imm(4) });
  }, 3),
  "pipe-written-in-part": withPipe((scene, { thread }, { read, write }) => {
    if (scene.measures.page <= scene.config.pipe) return;
    put(scene, thread, write, scene.config.pipe + scene.random.between(1, 8));
    get(scene, thread, read, 8);
  }, 3),
  "offset-shared-after-fork": withFile((scene, parent, d) => {
    put(scene, parent.thread, d, 8);
    if (scene.random.once(2)) scene.act(parent.thread, { op: "lseek", d, n: imm(2), whence: "set" });
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    put(scene, child.thread, d, 3);
    get(scene, parent.thread, d, 4);
    scene.act(child.thread, { op: "lseek", d, n: imm(0), whence: "cur" });
  }, 3),
  "flags-shared-after-fork": withPipe((scene, parent, { read }) => {
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    const [one, other] = either(scene, [parent, child], [child, parent]);
    scene.act(one.thread, { op: "fcntl_nonblock", d: read, n: imm(1) });
    scene.act(other.thread, { op: "fcntl_getfl", d: read });
    get(scene, other.thread, read);
  }),
  "close-on-exec": everywhere((scene) => {
    const who = mortal(scene);
    const ends = who === undefined ? undefined : pipe(scene, who);
    if (who === undefined || ends === undefined) return;
    scene.act(who.thread, { op: "fcntl_cloexec", d: either(scene, ends.read, ends.write), n: imm(1) });
    scene.act(who.thread, { op: "exec" });
    scene.act(who.thread, { op: "fcntl_getfd", d: ends.read });
    scene.act(who.thread, { op: "fcntl_getfd", d: ends.write });
  }),
  "dup2-closes": withPipe((scene, { thread, life }, { read, write }) => {
    const d = file(scene, { thread, life });
    if (d === undefined) return;
    scene.act(thread, { op: "dup2", d, d2: either(scene, read, write) });
    put(scene, thread, write);
    get(scene, thread, read);
  }),
  "dup2-to-itself": withPipe((scene, { thread }, { read }) => {
    scene.act(thread, { op: "fcntl_cloexec", d: read, n: imm(1) });
    scene.act(thread, { op: "dup2", d: read, d2: read });
    scene.act(thread, { op: "fcntl_getfd", d: read });
  }),
  "descriptors-full": everywhere((scene) => {
    const { thread, life } = party(scene);
    const first = lowestFree(life) ?? 16;
    const left = first + (first < 16 ? scene.random.below(3) : 0);
    scene.act(thread, { op: "setrlimit", resource: "nofile", n: imm(left) });
    scene.act(thread, { op: "pipe" });
    scene.act(thread, { op: "open", path: anyPath(scene), flags: ["read", "write", "create"] });
    scene.act(thread, { op: "dup", d: 0 });
    scene.act(thread, { op: "setrlimit", resource: "nofile", n: imm(16) });
  }),
  "descriptor-beyond-limit": withPipe((scene, { thread }, { read, write }) => {
    scene.act(thread, { op: "setrlimit", resource: "nofile", n: imm(read) });
    put(scene, thread, write);
    get(scene, thread, read);
    scene.act(thread, { op: "dup2", d: read, d2: write });
    scene.act(thread, { op: "setrlimit", resource: "nofile", n: imm(16) });
  }),
  "append-behind-another": everywhere((scene) => {
    const who = party(scene);
    const path = anyPath(scene);
    const first = file(scene, who, ["read", "write", "create"], path);
    const second = file(scene, who, ["write", "append"], path);
    if (first === undefined || second === undefined) return;
    const child = scene.fork(who.thread);
    put(scene, who.thread, first, 5);
    put(scene, child?.thread ?? who.thread, second, 3);
    scene.act(who.thread, { op: "lseek", d: second, n: imm(0), whence: "cur" });
  }),
  "write-behind-end": withFile((scene, { thread }, d) => {
    scene.act(thread, { op: "lseek", d, n: imm(scene.random.between(1, 8)), whence: "end" });
    put(scene, thread, d, 2);
    scene.act(thread, { op: "lseek", d, n: imm(0), whence: "set" });
    get(scene, thread, d, 12);
  }),
  "file-too-big": withFile((scene, { thread }, d) => {
    scene.act(thread, { op: "lseek", d, n: imm(4096 - scene.random.below(4)), whence: "set" });
    put(scene, thread, d, 8);
    put(scene, thread, d, 8);
  }),
  "truncate-under-descriptor": everywhere((scene) => {
    const who = party(scene);
    const path = anyPath(scene);
    const d = file(scene, who, ["read", "write", "create"], path);
    if (d === undefined) return;
    put(scene, who.thread, d, 6);
    const child = scene.fork(who.thread) ?? who;
    file(scene, child, ["write", "truncate"], path);
    put(scene, who.thread, d, 2);
    scene.act(who.thread, { op: "lseek", d, n: imm(0), whence: "end" });
  }),
  "lock-refused": withLock((scene, who, d) => {
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    lock(scene, child, d, scene.random.pick([0, 4, 7]), 4);
    scene.act(child.thread, { op: "getlk", d, start: imm(0), length: imm(0) });
  }),
  "lock-not-inherited": withLock((scene, who, d) => {
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    scene.act(child.thread, { op: "getlk", d, start: imm(2), length: imm(2) });
    scene.act(child.thread, { op: "unlock", d, start: imm(0), length: imm(0) });
    lock(scene, child, d);
  }),
  "lock-dropped-by-close": everywhere((scene) => {
    const who = party(scene);
    const path = anyPath(scene);
    const first = file(scene, who, ["read", "write", "create"], path);
    const second = file(scene, who, ["read"], path);
    if (first === undefined || second === undefined) return;
    lock(scene, who, first);
    const child = scene.fork(who.thread);
    scene.act(who.thread, { op: "close", d: second });
    if (child !== undefined) lock(scene, child, first);
  }),
  "lock-dropped-by-end": withChild((scene, parent, child) => {
    const d = file(scene, child);
    if (d === undefined) return;
    lock(scene, child, d);
    leave(scene, child);
    lock(scene, parent, d);
  }),
  "lock-kept-by-exec": everywhere((scene) => {
    const who = mortal(scene);
    const d = who === undefined ? undefined : file(scene, who);
    if (who === undefined || d === undefined) return;
    lock(scene, who, d);
    scene.act(who.thread, { op: "exec" });
    const child = scene.fork(who.thread);
    if (child !== undefined) lock(scene, child, d);
  }),
  "lock-split": withLock((scene, who, d) => {
    scene.act(who.thread, { op: "unlock", d, start: imm(2), length: imm(2) });
    const child = scene.fork(who.thread);
    if (child !== undefined) lock(scene, child, d, 2, 2);
  }),
  "description-outlives-descriptor": withFile((scene, parent, d) => {
    put(scene, parent.thread, d);
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    scene.act(parent.thread, { op: "fcntl_getfl", d });
    scene.act(parent.thread, { op: "close", d });
    scene.act(child.thread, { op: "write", d, cs1: roles.stack, n: imm(2) });
  }, 3),
};
