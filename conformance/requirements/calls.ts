/** Call, identity, return. */
import { signals } from "../../spec/sfork/signals.js";
import { inOrder, keyIf, when } from "./detector.js";
import type { Now } from "./now.js";
import type { Section } from "./requirement.js";

/** Some pid is taken by a zombie, or by a group that its leader has left behind. */
const keepsPids = ({ before: { processes } }: Now): boolean =>
  processes.some(
    ({ state }, leader) =>
      state.kind === "zombie" ||
      (state.kind === "reaped" && processes.some((one) => one.state.kind === "live" && one.group === leader)),
  );

/** It reads a register, or `pcc`. */
const readsRegister = ({ operation }: Now): boolean =>
  "cs1" in operation || "cs2" in operation || operation.op === "cgetpcc";

export const calls: Section = {
  title: "Call, identity, return",
  rows: [
    {
      id: "F01",
      requirement: "A fork that succeeds returns twice: 0 in the child, the child's pid in the parent.",
      tier: "core",
      rules: ["FORK-1 fork"],
      operations: ["fork", "getpid"],
      counts: "a child asks for its pid",
      exercised: when((now, past) => now.did("getpid") && past.birthOf(now.process) !== undefined),
    },
    {
      id: "F02",
      requirement: "The child's parent is the caller.",
      tier: "core",
      rules: ["FORK-1 fork", "EXIT-1 orphans"],
      operations: ["fork", "getppid"],
      counts: "a child asks for its parent's pid, and the parent still is the one that forked it",
      exercised: when((now, past) => now.did("getppid") && past.birthOf(now.process)?.parent === now.self?.parent),
    },
    {
      id: "F03",
      requirement: "The new pid is no process's, zombies included, and no process group's that has members.",
      tier: "core",
      rules: ["FORK-1 fork"],
      operations: ["fork", "setpgid"],
      counts: "a fork while a zombie, or a group whose leader is gone, keeps a pid",
      exercised: when((now) => (now.child !== undefined || now.observation.kind === "bad-choice") && keepsPids(now)),
    },
    {
      id: "F04",
      requirement: "Both run independently of each other, and either may end first.",
      tier: "core",
      rules: ["EXEC-1 step", "FORK-1 fork"],
      operations: ["fork", "exit"],
      counts: "a child, its parent and the child again take steps",
      exercised: inOrder(
        (now, past) => keyIf(now.succeeded && past.birthOf(now.process) !== undefined, now.process),
        (now, past) => (now.succeeded ? past.childrenOf(now.process).map(String) : []),
        (now) => keyIf(now.succeeded, now.process),
      ),
    },
    {
      id: "F05",
      requirement: "A fork that fails says EAGAIN or ENOMEM, makes no process and changes nothing of the caller.",
      tier: "core",
      rules: ["FORK-1 fork", "KERN-1 checks", "INV-10 failure", "INV-13 commit"],
      operations: ["fork", "setrlimit", "wait"],
      counts: "a fork fails",
      exercised: when((now) => now.is("fork") && now.observation.kind === "error"),
    },
    {
      id: "F06",
      requirement: "A child forks like any other process: chains and trees.",
      tier: "second",
      rules: ["FORK-1 fork", "EXIT-1 wait"],
      operations: ["fork", "getppid", "wait"],
      counts: "a child forks",
      exercised: when((now, past) => now.child !== undefined && past.birthOf(now.process) !== undefined),
    },
    {
      id: "F07",
      requirement: "The child goes on from the same point, with the same registers, stack and program counter.",
      tier: "core",
      rules: ["FORK-4 registers", "FORK-5 thread", "INV-3 relocation"],
      operations: ["fork", "cgetpcc", "cjalr"],
      counts: "the first step of a child reads a register or the program counter",
      exercised: when(
        (now, past) =>
          past.birthOf(now.process)?.first === now.thread && !past.hasStepped(now.thread) && readsRegister(now),
      ),
    },
    {
      id: "F08",
      requirement: "_Fork is fork without the handlers of pthread_atfork.",
      tier: "other",
      reason: "There are no atfork handlers: they are a C library's, which calls fork as it is modelled.",
    },
    {
      id: "F09",
      requirement: "The end of a forked child makes SIGCHLD, and no other signal.",
      tier: "other",
      rules: ["EXIT-1 notify"],
      operations: ["fork", "exit", "sigpending"],
      counts: "a child ends while its parent has SIGCHLD masked or handled",
      exercised: when(({ ended, start, after }) =>
        ended.some((child) => {
          const parent = start.processes[child]?.parent ?? 0;
          const isNew = start.processes[parent]?.pending.includes(signals.CHLD) === false;
          return parent !== child && isNew && after.processes[parent]?.pending.includes(signals.CHLD) === true;
        }),
      ),
    },
  ],
};
