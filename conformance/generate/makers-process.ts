/** Steps of processes, groups, limits, signals and devices. */
import type { ActionOperand, OperationOf } from "../../spec/sfork/operation.js";
import * as choose from "./choices.js";
import type { Life } from "./model/life.js";
import { targetsOf } from "./model/effects-process.js";
import { amount } from "./model/transfers.js";
import type { Makers } from "./maker.js";
import { pointerRegister } from "./posix/pointers.js";
import { imm, roles, type Scene } from "./scene.js";
import { bytePointer, destination, integer, ordinal, pointer } from "./values.js";

/** Where a handler counts, and what it runs. */
const handler = (scene: Scene): ActionOperand => {
  const { random, life, model } = scene;
  if (scene.profile === "posix") {
    const isCounter = choose.canCount(life, model.counter);
    return { code: roles.sentry, data: pointerRegister(scene, isCounter)?.register ?? roles.stack };
  }
  const code = random.once(6) ? pointer(scene) : roles.sentry;
  return { code, data: random.once(2) ? bytePointer(scene) : pointer(scene) };
};

const action = (scene: Scene): ActionOperand => {
  const share = scene.random.below(100);
  if (share < 20) return "default";
  return share < 45 ? "ignore" : handler(scene);
};

/** A group, by its leader: the own one, another, or none. */
const group = (scene: Scene): number | undefined => {
  const { random, model } = scene;
  const groups = model.living.map((life) => life.group);
  if (random.percent(40)) return undefined;
  return random.percent(60) ? groups[random.below(Math.max(1, groups.length))] : ordinal(scene, model.processes);
};

/** The caller, a child of its own, or anybody. */
const member = (scene: Scene): number | undefined => {
  const { random, model, life } = scene;
  const children = model.lives.filter(
    ({ parent, ordinal: child, state }) => child !== 0 && parent === life.ordinal && state !== "reaped",
  );
  if (random.percent(40)) return undefined;
  const child = children[random.below(Math.max(1, children.length))];
  return child === undefined || random.once(4) ? ordinal(scene, model.processes) : child.ordinal;
};

const somebody = (scene: Scene): number | undefined =>
  scene.random.percent(30) ? undefined : ordinal(scene, scene.model.processes);

/** A signal that does not end the program, most often. */
const kill = (scene: Scene): OperationOf<"kill"> => {
  const { random, model, thread } = scene;
  const target = choose.target(scene);
  const wanted = choose.signalOperand(scene);
  const hits: readonly Life[] = targetsOf(model, thread, target);
  const ends = hits.some((life) => life.ordinal === 0 && !choose.isHarmless(life, amount(wanted)));
  // Somebody has to be left to take steps.
  const stops = model.living.every((life) => life.stopped || hits.includes(life));
  const signal = (ends || stops) && !random.once(24) ? imm(random.pick([0, 17, 18, 23, 28])) : wanted;
  return { op: "kill", target, signal };
};

const limit = (scene: Scene): OperationOf<"setrlimit"> => {
  const { random, config } = scene;
  if (random.once(10)) return { op: "setrlimit", resource: random.pick(["nofile", "nproc"]), n: integer(scene) };
  if (random.once(2)) return { op: "setrlimit", resource: "nofile", n: imm(random.pick([16, 16, 2, 3, 4, 6, 17, 0])) };
  const { processes } = config;
  return {
    op: "setrlimit",
    resource: "nproc",
    n: imm(random.pick([processes, processes, processes, 1, 2, processes + 1])),
  };
};

export const processMakers = {
  exec: () => ({ op: "exec" }),
  burn: () => ({ op: "burn" }),
  times: ({ random }) => ({ op: "times", whose: random.pick(["self", "children"]) }),
  alarm: (scene) => ({ op: "alarm", n: imm(scene.random.pick([0, 1, 1, 60])) }),
  getrlimit: ({ random }) => ({ op: "getrlimit", resource: random.pick(["nofile", "nproc"]) }),
  setrlimit: limit,
  setpgid: (scene) => ({ op: "setpgid", whom: member(scene), group: group(scene) }),
  getpgid: (scene) => ({ op: "getpgid", whom: somebody(scene) }),
  setsid: () => ({ op: "setsid" }),
  getsid: (scene) => ({ op: "getsid", whom: somebody(scene) }),
  sigaction: (scene) => ({ op: "sigaction", signal: choose.actionSignal(scene), action: action(scene) }),
  getaction: (scene) => ({ op: "getaction", signal: choose.actionSignal(scene) }),
  sigmask: (scene) => ({ op: "sigmask", signals: choose.signalSet(scene) }),
  sigpending: () => ({ op: "sigpending" }),
  kill,
  sigaltstack: (scene) => ({ op: "sigaltstack", cs1: scene.random.percent(60) ? roles.stack : pointer(scene) }),
  getaltstack: (scene) => ({ op: "getaltstack", cd: destination(scene) }),
  virtq_submit: (scene) => {
    const direction = scene.random.pick(["r", "w"]);
    return { op: "virtq_submit", ...choose.buffer(scene, direction === "r" ? "read" : "write"), direction };
  },
  virtq_complete: () => ({ op: "virtq_complete" }),
} as const satisfies Partial<Makers>;
