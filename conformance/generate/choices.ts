/** Operands of system calls: descriptors, buffers, paths, signals, targets; most of them such that the call succeeds. */
import type { Integer, OpenFlag, Target } from "../../spec/sfork/operation.js";
import type { Description } from "./model/files.js";
import type { Life } from "./model/life.js";
import type { Pointer } from "./model/memory.js";
import { dispositionOf, isCertain } from "./model/signals.js";
import { posixBuffer } from "./posix/pointers.js";
import { imm, type Scene } from "./scene.js";
import { bytePointer, integer, number, ordinal, pointer } from "./values.js";

/** A descriptor of the caller's that is open, and such; another, or none, now and then. */
export const descriptor = (scene: Scene, isSuch: (one: Description) => boolean = () => true): number => {
  const { random, life } = scene;
  const share = random.below(100);
  if (share < 6) return random.below(20);
  const open = life.descriptors.flatMap((one, d) =>
    one !== undefined && (share < 16 || isSuch(one.description)) ? [d] : [],
  );
  return open[random.below(Math.max(1, open.length))] ?? random.below(4);
};

export const isFile = ({ object }: Description): boolean => object.kind === "file";

/** What a read finds something in, or the end of. */
export const isReadable = ({ reads, object }: Description): boolean =>
  reads && (object.kind === "file" || object.held > 0 || object.writers === 0);

/** What takes a write. */
export const isWritable = ({ writes, object }: Description): boolean =>
  writes && (object.kind === "file" || object.readers > 0);

/** How many bytes are moved: a few, so that pipes hold several times as many; all, or more than there can be, at times. */
const size = (scene: Scene): number => {
  const { random, measures, config } = scene;
  const { granule, page } = measures;
  if (random.once(40)) return Number(BigInt.asIntN(40, number(scene)));
  return random.pick([
    1,
    2,
    3,
    4,
    8,
    granule,
    granule,
    2 * granule,
    granule + 1,
    0,
    config.pipe,
    config.pipe + 1,
    page,
  ]);
};

const small = ({ random, measures }: Scene): number => random.pick([1, 2, 4, 7, 8, measures.granule]);

/** A buffer: the register of its capability, and its size. */
export const buffer = (scene: Scene, touch: "read" | "write"): { readonly cs1: number; readonly n: Integer } => {
  const { random } = scene;
  const bytes = random.once(2) ? small(scene) : size(scene);
  if (scene.profile === "posix") return posixBuffer(scene, touch, bytes);
  // What is copied in are bytes of pointers only where they may be read.
  const cs1 = touch === "read" || random.once(2) ? bytePointer(scene) : pointer(scene);
  return { cs1, n: random.once(24) ? integer(scene) : imm(bytes) };
};

const names = ["a", "b", "/a", "/b", "/d/a", "d/b", "/e/a", "/e/b"] as const;
const strange = ["/", "/d", "/a/x", "/x/a", "d", "/b/a/a"] as const;

export const path = ({ random }: Scene): string => (random.percent(85) ? random.pick(names) : random.pick(strange));

/** A directory; something else now and then. */
export const directory = ({ random }: Scene): string =>
  random.percent(75)
    ? random.pick(["/", "/d", "/e", "/d", "d", "e"])
    : random.pick(["/a", "/x", "/d/a", "/a/b", "/e/x"]);

const modes: readonly [readonly OpenFlag[], ...(readonly OpenFlag[])[]] = [
  ["read", "write"],
  ["read", "write"],
  ["read"],
  ["write"],
];

export const flags = ({ random }: Scene): readonly OpenFlag[] => {
  const mode = random.once(24) ? [] : random.pick(modes);
  const has = {
    append: random.once(8),
    create: random.percent(70),
    exclusive: random.once(8),
    truncate: random.once(8),
    nonblock: random.once(8),
    cloexec: random.once(5),
  };
  const more = (["append", "create", "exclusive", "truncate", "nonblock", "cloexec"] as const).filter(
    (one) => has[one],
  );
  return [...mode, ...more];
};

/** Signals of every default action, the usual ones more often. */
const usual = [1, 2, 10, 10, 12, 12, 15, 17, 17, 18, 28, 23, 20, 21, 13, 9, 19] as const;

const signal = ({ random }: Scene): number =>
  random.percent(85) ? random.pick(usual) : random.pick([0, 0, 65, 65, 32, 31, 3, 6, 14, 22, 26]);

/** A signal that a handler, or a mask, can be for. */
const maskable = ({ random }: Scene): number => random.pick([1, 2, 10, 10, 12, 12, 13, 15, 17, 17, 20, 18]);

export const signalOperand = (scene: Scene): Integer => {
  const { random } = scene;
  return random.once(40) ? integer(scene) : imm(signal(scene));
};

/** A signal whose action is set, or asked for: one that has none, or none that can be set, now and then. */
export const actionSignal = (scene: Scene): Integer => {
  const { random } = scene;
  if (random.percent(86)) return imm(maskable(scene));
  return random.once(2) ? imm(random.pick([0, 65, 9, 19])) : signalOperand(scene);
};

export const signalSet = (scene: Scene): readonly number[] => {
  const { random } = scene;
  const count = random.below(4);
  const chosen = Array.from({ length: count }, () => (random.once(12) ? random.pick([9, 19]) : maskable(scene)));
  return [...new Set(chosen)].sort((a, b) => a - b);
};

/** Whom a signal is for. */
export const target = (scene: Scene): Target => {
  const { random, model } = scene;
  const share = random.below(100);
  if (share < 12) return "own-group";
  if (share < 26) return { group: ordinal(scene, model.processes) };
  const others = model.lives.filter((life) => life.ordinal !== 0 && life.state !== "reaped");
  const other = others[random.below(Math.max(1, others.length))];
  return { process: other === undefined || random.once(5) ? ordinal(scene, model.processes) : other.ordinal };
};

/** Does a signal leave a process as it is, or is it caught? The end of process 0 would be that of the program. */
export const isHarmless = (life: Life, one: number): boolean => {
  const disposition = dispositionOf(life, one);
  return one === 0 || (!isCertain(one) && disposition !== "terminate" && disposition !== "stop");
};

/** Can a handler of the process count where this leads? */
export const canCount =
  ({ memory }: Life, counter: number) =>
  (one: Pointer): boolean =>
    one.live &&
    one.segment === undefined &&
    memory?.prospect(one, 0, counter, "write") === "fine" &&
    memory.isPlain(one, 0, counter);
