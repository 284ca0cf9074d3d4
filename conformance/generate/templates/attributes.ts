/** Templates for corner cases of groups, sessions, limits and relatives. */
import type { attributeCases } from "../../corner-cases/attributes.js";
import { generations, everywhere, type Templates } from "../template.js";
import { imm } from "../scene.js";
import { file, mortal, party, withChild } from "./objects.js";

export const attributeTemplates: Templates<keyof typeof attributeCases> = {
  "pid-kept-by-group": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "setpgid", whom: undefined, group: undefined });
      if (scene.fork(child.thread, [parent.life]) === undefined) return;
      scene.end(child.life);
      const reaper = scene.model.lives[child.life.parent] ?? parent.life;
      scene.act(scene.threadOf(reaper), { op: "wait", cd: 7, whom: child.life.ordinal });
      scene.act(parent.thread, { op: "fork", cd: 7 });
    },
    undefined,
    5,
  ),
  "group-outlives-leader": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: scene.random.once(2) ? "setsid" : "yield" });
      scene.act(child.thread, { op: "setpgid", whom: undefined, group: undefined });
      const grandchild = scene.fork(child.thread, [parent.life]);
      if (grandchild === undefined) return;
      scene.end(child.life);
      scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
      scene.act(grandchild.thread, { op: "getpgid", whom: undefined });
    },
    undefined,
    3,
  ),
  "group-of-child": withChild((scene, parent, child) => {
    scene.act(parent.thread, { op: "setpgid", whom: child.life.ordinal, group: undefined });
    scene.act(child.thread, { op: "getpgid", whom: undefined });
    scene.act(parent.thread, { op: "setpgid", whom: child.life.ordinal, group: parent.life.group });
  }),
  "group-of-child-after-exec": withChild((scene, parent, child) => {
    scene.act(child.thread, { op: "exec" });
    scene.act(parent.thread, { op: "setpgid", whom: child.life.ordinal, group: undefined });
    scene.act(child.thread, { op: "setpgid", whom: undefined, group: undefined });
  }),
  "group-refused": withChild((scene, parent, child) => {
    scene.act(child.thread, { op: "setsid" });
    scene.act(parent.thread, { op: "setpgid", whom: child.life.ordinal, group: undefined });
    scene.act(child.thread, { op: "setpgid", whom: undefined, group: parent.life.ordinal });
  }),
  "session-of-child": withChild((scene, parent, child) => {
    scene.act(child.thread, { op: "setsid" });
    scene.act(parent.thread, { op: "getsid", whom: child.life.ordinal });
    scene.act(child.thread, { op: "getpgid", whom: undefined });
  }),
  "session-refused-to-leader": everywhere((scene) => {
    const { thread } = party(scene);
    scene.act(thread, { op: "setpgid", whom: undefined, group: undefined });
    scene.act(thread, { op: "setsid" });
  }),
  "orphan-gets-parent": everywhere((scene) => {
    const family = generations(scene);
    if (family === undefined) return;
    scene.end(family.child.life);
    scene.act(family.grandchild.thread, { op: "getppid", cd: 7 });
  }, 4),
  "orphan-vanishes": everywhere((scene) => {
    const [first] = scene.model.living;
    if (first?.ordinal !== 0) return;
    scene.act(scene.threadOf(first), { op: "sigaction", signal: imm(17), action: "ignore" });
    const family = generations(scene);
    if (family === undefined) return;
    const order = scene.random.once(2) ? [family.child, family.grandchild] : [family.grandchild, family.child];
    for (const { life } of order) scene.end(life);
    scene.act(scene.threadOf(first), { op: "wait", cd: 7, whom: undefined });
  }, 3),
  "wait-for-signalled": withChild((scene, parent, child) => {
    scene.act(parent.thread, {
      op: "kill",
      target: { process: child.life.ordinal },
      signal: imm(scene.random.pick([9, 15, 2])),
    });
    scene.act(child.thread, { op: "yield" });
    scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
  }),
  "wait-with-ignored-children": withChild(
    (scene, parent, child) => {
      scene.end(child.life);
      scene.act(parent.thread, { op: "wait", cd: 7, whom: undefined });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigaction", signal: imm(17), action: "ignore" });
    },
  ),
  "processes-limited": everywhere((scene) => {
    const { thread } = party(scene);
    const { processes } = scene.config;
    const n = scene.profile === "posix" ? 1 : scene.random.between(0, 2);
    scene.act(thread, { op: "setrlimit", resource: "nproc", n: imm(n) });
    scene.act(thread, { op: "fork", cd: 7 });
    scene.act(thread, { op: "setrlimit", resource: "nproc", n: imm(processes) });
  }, 3),
  "limits-inherited": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "getrlimit", resource: "nofile" });
      scene.act(parent.thread, { op: "setrlimit", resource: "nofile", n: imm(16) });
      scene.act(child.thread, { op: "dup2", d: 0, d2: 6 });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "setrlimit", resource: "nofile", n: imm(scene.random.between(4, 8)) });
    },
  ),
  "mask-of-modes-inherited": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "umask", n: imm(0) });
      scene.act(parent.thread, { op: "umask", n: imm(0o22) });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "umask", n: imm(scene.random.pick([0o27, 0o77])) });
    },
    3,
  ),
  "directory-inherited": withChild(
    (scene, parent, child) => {
      file(scene, child, ["read", "write", "create"], "a");
      scene.act(child.thread, { op: "chdir", path: "/" });
      file(scene, parent, ["read", "write", "create"], "a");
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "chdir", path: scene.random.pick(["/d", "/e"]) });
    },
    3,
  ),
  "time-of-children": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "burn" });
      scene.end(child.life);
      scene.act(parent.thread, { op: "times", whose: "children" });
      scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
      scene.act(parent.thread, { op: "times", whose: "children" });
    },
    undefined,
    3,
  ),
  "time-not-inherited": everywhere(
    (scene) => {
      const who = mortal(scene);
      if (who === undefined) return;
      scene.act(who.thread, { op: "burn" });
      scene.act(who.thread, { op: "alarm", n: imm(5) });
      const child = scene.fork(who.thread);
      if (child === undefined) return;
      scene.act(child.thread, { op: "times", whose: "self" });
      scene.act(child.thread, { op: "alarm", n: imm(0) });
      scene.act(who.thread, { op: "alarm", n: imm(0) });
    },
    4,
    2,
  ),
};
