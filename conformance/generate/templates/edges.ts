/** Templates at the edges of what a word can say. */
import {
  formats,
  rootCapability,
  setAddress,
  setBounds,
  type Capability,
  type CapabilityFormat,
} from "../../../spec/cheri/index.js";
import { regionBase } from "../../../spec/sfork/machine.js";
import type { edgeCases } from "../../corner-cases/edges.js";
import { imm, type Scene } from "../scene.js";
import { addressed, two, type Templates } from "../template.js";

/** How far an address may go, up or down, and leave the bounds as they are; undefined where it may go anywhere. */
const reachOf = (format: CapabilityFormat, { metadata, address, base, top }: Capability, sign: 1n | -1n) => {
  const keeps = (distance: bigint): boolean => {
    const at = format.decodeBounds(metadata, BigInt.asUintN(Number(format.addressBits), address + sign * distance));
    return at.base === base && at.top === top;
  };
  let [near, far] = [0n, 1n];
  while (keeps(far)) {
    [near, far] = [far, 2n * far];
    if (far >= 1n << (format.addressBits - 2n)) return undefined;
  }
  while (far - near > 1n) {
    const middle = (near + far) / 2n;
    if (keeps(middle)) near = middle;
    else far = middle;
  }
  return near;
};

/** A length for bounds: short ones, and all sizes up to the data part. */
const lengthOf = ({ random, measures }: Scene, most: number): number => {
  const size = 2 ** random.between(3, 31 - Math.clz32(measures.dataBytes));
  return Math.min(most, random.pick([size, size, size + 1, size - size / 8, random.between(1, most)]));
};

export const edgeTemplates: Templates<keyof typeof edgeCases> = {
  "window-edge": addressed((scene) => {
    const { random, measures, config, model } = scene;
    const actor = scene.someone();
    const [a, b] = two(scene);
    const offset = random.once(2) ? scene.granule() : 0;
    const length = lengthOf(scene, measures.dataBytes - offset);
    const format = formats[config.format];
    const start = regionBase(config, model.lifeOf(actor).slot) + BigInt(offset);
    const capability = setBounds(format, setAddress(format, rootCapability(format), start), BigInt(length));
    const sign = random.pick([1n, -1n]);
    const reach = reachOf(format, capability, sign);
    if (reach === undefined) return;
    const unit = 1n << format.decodeBounds(capability.metadata, capability.address).exponent;
    const near = (): bigint => unit * BigInt(random.between(-2, 2)) + BigInt(random.between(-1, 1));
    const distance = sign * reach + near();
    scene.act(actor, { op: "cincoffset", cd: a, cs1: 1, n: imm(offset) });
    scene.act(actor, { op: "csetbounds", cd: a, cs1: a, n: imm(length) });
    const move = random.pick(["cincoffset", "csetoffset", "csetaddr"]);
    const n =
      move === "csetaddr" ? start + distance : distance + (move === "csetoffset" ? start - capability.base : 0n);
    scene.act(actor, { op: move, cd: b, cs1: a, n: imm(n) });
    if (random.once(2)) scene.act(actor, { op: "cincoffset", cd: b, cs1: b, n: imm(near()) });
  }, 6),
  "fork-cursor-wraps": addressed((scene) => {
    const actor = scene.someone();
    const [a] = two(scene);
    scene.act(actor, { op: "csetaddr", cd: a, cs1: 1, n: imm(-scene.random.between(1, scene.measures.page)) });
    if (scene.random.once(2)) scene.act(actor, { op: "storecap", cs2: a, n: imm(scene.granule()), cs1: 1 });
    scene.fork(actor);
  }, 6),
  "user-permissions": addressed((scene) => {
    const actor = scene.someone();
    const [a, b] = two(scene);
    const { random } = scene;
    // No register has one of them: the metadata of an integer may say anything.
    scene.act(actor, { op: "csethigh", cd: a, cs1: 1, n: imm(-1) });
    const kept = random.pick(["user0", "user1"]);
    scene.act(actor, { op: "candperm", cd: b, cs1: a, words: random.once(2) ? [kept] : ["load", "global", kept] });
    scene.act(actor, { op: "cgetperm", cd: 7, cs1: b });
  }, 4),
};
