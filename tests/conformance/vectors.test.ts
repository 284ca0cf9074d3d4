/** Every public vector, against the specification and the optimised codec. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Codec } from "../../conformance/codec.js";
import { fastCodec } from "../../conformance/fast-codec.js";
import { specCodec } from "../../conformance/spec-codec.js";
import { checkVectorFile } from "../../conformance/vectors/run.js";
import { write, removeAtEnd } from "../support/files.js";

const folder = fileURLToPath(new URL("../vectors/", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".jsonl.gz"))
  .sort();

/** As the table of tests/vectors/README.md has them: five formats with seven kinds, and the instructions. */
const expectedFiles = 36;

test("the vectors are all here", () => {
  expect(files).toHaveLength(expectedFiles);
});

describe.each([specCodec, fastCodec])("$name", (codec) => {
  const mine = files.filter((file) => codec.name === "spec" || !file.includes("instructions"));
  test.each(mine)("%s: every vector passes, none is skipped", async (file) => {
    const { rows, error } = await checkVectorFile(folder + file, [codec]);
    expect(error).toBeUndefined();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ failed: 0, skipped: 0, mismatches: [] });
    expect(rows[0]?.passed).toBe(file.includes("instructions") ? 2990 : 400);
  });
});

test("instructions have no row for the fast codec", async () => {
  const { rows } = await checkVectorFile(`${folder}cheri128-v9/instructions.jsonl.gz`, [specCodec, fastCodec]);
  expect(rows.map((row) => row.impl)).toEqual(["spec"]);
});

describe("a codec with a mistake fails", () => {
  const temporary = removeAtEnd();
  const mistakes: readonly (readonly [kind: string, broken: Partial<Codec>])[] = [
    ["decode", { decode: (format, word) => ({ ...specCodec.decode(format, word), top: 0n }) }],
    [
      "setbounds",
      { setBounds: (format, word, length) => ({ ...specCodec.setBounds(format, word, length), tag: true }) },
    ],
    ["setaddr", { representable: () => ({ fast: true, precise: true }) }],
    ["crrl", { alignmentMask: () => 0n }],
    ["perms", { andPermissions: (_, word) => ({ ...word, encodable: true }) }],
    ["seal", { withOtype: (_, word) => word }],
    ["relocate", { relocate: (_, word) => ({ ...word, exact: true, boundsExact: true }) }],
  ];
  test.each(mistakes)("%s", async (kind, broken) => {
    const { rows } = await checkVectorFile(`${folder}rvy64/${kind}.jsonl.gz`, [{ ...specCodec, ...broken }]);
    expect(rows[0]?.failed).toBeGreaterThan(0);
    expect(rows[0]?.mismatches.length).toBeGreaterThan(0);
    expect(rows[0]?.mismatches[0]?.differences.length).toBeGreaterThan(0);
  });

  test("an instruction whose result is another one", async () => {
    const file = write(
      temporary(),
      "one.jsonl",
      '{"format":"cheri128-v9","kind":"instructions","count":1}\n' +
        '{"op":"crrl","inputs":{"rs1":"0x1001"},"result":{"rd":"0x1001"}}\n',
    );
    const { rows } = await checkVectorFile(file, [specCodec]);
    expect(rows[0]?.mismatches).toEqual([
      {
        line: 2,
        vector: '{"op":"crrl","inputs":{"rs1":"0x1001"},"result":{"rd":"0x1001"}}',
        differences: [{ path: "result.rd", expected: "0x1001", actual: "0x1008" }],
      },
    ]);
  });
});

describe("what counts as skipped", () => {
  const temporary = removeAtEnd();
  const header = '{"format":"cheri128-v9","kind":"crrl","count":1}\n';

  test("a vector with a field that is not known", async () => {
    const row =
      '{"in":{"length":"0x1001","rounding":"up"},"out":{"representableLength":"0x1008","alignmentMask":"0x0"}}\n';
    const { rows, error } = await checkVectorFile(write(temporary(), "new.jsonl", header + row), [specCodec]);
    expect(error).toBeUndefined();
    expect(rows[0]).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  });

  test("an instruction that is not known", async () => {
    const instruction =
      '{"format":"cheri128-v9","kind":"instructions","count":1}\n' +
      '{"op":"cnew","inputs":{},"result":{"rd":"0x0"}}\n';
    const { rows } = await checkVectorFile(write(temporary(), "op.jsonl", instruction), [specCodec]);
    expect(rows[0]).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  });
});
