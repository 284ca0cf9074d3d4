/** Templates for operations on two capabilities: whatever is made of the two, there are kinds of them that it must refuse. */
import type { OperationName } from "../../../spec/sfork/operation.js";
import type { authorityCases } from "../../corner-cases/authorities.js";
import { imm, roles, type Scene } from "../scene.js";
import { addressed, derive, type Templates } from "../template.js";
import { rights } from "../values.js";

type Make = (scene: Scene, actor: number, register: number) => void;

const [code] = roles.bytes;

const authorityFor =
  (type: number): Make =>
  (scene, actor, register) => {
    scene.act(actor, { op: "cincoffset", cd: register, cs1: roles.sealing, n: imm(type) });
  };

/** Sealed with one of the types of `c4`. */
const sealedAs =
  (make: Make, type: number): Make =>
  (scene, actor, register) => {
    const key = register === 12 ? 11 : 12;
    make(scene, actor, register);
    authorityFor(type)(scene, actor, key);
    scene.act(actor, { op: "cseal", cd: register, cs1: register, cs2: key });
  };

const copyOf =
  (from: number): Make =>
  (scene, actor, register) => {
    scene.act(actor, { op: "cmove", cd: register, cs1: from });
  };

/** Code with the right to be invoked, which `pcc` has after a jump to the sentry. */
const someCode: Make = (scene, actor, register) => {
  if (scene.random.once(2)) scene.act(actor, { op: "cjalr", cd: register, cs1: roles.sentry });
  scene.act(actor, { op: "cgetpcc", cd: register });
};

/** Code of fewer bytes than an instruction: from the start of the code part, or up to its end. */
const fewBytes: Make = (scene, actor, register) => {
  const { random, measures } = scene;
  scene.act(actor, { op: "cgetpcc", cd: code });
  if (random.once(2)) scene.act(actor, { op: "csetbounds", cd: register, cs1: code, n: imm(random.below(5)) });
  else
    scene.act(actor, {
      op: "csetoffset",
      cd: register,
      cs1: code,
      n: imm(measures.page - random.pick([0, 1, 2, 3, 4])),
    });
};

const reduced: Make = (scene, actor, register) => {
  scene.act(actor, { op: "candperm", cd: register, cs1: scene.random.pick([1, 1, 6]), words: rights(scene) });
};

const empty: Make = (scene, actor, register) => {
  scene.act(actor, { op: "csetbounds", cd: register, cs1: roles.data, n: imm(0) });
};

const untagged: Make = (scene, actor, register) => {
  scene.act(actor, { op: "ccleartag", cd: register, cs1: scene.random.pick([1, 3, 4, 6]) });
};

/** One of every kind that operations tell apart. */
const kinds: readonly [Make, ...Make[]] = [
  derive,
  copyOf(roles.data),
  copyOf(roles.sentry),
  copyOf(roles.kernel),
  copyOf(roles.shared),
  someCode,
  fewBytes,
  reduced,
  empty,
  untagged,
  authorityFor(0),
  authorityFor(1),
  authorityFor(3),
  authorityFor(4),
  authorityFor(-1),
  sealedAs(derive, 0),
  sealedAs(copyOf(roles.shared), 1),
  sealedAs(someCode, 0),
  sealedAs(someCode, 1),
  sealedAs(copyOf(roles.sealing), 2),
];

const onTwo = ["cseal", "ccseal", "cunseal", "cbuildcap", "ccopytype"] as const satisfies readonly OperationName[];

/** Any operation that has one capability decide about another, or about a jump. */
const apply = (scene: Scene, actor: number, one: number, other: number): void => {
  const { random } = scene;
  const share = random.below(10);
  if (share < 5) scene.act(actor, { op: random.pick(onTwo), cd: random.pick([one, 10, 10]), cs1: one, cs2: other });
  else if (share < 7) scene.act(actor, { op: "cinvoke", cs1: one, cs2: other });
  else if (share < 8) scene.act(actor, { op: "cjalr", cd: 10, cs1: one });
  else if (share < 9) scene.act(actor, { op: "csealentry", cd: 10, cs1: one });
  else scene.act(actor, { op: "ctestsubset", cd: 7, cs1: one, cs2: other });
};

/** Two of some kinds, and what `act` does with them; or, now and then, any two and any operations. */
const withTwo = (
  first: readonly [Make, ...Make[]],
  second: readonly [Make, ...Make[]],
  act: typeof apply,
  weight = 3,
) =>
  addressed((scene) => {
    const { random } = scene;
    const actor = scene.someone();
    const directed = !random.once(3);
    const one = 8;
    const other = random.once(8) ? one : 9;
    random.pick(directed ? first : kinds)(scene, actor, one);
    if (other !== one) random.pick(directed ? second : kinds)(scene, actor, other);
    if (directed) act(scene, actor, one, other);
    for (let more = directed ? 0 : random.between(2, 4); more > 0; more -= 1) {
      const [a, b] = random.pick([[one, other] as const, [one, other] as const, [other, one] as const]);
      apply(scene, actor, a, b);
    }
  }, weight);

const sealedOnes = [sealedAs(derive, 0), sealedAs(someCode, 1), copyOf(roles.sentry)] as const;
const keys = [authorityFor(0), authorityFor(1)] as const;

export const authorityTemplates: Templates<keyof typeof authorityCases> = {
  "sealed-authority": withTwo(
    [sealedAs(copyOf(roles.sealing), 0), ...sealedOnes],
    [derive, copyOf(roles.data), ...sealedOnes],
    (scene, actor, one, other) => {
      if (scene.random.once(2))
        scene.act(actor, { op: "cbuildcap", cd: 10, cs1: one, cs2: scene.random.pick([one, other]) });
      else scene.act(actor, { op: scene.random.pick(["cseal", "ccseal", "cunseal"]), cd: 10, cs1: other, cs2: one });
    },
    6,
  ),
  "authority-of-no-right": withTwo(
    [derive, reduced, someCode],
    [derive, ...sealedOnes],
    (scene, actor, one, other) => {
      scene.act(actor, { op: scene.random.pick(["cseal", "ccseal", "cunseal"]), cd: 10, cs1: other, cs2: one });
    },
    1,
  ),
  "authority-past-its-types": withTwo(
    [authorityFor(4), authorityFor(-1)],
    [derive, ...sealedOnes],
    (scene, actor, one, other) => {
      scene.act(actor, { op: scene.random.pick(["cseal", "ccseal", "cunseal"]), cd: 10, cs1: other, cs2: one });
    },
    5,
  ),
  "unsealed-by-another-type": withTwo(sealedOnes, keys, (scene, actor, one, other) => {
    scene.act(actor, { op: "cunseal", cd: 10, cs1: one, cs2: other });
  }),
  "built-beyond-authority": withTwo(
    [derive, reduced, empty],
    [copyOf(roles.data), someCode, ...sealedOnes],
    (scene, actor, one, other) => {
      scene.act(actor, { op: "cbuildcap", cd: 10, cs1: one, cs2: other });
    },
  ),
  "invoked-unfit": withTwo(
    [sealedAs(someCode, 0), sealedAs(copyOf(roles.shared), 0)],
    [sealedAs(someCode, 0), sealedAs(copyOf(roles.shared), 0)],
    (scene, actor, one, other) => {
      scene.act(actor, { op: "cinvoke", cs1: one, cs2: scene.random.pick([one, other]) });
    },
    6,
  ),
  "invoked-half": withTwo(
    [sealedAs(someCode, 0), someCode, copyOf(roles.sentry)],
    [sealedAs(copyOf(roles.shared), 1), copyOf(roles.shared), copyOf(roles.sentry)],
    (scene, actor, one, other) => {
      scene.act(actor, { op: "cinvoke", cs1: one, cs2: other });
    },
  ),
  "jump-to-few-bytes": withTwo(
    [fewBytes],
    [fewBytes],
    (scene, actor, one) => {
      if (scene.random.once(2)) scene.act(actor, { op: "csealentry", cd: one, cs1: one });
      scene.act(actor, { op: "cjalr", cd: 10, cs1: one });
    },
    7,
  ),
};
