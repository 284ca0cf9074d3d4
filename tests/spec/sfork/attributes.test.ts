/** PROC-1 to PROC-3, TIME-1: groups and sessions, attributes, what no child inherits, and time. */
import { expect, test } from "vitest";
import {
  alarm,
  burn,
  chdir,
  everywhere,
  exec,
  fd,
  getpgid,
  getrlimit,
  getsid,
  kill,
  open,
  pipe,
  set,
  setpgid,
  setrlimit,
  setsid,
  sigaction,
  sigmask,
  sigpending,
  times,
  umask,
} from "./calls.js";
import { after, by, error, exit, fork, getpid, idle, int, last, nothing, seen, thread, wait } from "./programs.js";

test("PROC-1 setpgid: oneself, or a child that has not executed, into its own group or one of the session", () => {
  for (const { name, machine } of everywhere()) {
    // All begin in the group and session of process 0; a child has its parent's.
    const family = after(machine, by(0, fork(7), fork(7)), by(1, fork(7)));
    expect(seen(family, 3, getpgid(), getsid(), getpgid(1), getsid(0)), name).toEqual([1n, 1n, 1n, 1n].map(int));
    // A group is told by its leader's pid. Oneself, or a child; into a group of its own, or into one that is there.
    expect(seen(family, 1, setpgid(), getpgid(), setpgid(3, 1), getpgid(3), setpgid(3), getpgid(3)), name).toEqual([
      ...[nothing, int(2n), nothing],
      ...[int(2n), nothing, int(4n)],
    ]);
    const grouped = after(family, by(0, setpgid(1), setpgid(2, 1)));
    expect(seen(grouped, 0, getpgid(1), getpgid(2), getpgid(3), getpgid()), name).toEqual([2n, 2n, 1n, 1n].map(int));
    // A new child has the group that its parent has by then.
    expect(last(grouped, by(2, fork(7)), by(4, getpgid())), name).toEqual(int(2n));
    // Nobody else: no grandchild, no parent, no sibling.
    for (const other of [3, 0]) expect(last(family, by(2, setpgid(other))), name).toMatchObject({ error: "ESRCH" });
    expect(last(family, by(0, setpgid(3))), name).toEqual(error("ESRCH"));
    expect(last(family, by(2, setpgid(1))), name).toEqual(error("ESRCH"));
    // A group that is not there, one of another session, and who leads a session.
    expect(last(family, by(1, setpgid(1, 2))), name).toEqual(error("EPERM"));
    const session = after(family, by(2, setsid));
    expect(last(session, by(1, setpgid(1, 2))), name).toEqual(error("EPERM"));
    expect(last(session, by(2, setpgid())), name).toEqual(error("EPERM"));
    expect(last(session, by(0, setpgid(2))), name).toEqual(error("EPERM"));
    expect(last(after(family, by(1, setsid, fork(7))), by(1, setpgid(4, 0))), name).toEqual(error("EPERM"));
    expect(last(machine, by(0, setpgid())), name).toEqual(error("EPERM"));
    // Who has executed another image is left alone by its parent, but not by itself.
    const executed = after(family, by(2, exec));
    expect(last(executed, by(0, setpgid(2))), name).toEqual(error("EACCES"));
    expect(last(executed, by(2, setpgid())), name).toEqual(nothing);
    expect(last(executed, by(2, fork(7), setpgid(4))), name).toEqual(nothing);
    // A zombie is in its group until it is waited for.
    const zombie = after(family, by(1, setpgid()), by(1, exit(0n)));
    expect(seen(zombie, 0, setpgid(2, 1), getpgid(1), wait(8, 1), getpgid(1), getsid(1), getpgid(2)), name).toEqual([
      nothing,
      int(2n),
      { kind: "process", process: 1, status: { exited: 0 } },
      error("ESRCH"),
      error("ESRCH"),
      int(2n),
    ]);
    // A pid that names a group is nobody else's, as long as the group has members.
    const gone = after(zombie, by(0, setpgid(2, 1), wait(8, 1)));
    expect(seen(gone, 0, fork(7, { pid: 2 })), name).toEqual([{ kind: "bad-choice" }]);
    expect(last(gone, by(0, fork(7)), by(4, getpid(8))), name).toEqual(int(5n));
    expect(last(gone, by(2, exit(0n)), by(0, fork(7, { pid: 2 }))), name).toEqual({ kind: "bad-choice" });
    expect(last(gone, by(2, exit(0n)), by(0, wait(8), fork(7)), by(4, getpid(8))), name).toEqual(int(2n));
  }
});

test("PROC-1 setsid: a session and a group of one's own, unless one's pid names a group already", () => {
  for (const { name, machine } of everywhere()) {
    const family = after(machine, by(0, fork(7)), by(1, fork(7)));
    expect(seen(family, 1, setsid, getsid(), getpgid(), getsid(0), getsid(2), getpgid(2)), name).toEqual(
      [2n, 2n, 2n, 1n, 1n, 1n].map(int),
    );
    // What is made then is in it.
    expect(last(family, by(1, setsid, fork(7)), by(3, getsid())), name).toEqual(int(2n));
    // Leaders of a group cannot; nor those whose group others are still in.
    expect(last(machine, by(0, setsid)), name).toEqual(error("EPERM"));
    expect(last(family, by(1, setpgid(), setsid)), name).toEqual(error("EPERM"));
    expect(last(family, by(1, setsid, setsid)), name).toEqual(error("EPERM"));
    expect(last(family, by(1, setpgid(), setpgid(2, 1), setpgid(1, 0), setsid)), name).toEqual(error("EPERM"));
    expect(last(family, by(1, setpgid(), setpgid(1, 0), setsid)), name).toEqual(int(2n));
    // A member that is no leader can, and one that was left behind, too.
    expect(last(family, by(1, setpgid(), setpgid(2, 1)), by(2, setsid)), name).toEqual(int(3n));
  }
});

test("PROC-2 umask: the old mask is told; permission bits only; inherited, and then each process's own", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, umask(0o27n), umask(0o7777n), umask(0n)).slice(1), name).toEqual([int(0o27n), int(0o777n)]);
    const forked = after(machine, by(0, umask(0o27n), fork(7)));
    expect(seen(forked, 1, umask(0n), umask(0n)), name).toEqual([int(0o27n), int(0n)]);
    expect(last(forked, by(1, umask(0n)), by(0, umask(0n))), name).toEqual(int(0o27n));
    expect(last(forked, by(1, exec, umask(0n))), name).toEqual(int(0o27n));
  }
});

test("PROC-2 chdir: into a directory that is there; what fails leaves it", () => {
  for (const { name, machine } of everywhere()) {
    const made = after(machine, by(0, open("/d/a", "write", "create"), chdir("/d")));
    expect(
      seen(made, 0, open("a", "read"), chdir("/"), open("a", "read"), chdir("d"), open("a", "read")),
      name,
    ).toEqual([fd(1), nothing, error("ENOENT"), nothing, fd(2)]);
    for (const [path, expected] of [
      ["a", "ENOTDIR"],
      ["/d/a", "ENOTDIR"],
      ["/d/a/b", "ENOTDIR"],
      ["d", "ENOENT"],
      ["/b", "ENOENT"],
    ] as const) {
      expect(seen(made, 0, chdir(path), open("a", "read")), name).toEqual([error(expected), fd(1)]);
    }
    // A process has one, whichever thread changes it; a new image is where the old one was.
    expect(last(made, by(0, thread), by(1, chdir("/e")), by(0, open("a", "read"))), name).toEqual(error("ENOENT"));
    expect(last(made, by(0, exec, open("a", "read"))), name).toEqual(fd(1));
  }
});

test("PROC-2 setrlimit: up to what the machine has; inherited, and then each process's own", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, getrlimit("nofile"), getrlimit("nproc")), name).toEqual([int(16n), int(8n)]);
    expect(seen(machine, 0, setrlimit("nofile", 17n), setrlimit("nproc", 9n), getrlimit("nofile")), name).toEqual([
      error("EINVAL"),
      error("EINVAL"),
      int(16n),
    ]);
    const limited = after(machine, by(0, setrlimit("nofile", 1n), setrlimit("nproc", 2n), fork(7)));
    expect(seen(limited, 1, getrlimit("nofile"), getrlimit("nproc")), name).toEqual([int(1n), int(2n)]);
    // It can be raised again, by each for itself.
    const raised = after(limited, by(1, setrlimit("nofile", 16n), setrlimit("nproc", 8n)));
    expect(seen(raised, 0, pipe, getrlimit("nproc"), fork(7)), name).toEqual([
      error("EMFILE"),
      int(2n),
      error("EAGAIN"),
    ]);
    expect(seen(raised, 1, pipe, fork(7)), name).toEqual([
      { kind: "descriptors", descriptors: [0, 1] },
      { kind: "child", child: 2 },
    ]);
    // Processes are counted for the machine, zombies included.
    expect(last(limited, by(1, exit(0n)), by(0, fork(7))), name).toEqual(error("EAGAIN"));
    expect(last(limited, by(1, exit(0n)), by(0, wait(8), fork(7))), name).toEqual({ kind: "child", child: 2 });
    // What is open above a new limit stays open.
    expect(last(machine, by(0, pipe, setrlimit("nofile", 0n), open("/a", "read", "create"))), name).toEqual(
      error("EMFILE"),
    );
    expect(last(machine, by(0, pipe, setrlimit("nofile", 0n), { op: "close", d: 1 })), name).toEqual(nothing);
    expect(last(machine, by(0, fork(7)), by(1, exec, getrlimit("nproc"))), name).toEqual(int(8n));
  }
});

test("PROC-3 fresh: no pending signal, no alarm, no time, no image executed, no stop; the parent keeps its own", () => {
  for (const { name, machine } of everywhere()) {
    // Process 1 has all of it, and of a child of its own the time; its mask and its actions are inherited.
    const one = after(
      machine,
      by(0, fork(7)),
      by(1, fork(7), burn, sigmask(10, 12), sigaction(12, "ignore"), alarm(100n), exec),
      by(2, burn, exit(0n)),
      by(1, wait(8)),
      by(0, kill(1, 10)),
    );
    const forked = after(one, by(1, fork(7)));
    const states = [sigpending, times("self"), times("children"), alarm(0n)];
    expect(seen(forked, 1, ...states), name).toEqual([set(10), int(1n), int(1n), int(1n)]);
    expect(seen(forked, 2, ...states), name).toEqual([set(), int(0n), int(0n), int(0n)]);
    expect(seen(forked, 2, sigmask(), { op: "getaction", signal: { immediate: 12n } }), name).toEqual([
      set(10, 12),
      set("ignore"),
    ]);
    // The child may be put in a group by its parent, though that has executed another image.
    expect(last(forked, by(1, setpgid(3))), name).toEqual(nothing);
    // One thread forks while another's KILL is not there yet: nobody is born stopped.
    expect(last(forked, by(0, kill(1, 19)), by(2, idle)), name).toEqual(nothing);
    expect(forked.processes[3], name).toMatchObject({ stopped: false });
  }
});

test("TIME-1 alarm: whether one was pending; none at 0; a child has none, another image has it still", () => {
  for (const { name, machine } of everywhere()) {
    expect(seen(machine, 0, alarm(0n), alarm(7n), alarm(1n), alarm(0n), alarm(0n)), name).toEqual(
      [0n, 0n, 1n, 1n, 0n].map(int),
    );
    const forked = after(machine, by(0, alarm(100n), fork(7)));
    expect(seen(forked, 1, alarm(0n)), name).toEqual([int(0n)]);
    expect(last(forked, by(1, alarm(0n)), by(0, alarm(0n))), name).toEqual(int(1n));
    expect(last(forked, by(0, exec, alarm(0n))), name).toEqual(int(1n));
  }
});

test("TIME-1 times: one's own, and that of children that were waited for, with theirs", () => {
  for (const { name, machine } of everywhere()) {
    const of = (now: typeof machine, actor: number) => seen(now, actor, times("self"), times("children"));
    expect(of(machine, 0), name).toEqual([int(0n), int(0n)]);
    const forked = after(machine, by(0, burn, fork(7)), by(1, fork(7)));
    expect(of(forked, 0), name).toEqual([int(1n), int(0n)]);
    expect(of(forked, 1), name).toEqual([int(0n), int(0n)]);
    // A child's time comes with the wait, and with it its children's.
    const grandchild = after(forked, by(2, burn, exit(0n)));
    expect(of(grandchild, 1), name).toEqual([int(0n), int(0n)]);
    const waited = after(grandchild, by(1, wait(8)));
    expect(of(waited, 1), name).toEqual([int(0n), int(1n)]);
    const ended = after(waited, by(1, exit(0n)));
    expect(of(ended, 0), name).toEqual([int(1n), int(0n)]);
    expect(of(after(ended, by(0, wait(8))), 0), name).toEqual([int(1n), int(1n)]);
    // Who was not waited for leaves none, and who has spent none adds none.
    expect(of(after(grandchild, by(1, exit(0n)), by(0, wait(8, 1))), 0), name).toEqual([int(1n), int(0n)]);
    expect(of(after(forked, by(2, exit(0n)), by(1, wait(8))), 1), name).toEqual([int(0n), int(0n)]);
    expect(of(after(forked, by(0, exec)), 0), name).toEqual([int(1n), int(0n)]);
  }
});
