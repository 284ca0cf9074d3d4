/** Numbers and registers for operands, biased to edges. */
import type { Permission } from "../../spec/cheri/index.js";
import type { Integer, Protection } from "../../spec/sfork/operation.js";
import { imm, reg, roles, type Scene } from "./scene.js";

/** A power of two up to the size of a region, or a little more or less: lengths at which exponents change. */
const nearPower = ({ random, measures }: Scene): number => {
  const power = 2 ** random.between(3, 31 - Math.clz32(measures.regionBytes));
  return power + random.pick([-1, 0, 0, 1, power / 8, -power / 8, power / 4 + 1]);
};

const extreme = ({ random, measures }: Scene): bigint => {
  const half = 1n << BigInt(measures.addressBits - 1);
  return random.pick([-half, half - 1n, -1n, half, 2n * half - 1n]);
};

/** Any number: a length, an increment, a value to store. */
export const number = (scene: Scene): bigint => {
  const { random, measures } = scene;
  const { granule, page, dataBytes, regionBytes } = measures;
  switch (random.below(8)) {
    case 0:
      return random.pick([0n, 0n, 1n, -1n, extreme(scene)]);
    case 1:
      return BigInt(granule + random.between(-1, 1));
    case 2:
      return BigInt(page * random.between(1, 2) + random.pick([-1, 0, 0, 1]));
    case 3:
      return BigInt(nearPower(scene));
    case 4:
      return BigInt(random.pick([dataBytes, dataBytes, dataBytes - 1, dataBytes + 1, regionBytes, -page, -granule]));
    case 5:
      return BigInt(random.below(regionBytes));
    default:
      return BigInt(granule * random.below(random.once(2) ? 8 : dataBytes / granule));
  }
};

/** The same in whole granules, so that a cursor that is aligned stays so. */
const aligned = (scene: Scene): bigint => {
  const granule = BigInt(scene.measures.granule);
  const n = number(scene);
  return n - (n % granule);
};

/** An integer operand. In oblivious programs it is never a register's. */
export const integer = (scene: Scene): Integer => {
  const { random, oblivious: strict } = scene;
  return strict || !random.once(8) ? imm(number(scene)) : reg(random.below(16));
};

/** A distance for a cursor. */
export const distance = (scene: Scene): Integer =>
  scene.oblivious ? imm(aligned(scene)) : scene.random.once(2) ? imm(scene.granule()) : integer(scene);

/** An offset into memory of `bytes`: in granules mostly, at edges often, outside now and then. */
export const offset = (scene: Scene, bytes: number): number => {
  const { random, measures } = scene;
  const { granule, page } = measures;
  switch (random.below(8)) {
    case 0:
      return random.pick([0, 0, bytes - granule, bytes - granule, bytes, -granule]);
    case 1:
      return random.pick([page - granule, page, page - 1, page - 2, bytes - 1, -1]);
    case 2:
      return random.below(bytes);
    default:
      return granule * random.below(random.once(2) ? Math.min(8, bytes / granule) : bytes / granule);
  }
};

const oblivious = {
  destinations: [8, 9, 10, 11, 12],
  sources: [1, 1, 1, 8, 9, 10, 11, 12],
} as const;

/** Where a capability goes. */
export const destination = ({ random, oblivious: strict }: Scene): number => {
  if (strict) return random.pick(oblivious.destinations);
  return random.percent(4) ? random.below(16) : random.between(8, 15);
};

/** Where a number goes. */
export const numberDestination = ({ random, oblivious: strict }: Scene): number =>
  strict || random.percent(90) ? random.pick([7, 7, 7, 0]) : random.below(16);

/** One of the list that is probably tagged; anyone of it now and then. */
const tagged = (scene: Scene, list: readonly [number, ...(readonly number[])]): number => {
  const register = scene.random.pick(list);
  return scene.isTagged(register) || scene.random.once(10) ? register : roles.data;
};

const derived = [8, 9, 10, 11, 12, 13, 14, 15] as const;

/** A pointer to derive from, or to store: most often into the data part. */
export const pointer = (scene: Scene): number => {
  const { random } = scene;
  if (scene.oblivious) return tagged(scene, oblivious.sources);
  const share = random.below(100);
  if (share < 45) return roles.data;
  return share < 92 ? tagged(scene, derived) : random.below(16);
};

/** A pointer to bytes: outside oblivious programs it may be any, in raw-bytes programs it often is. */
export const bytePointer = (scene: Scene): number => {
  const { random, profile } = scene;
  const strays = profile === "oblivious" ? 0 : profile === "full" ? 15 : 65;
  if (random.percent(strays)) return random.pick([1, 1, 8, 9, 10, 11, 12, 13, 15]);
  const register = random.pick([roles.stack, roles.stack, roles.stack, roles.shared, ...roles.bytes]);
  return scene.isTagged(register) || random.once(10) ? register : roles.stack;
};

/** Registers that hold a tagged capability in every process of an oblivious program. */
export const constantPointer = ({ random }: Scene): number => random.pick([1, 1, 2, 3, 5, 6]);

const common = ["load", "store", "load-cap", "store-cap", "global"] as const satisfies readonly Permission[];
const rare = ["execute", "store-local", "seal", "unseal", "invoke", "mutable-load", "elevate-level", "user0"] as const;

/** Most of the rights that memory capabilities have, and a few others. */
export const rights = ({ random }: Scene): readonly Permission[] => [
  ...common.filter(() => !random.once(4)),
  ...rare.filter(() => random.once(3)),
];

export const protection = ({ random }: Scene): Protection => {
  const write = random.percent(60);
  return { read: random.percent(85), write, execute: write ? random.percent(8) : random.percent(25) };
};

/** A process, channel or segment. */
export const ordinal = ({ random }: Scene, made: number): number =>
  random.once(16) ? random.below(1000) : random.below(Math.max(1, made));
