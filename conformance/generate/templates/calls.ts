/** Templates for corner cases of split calls, and of buffers that a device has. */
import { maxRequests } from "../../../spec/sfork/kernel.js";
import type { OpenFlag } from "../../../spec/sfork/operation.js";
import type { callCases } from "../../corner-cases/calls.js";
import { imm, reg, roles, type Scene } from "../scene.js";
import { anywhere, poke, protect, readOnly, readWrite, type Template, type Templates } from "../template.js";
import { either, file, get, mortal, party, pipe, pointTo, put, type Ends, type Party } from "./objects.js";

/** Enter a call that reads into, or writes from, what register 9 points to. */
const enter = (scene: Scene, thread: number, op: "read" | "write", d: number, register = 9): void => {
  const n = imm(scene.random.between(1, 8));
  scene.act(thread, { op: "call_enter", call: { op, d, cs1: register, n } });
};

const finish = (scene: Scene, { thread }: Pick<Party, "thread">): void => {
  scene.act(thread, { op: "call_finish" });
};

/** Somebody with bytes in a pipe. */
const withBytes = (act: (scene: Scene, who: Party, ends: Ends) => void, weight = 2, isMortal = false): Template =>
  anywhere((scene) => {
    const who = isMortal ? mortal(scene) : party(scene);
    const ends = who === undefined ? undefined : pipe(scene, who);
    if (who === undefined || ends === undefined) return;
    if (scene.model.threadAt(who.thread)?.call !== undefined) finish(scene, who);
    put(scene, who.thread, ends.write, 8);
    act(scene, who, ends);
  }, weight);

/** A page of somebody's, in register 9: a mapping, where there is room for one. */
const ownPage = (scene: Scene, { thread }: Party): { readonly unmaps: boolean } => {
  const { freePages, page } = scene.measures;
  if (freePages > 0) scene.act(thread, { op: "mmap", cd: 9, n: imm(page), protection: readWrite });
  else scene.act(thread, { op: "csetbounds", cd: 9, cs1: roles.data, n: imm(page) });
  return { unmaps: freePages > 0 };
};

type Failing = (scene: Scene, who: Party, ends: Ends) => void;

const unmap = (scene: Scene, { thread }: Party): void => {
  scene.act(thread, { op: "munmap", cs1: 9, n: imm(scene.measures.page) });
};

const submit = (
  scene: Scene,
  { thread }: Party,
  direction: "r" | "w",
  register = 9,
  size = scene.random.between(1, 16),
): void => {
  scene.act(thread, { op: "virtq_submit", cs1: register, n: imm(size), direction });
};

/** Complete everything that is there; more than that, now and then. */
const complete = (scene: Scene, thread = scene.someone()): void => {
  const { requests } = scene.model;
  for (let done = 0; done < Math.max(1, requests); done += 1) scene.act(thread, { op: "virtq_complete" });
};

/** A buffer in the data part that a device writes to. */
const submitted = (act: (scene: Scene, who: Party, offset: number) => void, weight = 2, isMortal = false): Template =>
  anywhere((scene) => {
    const who = isMortal ? mortal(scene) : party(scene);
    if (who === undefined) return;
    if (scene.model.requests > 0) complete(scene);
    const at = scene.granule();
    if (scene.random.once(2)) scene.plant(who.thread, at);
    pointTo(scene, who.thread, 9, at);
    submit(scene, who, "w", 9, scene.random.between(1, scene.measures.granule));
    act(scene, who, at);
  }, weight);

const enterOpen = (scene: Scene, { thread }: Party, path: string, flags: readonly OpenFlag[]): void => {
  scene.act(thread, { op: "call_enter", call: { op: "open", path, flags } });
};

/** Calls that will fail in their second half, each with another error. */
const failures: readonly [Failing, ...Failing[]] = [
  (scene, who) => {
    enterOpen(scene, who, "/d", ["read"]);
  },
  (scene, who) => {
    enterOpen(scene, who, scene.random.pick(["/x/a", "/d/z"]), ["read"]);
  },
  (scene, who) => {
    file(scene, who, ["write", "create"], "/a");
    enterOpen(scene, who, "/a/x", ["read"]);
  },
  (scene, who) => {
    // Somebody else makes the file in between.
    enterOpen(scene, who, "/d/b", ["write", "create", "exclusive"]);
    file(scene, who, ["write", "create"], "/d/b");
  },
  (scene, who) => {
    enterOpen(scene, who, "/a", ["read", "create"]);
    scene.act(who.thread, { op: "setrlimit", resource: "nofile", n: imm(0) });
    scene.act(who.thread, { op: "call_finish" });
    scene.act(who.thread, { op: "setrlimit", resource: "nofile", n: imm(16) });
  },
  (scene, who, { read, write }) => {
    scene.act(who.thread, { op: "sigaction", signal: imm(13), action: "ignore" });
    enter(scene, who.thread, "write", write, roles.stack);
    scene.act(who.thread, { op: "close", d: read });
  },
  (scene, who) => {
    const d = file(scene, who) ?? 0;
    scene.act(who.thread, { op: "lseek", d, n: imm(4096), whence: "set" });
    enter(scene, who.thread, "write", d, roles.stack);
  },
  (scene, who, { read }) => {
    get(scene, who.thread, read, 16);
    scene.act(who.thread, { op: "fcntl_nonblock", d: read, n: imm(1) });
    enter(scene, who.thread, "read", read, roles.stack);
  },
];

export const callTemplates: Templates<keyof typeof callCases> = {
  "call-buffer-overwritten": withBytes((scene, who, { read, write }) => {
    enter(scene, who.thread, "write", write, roles.stack);
    scene.act(who.thread, { op: "store.d", value: imm(-1), n: imm(0), cs1: roles.stack });
    scene.act(who.thread, { op: "store.w", value: imm(-1), n: imm(0), cs1: roles.stack });
    finish(scene, who);
    get(scene, who.thread, read, 16);
  }),
  "call-register-overwritten": withBytes((scene, who, { read }) => {
    pointTo(scene, who.thread, 9, scene.granule());
    enter(scene, who.thread, "read", read);
    if (scene.random.once(2)) scene.act(who.thread, { op: "cmove", cd: 9, cs1: scene.random.pick([0, 2, 3]) });
    else pointTo(scene, who.thread, 9, scene.granule());
    finish(scene, who);
  }),
  "call-length-overwritten": withBytes((scene, who, { read, write }) => {
    const { random } = scene;
    const [first, then] = random.once(2) ? [1, 8] : [8, random.between(1, 4)];
    const [length] = roles.integers;
    pointTo(scene, who.thread, 9, scene.granule());
    scene.act(who.thread, { op: "li", cd: length, n: imm(first) });
    const [op, d, cs1] = random.once(2) ? (["read", read, 9] as const) : (["write", write, roles.stack] as const);
    scene.act(who.thread, { op: "call_enter", call: { op, d, cs1, n: reg(length) } });
    scene.act(who.thread, { op: "li", cd: length, n: imm(then) });
    finish(scene, who);
    if (op === "write") get(scene, who.thread, read, 16);
  }, 3),
  "call-buffer-unmapped": withBytes((scene, who, { read }) => {
    if (!ownPage(scene, who).unmaps) return;
    enter(scene, who.thread, "read", read);
    unmap(scene, who);
    if (scene.random.once(2)) ownPage(scene, who);
    finish(scene, who);
  }),
  "call-buffer-protected": withBytes((scene, who, { read }) => {
    const page = scene.dataPage(true);
    pointTo(scene, who.thread, 9, page);
    enter(scene, who.thread, "read", read);
    protect(scene, who.thread, page, readOnly);
    finish(scene, who);
    protect(scene, who.thread, page, readWrite);
  }),
  "call-across-fork": withBytes((scene, who, { read, write }) => {
    pointTo(scene, who.thread, 9, scene.granule());
    if (scene.random.once(2)) enter(scene, who.thread, "read", read);
    else enter(scene, who.thread, "write", write, roles.stack);
    const child = scene.fork(who.thread);
    finish(scene, who);
    if (child !== undefined) get(scene, child.thread, read);
  }),
  "call-splits-shared-frame": withBytes((scene, who, { read }) => {
    const at = scene.granule();
    pointTo(scene, who.thread, 9, at);
    enter(scene, who.thread, "read", read);
    const child = scene.fork(who.thread);
    finish(scene, who);
    if (child !== undefined) scene.act(child.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
  }, 3),
  "call-dropped-in-child": withBytes((scene, who, { read }) => {
    pointTo(scene, who.thread, 9, scene.granule());
    enter(scene, who.thread, "read", read);
    const child = scene.fork(who.thread);
    if (child === undefined) return;
    finish(scene, child);
    finish(scene, who);
  }),
  "call-outlives-descriptor": withBytes((scene, who, { read, write }) => {
    const writes = scene.random.once(2);
    if (writes) enter(scene, who.thread, "write", write, roles.stack);
    else enter(scene, who.thread, "read", read, roles.stack);
    scene.act(who.thread, { op: "close", d: writes ? write : read });
    if (scene.random.once(2)) file(scene, who);
    finish(scene, who);
  }),
  "call-finish-blocks": withBytes((scene, who, { read, write }) => {
    get(scene, who.thread, read, 16);
    enter(scene, who.thread, "read", read, roles.stack);
    finish(scene, who);
    put(scene, who.thread, write);
    finish(scene, who);
  }),
  "call-finish-fails": withBytes((scene, who, ends) => {
    scene.random.pick(failures)(scene, who, ends);
    if (scene.random.once(3)) scene.fork(who.thread);
    finish(scene, who);
  }, 4),
  "call-entered-twice": withBytes((scene, who, { read, write }) => {
    enter(scene, who.thread, "read", read, roles.stack);
    enter(scene, who.thread, "write", write, roles.stack);
    finish(scene, who);
    finish(scene, who);
  }),
  "call-dropped-by-exec": withBytes(
    (scene, who, { read, write }) => {
      scene.act(who.thread, { op: "thread" });
      const other = who.life.threads.find((thread) => thread !== who.thread);
      if (other === undefined) return;
      enter(scene, other, "read", read, roles.stack);
      scene.act(who.thread, { op: "close", d: read });
      scene.act(who.thread, { op: "exec" });
      scene.act(who.thread, { op: "write", d: write, cs1: roles.stack, n: imm(2) });
    },
    3,
    true,
  ),
  "call-dropped-by-end": withBytes(
    (scene, who, { read, write }) => {
      const parent = scene.model.lives[who.life.parent];
      enter(scene, who.thread, "read", read, roles.stack);
      scene.end(who.life);
      if (parent !== undefined)
        scene.act(scene.threadOf(parent), { op: "write", d: write, cs1: roles.stack, n: imm(2) });
    },
    2,
    true,
  ),
  "device-write-after-fork": submitted((scene, who, at) => {
    const child = scene.fork(who.thread);
    complete(scene, either(scene, who.thread, child?.thread ?? who.thread));
    for (const one of [who, child])
      if (one !== undefined) scene.act(one.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
  }, 4),
  "device-write-to-unresolved": anywhere((scene) => {
    const parent = party(scene);
    if (scene.model.requests > 0) complete(scene);
    const at = scene.granule();
    if (scene.random.once(2)) scene.plant(parent.thread, at);
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    pointTo(scene, child.thread, 9, at);
    submit(scene, child, "w");
    complete(scene);
  }, 3),
  "device-write-over-pointer": submitted((scene, who, at) => {
    scene.plant(who.thread, at);
    complete(scene);
    scene.act(who.thread, { op: "loadcap", cd: 8, n: imm(at), cs1: roles.data });
  }),
  "device-reads-bytes-of-submission": anywhere((scene) => {
    const who = party(scene);
    if (scene.model.requests > 0) complete(scene);
    submit(scene, who, "r", roles.stack);
    scene.act(who.thread, { op: "store.w", value: imm(scene.random.below(1 << 16)), n: imm(0), cs1: roles.stack });
    complete(scene);
  }),
  "device-completes-for-another": submitted((scene, who) => {
    const child = scene.fork(who.thread);
    if (child !== undefined) complete(scene, child.thread);
  }),
  "device-full": anywhere((scene) => {
    const who = party(scene);
    for (let made = scene.model.requests; made <= maxRequests; made += 1) {
      submit(scene, who, scene.random.pick(["r", "w"]), roles.stack);
    }
  }, 3),
  "device-idle": anywhere((scene) => {
    const { requests } = scene.model;
    const thread = scene.someone();
    for (let done = 0; done <= requests; done += 1) scene.act(thread, { op: "virtq_complete" });
  }),
  "device-revoked-by-munmap": anywhere((scene) => {
    const who = party(scene);
    if (!ownPage(scene, who).unmaps) return;
    submit(scene, who, scene.random.pick(["r", "w"]));
    unmap(scene, who);
    if (scene.random.once(2)) ownPage(scene, who);
    complete(scene);
  }),
  "device-revoked-by-exec": submitted(
    (scene, who) => {
      scene.act(who.thread, { op: "exec" });
      complete(scene);
    },
    3,
    true,
  ),
  "device-revoked-by-end": submitted(
    (scene, who) => {
      scene.end(who.life);
      if (scene.random.once(2)) scene.fork(scene.someone());
      complete(scene);
    },
    2,
    true,
  ),
  "device-outlived-by-segment": anywhere((scene) => {
    const who = mortal(scene);
    if (who === undefined) return;
    if (scene.model.requests > 0) complete(scene);
    submit(scene, who, scene.random.pick(["r", "w", "w"]), roles.shared);
    if (scene.random.once(3)) scene.act(who.thread, { op: "exec" });
    else scene.end(who.life);
    complete(scene);
  }, 3),
  "device-drops-revoked": submitted(
    (scene, who, at) => {
      const child = scene.fork(who.thread);
      if (scene.random.once(2)) scene.end(who.life);
      else scene.act(who.thread, { op: "exec" });
      complete(scene);
      if (child !== undefined) poke(scene, child.thread, at);
    },
    2,
    true,
  ),
  "device-drops-protected": submitted((scene, who, at) => {
    const page = at - (at % scene.measures.page);
    protect(scene, who.thread, page, readOnly);
    complete(scene);
    protect(scene, who.thread, page, readWrite);
  }),
};
