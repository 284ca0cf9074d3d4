/** Corner cases of signals: masks, stops, groups, and what ends with them. */
import type { Machine } from "../../spec/sfork/machine.js";
import { signals } from "../../spec/sfork/signals.js";
import { copyingIn, delivering, ending, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";
import { actionsOf, isLive, ran, signalled } from "./taken.js";

const stopped = ({ processes }: Machine): number => processes.filter((process) => process.stopped).length;

const killed = ({ operation, before, after, succeeded }: Evidence): number =>
  operation.op === "kill" && succeeded
    ? before.processes.filter(
        (process, ordinal) =>
          process !== after.processes[ordinal] && (operation.target === "own-group" || "group" in operation.target),
      ).length
    : 0;

export const signalCases = {
  "pending-not-inherited": {
    description: "a process forks while a signal is pending, which its child does not get",
    on: ["fork"],
    reached: ({ before, process, child }) =>
      child !== undefined && (before.processes[process]?.pending.length ?? 0) > 0,
  },
  "pending-kept-by-exec": {
    description: "a signal that is masked stays pending in another image",
    on: ["exec"],
    reached: ({ after, process, succeeded }) => succeeded && (after.processes[process]?.pending.length ?? 0) > 0,
  },
  "pending-vanishes": {
    description: "a pending signal vanishes because it is ignored from now on",
    on: ["sigaction"],
    reached: ({ before, after, process }) =>
      (after.processes[process]?.pending.length ?? 0) < (before.processes[process]?.pending.length ?? 0),
  },
  "signals-in-order": {
    description: "several signals are taken before one step",
    on: delivering,
    reached: ({ transition }) => transition.signals.length > 1,
  },
  "signal-ends-process": {
    description: "a process ends by a signal that it takes before a step",
    on: delivering,
    reached: (evidence) => ran(evidence).length === 0 && signalled(evidence).some(({ process }) => process !== 0),
  },
  "kill-ends-other": {
    description: "a process ends at once, by KILL",
    on: ["kill"],
    reached: (evidence) => signalled(evidence).some(({ process }) => process !== 0 && process !== evidence.process),
  },
  "kill-of-group": {
    description: "a signal reaches several processes of a group",
    on: ["kill"],
    reached: (evidence) => killed(evidence) > 1,
  },
  "kill-of-zombie": {
    description: "a signal for a process that has ended is accepted",
    on: ["kill"],
    reached: ({ operation, before, succeeded }) => {
      if (operation.op !== "kill" || operation.target === "own-group" || !("process" in operation.target)) return false;
      return succeeded && before.processes[operation.target.process % before.processes.length]?.state.kind === "zombie";
    },
  },
  "stop-by-signal": {
    description: "a process stops when it takes a signal",
    on: delivering,
    reached: ({ before, after }) => stopped(after) > stopped(before),
  },
  "step-of-stopped": {
    description: "a process that is stopped takes no step",
    on: ["yield", "load.b", "getpid", "exit", "write", "fork"],
    reached: ({ before, process, transition }) =>
      before.processes[process]?.stopped === true && transition.observation.kind === "would-block",
  },
  "continue-of-stopped": {
    description: "a process that is stopped goes on",
    on: ["kill"],
    reached: ({ before, after }) =>
      before.processes.some((process, ordinal) => process.stopped && after.processes[ordinal]?.stopped === false) &&
      before.processes.every(({ state }, ordinal) => state.kind === after.processes[ordinal]?.state.kind),
  },
  "kill-of-stopped": {
    description: "a process that is stopped ends",
    on: ["kill"],
    reached: (evidence) =>
      signalled(evidence).some(({ process }) => evidence.before.processes[process]?.stopped === true),
  },
  "terminal-stop-in-orphaned-group": {
    description: "a stop signal of a terminal does nothing in a group that is orphaned",
    on: delivering,
    reached: ({ before, after, process, transition }) =>
      transition.signals.length === 0 &&
      after.processes[process]?.stopped === false &&
      (before.processes[process]?.pending ?? []).some(
        (signal) => signal >= 20 && signal <= 22 && after.processes[process]?.pending.includes(signal) === false,
      ),
  },
  "pipe-signal-ends-writer": {
    description: "a process ends because it wrote to a pipe that nobody reads",
    on: delivering,
    reached: (evidence) => signalled(evidence).some(({ by }) => by === signals.PIPE),
  },
  "pipe-signal-caught": {
    description: "a process survives it: the signal is ignored, masked or caught",
    on: copyingIn,
    reached: ({ before, after, process, transition }) => {
      const { observation } = transition;
      const failed = observation.kind === "error" && observation.error === "EPIPE";
      const action = actionsOf(before, process).get(signals.PIPE);
      const isMasked = before.threads[transition.thread]?.mask.includes(signals.PIPE) === true;
      return failed && isLive(after, process) && (action !== undefined || isMasked);
    },
  },
  "child-signal-counted": {
    description: "a parent's handler counts the end of a child",
    on: delivering,
    reached: (evidence) => ran(evidence).some(({ signal }) => signal === signals.CHLD),
  },
  "orphan-zombie-vanishes": {
    description: "a zombie loses its parent, and vanishes: who gets it ignores the signal",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after }) =>
      before.processes.some(
        ({ state }, process) => state.kind === "zombie" && after.processes[process]?.state.kind === "reaped",
      ),
  },
  "child-signal-ignored": {
    description: "a child vanishes when it ends, because its parent ignores the signal",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after }) =>
      before.processes.some(
        ({ state }, process) => state.kind === "live" && after.processes[process]?.state.kind === "reaped",
      ),
  },
  "child-signal-ignored-and-masked": {
    description: "a child ends whose parent ignores the signal and masks it, too",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after }) =>
      before.processes.some(({ state, parent }, process) => {
        if (state.kind !== "live" || after.processes[process]?.state.kind === "live") return false;
        const masks = before.threads.some(
          (thread) => thread.live && thread.process === parent && thread.mask.includes(signals.CHLD),
        );
        return masks && actionsOf(before, parent).get(signals.CHLD) === "ignore";
      }),
  },
} as const satisfies CornerCases;
