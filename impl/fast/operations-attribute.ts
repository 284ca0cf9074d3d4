/** Groups and sessions, directory, mask of modes, limits, time (PROC-1, PROC-2, TIME-1). */
import type { HandlerOf, Handlers } from "./handler.js";
import { maxDescriptors, type Machine, type Process } from "./machine.js";
import { absolute, fileAt, isDirectory, throughFile } from "./operations-file.js";
import { failed, fails, integer, NONE } from "./outcome.js";
import { N, readInteger } from "./program.js";
import { numberOf } from "./words.js";

/** A process that is there, zombies included: the one that is named, or the caller. */
const named = ({ processes, process }: Machine, asked: number | undefined): Process | undefined => {
  const found = asked === undefined ? process : processes[asked % processes.length];
  return found?.state === "reaped" ? undefined : found;
};

/** The pid of the leader of a process's group, or session. */
const leaderOf =
  (kind: "group" | "session"): HandlerOf<"getpgid"> =>
  (machine, _code, _at, { whom: process }) => {
    const found = named(machine, process);
    if (found === undefined) failed(machine, "ESRCH");
    else integer(machine, machine.processes[found[kind]]?.pid ?? 0);
  };

const some = ({ processes }: Machine, holds: (one: Process) => boolean): boolean =>
  processes.some((one) => one.state !== "reaped" && holds(one));

const setpgid: HandlerOf<"setpgid"> = (machine, _code, _at, { whom: asked, group: wanted }) => {
  const { process: own, processes } = machine;
  const target = named(machine, asked);
  const group = wanted === undefined ? target?.ordinal : wanted % processes.length;
  const isChild = target !== undefined && target.ordinal !== 0 && target.parent === own.ordinal;
  const joins = target !== undefined && target.ordinal !== group;
  const isWrong = fails(
    machine,
    [target === undefined || (target !== own && !isChild), "ESRCH"],
    [isChild && target.session !== own.session, "EPERM"],
    [isChild && target.executed, "EACCES"],
    [target !== undefined && target.session === target.ordinal, "EPERM"],
    [joins && !some(machine, (one) => one.group === group && one.session === own.session), "EPERM"],
  );
  if (isWrong || target === undefined || group === undefined) return;
  target.group = group;
  machine.kind = NONE;
};

export const attributeHandlers = {
  setpgid,
  getpgid: leaderOf("group"),
  getsid: leaderOf("session"),
  setsid: (machine) => {
    const { process } = machine;
    if (some(machine, ({ group }) => group === process.ordinal)) {
      failed(machine, "EPERM");
      return;
    }
    process.group = process.ordinal;
    process.session = process.ordinal;
    integer(machine, process.pid);
  },
  umask: (machine, code, at) => {
    const { process } = machine;
    readInteger(machine, code, at + N);
    integer(machine, process.umask);
    process.umask = machine.lo & 0o777;
  },
  chdir: (machine, _code, _at, operation) => {
    const { process } = machine;
    const path = absolute(process, operation.path);
    const isFile = fileAt(machine, path) !== undefined || throughFile(machine, path);
    if (fails(machine, [isFile, "ENOTDIR"], [!isFile && !isDirectory(path), "ENOENT"])) return;
    process.directory = path;
    machine.kind = NONE;
  },
  getrlimit: (machine, _code, _at, { resource }) => {
    integer(machine, machine.process[resource]);
  },
  setrlimit: (machine, code, at, { resource }) => {
    readInteger(machine, code, at + N);
    const limit = numberOf(machine.lo, machine.hi);
    const hard = { nofile: maxDescriptors, nproc: machine.config.processes }[resource];
    if (limit > hard) {
      failed(machine, "EINVAL");
      return;
    }
    machine.process[resource] = limit;
    machine.kind = NONE;
  },
  alarm: (machine, code, at) => {
    const { process } = machine;
    readInteger(machine, code, at + N);
    integer(machine, +process.alarm);
    process.alarm = (machine.lo | machine.hi) !== 0;
  },
  burn: (machine) => {
    machine.process.ran = true;
    machine.kind = NONE;
  },
  times: (machine, _code, _at, { whose }) => {
    const { process } = machine;
    integer(machine, +(whose === "self" ? process.ran : process.childrenRan));
  },
} satisfies Partial<Handlers>;
