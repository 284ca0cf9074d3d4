/** The published reference of operations is that of the table. */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { operationsDocument, operationsReference } from "../../conformance/operations-json.js";
import { outOfDate } from "../../scripts/operations.js";
import { removeAtEnd } from "../support/files.js";

const root = path.resolve(import.meta.dirname, "../..");
const temporary = removeAtEnd();

test("operations.json and docs/operations.md are up to date (else run npx tsx scripts/operations.ts)", async () => {
  expect(await outOfDate(root)).toEqual([]);
});

test("files that are missing are out of date", async () => {
  expect(await outOfDate(temporary())).toEqual(["operations.json", "docs/operations.md"]);
});

describe("what it says, by hand", () => {
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
    expect(entry("wait")).toMatchObject({ text: "wait cd[, process]", choices: ["reap"], errors: ["ECHILD"] });
    expect(entry("cinvoke")).toMatchObject({ writes: "c15", result: "capability" });
    expect(entry("yield")).toMatchObject({ text: "yield", operands: [] });
  });

  test("traps, in the order of the list of causes, and what blocks", () => {
    expect(entry("load.w")).toMatchObject({
      traps: ["tag", "seal", "perm-load", "bounds", "page-unmapped", "page-read"],
    });
    expect(entry("cloadtags")).toMatchObject({
      traps: ["tag", "seal", "perm-load", "perm-load-cap", "bounds", "align", "page-unmapped", "page-read"],
    });
    expect(entry("cjalr")).toMatchObject({ traps: ["tag", "seal", "perm-execute", "bounds", "align", "page-exec"] });
    expect(operations.flatMap(({ op, blocks }) => (blocks ? [op] : []))).toEqual(["wait", "sendcap", "recvcap"]);
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

  test("a row for each operation in the document", () => {
    const document = operationsDocument(operationsReference());
    expect(operations.filter(({ op }) => !document.includes(`\n| \`${op}\` | `))).toEqual([]);
    expect(document).toContain("| `cinvoke` | `cs1, cs2` | `cap` in `c15` |");
    expect(document).toContain("| all | `ECHILD`, `would-block` | EXIT-1 |");
    expect(document).toContain("| `load.b`, `load.bu`, `load.h`, `load.hu`, `load.w`, `load.wu`, `load.d` | `tag`,");
    expect(document).toContain("| `fork` | `cd` `slot=` `pid=` | `child P1` | all | `EAGAIN`, `ENOMEM` | FORK-1 |");
  });
});
