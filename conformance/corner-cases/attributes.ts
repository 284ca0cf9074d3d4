/** Corner cases of what a process is: groups, sessions, limits, relatives. */
import { delivering, ending, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const reaped = ({ transition: { observation } }: Evidence) =>
  observation.kind === "process" ? observation : undefined;

const present = ({ before }: Evidence): number =>
  before.processes.filter(({ state }) => state.kind !== "reaped").length;

export const attributeCases = {
  "pid-kept-by-group": {
    description: "a child does not get the lowest pid that is nobody's, because a group bears it",
    on: ["fork"],
    reached: ({ before, after, child }) => {
      const pid = child === undefined ? undefined : after.processes[child]?.pid;
      return (
        pid !== undefined &&
        before.processes.some(
          (one, leader) =>
            one.state.kind === "reaped" &&
            one.pid < pid &&
            before.processes.every((other) => other.state.kind === "reaped" || other.pid !== one.pid) &&
            before.processes.some(
              ({ state, group, session }) => state.kind !== "reaped" && (group === leader || session === leader),
            ),
        )
      );
    },
  },
  "group-outlives-leader": {
    description: "the leader of a group is reaped, others are left in it",
    on: ["wait"],
    reached: (evidence) => {
      const leader = reaped(evidence)?.process;
      return evidence.after.processes.some(({ state, group }) => state.kind !== "reaped" && group === leader);
    },
  },
  "group-of-child": {
    description: "a parent moves its child into another group",
    on: ["setpgid"],
    reached: ({ before, after, process }) =>
      before.processes.some((one, ordinal) => ordinal !== process && one.group !== after.processes[ordinal]?.group),
  },
  "group-of-child-after-exec": {
    description: "a parent may not move a child that runs another image",
    on: ["setpgid"],
    reached: (evidence) => evidence.failedWith("EACCES"),
  },
  "group-refused": {
    description: "a group of another session, or none, is refused",
    on: ["setpgid"],
    reached: (evidence) => evidence.failedWith("EPERM"),
  },
  "session-of-child": {
    description: "a child begins a session",
    on: ["setsid"],
    reached: ({ succeeded, process }) => succeeded && process !== 0,
  },
  "session-refused-to-leader": {
    description: "the leader of a group cannot begin a session",
    on: ["setsid"],
    reached: (evidence) => evidence.failedWith("EPERM"),
  },
  "orphan-gets-parent": {
    description: "a process whose parent has ended asks for its parent",
    on: ["getppid"],
    reached: ({ history, process, before, succeeded }) => {
      const forkedBy = history.forkedBy.get(process);
      return succeeded && forkedBy !== undefined && before.processes[forkedBy]?.state.kind !== "live";
    },
  },
  "orphan-vanishes": {
    description: "process 0 ignores the end of its children when one that is not its own comes to it",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after, history }) =>
      before.processes.some(
        ({ state }, process) =>
          state.kind !== "reaped" &&
          after.processes[process]?.state.kind === "reaped" &&
          history.forkedBy.get(process) !== 0,
      ),
  },
  "wait-for-signalled": {
    description: "a wait reports a process that a signal ended",
    on: ["wait"],
    reached: (evidence) => {
      const { status } = reaped(evidence) ?? {};
      return status !== undefined && "signalled" in status;
    },
  },
  "wait-with-ignored-children": {
    description: "a wait finds no child, because they vanished when they ended",
    on: ["wait"],
    reached: ({ before, process, transition, history }) =>
      transition.observation.kind === "error" &&
      before.processes[process]?.actions.get(17) === "ignore" &&
      [...history.forkedBy].some(([child, by]) => by === process && before.processes[child]?.state.kind === "reaped"),
  },
  "processes-limited": {
    description: "a fork fails because of a limit that its process has set",
    on: ["fork"],
    reached: (evidence) =>
      evidence.failedWith("EAGAIN") &&
      present(evidence) < evidence.before.config.processes &&
      present(evidence) >= (evidence.before.processes[evidence.process]?.limits.nproc ?? 0),
  },
  "limits-inherited": {
    description: "a child asks for a limit that its parent had set",
    on: ["getrlimit"],
    reached: ({ before, process, succeeded, operation }) => {
      const { limits } = before.processes[process] ?? {};
      if (operation.op !== "getrlimit" || process === 0 || limits === undefined) return false;
      return succeeded && limits[operation.resource] < (operation.resource === "nofile" ? 16 : before.config.processes);
    },
  },
  "mask-of-modes-inherited": {
    description: "a child replaces the mask of modes that it has from its parent",
    on: ["umask"],
    reached: ({ before, process, succeeded }) =>
      succeeded && process !== 0 && before.processes[process]?.umask !== 0o22,
  },
  "directory-inherited": {
    description: "a child opens a file from the directory that its parent had chosen",
    on: ["open"],
    reached: ({ before, process, succeeded, operation }) =>
      operation.op === "open" &&
      succeeded &&
      process !== 0 &&
      !operation.path.startsWith("/") &&
      before.processes[process]?.directory !== "/",
  },
  "time-of-children": {
    description: "a parent sees the time that a child used, after it waited for it",
    on: ["times"],
    reached: ({ operation, transition: { observation } }) =>
      operation.op === "times" &&
      operation.whose === "children" &&
      observation.kind === "integer" &&
      observation.integer === 1n,
  },
  "time-not-inherited": {
    description: "a child begins without the time, or the alarm, of its parent",
    on: ["fork"],
    reached: ({ before, process, child }) => {
      const parent = before.processes[process];
      return child !== undefined && parent?.ran === true && parent.alarm;
    },
  },
} as const satisfies CornerCases;
