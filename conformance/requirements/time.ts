/** Time. */
import { inOrder, keyIf, when } from "./detector.js";
import type { Section } from "./requirement.js";

export const time: Section = {
  title: "Time",
  rows: [
    {
      id: "T01",
      requirement: "A pending alarm is not the child's, and goes on in the parent.",
      tier: "core",
      rules: ["TIME-1 alarm", "PROC-3 fresh"],
      operations: ["fork", "alarm"],
      without: "time stands still, so that an alarm never goes off",
      counts: "a child whose parent had an alarm pending sets or asks for its own",
      exercised: when((now, past) => now.did("alarm") && past.birthOf(now.process)?.forker.alarm === true),
    },
    {
      id: "T02",
      requirement: "Interval timers are not the child's.",
      tier: "other",
      reason: "Of timers there is only alarm (T01).",
    },
    {
      id: "T03",
      requirement: "Timers made by timer_create are not inherited.",
      tier: "other",
      reason: "Of timers there is only alarm (T01).",
    },
    {
      id: "T04",
      requirement: "The child's CPU times, its own and its children's, begin at 0.",
      tier: "second",
      rules: ["TIME-1 times", "PROC-3 fresh"],
      operations: ["fork", "burn", "times"],
      without: "a time is none or some",
      counts: "a child whose parent had used time, or had children that had, asks for its own",
      exercised: when((now, past) => {
        const { ran = false, childrenRan = false } = past.birthOf(now.process)?.forker ?? {};
        return now.did("times") && (ran || childrenRan);
      }),
    },
    {
      id: "T05",
      requirement: "When a child was waited for, its times are added to its parent's children's times.",
      tier: "second",
      rules: ["TIME-1 times", "EXIT-1 wait"],
      operations: ["fork", "burn", "wait", "times"],
      without: "a time is none or some",
      counts: "a process that has waited for a child that had used time asks for its children's",
      exercised: inOrder(
        (now) => {
          const { ran = false, childrenRan = false } = now.before.processes[now.reaped ?? -1] ?? {};
          return keyIf(ran || childrenRan, now.process);
        },
        (now) => keyIf(now.operation.op === "times" && now.operation.whose === "children", now.process),
      ),
    },
    {
      id: "T06",
      requirement: "The child's timer slack is the parent's.",
      tier: "other",
      reason: "Linux only: prctl is not modelled, and time stands still.",
    },
  ],
};
