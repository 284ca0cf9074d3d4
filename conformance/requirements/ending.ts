/** Ending, waiting, zombies. */
import { signals } from "../../spec/sfork/signals.js";
import { inOrder, keyIf, when } from "./detector.js";
import type { Now } from "./now.js";
import type { Section } from "./requirement.js";

/** The process that a wait names. */
const waitedFor = ({ operation, before }: Now): number | undefined =>
  operation.op === "wait" && operation.whom !== undefined ? operation.whom % before.processes.length : undefined;

const stateOf = ({ before }: Now, process: number | undefined): string | undefined =>
  before.processes[process ?? -1]?.state.kind;

/** The zombie at which a signal is sent. */
const signalledZombie = (now: Now): boolean => {
  const { operation, before } = now;
  if (operation.op !== "kill" || operation.target === "own-group" || "group" in operation.target) return false;
  return stateOf(now, operation.target.process % before.processes.length) === "zombie";
};

/** Who was a child, living or a zombie, of a process. */
const childrenOf = ({ start }: Now, parent: number): readonly number[] =>
  start.processes.flatMap((one, child) =>
    one.parent === parent && child !== 0 && child !== parent && one.state.kind !== "reaped" ? [child] : [],
  );

const status = ({ observation }: Now) => (observation.kind === "process" ? observation.status : {});

export const ending: Section = {
  title: "Ending, waiting, zombies",
  rows: [
    {
      id: "W01",
      requirement: "wait gives the child's pid and its exit status, of which only the low eight bits count.",
      tier: "core",
      rules: ["EXIT-1 wait", "EXIT-1 exit"],
      operations: ["fork", "exit", "wait"],
      counts: "a wait reports a child that has exited",
      exercised: when((now) => "exited" in status(now)),
    },
    {
      id: "W02",
      requirement: "A child that a signal has ended is reported so, with the signal's number.",
      tier: "core",
      rules: ["EXIT-1 wait", "SIG-1 kill", "SIG-1 take", "SIG-2 default"],
      operations: ["fork", "kill", "wait"],
      without: "no core is dumped",
      counts: "a wait reports a child that a signal has ended",
      exercised: when((now) => "signalled" in status(now)),
    },
    {
      id: "W03",
      requirement: "A child that has ended and was not waited for keeps its pid, but no descriptors and no memory.",
      tier: "core",
      rules: ["EXIT-1 exit", "FORK-1 fork", "FILE-1 references"],
      operations: ["fork", "exit", "kill", "read", "wait"],
      counts: "a zombie is sent a signal",
      exercised: when((now) => now.succeeded && signalledZombie(now)),
    },
    {
      id: "W04",
      requirement: "Each child is reported once; then there is ECHILD.",
      tier: "core",
      rules: ["EXIT-1 wait"],
      operations: ["fork", "exit", "wait"],
      counts: "a process that has waited for a child waits again, and is refused with ECHILD",
      exercised: inOrder(
        (now) => keyIf(now.reaped !== undefined, now.process),
        (now) => keyIf(now.is("wait") && now.failedWith("ECHILD"), now.process),
      ),
    },
    {
      id: "W05",
      requirement: "wait selects a child by its pid, or any; never somebody else's child, never a grandchild.",
      tier: "second",
      rules: ["EXIT-1 wait"],
      operations: ["fork", "wait"],
      without: "children cannot be selected by their group",
      counts: "a wait names a process that is there and not a child, or one of several zombies",
      exercised: when((now) => {
        const named = waitedFor(now);
        const isThere = named !== now.process && stateOf(now, named) !== "reaped";
        const zombies = childrenOf(now, now.process).filter((child) => stateOf(now, child) === "zombie");
        return named !== undefined && ((isThere && now.failedWith("ECHILD")) || (now.succeeded && zombies.length > 1));
      }),
    },
    {
      id: "W06",
      requirement: "WNOHANG: nothing while children live, a child that has ended, ECHILD when there is none.",
      tier: "second",
      rules: ["EXIT-1 wait"],
      operations: ["fork", "wait"],
      without: "there is no such flag: every wait that would block says so and returns",
      counts: "a wait would block",
      exercised: when((now) => now.is("wait") && now.observation.kind === "would-block"),
    },
    {
      id: "W07",
      requirement: "When a parent ends, its children get a new parent, living ones and zombies.",
      tier: "core",
      rules: ["EXIT-1 orphans"],
      operations: ["fork", "exit", "getppid", "wait"],
      without: "the new parent is always process 0: there are no other subreapers",
      counts: "an orphan asks for its parent's pid, or is waited for",
      exercised: inOrder(
        (now) => now.ended.flatMap((parent) => childrenOf(now, parent).map(String)),
        (now) => [...keyIf(now.did("getppid"), now.process), ...keyIf(now.reaped !== undefined, now.reaped ?? 0)],
      ),
    },
    {
      id: "W08",
      requirement:
        "Children of a process that ignores SIGCHLD leave no zombie; wait blocks until all are gone: ECHILD.",
      tier: "second",
      rules: ["EXIT-1 notify", "EXIT-1 wait"],
      operations: ["fork", "sigaction", "exit", "wait"],
      without: "there is no flag SA_NOCLDWAIT",
      counts: "a child of such a process ends, and the process waits",
      exercised: inOrder(
        (now) =>
          now.ended.flatMap((child) => {
            const parent = now.start.processes[child]?.parent ?? 0;
            return keyIf(now.start.processes[parent]?.actions.get(signals.CHLD) === "ignore", parent);
          }),
        (now) => keyIf(now.is("wait"), now.process),
      ),
    },
    {
      id: "W09",
      requirement: "wait reports children that were stopped and continued, once each, if asked.",
      tier: "other",
      reason: "Processes stop and continue (SIG-1 post), but wait reports only their end.",
    },
    {
      id: "W10",
      requirement: "WNOWAIT leaves the child to be waited for again.",
      tier: "other",
      reason: "wait has no flags.",
    },
    {
      id: "W11",
      requirement: "An orphaned process group with a stopped member gets SIGHUP and SIGCONT.",
      tier: "other",
      reason:
        "There are no terminals, for whose sake it is so; orphaned groups only matter for stops (SIG-1 orphaned).",
    },
    {
      id: "W12",
      requirement: "The end of a session's leader sends SIGHUP to the foreground group.",
      tier: "other",
      reason: "There are no terminals.",
    },
    {
      id: "W13",
      requirement: "Options that wait does not know are EINVAL.",
      tier: "other",
      reason: "wait has no flags.",
    },
  ],
};
