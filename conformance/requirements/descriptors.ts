/** Descriptors, open file descriptions, pipes. */
import type { Machine } from "../../spec/sfork/machine.js";
import { firstOf, inOrder, pairKey, thenOf, when } from "./detector.js";
import type { Now } from "./now.js";
import type { Past } from "./past.js";
import type { Section } from "./requirement.js";

/** A descriptor that the child has from its parent, still referring to the same description. */
const isInherited = (now: Now, past: Past): boolean => {
  const { descriptor, described } = now;
  const birth = past.birthOf(now.process);
  const old = descriptor === undefined ? undefined : birth?.child.descriptors[descriptor];
  return old !== undefined && old.description === described?.index;
};

const descriptionsOf = (machine: Machine, process: number): readonly number[] =>
  (machine.processes[process]?.descriptors ?? []).flatMap((one) => (one === undefined ? [] : [one.description]));

/** Who else refers to a description. */
const sharers = (now: Now, index: number): readonly number[] =>
  now.others.filter((other) => descriptionsOf(now.before, other).includes(index));

/** The description that the operation is about, and for whom else a change of it is one. */
const changes = (now: Now): readonly string[] => {
  const { described } = now;
  return described === undefined ? [] : firstOf(now, sharers(now, described.index), [described.index]);
};

/** The description that the operation looks at, whoever has changed it before. */
const looks = (now: Now): readonly string[] => (now.described === undefined ? [] : thenOf(now, [now.described.index]));

/** Descriptors of which the step changed what they refer to. */
const changedDescriptors = ({ before, after, process }: Now): readonly number[] => {
  const [old, now] = [before, after].map((machine) => machine.processes[process]?.descriptors ?? []);
  const places = Array.from({ length: Math.max(old?.length ?? 0, now?.length ?? 0) }, (_, d) => d);
  return places.filter((d) => old?.[d]?.description !== now?.[d]?.description);
};

/** Does a process have an end of a pipe open? */
const hasEnd = (machine: Machine, process: number, pipe: number, end: "read" | "write"): boolean =>
  descriptionsOf(machine, process).some((index) => {
    const { object, flags = [] } = machine.descriptions[index] ?? {};
    return object !== undefined && "pipe" in object && object.pipe === pipe && flags.includes(end);
  });

const lacksEnd = (now: Now, end: "read" | "write"): boolean =>
  now.pipe !== undefined && !hasEnd(now.before, now.process, now.pipe, end);

/** The file, or the pipe, that the operation is about. */
const objectOf = ({ file, pipe }: Now): readonly string[] => [
  ...(file === undefined ? [] : [`file ${file}`]),
  ...(pipe === undefined ? [] : [`pipe ${pipe}`]),
];

const objectsIn = ({ files, pipes }: Machine): readonly string[] => [
  ...files.map((_, index) => `file ${index}`),
  ...pipes.map((_, index) => `pipe ${index}`),
];

const readsSome = ({ observation }: Now): boolean => observation.kind === "bytes" && observation.bytes.length > 0;

/** Pipes with bytes in them of which the forking process has the reading end. */
const filledPipes = ({ before, process }: Now): readonly number[] =>
  before.pipes.flatMap((pipe, index) =>
    pipe !== undefined && pipe.bytes.length > 0 && hasEnd(before, process, index, "read") ? [index] : [],
  );

export const descriptors: Section = {
  title: "Descriptors and open file descriptions",
  rows: [
    {
      id: "D01",
      requirement: "The child has the same descriptors open.",
      tier: "core",
      rules: ["FILE-1 references", "INV-12 descriptors"],
      operations: ["fork", "pipe", "close", "fcntl_getfd"],
      counts: "a child uses a descriptor that it inherited",
      exercised: when((now, past) => now.succeeded && isInherited(now, past)),
    },
    {
      id: "D02",
      requirement: "Each refers to the same open file description: the offset is shared.",
      tier: "core",
      rules: ["FILE-1 references", "FILE-2 lseek", "FILE-2 write"],
      operations: ["fork", "open", "read", "write", "lseek"],
      counts: "one process moves the offset of a file, and another that shares the description reads, writes or asks",
      exercised: inOrder(
        (now) => (now.file !== undefined && now.did("read", "write", "lseek") ? changes(now) : []),
        (now) => (now.file !== undefined && now.did("read", "write", "lseek") ? looks(now) : []),
      ),
    },
    {
      id: "D03",
      requirement: "The tables are separate: close, dup or open in one does not change the other.",
      tier: "core",
      rules: ["FILE-1 references", "INV-12 descriptors"],
      operations: ["fork", "close", "open", "dup"],
      counts: "one side changes what a descriptor refers to, and the other uses its own of that number",
      exercised: inOrder(
        (now, past) => (now.succeeded ? firstOf(now, past.relativesOf(now.process), changedDescriptors(now)) : []),
        (now) => (now.descriptor === undefined ? [] : thenOf(now, [now.descriptor])),
      ),
    },
    {
      id: "D04",
      requirement: "Status flags belong to the description: what one sets the other has.",
      tier: "second",
      rules: ["FILE-1 references"],
      operations: ["fork", "fcntl_append", "fcntl_nonblock", "fcntl_getfl"],
      counts: "one process sets a flag, and another that shares the description asks, reads or writes",
      exercised: inOrder(
        (now) => (now.did("fcntl_append", "fcntl_nonblock") ? changes(now) : []),
        (now) => (now.is("fcntl_getfl", "read", "write") ? looks(now) : []),
      ),
    },
    {
      id: "D05",
      requirement: "Close-on-exec belongs to the descriptor: copied, then separate; fork closes nothing.",
      tier: "second",
      rules: ["FILE-1 references"],
      operations: ["fork", "fcntl_cloexec", "fcntl_getfd"],
      counts: "a child uses a descriptor that was marked when it inherited it",
      exercised: when(
        (now, past) =>
          now.succeeded &&
          isInherited(now, past) &&
          past.birthOf(now.process)?.child.descriptors[now.descriptor ?? 0]?.cloexec === true,
      ),
    },
    {
      id: "D06",
      requirement: "Descriptors marked close-on-fork are closed in the child.",
      tier: "other",
      reason: "There is no such mark: it is new in POSIX.1-2024, and Linux has none.",
    },
    {
      id: "D07",
      requirement: "A reader of a pipe finds its end only when every process has closed the writing end.",
      tier: "core",
      rules: ["FILE-3 read", "FILE-1 references"],
      operations: ["fork", "pipe", "close", "read"],
      counts: "a read blocks because another process could still write",
      exercised: when(
        (now) =>
          now.is("read", "readv") &&
          lacksEnd(now, "write") &&
          (now.observation.kind === "would-block" || now.failedWith("EAGAIN")),
      ),
    },
    {
      id: "D08",
      requirement: "A writer to a pipe gets EPIPE and SIGPIPE only when every process has closed the reading end.",
      tier: "core",
      rules: ["FILE-3 write", "FILE-3 broken"],
      operations: ["fork", "pipe", "close", "write", "sigpending"],
      counts: "a write that only another process can read, or that is EPIPE",
      exercised: when(
        (now) => now.is("write", "writev") && lacksEnd(now, "read") && (now.succeeded || now.failedWith("EPIPE")),
      ),
    },
    {
      id: "D09",
      requirement: "Bytes in a pipe are one queue: what one process reads is gone for the other.",
      tier: "second",
      rules: ["FILE-3 read"],
      operations: ["fork", "pipe", "write", "read"],
      counts: "of bytes that were in a pipe at the fork, one side reads some, and the other reads after it",
      exercised: inOrder(
        (now) => {
          const { child, process } = now;
          if (child === undefined) return [];
          return filledPipes(now).flatMap((pipe) => [pairKey(process, child, pipe), pairKey(child, process, pipe)]);
        },
        (now, past) =>
          now.pipe !== undefined && now.is("read") && readsSome(now)
            ? firstOf(now, past.relativesOf(now.process), [now.pipe])
            : [],
        (now) => (now.pipe !== undefined && now.is("read") ? thenOf(now, [now.pipe]) : []),
      ),
    },
    {
      id: "D10",
      requirement: "The end of a process closes its own descriptors only, and what it wrote stays.",
      tier: "second",
      rules: ["EXIT-1 exit", "FILE-1 references"],
      operations: ["fork", "write", "exit", "read"],
      counts: "a process writes to a file or pipe and ends, and another reads there",
      exercised: inOrder(
        (now) => (now.did("write") ? objectOf(now).map((object) => `${object}:${now.process}`) : []),
        (now) => objectsIn(now.before).flatMap((object) => now.ended.map((process) => `${object}:${process}`)),
        (now) =>
          now.did("read") && readsSome(now)
            ? objectOf(now).flatMap((object) => now.others.map((process) => `${object}:${process}`))
            : [],
      ),
    },
    {
      id: "D11",
      requirement: "Directory streams are copied.",
      tier: "other",
      reason: "Directories cannot be read; whether the position is shared POSIX leaves open.",
    },
    {
      id: "D12",
      requirement: "Message catalogues are copied.",
      tier: "other",
      reason: "There are no message catalogues: they are a C library's, over files and memory.",
    },
    {
      id: "D13",
      requirement: "Message queue descriptors refer to the same description.",
      tier: "other",
      reason: "There are no message queues; pipes show how descriptions of other objects are shared (D07 to D09).",
    },
    {
      id: "D14",
      requirement: "A registration for notification by a message queue is not inherited.",
      tier: "other",
      reason: "There are no message queues.",
    },
    {
      id: "D15",
      requirement: "Buffered output is memory: both copies are written.",
      tier: "other",
      rules: ["FORK-2 pages", "KERN-3 copy-in", "FILE-2 write"],
      operations: ["fork", "write", "read"],
      without: "no library keeps the buffer: programs write it themselves",
      counts: "a child writes bytes that it inherited to a descriptor, and its parent the same bytes",
      exercised: inOrder(
        (now, past) => {
          const birth = past.copyOf(now.process);
          if (birth === undefined || !now.did("write")) return [];
          const inherited = now.reads.filter((byte) => !past.wroteSince(now.process, byte, birth.time));
          return inherited.map((byte) => `${now.process}:${byte}`);
        },
        (now, past) =>
          now.did("write")
            ? past.childrenOf(now.process).flatMap((child) => {
                const since = past.birthOf(child)?.time ?? 0;
                const same = now.reads.filter((byte) => !past.wroteSince(now.process, byte, since));
                return same.map((byte) => `${child}:${byte}`);
              })
            : [],
      ),
    },
    {
      id: "D16",
      requirement: "epoll, eventfd, timerfd, signalfd and inotify objects are shared as descriptions.",
      tier: "other",
      reason: "There are none of these objects; descriptions are files and pipes.",
    },
    {
      id: "D17",
      requirement: "Notifications of changes in directories are not inherited.",
      tier: "other",
      reason: "There are no such notifications.",
    },
    {
      id: "D18",
      requirement: "Passing a descriptor over a socket gives what fork gives: a reference to one description.",
      tier: "other",
      reason: "There are no sockets; channels carry capabilities, not descriptors.",
    },
  ],
};
