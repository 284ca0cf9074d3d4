/**
 * Which defects of the catalogue does an exhaustive search find, and in how many steps?
 *
 *   npx tsx scripts/exhaust-defects.ts [--depth 3] [--time SECONDS] [--json] [ID...]
 *
 * Every alphabet is gone through to the depth on each of a few small machines, once for all defects: each follows every program
 * until it differs. A row says by which program a defect was found; those that were not are listed behind them.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { defects } from "../conformance/defects/catalogue.js";
import { loadDefect } from "../conformance/defects/load.js";
import { alphabets } from "../conformance/exhaust/alphabets/index.js";
import { keySize, stateKey } from "../conformance/exhaust/canonical.js";
import { createFollower, specified, stateAt } from "../conformance/exhaust/expand.js";
import { Search } from "../conformance/exhaust/search.js";
import { programOf, spaceOf, stepOf, stepsFrom, type SpaceName } from "../conformance/exhaust/space.js";
import { printOperation } from "../conformance/program/print.js";
import type { FormatName } from "../spec/cheri/index.js";
import type { StrategyName } from "../spec/sfork/config.js";

const machines: readonly (readonly [FormatName, StrategyName, number, readonly string[]?])[] = [
  ["cheri128-v9", "copa", 2],
  ["cheri128-v9", "coa", 3],
  ["cheri128-v9", "eager", 3],
  ["cheri64-v9", "eager", 2, ["derivation", "rights", "copies"]],
  ["morello", "eager", 2, ["derivation", "rights"]],
  ["rvy128", "eager", 2, ["derivation", "rights"]],
  ["rvy64", "eager", 2, ["derivation", "rights"]],
  ["uncompressed256", "eager", 2, ["derivation", "rights"]],
];

interface Row {
  readonly id: string;
  readonly space: SpaceName;
  readonly steps: readonly string[];
}

type Create = Awaited<ReturnType<typeof loadDefect>>;

/** Goes through a space until `depth`, or until nothing is left to be found. */
const look = (name: SpaceName, depth: number, left: Map<string, Create>, found: (row: Row) => void): number => {
  const space = spaceOf(name);
  const followers = new Map(Array.from(left, ([id, create]) => [id, createFollower(space.config, create)]));
  const search = new Search(space, stateKey(stateAt(space, [])));
  while (search.next < search.states && search.depthOf(search.next) < depth && left.size > 0) {
    const path = search.pathTo(search.next);
    const before = stateAt(space, path);
    const taken = path.map((number) => stepOf(space, number));
    const steps = stepsFrom(before.machine, space);
    const keys = new Uint8Array(keySize * steps.length);
    for (const [nth, number] of steps.entries()) {
      const step = stepOf(space, number);
      const expected = specified(before, step);
      if (expected === undefined) throw new Error(`an invariant is broken in ${name.alphabet}`);
      keys.set(stateKey(expected.after), keySize * nth);
      for (const [id, follows] of followers) {
        const isAlike = ((): boolean => {
          try {
            return follows(taken, step, expected);
          } catch {
            return false;
          }
        })();
        if (isAlike) continue;
        followers.delete(id);
        left.delete(id);
        const program = programOf(space, [...path, number]).steps;
        found({ id, space: name, steps: program.map((one) => `${one.actor}: ${printOperation(one.operation)}`) });
      }
    }
    search.add({ steps, keys });
  }
  return search.covered().transitions;
};

const main = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { depth: { type: "string", default: "3" }, json: { type: "boolean", default: false } },
  });
  const chosen = defects.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const left = new Map<string, Create>();
  for (const { id } of chosen) left.set(id, await loadDefect(id));
  const rows: Row[] = [];
  const found = (row: Row): void => {
    rows.push(row);
    const { alphabet, format, strategy } = row.space;
    if (!values.json)
      process.stdout.write(`${row.id.padEnd(4)} ${row.steps.length}  ${alphabet}, ${format}, ${strategy}: ${row.steps.join("; ")}\n`);
  };
  // One step deeper each time, so that what is found is found by a shortest program of the alphabets.
  let transitions = 0;
  for (let depth = 1; depth <= Number(values.depth); depth += 1) {
    for (const [format, strategy, processes, only] of machines) {
      for (const { name } of alphabets) {
        if (only !== undefined && !only.includes(name)) continue;
        const started = performance.now();
        const space = { alphabet: name, format, strategy, processes };
        const gone = look(space, depth, left, found);
        transitions += gone;
        process.stderr.write(`${depth} ${name} ${format} ${strategy}: ${gone} transitions, ${((performance.now() - started) / 1000).toFixed(1)} s, ${left.size} left\n`);
      }
    }
  }
  const missed = [...left.keys()];
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ transitions, found: rows, missed }, null, 2)}\n`
      : `\n${rows.length} of ${chosen.length} found in ${transitions} transitions; not found: ${missed.join(" ")}\n`,
  );
  return 0;
};

process.exitCode = await main(process.argv.slice(2));
