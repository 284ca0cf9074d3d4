/** `docs/rules.md` and the code say the same: entries and anchors, functions, sources, tests. */
import path from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { anchorsOf, readSource, replaceByTrivial, root, ruleFiles, ruleFolders, type Anchor } from "./code.js";
import type { Entry } from "../../conformance/rules/document.js";
import { entries, rules } from "./document.js";

/** Public functions that are no rule, and why. */
const helpers: Readonly<Record<string, string>> = {
  checkedStep: "one step with grants and the eager run beside it; the judging is the INV rules'",
  defineFormat: "puts the parts of a format together",
  lowObjectTypes: "a table of constants for the formats whose types count up",
  inOrder: "numbers permission bits for the tables of the formats",
  keepTagIf: "says `tag and condition`; each condition belongs to a rule",
  permissionMask: "names to bits",
  permissionNames: "bits to names",
  permits: "tests one bit of a permission word",
  run: "a program from its configuration: completed, then step by step",
  runFrom: "steps in a row",
  start: "the machine, its grants and the eager run, before the first step",
  trap: "makes a value",
  unsealed: "writes one field, unconditionally; who may is CAP-5's rules",
  viewRegion: "the checked images of FORK-3, page by page",
  violations: "all INV rules in a row",
};

const anchors: readonly Anchor[] = ruleFiles.flatMap((file) => anchorsOf(file));

const pick = ({ id, file, name, source }: Anchor | Entry): Anchor => ({ id, file, name, source });

const byId = (a: Anchor, b: Anchor): number => a.id.localeCompare(b.id);

describe("docs/rules.md", () => {
  test("has an entry for every anchor in the code, and no other, with the same function and source", () => {
    expect(entries.map(pick).toSorted(byId)).toEqual(anchors.toSorted(byId));
  });

  test("names every case once, under its rule, and every rule once", () => {
    const ids = entries.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(rules.map(({ id }) => id)).toEqual([...new Set(rules.map(({ id }) => id))]);
    for (const rule of rules) {
      expect(rule.text, rule.id).not.toBe("");
      expect(rule.entries, rule.id).not.toEqual([]);
      expect([...new Set(rule.entries.map(({ id }) => id.split(" ")[0]))]).toEqual([rule.id]);
    }
  });

  test("names tests that exist", () => {
    const namesIn = (file: string): readonly string[] =>
      [...readSource(file).matchAll(/^test\(\s*"([^"]+)"/gm)].map(([, name = ""]) => name);
    const missing = entries.filter(({ testFile, testName }) => !namesIn(testFile).includes(testName));
    expect(missing.map(({ testFile, testName }) => `${testFile}: ${testName}`)).toEqual([]);
  });
});

/** A program over the specification, in which files may have other texts. */
const compile = (texts: ReadonlyMap<string, string>): ts.Program => {
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.base.json"), (file) => ts.sys.readFile(file)) as {
    readonly config: { readonly compilerOptions: unknown };
  };
  const { options: base } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  // What only the replaced body used is unused now.
  const options = { ...base, noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(options);
  const getSourceFile: typeof host.getSourceFile = (file, version, ...rest) => {
    const text = texts.get(path.relative(root, file).replaceAll(path.sep, "/"));
    return text === undefined ? host.getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const rootNames = ruleFiles.map((file) => path.join(root, file));
  return ts.createProgram({ rootNames, options, host: { ...host, getSourceFile } });
};

test("every public function is a rule, or a helper that is known", () => {
  const program = compile(new Map());
  const checker = program.getTypeChecker();
  const exported = ruleFolders.flatMap((folder) => {
    const index = program.getSourceFile(path.join(root, folder, "index.ts"));
    const module = index === undefined ? undefined : checker.getSymbolAtLocation(index);
    return module === undefined ? [] : checker.getExportsOfModule(module);
  });
  const functions = exported
    .map((symbol) => ((symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)))
    .filter(({ valueDeclaration }) => {
      const type = valueDeclaration === undefined ? undefined : checker.getTypeAtLocation(valueDeclaration);
      return type !== undefined && type.getCallSignatures().length > 0;
    })
    .map(({ name }) => name);
  const known = new Set(anchors.map(({ name }) => name));
  expect(functions.length).toBeGreaterThan(40);
  expect(functions.filter((name) => !known.has(name)).toSorted()).toEqual(Object.keys(helpers).toSorted());
});

describe("every trivial body has the type of the function that it stands in for", () => {
  const complaints = (replaced: readonly Pick<Entry, "file" | "name" | "trivial">[]): readonly string[] => {
    const texts = new Map<string, string>();
    for (const { file, name, trivial } of replaced) {
      texts.set(file, replaceByTrivial(file, texts.get(file) ?? readSource(file), name, trivial));
    }
    return ts
      .getPreEmitDiagnostics(compile(texts))
      .map(({ file, messageText }) => `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
  };

  test("in the document", () => {
    expect(complaints(entries)).toEqual([]);
  });

  test("or is refused", () => {
    const wrong = complaints([{ file: "spec/cheri/operations.ts", name: "clearTag", trivial: "0n" }]);
    expect(wrong).toEqual([expect.stringContaining("Type 'bigint' is not assignable to type 'Capability'")]);
  });
});

describe("the reader of anchors", () => {
  const file = "spec/planted.ts";
  const anchored = "/**\n * Text.\n * @rule X-1 case @source A §1;\n *   B\n */\nexport const f = (): bigint => 1n;\n";

  test("reads rule, case and source", () => {
    expect(anchorsOf(file, anchored)).toEqual([{ id: "X-1 case", source: "A §1; B", file, name: "f" }]);
  });

  test.each([
    ["without a source", "/** @rule X-1 case */\nexport const f = (): bigint => 1n;\n"],
    ["without a case", "/** @rule X-1 @source A */\nexport const f = (): bigint => 1n;\n"],
    ["at no declaration", '/** @rule X-1 case @source A */\nimport "node:fs";\n'],
    ["in a line comment", "// @rule X-1 case @source A\nexport const f = (): bigint => 1n;\n"],
  ])("refuses an anchor %s", (_, text) => {
    expect(() => anchorsOf(file, text)).toThrow("1 anchors, of which 0");
  });
});

describe("a trivial body", () => {
  const replace = (text: string, name: string): string => replaceByTrivial("planted.ts", text, name, "0n");

  test.each([
    ["an expression", "const f = (): bigint => 1n;", "f", "const f = (): bigint => { return (0n); };"],
    ["a block", "const f = (): bigint => {\n  return 1n;\n};", "f", "const f = (): bigint => { return (0n); };"],
    ["a function", "function f(): bigint { return 1n; }", "f", "function f(): bigint { return (0n); }"],
    ["a constant", "const f = 1n;", "f", "const f = (0n);"],
    ["a member", "const o = g({ f: () => 1n });", "o.f", "const o = g({ f: () => { return (0n); } });"],
  ])("replaces %s", (_, text, name, changed) => {
    expect(replace(text, name)).toBe(changed);
  });

  test("is refused where there is nothing to replace", () => {
    expect(() => replace("const g = 1n;", "f")).toThrow("planted.ts declares no f");
    expect(() => replace("const f = (0n);", "f")).toThrow("f of planted.ts is trivial already");
  });
});
