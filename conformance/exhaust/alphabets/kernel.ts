import { processOperations, type Alphabet } from "../alphabet.js";

export const processes: Alphabet = {
  name: "processes",
  what: "forks, ends and waits, threads, new images, identities and limits, with a pointer in a page",
  operations: () => [
    ...processOperations,
    ...[
      "fork c7 slot=1",
      "fork c7 slot=2",
      "exit 7",
      "wait c7, 1",
      "wait c7, 2",
      "exec",
      "thread",
      "thread_exit",
      "yield",
      "burn",
      "times self",
      "times children",
    ],
    ...[
      "getpid c7",
      "getppid c7",
      "setpgid -, 1",
      "setpgid 1, 1",
      "getpgid",
      "getpgid 1",
      "setsid",
      "getsid",
      "getsid 1",
    ],
    ...["umask 0", "chdir /d", "setrlimit nproc, 1", "setrlimit nproc, 2", "getrlimit nproc", "setrlimit nofile, 1"],
    ...["storecap c1, 0(c1)", "loadcap c8, 0(c1)", "load.w c8, 0(c1)", "store.w 1, 0(c1)", "store.b 1, 0(c2)"],
    ...["shm c8, 0", "storecap c1, 0(c6)", "store.w 1, 0(c6)"],
  ],
};

export const files: Alphabet = {
  name: "files",
  what: "pipes, files and descriptors that processes share, locks, and what reads and writes do to memory",
  // Room for a granule.
  config: { pipe: 32 },
  operations: ({ granule }) => [
    ...processOperations,
    ...[
      "exec",
      "pipe",
      "open a, read write create",
      "open a, read",
      "open a, write append",
      "open a, write create truncate cloexec",
    ],
    ...[
      "close 0",
      "close 1",
      "dup 0",
      "dup2 0, 1",
      "read 0, c1, 2",
      `read 0, c1, ${granule}`,
      "write 0, c1, 2",
      "write 1, c1, 2",
    ],
    ...[`write 0, c1, ${granule}`, `write 1, c1, ${granule}`, "write 0, c2, 257"],
    ...["lseek 0, 0, set", "lseek 0, 0, cur", "lseek 1, 1, end", "fcntl_cloexec 0, 1", "fcntl_append 0, 1"],
    ...[
      "fcntl_nonblock 0, 1",
      "fcntl_getfd 0",
      "fcntl_getfl 0",
      "lock 0, 0, 2",
      "lock 1, 1, 2",
      "unlock 0, 0, 1",
      "getlk 0, 0, 0",
    ],
    ...["setrlimit nofile, 1", "umask 0", "chdir /d", "storecap c1, 0(c1)", "loadcap c8, 0(c1)", "store.b 1, 0(c1)"],
  ],
};

export const calls: Alphabet = {
  name: "calls",
  what: "calls in two halves, vectors and devices: what the kernel holds while others run",
  operations: ({ granule, page }) => [
    ...processOperations,
    ...["exec", "thread", "pipe", "open a, read write create", "close 0", "lseek 0, 0, set"],
    ...["write 0, c1, 4", "write 1, c1, 4", "read 0, c1, 4", "call_enter read 0, c1, 4", "call_enter write 0, c1, 4"],
    ...["call_enter write 1, c1, 4", "call_enter read 0, c1, c8", "call_enter open b, write create", "call_finish"],
    ...["readv 0, c1, 0, c1, 1", "readv 0, c2, 1, c1, 2", "writev 0, c1, 1, c2, 1", "writev 1, c1, 1, c2, 1"],
    ...[
      `virtq_submit c1, ${granule}, w`,
      "virtq_submit c1, 2, r",
      "virtq_submit c1, 1, w",
      `virtq_submit c2, ${page + 1}, r`,
    ],
    ...[
      "virtq_complete",
      "storecap c1, 0(c1)",
      "loadcap c9, 0(c1)",
      "load.w c9, 0(c1)",
      "store.w 1, 0(c1)",
      "li c8, 2",
    ],
    ...["munmap c1, 1", "mprotect c1, 1, r", "csetbounds c1, c1, 2"],
  ],
};

export const signals: Alphabet = {
  name: "signals",
  what: "handlers and their capabilities, masks, pending signals, groups, alarms, stopping and ending",
  operations: ({ page }) => [
    ...processOperations,
    ...[
      "exec",
      "thread",
      "yield",
      "sigaction 10, handler c3, c1",
      "sigaction 10, handler c3, c2",
      "sigaction 10, ignore",
    ],
    ...["sigaction 10, default", "sigaction 17, ignore", "getaction 10", "sigmask 10 15", "sigmask none", "sigpending"],
    ...[
      "kill P0, 10",
      "kill P1, 10",
      "kill P1, 9",
      "kill P1, 19",
      "kill P1, 18",
      "kill 0, 10",
      "kill P0, 13",
      "kill -P1, 15",
    ],
    ...[
      "setpgid -, 1",
      "setpgid 1, 1",
      "alarm 1",
      "alarm 0",
      "burn",
      "sigaltstack c1",
      "sigaltstack c2",
      "getaltstack c8",
    ],
    ...["getppid c7", "pipe", "close 0", "write 1, c1, 1", "read 0, c1, 1", `munmap c1, ${page}`, "storecap c1, 0(c1)"],
    ...["loadcap c8, 0(c1)", "load.w c8, 0(c1)"],
  ],
};

export const channels: Alphabet = {
  name: "channels",
  what: "capabilities that are sent from one process to another, shared segments, and what is left when their memory ends",
  operations: ({ granule, page }) => [
    ...processOperations,
    ...[
      "exec",
      "channel",
      "sendcap 0, c1",
      "sendcap 0, c2",
      "sendcap 0, c3",
      "sendcap 0, c4",
      "sendcap 0, c5",
      "sendcap 0, c8",
    ],
    ...["sendcap 1, c1", "recvcap c8, 0", "recvcap c9, 0", "recvcap c8, 1"],
    ...[
      `csetbounds c8, c1, ${granule}`,
      "csetbounds c8, c1, 0",
      "candperm c8, c1, load load-cap global",
      "cseal c8, c1, c4",
    ],
    ...["storecap c1, 0(c1)", "storecap c8, 0(c1)", "storecap c8, 0(c8)", "loadcap c9, 0(c8)", "loadcap c9, 0(c1)"],
    ...["load.w c9, 0(c8)", "store.w 1, 0(c8)", `munmap c1, ${page}`, "munmap c2, 1", `mprotect c1, ${page}, none`],
    ...["shm c9, 0", "storecap c1, 0(c6)", "store.w 1, 0(c6)", "load.w c9, 0(c6)"],
  ],
};
