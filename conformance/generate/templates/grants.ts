/** Templates for corner cases of channels and of foreign memory. */
import { maxChannels } from "../../../spec/sfork/machine.js";
import type { grantCases } from "../../corner-cases/grants.js";
import type { Life } from "../model.js";
import { imm, roles, type Scene } from "../scene.js";
import { addressed, derive, poke, readWrite, type Template, type Templates } from "../template.js";

interface Party {
  readonly thread: number;
  readonly life: Life;
}

interface Grant {
  readonly owner: Party;
  readonly receiver: Party;
  /** Where the receiver has it. */
  readonly register: number;
  /** Where it is in the owner's data part. */
  readonly offset: number;
}

/** A channel without messages, if there can be one more. */
const freshChannel = (scene: Scene, actor: number): number => {
  if (scene.model.channels >= maxChannels) return scene.random.below(maxChannels);
  scene.act(actor, { op: "channel" });
  return Math.max(0, scene.model.channels - 1);
};

/** Two processes, the first of which is not process 0 if `mortal`. */
const parties = (scene: Scene, mortal: boolean): { readonly owner: Party; readonly receiver: Party } | undefined => {
  if (scene.model.living.length < 2 && scene.fork(scene.someone()) === undefined) return undefined;
  const owner = pickFrom(
    scene,
    mortal ? scene.model.living.filter(({ ordinal }) => ordinal !== 0) : scene.model.living,
  );
  const receiver = pickFrom(
    scene,
    scene.model.living.filter((life) => life !== owner?.life),
  );
  return owner === undefined || receiver === undefined ? undefined : { owner, receiver };
};

const pickFrom = (scene: Scene, lives: readonly Life[]): Party | undefined => {
  const life = lives[scene.random.below(Math.max(1, lives.length))];
  return life === undefined ? undefined : { life, thread: scene.threadOf(life) };
};

/** Hand what the owner has in c11 to the receiver, in c12. */
const handOver = (scene: Scene, owner: Party, receiver: Party): void => {
  const channel = freshChannel(scene, owner.thread);
  scene.act(owner.thread, { op: "sendcap", channel, cs1: 11 });
  scene.act(receiver.thread, { op: "recvcap", cd: 12, channel });
};

/** A grant over some bytes of the owner's data part. */
export const granted = (scene: Scene, mortal = false): Grant | undefined => {
  const both = parties(scene, mortal);
  if (both === undefined) return undefined;
  const offset = scene.granule();
  const { granule, page } = scene.measures;
  const { thread } = both.owner;
  scene.act(thread, { op: "cincoffset", cd: 11, cs1: 1, n: imm(offset) });
  scene.act(thread, { op: "csetbounds", cd: 11, cs1: 11, n: imm(scene.random.pick([granule, 2 * granule, page])) });
  handOver(scene, both.owner, both.receiver);
  return { ...both, register: 12, offset };
};

/** A grant over a new mapping of the owner, who has it in c10. */
const grantedMapping = (scene: Scene, pages: number): Grant | undefined => {
  const both = parties(scene, false);
  if (both === undefined || scene.measures.freePages < pages) return undefined;
  const { thread } = both.owner;
  scene.act(thread, { op: "mmap", cd: 10, n: imm(pages * scene.measures.page), protection: readWrite });
  scene.act(thread, { op: "cmove", cd: 11, cs1: 10 });
  handOver(scene, both.owner, both.receiver);
  return { ...both, register: 12, offset: 0 };
};

/** Send a pointer to own memory away; the channel that it is in. */
export const sendAway = (scene: Scene, actor: number): number => {
  const channel = freshChannel(scene, actor);
  derive(scene, actor, 11);
  scene.act(actor, { op: "sendcap", channel, cs1: 11 });
  return channel;
};

/** Store through what was granted. */
const write = (scene: Scene, thread: number, { register }: Grant): void => {
  const { random } = scene;
  const value = imm(random.below(256));
  scene.act(thread, {
    op: random.pick(["store.b", "store.h"]),
    value,
    n: imm(random.pick([0, 0, 2, 6])),
    cs1: register,
  });
};

const withGrant = (act: (scene: Scene, grant: Grant) => void, mortal = false): Template =>
  addressed((scene) => {
    const grant = granted(scene, mortal);
    if (grant !== undefined) act(scene, grant);
  }, 4);

/** Send a register that a process starts with, and receive it elsewhere. */
const sending = (register: number): Template =>
  addressed((scene) => {
    const actor = scene.someone();
    const channel = freshChannel(scene, actor);
    scene.act(actor, { op: "sendcap", channel, cs1: register });
    scene.act(scene.someone(), { op: "recvcap", cd: 12, channel });
  });

const unmap = (scene: Scene, thread: number, register: number): void => {
  scene.act(thread, { op: "munmap", cs1: register, n: imm(scene.measures.page) });
};

export const grantTemplates: Templates<keyof typeof grantCases> = {
  "sendcap-sealed": addressed((scene) => {
    const actor = scene.someone();
    const channel = freshChannel(scene, actor);
    const at = scene.granule();
    // What is sealed holds a pointer that leads further than itself.
    scene.plant(actor, at, 1);
    scene.act(actor, { op: "cincoffset", cd: 11, cs1: 1, n: imm(at) });
    scene.act(actor, { op: "csetbounds", cd: 11, cs1: 11, n: imm(scene.measures.granule) });
    const sealing = scene.canSeal && scene.random.percent(70);
    if (sealing) scene.act(actor, { op: "cseal", cd: 11, cs1: 11, cs2: roles.sealing });
    else scene.act(actor, { op: "csealentry", cd: 11, cs1: 11 });
    scene.act(actor, { op: "sendcap", channel, cs1: 11 });
    // If it did arrive, everybody could open it, and load what it leads to.
    const taker = scene.someone();
    scene.act(taker, { op: "recvcap", cd: 12, channel });
    if (sealing) scene.act(taker, { op: "cunseal", cd: 12, cs1: 12, cs2: roles.sealing });
    scene.act(taker, { op: "loadcap", cd: 9, n: imm(0), cs1: 12 });
  }),
  "sendcap-sealing-authority": sending(roles.sealing),
  "sendcap-untagged": sending(0),
  "sendcap-sentry": sending(roles.sentry),
  "sendcap-kernel-entry": sending(roles.kernel),
  "sendcap-of-foreign": withGrant((scene, { receiver, owner, register }) => {
    const channel = freshChannel(scene, receiver.thread);
    scene.act(receiver.thread, { op: "sendcap", channel, cs1: register });
    const taker = scene.random.once(2) ? owner.thread : scene.someone();
    scene.act(taker, { op: "recvcap", cd: 11, channel });
  }),
  "recvcap-of-own": addressed((scene) => {
    const actor = scene.someone();
    const channel = sendAway(scene, actor);
    scene.act(actor, { op: "recvcap", cd: 12, channel });
  }),
  "recvcap-of-foreign": withGrant((scene, { receiver, register }) => {
    scene.act(receiver.thread, { op: "storecap", cs2: register, n: imm(scene.granule()), cs1: 1 });
  }),
  "channel-refused": addressed((scene) => {
    for (let made = scene.model.channels; made <= maxChannels; made += 1) {
      scene.act(scene.someone(), { op: "channel" });
    }
  }),
  "channel-full": addressed((scene) => {
    const actor = scene.someone();
    const channel = freshChannel(scene, actor);
    for (let sent = 0; sent <= scene.config.channel; sent += 1) scene.act(actor, { op: "sendcap", channel, cs1: 1 });
  }),
  "channel-empty": addressed((scene) => {
    const actor = scene.someone();
    scene.act(actor, { op: "recvcap", cd: 12, channel: freshChannel(scene, actor) });
  }),
  "grant-write": withGrant((scene, grant) => {
    write(scene, grant.receiver.thread, grant);
    scene.act(grant.owner.thread, { op: "loadcap", cd: 9, n: imm(grant.offset), cs1: 1 });
  }),
  "grant-write-after-owner-fork": withGrant((scene, grant) => {
    const child = scene.fork(grant.owner.thread, [grant.receiver.life]);
    write(scene, grant.receiver.thread, grant);
    const reader = child !== undefined && scene.random.once(2) ? child.thread : grant.owner.thread;
    scene.act(reader, { op: "load.b", cd: 7, n: imm(grant.offset), cs1: 1 });
  }),
  "grant-write-after-receiver-fork": withGrant((scene, grant) => {
    const child = scene.fork(grant.receiver.thread, [grant.owner.life]);
    write(scene, child !== undefined && scene.random.once(2) ? child.thread : grant.receiver.thread, grant);
  }),
  "grant-read": withGrant((scene, grant) => {
    if (scene.random.once(2)) {
      scene.plant(grant.owner.thread, grant.offset);
      scene.act(grant.receiver.thread, { op: "loadcap", cd: 9, n: imm(0), cs1: grant.register });
    }
    scene.act(grant.receiver.thread, { op: "load.b", cd: 7, n: imm(0), cs1: grant.register });
  }),
  "grant-access-resolves-for-owner": addressed((scene) => {
    const actor = scene.someone();
    const child = scene.fork(actor);
    if (child === undefined) return;
    const both = { owner: child, receiver: { thread: actor, life: scene.model.lifeOf(actor) } };
    derive(scene, child.thread, 11, 1);
    handOver(scene, both.owner, both.receiver);
    write(scene, actor, { ...both, register: 12, offset: 0 });
  }),
  "grant-ended-by-munmap": addressed((scene) => {
    const grant = grantedMapping(scene, 1);
    if (grant === undefined) return;
    if (scene.random.once(2)) write(scene, grant.receiver.thread, grant);
    unmap(scene, grant.owner.thread, 10);
    write(scene, grant.receiver.thread, grant);
  }),
  "grant-ended-by-exit": withGrant((scene, grant) => {
    scene.end(grant.owner.life);
    write(scene, grant.receiver.thread, grant);
  }, true),
  "grant-cut-in-part": addressed((scene) => {
    const grant = grantedMapping(scene, 2);
    if (grant === undefined) return;
    const { page } = scene.measures;
    scene.act(grant.receiver.thread, { op: "csetbounds", cd: 13, cs1: 12, n: imm(page) });
    scene.act(grant.owner.thread, { op: "cincoffset", cd: 11, cs1: 10, n: imm(scene.random.pick([0, page])) });
    unmap(scene, grant.owner.thread, 11);
    write(scene, grant.receiver.thread, { ...grant, register: 13 });
  }, 7),
  "message-ended-in-flight": addressed((scene) => {
    const both = parties(scene, true);
    if (both === undefined) return;
    const channel = sendAway(scene, both.owner.thread);
    scene.end(both.owner.life);
    scene.act(both.receiver.thread, { op: "recvcap", cd: 12, channel });
  }),
  "sweep-clears-foreign-memory": withGrant((scene, grant) => {
    const at = scene.granule();
    scene.act(grant.receiver.thread, { op: "storecap", cs2: grant.register, n: imm(at), cs1: 1 });
    if (scene.random.once(3)) scene.fork(grant.receiver.thread, [grant.owner.life]);
    scene.end(grant.owner.life);
    scene.act(grant.receiver.thread, { op: "loadcap", cd: 9, n: imm(at), cs1: 1 });
    if (scene.random.once(2)) poke(scene, grant.receiver.thread, at);
  }, true),
};
