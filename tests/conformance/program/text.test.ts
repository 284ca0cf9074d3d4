/** The text form of programs: the words of programs.md, and one clear line for each mistake. */
import { describe, expect, test } from "vitest";
import { parseProgram } from "../../../conformance/program/file.js";
import { printTextProgram } from "../../../conformance/program/print.js";
import type { Operation } from "../../../spec/sfork/operation.js";
import { lines, read, refusal, rightOf } from "./files.js";

const example = `sfork 1
config format=cheri128-v9 strategy=copa
0: csetbounds c8, c1, 0x40
0: storecap c8, 0x20(c1)
0: fork c7
1: loadcap c9, 0x20(c1)
expect cap tag=1 base=P1+0x0 top=P1+0x40 address=P1+0x0
`;

describe("reading", () => {
  test("the example of programs.md", () => {
    expect(read(example)).toEqual({
      version: 1,
      config: { format: "cheri128-v9", strategy: "copa" },
      steps: [
        { actor: 0, operation: { op: "csetbounds", cd: 8, cs1: 1, n: { immediate: 0x40n } } },
        { actor: 0, operation: { op: "storecap", cs2: 8, n: { immediate: 0x20n }, cs1: 1 } },
        { actor: 0, operation: { op: "fork", cd: 7 } },
        {
          actor: 1,
          operation: { op: "loadcap", cd: 9, n: { immediate: 0x20n }, cs1: 1 },
          expect: { cap: { tag: true, base: "P1+0x0", top: "P1+0x40", address: "P1+0x0" } },
        },
      ],
    });
  });

  const operations: readonly (readonly [line: string, operation: Operation])[] = [
    ["li c8, 64", { op: "li", cd: 8, n: { immediate: 64n } }],
    ["li c8, -8", { op: "li", cd: 8, n: { immediate: -8n } }],
    ["li c8, -0x8", { op: "li", cd: 8, n: { immediate: -8n } }],
    ["li c8, c5", { op: "li", cd: 8, n: { register: 5 } }],
    ["cmove csp, c2", { op: "cmove", cd: 2, cs1: 2 }],
    ["li c8, csp", { op: "li", cd: 8, n: { register: 2 } }],
    ["load.bu c9, c5 ( csp )", { op: "load.bu", cd: 9, n: { register: 5 }, cs1: 2 }],
    ["store.w 0x2a, -4(c1)", { op: "store.w", value: { immediate: 42n }, n: { immediate: -4n }, cs1: 1 }],
    ["memset c1, 0xff, 16", { op: "memset", cs1: 1, value: { immediate: 255n }, n: { immediate: 16n } }],
    ["candperm c8, c1, load store-cap", { op: "candperm", cd: 8, cs1: 1, words: ["load", "store-cap"] }],
    ["candperm c8, c1, none", { op: "candperm", cd: 8, cs1: 1, words: [] }],
    [
      "mmap c8, 256, rw",
      { op: "mmap", cd: 8, n: { immediate: 256n }, protection: { read: true, write: true, execute: false } },
    ],
    [
      "mprotect c8, 256, r x",
      { op: "mprotect", cs1: 8, n: { immediate: 256n }, protection: { read: true, write: false, execute: true } },
    ],
    [
      "mprotect c8, 256, none",
      { op: "mprotect", cs1: 8, n: { immediate: 256n }, protection: { read: false, write: false, execute: false } },
    ],
    ["fork c7 slot=2 pid=7", { op: "fork", cd: 7, slot: 2, pid: 7 }],
    ["wait c3", { op: "wait", cd: 3, whom: undefined }],
    ["wait c3, 2 reap=3", { op: "wait", cd: 3, whom: 2, reap: 3 }],
    ["wait c3 reap=3", { op: "wait", cd: 3, whom: undefined, reap: 3 }],
    ["sendcap 0, c8", { op: "sendcap", channel: 0, cs1: 8 }],
    ["yield", { op: "yield" }],
    ["madvise c1, 256, wipeonfork", { op: "madvise", cs1: 1, n: { immediate: 256n }, advice: "wipeonfork" }],
    ["lseek 3, -1, end", { op: "lseek", d: 3, n: { immediate: -1n }, whence: "end" }],
    ["times children", { op: "times", whose: "children" }],
    ["setrlimit nofile, c5", { op: "setrlimit", resource: "nofile", n: { register: 5 } }],
    ["virtq_submit c1, 16, w", { op: "virtq_submit", cs1: 1, n: { immediate: 16n }, direction: "w" }],
    ["open /d/a, read  create", { op: "open", path: "/d/a", flags: ["read", "create"] }],
    ["open a, none", { op: "open", path: "a", flags: [] }],
    ["chdir /", { op: "chdir", path: "/" }],
    ["dup2 3, 20", { op: "dup2", d: 3, d2: 20 }],
    ["readv 3, c1, 4, c2, c5", { op: "readv", d: 3, cs1: 1, n: { immediate: 4n }, cs2: 2, n2: { register: 5 } }],
    ["sigaction 10, default", { op: "sigaction", signal: { immediate: 10n }, action: "default" }],
    ["sigaction c5, ignore", { op: "sigaction", signal: { register: 5 }, action: "ignore" }],
    ["sigaction 10, handler c3,  csp", { op: "sigaction", signal: { immediate: 10n }, action: { code: 3, data: 2 } }],
    ["sigmask 10 12 99", { op: "sigmask", signals: [10, 12, 99] }],
    ["sigmask none", { op: "sigmask", signals: [] }],
    ["kill P1, 9", { op: "kill", target: { process: 1 }, signal: { immediate: 9n } }],
    ["kill 1, 9", { op: "kill", target: { process: 1 }, signal: { immediate: 9n } }],
    ["kill P0, 9", { op: "kill", target: { process: 0 }, signal: { immediate: 9n } }],
    ["kill -P0, 9", { op: "kill", target: { group: 0 }, signal: { immediate: 9n } }],
    ["kill -2, 9", { op: "kill", target: { group: 2 }, signal: { immediate: 9n } }],
    ["kill 0, 9", { op: "kill", target: "own-group", signal: { immediate: 9n } }],
    ["setpgid", { op: "setpgid", whom: undefined, group: undefined }],
    ["setpgid 1", { op: "setpgid", whom: 1, group: undefined }],
    ["setpgid -, 2", { op: "setpgid", whom: undefined, group: 2 }],
    ["getsid -", { op: "getsid", whom: undefined }],
    ["call_enter read 3, c1, 16", { op: "call_enter", call: { op: "read", d: 3, cs1: 1, n: { immediate: 16n } } }],
    [
      "call_enter  open  a , write append",
      { op: "call_enter", call: { op: "open", path: "a", flags: ["write", "append"] } },
    ],
  ];
  test.each(operations)("%s", (line, operation) => {
    expect(read(lines(`0: ${line}`)).steps[0]?.operation).toStrictEqual(operation);
  });

  test("comments, spaces, empty lines and the line ends of other systems", () => {
    const text =
      "\uFEFF# a program\r\n  sfork   1 # version\r\n\r\nconfig  page=0x200\r\n  3 :  li   c8 ,0x40# five\r\n\texpect none\r\n";
    expect(read(text)).toEqual({
      version: 1,
      config: { page: 512 },
      steps: [{ actor: 3, operation: { op: "li", cd: 8, n: { immediate: 64n } }, expect: { none: true } }],
    });
  });

  test("a program without steps", () => {
    expect(read("sfork 1")).toEqual({ version: 1, config: {}, steps: [] });
  });

  test("each key of a configuration", () => {
    const config =
      "config format=rvy64 strategy=posix page=512 pages=16 stride=0x4000 guard=512 slots=4 processes=3 frames=99 " +
      "commit=overcommit reuse=never base=32768 shared=2 pipe=32 channel=1";
    expect(read(lines(config)).config).toEqual({
      format: "rvy64",
      strategy: "posix",
      page: 512,
      pages: 16,
      stride: 0x4000n,
      guard: 512,
      slots: 4,
      processes: 3,
      frames: 99,
      commit: "overcommit",
      reuse: "never",
      base: 0x8000n,
      shared: 2,
      pipe: 32,
      channel: 1,
    });
  });

  test("the lines of steps and of the configuration", () => {
    const source = rightOf(parseProgram("# p\nsfork 1\nconfig page=256\n\n0: yield\n0: yield\n", "p"));
    expect([source.lineOf("config"), source.lineOf(0), source.lineOf(1)]).toEqual([3, 5, 6]);
  });
});

describe("a mistake is told with file, line, column and remedy", () => {
  const registers = "is not a register; registers are c0 to c15";
  const causes = "trap causes are tag, seal, type";
  test.each([
    ["", "1:1: the file is empty; a program begins with sfork 1"],
    ["0: yield\n", "1:1: a program begins with the line sfork 1"],
    ["sfork 2\n", "1:7: version 2 is not known here; the version is 1"],
    ["sfork 1 x\n", "1:9: x is one word too many"],
    [lines("0: cmove c16, c1"), `2:10: cd: c16 ${registers}`],
    [lines("0: cmove c1, x1"), `2:14: cs1: x1 ${registers}`],
    [lines("0: cmove c1, 1"), `2:14: cs1: 1 ${registers}`],
    [lines("0: loadcap c1, 0x20(c99)"), `2:21: cs1: c99 ${registers}`],
    [lines("0: loadcap c1, 0x20( c99 )"), `2:22: cs1: c99 ${registers}`],
    [lines("0: loadcap c1, c1"), "2:16: c1 is not a place in memory; write 0x20(c1)"],
    [lines("0: loadcap c1, (c1)"), "2:16: n: nothing is not an integer; write 0x40, 64, -8 or a register"],
    [lines("0: li c1, 0x4g"), "2:11: n: 0x4g is not an integer; write 0x40, 64, -8 or a register"],
    [lines("0: li c1, c20"), `2:11: n: c20 ${registers}`],
    [lines("0: csetbound c8, c1, 1"), "2:4: csetbound is not an operation; did you mean csetbounds?"],
    [lines("0: toString c8"), "2:4: toString is not an operation; docs/operations.md lists them"],
    [lines("0:"), "2:3: nothing is not an operation; docs/operations.md lists them"],
    [lines("0: csetbounds c8, c1"), "2:4: csetbounds takes cd, cs1, n; 2 are given"],
    [lines("0: loadcap c8"), "2:4: loadcap takes cd, n(cs1); 1 is given"],
    [lines("0: wait c8, 1, 2"), "2:16: wait takes cd[, whom]; 3 are given"],
    [lines("0: yield c1"), "2:10: yield takes no operands; 1 is given"],
    [lines("0: yield slot=1"), "2:10: slot is not a choice of yield; it has no choices"],
    [lines("0: fork c7 slots=1"), "2:12: slots is not a choice of fork; it has the choices slot, pid"],
    [lines("0: fork c7 slot=x"), "2:12: slot: x is not an ordinal; write a whole number from 0 on"],
    [lines("0: fork c7 slot=1 slot=2"), "2:19: slot is given twice; keep one"],
    [lines("0: fork c7 slot=1 2"), "2:19: 2 is not of the form key=value"],
    [lines("0: wait c3, -1"), "2:13: whom: -1 is not an ordinal; write a whole number from 0 on"],
    [lines("0: close -1"), "2:10: d: -1 is not a descriptor; write a whole number from 0 on"],
    [lines("0: open A, read"), "2:9: path: A is not a path; write names of lower-case letters: a, /d/a, or / alone"],
    [lines("0: open a/, read"), "2:9: path: a/ is not a path"],
    [lines("0: open a//b, read"), "2:9: path: a//b is not a path"],
    [lines("0: open a, reed"), "2:12: flags: reed is not a flag; did you mean read?"],
    [lines("0: open a, rw"), "2:12: flags: rw is not a flag; flags are read, write, append, create, exclusive,"],
    [lines("0: madvise c1, 1, wipefork"), '2:19: advice: "wipefork" is not a known advice; did you mean wipeonfork?'],
    [lines("0: madvise c1, 1, no"), '2:19: advice: "no" is not a known advice; kinds of advice are dontfork, dofork,'],
    [lines("0: times me"), '2:10: whose: "me" is not a known whose; the words are self, children'],
    [lines("0: sigaction 10, defalt"), "2:18: action: defalt is not an action; did you mean default?"],
    [
      lines("0: sigaction 10, handler c3"),
      "2:18: action: handler c3 is not an action; write default, ignore or handler c3, c1",
    ],
    [lines("0: sigaction 10, handler c3, c1, c2"), "2:30: sigaction takes signal, action; 4 are given"],
    [lines("0: sigaction 10, handler c3, c16"), `2:18: action: c16 ${registers}`],
    [lines("0: sigmask 10 USR1"), "2:12: signals: USR1 is not a signal; write a whole number, or none"],
    [lines("0: sigmask"), "2:4: sigmask takes signals…; 0 are given"],
    [lines("0: kill -P, 9"), '2:9: target: "-P" is not a target; write P1, for its group -P1, for the own group 0'],
    [lines("0: kill P1, -"), "2:13: signal: - is not an integer; write 0x40, 64, -8 or a register"],
    [lines("0: wait c3, P1"), "2:13: whom: P1 is not an ordinal; write a whole number from 0 on"],
    [
      lines("0: call_enter"),
      "2:4: nothing is not a call that can be split; these are read, readv, write, writev, open",
    ],
    [lines("0: call_enter reed 3, c1, 4"), "2:15: reed is not a call that can be split; did you mean read?"],
    [lines("0: call_enter fork c1"), "2:15: fork is not a call that can be split; these are read, readv,"],
    [lines("0: call_enter read 3, c1"), "2:15: read takes d, cs1, n; 2 are given"],
    [lines("0: call_enter  read 3, c16, 1"), `2:24: cs1: c16 ${registers}`],
    [lines("0: call_enter read 3, c1, 16 slot=1"), "2:30: slot is not a choice of read; it has no choices"],
    [lines("0: candperm c8, c1, load stor"), "2:21: words: stor is not a permission; did you mean store?"],
    [
      lines("0: mmap c8, 64, xr"),
      "2:17: protection: xr is not a protection; write letters of rwx in this order, or none",
    ],
    [lines("x: yield"), "2:1: x is not a thread; write its number, 0 for the first"],
    [lines("-1: yield"), "2:1: -1 is not a thread; write its number, 0 for the first"],
    [lines("  yield"), "2:3: yield begins no line; lines are 0: li c8, 0x40, config, expect or a # comment"],
    [lines("config page"), "2:8: page is not of the form key=value"],
    [lines("config page=256 page=512"), "2:17: page is given twice; keep one"],
    [lines("config page=large"), '2:8: page: "large" is not a page size; write a whole number from 1 to 65536'],
    [lines("config pags=8"), "2:8: pags: unknown key; did you mean page?"],
    [lines("config strategy=cow"), '2:8: strategy: "cow" is not a known strategy; did you mean coa?'],
    [lines("config stride=-1"), '2:8: stride: "-1" is not an address; write 0x4000'],
    [lines("config page=256", "config pages=8"), "3:1: there is a config line already; keep one"],
    [lines("0: yield", "config pages=8"), "3:1: the config line comes before the first step; move it"],
    [lines("expect none"), "2:1: expect belongs to the step before it, and there is none"],
    [lines("0: yield", "expect none", "expect none"), "4:1: the step has an expectation already; keep one"],
    [
      lines("0: yield", "expect"),
      "3:1: nothing is not an observation; observations are cap, int, bytes, fd, fds, set, child",
    ],
    [lines("0: yield", "expect capability"), "3:8: capability is not an observation; observations are cap"],
    [lines("0: yield", "expect nome"), "3:8: nome is not an observation; did you mean none?"],
    [lines("0: yield", "expect none at all"), "3:13: at is one word too many behind none"],
    [lines("0: yield", "expect int"), "3:8: int: is missing; int has int, signals"],
    [lines("0: yield", "expect int P1+0x0"), '3:12: int: "P1+0x0" is not a number; write 0x40'],
    [lines("0: yield", "expect cap tag=2"), '3:12: cap.tag: "2" is not a tag; a tag is 1 or 0, in JSON true or false'],
    [lines("0: yield", "expect cap bas=0"), "3:12: cap.bas: unknown key; did you mean base?"],
    [lines("0: yield", "expect cap base=Q1+0x0"), '3:12: cap.base: "Q1+0x0" is not a number; write 0x40, P1+0x40'],
    [lines("0: yield", "expect trap"), "3:8: trap.cause: is missing; trap has cause, operand"],
    [
      lines("0: yield", "expect trap bound"),
      '3:13: trap.cause: "bound" is not a known trap cause; did you mean bounds?',
    ],
    [lines("0: yield", "expect trap never"), `3:13: trap.cause: "never" is not a known trap cause; ${causes}`],
    [lines("0: yield", "expect error EFOO"), '3:14: error: "EFOO" is not a known error; errors are EACCES'],
    [lines("0: yield", "expect child 1"), "3:14: 1 is not a process; write P1"],
    [
      lines("0: yield", "expect process P1 exited=1 signalled=9"),
      "3:19: status: a process ends in one way; give exited or signalled",
    ],
    [lines("0: yield", "expect process P1 signalled=32"), "3:19: status.signalled: 32 is not a signal; write a whole"],
    [
      lines("0: yield", "expect bytes 0x0a"),
      '3:14: bytes: "0x0a" is not a row of bytes; write two hexadecimal digits for each, 0a0b, or none',
    ],
    [lines("0: yield", "expect bytes 00 01"), "3:17: 01 is one word too many behind bytes"],
    [lines("0: yield", "expect fd x"), '3:11: fd: "x" is not a descriptor; write a whole number from 0 on'],
    [
      lines("0: yield", "expect fds 3"),
      "3:12: fds: [3] is not the two descriptors of a pipe; write 3 4, in JSON [3, 4]",
    ],
    [lines("0: yield", "expect set"), "3:8: set: is missing; set has set, signals"],
    [lines("0: yield", "expect set 10 apend"), '3:15: set[1]: "apend" is in no set; did you mean append?'],
    [
      lines("0: yield", "expect signals=10"),
      "3:8: signals=10 is not an observation; observations are cap, int, bytes, fd, fds, set, child",
    ],
    [
      lines("0: yield", "expect none signals=10,x"),
      '3:13: signals: [10,"x"] is not a list of signals from 1 to 31; write 10,12 or none, in JSON [10, 12] or []',
    ],
    [lines("0: yield", "expect none signals=0"), "3:13: signals: [0] is not a list of signals from 1 to 31"],
    [lines("0: yield", "expect none signals=1 signals=2"), "3:23: signals is given twice; keep one"],
    [
      lines("0: yield", "expect process P1 exited=256"),
      "3:19: status.exited: 256 is not an exit status; write a whole",
    ],
  ])("%j: %s", (text, line) => {
    const said = refusal(parseProgram(text, "p.sfork"));
    expect(said.split("\n")).toHaveLength(1);
    expect(said.slice(0, line.length + "p.sfork:".length)).toBe(`p.sfork:${line}`);
  });
});

describe("printing", () => {
  test("the canonical example is printed as it was read", () => {
    expect(printTextProgram(read(example))).toBe(example);
  });

  test("one way to write each thing", () => {
    const text = lines(
      "config page=0x200 stride=16384",
      " 1: li csp,64",
      "0: load.d c1, -8 ( csp )",
      "0: wait c3 ,2 reap=1",
      "0: candperm c1, c2,  store   load",
      "0: mprotect c1, c2, r w",
      "0: yield",
      "expect cap  address=p01-0x00 tag=1 base=64 otype=0x04 permissions=none",
      "0: kill -P01, 9",
      "expect  bytes signals=12,10 0A0b",
      "0: call_enter read 3,c1,16",
      "0: setpgid -, -",
      "expect process P1 signals=none signalled=9",
    );
    expect(printTextProgram(read(text))).toBe(
      lines(
        "config page=512 stride=0x4000",
        "1: li c2, 0x40",
        "0: load.d c1, -0x8(c2)",
        "0: wait c3, 2 reap=1",
        "0: candperm c1, c2, store load",
        "0: mprotect c1, c2, rw",
        "0: yield",
        "expect cap tag=1 base=0x40 address=P1+0x0 permissions=none otype=0x4",
        "0: kill -P1, 0x9",
        "expect bytes 0a0b signals=12,10",
        "0: call_enter read 3, c1, 0x10",
        "0: setpgid",
        "expect process P1 signalled=9 signals=none",
      ),
    );
  });
});
