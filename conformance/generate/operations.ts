/** One step of any operation, with operands that suit it: a maker for each name of the table. */
import type { Maker, Makers } from "./maker.js";
import { fileMakers } from "./makers-file.js";
import { processMakers } from "./makers-process.js";
import { imm, roles, type Scene } from "./scene.js";
import {
  bytePointer,
  constantPointer,
  destination,
  distance,
  integer,
  number,
  numberDestination,
  offset,
  ordinal,
  pointer,
  protection,
  rights,
} from "./values.js";

type Derive =
  "csetbounds" | "csetboundsexact" | "csetaddr" | "cincoffset" | "csetoffset" | "cfromptr" | "csetflags" | "csethigh";
type Combine = "cseal" | "cunseal" | "ccseal" | "ccopytype" | "cbuildcap";
type Compare = "ctestsubset" | "csetequalexact" | "csub" | "ctoptr";
type Inspect = "cgetperm" | "cgettype" | "cgetlen" | "cgetsealed" | "cgetoffset" | "cgetflags";
type Locate = "cgetbase" | "cgettop" | "cgetaddr" | "cgethigh";
type Load = "load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d";
type Store = "store.b" | "store.h" | "store.w" | "store.d";

const derive =
  (op: Derive, n = integer): Maker =>
  (scene) => ({ op, cd: destination(scene), cs1: pointer(scene), n: n(scene) });

const combine =
  (op: Combine): Maker =>
  (scene) => ({
    op,
    cd: destination(scene),
    cs1: pointer(scene),
    cs2: scene.random.percent(60) ? roles.sealing : pointer(scene),
  });

const compare =
  (op: Compare): Maker =>
  (scene) => {
    const one = scene.oblivious ? constantPointer : pointer;
    return { op, cd: numberDestination(scene), cs1: one(scene), cs2: one(scene) };
  };

/** Numbers of a capability that do not depend on where it lies, as long as it is tagged. */
const inspect =
  (op: Inspect): Maker =>
  (scene) => {
    const one = scene.oblivious || scene.random.once(4) ? constantPointer : pointer;
    return { op, cd: numberDestination(scene), cs1: one(scene) };
  };

const locate =
  (op: Locate): Maker =>
  (scene) => ({ op, cd: numberDestination(scene), cs1: pointer(scene) });

const load =
  (op: Load): Maker =>
  (scene) => {
    const cs1 = bytePointer(scene);
    return { op, cd: numberDestination(scene), n: imm(offsetFrom(scene, cs1)), cs1 };
  };

const store =
  (op: Store): Maker =>
  (scene) => {
    const cs1 = scene.random.once(2) ? bytePointer(scene) : pointer(scene);
    return { op, value: integer(scene), n: imm(offsetFrom(scene, cs1)), cs1 };
  };

/** Bytes behind a register, as far as its role says. */
const extent = ({ measures, random }: Scene, register: number): number => {
  if (register === roles.data) return measures.dataBytes;
  return register < roles.integers[0] ? measures.page : measures.granule * random.pick([1, 2, 4, 8]);
};

/** An offset from a register; in the data part often one where a pointer was stored. */
const offsetFrom = (scene: Scene, register: number): number => {
  const { random, pointers, measures } = scene;
  const known = register === roles.data ? pointers[random.below(2 * pointers.length + 1)] : undefined;
  if (known === undefined) return offset(scene, extent(scene, register));
  return random.once(4) ? known + random.below(measures.granule) : known;
};

const length = (scene: Scene): bigint => {
  const { granule, page } = scene.measures;
  const { random } = scene;
  const usual = [
    0,
    granule,
    granule,
    2 * granule,
    4 * granule,
    granule + 1,
    1,
    page,
    granule * random.below(16),
  ] as const;
  return random.once(8) ? number(scene) : BigInt(random.pick(usual));
};

const copy: Maker = (scene) => {
  const n = length(scene);
  // In oblivious programs whole granules move among pointers, so that none is read as bytes.
  if (scene.oblivious && scene.random.once(2)) {
    return {
      op: "cmemcpy",
      cs1: pointer(scene),
      cs2: pointer(scene),
      n: imm(n - (n % BigInt(scene.measures.granule))),
    };
  }
  const one = scene.oblivious || scene.random.once(3) ? bytePointer : pointer;
  return { op: "cmemcpy", cs1: one(scene), cs2: one(scene), n: imm(n) };
};

const pageLength = ({ random, measures }: Scene): bigint => {
  const { page, freePages } = measures;
  const some = page * random.between(1, Math.max(1, Math.min(3, freePages)));
  return BigInt(random.pick([page, page, page, some, some - 1, 0, page + 1, page * freePages, page * (freePages + 1)]));
};

/** What can be stored where pointers are: nothing that leads to memory of bytes, in oblivious programs. */
const storable = (scene: Scene): number =>
  scene.random.once(4) ? scene.random.pick([roles.sentry, roles.sealing, roles.kernel]) : pointer(scene);

const mappedPointer = (scene: Scene): number => {
  const register = scene.random.pick([9, 10, 11, 12]);
  return scene.random.once(16) || !scene.isTagged(register) ? pointer(scene) : register;
};

const reduced = (scene: Scene): number => (scene.oblivious ? roles.reduced : destination(scene));

export const makers: Makers = {
  ...fileMakers,
  ...processMakers,

  csetbounds: derive("csetbounds"),
  csetboundsexact: derive("csetboundsexact"),
  csetaddr: derive("csetaddr"),
  cincoffset: derive("cincoffset", distance),
  csetoffset: derive("csetoffset", distance),
  cfromptr: derive("cfromptr"),
  csetflags: derive("csetflags"),
  csethigh: derive("csethigh"),
  candperm: (scene) => ({ op: "candperm", cd: reduced(scene), cs1: pointer(scene), words: rights(scene) }),
  cseal: combine("cseal"),
  cunseal: combine("cunseal"),
  ccseal: combine("ccseal"),
  ccopytype: combine("ccopytype"),
  cbuildcap: combine("cbuildcap"),
  csealentry: (scene) => ({ op: "csealentry", cd: destination(scene), cs1: pointer(scene) }),
  ccleartag: (scene) => ({ op: "ccleartag", cd: destination(scene), cs1: pointer(scene) }),
  cmove: (scene) => ({ op: "cmove", cd: destination(scene), cs1: pointer(scene) }),
  ctestsubset: compare("ctestsubset"),
  csetequalexact: compare("csetequalexact"),
  csub: compare("csub"),
  ctoptr: compare("ctoptr"),
  crrl: (scene) => ({ op: "crrl", cd: numberDestination(scene), n: integer(scene) }),
  cram: (scene) => ({ op: "cram", cd: numberDestination(scene), n: integer(scene) }),
  cgetperm: inspect("cgetperm"),
  cgettype: inspect("cgettype"),
  cgetbase: locate("cgetbase"),
  cgetlen: inspect("cgetlen"),
  cgettop: locate("cgettop"),
  cgettag: (scene) => ({ op: "cgettag", cd: numberDestination(scene), cs1: scene.random.below(16) }),
  cgetsealed: inspect("cgetsealed"),
  cgetoffset: inspect("cgetoffset"),
  cgetflags: inspect("cgetflags"),
  cgetaddr: locate("cgetaddr"),
  cgethigh: locate("cgethigh"),
  cjalr: (scene) => ({
    op: "cjalr",
    cd: destination(scene),
    cs1: scene.random.once(2) ? roles.sentry : pointer(scene),
  }),
  cinvoke: (scene) => ({ op: "cinvoke", cs1: pointer(scene), cs2: pointer(scene) }),
  li: (scene) => ({ op: "li", cd: numberDestination(scene), n: integer(scene) }),
  cgetpcc: (scene) => ({ op: "cgetpcc", cd: scene.random.pick(roles.bytes) }),

  loadcap: (scene) => {
    const cs1 = pointer(scene);
    return { op: "loadcap", cd: destination(scene), n: imm(offsetFrom(scene, cs1)), cs1 };
  },
  storecap: (scene) => {
    const cs1 = pointer(scene);
    return { op: "storecap", cs2: storable(scene), n: imm(offsetFrom(scene, cs1)), cs1 };
  },
  "load.b": load("load.b"),
  "load.bu": load("load.bu"),
  "load.h": load("load.h"),
  "load.hu": load("load.hu"),
  "load.w": load("load.w"),
  "load.wu": load("load.wu"),
  "load.d": load("load.d"),
  "store.b": store("store.b"),
  "store.h": store("store.h"),
  "store.w": store("store.w"),
  "store.d": store("store.d"),
  cmemcpy: copy,
  memset: (scene) => ({
    op: "memset",
    cs1: scene.random.once(2) ? bytePointer(scene) : pointer(scene),
    value: imm(scene.random.pick([0, 1, 0xff, 0x80])),
    n: imm(length(scene)),
  }),
  cloadtags: (scene) => ({ op: "cloadtags", cd: numberDestination(scene), cs1: pointer(scene) }),

  mmap: (scene) => ({
    op: "mmap",
    cd: scene.random.pick([9, 10, 11, 12]),
    n: imm(pageLength(scene)),
    protection: protection(scene),
  }),
  munmap: (scene) => ({ op: "munmap", cs1: mappedPointer(scene), n: imm(pageLength(scene)) }),
  mprotect: (scene) => ({
    op: "mprotect",
    cs1: scene.random.once(3) ? roles.data : mappedPointer(scene),
    n: imm(pageLength(scene)),
    protection: protection(scene),
  }),
  madvise: (scene) => ({
    op: "madvise",
    cs1: scene.random.once(3) ? roles.data : mappedPointer(scene),
    n: imm(pageLength(scene)),
    advice: scene.random.pick(["dontfork", "dofork", "wipeonfork", "wipeonfork", "keeponfork"]),
  }),
  shm: (scene) => ({ op: "shm", cd: scene.random.pick(roles.bytes), segment: ordinal(scene, scene.config.shared) }),

  fork: ({ random, config }) => {
    const cd = random.once(4) ? 0 : 7;
    if (random.once(6)) return { op: "fork", cd, slot: random.below(config.slots + 1) };
    return random.once(12) ? { op: "fork", cd, pid: random.pick([0, 1, 2, 5, 40]) } : { op: "fork", cd };
  },
  exit: (scene) => ({ op: "exit", n: scene.random.once(4) ? integer(scene) : imm(scene.random.below(3)) }),
  wait: (scene) => {
    const made = scene.model.processes;
    const process = scene.random.once(2) ? undefined : ordinal(scene, made);
    if (process !== undefined || !scene.random.once(4)) return { op: "wait", cd: 7, whom: process };
    return { op: "wait", cd: 7, whom: process, reap: ordinal(scene, made) };
  },
  getpid: (scene) => ({ op: "getpid", cd: numberDestination(scene) }),
  getppid: (scene) => ({ op: "getppid", cd: numberDestination(scene) }),
  thread: () => ({ op: "thread" }),
  thread_exit: () => ({ op: "thread_exit" }),
  yield: () => ({ op: "yield" }),

  channel: () => ({ op: "channel" }),
  sendcap: (scene) => ({
    op: "sendcap",
    channel: ordinal(scene, scene.model.channels),
    cs1: scene.random.once(3) ? storable(scene) : pointer(scene),
  }),
  recvcap: (scene) => ({ op: "recvcap", cd: destination(scene), channel: ordinal(scene, scene.model.channels) }),
};
