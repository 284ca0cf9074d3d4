/** Templates for corner cases of signals. */
import type { Target } from "../../../spec/sfork/operation.js";
import type { signalCases } from "../../corner-cases/signals.js";
import { imm, roles, type Scene } from "../scene.js";
import {
  anywhere,
  everywhere,
  poke,
  protect,
  readOnly,
  readWrite,
  type Template,
  type Templates,
} from "../template.js";
import { either, mortal, party, pointTo, put, withChild, withMortalPipe, type Party } from "./objects.js";

const plain = [1, 2, 10, 12, 15] as const;

const kill = (scene: Scene, by: number, target: Target, signal: number): void => {
  scene.act(by, { op: "kill", target, signal: imm(signal) });
};

const send = (scene: Scene, by: number, { life }: Pick<Party, "life">, signal: number): void => {
  kill(scene, by, { process: life.ordinal }, signal);
};

/** Count a signal at an offset in the data part. */
const handle = (scene: Scene, { thread }: Party, signal: number, offset: number): void => {
  pointTo(scene, thread, 9, offset);
  scene.act(thread, { op: "sigaction", signal: imm(signal), action: { code: roles.sentry, data: 9 } });
};

const step = (scene: Scene, { thread }: Party): void => {
  if (scene.random.once(2)) scene.act(thread, { op: "yield" });
  else scene.act(thread, { op: "store.b", value: imm(scene.random.below(256)), n: imm(0), cs1: roles.stack });
};

/** A handler, before a fork. */
const handled = (
  act: (scene: Scene, parent: Party, child: Party, signal: number, at: number) => void,
  weight = 3,
): Template =>
  everywhere((scene) => {
    const parent = party(scene);
    const signal = scene.random.pick(plain);
    const at = scene.granule();
    handle(scene, parent, signal, at);
    const child = scene.fork(parent.thread);
    if (child !== undefined) act(scene, parent, child, signal, at);
  }, weight);

const look = (scene: Scene, thread: number, at: number): void => {
  const place = { n: imm(at), cs1: roles.data };
  if (scene.profile === "posix") scene.act(thread, { op: "load.w", cd: 7, ...place });
  else scene.act(thread, { op: "loadcap", cd: 8, ...place });
};

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
  "handler-counts": everywhere((scene) => {
    const who = party(scene);
    const signal = scene.random.pick(plain);
    const at = scene.granule();
    handle(scene, who, signal, at);
    send(scene, scene.someone(), who, signal);
    step(scene, who);
    look(scene, who.thread, at);
  }),
  "handler-inherited": handled((scene, _, child, signal) => {
    scene.act(child.thread, { op: "getaction", signal: imm(signal) });
  }),
  "handler-runs-in-child": handled((scene, parent, child, signal, at) => {
    send(scene, either(scene, parent, child).thread, child, signal);
    step(scene, child);
    look(scene, child.thread, at);
    look(scene, parent.thread, at);
  }, 4),
  "handler-counts-in-shared": handled((scene, parent, child, signal, at) => {
    send(scene, child.thread, parent, signal);
    step(scene, parent);
    look(scene, child.thread, at);
  }),
  "handler-counts-in-unresolved": everywhere((scene) => {
    const parent = party(scene);
    const at = scene.granule();
    const signal = scene.random.pick(plain);
    if (scene.random.once(2)) scene.plant(parent.thread, scene.granule());
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    handle(scene, child, signal, at);
    send(scene, parent.thread, child, signal);
    step(scene, child);
  }),
  "handler-counts-over-pointer": anywhere((scene) => {
    const who = party(scene);
    const at = scene.granule();
    const signal = scene.random.pick(plain);
    handle(scene, who, signal, at);
    scene.plant(who.thread, at);
    const child = scene.random.once(2) ? scene.fork(who.thread) : undefined;
    const taker = child ?? who;
    send(scene, taker.thread, taker, signal);
    step(scene, taker);
    look(scene, who.thread, at);
  }),
  "handler-faults": anywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    const signal = scene.random.pick(plain);
    // No memory at all, or less of it than a counter takes.
    if (scene.random.once(2))
      scene.act(who.thread, { op: "csetbounds", cd: 9, cs1: roles.data, n: imm(scene.random.below(4)) });
    else scene.act(who.thread, { op: "cmove", cd: 9, cs1: scene.random.pick([0, roles.sentry]) });
    scene.act(who.thread, { op: "sigaction", signal: imm(signal), action: { code: roles.sentry, data: 9 } });
    send(scene, scene.someone(), who, signal);
    step(scene, who);
  }),
  "handler-faults-by-protection": everywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    const signal = scene.random.pick(plain);
    const page = scene.dataPage(true);
    handle(scene, who, signal, page);
    protect(scene, who.thread, page, readOnly);
    const child = scene.random.once(2) ? scene.fork(who.thread) : undefined;
    send(scene, scene.someone(), child ?? who, signal);
    step(scene, child ?? who);
    protect(scene, who.thread, page, readWrite);
  }),
  "handler-revoked": everywhere((scene) => {
    const who = mortal(scene);
    const { freePages, page } = scene.measures;
    if (who === undefined || freePages === 0) return;
    const signal = scene.random.pick(plain);
    scene.act(who.thread, { op: "mmap", cd: 9, n: imm(page), protection: readWrite });
    scene.act(who.thread, { op: "sigaction", signal: imm(signal), action: { code: roles.sentry, data: 9 } });
    if (scene.random.once(2)) {
      scene.act(who.thread, { op: "munmap", cs1: 9, n: imm(page) });
      send(scene, scene.someone(), who, signal);
      step(scene, who);
      return;
    }
    scene.act(who.thread, { op: "madvise", cs1: 9, n: imm(page), advice: "dontfork" });
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    send(scene, who.thread, child, signal);
    step(scene, child);
  }, 3),
  "handler-dropped-by-exec": everywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    const [caught, ignored] = either(scene, [10, 12], [12, 1]);
    handle(scene, who, caught, scene.granule());
    scene.act(who.thread, { op: "sigaction", signal: imm(ignored), action: "ignore" });
    scene.act(who.thread, { op: "exec" });
    scene.act(who.thread, { op: "getaction", signal: imm(either(scene, caught, ignored)) });
    send(scene, scene.someone(), who, either(scene, caught, ignored));
    step(scene, who);
  }),
  "alternate-stack-inherited": withChild(
    (scene, _, child) => {
      scene.act(child.thread, { op: "getaltstack", cd: 9 });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigaltstack", cs1: either(scene, roles.stack, roles.data) });
    },
  ),
  "alternate-stack-seen-in-child": withChild(
    (scene, _, child) => {
      scene.act(child.thread, { op: "getaltstack", cd: 9 });
      scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(0), cs1: 9 });
      const grandchild = scene.fork(child.thread);
      if (grandchild !== undefined) scene.act(grandchild.thread, { op: "getaltstack", cd: 9 });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigaltstack", cs1: roles.stack });
    },
  ),
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
  }),
  "signal-ends-process": withChild((scene, parent, child) => {
    send(scene, either(scene, parent, child).thread, child, scene.random.pick(plain));
    step(scene, child);
    scene.act(parent.thread, { op: "wait", cd: 7, process: child.life.ordinal });
  }),
  "kill-ends-other": withChild((scene, parent, child) => {
    if (scene.random.once(2)) scene.act(child.thread, { op: "sigmask", signals: [1, 9, 15] });
    send(scene, parent.thread, child, 9);
    scene.act(parent.thread, { op: "wait", cd: 7, process: undefined });
  }),
  "kill-of-group": withChild(
    (scene, parent, child) => {
      scene.act(child.thread, { op: "setpgid", process: undefined, group: undefined });
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
    scene.act(parent.thread, { op: "wait", cd: 7, process: child.life.ordinal });
    send(scene, parent.thread, child, 0);
  }),
  "stop-by-signal": anywhere((scene) => {
    const parent = party(scene);
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    // A group of its own, which its parent keeps from being an orphan.
    scene.act(child.thread, { op: "setpgid", process: undefined, group: undefined });
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
    scene.act(parent.thread, { op: "wait", cd: 7, process: child.life.ordinal });
  }),
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
    scene.act(scene.someone(), { op: "wait", cd: 7, process: life.ordinal });
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
      scene.act(parent.thread, { op: "wait", cd: 7, process: undefined });
    },
    (scene, parent) => {
      handle(scene, parent, 17, scene.granule());
    },
  ),
  "child-signal-ignored": withChild(
    (scene, parent, child) => {
      scene.end(child.life);
      poke(scene, parent.thread, scene.granule());
      scene.act(parent.thread, { op: "wait", cd: 7, process: child.life.ordinal });
    },
    (scene, parent) => {
      scene.act(parent.thread, { op: "sigaction", signal: imm(17), action: "ignore" });
    },
  ),
};
