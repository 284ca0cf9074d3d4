/** Where declarations stand: found by brackets, and the same as a parser finds. */
import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { excerptOf, extentOf } from "../../../conformance/rules/extent.js";
import { root } from "../../rules/code.js";
import { entries } from "../../rules/document.js";

/** The value of a declaration, as the parser has it. */
const parsed = (text: string, name: string): string | undefined => {
  const file = ts.createSourceFile("parsed.ts", text, ts.ScriptTarget.ES2023, true);
  const [first, member] = name.split(".");
  const values: ts.Expression[] = [];
  const members = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === member) values.push(node.initializer);
    else node.forEachChild(members);
  };
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name: declared, initializer } of statement.declarationList.declarations) {
      if (declared.getText() !== first || initializer === undefined) continue;
      if (member === undefined) values.push(initializer);
      else members(initializer);
    }
  }
  return values[0]?.getText();
};

const found = (text: string, name: string): string | undefined => {
  const extent = extentOf(text, name);
  return extent && text.slice(extent.value, extent.end);
};

describe.each([
  ["as it is written", (file: string) => file],
  ["as it was built", (file: string) => path.join("dist", file.replace(/ts$/, "js"))],
])("every rule's function %s", (_, place) => {
  test("is found in full", () => {
    expect(entries.length).toBeGreaterThan(150);
    for (const { id, file, name } of entries) {
      const text = readFileSync(path.join(root, place(file)), "utf8");
      const value = parsed(text, name);
      expect(value, id).toBeDefined();
      expect(found(text, name), id).toBe(value);
    }
  });
});

describe("a declaration", () => {
  test.each([
    [
      "with strings that hold brackets",
      'const f = () => ["}", \'(\', `]${g({ a: ")" })}`];',
      '() => ["}", \'(\', `]${g({ a: ")" })}`]',
    ],
    [
      "with comments that do",
      "const f = () => {\n  // }\n  /* ; */ return 1;\n};",
      "() => {\n  // }\n  /* ; */ return 1;\n}",
    ],
    [
      "with a regular expression",
      "const f = (x) => x.replace(/[/;}]+/, 1 / 2) / 3;",
      "(x) => x.replace(/[/;}]+/, 1 / 2) / 3",
    ],
    ["with a type that has arrows", "const f: (a: A) => B = (a) => b;", "(a) => b"],
    ["after one whose name begins alike", "const fg = 1;\nconst f = 2;", "2"],
  ])("%s", (_, text, value) => {
    expect(found(text, "f")).toBe(value);
  });

  test("that is a member is the outermost of its name", () => {
    const text = "const o = {\n  g: (x) => ({\n    f: 1,\n  }),\n  f: (x) => x,\n};\n";
    expect(found(text, "o.f")).toBe("(x) => x");
    expect(found(text, "o.h")).toBeUndefined();
    expect(found(text, "p.f")).toBeUndefined();
  });

  test("is told with its doc comment and its line", () => {
    const text =
      "const e = 0;\n\n/**\n * Says.\n */\nexport const f = () => 1;\nconst o = {\n  /** Member. */\n  m: () => {\n    g();\n  },\n};\n";
    expect(excerptOf(text, "f")).toEqual({ line: 3, text: "/**\n * Says.\n */\nexport const f = () => 1;" });
    expect(excerptOf(text, "o.m")).toEqual({ line: 8, text: "/** Member. */\nm: () => {\n  g();\n}," });
    expect(excerptOf(text, "x")).toBeUndefined();
  });
});
