/** `sfork vectors` as a user types it: tables, JSON, and one clear line for each bad input. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sfork } from "../support/cli.js";
import { removeAtEnd, write } from "../support/files.js";

const temporary = removeAtEnd();
const header = (fields: object): string =>
  `${JSON.stringify({ format: "cheri128-v9", kind: "crrl", count: 1, ...fields })}\n`;
const row = '{"in":{"length":"0x1001"},"out":{"representableLength":"0x1008","alignmentMask":"0xfffffffffffffff8"}}\n';
const wrongRow = row.replace("0x1008", "0x1010");
const good = (): string => write(temporary(), "good.jsonl", header({}) + row);

describe("what it prints", () => {
  test("a row for each file and implementation, and a summary", async () => {
    const { status, stdout, stderr } = await sfork(["vectors", good()]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/cheri128-v9 {2}crrl +spec +1 +0 +0/);
    expect(stdout).toMatch(/cheri128-v9 {2}crrl +fast +1 +0 +0/);
    expect(stdout).toMatch(/1 file, 2 rows: 2 passed, 0 failed, 0 skipped/);
    expect(status).toBe(0);
  });

  test("the first mismatches in full, and status 1", async () => {
    const file = write(temporary(), "wrong.jsonl", header({}) + wrongRow);
    const { status, stdout } = await sfork(["vectors", file, "--impl", "spec"]);
    expect(stdout).toContain(`${file}:2: spec answers otherwise`);
    expect(stdout).toContain(`vector ${wrongRow.trim()}`);
    expect(stdout).toContain("out.representableLength: vector 0x1010, spec 0x1008");
    expect(status).toBe(1);
  });

  test("one JSON object with --json", async () => {
    const { status, stdout } = await sfork(["vectors", "--json", good(), "--impl", "fast"]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      files: [{ format: "cheri128-v9", kind: "crrl", impl: "fast", passed: 1, failed: 0, skipped: 0 }],
      errors: [],
    });
    expect(status).toBe(0);
  });
});

describe("bad input is one line with file and line number, status 2, and the other files are still checked", () => {
  const gzip = gzipSync(header({}) + row.repeat(200));
  const cases: readonly (readonly [what: string, name: string, content: string | Uint8Array, line: string])[] = [
    ["truncated gzip", "t.jsonl.gz", gzip.subarray(0, gzip.length - 20), ":\\d+: the gzip data ends too early"],
    [
      "damaged gzip",
      "d.jsonl.gz",
      gzip.map((byte, at) => (at > 20 && at < 60 ? byte ^ 0x5a : byte)),
      ":\\d+: the gzip data",
    ],
    ["a line that is not JSON", "j.jsonl", header({ count: 2 }) + row + "length 12\n", ":3: the line is not JSON"],
    [
      "a count that is too large",
      "c.jsonl",
      header({ count: 2 }) + row,
      ":2: the header counts 2 vectors, the file holds 1",
    ],
    [
      "a count that is too small",
      "s.jsonl",
      header({ count: 1 }) + row + row,
      ":3: the header counts 1 vectors, the file holds 2",
    ],
    [
      "a number that does not fit",
      "n.jsonl",
      header({}) + row.replace("0x1001", "0x10000000000000000"),
      ":2: in.length: 0x10000000000000000 does not fit 64 bits",
    ],
    [
      "a number that is none",
      "m.jsonl",
      header({}) + row.replace('"0x1001"', "4097"),
      ":2: in.length: must be a string, and is 4097",
    ],
    [
      "a field that is missing",
      "f.jsonl",
      header({}) + '{"in":{"length":"0x1"},"out":{"alignmentMask":"0x1"}}\n',
      ":2: out.representableLength: is missing",
    ],
    [
      "an unknown format",
      "o.jsonl",
      header({ format: "cheri256" }) + row,
      ':1: format: unknown format "cheri256"; known are cheri128-v9, cheri64-v9, morello, rvy128, rvy64',
    ],
    ["an unknown kind", "k.jsonl", header({ kind: "clear" }) + row, ':1: kind: unknown kind "clear"; known are decode'],
    [
      "a line over 1 MiB",
      "l.jsonl",
      header({}) + `{"in":"${"x".repeat(1024 * 1024)}"}\n`,
      ":2: the line is longer than 1048576 bytes",
    ],
    ["a file without lines", "e.jsonl", "", ":1: the file is empty"],
    [
      "an operand that is missing",
      "i.jsonl",
      header({ kind: "instructions" }) + '{"op":"crrl","inputs":{},"result":{"rd":"0x0"}}\n',
      ":2: inputs.rs1 is missing",
    ],
  ];
  test.each(cases)("%s", async (_, name, content, line) => {
    const bad = write(temporary(), name, content);
    const { status, stdout, stderr } = await sfork(["vectors", bad, good()]);
    expect(stderr.split("\n")).toHaveLength(2);
    expect(stderr).toMatch(new RegExp(`^.*${name}${line}`));
    expect(stdout).toMatch(/good\.jsonl +cheri128-v9 {2}crrl +spec +1 +0 +0/);
    expect(status).toBe(2);
  });

  test.each([
    ["a file that is not there", "nowhere.jsonl", "nowhere.jsonl: no such file; check the path"],
    ["a folder", "tests", "tests: is a directory; name the files in it"],
  ])("%s", async (_, file, line) => {
    const { status, stderr } = await sfork(["vectors", file]);
    expect(stderr).toBe(`${line}\n`);
    expect(status).toBe(2);
  });

  test("status 2 has precedence over a failed vector", async () => {
    const wrong = write(temporary(), "wrong.jsonl", header({}) + wrongRow);
    expect((await sfork(["vectors", wrong, "nowhere.jsonl"])).status).toBe(2);
  });
});

describe("wrong usage is one line and status 2", () => {
  test.each([
    [["vectors"], "missing required argument 'file'"],
    [
      ["vectors", "--impl", "qemu", "x"],
      "option '--impl <name>' argument 'qemu' is invalid. Allowed choices are spec, fast, both.",
    ],
    [["vectors", "--frobnicate", "x"], "unknown option '--frobnicate'"],
    [["vektors"], "unknown command 'vektors'"],
  ])("%j", async (args, message) => {
    const { status, stdout, stderr } = await sfork(args);
    expect(stderr).toBe(`sfork: ${message}${message.includes("vektors") ? "\n(Did you mean vectors?)" : ""}\n`);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

test("Ctrl-C ends with the summary so far and status 130", async () => {
  const many = 1_000_000;
  const file = write(temporary(), "many.jsonl", header({ count: many }) + row.repeat(many));
  const { status, stdout } = await sfork(["vectors", "--json", file], /vectors.*left/);
  const summary = JSON.parse(stdout) as {
    readonly files: readonly { readonly passed: number; readonly failed: number }[];
  };
  expect(summary).toMatchObject({ ok: false, interrupted: true, errors: [] });
  expect(summary.files[0]?.passed).toBeLessThan(many);
  expect(status).toBe(130);
});

test("--help shows examples", async () => {
  expect((await sfork(["vectors", "--help"])).stdout).toContain("$ sfork vectors tests/vectors/*/*.jsonl.gz");
});
