/** `sfork run` as a user types it: traces, expectations, two sides, and one clear line for each bad input. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sfork } from "../support/cli.js";
import { removeAtEnd, write } from "../support/files.js";
import { withoutKernel } from "../support/kernel.js";

const temporary = removeAtEnd();
const program = (...steps: readonly string[]): string =>
  write(temporary(), "p.sfork", `${["sfork 1", ...steps].join("\n")}\n`);

const pointer = [
  "config format=cheri128-v9 strategy=copa",
  "0: csetbounds c8, c1, 0x40",
  "0: storecap c8, 0x20(c1)",
  "0: fork c7",
  "1: loadcap c9, 0x20(c1)",
  "expect cap tag=1 base=P1+0x0 top=P1+0x40 address=P1+0x0",
  "5: getppid c3",
  "1: load.b c4, 0(c3)",
] as const;

const rights = "permissions=load,store,load-cap,store-cap,global otype=unsealed flags=0x0";

describe("what it prints", () => {
  test("a line for each step, what it cost, and a summary", async () => {
    const { status, stdout, stderr } = await sfork(["run", program(...pointer)]);
    expect(stderr).toBe("");
    // 8 pages: 4 of data, stack and code are mapped. Thread 5 of two is thread 1.
    expect(stdout.split("\n")).toEqual([
      `0  P0.t0   csetbounds c8, c1, 0x40  -> cap tag=1 base=P0+0x0 top=P0+0x40 address=P0+0x0 ${rights}`,
      "1  P0.t0   storecap c8, 0x20(c1)    -> none",
      "2  P0.t0   fork c7                  -> child P1",
      "   P0: 6 page-table writes; P1: 6 page-table writes",
      `3  P1.t0   loadcap c9, 0x20(c1)     -> cap tag=1 base=P1+0x0 top=P1+0x40 address=P1+0x0 ${rights}`,
      "   P1: 1 fault, 1 copy, 1 relocation, 1 page-table write",
      "4  P1.t0*  getppid c3               -> int 0x1",
      "5  P1.t0   load.b c4, 0x0(c3)       -> trap tag cs1",
      "",
      "6 steps, 2 processes, 1 expectation held: 1 fault, 1 copy, 1 relocation, 13 page-table writes",
      "",
    ]);
    expect(status).toBe(0);
  });

  test("another strategy with --strategy", async () => {
    const { stdout } = await sfork(["run", "--strategy", "eager", program(...pointer)]);
    // The fork copies 6 pages and relocates the pointer in one of them.
    expect(stdout).toContain("\n   P1: 6 copies, 1 relocation, 6 page-table writes\n");
    expect(stdout).toContain("\n6 steps, 2 processes, 1 expectation held: 0 faults, 6 copies, 1 relocation, 6 page-");
  });

  test("an expectation that is not met: expected, actual, and status 1", async () => {
    const file = program("0: li c8, 5", "expect int 0x6", "0: li c8, 7", "expect int 7");
    const { status, stdout } = await sfork(["run", file]);
    expect(stdout.split("\n")).toEqual([
      "0  P0.t0   li c8, 0x5  -> int 0x5",
      `${file}:2: step 0 does not observe what is expected`,
      "  expected  int 0x6",
      "  actual    int 0x5",
      "1  P0.t0   li c8, 0x7  -> int 0x7",
      "",
      "2 steps, 1 process, 1 of 2 expectations failed: 0 faults, 0 copies, 0 relocations, 0 page-table writes",
      "",
    ]);
    expect(status).toBe(1);
  });

  const objects = [
    "config strategy=posix",
    "0: pipe",
    "expect fds 0 1",
    "0: sigaction 10, handler c3, c1",
    "0: kill P0, 10",
    "0: call_enter write 1, c1, 2",
    "expect none signals=10",
    "0: call_finish",
    "0: read 0, c2, 4",
    "expect bytes 0100",
    "0: fork c7",
    "0: kill P1, 9",
    "0: wait c3",
    "expect process P1 signalled=9",
  ] as const;

  test("kernel objects and signals", async () => {
    const { status, stdout } = await sfork(["run", program(...objects)]);
    expect(stdout.split("\n").slice(0, 6)).toEqual([
      "0  P0.t0   pipe                           -> fds 0 1",
      "1  P0.t0   sigaction 0xa, handler c3, c1  -> none",
      "2  P0.t0   kill P0, 0xa                   -> none",
      "3  P0.t0   call_enter write 1, c1, 0x2    -> none signals=10",
      "4  P0.t0   call_finish                    -> int 0x2",
      "5  P0.t0   read 0, c2, 0x4                -> bytes 0100",
    ]);
    expect(stdout).toContain("\n8  P0.t0   wait c3                        -> process P1 signalled=9\n");
    expect(stdout).toContain("\n9 steps, 2 processes, 4 expectations held: ");
    expect(status).toBe(0);
  });

  test("signals in JSON", async () => {
    const { stdout } = await sfork(["run", "--trace", "json", program(...objects)]);
    const line: unknown = JSON.parse(stdout.split("\n")[3] ?? "");
    expect(line).toMatchObject({
      operation: { actor: 0, op: "call_enter", call: { op: "write", d: 1, cs1: 1, n: "0x2" } },
      observation: { none: true, signals: [10] },
    });
  });

  test("one JSON object with --json", async () => {
    const { status, stdout } = await sfork(["run", "--json", program("0: li c8, 5", "expect int 6", "0: fork c7")]);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      observations: [{ int: "0x5" }, { child: 1 }],
      counters: { faults: 0, copies: 6, relocations: 0, pageTableWrites: 6 },
      mismatches: [{ step: 0, expected: { int: "0x6" }, actual: { int: "0x5" } }],
    });
    expect(status).toBe(1);
  });

  test("a JSON object a line with --trace json", async () => {
    const { status, stdout } = await sfork(["run", "--trace", "json", program("7: li c8, 5", "0: fork c7")]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([
      {
        step: 0,
        thread: 0,
        process: 0,
        reduced: true,
        operation: { actor: 7, op: "li", cd: 8, n: "0x5" },
        observation: { int: "0x5" },
        costs: [],
      },
      {
        step: 1,
        thread: 0,
        process: 0,
        reduced: false,
        operation: { actor: 0, op: "fork", cd: 7 },
        observation: { child: 1 },
        costs: [{ process: 1, faults: 0, copies: 6, relocations: 0, pageTableWrites: 6 }],
      },
      { ok: true, counters: { faults: 0, copies: 6, relocations: 0, pageTableWrites: 6 } },
    ]);
    expect(status).toBe(0);
  });

  test("a program in JSON, from standard input", () => {
    const { status, stdout } = spawnSync(process.execPath, ["--import", "tsx", "cli/main.ts", "run", "-"], {
      input: '{ "version": 1, "config": {}, "steps": [{ "actor": 0, "op": "li", "cd": 8, "n": "0x40" }] }',
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    });
    expect(stdout).toContain("0  P0.t0   li c8, 0x40  -> int 0x40\n");
    expect(status).toBe(0);
  });

  test("a step that nobody can take", async () => {
    expect((await sfork(["run", program("0: exit 0", "0: yield")])).stdout).toContain(
      "1  -       yield     -> halted\n",
    );
  });
});

describe("two sides with --diff", () => {
  test("the same", async () => {
    const { status, stdout } = await sfork(["run", "--diff", "spec:eager,spec:copa", program(...pointer)]);
    expect(stdout).toBe("spec:eager and spec:copa observe the same in 6 steps\n");
    expect(status).toBe(0);
  });

  test("the optimised implementation beside the specification, and beside itself", async () => {
    for (const sides of ["spec:copa,fast:copa", "fast:coa,spec:eager", "fast:eager,fast:copa"]) {
      const { status, stdout } = await sfork(["run", "--diff", sides, program(...pointer)]);
      expect(stdout).toBe(`${sides.replace(",", " and ")} observe the same in 6 steps\n`);
      expect(status).toBe(0);
    }
  });

  test("an address space for each process beside one for all", async () => {
    const { status, stdout } = await sfork(["run", "--diff", "spec:posix,spec:eager", program(...pointer)]);
    expect(stdout).toBe("spec:posix and spec:eager observe the same in 6 steps\n");
    expect(status).toBe(0);
  });

  test("what only one of them has ends the comparison", async () => {
    const file = program("0: channel", "0: yield");
    const { status, stdout } = await sfork(["run", "--diff", "spec:posix,spec:eager", file]);
    expect(stdout.split("\n")).toEqual([
      `${file}:2: step 0 ends the comparison: what follows is not promised to be alike`,
      "  P0.t0  channel",
      "  spec:posix  unsupported",
      "  spec:eager  none",
      "",
    ]);
    expect(status).toBe(0);
  });

  const short = ["config frames=8 commit=overcommit", "0: fork c7"];

  test("the first difference, both observations, and status 1", async () => {
    const file = program(...short);
    const { status, stdout } = await sfork(["run", "--diff", "spec:eager,spec:coa", file]);
    expect(stdout.split("\n")).toEqual([
      `${file}:3: step 0 is different`,
      "  P0.t0  fork c7",
      "  spec:eager  error ENOMEM",
      "  spec:coa    child P1",
      "",
    ]);
    expect(status).toBe(1);
  });

  test("as JSON", async () => {
    const { status, stdout } = await sfork(["run", "--json", "--diff", "spec:eager,spec:coa", program(...short)]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      verdict: "different",
      names: ["spec:eager", "spec:coa"],
      left: { step: 0, observation: { error: "ENOMEM" } },
      right: { step: 0, observation: { child: 1 } },
    });
    expect(status).toBe(1);
  });

  test("a raw read of a pointer ends the comparison", async () => {
    const file = program("0: storecap c1, 0(c1)", "0: fork c7", "1: load.b c8, 0(c1)");
    const { status, stdout } = await sfork(["run", "--diff", "spec:eager,spec:copa", file]);
    expect(stdout).toContain(`${file}:4: step 2 ends the comparison: what follows is not promised to be alike\n`);
    expect(stdout).toContain("  spec:copa   outside-profile\n");
    expect(status).toBe(0);
  });
});

describe.skipIf(withoutKernel)(
  `the kernel as a side${withoutKernel === undefined ? "" : ` (${withoutKernel})`}`,
  () => {
    const run = (...steps: readonly string[]) => sfork(["run", "--diff", "spec:posix,linux", program(...steps)]);

    test("observes the same, as far as it can execute the program", async () => {
      const { status, stdout } = await run("0: fork c7", "1: exit 3", "0: wait c7", "0: cgettag c8, c1");
      expect(stdout).toBe(
        "spec:posix and linux observe the same in 3 steps; a kernel does not execute step 3, nor what is behind it\n",
      );
      expect(status).toBe(0);
    });

    // Each was a difference once: numbers that no int, or no sum, holds; a signal that waits while the image changes, one that is ignored.
    test.for([
      [["0: kill P0, 0x100000000"], 1],
      [["0: setrlimit nproc, 0xfffffffffffe8ff0"], 1],
      [["0: sigmask 17", "0: fork c7", "1: exit 0", "0: exec", "0: sigpending"], 5],
      [["0: sigmask 17", "0: sigaction 17, ignore", "0: fork c7", "1: exit 0", "0: sigpending"], 5],
    ] as const)("observes the same: %j", async ([steps, taken]) => {
      const { stdout } = await run(...steps);
      expect(stdout).toMatch(`spec:posix and linux observe the same in ${taken} step`);
    });

    test("has no pages of 256 bytes", async () => {
      const { status, stderr } = await run("config page=256", "0: yield");
      expect(stderr).toMatch(/:2: a kernel has no pages of 256 bytes; write page=4096 in the program's config line\n$/);
      expect(status).toBe(2);
    });
  },
);

describe("bad input is one line and status 2", () => {
  const bad = (name: string, content: string): string => write(temporary(), name, content);
  test.each([
    [bad("a.sfork", "sfork 1\n0: cmove c16, c1\n"), "a.sfork:2:10: cd: c16 is not a register; registers are c0 to c15"],
    [bad("c.json", '{ "version": 3,\n "steps": [] }'), "c.json:1:14: version: 3 is not a version that is known here"],
    [
      bad("d.sfork", "sfork 1\nconfig frames=1\n"),
      "d.sfork:2: the configuration is illegal, CFG-1 demands: the frames suffice",
    ],
    ["nowhere.sfork", "nowhere.sfork: no such file; check the path"],
  ])("case %#", async (file, line) => {
    const { status, stdout, stderr } = await sfork(["run", file]);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(line);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  const sides =
    "Name two of spec:posix, spec:eager, spec:coa, spec:copa, spec:multi-as-cow, spec:vm-clone, spec:shared-segments, spec:naive-cow, fast:eager, fast:coa, fast:copa, fast:multi-as-cow, fast:vm-clone, fast:shared-segments, fast:naive-cow, linux, with a comma between them.";
  test.each([
    [
      ["run", "--strategy", "cow", "x"],
      "option '--strategy <name>' argument 'cow' is invalid. Allowed choices are posix",
    ],
    [
      ["run", "--diff", "fast:eager,fast:multi-as-cow", "x"],
      "option '--diff <a,b>' argument 'fast:eager,fast:multi-as-cow' is invalid. Only the specification is compared " +
        "across strategies with and without an address space for each process.",
    ],
    [
      ["run", "--diff", "spec:eager,linux", "x"],
      "option '--diff <a,b>' argument 'spec:eager,linux' is invalid. The running kernel is compared with spec:posix",
    ],
    [["run", "--diff", "eager,copa", "x"], `option '--diff <a,b>' argument 'eager,copa' is invalid. ${sides}`],
    [
      ["run", "--diff", "spec:eager,spec:coa", "--strategy", "coa", "x"],
      "option '--diff <a,b>' cannot be used with option '--strategy <name>'",
    ],
  ])("%j", async (args, message) => {
    const { status, stderr } = await sfork(args);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(`sfork: ${message}`);
    expect(status).toBe(2);
  });
});

test("--help shows examples", async () => {
  expect((await sfork(["run", "--help"])).stdout).toContain(
    "$ sfork run --diff spec:eager,spec:copa examples/pointer.sfork",
  );
});
