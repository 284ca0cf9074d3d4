/** Signals. */
import type { Action } from "../../spec/sfork/kernel.js";
import { isSignal, signals as numbers } from "../../spec/sfork/signals.js";
import { when } from "./detector.js";
import type { Now } from "./now.js";
import type { Past } from "./past.js";
import type { Section } from "./requirement.js";

/** What the child inherited that a signal does, if it was not the default. */
const inheritedAction = (now: Now, past: Past, signal: number): Action | undefined =>
  past.copyOf(now.process)?.child.actions.get(signal);

/** Those of a group that are there. */
const members = ({ before }: Now, group: number | undefined): readonly number[] =>
  before.processes.flatMap((process, ordinal) =>
    process.group === group && process.state.kind !== "reaped" ? [ordinal] : [],
  );

/** The group at which a signal is sent. */
const groupOf = ({ operation, self, before }: Now): number | undefined => {
  if (operation.op !== "kill") return undefined;
  if (operation.target === "own-group") return self?.group;
  return "group" in operation.target ? operation.target.group % before.processes.length : undefined;
};

export const signals: Section = {
  title: "Signals",
  rows: [
    {
      id: "G01",
      requirement: "No signal is pending in a new child.",
      tier: "core",
      rules: ["PROC-3 fresh"],
      operations: ["fork", "sigmask", "kill", "sigpending"],
      counts: "a child whose parent had a signal pending asks for its own, or changes its mask",
      exercised: when(
        (now, past) => now.did("sigpending", "sigmask") && (past.birthOf(now.process)?.forker.pending.length ?? 0) > 0,
      ),
    },
    {
      id: "G02",
      requirement: "The child has the signal mask of the thread that forked.",
      tier: "core",
      rules: ["FORK-5 thread", "SIG-2 mask", "SIG-1 take"],
      operations: ["fork", "sigmask", "kill", "sigpending"],
      counts: "a child does not take a signal that is masked since its fork",
      exercised: when(({ process, thread, self, ownThread }, past) => {
        const birth = past.birthOf(process);
        const inherited = birth?.before.threads[birth.thread]?.mask ?? [];
        const masked = ownThread?.mask.filter((signal) => inherited.includes(signal)) ?? [];
        return birth?.first === thread && masked.some((one) => self?.pending.includes(one));
      }),
    },
    {
      id: "G03",
      requirement: "What signals do is inherited, and separate from then on.",
      tier: "core",
      rules: ["SIG-2 action", "FORK-4 kernel-held"],
      operations: ["fork", "sigaction", "getaction", "kill"],
      without: "a handler has no mask and no flags of its own",
      counts: "a child asks for, or takes, a signal for which it inherited another action than the default",
      exercised: when((now, past) => {
        const { operation } = now;
        const asked = operation.op === "getaction" ? [Number(now.integer(operation.signal))] : [];
        const meant = [...now.signals, ...asked].filter(isSignal);
        return meant.some((signal) => inheritedAction(now, past, signal) !== undefined);
      }),
    },
    {
      id: "G04",
      requirement: "A handler works on the memory of the process that takes the signal.",
      tier: "second",
      rules: ["SIG-1 handler", "SIG-1 take", "FORK-4 kernel-held"],
      operations: ["fork", "sigaction", "kill", "load.w"],
      without: "a handler runs no code of its own: the kernel counts for it",
      counts: "a handler that a child inherited runs in the child",
      exercised: when((now, past) =>
        now.signals.some((signal) => {
          const action = inheritedAction(now, past, signal);
          return (
            action !== undefined &&
            action !== "ignore" &&
            now.start.processes[now.process]?.actions.get(signal) === action
          );
        }),
      ),
    },
    {
      id: "G05",
      requirement: "Queued real-time signals are not inherited.",
      tier: "other",
      reason: "Signals are not queued, and there are none above 31.",
    },
    {
      id: "G06",
      requirement: "A signal reaches the child by its pid, and by its group if it is in it.",
      tier: "second",
      rules: ["SIG-1 kill"],
      operations: ["fork", "setpgid", "kill", "sigpending"],
      without: "there are no users whose permission would be asked, and none can be sent to all processes (-1)",
      counts: "a signal is sent to a group with other members than the sender",
      exercised: when((now) => now.did("kill") && members(now, groupOf(now)).some((member) => member !== now.process)),
    },
    {
      id: "G07",
      requirement: "The alternate signal stack is inherited, at the same place of the child's memory.",
      tier: "second",
      rules: ["SIG-2 stack", "FORK-4 kernel-held"],
      operations: ["fork", "sigaltstack", "getaltstack"],
      counts: "a child asks for the stack that it inherited",
      exercised: when(
        (now, past) => now.did("getaltstack") && past.copyOf(now.process)?.child.alternateStack.tag === true,
      ),
    },
    {
      id: "G08",
      requirement: "The end of a child sends SIGCHLD to its parent.",
      tier: "core",
      rules: ["EXIT-1 notify", "SIG-1 post"],
      operations: ["fork", "exit", "sigaction", "sigpending"],
      without: "nothing comes with the signal: which child and which status, wait tells (W01)",
      counts: "a parent takes the signal, or finds it pending",
      exercised: when(
        (now) =>
          now.signals.includes(numbers.CHLD) ||
          (now.did("sigpending") && now.self?.pending.includes(numbers.CHLD) === true),
      ),
    },
    {
      id: "G09",
      requirement: "The signal at the parent's death is cleared in the child of the one that set it.",
      tier: "other",
      reason: "Linux only: prctl is not modelled.",
    },
  ],
};
