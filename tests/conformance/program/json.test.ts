/** The JSON form of programs: the shape of public-surface.md, and one clear line for each mistake. */
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { parseProgram } from "../../../conformance/program/file.js";
import { decodeProgram, printJsonProgram, programCodec } from "../../../conformance/program/json.js";
import type { Program } from "../../../conformance/program/program.js";
import { printProblem } from "../../../conformance/program/strict.js";
import { read, refusal, rightOf } from "./files.js";

const json = {
  version: 1,
  config: { format: "morello", page: 256, stride: "0x4000" },
  steps: [
    { actor: 0, op: "csetbounds", cd: 8, cs1: 1, n: "0x40" },
    { actor: 0, op: "li", cd: 9, n: "-0x8" },
    { actor: 0, op: "loadcap", cd: 9, n: "c5", cs1: 1 },
    { actor: 2, op: "candperm", cd: 9, cs1: 1, words: ["load", "store-cap"] },
    { actor: 0, op: "mmap", cd: 9, n: "0x100", protection: "rw" },
    { actor: 0, op: "fork", cd: 7, slot: 2, pid: 7, expect: { child: 1 } },
    { actor: 0, op: "wait", cd: 3, expect: { process: 1, status: { exited: 3 } } },
    { actor: 0, op: "wait", cd: 3, whom: 1 },
    { actor: 0, op: "yield", expect: { cap: { tag: true, base: "P1+0x0", permissions: [] } } },
    { actor: 0, op: "pipe", expect: { fds: [3, 4], signals: [10, 12] } },
    { actor: 0, op: "open", path: "/d/a", flags: ["read", "create"], expect: { fd: 3 } },
    { actor: 0, op: "call_enter", call: { op: "read", d: 3, cs1: 1, n: "0x10" } },
    { actor: 0, op: "call_finish", expect: { bytes: "0a0b" } },
    { actor: 0, op: "sigaction", signal: "0xa", action: { handler: [3, 1] } },
    { actor: 0, op: "sigaction", signal: "0xa", action: "default" },
    { actor: 0, op: "sigmask", signals: [10, 12], expect: { set: [] } },
    { actor: 0, op: "kill", target: "-P1", signal: "0x9" },
    { actor: 0, op: "setpgid", group: 1 },
    { actor: 0, op: "wait", cd: 3, expect: { process: 1, status: { signalled: 9 }, signals: [] } },
  ],
};

const program: Program = {
  version: 1,
  config: { format: "morello", page: 256, stride: 0x4000n },
  steps: [
    { actor: 0, operation: { op: "csetbounds", cd: 8, cs1: 1, n: { immediate: 0x40n } } },
    { actor: 0, operation: { op: "li", cd: 9, n: { immediate: -8n } } },
    { actor: 0, operation: { op: "loadcap", cd: 9, n: { register: 5 }, cs1: 1 } },
    { actor: 2, operation: { op: "candperm", cd: 9, cs1: 1, words: ["load", "store-cap"] } },
    {
      actor: 0,
      operation: {
        op: "mmap",
        cd: 9,
        n: { immediate: 256n },
        protection: { read: true, write: true, execute: false },
      },
    },
    { actor: 0, operation: { op: "fork", cd: 7, slot: 2, pid: 7 }, expect: { child: 1 } },
    {
      actor: 0,
      operation: { op: "wait", cd: 3, whom: undefined },
      expect: { process: 1, status: { exited: 3 } },
    },
    { actor: 0, operation: { op: "wait", cd: 3, whom: 1 } },
    { actor: 0, operation: { op: "yield" }, expect: { cap: { tag: true, base: "P1+0x0", permissions: [] } } },
    { actor: 0, operation: { op: "pipe" }, expect: { fds: [3, 4], signals: [10, 12] } },
    { actor: 0, operation: { op: "open", path: "/d/a", flags: ["read", "create"] }, expect: { fd: 3 } },
    { actor: 0, operation: { op: "call_enter", call: { op: "read", d: 3, cs1: 1, n: { immediate: 16n } } } },
    { actor: 0, operation: { op: "call_finish" }, expect: { bytes: "0a0b" } },
    { actor: 0, operation: { op: "sigaction", signal: { immediate: 10n }, action: { code: 3, data: 1 } } },
    { actor: 0, operation: { op: "sigaction", signal: { immediate: 10n }, action: "default" } },
    { actor: 0, operation: { op: "sigmask", signals: [10, 12] }, expect: { set: [] } },
    { actor: 0, operation: { op: "kill", target: { group: 1 }, signal: { immediate: 9n } } },
    { actor: 0, operation: { op: "setpgid", whom: undefined, group: 1 } },
    {
      actor: 0,
      operation: { op: "wait", cd: 3, whom: undefined },
      expect: { process: 1, status: { signalled: 9 }, signals: [] },
    },
  ],
};

test("decoding and encoding", () => {
  expect(rightOf(decodeProgram(json))).toStrictEqual(program);
  expect(programCodec.encode(program)).toStrictEqual(json);
  expect(programCodec.is(program)).toBe(true);
  expect(JSON.parse(printJsonProgram(program))).toStrictEqual(json);
});

test("a program with an operation that is none is no program", () => {
  const steps = [{ actor: 0, operation: { op: "li", cd: 16, n: { immediate: 0n } } }];
  expect(programCodec.is({ ...program, steps })).toBe(false);
  expect(programCodec.is({ ...program, steps: [{ actor: 0, operation: { op: "yields" } }] })).toBe(false);
});

test("integers may be plain numbers, and the configuration may be left out", () => {
  const short = { version: 1, steps: [{ actor: 0, op: "li", cd: 8, n: -64 }] };
  expect(rightOf(decodeProgram(short))).toEqual({
    version: 1,
    config: {},
    steps: [{ actor: 0, operation: { op: "li", cd: 8, n: { immediate: -64n } } }],
  });
});

const withStep = (step: unknown): object => ({ version: 1, config: {}, steps: [{ actor: 0, op: "yield" }, step] });

describe("a mistake is told with its path and remedy", () => {
  test.each<readonly [unknown, string]>([
    [7, "7 is not a program; write an object"],
    [{ steps: [] }, "version: is missing; a program has version, config, steps"],
    [{ version: 2, steps: [] }, "version: 2 is not a version that is known here; the version is 1"],
    [{ version: "1", steps: [] }, 'version: "1" is not a version that is known here; the version is 1'],
    [{ version: 1 }, "steps: is missing; a program has version, config, steps"],
    [{ version: 1, steps: {} }, "steps: {} is not a list of steps; write a list"],
    [{ version: 1, steps: [], stepps: [] }, "stepps: unknown key; did you mean steps?"],
    [{ version: 1, config: { pages: 2.5 }, steps: [] }, "config.pages: 2.5 is not a number of pages; write a whole"],
    [{ version: 1, config: { page: 1e9 }, steps: [] }, "config.page: 1000000000 is not a page size; write a whole"],
    [
      { version: 1, config: { format: 3 }, steps: [] },
      "config.format: 3 is not a known format; formats are cheri128-v9,",
    ],
    [withStep(null), "steps[1]: null is not a step; write an object"],
    [withStep({ actor: 0 }), "steps[1].op: nothing is not an operation; docs/operations.md lists them"],
    [withStep({ actor: 0, op: "csetbonds" }), "steps[1].op: csetbonds is not an operation; did you mean csetbounds?"],
    [withStep({ actor: 0, op: "__proto__" }), "steps[1].op: __proto__ is not an operation; docs/operations.md"],
    [withStep({ op: "yield" }), "steps[1].actor: is missing; a yield step has actor, op, expect"],
    [withStep({ actor: -1, op: "yield" }), "steps[1].actor: -1 is not a thread; write a whole number from 0 on"],
    [withStep({ actor: 0, op: "li", cd: 16, n: 0 }), "steps[1].cd: 16 is not a register; registers are 0 to 15"],
    [withStep({ actor: 0, op: "li", cd: "c8", n: 0 }), "steps[1].cd: c8 is not a register; registers are 0 to 15"],
    [withStep({ actor: 0, op: "li", cd: 8 }), "steps[1].n: is missing; a li step has actor, op, cd, n, expect"],
    [withStep({ actor: 0, op: "li", cd: 8, n: 2 ** 60 }), "steps[1].n: 1152921504606847000 is not exact; write it as"],
    [withStep({ actor: 0, op: "li", cd: 8, n: 1.5 }), "steps[1].n: 1.5 is not an integer; write 0x40, 64, -8 or a"],
    [withStep({ actor: 0, op: "li", cd: 8, n: "c16" }), "steps[1].n: c16 is not a register; registers are c0 to c15"],
    [
      withStep({ actor: 0, op: "csetbounds", cd: 8, cs1: 1, length: "0x40" }),
      "steps[1].length: unknown key; a csetbounds step has actor, op, cd, cs1, n, expect",
    ],
    [
      withStep({ actor: 0, op: "candperm", cd: 8, cs1: 1, words: "load" }),
      'steps[1].words: "load" is not a list of permissions; write ["load", "store"]',
    ],
    [
      withStep({ actor: 0, op: "candperm", cd: 8, cs1: 1, words: ["loud"] }),
      'steps[1].words: "loud" is not a permission; did you mean load?',
    ],
    [withStep({ actor: 0, op: "call_enter", call: "read" }), 'steps[1].call: "read" is not a call; write an object'],
    [
      withStep({ actor: 0, op: "call_enter", call: { op: "fork", cd: 1 } }),
      "steps[1].call.op: fork is not a call that can be split; these are read, readv, write, writev, open",
    ],
    [
      withStep({ actor: 0, op: "call_enter", call: { op: "read", d: 3, cs1: 16, n: 1 } }),
      "steps[1].call.cs1: 16 is not a register; registers are 0 to 15",
    ],
    [
      withStep({ actor: 0, op: "call_enter", call: { op: "read", d: 3, cs1: 1 } }),
      "steps[1].call.n: is missing; a read call has op, d, cs1, n",
    ],
    [
      withStep({ actor: 0, op: "sigaction", signal: 10, action: { handler: [3, 16] } }),
      "steps[1].action: 16 is not a register; registers are 0 to 15",
    ],
    [
      withStep({ actor: 0, op: "sigaction", signal: 10, action: { handler: [3] } }),
      'steps[1].action: {"handler":[3]} is not an action; write "default", "ignore" or {"handler": [3, 1]}',
    ],
    [
      withStep({ actor: 0, op: "sigmask", signals: 10 }),
      "steps[1].signals: 10 is not a list of signals; write [10, 12]",
    ],
    [
      withStep({ actor: 0, op: "sigmask", signals: [1, -2] }),
      "steps[1].signals: -2 is not a signal; write a whole number",
    ],
    [
      withStep({ actor: 0, op: "kill", target: 1, signal: 9 }),
      "steps[1].target: 1 is not a target; write P1, for its group -P1, for the own group 0",
    ],
    [withStep({ actor: 0, op: "setpgid", whom: "-" }), 'steps[1].whom: "-" is not an ordinal; write a whole'],
    [
      withStep({ actor: 0, op: "close", d: "3" }),
      'steps[1].d: "3" is not a descriptor; write a whole number from 0 on',
    ],
    [
      withStep({ actor: 0, op: "yield", expect: { fds: [3, 4, 5] } }),
      "steps[1].expect.fds: [3,4,5] is not the two descriptors of a pipe; write 3 4, in JSON [3, 4]",
    ],
    [
      withStep({ actor: 0, op: "yield", expect: { process: 1, status: {} } }),
      "steps[1].expect.status: a process ends in one way; give exited or signalled",
    ],
    [
      withStep({ actor: 0, op: "yield", expect: { signals: [10] } }),
      "steps[1].expect: signals is not an observation; observations are cap,",
    ],
    [
      withStep({ actor: 0, op: "yield", expect: { none: true, signals: 10 } }),
      "steps[1].expect.signals: 10 is not a list of signals from 1 to 31; write 10,12 or none, in JSON",
    ],
    [
      withStep({ actor: 0, op: "yield", expect: "none" }),
      'steps[1].expect: "none" is not an observation; write an object',
    ],
    [withStep({ actor: 0, op: "yield", expect: {} }), "steps[1].expect: nothing is not an observation; observations"],
    [withStep({ actor: 0, op: "yield", expect: { none: false } }), "steps[1].expect.none: the only value is true"],
    [
      withStep({ actor: 0, op: "yield", expect: { cap: { tag: 1 } } }),
      "steps[1].expect.cap.tag: 1 is not a tag; a tag is 1 or 0, in JSON true or false",
    ],
    [
      withStep({ actor: 0, op: "yield", expect: { int: "0x1", child: 1 } }),
      "steps[1].expect.child: unknown key; int has int, signals",
    ],
  ])("%j", (input, line) => {
    const decoded = decodeProgram(input);
    expect(isLeft(decoded) ? printProblem(decoded.left).slice(0, line.length) : "accepted").toBe(line);
  });
});

describe("a mistake in a file is told with file, line and column", () => {
  const text = `{
  "version": 1,
  "config": { "format": "a, {b} \\" [c]:" },
  "steps": [
    { "actor": 0, "op": "yield" },
    { "actor": 0, "op": "li",
      "cd": 16, "n": 0 }
  ]
}`;
  const mended = text.replace(/"a.*:"/, '"rvy64"');
  test.each([
    ["a value behind others", mended, "p.json:7:13: steps[1].cd: 16 is not a register; registers are 0 to 15"],
    ["a string with brackets", text, 'p.json:3:25: config.format: "a, {b} \\" [c]:" is not a known format; formats'],
    [
      "a missing member: its object",
      mended.replace('"cd": 16, ', ""),
      "p.json:6:5: steps[1].cd: is missing; a li step",
    ],
    ["an unknown key", mended.replace("16", '6, "x": 1'), "p.json:7:21: steps[1].x: unknown key; a li step"],
    ["a comma that is missing", mended.replace("16,", "16"), "p.json:7:16: this is not JSON; is a comma, a quote or"],
    ["an end that is missing", mended.slice(0, -1), "p.json:9:1: this is not JSON; is a comma, a quote or a bracket"],
    ["a list", "[]", "p.json:1:1: [] is not a program; write an object"],
  ])("%s", (_, input, line) => {
    expect(refusal(parseProgram(input, "p.json")).slice(0, line.length)).toBe(line);
  });

  test("a value behind nested ones", () => {
    const nested = [
      '{ "version": 1, "steps": [',
      '{ "actor": 0, "op": "candperm", "cd": 8, "cs1": 1, "words": ["load", "store"],',
      '  "expect": { "cap": { "permissions": ["load"], "tag": true } } },',
      '{ "actor": 0, "op": "yield", "expect": { "cap": { "permissions": [], "tag": 1 } } }',
      "]}",
    ].join("\n");
    expect(refusal(parseProgram(nested, "p.json"))).toMatch(
      /^p\.json:4:77: steps\[1\]\.expect\.cap\.tag: 1 is not a tag/,
    );
  });

  test("the lines of steps and of the configuration", () => {
    const source = rightOf(parseProgram(mended.replace("16", "6"), "p.json"));
    expect([source.lineOf("config"), source.lineOf(0), source.lineOf(1)]).toEqual([3, 5, 6]);
    expect(read(mended.replace("16", "6")).config).toEqual({ format: "rvy64" });
  });
});
