/** Steps on memory in the posix profile: through pointers that are known to lead somewhere. */
import { layout } from "../../../spec/sfork/machine.js";
import type { Integer, OperationOf } from "../../../spec/sfork/operation.js";
import { widths } from "../model/effects-memory.js";
import type { Pointer } from "../model/memory.js";
import type { Makers } from "../maker.js";
import { imm, reg, roles, type Scene } from "../scene.js";
import { nothing, readOnly, readWrite } from "../template.js";
import { keptPointer, pointerRegister, reach } from "./pointers.js";

const destination = ({ random }: Scene): number => random.between(8, 14);

/** A register with a pointer into own memory; the data part, where there is none. */
const own = (scene: Scene, isSuch: (one: Pointer) => boolean = () => true): number =>
  pointerRegister(scene, (one) => one.live && one.segment === undefined && isSuch(one))?.register ?? roles.data;

type Load = "load.b" | "load.bu" | "load.h" | "load.hu" | "load.w" | "load.wu" | "load.d";
type Store = "store.b" | "store.h" | "store.w" | "store.d";

const somewhere = { cs1: roles.stack, n: imm(0) };

const load =
  <Name extends Load>(op: Name) =>
  (scene: Scene) => ({ op, cd: 7, ...(reach(scene, widths[op], "read") ?? somewhere) });

const value = ({ random, thread }: Scene): Integer =>
  random.once(4) && thread.registers?.[7] === "number" ? reg(7) : imm(random.below(1 << 16));

const store =
  <Name extends Store>(op: Name) =>
  (scene: Scene) => ({ op, value: value(scene), ...(reach(scene, widths[op], "write") ?? somewhere) });

const isOwn = ({ segment }: Pointer): boolean => segment === undefined;

/** Does the pointer lead to the beginning of a mapping? */
const isMapping =
  ({ config }: Scene) =>
  ({ base, address }: Pointer): boolean =>
    base >= layout(config).free.first * config.page &&
    base < layout(config).stack.first * config.page &&
    base === address;

/** A mapping, or some of its pages, or a place in the middle of a page. */
const pages = (scene: Scene, whole: boolean) => {
  const { random, measures } = scene;
  const { page } = measures;
  if (random.once(8)) {
    const cs1 = own(scene, ({ address }) => address % page !== 0);
    return { cs1, n: imm(page) };
  }
  const cs1 = random.percent(whole ? 100 : 60)
    ? own(scene, isMapping(scene))
    : own(scene, ({ address }) => address % page === 0);
  const found = scene.thread.registers?.[cs1];
  const size = typeof found === "object" ? found.top - found.address : page;
  return { cs1, n: imm(whole || random.once(3) ? size : Math.min(size, page)) };
};

const cincoffset = (scene: Scene): OperationOf<"cincoffset"> => {
  const { random, measures } = scene;
  const cs1 = own(scene);
  const found = scene.thread.registers?.[cs1];
  if (typeof found !== "object") return { op: "cincoffset", cd: destination(scene), cs1, n: imm(0) };
  const unit = random.once(6) ? measures.page : random.once(8) ? 1 : measures.granule;
  const to = found.base + unit * random.below(Math.floor((found.top - found.base) / unit) + 1);
  return { op: "cincoffset", cd: destination(scene), cs1, n: imm(to - found.address) };
};

export const posixMakers = {
  li: (scene) => ({ op: "li", cd: 7, n: imm(scene.random.below(1 << 16)) }),
  cmove: (scene) => ({ op: "cmove", cd: destination(scene), cs1: own(scene) }),
  cincoffset,
  loadcap: (scene) => {
    const place = scene.random.once(8) ? reach(scene, scene.measures.granule, "read", isOwn) : keptPointer(scene);
    return { op: "loadcap", cd: destination(scene), ...(place ?? somewhere) };
  },
  storecap: (scene) => ({
    op: "storecap",
    cs2: pointerRegister(scene, ({ live }) => live)?.register ?? roles.data,
    ...(reach(scene, scene.measures.granule, "write", isOwn) ?? somewhere),
  }),
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
  memset: (scene) => {
    const { random, measures } = scene;
    const n = imm(random.pick([1, 7, measures.granule, 4 * measures.granule, measures.page]));
    const faulty = random.once(6);
    const isSuch = (one: Pointer): boolean =>
      scene.life.memory?.prospect(one, 0, 1, "write") === (faulty ? "fault" : "fine");
    return {
      op: "memset",
      cs1: pointerRegister(scene, isSuch)?.register ?? roles.stack,
      value: imm(random.below(256)),
      n,
    };
  },
  mmap: (scene) => ({
    op: "mmap",
    cd: destination(scene),
    n: imm(scene.measures.page * scene.random.pick([1, 1, 1, 2, 0])),
    protection: scene.random.percent(80) ? readWrite : readOnly,
  }),
  munmap: (scene) => ({ op: "munmap", ...pages(scene, true) }),
  mprotect: (scene) => ({
    op: "mprotect",
    ...pages(scene, false),
    protection: scene.random.pick([
      readOnly,
      readOnly,
      nothing,
      nothing,
      readWrite,
      readWrite,
      { ...readOnly, execute: true },
    ]),
  }),
  madvise: (scene) => {
    const advice = scene.random.pick(["dontfork", "dontfork", "dofork", "wipeonfork", "wipeonfork", "keeponfork"]);
    return { op: "madvise", ...pages(scene, advice.startsWith("do")), advice };
  },
  fork: ({ random }) => ({ op: "fork", cd: random.once(4) ? 0 : 7 }),
} as const satisfies Partial<Makers>;
