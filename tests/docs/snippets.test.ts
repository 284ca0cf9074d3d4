/**
 * Examples of the documentation and of `examples/` do what is said of them. Each runs by itself, from source: what it
 * imports of the package is looked up in the package's exports.
 */
import { spawn } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { root } from "../rules/code.js";
import { removeAtEnd, write } from "../support/files.js";

const manifest = z.object({
  exports: z.record(z.string(), z.union([z.string(), z.object({ types: z.string(), default: z.string() })])),
});

const { exports } = manifest.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

/** An example that imports files in the place of the package; `fileOf` says which, from the built ones. */
const importing = (code: string, fileOf: (built: string) => string): string =>
  code.replaceAll(/(?<= from )"(sfork\/[\w/]+)"/g, (_, specifier: string) => {
    const entry = exports[specifier.replace(/^sfork/, ".")];
    if (entry === undefined || typeof entry === "string") throw new Error(`${specifier} is not exported`);
    return JSON.stringify(join(root, fileOf(entry.default)));
  });

const fromSource = (code: string): string =>
  importing(code, (built) => built.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts"));

/** For their types: to check those of the source anew would take longer than all else. */
const fromBuilt = (code: string): string => importing(code, (built) => built);

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

const run = (folder: string, ...args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    // A child of a runner of tests would otherwise take itself for a part of it.
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined };
    const child = spawn(process.execPath, ["--import", "tsx", ...args], { cwd: folder, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, output });
    });
  });

const newFolder = removeAtEnd();

/** A folder in which packages are found, and nothing else is. */
const project = (): string => {
  const folder = newFolder();
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
};

/** An example, and what it prints: in comments behind what prints it, or in a block of its own. */
interface Example {
  readonly code: string;
  readonly prints: string;
}

const examplesOf = (file: string): readonly Example[] => {
  const text = readFileSync(join(root, file), "utf8");
  return Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\nprints\n\n```\n([\s\S]*?)^```\n)?/gm), (found) => {
    const [, code = "", block] = found;
    const comments = Array.from(
      code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm),
      ([, printed = ""]) => `${printed}\n`,
    );
    return { code, prints: block ?? comments.join("") };
  });
};

/** A test prints how long it took. */
const isTest = ({ code }: Example): boolean => code.includes("node:test");

const documents = ["README.md", "docs/library.md"];

test.each(documents)("the examples of %s print what is said of them", async (file) => {
  const folder = project();
  const examples = examplesOf(file).filter((one) => !isTest(one));
  expect(examples.length).toBeGreaterThan(1);
  const names = examples.map(({ code }, nth) => basename(write(folder, `example-${nth}.mts`, fromSource(code))));
  // One after the other in one process, which loads the package once.
  const each = names.map((name) => `console.log(">>> ${name}"); await import("./${name}");`);
  const { status, output } = await run(folder, write(folder, "all.mts", each.join("\n")));
  expect(output).toBe(examples.map(({ prints }, nth) => `>>> ${names[nth] ?? ""}\n${prints}`).join(""));
  expect(status).toBe(0);
});

test.each(documents.flatMap(examplesOf).filter(isTest))("the example that is a test passes", async ({ code }) => {
  const folder = project();
  const { status, output } = await run(folder, write(folder, "example.mts", fromSource(code)));
  expect(output).toMatch(/^. pass 1$/m);
  expect(status).toBe(0);
});

test("the examples are of types that fit (npm run build first)", async () => {
  const folder = project();
  const files = documents
    .flatMap(examplesOf)
    .map(({ code }, nth) => basename(write(folder, `example-${nth}.mts`, fromBuilt(code))));
  const compilerOptions = { noEmit: true, types: ["node"] };
  const config = { extends: join(root, "tsconfig.base.json"), compilerOptions, files };
  write(folder, "tsconfig.json", JSON.stringify(config));
  const outcome = await run(folder, join(root, "node_modules/typescript/bin/tsc"), "-p", folder);
  expect(outcome).toEqual({ status: 0, output: "" });
});

describe("examples/conforms.test.ts", () => {
  const example = readFileSync(join(root, "examples/conforms.test.ts"), "utf8");
  const outcomeOf = async (code: string): Promise<Outcome> => {
    const folder = project();
    return run(folder, "--test", write(folder, "conforms.test.mts", fromSource(code)));
  };

  test("passes", async () => {
    const { status, output } = await outcomeOf(example);
    expect(output).toMatch(/^. pass 1$/m);
    expect(status).toBe(0);
  });

  test("and with an implementation that is wrong it fails, with the story", async () => {
    const wrong = example.replace(
      "createFast(config);",
      '({ ...createFast(config), check: () => ["INV-8: frame 3 counts 2 mappings, and has 1"] });',
    );
    expect(wrong).not.toBe(example);
    const { status, output } = await outcomeOf(wrong);
    expect(status).toBe(1);
    expect(output).toContain("REF-4: INV-8 does not hold in its own structures");
    expect(output).toMatch(
      /repeat {2}replay\(create, readFileSync\("\.sfork\/findings\/REF-4-[\da-f]{12}\.sfork", "utf8"\)\)/,
    );
  });
});
