/** Templates for corner cases of handlers. */
import type { handlerCases } from "../../corner-cases/handlers.js";
import { imm, roles, type Scene } from "../scene.js";
import { anywhere, everywhere, protect, readOnly, readWrite, type Template, type Templates } from "../template.js";
import { either, mortal, party, withChild, type Party } from "./objects.js";
import { handle, plain, send, step } from "./sending.js";

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

export const handlerTemplates: Templates<keyof typeof handlerCases> = {
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
};
