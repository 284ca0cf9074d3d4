/** The published reference of operations is that of the table. */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { operationsDocument, operationsReference } from "../../conformance/operations-json.js";
import { outOfDate } from "../../scripts/operations.js";
import { removeAtEnd } from "../support/files.js";

const root = path.resolve(import.meta.dirname, "../..");
const temporary = removeAtEnd();

test("operations.json, docs/operations.md and protocol.schema.json are up to date (else run npx tsx scripts/operations.ts)", async () => {
  expect(await outOfDate(root)).toEqual([]);
});

test("files that are missing are out of date", async () => {
  expect(await outOfDate(temporary())).toEqual([
    "operations.json",
    "docs/operations.md",
    "docs/protocol.md",
    "protocol.schema.json",
  ]);
});

const words = (text: string): readonly string[] => text.split(" ");

describe("what it says, by hand", () => {
  const strategies = words("posix eager coa copa multi-as-cow vm-clone shared-segments naive-cow");
  const { operations, ...rest } = operationsReference();
  const entry = (op: string): object | undefined => operations.find((operation) => operation.op === op);

  test("csetbounds is in every format", () => {
    expect(entry("csetbounds")).toEqual({
      op: "csetbounds",
      text: "csetbounds cd, cs1, n",
      operands: [
        { name: "cd", kind: "register" },
        { name: "cs1", kind: "register" },
        { name: "n", kind: "integer" },
      ],
      choices: [],
      result: "capability",
      writes: "cd",
      formats: ["cheri128-v9", "cheri64-v9", "morello", "rvy128", "rvy64", "uncompressed256"],
      strategies,
      traps: [],
      errors: [],
      blocks: false,
      rule: "CAP-2",
    });
  });

  test("RVY seals nothing by authority; 32-bit formats load no double words", () => {
    expect(entry("cseal")).toMatchObject({ formats: ["cheri128-v9", "cheri64-v9", "morello", "uncompressed256"] });
    expect(entry("load.d")).toMatchObject({ formats: ["cheri128-v9", "morello", "rvy128", "uncompressed256"] });
  });

  test("written forms, choices and errors", () => {
    expect(entry("storecap")).toMatchObject({ text: "storecap cs2, n(cs1)", writes: null, result: "none" });
    expect(entry("candperm")).toMatchObject({ text: "candperm cd, cs1, words…" });
    expect(entry("fork")).toMatchObject({ choices: ["slot", "pid"], errors: ["EAGAIN", "ENOMEM"], result: "child" });
    expect(entry("wait")).toMatchObject({ text: "wait cd[, whom]", choices: ["reap"], errors: ["ECHILD"] });
    expect(entry("cinvoke")).toMatchObject({ writes: "c15", result: "capability" });
    expect(entry("yield")).toMatchObject({ text: "yield", operands: [] });
    expect(entry("open")).toMatchObject({ text: "open path, flags…", result: "descriptor", writes: null });
    expect(entry("sigmask")).toMatchObject({ text: "sigmask signals…", result: "set" });
    expect(entry("setpgid")).toMatchObject({ text: "setpgid [whom][, group]" });
    expect(entry("call_enter")).toMatchObject({ text: "call_enter call", operands: [{ name: "call", kind: "call" }] });
  });

  test("channels need one address space", () => {
    const others = operations.filter(({ strategies }) => !strategies.includes("posix")).map(({ op }) => op);
    expect(others).toEqual(["channel", "sendcap", "recvcap"]);
    expect(entry("channel")).toMatchObject({ strategies: ["eager", "coa", "copa", "shared-segments", "naive-cow"] });
    expect(entry("channel")).toHaveProperty("formats.length", 6);
  });

  test("traps, in the order of the list of causes, and what blocks", () => {
    expect(entry("load.w")).toMatchObject({
      traps: ["tag", "seal", "perm-load", "bounds", "page-unmapped", "page-read"],
    });
    expect(entry("cloadtags")).toMatchObject({
      traps: ["tag", "seal", "perm-load", "perm-load-cap", "bounds", "align", "page-unmapped", "page-read"],
    });
    expect(entry("cjalr")).toMatchObject({ traps: ["tag", "seal", "perm-execute", "bounds", "align", "page-exec"] });
    expect(operations.flatMap(({ op, blocks }) => (blocks ? [op] : []))).toEqual([
      ...["wait", "read", "readv", "write", "writev", "call_finish", "virtq_complete"],
      ...["sendcap", "recvcap"],
    ]);
  });

  test("version, registers and words", () => {
    expect(rest).toMatchObject({ version: 1, registers: 16 });
    expect(rest.traps).toEqual(
      [
        "tag seal type perm-load perm-store perm-execute perm-load-cap perm-store-cap perm-store-local perm-cinvoke",
        "bounds align page-unmapped page-read page-write page-exec page-store-cap",
      ].flatMap((words) => words.split(" ")),
    );
  });

  test("words that operands may be, and what can be observed", () => {
    expect(rest).toMatchObject({
      strategies,
      flags: ["read", "write", "append", "create", "exclusive", "truncate", "nonblock", "cloexec"],
      words: { whence: ["set", "cur", "end"], resource: ["nofile", "nproc"], direction: ["r", "w"] },
      calls: ["read", "readv", "write", "writev", "open"],
    });
    expect(rest.observations.slice(0, 10)).toEqual("cap int bytes fd fds set child process trap error".split(" "));
  });

  test("a row for each operation in the document", () => {
    const document = operationsDocument(operationsReference());
    expect(operations.filter(({ op }) => !document.includes(`\n| \`${op}\` | `))).toEqual([]);
    expect(document).toContain("| `cinvoke` | `cs1, cs2` | `cap` in `c15` |");
    expect(document).toContain("| all | `ECHILD`, `would-block` | EXIT-1 |");
    expect(document).toContain("| `load.b`, `load.bu`, `load.h`, `load.hu`, `load.w`, `load.wu`, `load.d` | `tag`,");
    expect(document).toContain(
      "| `channel` |  | `none` | all; not on `posix`, `multi-as-cow`, `vm-clone` | `EMFILE` | CHAN-1 |",
    );
    expect(document).toContain("| `dup` | `d` | `fd 3` | all | `EBADF`, `EMFILE` | FILE-1 |");
    expect(document).toContain("| action | `default`, `ignore`, `handler c3, c1` | ");
    expect(document).toContain("| `fork` | `cd` `slot=` `pid=` | `child P1` | all | `EAGAIN`, `ENOMEM` | FORK-1 |");
  });
});
