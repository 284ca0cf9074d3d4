/** Templates for corner cases of signals. */
import type { signalCases } from "../../corner-cases/signals.js";
import { anywhere, everywhere, poke, type Template, type Templates } from "../template.js";
import { imm, type Scene } from "../scene.js";
import { either, mortal, party, put, withChild, withMortalPipe, type Party } from "./objects.js";
import { handle, kill, plain, send, step } from "./sending.js";

/** A process that is stopped, and somebody who is not. */
const stopped = (act: (scene: Scene, child: Party, parent: Party) => void, weight = 2): Template =>
  withChild(
    (scene, parent, child) => {
      send(scene, parent.thread, child, 19);
      act(scene, child, parent);
      if (child.life.stopped) send(scene, parent.thread, child, 18);
    },
    undefined,
    weight,
  );

export const signalTemplates: Templates<keyof typeof signalCases> = {
  "pending-not-inherited": everywhere((scene) => {
    const who = party(scene);
    const signal = scene.random.pick(plain);
    scene.act(who.thread, { op: "sigmask", signals: [signal] });
    send(scene, scene.someone(), who, signal);
    const child = scene.fork(who.thread);
    if (child !== undefined) scene.act(child.thread, { op: "sigpending" });
    scene.act(who.thread, { op: "sigpending" });
    scene.act(who.thread, { op: "sigaction", signal: imm(signal), action: "ignore" });
    scene.act(who.thread, { op: "sigmask", signals: [] });
  }),
  "pending-kept-by-exec": everywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    const signal = scene.random.pick(plain);
    scene.act(who.thread, { op: "sigmask", signals: [signal] });
    send(scene, scene.someone(), who, signal);
    scene.act(who.thread, { op: "exec" });
    scene.act(who.thread, { op: "sigpending" });
    if (scene.random.once(2)) handle(scene, who, signal, scene.granule());
    scene.act(who.thread, { op: "sigmask", signals: [] });
    step(scene, who);
  }),
  "pending-vanishes": everywhere((scene) => {
    const who = party(scene);
    const signal = scene.random.pick(plain);
    scene.act(who.thread, { op: "sigmask", signals: [signal] });
    send(scene, scene.someone(), who, signal);
    scene.act(who.thread, { op: "sigaction", signal: imm(signal), action: "ignore" });
    scene.act(who.thread, { op: "sigmask", signals: [] });
    step(scene, who);
  }),
  "signals-in-order": everywhere((scene) => {
    const who = party(scene);
    for (const signal of [12, 10]) handle(scene, who, signal, scene.granule());
    const other = scene.model.living.find((life) => life !== who.life && !life.stopped);
    const sender = other === undefined ? scene.fork(who.thread)?.thread : scene.threadOf(other);
    if (sender === undefined) return;
    send(scene, sender, who, 12);
    send(scene, sender, who, 10);
    step(scene, who);
  }, 3),
  "signal-ends-process": withChild((scene, parent, child) => {
    send(scene, either(scene, parent, child).thread, child, scene.random.pick(plain));
    step(scene, child);
    scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
  }),
  "kill-ends-other": withChild((scene, parent, child) => {
    if (scene.random.once(2)) scene.act(child.thread, { op: "sigmask", signals: [1, 9, 15] });
    send(scene, parent.thread, child, 9);
    scene.act(parent.thread, { op: "wait", cd: 7, whom: undefined });
  }),
  "kill-of-group": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "setpgid", whom: undefined, group: undefined });
      const grandchild = scene.fork(child.thread, [parent.life]);
      if (grandchild === undefined) return;
      kill(scene, parent.thread, { group: child.life.group }, scene.random.pick([9, 10, 15, 17]));
      step(scene, child);
      step(scene, grandchild);
    },
    undefined,
    3,
  ),
  "kill-of-zombie": withChild((scene, parent, child) => {
    scene.end(child.life);
    send(scene, parent.thread, child, scene.random.pick([0, 9, 15]));
    scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
    send(scene, parent.thread, child, 0);
  }),
  "stop-by-signal": anywhere((scene) => {
    const parent = party(scene);
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    // A group of its own, which its parent keeps from being an orphan.
    scene.act(child.thread, { op: "setpgid", whom: undefined, group: undefined });
    send(scene, parent.thread, child, scene.random.pick([20, 21, 22]));
    step(scene, child);
    scene.act(child.thread, { op: "getpid", cd: 7 });
    send(scene, parent.thread, child, 18);
    step(scene, child);
  }, 3),
  "step-of-stopped": stopped((scene, child) => {
    scene.act(child.thread, { op: "getpid", cd: 7 });
    scene.act(child.thread, { op: "yield" });
  }),
  "continue-of-stopped": stopped((scene, child, parent) => {
    if (scene.random.once(2)) send(scene, parent.thread, child, 15);
    send(scene, parent.thread, child, 18);
    step(scene, child);
  }),
  "kill-of-stopped": stopped((scene, child, parent) => {
    send(scene, parent.thread, child, 9);
    scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
  }, 3),
  "terminal-stop-in-orphaned-group": everywhere((scene) => {
    const who = party(scene);
    if (scene.random.once(2)) scene.act(who.thread, { op: "setsid" });
    send(scene, scene.someone(), who, scene.random.pick([20, 21, 22]));
    scene.act(who.thread, { op: "getpid", cd: 7 });
  }),
  "pipe-signal-ends-writer": withMortalPipe((scene, { thread, life }, { read, write }) => {
    scene.act(thread, { op: "close", d: read });
    scene.act(thread, { op: "sigaction", signal: imm(13), action: "default" });
    put(scene, thread, write);
    scene.act(thread, { op: "yield" });
    scene.act(scene.someone(), { op: "wait", cd: 7, whom: life.ordinal });
  }, 3),
  "pipe-signal-caught": withMortalPipe((scene, who, { read, write }) => {
    const { thread } = who;
    const share = scene.random.below(3);
    if (share === 0) scene.act(thread, { op: "sigaction", signal: imm(13), action: "ignore" });
    else if (share === 1) scene.act(thread, { op: "sigmask", signals: [13] });
    else handle(scene, who, 13, scene.granule());
    scene.act(thread, { op: "close", d: read });
    put(scene, thread, write);
    put(scene, thread, write);
  }),
  "child-signal-counted": withChild(
    (scene, parent, child) => {
      scene.end(child.life);
      step(scene, parent);
      scene.act(parent.thread, { op: "wait", cd: 7, whom: undefined });
    },
    (scene, parent) => {
      handle(scene, parent, 17, scene.granule());
    },
  ),
  "orphan-zombie-vanishes": everywhere((scene) => {
    const first = scene.model.living[0];
    const child = scene.fork(scene.someone());
    const grandchild = child === undefined || first === undefined ? undefined : scene.fork(child.thread, [child.life]);
    if (first === undefined || child === undefined || grandchild === undefined) return;
    scene.end(grandchild.life);
    scene.act(scene.threadOf(first), { op: "sigaction", signal: imm(17), action: "ignore" });
    scene.end(child.life);
    scene.act(scene.threadOf(first), { op: "wait", cd: 7, whom: grandchild.life.ordinal });
    if (scene.random.once(2)) {
      scene.act(scene.threadOf(first), { op: "sigaction", signal: imm(17), action: "default" });
    }
  }, 3),
  "child-signal-ignored": withChild(
    (scene, parent, child) => {
      scene.end(child.life);
      poke(scene, parent.thread, scene.granule());
      scene.act(parent.thread, { op: "wait", cd: 7, whom: child.life.ordinal });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigaction", signal: imm(17), action: "ignore" });
    },
  ),
  "child-signal-ignored-and-masked": withChild(
    (scene, parent, child) => {
      scene.end(child.life);
      scene.act(parent.thread, { op: "sigpending" });
      scene.act(parent.thread, { op: "sigaction", signal: imm(17), action: "default" });
      scene.act(parent.thread, { op: "sigmask", signals: [] });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigmask", signals: [17] });
      scene.act(parent.thread, { op: "sigaction", signal: imm(17), action: "ignore" });
    },
  ),
};
