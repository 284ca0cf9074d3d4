/**
 * Which defects of the catalogue does `sfork exhaust` find, and by which program?
 *
 *   npx tsx scripts/exhaust-defects.ts [--depth 3] [--alphabet NAME] [--workers 2] [ID...]
 *
 * Each alphabet is gone through on a few small machines, every one to depth 1, then every one to depth 2, and so on, until the defect
 * is found. A line has its steps, where that was, and the program; `not found` stands for a depth that was gone through in full.
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { defects } from "../conformance/defects/catalogue.js";
import { alphabets } from "../conformance/exhaust/alphabets/index.js";
import { threads, type Expanders } from "../conformance/exhaust/pool.js";
import { runSearch } from "../conformance/exhaust/run.js";
import type { SpaceName } from "../conformance/exhaust/space.js";
import { printOperation } from "../conformance/program/print.js";

type Machine = Omit<SpaceName, "alphabet">;

/** Where processes are what matters. */
const usual: readonly Machine[] = [
  { format: "cheri128-v9", strategy: "eager", processes: 2 },
  { format: "cheri128-v9", strategy: "coa", processes: 3 },
  { format: "cheri128-v9", strategy: "copa", processes: 2 },
];

/** Where the format is, and what a capability can be. */
const withFormats: readonly Machine[] = (["cheri64-v9", "morello", "rvy128", "rvy64", "uncompressed256"] as const).map(
  (format) => ({ format, strategy: "eager", processes: 2 }),
);

const aboutFormats: ReadonlySet<string> = new Set(["derivation", "rights", "copies"]);

const spacesFor = (chosen: readonly string[]): readonly SpaceName[] =>
  chosen.flatMap((alphabet) =>
    [...usual, ...(aboutFormats.has(alphabet) ? withFormats : [])].map((machine) => ({ alphabet, ...machine })),
  );

const search = async (expanders: Expanders, spaces: readonly SpaceName[], most: number): Promise<string> => {
  let transitions = 0;
  for (let depth = 1; depth <= most; depth += 1) {
    for (const name of spaces) {
      const limits = { depth, findings: 1, deadline: Infinity };
      const plan = { name, implementation: "defect", folder: undefined, fresh: true, limits };
      const result = await runSearch(plan, expanders, { found: () => undefined, reached: () => undefined });
      transitions += result.judged;
      const [first] = result.found;
      if (first === undefined) continue;
      const steps = first.finding.program.steps.map(({ actor, operation }) => `${actor}: ${printOperation(operation)}`);
      const { alphabet, format, strategy } = name;
      return `${steps.length}  ${alphabet}, ${format}, ${strategy}: ${steps.join("; ")}`;
    }
  }
  return `not found up to depth ${most}, ${transitions} transitions`;
};

const main = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      depth: { type: "string", default: "3" },
      alphabet: { type: "string", multiple: true, default: alphabets.map(({ name }) => name) },
      workers: { type: "string", default: String(availableParallelism()) },
    },
  });
  for (const { id } of defects.filter((one) => positionals.length === 0 || positionals.includes(one.id))) {
    const expanders = threads(Number(values.workers), id);
    const line = await search(expanders, spacesFor(values.alphabet), Number(values.depth));
    await expanders.close();
    process.stdout.write(`${id.padEnd(4)} ${line}\n`);
  }
};

await main(process.argv.slice(2));
