/** Steps between templates: any operation, by weight, taken by anybody. */
import type { OperationName } from "../../spec/sfork/operation.js";
import { addressing } from "./oblivious.js";
import type { Maker, Makers } from "./maker.js";
import { makers } from "./operations.js";
import type { Profile } from "./options.js";
import { executableOperations } from "./posix/executable.js";
import { posixMakers } from "./posix/makers.js";
import type { Scene } from "./scene.js";

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
  exec: 2,
  madvise: 4,
  pipe: 4,
  open: 6,
  close: 4,
  dup: 3,
  dup2: 3,
  read: 10,
  readv: 4,
  write: 10,
  writev: 4,
  lseek: 4,
  fcntl_cloexec: 2,
  fcntl_append: 2,
  fcntl_nonblock: 2,
  fcntl_getfd: 1,
  fcntl_getfl: 1,
  lock: 4,
  unlock: 2,
  getlk: 2,
  call_enter: 5,
  call_finish: 5,
  umask: 1,
  chdir: 2,
  getrlimit: 1,
  setrlimit: 2,
  setpgid: 4,
  getpgid: 2,
  setsid: 2,
  getsid: 2,
  sigaction: 6,
  getaction: 2,
  sigmask: 4,
  sigpending: 2,
  kill: 7,
  sigaltstack: 2,
  getaltstack: 2,
  virtq_submit: 4,
  virtq_complete: 5,
  alarm: 1,
  burn: 1,
  times: 1,
};

/** Kernel objects as often as memory, pointers above all. */
const posixOften: Partial<Readonly<Record<OperationName, number>>> = {
  li: 2,
  cmove: 2,
  cincoffset: 6,
  loadcap: 14,
  storecap: 12,
  memset: 4,
  mmap: 5,
  munmap: 6,
  madvise: 6,
  mprotect: 12,
  "load.b": 6,
  "load.bu": 6,
  "load.h": 6,
  "load.hu": 6,
  "load.w": 6,
  "load.wu": 6,
  "load.d": 6,
  "store.d": 5,
  fork: 8,
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
  write: 16,
  writev: 8,
};

const usual = 3;

const allNames = Object.keys(makers) as readonly OperationName[];

const namesOf: Readonly<Record<Profile, readonly OperationName[]>> = {
  oblivious: allNames.filter((name) => !addressing.includes(name)),
  "raw-bytes": allNames,
  full: allNames,
  posix: executableOperations,
};

const more: Partial<Readonly<Record<Profile, Partial<Readonly<Record<OperationName, number>>>>>> = {
  "raw-bytes": reading,
  posix: posixOften,
};

/** Every name as often as its weight says. */
const lottery = (profile: Profile): readonly OperationName[] =>
  namesOf[profile].flatMap((name) => Array.from({ length: more[profile]?.[name] ?? often[name] ?? usual }, () => name));

const lotteries: Readonly<Record<Profile, readonly OperationName[]>> = {
  oblivious: lottery("oblivious"),
  "raw-bytes": lottery("raw-bytes"),
  full: lottery("full"),
  posix: lottery("posix"),
};

/** The same of a set of operations; there are not many such sets. */
const restricted = new WeakMap<ReadonlySet<OperationName>, Map<Profile, readonly OperationName[]>>();

const lotteryFor = ({ profile, operations }: Scene): readonly OperationName[] => {
  if (operations === undefined) return lotteries[profile];
  const known = restricted.get(operations) ?? new Map<Profile, readonly OperationName[]>();
  restricted.set(operations, known);
  const names = known.get(profile) ?? lotteries[profile].filter((name) => operations.has(name));
  known.set(profile, names);
  return names;
};

const anyMaker = (name: OperationName): Maker => makers[name];

const posixMaker = (name: OperationName): Maker => (posixMakers as Partial<Makers>)[name] ?? makers[name];

/** The end of process 0 is the end of the program: somebody else may end, or the program is nearly over anyway. */
const actorFor = (scene: Scene, name: OperationName): number | undefined => {
  const { random, model, profile } = scene;
  if (name !== "exit" && name !== "thread_exit") {
    return profile !== "posix" && random.once(24) ? random.below(64) : scene.someone();
  }
  const others = model.living.filter(
    ({ ordinal, threads }) => ordinal !== 0 || (name === "thread_exit" && threads.length > 1),
  );
  const life = others[random.below(Math.max(1, others.length))];
  return life === undefined ? undefined : scene.threadOf(life);
};

const needsDescriptor: ReadonlySet<OperationName> = new Set<OperationName>([
  ...(["close", "dup", "dup2", "read", "readv", "write", "writev", "lseek", "lock", "unlock", "getlk"] as const),
  ...(["fcntl_cloexec", "fcntl_append", "fcntl_nonblock", "fcntl_getfd", "fcntl_getfl", "call_enter"] as const),
]);

/** What is needed before an operation can succeed, most often: a descriptor, a call to finish, a request to complete. */
const preparing = ({ random, life, model, thread }: Scene, name: OperationName): OperationName => {
  if (random.once(4)) return name;
  if (needsDescriptor.has(name) && life.descriptors.every((one) => one === undefined))
    return random.pick(["pipe", "open"]);
  if (name === "call_finish" && thread.call === undefined) return "call_enter";
  return name === "virtq_complete" && model.requests === 0 ? "virtq_submit" : name;
};

/** How often a step is made anew that the profile does not have. */
const attempts = 8;

/** A step of any operation that the profile has. */
export const randomStep = (scene: Scene): void => {
  const names = lotteryFor(scene);
  const makerOf = scene.profile === "posix" ? posixMaker : anyMaker;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const name = names[scene.random.below(names.length)] ?? "yield";
    if (scene.seldom.has(name)) continue;
    const actor = actorFor(scene, name);
    scene.turnTo(actor ?? 0);
    const operation = actor === undefined ? undefined : makerOf(preparing(scene, name))(scene);
    if (actor !== undefined && operation !== undefined && scene.admits(actor, operation)) {
      scene.addAdmitted(actor, operation);
      return;
    }
  }
  scene.add(scene.someone(), { op: "yield" });
};
