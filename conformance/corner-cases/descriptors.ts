/** Corner cases of descriptors, pipes, files and record locks. */
import { hasEnd } from "../../spec/sfork/descriptors.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { copyingIn, delivering, ending, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const reading = ["read", "readv", "call_finish"] as const;
const writing = ["write", "writev", "call_finish"] as const;
const moving = ["read", "readv", "write", "writev", "lseek"] as const;

/** What the step's descriptor refers to, or the call that it finishes. */
const subject = (evidence: Evidence) => {
  const { operation, before, transition } = evidence;
  if ("d" in operation) return evidence.described(operation.d);
  const call = operation.op === "call_finish" ? before.threads[transition.thread]?.call : undefined;
  const index = call !== undefined && "description" in call ? call.description : undefined;
  const description = index === undefined ? undefined : before.descriptions[index];
  return index === undefined || description === undefined ? undefined : { index, description };
};

const pipeOf = (evidence: Evidence): number | undefined => {
  const object = subject(evidence)?.description.object;
  return object !== undefined && "pipe" in object ? object.pipe : undefined;
};

const fileOf = (evidence: Evidence): number | undefined => {
  const object = subject(evidence)?.description.object;
  return object !== undefined && "file" in object ? object.file : undefined;
};

const isBlocked = ({ transition: { observation } }: Evidence): boolean => observation.kind === "would-block";

/** Descriptors of a process that refer to a description. */
const refers = ({ processes }: Machine, process: number, description: number): boolean =>
  processes[process]?.descriptors.some((one) => one?.description === description) === true;

/** Pipes that lost the last of such ends with this step, while the other end stays. */
const loses = ({ before, after }: Evidence, end: "read" | "write"): boolean =>
  before.pipes.some(
    (pipe, index) =>
      pipe !== undefined &&
      hasEnd(before, index, end) &&
      !hasEnd(after, index, end) &&
      hasEnd(after, index, end === "read" ? "write" : "read"),
  );

const locksOf = ({ files }: Machine, owner: number) =>
  files.flatMap(({ locks }) => locks.filter((lock) => lock.owner === owner));

/** Is one process an ancestor of the other? */
const isDescendant = ({ history }: Evidence, process: number, ancestor: number): boolean => {
  const parent = history.forkedBy.get(process);
  return parent === ancestor;
};

export const descriptorCases = {
  "pipe-data-across-fork": {
    description: "a child reads bytes that were in a pipe when it was forked",
    on: reading,
    reached: (evidence) =>
      (evidence.bytes?.length ?? 0) > 0 &&
      evidence.history.inheritedPipes.has(`${evidence.process}:${pipeOf(evidence) ?? -1}`),
  },
  "pipe-end-of-file": {
    description: "a read finds the end of a pipe to which nobody can write any more",
    on: reading,
    reached: (evidence) => {
      const pipe = pipeOf(evidence);
      const { operation } = evidence;
      const asks = !("n" in operation) || evidence.integer(operation.n) > 0n;
      return asks && pipe !== undefined && evidence.bytes?.length === 0 && !hasEnd(evidence.before, pipe, "write");
    },
  },
  "pipe-loses-writers": {
    description: "the last end of a pipe that can be written to closes",
    on: ["close", "dup2"],
    reached: (evidence) => loses(evidence, "write"),
  },
  "pipe-loses-writers-by-end": {
    description: "it closes with the end of a process, or with another image",
    on: [...ending, ...delivering, "kill", "exec"],
    reached: (evidence) => loses(evidence, "write"),
  },
  "pipe-loses-readers-by-end": {
    description: "the last end of a pipe that can be read closes with the end of a process, or with another image",
    on: [...ending, ...delivering, "kill", "exec"],
    reached: (evidence) => loses(evidence, "read"),
  },
  "pipe-broken": {
    description: "a write to a pipe that nobody can read",
    on: writing,
    reached: (evidence) => evidence.failedWith("EPIPE"),
  },
  "pipe-empty": {
    description: "a read from a pipe that is empty would block",
    on: reading,
    reached: (evidence) => isBlocked(evidence) && pipeOf(evidence) !== undefined,
  },
  "pipe-full": {
    description: "a write to a pipe that has no room for it would block",
    on: writing,
    reached: (evidence) => isBlocked(evidence) && pipeOf(evidence) !== undefined,
  },
  "pipe-refused-without-blocking": {
    description: "a call that would block fails at once, because its description says so",
    on: [...reading, ...writing],
    reached: (evidence) => evidence.failedWith("EAGAIN"),
  },
  "pipe-written-in-part": {
    description: "a write of more than a pipe can ever hold is taken in part",
    on: writing,
    reached: (evidence) => {
      const { operation, transition } = evidence;
      const { observation } = transition;
      if (!("n" in operation) || pipeOf(evidence) === undefined || observation.kind !== "integer") return false;
      return observation.integer < evidence.integer(operation.n);
    },
  },
  "offset-shared-after-fork": {
    description: "a process goes on in a file where another left its offset, which both have from a fork",
    on: moving,
    reached: (evidence) => {
      const found = subject(evidence);
      const mover = found === undefined ? undefined : evidence.history.movers.get(found.index);
      if (found === undefined || mover === undefined || mover === evidence.process || !evidence.succeeded) return false;
      return (
        fileOf(evidence) !== undefined && found.description.offset > 0 && refers(evidence.before, mover, found.index)
      );
    },
  },
  "flags-shared-after-fork": {
    description: "a process sees a flag that another set on a description of both",
    on: ["fcntl_getfl", "read", "write"],
    reached: (evidence) => {
      const found = subject(evidence);
      const mover = found === undefined ? undefined : evidence.history.movers.get(found.index);
      const { flags = [] } = found?.description ?? {};
      const isSet = flags.includes("nonblock") || flags.includes("append");
      return isSet && mover !== undefined && mover !== evidence.process;
    },
  },
  "close-on-exec": {
    description: "another image begins without the descriptors that were to be closed, and with the others",
    on: ["exec"],
    reached: ({ before, after, process, succeeded }) => {
      const was = before.processes[process]?.descriptors ?? [];
      const now = after.processes[process]?.descriptors ?? [];
      const closed = was.some((one, d) => one?.cloexec === true && now[d] === undefined);
      return succeeded && closed && now.some((one) => one !== undefined);
    },
  },
  "dup2-closes": {
    description: "a descriptor that is open comes to refer to something else",
    on: ["dup2"],
    reached: (evidence) => {
      const { operation, before, after, process } = evidence;
      if (operation.op !== "dup2" || !evidence.succeeded) return false;
      const at = (machine: Machine) => machine.processes[process]?.descriptors[operation.d2 % 16]?.description;
      return at(before) !== undefined && at(before) !== at(after);
    },
  },
  "dup2-to-itself": {
    description: "a descriptor is duplicated to itself: nothing happens",
    on: ["dup2"],
    reached: ({ operation, succeeded }) =>
      operation.op === "dup2" && succeeded && operation.d % 16 === operation.d2 % 16,
  },
  "descriptors-full": {
    description: "a process has as many descriptors as its limit allows",
    on: ["pipe", "open", "dup", "call_finish"],
    reached: (evidence) => evidence.failedWith("EMFILE"),
  },
  "descriptor-beyond-limit": {
    description: "a descriptor is used that a limit, which was lowered since, would not allow",
    on: [...moving, "close", "dup"],
    reached: (evidence) => {
      const { operation, before, process } = evidence;
      const { nofile = 16 } = before.processes[process]?.limits ?? {};
      return evidence.succeeded && "d" in operation && operation.d % 16 >= nofile;
    },
  },
  "append-behind-another": {
    description: "a write goes to the end of a file that has grown since its description came there",
    on: writing,
    reached: (evidence) => {
      const { description } = subject(evidence) ?? {};
      const { bytes = [] } = evidence.before.files[fileOf(evidence) ?? -1] ?? {};
      const appends = description?.flags.includes("append") === true;
      return evidence.succeeded && appends && description.offset < bytes.length;
    },
  },
  "write-behind-end": {
    description: "a write begins behind the end of a file: zeros fill the hole",
    on: writing,
    reached: (evidence) => {
      const { description } = subject(evidence) ?? {};
      const file = evidence.before.files[fileOf(evidence) ?? -1];
      const grown = file !== undefined && file !== evidence.after.files[fileOf(evidence) ?? -1];
      return (
        grown &&
        description !== undefined &&
        !description.flags.includes("append") &&
        description.offset > file.bytes.length
      );
    },
  },
  "file-too-big": {
    description: "a file is as long as it may be",
    on: writing,
    reached: (evidence) => evidence.failedWith("EFBIG"),
  },
  "truncate-under-descriptor": {
    description: "a file is emptied while a description has its offset behind the new end",
    on: ["open", "call_finish"],
    reached: ({ before, after, succeeded }) =>
      succeeded &&
      before.files.some(
        ({ bytes }, file) =>
          bytes.length > 0 &&
          after.files[file]?.bytes.length === 0 &&
          before.descriptions.some(
            (one) => one !== undefined && "file" in one.object && one.object.file === file && one.offset > 0,
          ),
      ),
  },
  "lock-refused": {
    description: "a lock is refused because another process has one that overlaps",
    on: ["lock"],
    reached: (evidence) => evidence.failedWith("EAGAIN"),
  },
  "lock-not-inherited": {
    description: "a child finds its parent's lock in the way, on a file that it has from it",
    on: ["lock", "getlk"],
    reached: (evidence) => {
      const { before, process } = evidence;
      const { locks = [] } = before.files[fileOf(evidence) ?? -1] ?? {};
      const inWay = evidence.failedWith("EAGAIN") || evidence.succeeded;
      return inWay && locks.some(({ owner }) => owner !== process && isDescendant(evidence, process, owner));
    },
  },
  "lock-dropped-by-close": {
    description: "a lock ends because another descriptor of its file was closed",
    on: ["close", "dup2"],
    reached: (evidence) => {
      const { before, after, process } = evidence;
      if (!evidence.succeeded || locksOf(after, process).length >= locksOf(before, process).length) return false;
      const lost = before.files.findIndex(
        ({ locks }, file) =>
          locks.some(({ owner }) => owner === process) &&
          after.files[file]?.locks.every(({ owner }) => owner !== process),
      );
      return (after.processes[process]?.descriptors ?? []).some((one) => {
        const object = one === undefined ? undefined : after.descriptions[one.description]?.object;
        return object !== undefined && "file" in object && object.file === lost;
      });
    },
  },
  "lock-dropped-by-end": {
    description: "a lock ends with its process",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after }) =>
      before.processes.some(
        ({ state }, owner) =>
          state.kind === "live" && after.processes[owner]?.state.kind !== "live" && locksOf(before, owner).length > 0,
      ),
  },
  "lock-kept-by-exec": {
    description: "a lock outlives its process's image",
    on: ["exec"],
    reached: ({ after, process, succeeded }) => succeeded && locksOf(after, process).length > 0,
  },
  "lock-split": {
    description: "the middle of a lock is given up",
    on: ["unlock", "lock"],
    reached: ({ before, after, process, operation }) =>
      operation.op === "unlock" && locksOf(after, process).length > locksOf(before, process).length,
  },
  "description-outlives-descriptor": {
    description: "a parent closes what its child goes on to use",
    on: [...moving, ...copyingIn],
    reached: (evidence) => {
      const found = subject(evidence);
      const parent = evidence.history.forkedBy.get(evidence.process);
      if (found === undefined || parent === undefined || !evidence.succeeded) return false;
      return evidence.history.movers.get(found.index) === parent && !refers(evidence.before, parent, found.index);
    },
  },
} as const satisfies CornerCases;
