/** Locks and semaphores. */
import { inOrder, when } from "./detector.js";
import type { Now } from "./now.js";
import type { Section } from "./requirement.js";

/** Files on which a process holds locks. */
const lockedBy = ({ before: { files } }: Now, process: number): readonly number[] =>
  files.flatMap(({ locks }, file) => (locks.some(({ owner }) => owner === process) ? [file] : []));

/** A lock of another process stands in the way, or is told. */
const meetsLock = (now: Now): boolean =>
  (now.is("lock") && now.failedWith("EAGAIN")) ||
  (now.is("getlk") && now.observation.kind === "integer" && now.observation.integer !== 0n);

export const locks: Section = {
  title: "Locks and semaphores",
  rows: [
    {
      id: "K01",
      requirement: "Record locks are not inherited: the child is another owner, and conflicts.",
      tier: "core",
      rules: ["LOCK-1 lock", "LOCK-1 getlk"],
      operations: ["fork", "lock", "getlk"],
      counts: "a child meets a lock on a file that its parent had locked before the fork",
      exercised: when((now, past) => {
        const birth = past.birthOf(now.process);
        const old = birth?.before.files[now.file ?? -1]?.locks ?? [];
        return meetsLock(now) && old.some(({ owner }) => owner === birth?.parent);
      }),
    },
    {
      id: "K02",
      requirement: "Closing any descriptor of a file drops the locks of the process that closes it, and no others.",
      tier: "second",
      rules: ["LOCK-1 close"],
      operations: ["fork", "lock", "close", "getlk"],
      counts: "a process closes a descriptor of a file that somebody has locked",
      exercised: when((now) => now.did("close") && (now.before.files[now.file ?? -1]?.locks.length ?? 0) > 0),
    },
    {
      id: "K03",
      requirement: "Locks of open file descriptions are shared after a fork.",
      tier: "other",
      reason: "There are only record locks, which belong to processes (K01, K02, K04).",
    },
    {
      id: "K04",
      requirement: "Record locks outlive exec, and end with the process.",
      tier: "second",
      rules: ["LOCK-1 lock", "EXEC-2 exec", "EXIT-1 exit"],
      operations: ["lock", "exec", "exit"],
      counts: "a process that holds a lock executes another image or ends, and another process locks or asks",
      exercised: inOrder(
        (now) => {
          const leaving = [...now.ended, ...(now.did("exec") ? [now.process] : [])];
          return leaving.flatMap((process) => lockedBy(now, process).map((file) => `${process}:${file}`));
        },
        (now) => {
          const { file, others } = now;
          return file === undefined || !now.is("lock", "getlk") ? [] : others.map((other) => `${other}:${file}`);
        },
      ),
    },
    {
      id: "K05",
      requirement: "Named semaphores that are open can be used in the child.",
      tier: "other",
      reason: "There are no semaphores.",
    },
    {
      id: "K06",
      requirement: "System V semaphore adjustments are cleared in the child.",
      tier: "other",
      reason: "There are no semaphores.",
    },
    {
      id: "K07",
      requirement: "A private mutex that the parent has locked is in the child a copy in the locked state.",
      tier: "other",
      reason: "There are no mutexes and no atomic operations; a mutex's word is private memory (H02).",
    },
    {
      id: "K08",
      requirement: "A process-shared mutex in shared memory is one object.",
      tier: "other",
      reason: "There are no mutexes and no atomic operations; a mutex's word is shared memory (M05).",
    },
    {
      id: "K09",
      requirement: "The death of the owner of a robust mutex is told to the next that locks it; a child owns none.",
      tier: "other",
      reason: "There are no mutexes.",
    },
  ],
};
