/** Corner cases of signals: handlers and what the kernel keeps of them, masks, stops, groups. */
import type { Capability } from "../../spec/cheri/index.js";
import type { Action } from "../../spec/sfork/kernel.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import { liesWithin } from "../../spec/sfork/relocate.js";
import { signals } from "../../spec/sfork/signals.js";
import { copyingIn, delivering, ending, type CornerCases } from "./case.js";
import type { Evidence, Touched } from "./evidence.js";

const actionsOf = ({ processes }: Machine, process: number) => processes[process]?.actions ?? new Map<number, Action>();

type Handler = Exclude<Action, "ignore">;

/** Handlers that this step ran, with their signals. */
const ran = (evidence: Evidence): readonly { readonly signal: number; readonly handler: Handler }[] => {
  const { before, process, transition } = evidence;
  const actions = actionsOf(before, process);
  return transition.signals.flatMap((signal) => {
    const handler = actions.get(signal);
    return handler === undefined || handler === "ignore" ? [] : [{ signal, handler }];
  });
};

/** The page on which a handler counts, as it was before. */
const counter = (evidence: Evidence, { data }: Handler): Touched | undefined =>
  evidence.touched(effective(evidence.before.format, data, 0n));

const counts = (evidence: Evidence, isSuch: (page: Touched) => boolean): boolean =>
  isLive(evidence.after, evidence.process) &&
  ran(evidence).some(({ handler }) => {
    const page = counter(evidence, handler);
    return page !== undefined && isSuch(page);
  });

const isLive = ({ processes }: Machine, process: number): boolean => processes[process]?.state.kind === "live";

/** Capabilities that the kernel keeps for a process's handlers. */
const heldFor = (machine: Machine, process: number): readonly Capability[] =>
  Array.from(actionsOf(machine, process).values()).flatMap((action) =>
    action === "ignore" ? [] : [action.code, action.data],
  );

/** Who ended with the step, by a signal. */
const signalled = ({ before, after }: Evidence): readonly { readonly process: number; readonly by: number }[] =>
  before.processes.flatMap(({ state }, process) => {
    const now = after.processes[process]?.state;
    const ended = state.kind === "live" && now?.kind === "zombie" && "signalled" in now.status;
    return ended ? [{ process, by: now.status.signalled }] : [];
  });

const stopped = ({ processes }: Machine): number => processes.filter((process) => process.stopped).length;

const killed = ({ operation, before, after, succeeded }: Evidence): number =>
  operation.op === "kill" && succeeded
    ? before.processes.filter(
        (process, ordinal) =>
          process !== after.processes[ordinal] && (operation.target === "own-group" || "group" in operation.target),
      ).length
    : 0;

export const signalCases = {
  "handler-counts": {
    description: "a handler counts before its thread's step",
    on: delivering,
    reached: (evidence) => counts(evidence, () => true),
  },
  "handler-inherited": {
    description: "a child inherits a handler whose capabilities lead into its parent's region",
    on: ["fork"],
    reached: (evidence) =>
      evidence.child !== undefined &&
      heldFor(evidence.before, evidence.process).some((one) => one.tag && liesWithin(one, evidence.region)),
  },
  "handler-runs-in-child": {
    description: "a handler that was inherited counts in the child's memory",
    on: delivering,
    reached: (evidence) =>
      isLive(evidence.after, evidence.process) &&
      ran(evidence).some(({ signal }) => !evidence.history.handlers.has(`${evidence.process}:${signal}`)),
  },
  "handler-counts-in-shared": {
    description: "a handler counts on a page whose frame is shared",
    on: delivering,
    reached: (evidence) => counts(evidence, ({ frame }) => (frame?.references ?? 0) > 1),
  },
  "handler-counts-in-unresolved": {
    description: "a handler counts on a page that is unresolved",
    on: delivering,
    reached: (evidence) => counts(evidence, ({ unresolved }) => unresolved),
  },
  "handler-counts-over-pointer": {
    description: "a handler's counter is where a pointer was stored",
    on: delivering,
    reached: (evidence) =>
      ran(evidence).some(({ handler }) => {
        const address = effective(evidence.before.format, handler.data, 0n);
        return evidence.granuleAt(evidence.before, address - (address % evidence.before.format.granule))?.tag === true;
      }),
  },
  "handler-faults": {
    description: "a handler cannot count: its process ends as by SEGV",
    on: delivering,
    reached: (evidence) => ran(evidence).length > 0 && signalled(evidence).some(({ by }) => by === signals.SEGV),
  },
  "handler-faults-by-protection": {
    description: "it cannot because of the page's protection",
    on: delivering,
    reached: (evidence) =>
      signalled(evidence).some(({ by }) => by === signals.SEGV) &&
      ran(evidence).some(
        ({ handler }) => handler.data.tag && counter(evidence, handler)?.entry?.protection.write === false,
      ),
  },
  "handler-revoked": {
    description: "what a handler's capability leads to is unmapped, or is absent in a child",
    on: ["munmap", "fork"],
    reached: (evidence) => {
      const { before, after, process, child } = evidence;
      const was = heldFor(before, process);
      return heldFor(after, child ?? process).some(({ tag }, index) => !tag && was[index]?.tag === true);
    },
  },
  "handler-dropped-by-exec": {
    description: "another image begins without handlers, and ignores what was ignored",
    on: ["exec"],
    reached: ({ before, after, process, succeeded }) => {
      const was = Array.from(actionsOf(before, process).values());
      const now = Array.from(actionsOf(after, process).values());
      return succeeded && was.some((one) => one !== "ignore") && now.includes("ignore");
    },
  },
  "alternate-stack-inherited": {
    description: "a child inherits an alternate stack in its parent's region",
    on: ["fork"],
    reached: ({ before, process, child, region }) => {
      const stack = before.processes[process]?.alternateStack;
      return child !== undefined && stack?.tag === true && liesWithin(stack, region);
    },
  },
  "alternate-stack-seen-in-child": {
    description: "a child asks for the alternate stack that it inherited",
    on: ["getaltstack"],
    reached: ({ result, history, process, region }) =>
      result?.tag === true && history.forkedBy.has(process) && liesWithin(result, region),
  },
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
  "child-signal-ignored": {
    description: "a child vanishes when it ends, because its parent ignores the signal",
    on: [...ending, ...delivering, "kill"],
    reached: ({ before, after }) =>
      before.processes.some(
        ({ state }, process) => state.kind === "live" && after.processes[process]?.state.kind === "reaped",
      ),
  },
} as const satisfies CornerCases;
