/**
 * Writes the reference of operations, `operations.json` and `docs/operations.md`, the protocol's schema,
 * `protocol.schema.json`, and its table of operations in `docs/protocol.md`, from the table of the specification.
 *
 *   tsx scripts/operations.ts [--check]
 *
 * With --check nothing is written; exit code 1 if a file is out of date.
 */
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { format, resolveConfig } from "prettier";
import { operationsDocument, operationsReference, protocolOperations } from "../conformance/operations-json.js";
import { protocolSchema } from "../conformance/protocol/schema.js";

interface Generated {
  /** From the root of the checkout. */
  readonly file: string;
  readonly text: string;
}

/** The protocol's page with the table of operations in its place; as it is where it has none. */
const withOperations = (root: string, table: string): string => {
  const file = path.join(root, "docs/protocol.md");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const place = /(<!-- operations -->\n)[^]*(<!-- end of operations -->)/;
  return text.replace(place, (_, before: string, after: string) => `${before}\n${table}\n\n${after}`);
};

/** The files as they should be. */
const generate = async (root: string): Promise<readonly Generated[]> => {
  const reference = operationsReference();
  const style = await resolveConfig(path.join(root, "operations.json"));
  return [
    { file: "operations.json", text: await format(JSON.stringify(reference), { ...style, parser: "json" }) },
    { file: "docs/operations.md", text: operationsDocument(reference) },
    { file: "docs/protocol.md", text: withOperations(root, protocolOperations(reference)) },
    {
      file: "protocol.schema.json",
      text: await format(JSON.stringify(protocolSchema()), { ...style, parser: "json" }),
    },
  ];
};

const isCurrent = (root: string, { file, text }: Generated): boolean => {
  try {
    return readFileSync(path.join(root, file), "utf8") === text;
  } catch {
    return false;
  }
};

/** The files that are not as they should be. */
export const outOfDate = async (root: string): Promise<readonly string[]> =>
  (await generate(root)).filter((generated) => !isCurrent(root, generated)).map(({ file }) => file);

const main = async (args: readonly string[], root: string): Promise<number> => {
  if (args.some((argument) => argument !== "--check")) {
    console.error("operations: the only argument is --check");
    return 2;
  }
  if (args.length > 0) {
    const old = await outOfDate(root);
    for (const file of old) console.error(`${file} is out of date; run npx tsx scripts/operations.ts`);
    return old.length > 0 ? 1 : 0;
  }
  for (const { file, text } of await generate(root)) {
    writeFileSync(path.join(root, file), text);
    console.log(file);
  }
  return 0;
};

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = await main(process.argv.slice(2), path.resolve(import.meta.dirname, ".."));
}
