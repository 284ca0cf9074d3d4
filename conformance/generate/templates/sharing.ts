/** Templates for corner cases of pages that are shared after a fork. */
import type { sharingCases } from "../../corner-cases/sharing.js";
import { imm, type Scene } from "../scene.js";
import {
  everywhere,
  generations,
  poke,
  protect,
  readOnly,
  readWrite,
  type Template,
  type Templates,
} from "../template.js";

type Role = "parent" | "child" | "grandchild";

const inOrder = (...order: readonly [Role, Role, Role]): Template =>
  everywhere((scene) => {
    const at = scene.granule();
    const family = generations(scene);
    if (family === undefined) return;
    if (scene.random.once(3)) scene.plant(family.parent.thread, scene.granule());
    for (const role of order) poke(scene, family[role].thread, at);
    const reader = family[scene.random.pick(order)].thread;
    scene.act(reader, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }, 4);

/** A read-only page, shared by a fork, becomes writable on one side and is written there. */
const widened = (side: "parent" | "child"): Template =>
  everywhere((scene: Scene) => {
    const actor = scene.someone();
    const page = scene.dataPage(true);
    if (scene.random.once(2)) scene.plant(actor, page);
    protect(scene, actor, page, readOnly);
    const child = scene.fork(actor);
    if (child === undefined) return;
    const [writer, reader] = side === "child" ? [child.thread, actor] : [actor, child.thread];
    protect(scene, writer, page, readWrite);
    poke(scene, writer, page);
    scene.act(reader, { op: "loadcap", cd: 8, n: imm(page), cs1: 1 });
    protect(scene, reader, page, readWrite);
  }, 4);

export const sharingTemplates: Templates<keyof typeof sharingCases> = {
  "split-by-parent": everywhere((scene) => {
    const actor = scene.someone();
    const at = scene.granule();
    scene.plant(actor, at);
    const child = scene.fork(actor);
    if (child === undefined) return;
    poke(scene, actor, at);
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }),
  "split-by-child": everywhere((scene) => {
    const actor = scene.someone();
    const at = scene.granule();
    scene.plant(actor, at);
    const child = scene.fork(actor);
    if (child === undefined) return;
    poke(scene, child.thread, scene.random.once(2) ? at : scene.granule());
    scene.act(actor, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }),
  "takeover-by-last-owner": everywhere((scene) => {
    const actor = scene.someone();
    const at = scene.granule();
    const child = scene.fork(actor);
    if (child === undefined) return;
    if (scene.random.once(2)) scene.end(child.life);
    else poke(scene, child.thread, at);
    poke(scene, actor, at);
  }),
  "takeover-relocates": everywhere((scene) => {
    const actor = scene.someone();
    const at = scene.granule();
    scene.plant(actor, at);
    const child = scene.fork(actor);
    if (child === undefined) return;
    const { page } = scene.measures;
    // Another granule of the same page, so that the pointer stays in the frame that is left to the child.
    poke(scene, actor, at - (at % page) + (((at % page) + scene.measures.granule) % page));
    scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
  }),
  "resolve-after-home-ended": everywhere((scene) => {
    const at = scene.granule();
    const actor = scene.someone();
    const family = scene.model.lifeOf(actor);
    const child = scene.fork(actor);
    if (child === undefined) return;
    scene.plant(child.thread, at);
    const grandchild = scene.fork(child.thread, [family]);
    if (grandchild === undefined) return;
    scene.end(child.life);
    scene.act(grandchild.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: 1 });
    poke(scene, grandchild.thread, at);
  }),
  "writes-parent-child-grandchild": inOrder("parent", "child", "grandchild"),
  "writes-parent-grandchild-child": inOrder("parent", "grandchild", "child"),
  "writes-child-parent-grandchild": inOrder("child", "parent", "grandchild"),
  "writes-child-grandchild-parent": inOrder("child", "grandchild", "parent"),
  "writes-grandchild-parent-child": inOrder("grandchild", "parent", "child"),
  "writes-grandchild-child-parent": inOrder("grandchild", "child", "parent"),
  "mprotect-makes-shared-page-writable": widened("parent"),
  "mprotect-makes-unresolved-page-writable": widened("child"),
};
