/** What a process is, beside its memory: groups and sessions, directory, mask of modes, limits, time (PROC-1, PROC-2, TIME-1). */
import { call, done, doneWith, failed, integer, processOf, withProcess, type Context } from "./context.js";
import { maxDescriptors } from "./kernel.js";
import type { Process } from "./machine.js";
import type { RuleLike, Rules } from "./rules.js";
import { absolute, isDirectory, throughFile } from "./rules-file.js";

const pidOf = ({ machine }: Context, ordinal: number): number => machine.processes[ordinal]?.pid ?? 0;

/** A process that is there, zombies included: the one that is named, or the caller. */
const named = ({ machine, process }: Context, asked: number | undefined) => {
  const ordinal = asked === undefined ? process : asked % machine.processes.length;
  const found = machine.processes[ordinal];
  return found === undefined || found.state.kind === "reaped" ? undefined : { ordinal, ...found };
};

/** The pid of the process that leads a process's group, or session. */
const leaderOf =
  (kind: "group" | "session"): RuleLike<"getpgid"> =>
  (context, { whom: process }) => {
    const found = named(context, process);
    return found === undefined ? failed(context, "ESRCH") : doneWith(context.machine, pidOf(context, found[kind]));
  };

/** Is there a process for which this holds? Zombies count. */
const some = ({ machine }: Context, holds: (one: Process) => boolean): boolean =>
  machine.processes.some((one) => one.state.kind !== "reaped" && holds(one));

/**
 * Into a group of one's own, or one of the session: oneself, or a child that has not executed another image.
 * @rule PROC-1 setpgid @source POSIX setpgid
 */
const setpgid: Rules["setpgid"] = (context, { whom: asked, group: wanted }) => {
  const { machine, process: caller } = context;
  const target = named(context, asked);
  const group = wanted === undefined ? target?.ordinal : wanted % machine.processes.length;
  const own = processOf(context);
  const isChild = target !== undefined && target.ordinal !== 0 && target.parent === caller;
  const isOther = target?.ordinal !== group;
  const checks = [
    [target === undefined || (target.ordinal !== caller && !isChild), "ESRCH"],
    [isChild && target.session !== own?.session, "EPERM"],
    [isChild && target.executed, "EACCES"],
    [target !== undefined && target.session === target.ordinal, "EPERM"],
    [
      target !== undefined && isOther && !some(context, (one) => one.group === group && one.session === own?.session),
      "EPERM",
    ],
  ] as const;
  return call(context, checks, () => done(withProcess(machine, target?.ordinal ?? caller, { group: group ?? caller })));
};

export const attributeRules = {
  setpgid,
  getpgid: leaderOf("group"),
  getsid: leaderOf("session"),
  /** @rule PROC-1 setsid @source POSIX setsid */
  setsid: (context) => {
    const { machine, process } = context;
    if (some(context, ({ group }) => group === process)) return failed(context, "EPERM");
    return doneWith(withProcess(machine, process, { group: process, session: process }), pidOf(context, process));
  },
  /** @rule PROC-2 umask @source POSIX umask */
  umask: (context, { n }) => {
    const umask = Number(integer(context, n) & 0o777n);
    const old = processOf(context)?.umask ?? 0;
    return doneWith(withProcess(context.machine, context.process, { umask }), old);
  },
  /** @rule PROC-2 chdir @source POSIX chdir */
  chdir: (context, { path }) => {
    const { machine, process } = context;
    const directory = absolute(context, path);
    const isFile = machine.files.some((file) => file.path === directory) || throughFile(machine, directory);
    const checks = [[isFile, "ENOTDIR"] as const, [!isFile && !isDirectory(directory), "ENOENT"] as const];
    return call(context, checks, () => done(withProcess(machine, process, { directory })));
  },
  getrlimit: (context, { resource }) => doneWith(context.machine, processOf(context)?.limits[resource] ?? 0),
  /** @rule PROC-2 setrlimit @source POSIX setrlimit (the soft limit, up to a hard one that stays) */
  setrlimit: (context, { resource, n }) => {
    const { machine, process } = context;
    const limit = integer(context, n);
    const hard = { nofile: maxDescriptors, nproc: machine.config.processes }[resource];
    const old = processOf(context)?.limits;
    if (old === undefined || limit > BigInt(hard)) return failed(context, "EINVAL");
    return done(withProcess(machine, process, { limits: { ...old, [resource]: Number(limit) } }));
  },
  /**
   * Time stands still: an alarm is pending or not, CPU time is none or some.
   * @rule TIME-1 alarm @source POSIX alarm
   */
  alarm: (context, { n }) => {
    const alarm = integer(context, n) !== 0n;
    const old = processOf(context)?.alarm ?? false;
    return doneWith(withProcess(context.machine, context.process, { alarm }), old);
  },
  burn: (context) => done(withProcess(context.machine, context.process, { ran: true })),
  /** @rule TIME-1 times @source POSIX times */
  times: (context, { whose }) => {
    const { ran = false, childrenRan = false } = processOf(context) ?? {};
    return doneWith(context.machine, whose === "self" ? ran : childrenRan);
  },
} satisfies Partial<Rules>;
