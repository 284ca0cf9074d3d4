/** What a process is, beside its memory. */
import { when } from "./detector.js";
import type { Now } from "./now.js";
import type { Section } from "./requirement.js";

/** A path from the working directory. */
const isRelative = ({ operation }: Now): boolean => "path" in operation && !operation.path.startsWith("/");

export const attributes: Section = {
  title: "Process attributes",
  rows: [
    {
      id: "A01",
      requirement: "Process group and session are inherited, until the child leaves them.",
      tier: "second",
      rules: ["PROC-1 setsid", "PROC-1 setpgid"],
      operations: ["fork", "getpgid", "getsid", "setsid"],
      without: "there are no terminals",
      counts: "a child asks for its group or session",
      exercised: when((now, past) => {
        const { operation } = now;
        const asks = operation.op === "getpgid" || operation.op === "getsid" ? operation : undefined;
        const itself = asks?.whom === undefined || asks.whom % now.before.processes.length === now.process;
        return asks !== undefined && itself && past.birthOf(now.process) !== undefined;
      }),
    },
    {
      id: "A02",
      requirement: "A parent may move its child to another process group until the child's exec; then that is EACCES.",
      tier: "second",
      rules: ["PROC-1 setpgid"],
      operations: ["fork", "setpgid", "exec"],
      counts: "a parent moves its child, or is refused with EACCES",
      exercised: when((now) => {
        const { operation, before, process } = now;
        if (operation.op !== "setpgid" || operation.whom === undefined) return false;
        const target = operation.whom % before.processes.length;
        const isChild = target !== process && before.processes[target]?.parent === process;
        return isChild && (now.succeeded || now.failedWith("EACCES"));
      }),
    },
    {
      id: "A03",
      requirement: "The leader of a process group cannot begin a session; a new child can.",
      tier: "second",
      rules: ["PROC-1 setsid"],
      operations: ["fork", "setsid"],
      counts: "a child begins a session",
      exercised: when((now, past) => now.did("setsid") && past.birthOf(now.process) !== undefined),
    },
    {
      id: "A04",
      requirement: "Working directory, root directory and umask are inherited, and separate from then on.",
      tier: "core",
      rules: ["PROC-2 umask", "PROC-2 chdir", "FILE-2 path"],
      operations: ["fork", "umask", "chdir", "open"],
      without: "the root directory is the same for all; files have no modes that the umask would change",
      counts: "a child asks for an umask, or uses a working directory, that its parent had changed",
      exercised: when((now, past) => {
        const { umask, directory } = past.birthOf(now.process)?.child ?? {};
        const { origin } = past;
        const changed = now.is("umask") ? umask !== origin?.umask : isRelative(now) && directory !== origin?.directory;
        return now.succeeded && directory !== undefined && changed;
      }),
    },
    {
      id: "A05",
      requirement: "User and group ids are inherited.",
      tier: "other",
      reason: "There are no users.",
    },
    {
      id: "A06",
      requirement: "Resource limits are inherited, and separate from then on.",
      tier: "second",
      rules: ["PROC-2 setrlimit"],
      operations: ["fork", "setrlimit", "getrlimit"],
      without: "limits are those of descriptors and of processes",
      counts: "a child asks for a limit that its parent had changed",
      exercised: when((now, past) => {
        const { limits } = past.birthOf(now.process)?.child ?? {};
        const { operation } = now;
        if (operation.op !== "getrlimit" || limits === undefined) return false;
        return limits[operation.resource] !== past.origin?.limits[operation.resource];
      }),
    },
    {
      id: "A07",
      requirement: "Nice value and scheduling policy are inherited.",
      tier: "other",
      reason: "Steps are taken in the order of the program: nothing is scheduled.",
    },
    {
      id: "A08",
      requirement: "Affinity, no_new_privs, seccomp, dumpable, name and personality are inherited.",
      tier: "other",
      reason: "Linux only: prctl is not modelled.",
    },
    {
      id: "A09",
      requirement: "The environment is copied, and separate from then on.",
      tier: "other",
      reason: "The environment is memory, without calls of its own (M01 to M03).",
    },
  ],
};
