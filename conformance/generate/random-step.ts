/** Steps between templates: any operation, by weight, taken by anybody. */
import type { OperationName } from "../../spec/sfork/operation.js";
import { makers } from "./operations.js";
import type { Profile } from "./options.js";
import type { Scene } from "./scene.js";

/** Operations whose results, or what becomes of them, depend on where a region lies; and channels, which L0 lacks. */
export const addressing: readonly OperationName[] = [
  "csetaddr",
  "cfromptr",
  "csethigh",
  "cbuildcap",
  "csub",
  "ctoptr",
  "cgetbase",
  "cgettop",
  "cgetaddr",
  "cgethigh",
  "channel",
  "sendcap",
  "recvcap",
];

const often: Partial<Readonly<Record<OperationName, number>>> = {
  csetbounds: 10,
  cincoffset: 10,
  csetaddr: 6,
  csetoffset: 6,
  candperm: 6,
  cseal: 5,
  cunseal: 5,
  csealentry: 5,
  loadcap: 16,
  storecap: 20,
  "load.b": 5,
  "load.w": 5,
  "store.b": 6,
  "store.h": 5,
  "store.w": 6,
  cmemcpy: 14,
  memset: 5,
  cloadtags: 6,
  mmap: 6,
  munmap: 4,
  mprotect: 4,
  fork: 8,
  exit: 4,
  wait: 5,
  thread_exit: 2,
  yield: 1,
  getpid: 1,
  getppid: 1,
  crrl: 1,
  cram: 1,
  sendcap: 6,
  recvcap: 6,
};

const reading: Partial<Readonly<Record<OperationName, number>>> = {
  "load.b": 12,
  "load.bu": 6,
  "load.h": 6,
  "load.hu": 6,
  "load.w": 12,
  "load.wu": 6,
  "load.d": 12,
  cmemcpy: 24,
};

const usual = 3;

/** Every name as often as its weight says. */
const lottery = (profile: Profile): readonly OperationName[] =>
  (Object.keys(makers) as readonly OperationName[]).flatMap((name) => {
    if (profile === "oblivious" && addressing.includes(name)) return [];
    const more = profile === "raw-bytes" ? reading[name] : undefined;
    return Array.from({ length: more ?? often[name] ?? usual }, () => name);
  });

const lotteries: Readonly<Record<Profile, readonly OperationName[]>> = {
  oblivious: lottery("oblivious"),
  "raw-bytes": lottery("raw-bytes"),
  full: lottery("full"),
};

/** The end of process 0 is the end of the program: somebody else may end, or the program is nearly over anyway. */
const actorFor = (scene: Scene, name: OperationName): number | undefined => {
  const { random, model } = scene;
  if (name !== "exit" && name !== "thread_exit") return random.once(24) ? random.below(64) : scene.someone();
  const others = model.living.filter(
    ({ ordinal, threads }) => ordinal !== 0 || (name === "thread_exit" && threads.length > 1),
  );
  const life = others[random.below(Math.max(1, others.length))];
  return life === undefined ? undefined : scene.threadOf(life);
};

/** A step of any operation that the profile has. */
export const randomStep = (scene: Scene): void => {
  const names = lotteries[scene.profile];
  const name = names[scene.random.below(names.length)] ?? "yield";
  const actor = actorFor(scene, name);
  if (actor === undefined) scene.add(scene.someone(), { op: "yield" });
  else scene.add(actor, makers[name](scene));
};
