/** Threads, handlers at forks, other work under way. */
import { inOrder, when } from "./detector.js";
import type { Section } from "./requirement.js";

export const threads: Section = {
  title: "Threads and work under way",
  rows: [
    {
      id: "H01",
      requirement: "The child has one thread: a copy of the one that forked.",
      tier: "core",
      rules: ["FORK-5 thread", "FORK-4 registers"],
      operations: ["thread", "fork", "thread_exit"],
      counts: "a child of a process with several threads takes a step",
      exercised: when((now, past) => {
        const birth = past.birthOf(now.process);
        const own = birth?.before.threads.filter(({ process, live }) => live && process === birth.parent) ?? [];
        return now.succeeded && own.length > 1;
      }),
    },
    {
      id: "H02",
      requirement: "All memory is copied, also what threads have stored that the child has not.",
      tier: "other",
      rules: ["FORK-2 pages", "FORK-5 thread"],
      operations: ["thread", "fork", "store.b", "load.bu"],
      without: "there are no mutexes, and threads have no stacks of their own",
      counts: "a child reads what another thread of its parent had stored",
      exercised: when((now, past) => {
        const birth = past.copyOf(now.process);
        if (birth === undefined) return false;
        return now.reads.some((byte) => {
          const last = past.writesTo(birth.parent, byte).findLast((one) => one.time < birth.time);
          return last !== undefined && last.thread !== birth.thread && !past.wroteSince(now.process, byte, birth.time);
        });
      }),
    },
    {
      id: "H03",
      requirement: "Thread-specific data of the caller is kept; errno is the child's own.",
      tier: "other",
      reason: "Of its own a thread has registers (F07); the rest is a library's, in memory (M01).",
    },
    {
      id: "H04",
      requirement: "Handlers of pthread_atfork run before and after the fork, in their order.",
      tier: "other",
      reason: "They are a C library's, which runs them around fork as it is modelled.",
    },
    {
      id: "H05",
      requirement: "Asynchronous requests are not inherited, and go on in the parent.",
      tier: "other",
      rules: ["DMA-1 submit", "DMA-1 complete"],
      operations: ["fork", "virtq_submit", "virtq_complete"],
      without: "requests are those to a device; there are no calls for asynchronous input and output",
      counts: "a process submits a request and forks, and then the request is completed",
      exercised: inOrder(
        (now) => (now.did("virtq_submit") ? [String(now.before.submitted)] : []),
        (now) =>
          now.child === undefined
            ? []
            : now.before.requests.flatMap(({ process, number }) => (process === now.process ? [String(number)] : [])),
        (now) => (now.did("virtq_complete") ? now.before.requests.slice(0, 1).map(({ number }) => String(number)) : []),
      ),
    },
    {
      id: "H06",
      requirement: "Cancellation and cleanup handlers of other threads do not run in the child.",
      tier: "other",
      reason: "There is no cancellation: it is a C library's.",
    },
    {
      id: "H07",
      requirement:
        "After vfork the parent waits until the child executes another image or ends, and shares its memory.",
      tier: "other",
      reason: "vfork is not modelled; POSIX has removed it.",
    },
  ],
};
