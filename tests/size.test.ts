import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { test } from "@fast-check/vitest";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { countLines, measure } from "../scripts/count-lines.js";

const root = path.resolve(import.meta.dirname, "..");

describe("the line counter", () => {
  test.each([
    ["nothing", "", 0],
    ["blank lines", "\n  \n\t\n", 0],
    ["a line comment", "// const a = 1;\n", 0],
    ["a block comment over several lines", "/*\n const a = 1;\n*/\n", 0],
    ["a doc comment and what it documents", "/**\n * Text.\n * @rule X-1\n */\nexport const a = 1;\n", 1],
    ["a doc comment at the end", "const a = 1;\n/** left over */\n", 1],
    ["code before a comment", "const a = 1; // one\nconst b = 2; /* two\n and more */\n", 2],
    ["code after a comment", "/* one\n */ const a = 1;\n", 1],
    ["a comment between the tokens of one statement", "f(\n  // why\n  1,\n);\n", 3],
    ["comment marks in a string", 'const a = "// not a comment";\nconst b = "/*";\nconst c = "*/";\n', 3],
    ["comment marks in a template", "const a = `\n// text\n/* text */\n`;\n", 4],
    ["a blank line in a template", "const a = `one\n\nthree`;\n", 2],
    ["a comment inside a template's expression", "const a = `x${\n  // a comment\n  f({ a: 1 })\n} // text\n`;\n", 4],
    ["comment marks in a regular expression", "const a = /[/*]/;\nconst b = x / y; // z\nconst c = /\\/\\/ /;\n", 3],
    ["carriage returns", "const a = 1;\r\n\r\n// two\r\nconst b = 2;\r\n", 2],
    ["a doc comment on a member", "interface A {\n  /** Text. */\n  readonly a: bigint;\n}\n", 3],
  ])("%s", (_, text, lines) => {
    expect(countLines(text)).toBe(lines);
  });

  test.prop([fc.array(fc.constantFrom("", "  ", "// x", "/* y */", "/**\n * `z`\n */"), { maxLength: 20 })])(
    "does not notice blank lines and comments",
    (lines) => {
      expect(countLines([...lines, "const a = 1;", ...lines, "f(`// ${a}`);", ...lines].join("\n"))).toBe(2);
    },
  );
});

describe("the limits", () => {
  const { folders, files } = measure(root);

  test("something is measured", () => {
    expect(files.map((file) => file.name)).toContain("spec/cheri/index.ts");
  });

  test.each([...folders, ...files])("$name has at most $limit lines", ({ lines, limit }) => {
    expect(lines).toBeLessThanOrEqual(limit);
  });
});

describe("the script", () => {
  let sample = "";
  beforeAll(() => {
    sample = mkdtempSync(path.join(tmpdir(), "sfork-size-"));
    mkdirSync(path.join(sample, "spec/cheri"), { recursive: true });
  });
  afterAll(() => {
    rmSync(sample, { recursive: true });
  });
  const run = (lines: number): { readonly status: number | null; readonly stdout: string } => {
    const text = Array.from({ length: lines }, (_, i) => `export const a${i} = ${i}; // ${i}\n\n`).join("");
    writeFileSync(path.join(sample, "spec/cheri/long.ts"), text);
    const script = [path.join(root, "node_modules/tsx/dist/cli.mjs"), path.join(root, "scripts/count-lines.ts")];
    return spawnSync(process.execPath, [...script, sample], { encoding: "utf8" });
  };

  test("accepts a file of 300 lines of code", () => {
    expect(run(300)).toMatchObject({ status: 0 });
  });

  test("refuses a file of 301 lines of code", () => {
    const { status, stdout } = run(301);
    expect(stdout).toMatch(/^spec\/cheri\/long\.ts +301 +of +300 +over the limit by 1$/m);
    expect(status).toBe(1);
  });
});
